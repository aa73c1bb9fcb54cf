"""What every distribution does first: in what precision to compute, and whether what it was given can be meant."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import DataError

TOLERANCE = 1e-2  # by which targets in half precision may miss one


def as_floats(*given: Any) -> tuple[Tensor, ...]:
    """Tensors, arrays, lists or numbers as tensors of one type, at least float32, on the device of the first.

    Lists, plain numbers and integers take the type of the others; gradients pass through.

    >>> [tensor.dtype for tensor in as_floats(torch.tensor([1, 2]), torch.zeros(2, dtype=torch.float64), 0.1)]
    [torch.float64, torch.float64, torch.float64]
    """
    device = given[0].device if isinstance(given[0], Tensor) else torch.device("cpu")
    typed = [isinstance(one, (Tensor, np.ndarray)) for one in given]
    tensors = [
        torch.as_tensor(one) if has_type else torch.tensor(one, dtype=torch.float64) for one, has_type in zip(given, typed, strict=True)
    ]
    kind = torch.float32
    for tensor, has_type in zip(tensors, typed, strict=True):
        if has_type and tensor.is_floating_point():
            kind = torch.promote_types(kind, tensor.dtype)
    return tuple(tensor.to(device=device, dtype=kind) for tensor in tensors)


def may_look(*tensors: Tensor) -> bool:
    """Whether values may be checked: a look would make an accelerator wait, and stop a compiler."""
    return all(tensor.device.type == "cpu" for tensor in tensors) and not torch.compiler.is_compiling()


def check_sigma(name: str, sigma: Tensor) -> None:
    """Refuse a spread that is no number above 0."""
    if not may_look(sigma):
        return
    wrong = ~((sigma > 0) & sigma.isfinite())
    if bool(wrong.any()):
        place = wrong.nonzero()[0].tolist()
        where = f" at {place if len(place) > 1 else place[0]}" if place else ""
        raise DataError(f"{name}: sigma{where} is {sigma[wrong][0].item():.6g}; a spread must be a finite number above 0")


def check_on_axis(name: str, values: Float[Tensor, "B d"], axes: list[Float[Tensor, " L"]]) -> None:
    """Refuse a value outside the range of its axis, naming the row."""
    if not may_look(values, *axes):
        return
    for number, axis in enumerate(axes):
        lowest, highest = axis.min().item(), axis.max().item()
        off = ~((values[:, number] >= lowest) & (values[:, number] <= highest))  # True for NaN
        if bool(off.any()):
            row = int(off.nonzero()[0])
            which = f"axis {number}" if len(axes) > 1 else "the axis"
            raise DataError(
                f"{name}: values: row {row} is {values[row, number].item():.6g}, off {which}, whose labels go from {lowest:.6g} to "
                f"{highest:.6g}; mend the value, or name labels as far as the values go"
            )


def read_targets(name: str, targets: Float[Tensor, " B *L"]) -> Float[Tensor, " B *L"]:
    """Targets as floats, at least float32.

    Raises:
        ValueError: if they are no tensor (B, L, ...).
        DataError: on the CPU, for an entry outside [0, 1].
    """
    if not isinstance(targets, Tensor) or targets.ndim < 2:
        shape = tuple(getattr(targets, "shape", ()))
        raise ValueError(f"{name}: targets must be a tensor of shape (instances, labels), got {type(targets).__name__} of shape {shape}")
    (targets,) = as_floats(targets)
    if may_look(targets):
        wrong = ~((targets >= 0) & (targets <= 1))
        if bool(wrong.any()):
            row, label = wrong.nonzero()[0].tolist()[:2]
            raise DataError(f"{name}: targets: row {row}, label {label} is {targets[wrong][0].item():.6g}; give degrees in [0, 1]")
    return targets


def shares(targets: Float[Tensor, " B *L"]) -> Float[Tensor, " B *L"]:
    """Each label's share of its row's mass; the same for all labels where a row is empty.

    >>> shares(torch.tensor([[1.0, 1.0], [0.0, 0.0]])).tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    mass = targets.sum(1, keepdim=True)
    return torch.where(mass > 0, targets / mass.masked_fill(mass == 0, 1), 1 / targets.shape[1])


def check_one_place(name: str, targets: Float[Tensor, "B L"]) -> None:
    """Refuse, on the CPU, a row that is neither empty, nor one label, nor a distribution over the labels."""
    if not may_look(targets):
        return
    mass = targets.detach().sum(-1)
    wrong = ((mass - 1).abs() > TOLERANCE) & (mass > 0)
    if bool(wrong.any()):
        row = int(wrong.nonzero()[0])
        raise DataError(
            f"{name}: targets: row {row} sums to {mass[row].item():.4g}; give each row one label or a distribution that sums to 1 "
            "(for sets of labels there is the distribution 'mixture')"
        )


def positive_number(name: str, value: Any) -> float:
    """A constructor's setting, if it is a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not (math.isfinite(value) and value > 0):
        raise ValueError(f"the '{name}' parameter must be a finite number above 0, got {value!r}")
    return float(value)
