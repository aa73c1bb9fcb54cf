"""Data sets: readers of many formats, a cache, a catalogue of named data sets, and splits.

``load`` is the way in; it gives a ``MultiLabelData``.
"""

from .cache import cache_root
from .dataset import MultiLabelData
from .loading import load
from .splits import iterative_stratification, random_split

__all__ = ["MultiLabelData", "cache_root", "iterative_stratification", "load", "random_split"]
