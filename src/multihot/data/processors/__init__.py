"""Processors: what prepares the rows of a data set for an encoder. Each is fitted on the training split only."""

from .audio import AudioProcessor
from .image import ImageProcessor
from .subwords import SubwordsProcessor
from .table import TableProcessor
from .words import WordsProcessor

__all__ = ["AudioProcessor", "ImageProcessor", "SubwordsProcessor", "TableProcessor", "WordsProcessor"]
