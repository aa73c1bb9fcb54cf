"""Samples of label sets that gradients pass through."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def gumbel_sigmoid(
    logits: Float[Tensor, "*shape"], temperature: float, generator: torch.Generator | None = None
) -> Float[Tensor, "*shape"]:
    """Draw every label from its own probability, softly, so that the draw has a gradient.

    ``yhat = sigmoid((s + log u - log(1 - u)) / T)``, ``u ~ Uniform(0, 1)``: the Gumbel-softmax trick for two outcomes, also called binary
    concrete. ``P(yhat > 1/2) = sigmoid(s)`` at every temperature; towards 0 the draws become exactly 0 or 1
    (Tsai and Lee 2019, section 3.2; Tsai 2019, section 3.3.1).

    Args:
        logits: any shape, unbounded.
        temperature: T, above 0. The thesis calls its 0.9 a temperature, the paper an inverse temperature; the thesis is followed.
        generator: of the random numbers; None takes PyTorch's own.

    Returns:
        Draws in [0, 1], of the logits' shape and type.

    Raises:
        ValueError: for a temperature that is not above 0.

    >>> drawn = gumbel_sigmoid(torch.zeros(1000), 0.01, torch.Generator().manual_seed(0))
    >>> bool(((drawn < 0.01) | (drawn > 0.99)).float().mean() > 0.9), round(float(drawn.round().mean()), 1)
    (True, 0.5)
    """
    check_temperature(temperature)
    wide = torch.promote_types(logits.dtype, torch.float32)  # half precision has too few values near 0 and 1
    uniform = torch.rand(logits.shape, dtype=wide, device=logits.device, generator=generator)
    logistic = torch.logit(uniform, eps=torch.finfo(wide).eps)
    return torch.sigmoid((logits.to(wide) + logistic) / temperature).to(logits.dtype)


def check_temperature(temperature: float) -> float:
    """The temperature, if draws can be made at it."""
    if not temperature > 0:
        raise ValueError(f"the 'temperature' parameter must be above 0, got {temperature!r}")
    return temperature
