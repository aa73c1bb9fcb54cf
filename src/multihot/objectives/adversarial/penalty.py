"""The gradient penalty that keeps a critic near Lipschitz constant 1."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Score = Callable[[Tensor], Tensor]  # (B, ...) -> (B,), each row on its own


def gradient_penalty(
    score: Score, real: Float[Tensor, "B ..."], generated: Float[Tensor, "B ..."], generator: torch.Generator | None = None
) -> Float[Tensor, ""]:
    """How far the slope of a score is from 1 between real and generated points.

    ``mean_b (||grad D(y*_b)|| - 1)^2``, ``y* = u y + (1 - u) yhat``, ``u ~ Uniform(0, 1)``, one an instance
    (Tsai and Lee 2019, eq. 5; Tsai 2019, eqs. 2.24, 3.5).

    Args:
        score: D, points (B, ...) -> scores (B,), each row's from that row alone; a condition is bound beforehand.
        real: (B, ...).
        generated: (B, ...).
        generator: of the weights u; None takes PyTorch's own.

    Returns:
        A scalar whose gradient reaches the parameters of the score, not the points.

    >>> slope = torch.tensor([3.0, 4.0])
    >>> float(gradient_penalty(lambda points: points @ slope, torch.ones(5, 2), torch.zeros(5, 2)))
    16.0
    """
    return ((gradient_norms(score, between(real, generated, generator)) - 1) ** 2).mean()


def gradient_norms(score: Score, points: Float[Tensor, "B ..."]) -> Float[Tensor, " B"]:
    """The norm of each row's gradient, itself open to gradients."""
    points = points.detach().requires_grad_()
    with torch.enable_grad():
        (slopes,) = torch.autograd.grad(score(points).sum(), points, create_graph=True)
    return torch.linalg.vector_norm(slopes.flatten(1), dim=1)


def between(
    real: Float[Tensor, "B ..."], generated: Float[Tensor, "B ..."], generator: torch.Generator | None = None
) -> Float[Tensor, "B ..."]:
    """A random point on the straight line between each real row and its generated one."""
    weights = torch.rand(len(real), *[1] * (real.ndim - 1), dtype=real.dtype, device=real.device, generator=generator)
    return weights * real + (1 - weights) * generated
