"""Labels that lie on an axis, such as ages: what a distribution says about where an instance lies, and how wrong that is."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np
from jaxtyping import Float

from ..errors import ConfigurationError, DataError
from .label_distributions import check_distributions
from .metric import Metric
from .sets import mean

THETA = 5.0  # the largest error that the cumulative score of a run forgives, in units of the axis


def expectation(degrees: Any, positions: Any) -> Float[np.ndarray, "N d"]:
    """The mean of each distribution, ``sum_k p_k a_k`` (Gao et al. 2017).

    Args:
        degrees: (N, L), rows at least 0, summing to 1.
        positions: (L, d), or (L,) for d = 1: where the labels lie.

    Returns:
        (N, d).

    Raises:
        DataError: for rows that are no distributions, or another number of positions than of labels; so do those below.

    >>> expectation([[0.25, 0.75]], [20, 30]).tolist()
    [[27.5]]
    """
    given, axis = _read(degrees, positions)
    return given @ axis


def mode(degrees: Any, positions: Any) -> Float[np.ndarray, "N d"]:
    """Where the label of the largest degree lies, the first of ties (Gao et al. 2017); arguments and returns as in ``expectation``.

    >>> mode([[0.25, 0.75]], [20, 30]).tolist()
    [[30.0]]
    """
    given, axis = _read(degrees, positions)
    return axis[given.argmax(axis=1)]


def median(degrees: Any, positions: Any) -> Float[np.ndarray, "N 1"]:
    """The first position up to which a distribution has half of its mass; arguments as in ``expectation``, d = 1.

    >>> median([[0.3, 0.3, 0.4]], [20, 30, 40]).tolist()
    [[30.0]]
    """
    return quantile(degrees, positions, 0.5)


def interval(degrees: Any, positions: Any, level: float = 0.9) -> Float[np.ndarray, "N 2"]:
    """The central interval of each distribution: from the quantile at ``(1 - level) / 2`` to that at ``(1 + level) / 2``.

    Args:
        degrees: (N, L), rows at least 0, summing to 1.
        positions: (L,) or (L, 1).
        level: the mass that the interval holds at least, in (0, 1).

    Returns:
        (N, 2), lower and upper ends; both are positions of labels.

    Raises:
        ConfigurationError: for a level outside (0, 1).
        DataError: as ``expectation``.

    >>> interval([[0.05, 0.45, 0.45, 0.05]], [1, 2, 3, 4], level=0.8).tolist()
    [[2.0, 3.0]]
    """
    if not 0 < level < 1:
        raise ConfigurationError(f"level must lie between 0 and 1, got {level}; for example 0.9")
    return np.hstack([quantile(degrees, positions, (1 - level) / 2), quantile(degrees, positions, (1 + level) / 2)])


def quantile(degrees: Any, positions: Any, share: float) -> Float[np.ndarray, "N 1"]:
    """The first position up to which a distribution has ``share`` of its mass; labels may stand in any order.

    >>> quantile([[0.4, 0.6]], [30, 20], 0.7).tolist()
    [[30.0]]
    """
    given, axis = _read(degrees, positions)
    if axis.shape[1] != 1:
        raise DataError(f"labels lie on {axis.shape[1]} axes, and only one axis has quantiles; take the expectation or the mode")
    order = np.argsort(axis[:, 0], kind="stable")
    mass = np.cumsum(given[:, order], axis=1)
    # sums of 32-bit degrees may miss the share by a rounding error
    reached = mass >= share * mass[:, -1:] - 1e-9
    return axis[order][reached.argmax(axis=1)]


def _error(name: str, title: str, explanation: str, **more: Any) -> Metric:
    settings = {"better": "lower", "bounds": (0.0, inf)} | more
    return Metric(name, title, explanation, "positions on an axis", from_sums=mean(name), **settings)


AXIS_METRICS = (
    _error("mean_absolute_error", "MAE", "distance from the true position, in units of the axis; 0 is best", headline=True, compared=True),
    _error(
        f"cumulative_score_{THETA:g}", f"CS({THETA:g})", f"instances whose value is at most {THETA:g} from the true position",
        better="higher", bounds=(0.0, 1.0), headline=True, compared=True,
    ),
    _error("epsilon_error", "epsilon-error", "error against the spread of the annotators; 0 is best", bounds=(0.0, 1.0), compared=True),
    _error("mean_absolute_error_expectation", "MAE of the expectation", "whatever value the method itself reads"),
    _error("mean_absolute_error_median", "MAE of the median", "whatever value the method itself reads"),
    _error("mean_absolute_error_mode", "MAE of the mode", "whatever value the method itself reads"),
)  # fmt: skip

# how a distribution becomes one value
READINGS: dict[str, Callable[[Any, Any], np.ndarray]] = {"expectation": expectation, "median": median, "mode": mode}


def mean_absolute_error(values: Any, predicted: Any) -> float:
    """Mean over instances of ``|y - y'|``; on two axes the Euclidean distance.

    Args:
        values: (N,) or (N, d), where the instances lie; NaN where nobody knows.
        predicted: of the same shape, where they are said to lie.

    Returns:
        The mean over the instances whose place is known, in units of the axis; NaN where none is.

    Raises:
        DataError: if the shapes differ; so do those below.

    >>> mean_absolute_error([20, 30], [22, 29])
    1.5
    """
    return _known_mean(distances(values, predicted))


def cumulative_score(values: Any, predicted: Any, theta: float = THETA) -> float:
    """CS(theta): the share of instances whose error is at most ``theta``; arguments as in ``mean_absolute_error``.

    >>> cumulative_score([20, 30], [22, 40], theta=5)
    0.5
    """
    return _known_mean(within(distances(values, predicted), theta))


def epsilon_error(values: Any, predicted: Any, spreads: Any) -> float:
    """The epsilon-error of apparent ages, mean over instances of ``1 - exp(-(y - y')^2 / (2 sigma^2))`` (Gao et al. 2017).

    Args:
        values: (N,) or (N, d), the mean of an instance's annotators.
        predicted: of the same shape.
        spreads: (N,), their standard deviation; where it is 0, only an exact prediction has no error.

    Returns:
        The mean, in [0, 1].

    >>> round(epsilon_error([20.0], [22.0], [2.0]), 4)
    0.3935
    """
    return _known_mean(epsilon_errors(distances(values, predicted), np.asarray(spreads, dtype=np.float64)))


def distances(values: Any, predicted: Any) -> Float[np.ndarray, " N"]:
    """The error of each instance, ``|y - y'|``; NaN where nobody knows."""
    true, given = (np.asarray(one, dtype=np.float64) for one in (values, predicted))
    if true.ndim not in (1, 2) or true.shape != given.shape:
        raise DataError(f"values have shape {true.shape}, but predicted {given.shape}; both must be (N,) or (N, d) of the same instances")
    return np.linalg.norm((true - given).reshape(len(true), -1), axis=1)


def within(errors: Float[np.ndarray, " N"], theta: float = THETA) -> Float[np.ndarray, " N"]:
    """1 where an error is at most theta, else 0; NaN where it is not known."""
    return np.where(np.isnan(errors), np.nan, errors <= theta)


def epsilon_errors(errors: Float[np.ndarray, " N"], spreads: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """``1 - exp(-error^2 / (2 sigma^2))`` of each instance."""
    if spreads.shape != errors.shape or (spreads < 0).any():
        raise DataError(f"spreads must be {errors.shape} standard deviations, at least 0, got shape {spreads.shape}")
    ratio = np.divide(errors, spreads, out=np.where(errors > 0, np.inf, errors), where=spreads > 0)
    return np.where(np.isnan(spreads), np.nan, 1 - np.exp(-(ratio**2) / 2))


def _known_mean(each: np.ndarray) -> float:
    known = each[~np.isnan(each)]
    return float(known.mean()) if len(known) else float("nan")


def _read(degrees: Any, positions: Any) -> tuple[np.ndarray, np.ndarray]:
    given, axis = check_distributions("degrees", degrees), np.asarray(positions, dtype=np.float64)
    axis = axis[:, None] if axis.ndim == 1 else axis
    if axis.ndim != 2 or len(axis) != given.shape[1]:
        raise DataError(f"positions have shape {axis.shape}, but there are {given.shape[1]} labels; give one position a label")
    return given, axis
