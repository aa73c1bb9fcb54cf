"""Ordinal regression against loops and torch's binary cross entropy."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_contract import LossContract, random_case
from torch import Tensor

from multihot.components import build
from multihot.errors import ConfigurationError, DataError
from multihot.labels import LabelSpace
from multihot.losses import OrdinalLoss, ordinal_loss


class TestOrdinal(LossContract):
    loss = OrdinalLoss()
    judges_every_set = False

    def case(self, rows: int = 6, labels: int = 7, soft: bool = False, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        logits, targets, known = super().case(rows, labels, soft, seed)
        targets[targets.sum(-1) == 0, 0] = 1
        targets = targets / targets.sum(-1, keepdim=True) if soft else F.one_hot(targets.argmax(-1), labels).to(targets)
        return logits, targets, known

    def reference(self, logits: list[float], targets: list[float]) -> float:
        mass = sum(targets)
        if not mass or len(targets) == 1:
            return 0.0
        total = 0.0
        for k in range(len(targets) - 1):
            above, answer = sum(targets[k + 1 :]) / mass, 1 / (1 + math.exp(-logits[k]))
            total -= above * math.log(answer) + (1 - above) * math.log(1 - answer)
        return total / (len(targets) - 1)

    def right_logits(self, targets: Tensor) -> Tensor:
        """Far above zero for every label below the true one."""
        return torch.where(torch.arange(targets.shape[1]) < targets.argmax(-1, keepdim=True), 8.0, -8.0).to(targets.dtype)

    def test_soft_targets_are_taken_or_refused(self) -> None:
        logits, targets, _ = self.case(soft=True)
        with pytest.raises(DataError, match=r"ordinal_loss: targets: row 0 sums to 0\.5; ordinal regression needs one label"):
            self.loss(logits, targets / 2)

    def test_the_order_of_labels_and_instances_does_not_matter(self) -> None:
        """The order of the columns does not, once their names say which label is higher."""
        logits, targets, known = self.case(soft=True)
        columns, rows = torch.randperm(7), torch.randperm(6)
        named = OrdinalLoss(LabelSpace([str(int(column)) for column in columns]))
        shuffled = [values[rows][:, columns] for values in (logits, targets, known)]
        torch.testing.assert_close(named(*shuffled), self.loss(logits, targets, known)[rows])
        torch.testing.assert_close(named.degrees(shuffled[0]), self.loss.degrees(logits)[rows][:, columns])


def test_one_label_is_a_row_of_binary_cross_entropies() -> None:
    logits, classes = torch.randn(5, 6, dtype=torch.float64), torch.tensor([0, 5, 3, 2, 2])
    above = (torch.arange(5) < classes[:, None]).double()
    expected = F.binary_cross_entropy_with_logits(logits[:, :5], above, reduction="none").mean(-1)
    torch.testing.assert_close(ordinal_loss(logits, F.one_hot(classes, 6)), expected)


def test_falling_answers_are_the_distribution_itself() -> None:
    degrees = torch.tensor([[0.1, 0.4, 0.2, 0.3]], dtype=torch.float64)
    above = 1 - degrees.cumsum(-1)[:, :-1]
    logits = torch.cat([above.logit(), torch.tensor([[99.0]])], -1)
    torch.testing.assert_close(OrdinalLoss().degrees(logits), degrees)


def test_degrees_are_a_distribution_whatever_the_answers() -> None:
    logits = random_case(rows=50, labels=9)[0] * 20
    degrees = OrdinalLoss().degrees(logits)
    assert (degrees > 0).all()
    torch.testing.assert_close(degrees.sum(-1), torch.ones(50, dtype=torch.float64))
    lowest = [min([1.0, *(1 / (1 + math.exp(-s)) for s in row[: k + 1])]) for row in logits.tolist() for k in range(8)]
    torch.testing.assert_close(1 - degrees.cumsum(-1)[:, :-1].flatten(), torch.tensor(lowest, dtype=torch.float64), atol=1e-9, rtol=0)
    assert OrdinalLoss().degrees(torch.zeros(2, 1)).tolist() == [[1.0], [1.0]]


def test_an_order_may_be_given_for_names_that_are_no_numbers() -> None:
    space = LabelSpace(["bad", "good", "fair"])
    loss = build("loss", {"name": "ordinal", "order": ["bad", "fair", "good"]}, label_space=space)
    logits, targets = torch.randn(4, 3), torch.eye(3)[[0, 1, 2, 1]]
    torch.testing.assert_close(loss(logits, targets), ordinal_loss(logits[:, [0, 2, 1]], targets[:, [0, 2, 1]]))
    with pytest.raises(ConfigurationError, match=r"loss 'ordinal': the labels \('bad', 'good', 'fair', \.\.\.\) are no numbers"):
        build("loss", "ordinal", label_space=space)
    with pytest.raises(ConfigurationError, match="order: there is no label 'fiar'; did you mean 'fair'"):
        OrdinalLoss(space, order=["bad", "fiar", "good"])
    with pytest.raises(ConfigurationError, match="order: it must name each of the 3 labels once, got 2 names"):
        OrdinalLoss(space, order=["bad", "good"])
