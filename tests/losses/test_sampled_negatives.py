"""Sampled negatives: nothing is lost when every label is drawn, the estimates are right on average, and only what is drawn is touched."""

import numpy as np
import pytest
import torch

from multihot.errors import DataError, NotANumberError
from multihot.labels import LabelStatistics
from multihot.losses.many_labels import (
    NegativeSampler,
    SampledOutputLayer,
    sampled_binary_cross_entropy_loss,
    sampled_zlpr_loss,
    sparse_binary_cross_entropy_loss,
    sparse_zlpr_loss,
)

POSITIVES = torch.tensor([[0, 7, -1], [-1, -1, -1], [3, 4, 5], [29, -1, -1]])
FULL = {"zlpr": sparse_zlpr_loss, "binary_cross_entropy": lambda s, y: sparse_binary_cross_entropy_loss(s, y, reduction="sum")}
each_loss = pytest.mark.parametrize("loss", FULL)
COUNTS = torch.arange(30).flip(0) ** 2  # the last label never occurs


def layer_of(loss: str, num_negatives: int, statistics: LabelStatistics | None = None) -> tuple[SampledOutputLayer, torch.Tensor]:
    torch.manual_seed(0)
    layer = SampledOutputLayer(30, 4, num_negatives, loss, statistics).double()
    torch.nn.init.normal_(layer.bias)
    return layer, torch.randn(4, 4, dtype=torch.float64, requires_grad=True)


def dense_logits(layer: SampledOutputLayer, hidden: torch.Tensor) -> torch.Tensor:
    return hidden @ layer.weight.T + layer.bias[:, 0]


@each_loss
def test_every_label_drawn_once_gives_loss_and_gradients_of_the_dense_form(loss) -> None:
    layer, hidden = layer_of(loss, num_negatives=30)
    value, expected = layer(hidden, POSITIVES), FULL[loss](dense_logits(layer, hidden), POSITIVES)
    torch.testing.assert_close(value, expected)
    parameters = (hidden, layer.weight, layer.bias)
    sampled = torch.autograd.grad(value.sum(), parameters)
    for gradient, exact in zip(sampled, torch.autograd.grad(expected.sum(), parameters), strict=True):
        torch.testing.assert_close(gradient.to_dense() if gradient.is_sparse else gradient, exact)


@pytest.mark.parametrize("counts", [None, COUNTS], ids=["uniform", "by frequency"])
@pytest.mark.parametrize("num_negatives", [1, 5, 11])
def test_the_partition_sum_is_right_on_average(counts, num_negatives) -> None:
    sampler = NegativeSampler(30, counts)
    logits, present = torch.randn(30, dtype=torch.float64, generator=torch.Generator().manual_seed(1)), [2, 17]
    exact = float(logits.exp().sum() - logits[present].exp().sum())
    generator = torch.Generator().manual_seed(2)
    nothing = torch.tensor([present]), torch.full((1, 2), torch.inf, dtype=torch.float64)
    sums = []
    for _ in range(2000):
        negatives, log_expected = sampler(num_negatives, generator)
        loss = sampled_zlpr_loss(nothing[1], logits[None, negatives], nothing[0], negatives, log_expected)
        sums.append(float(loss.exp() - 1))  # nothing is present with a logit of infinity, so the loss is log(1 + sum)
    error = np.std(sums) / np.sqrt(len(sums))
    assert abs(np.mean(sums) - exact) < 4 * error


@pytest.mark.parametrize("counts", [None, COUNTS], ids=["uniform", "by frequency"])
def test_labels_come_as_often_as_is_said(counts) -> None:
    sampler = NegativeSampler(30, counts)
    weights = torch.ones(30).double() if counts is None else counts.double().clamp(min=1) ** 0.75
    shares = weights / weights.sum()
    labels, log_expected = sampler(200_000, torch.Generator().manual_seed(3))
    torch.testing.assert_close(log_expected.double(), (200_000 * shares[labels]).log(), rtol=1e-5, atol=1e-5)
    drawn = labels.bincount(minlength=30)
    assert (drawn - 200_000 * shares).abs().max() <= 2  # stratified: a label's draws miss its share by its two edges only


def gap_to_the_full_loss(loss: str, num_negatives: int, draws: int = 800) -> tuple[float, float]:
    """By how much the sampled loss misses the full one on average, and the standard error of that."""
    layer, hidden = layer_of(loss, num_negatives)
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        sampled = torch.stack([layer(hidden, POSITIVES, generator).mean() for _ in range(draws)])
        gaps = sampled - FULL[loss](dense_logits(layer, hidden), POSITIVES).mean()
    return float(gaps.mean()), float(gaps.std() / draws**0.5)


@pytest.mark.parametrize("num_negatives", [3, 15])
def test_sampled_binary_cross_entropy_is_right_on_average(num_negatives) -> None:
    gap, error = gap_to_the_full_loss("binary_cross_entropy", num_negatives)
    assert abs(gap) < 4 * error


