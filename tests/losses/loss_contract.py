"""What every loss promises: a loss's own test states a naive float64 reference, and the contract holds the loss against it.

Subclass ``LossContract``, set ``loss``, and write ``reference(logits, targets)`` for ONE instance of which every label is known, as
loops over plain floats.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod

import pytest
import torch
from torch import Tensor

from multihot.errors import DataError, NotANumberError
from multihot.interfaces import Loss


def random_case(rows: int = 6, labels: int = 7, soft: bool = False, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, targets and known in float64; an empty and a full label set are among the targets."""
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(rows, labels, generator=generator, dtype=torch.float64)
    targets = torch.rand(rows, labels, generator=generator, dtype=torch.float64)
    if not soft:
        targets = (targets < 0.4).double()
    targets[0], targets[1] = 0, 1
    known = torch.rand(rows, labels, generator=generator) < 0.7
    known[:, 0] = True
    return logits, targets, known


def _changed(values: Tensor, value: float) -> Tensor:
    values = values.clone()
    values[2, 3] = value
    return values


class LossContract(ABC):
    """Inherit in a class named ``Test...``."""

    loss: Loss
    takes_soft_targets = True

    @abstractmethod
    def reference(self, logits: list[float], targets: list[float]) -> float:
        """The loss of one instance, written as the paper prints it."""

    def by_reference(self, logits: Tensor, targets: Tensor, known: Tensor) -> Tensor:
        rows = [(s[k].tolist(), y[k].tolist()) for s, y, k in zip(logits, targets, known, strict=True)]
        return torch.tensor([self.reference(s, y) if s else 0.0 for s, y in rows], dtype=torch.float64)

    @pytest.mark.parametrize("soft", [False, True])
    @pytest.mark.parametrize(("labels", "seed"), [(1, 0), (2, 1), (7, 2), (60, 3)])
    def test_agrees_with_the_naive_loop(self, soft: bool, labels: int, seed: int) -> None:
        logits, targets, known = random_case(labels=labels, soft=soft and self.takes_soft_targets, seed=seed)
        everything = torch.ones_like(known)
        torch.testing.assert_close(self.loss(logits, targets), self.by_reference(logits, targets, everything))
        torch.testing.assert_close(self.loss(logits, targets, everything), self.by_reference(logits, targets, everything))
        torch.testing.assert_close(self.loss(logits, targets, known), self.by_reference(logits, targets, known))

    @pytest.mark.parametrize("soft", [False, True])
    def test_gradients_agree_with_finite_differences(self, soft: bool) -> None:
        logits, targets, known = random_case(soft=soft and self.takes_soft_targets)
        logits.requires_grad_()
        assert torch.autograd.gradcheck(lambda s: self.loss(s, targets), logits)
        assert torch.autograd.gradcheck(lambda s: self.loss(s, targets, known), logits)
        assert torch.autograd.gradgradcheck(lambda s: self.loss(s, targets, known), logits)

    @pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
    @pytest.mark.parametrize("size", [1e4, -1e4, 0.0])
    def test_huge_logits_stay_finite(self, dtype: torch.dtype, size: float) -> None:
        _, targets, known = random_case(rows=4, labels=200)
        signs = torch.ones(4, 200)
        signs[2:, ::2] = -1
        logits = (size * signs).to(dtype).requires_grad_()
        value = self.loss(logits, targets.to(dtype), known)
        value.mean().backward()
        assert value.shape == (4,)
        assert value.isfinite().all()
        assert logits.grad is not None
        assert logits.grad.dtype == dtype
        assert logits.grad.isfinite().all()

    def test_half_precision_follows_float64(self) -> None:
        logits, targets, known = random_case(labels=40)
        for dtype in (torch.bfloat16, torch.float16):
            rounded = logits.to(dtype)
            exact = self.loss(rounded.double(), targets, known)
            torch.testing.assert_close(self.loss(rounded, targets.to(dtype), known).double(), exact, rtol=1e-5, atol=1e-5)

    def test_the_order_of_labels_and_instances_does_not_matter(self) -> None:
        logits, targets, known = random_case()
        columns, rows = torch.randperm(7), torch.randperm(6)
        shuffled = self.loss(logits[rows][:, columns], targets[rows][:, columns], known[rows][:, columns])
        torch.testing.assert_close(shuffled, self.loss(logits, targets, known)[rows])

    def test_unknown_entries_carry_no_loss_and_no_gradient(self) -> None:
        logits, targets, known = random_case()
        known[3] = False
        logits.requires_grad_()
        spoilt = targets.masked_fill(~known, float("nan"))
        value = self.loss(logits, spoilt, known)
        value.sum().backward()
        torch.testing.assert_close(value, self.loss(logits, targets, known))
        assert value[3] == 0
        assert logits.grad is not None
        assert logits.grad.isfinite().all()
        assert (logits.grad[~known] == 0).all()
        if not known.all():
            torch.testing.assert_close(self.loss(logits, spoilt), value)  # NaN alone says unknown, too

    def test_right_logits_cost_less_than_wrong_ones(self) -> None:
        _, targets, _ = random_case()
        right = self.loss(8 * (2 * targets - 1), targets)
        wrong = self.loss(-8 * (2 * targets - 1), targets)
        assert (right < 0.1).all()
        assert (wrong > 1).all()

    def test_the_own_rule_reads_right_logits_as_the_targets(self) -> None:
        _, targets, _ = random_case()
        assert ((self.loss.scores(8 * (2 * targets - 1)) > 0) == (targets > 0)).all()

    def test_what_does_not_belong_together_is_refused(self) -> None:
        logits, targets, known = random_case()
        with pytest.raises(ValueError, match="shape"):
            self.loss(logits[:, 1:], targets)
        with pytest.raises(ValueError, match="floating point"):
            self.loss(logits.long(), targets)
        with pytest.raises(ValueError, match="known must be boolean"):
            self.loss(logits, targets, known.double())

    def test_values_that_cannot_be_meant_are_refused(self) -> None:
        logits, targets, _ = random_case()
        with pytest.raises(DataError, match=r"_loss: targets: row 2, label 3 is 1.5; give values in \[0, 1\]"):
            self.loss(logits, _changed(targets, 1.5))
        with pytest.raises(NotANumberError, match="_loss: logits hold NaN, first in row 2, label 3"):
            self.loss(_changed(logits, float("nan")), targets)

    def test_inputs_are_left_as_they_were(self) -> None:
        case = random_case()
        before = copy.deepcopy(case)
        self.loss(*case)
        assert all(torch.equal(now, then) for now, then in zip(case, before, strict=True))
