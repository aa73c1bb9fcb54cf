"""The unified pair loss with scale and margin, and Circle Loss, which paces every label by how far it has to go."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss
from .kernels.closed_form import by_closed_form
from .kernels.settings import check_above, check_at_least
from .kernels.targets import check_hard, read_inputs
from .pairwise_log_sum_exp import log_one_plus_pairs, pairs_and_gradient, pairs_by_formula


def circle_loss(
    logits: Float[Tensor, "B L"],
    targets: Float[Tensor, "B L"],
    known: Bool[Tensor, "B L"] | None = None,
    scale: float = 1.0,
    margin: float = 0.0,
    self_paced: bool = False,
) -> Float[Tensor, " B"]:
    """Every present label shall lie a margin above every absent one.

    ``log(1 + sum_{i,j} (1 - y_i) y_j e^{scale (s_i - s_j + margin)})``, the unified loss (Su 2020, eq. 9; Sun et al. 2020, eq. 1).

    With ``self_paced`` it is Circle Loss (4), for cosine similarities: ``log(1 + sum_{i absent} e^{scale a_i (s_i - margin)}
    sum_{j present} e^{-scale a_j (s_j - 1 + margin)})`` with the paces ``a_i = max(s_i + margin, 0)`` and
    ``a_j = max(1 + margin - s_j, 0)``, through which no gradient flows.

    Args:
        logits: (B, L), unbounded; cosine similarities in [-1, 1] with ``self_paced``.
        targets: (B, L) in [0, 1], soft only without ``self_paced``; NaN is an unknown entry.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.
        scale: above 0; 1 with margin 0 is ``pairwise_log_sum_exp_loss``. Circle Loss uses 32 to 256 for cosine similarities.
        margin: at least 0; Circle Loss uses 0.25 to 0.4.
        self_paced: whether every label has a pace of its own.

    Returns:
        (B,), at least float32; 0 for an instance without a pair.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.

    >>> import torch
    >>> circle_loss(torch.tensor([[0.9, 0.1]]), torch.tensor([[1.0, 0.0]]), scale=2.0, margin=0.25)
    tensor([0.2873])
    """
    inputs = read_inputs("circle_loss", logits, targets, known)
    if not self_paced:
        return log_one_plus_pairs(inputs, scale=scale, offset=scale * margin)
    check_hard("circle_loss with self_paced", inputs[1])
    return by_closed_form(inputs, _paced_and_gradient, _paced_by_formula, scale, margin)


def _paces_and_goals(logits: Tensor, targets: Tensor, margin: float) -> tuple[Tensor, Tensor]:
    """``max(1 + margin - s_j, 0)`` and ``1 - margin`` where a label is present, ``max(s_i + margin, 0)`` and ``margin`` where absent."""
    paces = torch.addcmul(logits, logits, targets, value=-2).add_(targets).add_(margin).clamp_(min=0)
    return paces, (targets * (1 - 2 * margin)).add_(margin)


def _paced_by_formula(logits: Tensor, targets: Tensor, known: Tensor | None, scale: float, margin: float) -> Float[Tensor, " B"]:
    paces, goals = _paces_and_goals(logits.detach(), targets, margin)
    return pairs_by_formula(scale * paces * (logits - goals), targets, known)


def _paced_and_gradient(
    logits: Tensor, targets: Tensor, known: Tensor | None, scale: float, margin: float
) -> tuple[Float[Tensor, " B"], Float[Tensor, "B L"]]:
    paces, goals = _paces_and_goals(logits, targets, margin)
    losses, gradient = pairs_and_gradient(torch.sub(logits, goals, out=goals).mul_(paces), targets, known, scale=scale)
    return losses, gradient.mul_(paces)


class CircleLoss(Loss):
    """The unified pair loss with scale and margin, or Circle Loss itself; its threshold must be tuned.

    Source: Su 2020, eq. 9; Sun et al. 2020, eqs. 1, 4.

    Args:
        scale: above 0.
        margin: at least 0.
        self_paced: whether every label has a pace of its own, for logits that are cosine similarities.

    Raises:
        ValueError: for a value outside its range.

    >>> import torch
    >>> CircleLoss(scale=2.0, margin=0.25)(torch.tensor([[0.9, 0.1]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.2873])
    """

    decision_rule = "tuned"

    def __init__(self, scale: float = 1.0, margin: float = 0.0, self_paced: bool = False):
        super().__init__()
        self.scale = check_above("scale", scale, 0)
        self.margin = check_at_least("margin", margin, 0)
        self.self_paced = self_paced

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L) logits and targets -> one loss an instance (B,); see ``circle_loss``."""
        return circle_loss(logits, targets, known, self.scale, self.margin, self.self_paced)
