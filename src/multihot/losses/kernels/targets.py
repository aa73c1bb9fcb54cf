"""What every loss does first: are logits and targets numbers that it can mean, which entries are known, and in what precision to add up."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ...errors import DataError, NotANumberError
from ...interfaces import check_logits

REDUCTIONS = ("mean", "sum")
TOLERANCE = 1e-2  # by which targets in half precision may miss a sum of one


def check_targets(targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None) -> None:
    """Refuse targets outside [0, 1]; NaN stands for an unknown entry and is allowed.

    Losses look at values on the CPU only, because elsewhere a look would make an accelerator wait: call it once where targets are made.

    Args:
        targets: (B, L), meant to lie in [0, 1].
        known: (B, L); entries that are False are not looked at.

    Raises:
        DataError: naming the first row and column whose value is outside [0, 1].

    >>> import torch
    >>> check_targets(torch.tensor([[0.0, 1.0], [0.3, float("nan")]]))
    >>> check_targets(torch.tensor([[0.0, 2.0]]))
    Traceback (most recent call last):
    multihot.errors.DataError: targets: row 0, label 1 is 2.0; give values in [0, 1], and NaN or known=False where nobody annotated
    """
    outside = (targets < 0) | (targets > 1)  # False for NaN
    if known is not None:
        outside &= known
    if bool(outside.any()):
        row, label = outside.nonzero()[0].tolist()
        raise DataError(
            f"targets: row {row}, label {label} is {targets[row, label].item()}; "
            "give values in [0, 1], and NaN or known=False where nobody annotated"
        )


def read_inputs(
    name: str, logits: Float[Tensor, "B E"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None, extra: int = 0
) -> tuple[Float[Tensor, "B E"], Float[Tensor, "B L"], Bool[Tensor, "B L"] | None]:
    """Logits and targets in the precision that sums need, and which targets are known; what a loss cannot mean is refused in its name.

    Args:
        name: of the loss, for its error messages.
        logits: (B, L + extra), floating point.
        targets: (B, L) in [0, 1], hard or soft, of any type; NaN is an unknown entry.
        known: (B, L) or None.
        extra: columns of the logits behind those of the labels.

    Returns:
        logits, at least float32; targets of the same type, 0 where unknown; known (B, L), or None where all are known, so that a loss
        can take its shorter way.

    Raises:
        ValueError: if shapes or types do not belong together.
        DataError: on the CPU, for a target outside [0, 1].
        NotANumberError: on the CPU, for NaN among the logits.

    >>> import torch
    >>> read_inputs("my_loss", torch.tensor([[0.5, 2.0]], dtype=torch.bfloat16), torch.tensor([[1.0, float("nan")]]), None)
    (tensor([[0.5000, 2.0000]]), tensor([[1., 0.]]), tensor([[ True, False]]))
    """
    check_logits(name, logits, targets, known, extra)
    logits = in_single_precision(logits)
    targets = targets.to(logits.dtype)
    if logits.device.type != "cpu" or torch.compiler.is_compiling() or not targets.numel():
        present = ~targets.isnan() if known is None else known & ~targets.isnan()
        return logits, targets.masked_fill(~present, 0.0), present
    all_given = _check_values(name, logits.detach(), targets.detach(), known)
    if known is not None and bool(known.all()):
        known = None
    if known is None and all_given:
        return logits, targets, None
    present = ~targets.isnan() if known is None else known & ~targets.isnan()
    return logits, targets.masked_fill(~present, 0.0), present


def in_single_precision(logits: Float[Tensor, "B E"]) -> Float[Tensor, "B E"]:
    """Logits in float32 or more: a sum over many labels does not fit half precision."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def _check_values(name: str, logits: Tensor, targets: Tensor, known: Tensor | None) -> bool:
    """Whether no target is NaN."""
    low, high = targets.aminmax()
    within = low.item() >= 0 and high.item() <= 1  # False where one of them is NaN
    if not within:
        try:
            check_targets(targets, known)
        except DataError as error:
            raise DataError(f"{name}: {error}") from None
    if math.isnan(logits.sum().item()) and bool((broken := logits.isnan()).any()):  # infinities of both signs add up to NaN as well
        row, label = broken.nonzero()[0].tolist()
        raise NotANumberError(
            f"{name}: logits hold NaN, first in row {row}, label {label}; what came before the loss broke: look for infinite inputs, "
            "a learning rate that is too high, or an overflow in half precision"
        )
    return within


