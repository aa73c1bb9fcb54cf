"""Gradients through training: how the loss after some steps of gradient descent depends on what those steps were told to lower."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor

Weights = dict[str, Tensor]  # a module's parameters by name, as `torch.func.functional_call` takes them
WeightsLoss = Callable[[Weights], Float[Tensor, ""]]


def detached(weights: Mapping[str, Tensor]) -> Weights:
    """Copies of the weights that take part in a gradient of their own, so that nothing reaches the module they are from."""
    return {name: weight.detach().requires_grad_() for name, weight in weights.items()}


def descended(inner: WeightsLoss, weights: Weights, steps: int, step_size: float) -> Weights:
    """The weights after some steps of gradient descent, ``w_{t+1} = w_t - eta grad L_in(w_t)``, as a function of all that L_in reads.

    Args:
        inner: L_in, the loss that the steps lower.
        weights: w_0; every one of them requires a gradient.
        steps: how many, at least 1.
        step_size: eta, above 0.

    Returns:
        w_K; a loss of it can be differentiated in whatever ``inner`` depends on.

    >>> spread = torch.tensor(3.0, requires_grad=True)
    >>> after = descended(lambda w: 0.5 * (w["w"] - spread) ** 2, {"w": torch.tensor(0.0, requires_grad=True)}, 2, 0.5)
    >>> after["w"].item(), torch.autograd.grad(after["w"], spread)[0].item()
    (2.25, 0.75)
    """
    for _ in range(steps):
        slopes = torch.autograd.grad(inner(weights), list(weights.values()), create_graph=True, allow_unused=True)
        moved = zip(weights.items(), slopes, strict=True)
        weights = {name: weight if slope is None else weight - step_size * slope for (name, weight), slope in moved}
    return weights


def unrolled(inner: WeightsLoss, outer: WeightsLoss, weights: Mapping[str, Tensor], steps: int, step_size: float) -> Float[Tensor, ""]:
    """The outer loss after some steps on the inner one, ``L_out(w_K)``, differentiable through the steps.

    Args:
        inner: the loss that the steps lower.
        outer: the loss that is looked at after them.
        weights: where the steps begin.
        steps: K, at least 1; memory grows with it.
        step_size: of the steps, above 0.

    Returns:
        A scalar.

    >>> spread = torch.tensor(3.0, requires_grad=True)
    >>> weights = {"w": torch.tensor(0.0)}
    >>> loss = unrolled(lambda w: 0.5 * (w["w"] - spread) ** 2, lambda w: 0.5 * (w["w"] - 1) ** 2, weights, 1, 0.5)
    >>> torch.autograd.grad(loss, spread)[0].item()
    0.25
    """
    return outer(descended(inner, detached(weights), steps, step_size))


def implicit(inner: WeightsLoss, outer: WeightsLoss, weights: Mapping[str, Tensor], terms: int, step_size: float) -> Float[Tensor, ""]:
    """The outer loss where the weights are, with the gradient that follows from the weights being a minimum of the inner one.

    ``dL_out/ds = -grad L_out' H^-1 d grad L_in/ds``, with the Neumann series ``H^-1 = eta sum_{j < m} (I - eta H)^j`` for the inverse of
    the inner loss's Hessian H. Memory does not grow with the terms.

    Args:
        inner: the loss that the weights are taken to be a minimum of.
        outer: the loss that is looked at.
        weights: where.
        terms: m, at least 1.
        step_size: eta, above 0 and below 2 over H's largest eigenvalue, or the series diverges.

    Returns:
        A scalar: ``L_out(w)``, which differentiates as said.

    >>> spread = torch.tensor(3.0, requires_grad=True)
    >>> weights = {"w": torch.tensor(3.0)}
    >>> loss = implicit(lambda w: 0.5 * (w["w"] - spread) ** 2, lambda w: 0.5 * (w["w"] - 1) ** 2, weights, 50, 0.5)
    >>> loss.item(), round(torch.autograd.grad(loss, spread)[0].item(), 6)
    (2.0, 2.0)
    """
    here = detached(weights)
    found, lowered = outer(here), inner(here)
    slopes = torch.autograd.grad(lowered, list(here.values()), create_graph=True, allow_unused=True)
    values, bending = zip(*((weight, slope) for weight, slope in zip(here.values(), slopes, strict=True) if slope is not None), strict=True)
    term = total = list(torch.autograd.grad(found, values, materialize_grads=True))
    for _ in range(terms - 1):
        bent = torch.autograd.grad(bending, values, term, retain_graph=True, materialize_grads=True)
        term = [one - step_size * hessian for one, hessian in zip(term, bent, strict=True)]
        total = [so_far + one for so_far, one in zip(total, term, strict=True)]
    response = -step_size * torch.stack([(one * slope).sum() for one, slope in zip(total, bending, strict=True)]).sum()
    return found.detach() + response - response.detach()
