"""Losses whose targets are lists of present labels: the logits are dense (B, L), the multi-hot targets never exist."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from scipy import sparse
from torch import Tensor

from ...errors import DataError, NotANumberError
from ..kernels.targets import check_reduction

PADDING = -1


def pad_positives(label_sets: Iterable[Iterable[int]] | sparse.spmatrix) -> Int[Tensor, "B P"]:
    """Label sets of different sizes as one tensor, every row filled up with -1.

    Args:
        label_sets: B collections of label indices, or a sparse multi-hot matrix (B, L), as ``LabelSpace.encode`` makes it.

    Returns:
        (B, P), P being the size of the largest set, at least 1.

    >>> pad_positives([[4, 0], [], [2]])
    tensor([[ 4,  0],
            [-1, -1],
            [ 2, -1]])
    """
    if sparse.issparse(label_sets):
        matrix = sparse.csr_matrix(label_sets, copy=True)
        matrix.eliminate_zeros()
        label_sets = (matrix.indices[start:end] for start, end in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True))
    rows = [torch.as_tensor(list(labels), dtype=torch.long) for labels in label_sets]
    padded = torch.full((len(rows), max([1, *map(len, rows)])), PADDING)
    for row, labels in zip(padded, rows, strict=True):
        row[: len(labels)] = labels
    return padded


def check_positives(name: str, positives: Int[Tensor, "B P"], rows: int, num_labels: int) -> None:
    """Refuse index lists that are no label sets, in the loss's name; values are looked at on the CPU only.

    Args:
        name: of the loss, for its error messages.
        positives: (B, P) label indices, each at most once in a row; -1 is padding.
        rows: B.
        num_labels: L.

    Raises:
        ValueError: if it is no integer tensor of shape (B, P).
        DataError: on the CPU, naming the first row with an index outside [0, L) or with a label that occurs twice.

    >>> check_positives("my_loss", torch.tensor([[4, 0], [2, -1]]), rows=2, num_labels=4)
    Traceback (most recent call last):
    multihot.errors.DataError: my_loss: positives: row 0 names label 4; give indices from 0 to 3, and -1 as padding
    """
    if positives.is_floating_point() or positives.is_complex() or positives.dtype == torch.bool:
        raise ValueError(f"{name}: positives must be label indices, integers, got {positives.dtype}; pad_positives makes them from lists")
    if positives.dim() != 2 or len(positives) != rows:
        raise ValueError(
            f"{name}: positives must have shape ({rows}, P), got {tuple(positives.shape)}; pad_positives makes them from lists"
        )
    if positives.device.type != "cpu" or torch.compiler.is_compiling() or not positives.numel():
        return
    low, high = positives.aminmax()
    if low < PADDING or high >= num_labels:
        row, column = ((positives < PADDING) | (positives >= num_labels)).nonzero()[0].tolist()
        wrong = positives[row, column].item()
        raise DataError(
            f"{name}: positives: row {row} names label {wrong}; give indices from 0 to {num_labels - 1}, and {PADDING} as padding"
        )
    ordered = positives.sort(-1).values
    twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != PADDING)
    if bool(twice.any()):
        row, column = twice.nonzero()[0].tolist()
        raise DataError(f"{name}: positives: row {row} names label {ordered[row, column].item()} twice; name every label at most once")


def sparse_zlpr_loss(logits: Float[Tensor, "B L"], positives: Int[Tensor, "B P"]) -> Float[Tensor, " B"]:
    """ZLPR from lists of present labels; every label that is not listed is absent.

    ``log(1 + sum_{i absent} e^{s_i}) + log(1 + sum_{i present} e^{-s_i})`` (Su 2020, eq. 11). The sum over absent labels leaves the present
    ones out instead of subtracting them from the sum over all, which would cancel where they dominate.

    Args:
        logits: (B, L), unbounded.
        positives: (B, P) label indices, each at most once in a row; -1 is padding.

    Returns:
        (B,), at least float32.

    Raises:
        ValueError: if shapes or types do not belong together.
        DataError: on the CPU, for an index outside [0, L) or one that a row names twice.
        NotANumberError: on the CPU, for NaN among the logits.

    >>> sparse_zlpr_loss(torch.tensor([[2.0, -1.0]]), torch.tensor([[0, -1]]))
    tensor([0.4402])
    """
    logits, positives = _read_sparse("sparse_zlpr_loss", logits, positives)
    if torch.compiler.is_compiling():  # a compiler fuses the formula by itself
        return _zlpr_by_formula(logits, positives)
    return _SparseZLPR.apply(logits, positives)


def sparse_binary_cross_entropy_loss(
    logits: Float[Tensor, "B L"], positives: Int[Tensor, "B P"], reduction: str = "mean"
) -> Float[Tensor, " B"]:
    """Binary cross entropy from lists of present labels; every label that is not listed is absent.

    ``sum_{i absent} log(1 + e^{s_i}) + sum_{i present} log(1 + e^{-s_i})``, divided by L with the reduction ``"mean"``
    (Tsai 2019, eq. 2.10).

    Args:
        logits: (B, L), unbounded.
        positives: (B, P) label indices, each at most once in a row; -1 is padding.
        reduction: ``"mean"`` or ``"sum"`` over the labels of an instance.

    Returns:
        (B,), at least float32.

    Raises:
        ValueError: if shapes or types do not belong together, or for any other reduction.
        DataError: on the CPU, for an index outside [0, L) or one that a row names twice.
        NotANumberError: on the CPU, for NaN among the logits.

    >>> sparse_binary_cross_entropy_loss(torch.tensor([[0.0, 2.0]]), torch.tensor([[0, 1]]))
    tensor([0.4100])
    """
    check_reduction(reduction)
    logits, positives = _read_sparse("sparse_binary_cross_entropy_loss", logits, positives)
    total = _SparseBinaryCrossEntropy.apply(logits, positives)
    return total / logits.shape[-1] if reduction == "mean" else total


def _read_sparse(name: str, logits: Tensor, positives: Tensor) -> tuple[Float[Tensor, "B L"], Int[Tensor, "B P"]]:
    """Logits in the precision that sums need, and what the loss is to know of its labels."""
    if not logits.is_floating_point() or logits.dim() != 2 or not logits.shape[-1]:
        raise ValueError(f"{name}: logits must be floating point of shape (B, L), L > 0; got {logits.dtype} {tuple(logits.shape)}")
    check_positives(name, positives, *logits.shape)
    looked_at = logits.device.type == "cpu" and not torch.compiler.is_compiling()
    if looked_at and bool(logits.detach().sum().isnan()) and bool((broken := logits.isnan()).any()):
        row, label = broken.nonzero()[0].tolist()
        raise NotANumberError(f"{name}: logits hold NaN, first in row {row}, label {label}; what came before the loss broke")
    return logits.to(torch.promote_types(logits.dtype, torch.float32)), positives.long()


def _at(logits: Tensor, positives: Tensor, padding: float) -> Float[Tensor, "B P"]:
    """The logits of the present labels."""
    return logits.gather(1, positives.clamp(min=0)).masked_fill(positives < 0, padding)


def _lower_(entries: Tensor, positives: Tensor, value: float) -> Float[Tensor, "B L"]:
    """Put a value that is not above any entry at the present labels; padding points at label 0 and lowers nothing."""
    values = torch.where(positives < 0, torch.inf, value).to(entries.dtype)
    return entries.scatter_reduce_(1, positives.clamp(min=0), values, "amin")


def _multi_hot(logits: Tensor, positives: Tensor) -> Bool[Tensor, "B L"]:
    """For differentiating the gradient only, where the cost of a dense mask is small beside all that autograd keeps."""
    behind = torch.where(positives < 0, logits.shape[-1], positives)
    return F.pad(torch.zeros_like(logits, dtype=torch.bool), (0, 1)).scatter(1, behind, True)[:, :-1]


def _zlpr_by_formula(logits: Tensor, positives: Tensor) -> Float[Tensor, " B"]:
    absent = logits.masked_fill(_multi_hot(logits, positives), -torch.inf)
    present = -_at(logits, positives, torch.inf)
    return torch.logsumexp(F.pad(absent, (0, 1)), -1) + torch.logsumexp(F.pad(present, (0, 1)), -1)


class _SparseZLPR(torch.autograd.Function):
    """Loss and gradient in one working copy of the logits; for the derivative see ``zlpr_loss``."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, positives: Tensor) -> Float[Tensor, " B"]:
        present, share = _log_one_plus_sum_(-_at(logits, positives, torch.inf))
        absent, gradient = _log_one_plus_sum_(_lower_(logits.clone(), positives, -torch.inf))
        ctx.save_for_backward(logits, positives, gradient.scatter_add_(1, positives.clamp(min=0), -share))
        return present + absent

    @staticmethod
    def backward(ctx: Any, upstream: Float[Tensor, " B"]) -> tuple[Tensor, None]:
        logits, positives, gradient = ctx.saved_tensors
        if not torch.is_grad_enabled():
            return upstream[:, None] * gradient, None
        loss = _zlpr_by_formula(logits, positives)  # somebody differentiates the gradient
        return torch.autograd.grad(loss, logits, upstream, create_graph=True)[0], None


