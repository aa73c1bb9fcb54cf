"""What measures are called where people read them."""

from __future__ import annotations

import re

TITLES = {
    "map": "mAP", "lrap": "LRAP", "micro_ap": "micro AP",
    "mean_absolute_error": "MAE", "cumulative_score_5": "CS(5)", "epsilon_error": "epsilon-error",
    "chebyshev": "Chebyshev", "clark": "Clark", "canberra": "Canberra", "kullback_leibler": "KL",
}  # fmt: skip


def title_of(measure: str) -> str:
    """A measure's name as people write it.

    >>> [title_of(name) for name in ("micro_f1", "macro_f1_harmonic", "precision_at_3", "map_tail")]
    ['micro-F1', 'macro-F1 harmonic', 'precision@3', 'mAP tail']
    """
    if measure in TITLES:
        return TITLES[measure]
    words = measure.replace("_at_", "@").replace("_f1", "-f1").replace("example-f1", "example f1").replace("_", " ")
    return re.sub(r"\bmap\b", "mAP", re.sub(r"\bf1\b", "F1", words))
