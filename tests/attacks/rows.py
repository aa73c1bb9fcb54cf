"""The table that the attacks fill: what was tried, how often, and how often it was survived."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any


class Row:
    """One line of the table; a test that fills it asserts at its end that ``faults`` is empty.

    Args:
        what: what is attacked and how.
    """

    def __init__(self, what: str):
        self.content: dict[str, Any] = {"what": what, "tried": 0, "survived": 0, "outcomes": {}, "faults": []}

    def tried(self, case: object, fault: str = "", outcome: str = "the same") -> None:
        """Count one attack.

        Args:
            case: what was done, so that anyone can do it again.
            fault: what went wrong; nothing where it was survived.
            outcome: how it was survived.
        """
        self.content["tried"] += 1
        self.content["survived"] += not fault
        name = "not survived" if fault else outcome
        self.content["outcomes"][name] = self.content["outcomes"].get(name, 0) + 1
        if fault:
            self.content["faults"].append(f"{case}: {fault}")

    @property
    def faults(self) -> list[str]:
        return self.content["faults"]


def collect(reports: Iterable[Any]) -> list[dict[str, Any]]:
    """The rows of all tests that have run, those of one name as one."""
    rows: dict[str, dict[str, Any]] = {}
    for report in reports:
        for name, content in getattr(report, "user_properties", []):
            if name != "attack" or report.when != "call":
                continue
            row = rows.setdefault(
                content["what"], {**content, "tried": 0, "survived": 0, "outcomes": Counter(), "faults": [], "left out": []}
            )
            row["tried"] += content["tried"]
            row["survived"] += content["survived"]
            row["outcomes"].update(content["outcomes"])
            row["faults"] += content["faults"]
            if report.skipped:
                row["left out"].append(str(report.longrepr[2]).removeprefix("Skipped: "))
            elif report.failed and not any(given["faults"] for key, given in report.user_properties if key == "attack"):
                row["faults"].append(f"the attack itself broke: {str(report.longrepr).splitlines()[-1]}")
    return list(rows.values())


def markdown(rows: Iterable[dict[str, Any]]) -> str:
    """The table as documents show it."""
    lines = ["| what | tried | survived | how |", "|---|---|---|---|"]
    for row in rows:
        how = "; ".join(f"{name}: {count}" for name, count in sorted(row["outcomes"].items()))
        how = "; ".join(filter(None, [how, *(f"left out: {why}" for why in row["left out"])]))
        lines.append(f"| {row['what']} | {row['tried']} | {row['survived']} | {how} |")
    return "\n".join(lines)


def write(path: Path, form: str, seed: int, rows: list[dict[str, Any]]) -> None:
    """Write all figures and faults as JSON."""
    import multihot

    content = {"form": form, "seed": seed, "multihot": multihot.__version__, "python": platform.python_version(), "rows": rows}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content | {"platform": platform.platform()}, indent=1, default=dict) + "\n", encoding="utf-8")