def _log_one_plus_sum_(exponents: Tensor) -> tuple[Float[Tensor, " B"], Float[Tensor, "B E"]]:
    """``log(1 + sum_i e^{x_i})`` and its derivative, which takes the place of the exponents."""
    if not exponents.shape[-1]:
        return exponents.new_zeros(len(exponents)), exponents
    largest = exponents.amax(-1, keepdim=True).clamp_(min=0)
    terms = exponents.sub_(largest).exp_()
    total = terms.sum(-1, keepdim=True).add_((-largest).exp_())
    return largest.add_(total.log())[:, 0], terms.div_(total)


class _SparseBinaryCrossEntropy(torch.autograd.Function):
    """Keeps nothing but the logits: the gradient ``sigmoid(s) - y`` is as quick to compute as to read."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, positives: Tensor) -> Float[Tensor, " B"]:
        ctx.save_for_backward(logits, positives)
        absent = _lower_(F.softplus(logits), positives, 0.0)
        return absent.sum(-1) + F.softplus(-_at(logits, positives, torch.inf)).sum(-1)

    @staticmethod
    def backward(ctx: Any, upstream: Float[Tensor, " B"]) -> tuple[Tensor, None]:
        logits, positives = ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody differentiates the gradient
            return upstream[:, None] * (logits.sigmoid() - _multi_hot(logits, positives).to(logits.dtype)), None
        gradient = _lower_(logits.sigmoid(), positives, 0.0)
        gradient.scatter_add_(1, positives.clamp(min=0), -(-_at(logits, positives, torch.inf)).sigmoid())
        return gradient.mul_(upstream[:, None]), None
