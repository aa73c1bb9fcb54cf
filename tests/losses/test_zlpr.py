"""Multi-label softmax cross entropy against loops, its limits and its own closed form."""

import math

import torch
import torch.nn.functional as F
from loss_contract import LossContract, random_case

from multihot.losses import ZLPRLoss, zlpr_loss


class TestZLPR(LossContract):
    loss = ZLPRLoss()

    def reference(self, logits: list[float], targets: list[float]) -> float:
        absent = 1 + sum((1 - y) * math.exp(s) for s, y in zip(logits, targets, strict=True))
        present = 1 + sum(y * math.exp(-s) for s, y in zip(logits, targets, strict=True))
        return math.log(absent) + math.log(present)


def test_one_label_is_a_logistic_loss_on_either_side() -> None:
    logits = torch.linspace(-5, 5, 11, dtype=torch.float64)[:, None]
    torch.testing.assert_close(zlpr_loss(logits, torch.ones_like(logits)), F.softplus(-logits)[:, 0])
    torch.testing.assert_close(zlpr_loss(logits, torch.zeros_like(logits)), F.softplus(logits)[:, 0])


def test_far_out_it_is_the_worst_label_that_counts() -> None:
    logits = torch.tensor([[1e4, -1e4, 5e3, 3.0]])
    loss = zlpr_loss(logits, torch.tensor([[0.0, 1.0, 0.0, 1.0]]))
    torch.testing.assert_close(loss, torch.tensor([2e4]))


def test_a_settled_label_does_not_lose_the_gradient_of_another() -> None:
    logits = torch.tensor([[-1e4, 2.0]], requires_grad=True)
    zlpr_loss(logits, torch.tensor([[0.0, 0.0]])).sum().backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, torch.tensor([[0.0, torch.sigmoid(torch.tensor(2.0)).item()]]))


def test_learned_soft_targets_get_their_gradient() -> None:
    logits, targets, _ = random_case(soft=True)
    targets = (0.9 * targets[2:] + 0.05).requires_grad_()
    assert torch.autograd.gradcheck(lambda y: zlpr_loss(logits[2:], y), targets)


def test_torch_compile_traces_it_whole() -> None:
    logits, targets, known = random_case(labels=30)
    logits = logits.float().requires_grad_()
    graph_breaks: list[int] = []

    def backend(module: torch.fx.GraphModule, _inputs: list[torch.Tensor]) -> object:
        graph_breaks.append(1)
        return module.forward

    compiled = torch.compile(zlpr_loss, backend=backend, fullgraph=True)
    compiled(logits, targets.float(), known).sum().backward()
    by_compiled = logits.grad
    logits.grad = None
    zlpr_loss(logits, targets.float(), known).sum().backward()
    assert len(graph_breaks) == 1
    torch.testing.assert_close(by_compiled, logits.grad)
