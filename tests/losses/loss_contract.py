"""What every loss promises: a loss's own test states a naive float64 reference, and the contract holds the loss against it.

Subclass ``LossContract``, set ``loss``, and write ``reference(logits, targets)`` for ONE instance of which every label is known, as
loops over plain floats; extra logits come last. A loss that does not take every label set overrides ``case``.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from multihot.calibration import OwnRuleDecision
from multihot.errors import DataError, NotANumberError
from multihot.interfaces import Loss


def random_case(rows: int = 6, labels: int = 7, soft: bool = False, seed: int = 0, extra: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, targets and known in float64; an empty and a full label set are among the targets."""
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(rows, labels + extra, generator=generator, dtype=torch.float64)
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
    judges_every_set = True  # False: where all labels are present, or none is, there is nothing to get wrong

    def case(self, rows: int = 6, labels: int = 7, soft: bool = False, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, targets and known that the loss takes."""
        return random_case(rows, labels, soft, seed, extra=self.loss.extra_logits)

    @abstractmethod
    def reference(self, logits: list[float], targets: list[float]) -> float:
        """The loss of one instance, written as the paper prints it."""

    def by_reference(self, logits: Tensor, targets: Tensor, known: Tensor) -> Tensor:
        rows = [(s[k].tolist(), y[kept].tolist()) for s, y, k, kept in zip(logits, targets, self.with_extra(known), known, strict=True)]
        return torch.tensor([self.reference(s, y) if y else 0.0 for s, y in rows], dtype=torch.float64)

    def with_extra(self, entries: Tensor, value: float = 1) -> Tensor:
        """(B, L) -> (B, L + extra logits)."""
        return F.pad(entries, (0, self.loss.extra_logits), value=value)

    def right_logits(self, targets: Tensor) -> Tensor:
        """Far above zero where a label is present, far below where it is absent."""
        return self.with_extra(torch.where(targets > 0, 8.0, -8.0).to(targets.dtype), 0)

    @pytest.mark.parametrize("soft", [False, True])
    @pytest.mark.parametrize(("labels", "seed"), [(1, 0), (2, 1), (7, 2), (60, 3)])
    def test_agrees_with_the_naive_loop(self, soft: bool, labels: int, seed: int) -> None:
        logits, targets, known = self.case(labels=labels, soft=soft and self.takes_soft_targets, seed=seed)
        everything = torch.ones_like(known)
        torch.testing.assert_close(self.loss(logits, targets), self.by_reference(logits, targets, everything))
        torch.testing.assert_close(self.loss(logits, targets, everything), self.by_reference(logits, targets, everything))
        torch.testing.assert_close(self.loss(logits, targets, known), self.by_reference(logits, targets, known))

    @pytest.mark.parametrize("soft", [False, True])
    def test_gradients_agree_with_finite_differences(self, soft: bool) -> None:
        logits, targets, known = self.case(soft=soft and self.takes_soft_targets)
        logits.requires_grad_()
        assert torch.autograd.gradcheck(lambda s: self.loss(s, targets), logits)
        assert torch.autograd.gradcheck(lambda s: self.loss(s, targets, known), logits)
        assert torch.autograd.gradgradcheck(lambda s: self.loss(s, targets, known), logits)

    @pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
    @pytest.mark.parametrize("size", [1e4, -1e4, 0.0])
    def test_huge_logits_stay_finite(self, dtype: torch.dtype, size: float) -> None:
        _, targets, known = self.case(rows=4, labels=200)
        signs = torch.ones(4, 200 + self.loss.extra_logits)
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
        logits, targets, known = self.case(labels=40)
        for dtype in (torch.bfloat16, torch.float16):
            rounded, halved = logits.to(dtype), targets.to(dtype)
            exact = self.loss(rounded.double(), halved.double(), known)
            torch.testing.assert_close(self.loss(rounded, halved, known).double(), exact, rtol=1e-5, atol=1e-5)

    def test_the_order_of_labels_and_instances_does_not_matter(self) -> None:
        logits, targets, known = self.case()
        columns, rows = torch.randperm(7), torch.randperm(6)
        with_extra = torch.cat([columns, torch.arange(7, logits.shape[1])])
        shuffled = self.loss(logits[rows][:, with_extra], targets[rows][:, columns], known[rows][:, columns])
        torch.testing.assert_close(shuffled, self.loss(logits, targets, known)[rows])

    def test_unknown_entries_carry_no_loss_and_no_gradient(self) -> None:
        logits, targets, known = self.case()
        known[3] = False
        logits.requires_grad_()
        spoilt = targets.masked_fill(~known, float("nan"))
        value = self.loss(logits, spoilt, known)
        value.sum().backward()
        torch.testing.assert_close(value, self.loss(logits, targets, known))
        assert value[3] == 0
        assert logits.grad is not None
        assert logits.grad.isfinite().all()
        assert (logits.grad[~self.with_extra(known)] == 0).all()
        if not known.all():
            torch.testing.assert_close(self.loss(logits, spoilt), value)  # NaN alone says unknown, too

    def test_right_logits_cost_less_than_wrong_ones(self) -> None:
        _, targets, _ = self.case()
        right, wrong = self.loss(self.right_logits(targets), targets), self.loss(-self.right_logits(targets), targets)
        assert (right < 0.1).all()
        assert (wrong[0 if self.judges_every_set else 2 :] > 1).all()

    def test_the_own_rule_reads_right_logits_as_the_targets(self) -> None:
        _, targets, _ = self.case()
        scores = self.loss.scores(self.right_logits(targets))
        if self.loss.decision_rule == "tuned":  # any threshold between 0 and 1
            scores = (scores - scores.amin()) / (scores.amax() - scores.amin()) - 0.5
        assert (OwnRuleDecision(self.loss)(scores) == (targets > 0).numpy()).all()

    def test_soft_targets_are_taken_or_refused(self) -> None:
        logits, targets, _ = self.case()
        if self.takes_soft_targets:
            assert self.loss(logits, targets / 2).isfinite().all()
        else:
            with pytest.raises(DataError, match=r"row 2, label 3 is 0.5; this loss knows no soft targets"):
                self.loss(logits, _changed(targets, 0.5))

    def test_what_does_not_belong_together_is_refused(self) -> None:
        logits, targets, known = self.case()
        with pytest.raises(ValueError, match="shape"):
            self.loss(logits[:, 1:], targets)
        with pytest.raises(ValueError, match="floating point"):
            self.loss(logits.long(), targets)
        with pytest.raises(ValueError, match="known must be boolean"):
            self.loss(logits, targets, known.double())

    def test_what_is_no_matrix_is_refused(self) -> None:
        logits, targets, _ = self.case()
        with pytest.raises(ValueError, match=r"_loss: logits .* tensors of "):
            self.loss(logits[0], targets[0])

    def test_values_that_cannot_be_meant_are_refused(self) -> None:
        logits, targets, _ = self.case()
        with pytest.raises(DataError, match=r"_loss: targets: row 2, label 3 is 1.5; give values in \[0, 1\]"):
            self.loss(logits, _changed(targets, 1.5))
        with pytest.raises(NotANumberError, match="_loss: logits hold NaN, first in row 2, label 3"):
            self.loss(_changed(logits, float("nan")), targets)

    def test_inputs_are_left_as_they_were(self) -> None:
        case = self.case()
        before = copy.deepcopy(case)
        self.loss(*case)
        assert all(torch.equal(now, then) for now, then in zip(case, before, strict=True))
