"""multihot: multi-label learning for text, images, audio and tables.

``multihot.fit`` trains, ``multihot.load`` opens a run folder, ``run.predict`` gives label sets for new instances. Nothing heavy is
imported before it is used, so that ``import multihot`` stays quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import torchvision_operators

if TYPE_CHECKING:
    from .api import fit, load
    from .components import allowing
    from .experiments import Run

__version__ = "0.1.0"

torchvision_operators.install()  # before anything imports Lightning or timm, which import torchvision

_LAZY = {"allowing": "multihot.components", "fit": "multihot.api", "load": "multihot.api", "Run": "multihot.experiments"}
_ROOMS = (
    "calibration",
    "classical",
    "components",
    "data",
    "decoding",
    "encoders",
    "experiments",
    "losses",
    "metrics",
    "objectives",
    "scorers",
)

__all__ = ["Run", "__version__", "allowing", "fit", "load"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    if name in _ROOMS:
        return importlib.import_module(f"multihot.{name}")
    raise AttributeError(f"module 'multihot' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*__all__, *_ROOMS])
