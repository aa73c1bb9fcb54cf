"""From a configuration to a run folder, and everything that reads one.

Nothing heavy is imported before it is used: what reads finished runs (``record``, ``statistics``, ``compare``) never loads PyTorch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import Config, DataSettings, load_config, override
    from .fit import read_data, resume
    from .methods import check_method, classical_names, is_classical
    from .run import Run

_LAZY = {
    "Config": "config",
    "DataSettings": "config",
    "Run": "run",
    "check_method": "methods",
    "classical_names": "methods",
    "is_classical": "methods",
    "load_config": "config",
    "override": "config",
    "read_data": "fit",
    "resume": "fit",
}

__all__ = [
    "Config",
    "DataSettings",
    "Run",
    "check_method",
    "classical_names",
    "is_classical",
    "load_config",
    "override",
    "read_data",
    "resume",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
