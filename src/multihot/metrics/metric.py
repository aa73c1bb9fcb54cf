"""What is said of a metric, wherever it is shown, compared or maximised."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from .counts import Sums

Kind = Literal["label sets", "scores", "label distributions", "positions on an axis"]


@dataclass(frozen=True)
class Metric:
    """One metric: its name and everything that tables, comparisons, reports and documents say of it.

    Args:
        name: the key in ``metrics.json``.
        title: what people call it.
        explanation: what it is, in a few words.
        kind: what it is a metric of.
        better: which values are better.
        bounds: the lowest and the highest value; infinite where there is none.
        headline: shown first, with an interval where there is one, and followed in training curves.
        compared: compared by default, among methods that predict label sets (or, of the other kinds, distributions).
        from_sums: its S values from sums over instances under S weightings; with it, every label-set prediction is measured by it, and it
            can be resampled.
        per_label: ``from_sums`` needs sums over single labels.
        of_rows: its values (N,) for N instances from their true and predicted label distributions, both (N, L).

    >>> Metric("micro_f1", "micro-F1", "over all decisions", "label sets").heading
    'Micro-F1'
    """

    name: str
    title: str
    explanation: str
    kind: Kind
    better: Literal["higher", "lower", "neither"] = "higher"
    bounds: tuple[float, float] = (0.0, 1.0)
    headline: bool = False
    compared: bool = False
    from_sums: Callable[[Sums], np.ndarray] | None = None
    per_label: bool = False
    of_rows: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None

    @property
    def heading(self) -> str:
        """The title with a capital letter, but for names such as mAP."""
        return self.title if self.title[1:2].isupper() else self.title[:1].upper() + self.title[1:]

    @property
    def bounded(self) -> bool:
        return all(map(math.isfinite, self.bounds))
