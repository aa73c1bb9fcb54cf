"""Newton's method for linear classifiers: nothing is copied or converted for a label, and a solution can start from another."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool, Float
from scipy import special

logger = logging.getLogger(__name__)

Rows: TypeAlias = Float[np.ndarray, " N"]  # a number for each row
Weights: TypeAlias = Float[np.ndarray, " F"]
Loss = Callable[[Rows], tuple[Rows, Rows]]  # margins -> first and second derivative of the loss at each of them

MOST_STEPS = 2000
MOST_CONJUGATE_STEPS = 200  # for one step of Newton's method
INEXACT, LEAST_INEXACT = 0.3, 0.03  # part of the gradient that a step may leave over: with all rows, and with few
EVERY = 8  # rows of the commoner class that one stands for in a first, rough solution
ROUGH = 0.1  # its tolerance
# part of the slope along a step that may be left at its end; with much more, a step ends beyond a kink and the next goes back
LINE_TOLERANCE = 1e-9
MOST_LINE_STEPS = 30


def squared_hinge(margins: Rows) -> tuple[Rows, Rows]:
    """Derivatives of ``max(0, 1 - m)^2``.

    >>> [part.tolist() for part in squared_hinge(np.array([-1.0, 0.5, 2.0]))]
    [[-4.0, -1.0, -0.0], [2.0, 2.0, 0.0]]
    """
    missing = np.maximum(1 - margins, 0.0)
    return -2 * missing, 2.0 * (missing > 0)


def log_loss(margins: Rows) -> tuple[Rows, Rows]:
    """Derivatives of ``log(1 + exp(-m))``.

    >>> [part.tolist() for part in log_loss(np.array([0.0]))]
    [[-0.5], [0.25]]
    """
    wrong = special.expit(-margins)
    return -wrong, wrong * (1 - wrong)


def minimise(features: Any, signs: Rows, costs: Rows, loss: Loss, tolerance: float, start: Weights | None = None) -> Weights:
    """The w that minimises ``||w||^2 / 2 + sum_i c_i loss(y_i w x_i)``.

    Every step solves Newton's equation by conjugate gradients, the more exactly the fewer rows it has, and goes to the lowest point along
    the solution. Rows where the loss is flat take no part; with the squared hinge these are most rows. Nothing is drawn at random.
    Keerthi and DeCoste, "A modified finite Newton method for fast solution of large scale linear SVMs", JMLR 6, 2005.

    Args:
        features: (N, F) float64, dense or csr.
        signs: y (N,), 1 for positive rows and -1 for negative ones.
        costs: c (N,), above 0.
        loss: gives the first and second derivatives of a convex loss.
        tolerance: the gradient at the end is at most so long, as a multiple of its length at ``w = 0`` and of the share of the rarer
            class (liblinear's rule).
        start: (F,), where to begin; None begins at a rough solution for some of the rows.

    Returns:
        (F,) float64.

    >>> minimise(np.array([[1.0], [1.0]]), np.ones(2), np.ones(2), squared_hinge, 1e-6).round(3).tolist()
    [0.8]
    """
    positive = signs > 0
    rarer = positive if 2 * positive.sum() <= len(signs) else ~positive
    weights = _rough_solution(features, signs, costs, loss, rarer) if start is None else start
    margins = signs * (features @ weights)
    steepest = _length(features.T @ (costs * signs * loss(np.zeros(1))[0]))
    enough = tolerance * steepest * max(rarer.sum(), 1) / len(signs)
    for _ in range(MOST_STEPS):
        slopes, curvatures = loss(margins)
        pull, stiffness, rows = costs * signs * slopes, costs * curvatures, features
        sloping = np.flatnonzero(slopes)
        if 2 * len(sloping) < len(signs):
            pull, stiffness, rows = pull[sloping], stiffness[sloping], features[sloping]
        gradient = weights + rows.T @ pull
        if _length(gradient) <= enough:
            return weights
        step = _newton_step(rows, stiffness, gradient, max(INEXACT * len(pull) / len(signs), LEAST_INEXACT))
        change = signs * (features @ step)
        length = _line_search(loss, costs, margins, change, weights @ step, step @ step)
        weights = weights + length * step
        margins = margins + length * change
    logger.warning(
        "a linear classifier stopped after %d steps short of its tolerance of %g; raise tolerance or lower C", MOST_STEPS, tolerance
    )
    return weights


def _rough_solution(features: Any, signs: Rows, costs: Rows, loss: Loss, rarer: Bool[np.ndarray, " N"]) -> Weights:
    """A cheap start: all rows of the rarer class, and every eighth row of the other in the place of eight."""
    nowhere = np.zeros(features.shape[1])
    common = np.flatnonzero(~rarer)[::EVERY]
    some = np.union1d(np.flatnonzero(rarer), common)
    if 2 * len(some) > len(signs):
        return nowhere
    counts = np.where(rarer, 1.0, EVERY)[some]
    return minimise(features[some], signs[some], counts * costs[some], loss, ROUGH, nowhere)


def _newton_step(rows: Any, stiffness: Rows, gradient: Weights, inexact: float) -> Weights:
    """The d with ``(I + X' diag(stiffness) X) d = -gradient``, but for a part ``inexact`` of the gradient."""
    transposed = rows.T
    step, rest = np.zeros_like(gradient), -gradient
    direction, squared = rest.copy(), rest @ rest
    enough = inexact**2 * squared
    for _ in range(MOST_CONJUGATE_STEPS):
        image = transposed @ (stiffness * (rows @ direction)) + direction
        length = squared / (direction @ image)
        step += length * direction
        rest -= length * image
        before, squared = squared, rest @ rest
        if squared <= enough:
            break
        direction *= squared / before
        direction += rest
    return step


def _line_search(loss: Loss, costs: Rows, margins: Rows, change: Rows, linear: float, quadratic: float) -> float:
    """The t where ``||w + t d||^2 / 2 + sum_i c_i loss(m_i + t change_i)`` is lowest: Newton's method on the slope, inside a bracket.

    Args:
        loss: as above.
        costs: c (N,).
        margins: m (N,), those of w.
        change: (N,), what d adds to them.
        linear: w d.
        quadratic: d d.
    """
    weighted = costs * change
    enough = LINE_TOLERANCE * abs(linear + weighted @ loss(margins)[0])
    low, high, length = 0.0, np.inf, 1.0
    for _ in range(MOST_LINE_STEPS):
        slopes, curvatures = loss(margins + length * change)
        slope = linear + length * quadratic + weighted @ slopes
        if abs(slope) <= enough:
            break
        low, high = (length, high) if slope < 0 else (low, length)
        length -= slope / (quadratic + (weighted * change) @ curvatures)
        if not low < length < high:
            length = 2 * low if high == np.inf else (low + high) / 2
    return length


def _length(vector: Weights) -> float:
    return float(np.sqrt(vector @ vector))
