"""Losses over lists of present labels against the dense forms, which their own tests hold against loops."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_contract import random_case
from scipy import sparse
from torch import Tensor

from multihot.errors import DataError, NotANumberError
from multihot.losses import binary_cross_entropy_loss, zlpr_loss
from multihot.losses.many_labels import pad_positives, sparse_binary_cross_entropy_loss, sparse_zlpr_loss

TWINS = [(sparse_zlpr_loss, zlpr_loss), (sparse_binary_cross_entropy_loss, binary_cross_entropy_loss)]
both = pytest.mark.parametrize(("loss", "dense"), TWINS, ids=["zlpr", "binary_cross_entropy"])


def lists_of(targets: Tensor) -> Tensor:
    return pad_positives([row.nonzero()[:, 0].tolist() for row in targets])


@both
@pytest.mark.parametrize("labels", [1, 2, 7, 60])
def test_values_and_gradients_are_those_of_the_dense_form(loss, dense, labels) -> None:
    logits, targets, _ = random_case(labels=labels)  # an empty and a full row are among them
    logits.requires_grad_()
    weights = torch.arange(1.0, 7.0, dtype=torch.float64)
    value, expected = loss(logits, lists_of(targets)), dense(logits, targets)
    torch.testing.assert_close(value, expected)
    by_lists, by_dense = (torch.autograd.grad((weights * v).sum(), logits)[0] for v in (value, expected))
    torch.testing.assert_close(by_lists, by_dense)


@both
def test_gradients_agree_with_finite_differences(loss, dense) -> None:
    logits, targets, _ = random_case()
    positives = lists_of(targets)
    logits.requires_grad_()
    assert torch.autograd.gradcheck(lambda s: loss(s, positives), logits)
    assert torch.autograd.gradgradcheck(lambda s: loss(s, positives), logits)


@both
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_huge_logits_stay_finite(loss, dense, dtype) -> None:
    _, targets, _ = random_case(rows=4, labels=200)
    for size in (1e4, -1e4):
        logits = torch.full((4, 200), size)
        logits[2:, ::2] *= -1
        logits = logits.to(dtype).requires_grad_()
        value = loss(logits, lists_of(targets))
        value.mean().backward()
        assert value.dtype == torch.promote_types(dtype, torch.float32)
        assert value.isfinite().all()
        assert logits.grad.isfinite().all()
        torch.testing.assert_close(value, dense(logits, targets.to(dtype)))


@both
def test_present_labels_that_dominate_leave_the_absent_ones_their_digits(loss, dense) -> None:
    logits = torch.tensor([[40.0, 45.0, -2.0, -3.0]])  # e^45 + e^-2 - e^45 would be 0 in float32
    exact = dense(logits.double(), torch.tensor([[1.0, 1.0, 0.0, 0.0]], dtype=torch.float64))
    torch.testing.assert_close(loss(logits, torch.tensor([[1, 0]])).double(), exact, rtol=1e-6, atol=0)


@both
def test_where_the_padding_stands_and_in_what_order_labels_come_does_not_matter(loss, dense) -> None:
    logits, _, _ = random_case(rows=2)
    left = loss(logits, torch.tensor([[-1, 0, 5], [-1, -1, -1]], dtype=torch.int32))
    assert torch.equal(left, loss(logits, torch.tensor([[5, 0, -1, -1], [-1, -1, -1, -1]])))
    torch.testing.assert_close(loss(logits, torch.empty(2, 0, dtype=torch.long)), dense(logits, torch.zeros(2, 7)))


@both
def test_torch_compile_traces_it_whole(loss, dense) -> None:
    logits, targets, _ = random_case()
    logits.requires_grad_()
    compiled = torch.compile(loss, backend="eager", fullgraph=True)
    value = compiled(logits, lists_of(targets))
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    torch.testing.assert_close(value, dense(logits, targets))
    torch.testing.assert_close(gradient, torch.autograd.grad(dense(logits, targets).sum(), logits)[0])


@both
def test_inputs_are_left_as_they_were(loss, dense) -> None:
    logits, targets, _ = random_case()
    positives = lists_of(targets)
    before = logits.clone(), positives.clone()
    logits.requires_grad_()
    loss(logits, positives).sum().backward()
    assert torch.equal(logits, before[0])
    assert torch.equal(positives, before[1])


@both
def test_lists_that_are_no_label_sets_are_refused(loss, dense) -> None:
    logits = torch.zeros(2, 4)
    for wrong in (4, -2):
        with pytest.raises(DataError, match=rf"{loss.__name__}: positives: row 1 names label {wrong}; give indices from 0 to 3"):
            loss(logits, torch.tensor([[0, 1], [2, wrong]]))
    with pytest.raises(DataError, match=f"{loss.__name__}: positives: row 1 names label 2 twice"):
        loss(logits, torch.tensor([[0, -1, -1], [2, 0, 2]]))
    with pytest.raises(ValueError, match="must be label indices"):
        loss(logits, torch.zeros(2, 4))
    with pytest.raises(ValueError, match=r"positives must have shape \(2, P\), got \(3, 1\)"):
        loss(logits, torch.zeros(3, 1, dtype=torch.long))
    with pytest.raises(ValueError, match="logits must be floating point"):
        loss(logits.long(), torch.zeros(2, 1, dtype=torch.long))
    with pytest.raises(NotANumberError, match=f"{loss.__name__}: logits hold NaN, first in row 1, label 2"):
        loss(torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, torch.nan]]), torch.zeros(2, 1, dtype=torch.long))


def test_the_reduction_is_a_mean_or_a_sum_over_labels() -> None:
    logits, targets, _ = random_case()
    by_sum = sparse_binary_cross_entropy_loss(logits, lists_of(targets), reduction="sum")
    torch.testing.assert_close(by_sum, binary_cross_entropy_loss(logits, targets, reduction="sum"))
    with pytest.raises(ValueError, match="'reduction'"):
        sparse_binary_cross_entropy_loss(logits, lists_of(targets), reduction="total")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sets(st.integers(0, 9)), max_size=6))
def test_padded_lists_hold_what_the_label_sets_held(label_sets: list[set[int]]) -> None:
    padded = pad_positives(label_sets)
    assert [{label for label in row if label >= 0} for row in padded.tolist()] == label_sets
    multi_hot = np.zeros((len(label_sets), 10), dtype=bool)
    for row, labels in enumerate(label_sets):
        multi_hot[row, list(labels)] = True
    assert torch.equal(pad_positives(sparse.csr_matrix(multi_hot)), pad_positives([sorted(labels) for labels in label_sets]))
