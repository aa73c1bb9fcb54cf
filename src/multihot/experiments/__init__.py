"""From a configuration to a run folder, and everything that reads one."""

from .config import Config, DataSettings, load_config, override
from .fit import fit, read_data, resume
from .methods import check_method, classical_names, is_classical
from .run import Run

__all__ = [
    "Config",
    "DataSettings",
    "Run",
    "check_method",
    "classical_names",
    "fit",
    "is_classical",
    "load_config",
    "override",
    "read_data",
    "resume",
]