def read_label_sets(
    name: str, logits: Float[Tensor, "B E"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None, extra: int = 0
) -> tuple[Float[Tensor, "B E"], Bool[Tensor, "B L"], Bool[Tensor, "B L"]]:
    """What a loss that knows no soft targets reads: logits, which labels are present, and which are absent; see ``read_inputs``.

    Raises:
        DataError: on the CPU, for a target that is neither 0 nor 1.

    >>> import torch
    >>> read_label_sets("my_loss", torch.tensor([[0.5, 2.0]]), torch.tensor([[1.0, float("nan")]]), None)
    (tensor([[0.5000, 2.0000]]), tensor([[ True, False]]), tensor([[False, False]]))
    """
    logits, targets, known = read_inputs(name, logits, targets, known, extra)
    check_hard(name, targets)
    present = targets > 0.5
    return logits, present, ~present if known is None else known & ~present


def check_hard(name: str, targets: Float[Tensor, "B L"]) -> None:
    """Refuse soft targets in the name of a loss that does not know them; on the CPU only, as ``read_inputs`` looks at values."""
    if targets.device.type != "cpu" or torch.compiler.is_compiling():
        return
    targets = targets.detach()
    if float(targets.sum()) == int(targets.count_nonzero()):  # between 0 and 1, as they are, these are ones and zeros
        return
    if bool((soft := (targets != 0) & (targets != 1)).any()):
        row, label = soft.nonzero()[0].tolist()
        raise DataError(
            f"{name}: targets: row {row}, label {label} is {targets[row, label].item()}; this loss knows no soft targets: give 0 or 1, "
            "or train with a loss that takes them, such as zlpr"
        )


def check_mass(name: str, what: str, targets: Float[Tensor, "N L"], known: Bool[Tensor, "N L"] | None, mend: str) -> None:
    """Refuse, on the CPU, targets whose rows do not sum to one; a row with unknown entries may sum to less.

    Args:
        name: of the loss.
        what: a row is, for the message: "row" or "position".
        targets: (N, L).
        known: (N, L), or None where all is.
        mend: what is asked for, at the end of the message.

    Raises:
        DataError: naming the first such row and its sum.
    """
    if targets.device.type != "cpu" or torch.compiler.is_compiling():
        return
    mass = targets.detach().sum(-1)
    wrong = (mass - 1).abs() > TOLERANCE
    if known is not None:
        wrong = torch.where(known.all(-1), wrong, mass > 1 + TOLERANCE)
    if bool(wrong.any()):
        row = int(wrong.nonzero()[0])
        raise DataError(f"{name}: targets: {what} {row} sums to {mass[row].item():.4g}; {mend}")


def by_instance(entries: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None, reduction: str = "mean") -> Float[Tensor, " B"]:
    """One value an instance: the mean (or the sum) of the entries that are known; 0 where none is.

    >>> import torch
    >>> by_instance(torch.tensor([[1.0, 3.0]]), torch.tensor([[True, False]]))
    tensor([1.])
    """
    if known is not None:
        entries = entries.masked_fill(~known, 0.0)
    if reduction == "sum":
        return entries.sum(-1)
    return entries.mean(-1) if known is None else entries.sum(-1) / known.sum(-1).clamp(min=1)


def check_reduction(reduction: str) -> str:
    """The reduction, if it is one: ``"mean"`` or ``"sum"`` over the known labels of an instance."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"the 'reduction' parameter must be 'mean' or 'sum', got {reduction!r}")
    return reduction
