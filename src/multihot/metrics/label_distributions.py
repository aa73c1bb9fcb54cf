"""The six measures of label distribution learning: how far predicted label distributions are from the true ones."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from ..errors import DataError
from .inputs import as_matrix
from .metric import Metric
from .sets import mean

TOLERANCE = 1e-3  # by which a row in 32 bits may miss one
LEAST = float(np.finfo(np.float32).tiny)  # a predicted degree of 0 counts as this, so that one row makes no mean infinite

RowMeasure = Callable[[np.ndarray, np.ndarray], np.ndarray]  # targets (N, L), degrees (N, L) -> (N,)


def chebyshev(targets: Any, degrees: Any) -> float:
    """Mean over instances of the largest difference of a label's degrees, ``max_k |y_k - p_k|``; 0 is the best.

    Args:
        targets: (N, L), the true label distributions: at least 0, rows sum to 1; dense, sparse or torch.
        degrees: (N, L), the predicted ones.

    Returns:
        The mean, in [0, 1].

    Raises:
        DataError: naming the row of a shape or value that cannot be meant; so do the five below.

    >>> round(chebyshev([[0.2, 0.3, 0.5]], [[0.4, 0.3, 0.3]]), 3)
    0.2
    """
    return _mean("chebyshev", targets, degrees)


def clark(targets: Any, degrees: Any) -> float:
    """Mean over instances of ``sqrt(sum_k (y_k - p_k)^2 / (y_k + p_k)^2)``, where 0/0 is 0; 0 is the best, ``sqrt(L)`` the worst.

    >>> round(clark([[0.5, 0.5, 0.0]], [[0.5, 0.0, 0.5]]), 3)
    1.414
    """
    return _mean("clark", targets, degrees)


def canberra(targets: Any, degrees: Any) -> float:
    """Mean over instances of ``sum_k |y_k - p_k| / (y_k + p_k)``, where 0/0 is 0; 0 is the best, L the worst.

    >>> canberra([[0.5, 0.5, 0.0]], [[0.5, 0.0, 0.5]])
    2.0
    """
    return _mean("canberra", targets, degrees)


def kullback_leibler(targets: Any, degrees: Any) -> float:
    """Mean over instances of ``sum_k y_k log(y_k / p_k)``, where 0 log 0 is 0; 0 is the best.

    A predicted degree below 1.2e-38, the least that 32 bits hold, counts as that.

    >>> round(kullback_leibler([[1.0, 0.0]], [[0.5, 0.5]]), 4)
    0.6931
    """
    return _mean("kullback_leibler", targets, degrees)


def cosine(targets: Any, degrees: Any) -> float:
    """Mean over instances of ``sum_k y_k p_k / (|y| |p|)``; 1 is the best.

    >>> round(cosine([[1.0, 0.0]], [[0.5, 0.5]]), 4)
    0.7071
    """
    return _mean("cosine", targets, degrees)


def intersection(targets: Any, degrees: Any) -> float:
    """Mean over instances of ``sum_k min(y_k, p_k)``, the mass that both share; 1 is the best.

    >>> intersection([[1.0, 0.0]], [[0.5, 0.5]])
    0.5
    """
    return _mean("intersection", targets, degrees)


def each_instance(targets: Any, degrees: Any) -> dict[str, Float[np.ndarray, " N"]]:
    """All six measures before the mean over instances; arguments and errors as in ``chebyshev``.

    >>> each_instance([[1.0, 0.0], [0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]])["intersection"].tolist()
    [0.5, 1.0]
    """
    true, given = _read(targets, degrees)
    return {name: of_rows(true, given) for name, of_rows in OF_ROWS.items()}


def _kullback_leibler(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    return (y * (np.log(np.where(y > 0, y, 1)) - np.log(np.maximum(p, LEAST)))).sum(axis=1)


def _cosine(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    return (y * p).sum(axis=1) / (np.linalg.norm(y, axis=1) * np.linalg.norm(p, axis=1))


def _relative(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """``|y - p| / (y + p)``, with 0/0 = 0."""
    return np.divide(np.abs(y - p), y + p, out=np.zeros_like(y), where=y + p > 0)


def _metric(
    name: str, title: str, explanation: str, of_rows: RowMeasure, best: float, bounds: tuple[float, float], headline: bool = False
) -> Metric:
    better: Literal["higher", "lower"] = "higher" if best else "lower"
    return Metric(
        name, title, f"{explanation}; {best:g} is best", "label distributions", better, bounds, headline, True, mean(name), of_rows=of_rows
    )


DISTRIBUTION_METRICS = (
    _metric("chebyshev", "Chebyshev", "largest difference of a label's degrees", lambda y, p: np.abs(y - p).max(axis=1), 0, (0, 1)),
    _metric(
        "clark", "Clark", "root of squared relative differences", lambda y, p: np.sqrt((_relative(y, p) ** 2).sum(axis=1)), 0, (0, inf)
    ),
    _metric("canberra", "Canberra", "sum of relative differences", lambda y, p: _relative(y, p).sum(axis=1), 0, (0, inf)),
    _metric("kullback_leibler", "KL divergence", "from the true distribution", _kullback_leibler, 0, (0, inf), headline=True),
    _metric("cosine", "cosine", "of the angle between the distributions", _cosine, 1, (0, 1), headline=True),
    _metric("intersection", "intersection", "mass that both share", lambda y, p: np.minimum(y, p).sum(axis=1), 1, (0, 1), headline=True),
)
OF_ROWS = {metric.name: metric.of_rows for metric in DISTRIBUTION_METRICS if metric.of_rows is not None}


def _mean(name: str, targets: Any, degrees: Any) -> float:
    return float(OF_ROWS[name](*_read(targets, degrees)).mean())


def _read(targets: Any, degrees: Any) -> tuple[np.ndarray, np.ndarray]:
    read = [check_distributions(name, values) for name, values in (("targets", targets), ("degrees", degrees))]
    if read[0].shape != read[1].shape or not len(read[0]):
        raise DataError(
            f"degrees have shape {read[1].shape}, but targets {read[0].shape}; both must be (N, L) of the same instances, one at least"
        )
    return read[0], read[1]


def check_distributions(name: str, values: Any) -> Float[np.ndarray, "N L"]:
    """A matrix of distributions in 64 bits; refuses a row with a negative degree or a sum other than 1."""
    matrix = as_matrix(name, values)
    dense = np.asarray(matrix if isinstance(matrix, np.ndarray) else matrix.toarray(), dtype=np.float64)
    mass = dense.sum(axis=1)
    for wrong, what in ((~(dense >= 0).all(axis=1), "holds a degree that is negative or no number"), (np.abs(mass - 1) > TOLERANCE, "")):
        if wrong.any():
            row = int(np.argmax(wrong))
            said = what or f"sums to {mass[row]:.4g}"
            raise DataError(f"{name}, row {row}: {said}; the degrees of a label distribution must be at least 0 and sum to 1")
    return dense
