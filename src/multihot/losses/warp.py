"""WARP: a pairwise hinge that weighs a true label by how many labels rank above it."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss
from .kernels.hinges import hinge_over_pairs
from .kernels.settings import check_at_least, check_count
from .kernels.targets import read_label_sets


def warp_loss(
    logits: Float[Tensor, "B L"],
    targets: Float[Tensor, "B L"],
    known: Bool[Tensor, "B L"] | None = None,
    margin: float = 1.0,
    max_sampled: int = 100,
    exact: bool = False,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " B"]:
    """Weighted approximate-rank pairwise loss: ``mean_{j present} Phi(r_j) max(0, margin - s_j + s_i)``, ``Phi(r) = sum_{q<=r} 1/q``.

    For every present label j, absent labels are drawn until one violates j's margin: label i. After t draws, of N absent labels, the rank
    is estimated as ``r_j = floor(N / t)``; without a violator among ``max_sampled`` draws the label costs nothing (Weston et al. 2011,
    "WSABIE"; Gong et al. 2014, the baseline in Tsai 2019 and Tsai and Lee 2019). With ``exact`` all violators are counted, ``r_j`` is their
    number and the hinge their mean, which is what drawing approximates, without its noise. The authors sum over the present labels; here it
    is their mean.

    Args:
        logits: (B, L), unbounded; adding a number to a row changes nothing.
        targets: (B, L), 0 or 1; NaN is an unknown entry.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.
        margin: at least 0.
        max_sampled: at least 1, most draws for a label.
        exact: count the violators instead of drawing one.
        generator: source of the drawing; None is PyTorch's global one.

    Returns:
        (B,), at least float32; 0 for an instance without a pair.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.
        DataError: on the CPU, for a soft target.

    >>> import torch
    >>> warp_loss(torch.tensor([[0.5, 0.0, 0.5]]), torch.tensor([[1.0, 0.0, 0.0]]), exact=True)
    tensor([1.1250])
    """
    logits, present, absent = read_label_sets("warp_loss", logits, targets, known)
    sizes = present.sum(-1).clamp(min=1)
    if exact:
        return hinge_over_pairs(logits, present, absent, margin, lambda violators: _weight(violators) / violators.clamp(min=1)) / sizes
    return _sampled(logits, present, absent, margin, max_sampled, generator) / sizes


def _sampled(
    logits: Tensor, present: Tensor, absent: Tensor, margin: float, max_sampled: int, generator: torch.Generator | None
) -> Float[Tensor, " B"]:
    labels = logits.flatten()
    with torch.no_grad():
        places, candidates = (kind.flatten().nonzero()[:, 0] for kind in (present, absent))  # row after row
        if not len(places) or not len(candidates):
            return logits.sum(-1) * 0
        rows = places.div(logits.shape[-1], rounding_mode="floor")
        sizes = absent.sum(-1)
        starts, sizes = (sizes.cumsum(0) - sizes)[rows, None], sizes[rows, None]
        shares = torch.rand(len(places), max_sampled, generator=generator, device=logits.device)
        draws = (shares * sizes).long().minimum(sizes - 1).add_(starts).clamp_(min=0, max=len(candidates) - 1)
        drawn = candidates.take(draws)  # of another row where nothing is absent: there the rank is 0, and so is the weight
        violates = labels.take(drawn) > labels[places, None] - margin
        first = violates.to(torch.uint8).argmax(-1, keepdim=True)
        rank = sizes // (first + 1)
        weights = (_weight(rank.to(logits.dtype)) * violates.any(-1, keepdim=True))[:, 0]
        violators = drawn.gather(1, first)[:, 0]
    hinges = margin - labels.index_select(0, places) + labels.index_select(0, violators)
    return logits.new_zeros(len(logits)).index_add(0, rows, weights * hinges)


def _weight(rank: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """``sum_{q<=r} 1/q``, which is ``digamma(r + 1)`` and Euler's constant."""
    return torch.digamma(rank + 1) - torch.digamma(torch.ones_like(rank))


class WARPLoss(Loss):
    """Weighted approximate-rank pairwise loss (WSABIE); its threshold must be tuned.

    Args:
        margin: at least 0.
        max_sampled: at least 1, most draws for a present label, from PyTorch's global generator.
        exact: count the violators instead of drawing one.

    Raises:
        ValueError: for a value outside its range.

    >>> import torch
    >>> WARPLoss(exact=True)(torch.tensor([[0.5, 0.0, 0.5]]), torch.tensor([[1.0, 0.0, 0.0]]))
    tensor([1.1250])
    """

    decision_rule = "tuned"

    def __init__(self, margin: float = 1.0, max_sampled: int = 100, exact: bool = False):
        super().__init__()
        self.margin = check_at_least("margin", margin, 0)
        self.max_sampled = check_count("max_sampled", max_sampled)
        self.exact = exact

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L) logits and targets -> one loss an instance (B,); see ``warp_loss``."""
        return warp_loss(logits, targets, known, self.margin, self.max_sampled, self.exact)
