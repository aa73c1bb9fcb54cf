"""Losses over so many labels that not even their logits may be dense: present labels and a sample of the absent ones are touched."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ...errors import NotANumberError
from ...labels import LabelStatistics
from .sparse_targets import check_positives


def sampled_zlpr_loss(
    positive_logits: Float[Tensor, "B P"],
    negative_logits: Float[Tensor, "B S"],
    positives: Int[Tensor, "B P"],
    negatives: Int[Tensor, " S"],
    log_expected: Float[Tensor, " S"],
) -> Float[Tensor, " B"]:
    """ZLPR whose sum over absent labels is estimated from a sample.

    ``log(1 + sum_{j sampled, absent} e^{s_j} / m_j) + log(1 + sum_{i present} e^{-s_i})``, ``m_j`` being how often label j is expected
    in a sample. The first sum is right in expectation (importance sampling); its logarithm is too low on average, the less so the
    larger the sample. With every label sampled once it is ``zlpr_loss`` (Su 2020, eq. 11); the correction is that of sampled softmax (Jean
    et al. 2015, "On Using Very Large Target Vocabulary for Neural Machine Translation").

    Args:
        positive_logits: (B, P), of the present labels; what stands at padding is not read.
        negative_logits: (B, S), of the sampled labels.
        positives: (B, P) label indices; -1 is padding.
        negatives: (S,) label indices, the same for all instances; one that an instance carries does not count there.
        log_expected: (S,), ``log m_j``; see ``NegativeSampler``.

    Returns:
        (B,), at least float32.

    Raises:
        ValueError: if shapes do not belong together.

    >>> logits = torch.tensor([[2.0, -1.0]])
    >>> sampled_zlpr_loss(logits[:, :1], logits, torch.tensor([[0]]), torch.tensor([0, 1]), torch.zeros(2))
    tensor([0.4402])
    """
    present, absent = _read_sampled("sampled_zlpr_loss", positive_logits, negative_logits, positives, negatives, log_expected)
    exponents = (absent - log_expected).masked_fill(_hits(positives, negatives), -torch.inf)
    return _log_one_plus_sum(exponents) + _log_one_plus_sum((-present).masked_fill(positives < 0, -torch.inf))


def sampled_binary_cross_entropy_loss(
    positive_logits: Float[Tensor, "B P"],
    negative_logits: Float[Tensor, "B S"],
    positives: Int[Tensor, "B P"],
    negatives: Int[Tensor, " S"],
    log_expected: Float[Tensor, " S"],
) -> Float[Tensor, " B"]:
    """Binary cross entropy whose sum over absent labels is estimated from a sample; loss and gradient are right in expectation.

    ``sum_{j sampled, absent} log(1 + e^{s_j}) / m_j + sum_{i present} log(1 + e^{-s_i})``: a sum over labels, because a mean over a
    million of them would leave every gradient near zero. With every label sampled once it is ``binary_cross_entropy_loss`` with the
    reduction ``"sum"`` (Tsai 2019, eq. 2.10).

    Args:
        positive_logits: (B, P), of the present labels; what stands at padding is not read.
        negative_logits: (B, S), of the sampled labels.
        positives: (B, P) label indices; -1 is padding.
        negatives: (S,) label indices, the same for all instances; one that an instance carries does not count there.
        log_expected: (S,), the logarithm of how often each is expected in a sample; see ``NegativeSampler``.

    Returns:
        (B,), at least float32.

    Raises:
        ValueError: if shapes do not belong together.

    >>> logits = torch.tensor([[0.0, 2.0]])
    >>> sampled_binary_cross_entropy_loss(logits, logits, torch.tensor([[0, 1]]), torch.tensor([0, 1]), torch.zeros(2))
    tensor([0.8201])
    """
    name = "sampled_binary_cross_entropy_loss"
    present, absent = _read_sampled(name, positive_logits, negative_logits, positives, negatives, log_expected)
    weights = (-log_expected).exp().masked_fill(_hits(positives, negatives), 0)
    return (weights * F.softplus(absent)).sum(-1) + F.softplus(-present).masked_fill(positives < 0, 0).sum(-1)


def _read_sampled(
    name: str, positive_logits: Tensor, negative_logits: Tensor, positives: Tensor, negatives: Tensor, log_expected: Tensor
) -> tuple[Float[Tensor, "B P"], Float[Tensor, "B S"]]:
    """Both kinds of logits in the precision that sums need."""
    if positive_logits.shape != positives.shape:
        raise ValueError(f"{name}: positive_logits have shape {tuple(positive_logits.shape)}, positives {tuple(positives.shape)}")
    wanted = (len(positives), *negatives.shape)
    if tuple(negative_logits.shape) != wanted or log_expected.shape != negatives.shape:
        raise ValueError(
            f"{name}: negatives {tuple(negatives.shape)} ask for negative_logits {wanted} and log_expected {tuple(negatives.shape)}, "
            f"got {tuple(negative_logits.shape)} and {tuple(log_expected.shape)}"
        )
    precision = torch.promote_types(negative_logits.dtype, torch.float32)
    return positive_logits.to(precision), negative_logits.to(precision)


def _hits(positives: Tensor, negatives: Tensor) -> Bool[Tensor, "B S"]:
    """Where a sampled label is one that the instance carries; column by column, so that no (B, P, S) arises."""
    hits = positives.new_zeros(len(positives), len(negatives), dtype=torch.bool)
    for column in positives.T:
        hits |= column[:, None] == negatives
    return hits


def _log_one_plus_sum(exponents: Float[Tensor, "B E"]) -> Float[Tensor, " B"]:
    return torch.logsumexp(F.pad(exponents, (0, 1)), dim=-1)


class NegativeSampler(nn.Module):
    """Draws labels with a probability of ``n_i^power``, and says how often each is expected.

    [0, 1) is cut into as many intervals as labels are wanted, and one point is drawn in each (stratified sampling): cheaper than
    drawing without replacement, less noise than drawing independently, and with equal probabilities as many draws as there are
    labels are all labels.

    Args:
        num_labels: L.
        counts: (L,), training instances with each label, a label without any counting as one; None: all labels alike.
        power: 0 draws all labels alike, 1 by frequency; 0.75 is that of Mikolov et al. 2013, "Distributed Representations of Words and
            Phrases and their Compositionality".

    Raises:
        ValueError: if there are not num_labels counts.

    >>> labels, log_expected = NegativeSampler(num_labels=4)(4)
    >>> labels.tolist(), log_expected.tolist()
    ([0, 1, 2, 3], [0.0, 0.0, 0.0, 0.0])
    """

    cumulative: Tensor

    def __init__(self, num_labels: int, counts: Int[Tensor, " L"] | None = None, power: float = 0.75):
        super().__init__()
        weights = torch.ones(num_labels, dtype=torch.float64)
        if counts is not None:
            weights = torch.as_tensor(counts, dtype=torch.float64).clamp(min=1).pow(power)
        if weights.shape != (num_labels,):
            raise ValueError(f"counts must have shape ({num_labels},), got {tuple(weights.shape)}")
        edges = F.pad(weights.cumsum(0), (1, 0))
        self.register_buffer("cumulative", edges / edges[-1], persistent=False)

    def forward(self, num_negatives: int, generator: torch.Generator | None = None) -> tuple[Int[Tensor, " S"], Float[Tensor, " S"]]:
        """``num_negatives`` labels, some perhaps repeatedly, in ascending order, and ``log(S q_j)`` of each, float32."""
        edges = self.cumulative
        within = torch.rand(num_negatives, generator=generator, dtype=torch.float64, device=edges.device)
        points = (torch.arange(num_negatives, device=edges.device) + within) / num_negatives
        labels = (torch.searchsorted(edges, points, right=True) - 1).clamp(0, len(edges) - 2)
        return labels, (num_negatives * (edges[labels + 1] - edges[labels])).log().float()


class SampledOutputLayer(nn.Module):
    """One logit a label, ``s_i = w_i h + b_i``, trained by touching only present labels and a sample of the absent ones.

    A step costs time and memory in proportion to ``B (P + S) D``, whatever L is: gradients of the L rows are sparse tensors, so give its
    parameters to an optimiser that takes them, such as ``torch.optim.SparseAdam``.

    Args:
        num_labels: L.
        width: D, of the hidden vectors.
        num_negatives: S, labels sampled a step, shared by all instances of a batch.
        loss: ``"zlpr"`` (choose a label where its logit exceeds zero) or ``"binary_cross_entropy"`` (the same, summed over labels).
        statistics: label counts of the training split, for sampling by frequency; None: all labels alike.
        power: see ``NegativeSampler``.

    Raises:
        ValueError: for another loss, fewer than one negative, or statistics of another number of labels.

    >>> layer = SampledOutputLayer(num_labels=1000, width=8, num_negatives=50)
    >>> layer(torch.randn(2, 8), torch.tensor([[3, 999], [7, -1]])).shape
    torch.Size([2])
    >>> layer.top_k(torch.randn(2, 8), k=5)[1].shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        num_labels: int,
        width: int,
        num_negatives: int,
        loss: str = "zlpr",
        statistics: LabelStatistics | None = None,
        power: float = 0.75,
    ):
        super().__init__()
        if loss not in LOSSES:
            raise ValueError(f"the 'loss' parameter must be one of {', '.join(LOSSES)}, got {loss!r}")
        if num_negatives < 1:
            raise ValueError(f"the 'num_negatives' parameter must be at least 1, got {num_negatives}")
        self.loss = loss
        self.num_negatives = num_negatives
        counts = None if statistics is None else torch.as_tensor(statistics.counts)
        self.sampler = NegativeSampler(num_labels, counts, power)
        self.weight = nn.Parameter(torch.empty(num_labels, width).normal_(std=width**-0.5))
        self.bias = nn.Parameter(torch.zeros(num_labels, 1))  # a column, because sparse gradients are those of rows

    def forward(
        self, hidden: Float[Tensor, "B D"], positives: Int[Tensor, "B P"], generator: torch.Generator | None = None
    ) -> Float[Tensor, " B"]:
        """Hidden vectors (B, D) and present labels (B, P), padded with -1 -> one estimated loss an instance (B,)."""
        check_positives("SampledOutputLayer", positives, len(hidden), len(self.weight))
        if hidden.device.type == "cpu" and bool(hidden.isnan().any()):
            raise NotANumberError("SampledOutputLayer: hidden vectors hold NaN; what came before the loss broke")
        negatives, log_expected = self.sampler(self.num_negatives, generator)
        positives = positives.long()
        labels = torch.cat([torch.where(positives < 0, negatives[0], positives).flatten(), negatives])  # padding touches no further row
        weight = F.embedding(labels, self.weight, sparse=True)
        bias = F.embedding(labels, self.bias, sparse=True)[:, 0]
        cut = positives.numel()
        present = torch.einsum("bpd,bd->bp", weight[:cut].view(*positives.shape, -1), hidden) + bias[:cut].view(positives.shape)
        absent = F.linear(hidden, weight[cut:], bias[cut:])
        return LOSSES[self.loss](present, absent, positives, negatives, log_expected)

    @torch.no_grad()
    def top_k(self, hidden: Float[Tensor, "B D"], k: int, block: int = 65536) -> tuple[Float[Tensor, "B k"], Int[Tensor, "B k"]]:
        """The k largest logits and their labels, both (B, k); exact, looking at ``block`` labels at a time."""
        best, labels = hidden.new_empty(len(hidden), 0), torch.empty(len(hidden), 0, dtype=torch.long, device=hidden.device)
        for start in range(0, len(self.weight), block):
            logits = F.linear(hidden, self.weight[start : start + block], self.bias[start : start + block, 0])
            columns = torch.arange(start, start + logits.shape[1], device=hidden.device).expand(len(hidden), -1)
            candidates = torch.cat([best, logits], 1)
            best, chosen = candidates.topk(min(k, candidates.shape[1]), dim=1)
            labels = torch.cat([labels, columns], 1).gather(1, chosen)
        return best, labels


LOSSES = {"zlpr": sampled_zlpr_loss, "binary_cross_entropy": sampled_binary_cross_entropy_loss}
