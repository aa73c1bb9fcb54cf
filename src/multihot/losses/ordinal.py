"""Ordinal regression: for every label but the highest, is the instance above it?"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import ConfigurationError, nearest
from ..interfaces import Loss
from ..labels import LabelSpace
from .kernels.targets import check_mass, in_single_precision, read_inputs


def ordinal_loss(
    logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
) -> Float[Tensor, " B"]:
    """Mean binary cross entropy of the questions "above label k?", k from the lowest label to the last but one.

    ``-1/(L-1) sum_k [Y_k log sigmoid(s_k) + (1 - Y_k) log sigmoid(-s_k)]`` with ``Y_k = sum_(j > k) y_j``, the mass above label k: 0 or 1
    where the target is one label. The last logit is not used. Niu et al. 2016, "Ordinal Regression with Multiple Output CNN for Age
    Estimation", with equal weights.

    Where some labels of a row are unknown, the target is conditioned on the known ones, and the questions are those between them.

    Args:
        logits: (B, L), unbounded; columns in ascending order of the labels.
        targets: (B, L) in [0, 1]; one label or a distribution a row. NaN is an unknown entry.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.

    Returns:
        (B,), at least float32; 0 for a row without a question.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.
        DataError: on the CPU, for a row whose targets do not sum to 1.

    >>> ordinal_loss(torch.tensor([[2.0, -1.0, 0.0]]), torch.tensor([[0.0, 1.0, 0.0]]))
    tensor([0.2201])
    """
    logits, targets, known = read_inputs("ordinal_loss", logits, targets, known)
    check_mass("ordinal_loss", "row", targets, known, "ordinal regression needs one label or a distribution that sums to 1 in each row")
    mass = targets.sum(-1, keepdim=True)
    whole = torch.where(mass > 0, mass, 1)
    if known is None:  # the questions are those of all labels but the last
        above = ((mass - targets.cumsum(-1)[:, :-1]) / whole).clamp(0, 1)
        entropies = F.binary_cross_entropy_with_logits(logits[:, :-1], above, reduction="none").sum(-1)
        return (entropies / max(above.shape[-1], 1)).masked_fill(mass.squeeze(-1) <= 0, 0.0)
    above = ((targets.flip(-1).cumsum(-1).flip(-1) - targets) / whole).clamp(0, 1)
    questions = known & (known.flip(-1).cumsum(-1).flip(-1) > 1) & (mass > 0)  # some known label lies above
    entropies = F.binary_cross_entropy_with_logits(logits, above, reduction="none").masked_fill(~questions, 0.0)
    return entropies.sum(-1) / questions.sum(-1).clamp(min=1)


class OrdinalLoss(Loss):
    """Ordinal regression: one binary question a label, "is the instance above it?"; their answers make a distribution. Niu et al. 2016

    Args:
        label_space: the labels; where their names are numbers, these are their order.
        order: the label names from the lowest to the highest, where they are no numbers. None without ``label_space``: the columns' order.

    Raises:
        ConfigurationError: if the names are no numbers and no order is given, or the order does not name each label once.

    >>> loss = OrdinalLoss(LabelSpace(["1", "2", "3"]))
    >>> loss(torch.tensor([[2.0, -1.0, 0.0]]), torch.tensor([[0.0, 1.0, 0.0]]))
    tensor([0.2201])
    >>> loss.degrees(torch.tensor([[2.0, -1.0, 0.0]]))
    tensor([[0.1192, 0.6119, 0.2689]])
    """

    decision_rule = "top_k"
    most = 1
    columns: Tensor | None  # lowest label first; None: as they are
    places: Tensor | None  # of the columns in that order

    def __init__(self, label_space: LabelSpace | None = None, order: Sequence[str] | None = None):
        super().__init__()
        columns = None if label_space is None else torch.tensor(_ascending(label_space, order))
        ascending = None if columns is None or bool((columns.diff() == 1).all()) else columns
        self.register_buffer("columns", ascending, persistent=False)
        self.register_buffer("places", None if ascending is None else ascending.argsort(), persistent=False)

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """Logits and targets (B, L) -> one loss an instance (B,); see ``ordinal_loss``."""
        if self.columns is None or logits.shape != targets.shape:
            return ordinal_loss(logits, targets, known)
        ordered = None if known is None else known[:, self.columns]
        return ordinal_loss(logits[:, self.columns], targets[:, self.columns], ordered)

    def degrees(self, logits: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
        """Logits as a distribution over the labels.

        ``d_k = P_(k-1) - P_k`` with ``P_k = min_(j <= k) sigmoid(s_j)``, ``P_(-1) = 1`` and ``P_(L-1) = 0``: the answers are made to fall
        along the labels, so that no degree is below 0.

        Args:
            logits: (B, L).

        Returns:
            (B, L), rows sum to 1; an entry of 0 is the smallest number above it, so that it has a logarithm.
        """
        ordered = logits if self.columns is None else logits[:, self.columns]
        answers = ordered[:, :-1].sigmoid().cummin(-1).values
        ends = ordered.new_ones(len(ordered), 1)
        degrees = -torch.cat([ends, answers, 0 * ends], dim=-1).diff(dim=-1)
        degrees = degrees.clamp(min=torch.finfo(degrees.dtype).tiny)
        return degrees if self.places is None else degrees[:, self.places]

    def scores(self, logits: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
        """The logarithm of each label's degree."""
        return self.degrees(in_single_precision(logits)).log()


def _ascending(label_space: LabelSpace, order: Sequence[str] | None) -> list[int]:
    """Columns from the lowest label to the highest."""
    if order is not None:
        for name in order:
            if name not in label_space.index:
                raise ConfigurationError(f"order: there is no label '{name}'; {nearest(str(name), label_space.names[:50])}")
        if len(order) != len(label_space) or len(set(order)) != len(order):
            raise ConfigurationError(f"order: it must name each of the {len(label_space)} labels once, got {len(order)} names")
        return [label_space.index[name] for name in order]
    positions = label_space.positions
    if positions is None or positions.shape[1] != 1:
        some = ", ".join(repr(name) for name in label_space.names[:3])
        raise ConfigurationError(f"the labels ({some}, ...) are no numbers, so which is higher is not known; give `order`, lowest first")
    return positions[:, 0].argsort().tolist()
