"""From a configuration to a run folder, and everything that reads one.

``multihot.experiments.fit`` trains and is imported where it is used: what stands here reads configurations and run folders without
PyTorch, so that comparing and reporting start quickly.
"""

from .config import Config, load_config, override
from .data_settings import DataSettings
from .run import Run

__all__ = ["Config", "DataSettings", "Run", "load_config", "override"]
