"""The core of the element-wise losses: closed forms against autograd, sparse against dense targets, blocks of instances."""

import pytest
import torch
from loss_contract import random_case
from torch import Tensor

from multihot.losses.kernels import closed_form
from multihot.losses.kernels.curves import Curve, FocusedCurve, HillCurve
from multihot.losses.kernels.element_wise import element_wise_loss

CURVES: list[Curve] = [
    FocusedCurve(),
    FocusedCurve(gamma=0.5),
    FocusedCurve(gamma=1.0, height=0.3),
    FocusedCurve(gamma=2.0, slope=5.0, offset=1.0, height=0.2),
    FocusedCurve(gamma=4.0, clip=0.05),
    FocusedCurve(gamma=0.0, clip=0.05),
    FocusedCurve(gamma=0.5, clip=0.2, slope=2.0),
    FocusedCurve(gamma=2.5, detach_focus=True),
    FocusedCurve(gamma=3.0, clip=0.1, detach_focus=True),
    HillCurve(1.5),
    HillCurve(1.2),
]


@pytest.mark.parametrize("curve", CURVES, ids=str)
def test_the_closed_form_is_what_autograd_finds(curve: Curve) -> None:
    x = torch.cat([torch.linspace(-30, 30, 601, dtype=torch.float64), torch.tensor([-1e4, -200.0, 200.0, 1e4])]).requires_grad_()
    cost = curve.cost(x)
    (derivative,) = torch.autograd.grad(cost.sum(), x)
    fast_cost, fast_derivative = curve.cost_and_derivative(x.detach())
    torch.testing.assert_close(fast_cost, cost.detach())
    torch.testing.assert_close(fast_derivative, derivative)


@pytest.mark.parametrize("curve", CURVES, ids=str)
def test_single_precision_follows_double(curve: Curve) -> None:
    x = torch.linspace(-20, 20, 401)
    for fast, exact in zip(curve.cost_and_derivative(x), curve.cost_and_derivative(x.double()), strict=True):
        torch.testing.assert_close(fast.double(), exact, rtol=2e-5, atol=5e-6)


def _loss(logits: Tensor, targets: Tensor, known: Tensor | None = None) -> Tensor:
    present, absent = FocusedCurve(1.0, offset=1.0), FocusedCurve(4.0, clip=0.05)
    return element_wise_loss((logits, targets, known), present, absent, weigh=lambda y, _: 1 + y.sum(-1, keepdim=True))


def test_blocks_of_instances_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    logits, targets, known = random_case(rows=11, labels=6, soft=True)
    logits.requires_grad_()
    whole = _loss(logits, targets, known)
    monkeypatch.setattr(closed_form, "BLOCK", 13)
    pieces = _loss(logits, targets, known)
    torch.testing.assert_close(pieces, whole)
    torch.testing.assert_close(torch.autograd.grad(pieces.sum(), logits), torch.autograd.grad(whole.sum(), logits))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_few_or_many_present_labels_follow_the_formula(share: float) -> None:
    logits = random_case(rows=20, labels=50)[0].requires_grad_()
    targets = (torch.rand(20, 50, dtype=torch.float64) < share).double()
    entries = targets * FocusedCurve(1.0, offset=1.0).cost(-logits) + (1 - targets) * FocusedCurve(4.0, clip=0.05).cost(logits)
    by_formula = (entries * (1 + targets.sum(-1, keepdim=True))).mean(-1)
    loss = _loss(logits, targets)
    torch.testing.assert_close(loss, by_formula)
    torch.testing.assert_close(torch.autograd.grad(loss.sum(), logits), torch.autograd.grad(by_formula.sum(), logits))


def test_learned_soft_targets_get_their_gradient() -> None:
    logits, targets, _ = random_case(soft=True)
    targets = (0.9 * targets + 0.05).requires_grad_()
    assert torch.autograd.gradcheck(lambda y: _loss(logits, y), targets)


def test_the_order_in_memory_does_not_matter() -> None:
    logits, targets, known = random_case(rows=9, labels=60)
    turned = [values.T.contiguous().T for values in (logits, targets, known)]
    torch.testing.assert_close(_loss(*turned), _loss(logits, targets, known))


def test_nothing_at_all_costs_nothing() -> None:
    assert _loss(torch.zeros(0, 4), torch.zeros(0, 4)).shape == (0,)


def test_torch_compile_traces_it_whole() -> None:
    logits, targets, known = random_case(labels=30)
    logits = logits.float().requires_grad_()

    def backend(module: torch.fx.GraphModule, _inputs: list[Tensor]) -> object:
        return module.forward

    compiled = torch.compile(_loss, backend=backend, fullgraph=True)
    by_compiled = torch.autograd.grad(compiled(logits, targets.float(), known).sum(), logits)
    eager = torch.autograd.grad(_loss(logits, targets.float(), known).sum(), logits)
    torch.testing.assert_close(by_compiled, eager)


def test_two_losses_at_once_keep_their_own_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one of them computes in must not hold what the other has saved for later."""
    first, targets, _ = random_case(rows=11, labels=6)
    for block in (13, 10**6):
        monkeypatch.setattr(closed_form, "BLOCK", block)
        logits = [(scale * first).requires_grad_() for scale in (1, -2)]
        alone = [torch.autograd.grad(_loss(one, targets).sum(), one)[0] for one in logits]
        losses = [_loss(one, targets).sum() for one in logits]
        for _ in range(2):  # a graph that is kept gives the same again
            together = torch.autograd.grad(losses, logits, retain_graph=True)
            torch.testing.assert_close(list(together), alone)
