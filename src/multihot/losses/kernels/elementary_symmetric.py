"""Elementary symmetric polynomials of exponentials: the log-weights of all label sets of each size, together."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from .log_sums import NOTHING


def log_elementary_symmetric(logits: Float[Tensor, "B L"], k: int) -> Float[Tensor, "B k+1"]:
    """``log e_j(e^s)`` for ``j = 0..k``, where ``e_j = sum_{|S| = j} e^{sum_{i in S} s_i}`` runs over the label sets of j labels.

    Source: Su 2020, section 2.1.

    The polynomials ``1 + e^{s_i} x`` are multiplied in pairs, the products in pairs again, in the log domain and up to ``x^k``: log2 L
    rounds, O(L k) in all, only sums of positive terms, so that nothing cancels.

    Args:
        logits: (B, L), unbounded.
        k: size of the largest label set that counts, at least 0.

    Returns:
        (B, k + 1); far below any logit, about -1e30, where there are fewer than j labels.

    >>> import torch
    >>> log_elementary_symmetric(torch.zeros(1, 4), 2).exp()
    tensor([[1., 4., 6.]])
    """
    factors = torch.stack([torch.zeros_like(logits), logits])  # (degree + 1, B, labels): whole slices are worked on
    multiply = _product_by_formula if torch.compiler.is_compiling() else _Product.apply
    while factors.shape[-1] > 1:
        half, odd = divmod(factors.shape[-1], 2)
        product = multiply(factors[..., :half], factors[..., half : 2 * half], k)
        factors = torch.cat([product, _with_degree(factors[..., -1:], len(product))], -1) if odd else product
    return _with_degree(factors[: k + 1, :, 0], k + 1).T


def newton_log_elementary_symmetric(logits: Float[Tensor, "B L"], k: int) -> Float[Tensor, "B k+1"]:
    """The same by Newton's identities, as the source computes it: ``j e_j = sum_{i=1..j} (-1)^{i-1} e_{j-i} P_i`` (Su 2020, section 2.1).

    ``P_i = sum_l e^{i s_l}``. The signs alternate, so that digits cancel: in single precision it is NaN for k = 8 of 80 labels. Kept to
    check ``log_elementary_symmetric``, in double precision and for small k.

    Args:
        logits: (B, L), of moderate size.
        k: size of the largest label set that counts, at least 0.

    Returns:
        (B, k + 1), float64.

    >>> import torch
    >>> newton_log_elementary_symmetric(torch.zeros(1, 4), 2).exp()
    tensor([[1., 4., 6.]], dtype=torch.float64)
    """
    logits = logits.double()
    largest = logits.amax(-1)
    powers = [torch.exp(i * (logits - largest[:, None])).sum(-1) for i in range(1, k + 1)]
    polynomials = [torch.ones_like(largest)]
    for j in range(1, k + 1):
        terms = [(-1) ** (i - 1) * polynomials[j - i] * powers[i - 1] for i in range(1, j + 1)]
        polynomials.append(torch.stack(terms).sum(0) / j)
    return torch.stack([polynomial.log() + j * largest for j, polynomial in enumerate(polynomials)], -1)


def _with_degree(polynomial: Tensor, size: int) -> Tensor:
    missing = size - len(polynomial)
    return torch.cat([polynomial, polynomial.new_full((missing, *polynomial.shape[1:]), NOTHING)]) if missing > 0 else polynomial


def _product_by_formula(left: Tensor, right: Tensor, k: int) -> Tensor:
    """Logarithms of the coefficients of a product of polynomials, up to degree k, from those of the factors."""
    size = min(len(left) + len(right) - 2, k) + 1
    terms = [[left[i] + right[n - i] for i in range(len(left)) if 0 <= n - i < len(right)] for n in range(size)]
    return torch.stack([torch.stack(some).logsumexp(0) for some in terms])


class _Product(torch.autograd.Function):
    """``c_n = log sum_i e^{a_i + b_{n-i}}``; each term's share ``e^{a_i + b_{n-i} - c_n}`` is computed again where it is needed."""

    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor, k: int) -> Tensor:
        size = min(len(left) + len(right) - 2, k) + 1
        largest = left.new_full((size, *left.shape[1:]), -torch.inf)
        for i, spans in _overlaps(left, right, size):
            largest[spans[0]] = torch.maximum(largest[spans[0]], left[i] + right[spans[1]])
        total = torch.zeros_like(largest)
        for i, spans in _overlaps(left, right, size):
            total[spans[0]] += (left[i] + right[spans[1]]).sub_(largest[spans[0]]).exp_()
        product = total.log_().add_(largest)
        ctx.save_for_backward(left, right, product)
        ctx.k = k
        return product

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        left, right, product = ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody differentiates the gradient
            again = _product_by_formula(left, right, ctx.k)
            return *torch.autograd.grad(again, (left, right), upstream, create_graph=True), None
        for_left, for_right = torch.zeros_like(left), torch.zeros_like(right)
        for i, spans in _overlaps(left, right, len(product)):
            shares = (left[i] + right[spans[1]]).sub_(product[spans[0]]).exp_().mul_(upstream[spans[0]])
            for_left[i] = shares.sum(0)
            for_right[spans[1]] += shares
        return for_left, for_right, None


def _overlaps(left: Tensor, right: Tensor, size: int) -> list[tuple[int, tuple[slice, slice]]]:
    """For every coefficient of the left factor: where its terms go in the product, and which of the right factor make them."""
    stops = [(i, min(len(right), size - i)) for i in range(min(len(left), size))]
    return [(i, (slice(i, i + stop), slice(0, stop))) for i, stop in stops]