def test_sampled_zlpr_is_low_by_less_the_more_are_drawn() -> None:
    few, many = (gap_to_the_full_loss("zlpr", num_negatives)[0] for num_negatives in (3, 15))
    assert few < many < 0


@each_loss
def test_only_what_is_drawn_or_present_is_touched(loss) -> None:
    layer = SampledOutputLayer(100_000, 8, num_negatives=20, loss=loss)
    before = layer.weight.detach().clone()
    optimiser = torch.optim.SparseAdam(layer.parameters(), lr=0.1)
    layer(torch.randn(4, 8), POSITIVES).sum().backward()
    for parameter in (layer.weight, layer.bias):
        assert parameter.grad.is_sparse
        assert parameter.grad._nnz() == POSITIVES.numel() + 20
    optimiser.step()
    changed = (layer.weight.detach() != before).any(1)
    assert changed[[0, 3, 4, 5, 7, 29]].all()
    assert changed.sum() <= 6 + 20


def test_training_finds_the_labels_again() -> None:
    torch.manual_seed(0)
    layer = SampledOutputLayer(2000, 16, num_negatives=100)
    hidden, positives = torch.randn(8, 16), torch.randint(0, 1000, (8, 1)) + torch.tensor([[0, 1000]])
    optimiser = torch.optim.SparseAdam(layer.parameters(), lr=0.05)
    for _ in range(150):
        optimiser.zero_grad()
        layer(hidden, positives).mean().backward()
        optimiser.step()
    assert torch.equal(layer.top_k(hidden, k=2)[1].sort(-1).values, positives)


def test_the_best_labels_are_those_of_all_logits_whatever_the_block() -> None:
    layer, hidden = layer_of("zlpr", num_negatives=5)
    scores, labels = layer.top_k(hidden, k=6, block=4)
    exact = dense_logits(layer, hidden).topk(6)
    torch.testing.assert_close(scores, exact.values)
    assert torch.equal(labels, exact.indices)
    assert layer.top_k(hidden, k=50)[1].shape == (4, 30)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("loss", [sampled_zlpr_loss, sampled_binary_cross_entropy_loss])
@pytest.mark.parametrize("size", [1e4, -1e4])
def test_huge_logits_stay_finite(dtype, loss, size) -> None:
    negatives = torch.tensor([0, 7, 12])
    present, absent = (torch.full((4, 3), size, dtype=dtype, requires_grad=True) for _ in range(2))
    value = loss(present, absent, POSITIVES, negatives, torch.zeros(3))
    value.sum().backward()
    assert value.isfinite().all()
    assert present.grad.isfinite().all()
    assert absent.grad.isfinite().all()
    assert (present.grad[POSITIVES < 0] == 0).all()
    assert absent.grad[0, :2].tolist() == [0, 0]  # labels 0 and 7 are present there


def test_sampling_by_frequency_takes_the_training_counts() -> None:
    statistics = LabelStatistics.from_targets(np.eye(30)[np.repeat(np.arange(30), np.arange(30))])
    layer, _ = layer_of("zlpr", 2000, statistics)
    drawn = layer.sampler(2000)[0].bincount(minlength=30)
    assert drawn[29] > 5 * drawn[1] > 0
    with pytest.raises(ValueError, match=r"counts must have shape \(31,\), got \(30,\)"):
        SampledOutputLayer(31, 4, 10, statistics=statistics)


def test_what_does_not_belong_together_is_refused() -> None:
    layer, hidden = layer_of("zlpr", num_negatives=5)
    with pytest.raises(DataError, match="SampledOutputLayer: positives: row 1 names label 30"):
        layer(hidden[:2], torch.tensor([[0], [30]]))
    with pytest.raises(DataError, match="row 0 names label 3 twice"):
        layer(hidden[:1], torch.tensor([[3, 3]]))
    with pytest.raises(ValueError, match=r"positives must have shape \(2, P\)"):
        layer(hidden[:2], POSITIVES)
    with pytest.raises(NotANumberError, match="hidden vectors hold NaN"):
        layer(hidden * torch.nan, POSITIVES)
    with pytest.raises(ValueError, match="'loss' parameter must be one of zlpr, binary_cross_entropy, got 'hinge'"):
        SampledOutputLayer(30, 4, 5, loss="hinge")
    with pytest.raises(ValueError, match="'num_negatives' parameter must be at least 1"):
        SampledOutputLayer(30, 4, 0)
    with pytest.raises(ValueError, match="positive_logits have shape"):
        sampled_zlpr_loss(torch.zeros(4, 2), torch.zeros(4, 3), POSITIVES, torch.arange(3), torch.zeros(3))
    with pytest.raises(ValueError, match=r"ask for negative_logits \(4, 2\)"):
        sampled_zlpr_loss(torch.zeros(4, 3), torch.zeros(4, 3), POSITIVES, torch.arange(2), torch.zeros(2))
