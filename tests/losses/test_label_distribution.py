"""Label-distribution divergence against loops, scipy and softmax cross entropy."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_contract import LossContract, random_case
from scipy.stats import entropy
from torch import Tensor

from multihot.calibration import OwnRuleDecision
from multihot.errors import DataError
from multihot.losses import LabelDistributionLoss, label_distribution_loss


class TestLabelDistribution(LossContract):
    loss = LabelDistributionLoss()
    judges_every_set = False

    def case(self, rows: int = 6, labels: int = 7, soft: bool = False, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        logits, targets, known = super().case(rows, labels, soft, seed)
        targets[targets.sum(-1) == 0, 0] = 1
        return logits, targets / targets.sum(-1, keepdim=True), known

    def reference(self, logits: list[float], targets: list[float]) -> float:
        mass, total = sum(targets), sum(math.exp(s) for s in logits)
        shares = [(y / mass, math.exp(s) / total) for s, y in zip(logits, targets, strict=True) if y]
        return sum(y * (math.log(y) - math.log(q)) for y, q in shares)

    def test_the_own_rule_reads_right_logits_as_the_targets(self) -> None:
        logits = random_case()[0]
        assert (OwnRuleDecision(self.loss)(self.loss.scores(logits)) == F.one_hot(logits.argmax(-1), 7).bool().numpy()).all()

    def test_soft_targets_are_taken_or_refused(self) -> None:
        logits, targets, _ = self.case()
        with pytest.raises(DataError, match=r"position 0 sums to 0\.5; the targets of each position must sum to 1"):
            self.loss(logits, targets / 2)


def distributions(*shape: int, axes: tuple[int, ...]) -> Tensor:
    values = torch.rand(*shape, dtype=torch.float64)
    return values / values.sum(axes, keepdim=True)


def test_it_is_the_divergence_of_scipy() -> None:
    logits, targets = random_case()[0], distributions(6, 7, axes=(1,))
    expected = entropy(targets.numpy(), logits.softmax(-1).numpy(), axis=1)
    torch.testing.assert_close(label_distribution_loss(logits, targets), torch.from_numpy(expected))


def test_one_hot_targets_make_it_softmax_cross_entropy_also_on_maps() -> None:
    logits = torch.randn(3, 5, 4, 2, dtype=torch.float64)
    classes = torch.randint(0, 5, (3, 4, 2))
    loss = label_distribution_loss(logits, F.one_hot(classes, 5).movedim(-1, 1))
    torch.testing.assert_close(loss, F.cross_entropy(logits, classes, reduction="none").mean((1, 2)))


def test_a_grid_of_labels_is_one_distribution() -> None:
    logits, targets = torch.randn(3, 5, 4, dtype=torch.float64), distributions(3, 5, 4, axes=(1, 2))
    flat = label_distribution_loss(logits.flatten(1), targets.flatten(1))
    torch.testing.assert_close(LabelDistributionLoss(axis=(1, 2))(logits, targets), flat)


def test_positions_that_nobody_annotated_are_left_out_of_the_mean() -> None:
    logits, targets = torch.randn(2, 5, 3, dtype=torch.float64), distributions(2, 5, 3, axes=(1,))
    known = torch.ones(2, 5, 3, dtype=torch.bool)
    known[0, :, 1] = False
    expected = label_distribution_loss(logits[:1][..., [0, 2]], targets[:1][..., [0, 2]])
    torch.testing.assert_close(label_distribution_loss(logits, targets, known)[:1], expected)


@pytest.mark.parametrize(("shape", "axis"), [((2, 3), 0), ((2, 4), 1)])
def test_axes_and_shapes_that_cannot_be_meant_are_refused(shape: tuple[int, ...], axis: int) -> None:
    with pytest.raises(ValueError, match="label_distribution_loss: logits have shape"):
        label_distribution_loss(torch.zeros(2, 3), torch.zeros(shape), axis=axis)
