"""Lets torchvision be imported beside a build of PyTorch that its compiled operators were not made for.

torchvision's wheel on PyPI is built for CUDA. Beside a CPU-only PyTorch its library of operators does not load, and its import then
ends with "operator torchvision::nms does not exist" -- and with it the import of Lightning, torchmetrics, transformers and timm, which
import torchvision wherever it is installed. Nothing here uses those operators, so they are declared without being defined: the
import goes through, and only a call of ``nms`` itself fails. Where the operators load, nothing is declared.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

OPERATORS = ("nms", "qnms")  # those that torchvision registers something for while it is imported
SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


class TorchvisionFinder:
    """Finds torchvision where it is, and declares its operators if its import fails without them."""

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The specification of torchvision, or None for any other module."""
        spec = PathFinder.find_spec(name, path, target) if name == "torchvision" else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            try:
                execute(module)
            except RuntimeError as error:
                if "operator torchvision::" not in str(error):
                    raise
                declare_operators()
                for begun in [name for name in sys.modules if name.startswith("torchvision.")]:
                    del sys.modules[begun]
                execute(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def install() -> None:
    """Put the finder in front of Python's own, once; torchvision itself is not imported."""
    if not any(isinstance(finder, TorchvisionFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, TorchvisionFinder())


def declare_operators() -> None:
    """Declare the operators whose absence breaks the import of torchvision."""
    import torch

    for name in OPERATORS:
        if not hasattr(torch.ops.torchvision, name):
            torch.library.define(f"torchvision::{name}", SIGNATURE)
