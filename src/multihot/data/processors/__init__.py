"""Processors: what prepares the rows of a data set for an encoder. Each is fitted on the training split only."""

from .image import ImageProcessor
from .subwords import SubwordsProcessor
from .table import TableProcessor
from .words import WordsProcessor

__all__ = ["ImageProcessor", "SubwordsProcessor", "TableProcessor", "WordsProcessor"]
