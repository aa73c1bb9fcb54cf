"""Subset softmax: a softmax over whole label sets."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import ConfigurationError, DataError
from ..interfaces import Loss
from .kernels.elementary_symmetric import log_elementary_symmetric
from .kernels.settings import check_count
from .kernels.targets import in_single_precision, read_label_sets


def subset_softmax_loss(
    logits: Float[Tensor, "B E"],
    targets: Float[Tensor, "B L"],
    known: Bool[Tensor, "B L"] | None = None,
    k: int | None = None,
    max_labels: int | None = None,
) -> Float[Tensor, " B"]:
    """Cross entropy of a softmax whose classes are label sets: those of exactly k labels, or those of up to K (Su 2020, sections 2.1, 2.2).

    ``-sum_{t in y} s_t + log e_k(e^s)`` for fixed k, with ``e_k`` the sum over all sets of k labels of the product of their
    ``e^{s_i}``; k = 1 is softmax cross entropy. Up to K = ``max_labels``, sets are filled up with a zero class that may repeat:
    ``-sum_{t in y} s_t - (K - |y|) s_0 + log sum_{j=0..K} e^{(K - j) s_0} e_j(e^s)``.

    Where labels are unknown, what is left is the likelihood of the known ones: a set of that many labels among them.

    Args:
        logits: (B, L), or (B, L + 1) with ``max_labels``, the last column being ``s_0``; unbounded.
        targets: (B, L), 0 or 1; NaN is an unknown entry.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.
        k: how many labels every instance carries, at most L.
        max_labels: how many labels an instance carries at most.

    Returns:
        (B,), at least float32; 0 for an instance without a known label.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.
        ConfigurationError: unless exactly one of k and max_labels is given; for a k above L.
        DataError: on the CPU, for a soft target or a row with more or fewer labels; elsewhere the loss of that row is NaN.

    >>> import torch
    >>> subset_softmax_loss(torch.zeros(1, 4), torch.tensor([[1.0, 1.0, 0.0, 0.0]]), k=2)  # one of 6 pairs
    tensor([1.7918])
    """
    name, size, extra = "subset_softmax_loss", check_sizes(k, max_labels), int(k is None)
    logits, present, absent = read_label_sets(name, logits, targets, known, extra)
    labels = present.shape[-1]
    if k is not None and k > labels:
        raise ConfigurationError(f"{name}: k is {k}, but there are {labels} labels; choose a k of at most {labels}")
    sizes, all_known = present.sum(-1), (present | absent).all(-1)
    fits = sizes <= size if extra else torch.where(all_known, sizes == size, sizes <= size)
    _check_rows(name, sizes, fits, k, max_labels)
    zero = logits[:, -1:] if extra else _middle(logits, present)  # a shift that both terms share, against cancellation
    scores = logits[:, :labels] - zero
    most = min(size, labels)
    of_each_size = log_elementary_symmetric(scores.masked_fill(~(present | absent), -1e30), most)
    weight = of_each_size.logsumexp(-1) if extra else of_each_size.gather(1, sizes.clamp(max=most)[:, None])[:, 0]
    loss = weight - scores.masked_fill(~present, 0.0).sum(-1)
    return torch.where(fits, loss, torch.nan)


def _middle(logits: Float[Tensor, "B L"], present: Bool[Tensor, "B L"]) -> Float[Tensor, "B 1"]:
    at_rest = logits.detach().masked_fill(~present, 0.0)
    return at_rest.sum(-1, keepdim=True) / present.sum(-1, keepdim=True).clamp(min=1)


def check_sizes(k: int | None, max_labels: int | None) -> int:
    """The one of k and max_labels that is given; anything but one whole number is refused."""
    if (k is None) == (max_labels is None):
        raise ConfigurationError(
            f"subset softmax needs either `k` or `max_labels`, got k={k!r} and max_labels={max_labels!r}; give k where every instance "
            "carries as many labels, max_labels where their number differs"
        )
    return check_count("k", k) if k is not None else check_count("max_labels", max_labels or 0)


def _check_rows(name: str, sizes: Tensor, fits: Tensor, k: int | None, max_labels: int | None) -> None:
    if sizes.device.type != "cpu" or torch.compiler.is_compiling() or bool(fits.all()):
        return
    row = int((~fits).nonzero()[0])
    allowed = f"k is {k}; give max_labels instead" if k is not None else f"max_labels is {max_labels}; raise it"
    raise DataError(f"{name}: targets: row {row} carries {int(sizes[row])} labels, but {allowed}, or leave such rows out")


def log_shares(logits: Float[Tensor, "B L"], k: int) -> Float[Tensor, "B L"]:
    """``log P(label in set)`` under a softmax over the sets of k labels; no gradient passes through it.

    ``P(i in S) = e^{s_i} e_{k-1}(e^{s without i}) / e_k(e^s)`` is the derivative of ``log e_k`` in ``s_i`` (Su 2020, section 2.1).

    Args:
        logits: (B, L), unbounded.
        k: size of the sets, at least 1.

    Returns:
        (B, L), at most 0; shares below the smallest normal number count as that.

    >>> import torch
    >>> log_shares(torch.zeros(1, 4), 2).exp()
    tensor([[0.5000, 0.5000, 0.5000, 0.5000]])
    """
    with torch.inference_mode(False), torch.enable_grad():
        leaf = in_single_precision(logits.detach()).clone().requires_grad_()
        k = min(k, leaf.shape[-1])
        (shares,) = torch.autograd.grad(log_elementary_symmetric(leaf, k)[:, k].sum(), leaf)
    return shares.clamp(torch.finfo(shares.dtype).tiny, 1).log()


class SubsetSoftmaxLoss(Loss):
    """Softmax over whole label sets: the k best labels are chosen, or those above the zero class, at most ``max_labels``.

    Source: Su 2020, sections 2.1, 2.2.

    With k, a label's score is the logarithm of the probability that the set holds it, which for k = 1 is ``log softmax(s)``; with
    ``max_labels`` it is ``s_i - s_0``.

    Args:
        k: how many labels every instance carries.
        max_labels: how many labels an instance carries at most; the scorer then has one logit more, the zero class.

    Raises:
        ConfigurationError: unless exactly one of them is given, a whole number of at least 1.

    >>> import torch
    >>> SubsetSoftmaxLoss(k=2)(torch.zeros(1, 4), torch.tensor([[1.0, 1.0, 0.0, 0.0]]))
    tensor([1.7918])
    >>> SubsetSoftmaxLoss(max_labels=1).scores(torch.tensor([[3.0, 2.0, 0.0, 1.0]]))
    tensor([[ 2.,  1., -1.]])
    """

    def __init__(self, k: int | None = None, max_labels: int | None = None):
        super().__init__()
        self.size = check_sizes(k, max_labels)
        self.k = k
        self.max_labels = max_labels
        self.decision_rule = "threshold_label" if k is None else "top_k"
        self.most = self.size
        self.extra_logits = int(k is None)

    @classmethod
    def scores_are(cls, **arguments: Any) -> str:
        return "order" if arguments.get("max_labels") is None else "zero"

    def forward(
        self, logits: Float[Tensor, "B E"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L + extra_logits) logits and (B, L) targets -> one loss an instance (B,); see ``subset_softmax_loss``."""
        return subset_softmax_loss(logits, targets, known, self.k, self.max_labels)

    def scores(self, logits: Float[Tensor, "B E"]) -> Float[Tensor, "B L"]:
        """With k, ``log P(label in set)``; with ``max_labels``, how far each label lies above the zero class."""
        return logits[..., :-1] - logits[..., -1:] if self.k is None else log_shares(logits, self.k)
