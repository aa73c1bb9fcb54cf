"""Where models looked, for the instances of which the runs kept it."""

from __future__ import annotations

from typing import Any

from .reading import Runs

NUMBERS = 250_000  # words and weights, of words or cells, in a page, over all runs


def attention(runs: Runs) -> dict[str, list[dict[str, Any] | None]]:
    """id -> one entry a run: ``words`` or a ``grid``, ``labels`` (in the order in which they were emitted, where they were) and ``weights``
    of each over the words or cells; None for a run that kept nothing of the instance. Whole instances are left out where they would
    make the page large.
    """
    kept = [run.finished.attention if runs.split == "test" else {} for run in runs.runs]
    place = {name: row for row, name in enumerate(runs.ids)}
    found: dict[str, list[dict[str, Any] | None]] = {}
    room = NUMBERS
    for name in dict.fromkeys(name for one in kept for name in one if name in place):
        entries = [_entry(runs, run, one[name], place[name]) if name in one else None for run, one in enumerate(kept)]
        room -= sum(len(entry.get("words", ())) + sum(map(len, entry["weights"])) for entry in entries if entry)
        if room >= 0:
            found[name] = entries
    return found


def _entry(runs: Runs, run: int, kept: dict[str, Any], row: int) -> dict[str, Any]:
    sequences = runs.runs[run].prediction.sequences or []
    own = kept["labels"] if "labels" in kept else sequences[runs.order[run][row]]
    place = {name: kept[name] for name in ("words", "grid") if name in kept}
    return place | {"labels": runs.columns[run][own].tolist(), "weights": kept["weights"]}
