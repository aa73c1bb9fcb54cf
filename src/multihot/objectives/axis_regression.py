"""Regression on the axis of the labels: absolute or squared error of one number."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigurationError, DataError
from ..interfaces import Model, Objective
from ..labels import LabelSpace
from ..types import Batch, Encoding

TOLERANCE = 1e-2  # by which targets in half precision may miss one


class AxisRegressionObjective(Objective):
    """Mean over the batch of ``|v - a|`` or ``(v - a)^2``, v the scorer's value and a the position of the instance's label.

    Where the target is a distribution, a is its expectation. Instances without a label are left out.

    Args:
        label_space: the labels, whose names are numbers.
        norm: 1 for the absolute error, 2 for the squared error.

    Raises:
        ValueError: for another norm.
        ConfigurationError: if the label names are no numbers; before training, if the scorer has no value.

    >>> AxisRegressionObjective(LabelSpace(["10", "20"]), norm=1).needs
    frozenset({'scorer'})
    """

    needs = frozenset({"scorer"})
    axis: Tensor

    def __init__(self, label_space: LabelSpace, norm: int = 1):
        super().__init__()
        if norm not in (1, 2):
            raise ValueError(f"the 'norm' parameter must be 1 or 2, got {norm!r}")
        positions = label_space.positions
        if positions is None or positions.shape[1] != 1:
            some = ", ".join(repr(name) for name in label_space.names[:3])
            raise ConfigurationError(f"the labels ({some}, ...) are no numbers, so there is no value to regress to; rename them")
        self.norm = norm
        self.register_buffer("axis", torch.from_numpy(positions[:, 0]).float(), persistent=False)

    def attach(self, model: Model) -> None:
        """Refuse a scorer that gives no number."""
        if not hasattr(model.scorer, "value"):
            name = type(model.scorer).__name__
            raise ConfigurationError(f"objective 'axis_regression' needs a scorer with a value, not {name}; use `scorer: axis_value`")

    def forward(self, model: Model, batch: Batch, turn: str = "model", encoding: Encoding | None = None) -> Float[Tensor, ""]:
        values = model.scorer.value(encoding if encoding is not None else model.encode(batch))  # type: ignore[union-attr, operator]
        targets = batch.targets.masked_fill(~batch.known, 0.0).to(values.dtype)
        mass = targets.sum(-1)
        _check_mass(mass, batch)
        labelled = mass > 0
        positions = (targets @ self.axis) / torch.where(labelled, mass, 1)
        errors = (values - positions).abs() ** self.norm
        return errors.masked_fill(~labelled, 0.0).sum() / labelled.sum().clamp(min=1)


def _check_mass(mass: Tensor, batch: Batch) -> None:
    """Refuse, on the CPU, a row with several labels: they have no one position."""
    if mass.device.type != "cpu" or torch.compiler.is_compiling():
        return
    wrong = (mass > 1 + TOLERANCE) | ((mass < 1 - TOLERANCE) & batch.known.all(-1))
    if bool(wrong.any()):
        row = int(wrong.nonzero()[0])
        raise DataError(
            f"axis_regression: targets: row {row} sums to {mass[row].item():.4g}; regression needs one label or a distribution that "
            "sums to 1 in each row"
        )
