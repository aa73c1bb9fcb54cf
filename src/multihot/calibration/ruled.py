"""Label sets that obey rules, whatever decides: a smallest and a largest size, what labels imply and exclude, a tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse

from ..components import build, split_config
from ..constraints import RULES, Constraints
from ..interfaces import Decision
from ..labels import LabelSpace
from .entries import read_scores, with_cuts_taken


class RuledDecision(Decision):
    """Another decision, and of the label sets that obey the rules the one that is best by its scores, where it breaks them.

    With ``m_l`` the score of label l less what a score must reach there to be chosen, the label set that obeys and maximises
    ``sum_{l in S} m_l``: without rules that is what the decision says itself. So ``at_least: 1`` adds the label that comes nearest.

    Args:
        decision: what decides.
        constraints: the rules.

    >>> from multihot.calibration import FixedDecision
    >>> never_empty = RuledDecision(FixedDecision(), Constraints(LabelSpace(["a", "b"]), at_least=1))
    >>> never_empty([[-2.0, -1.0], [1.0, 2.0]]).tolist()
    [[False, True], [True, True]]
    """

    def __init__(self, decision: Decision, constraints: Constraints):
        self.decision = decision
        self.constraints = constraints
        self.needs_fit = decision.needs_fit  # type: ignore[misc]
        self.promises = decision.promises  # type: ignore[misc]

    @property
    def fitted(self) -> bool:
        return self.decision.fitted

    @property
    def rule(self) -> str:
        return f"{self.decision.rule} {self.constraints.rule}"

    def fit(self, scores: Any, targets: Any, known: Any = None) -> RuledDecision:
        self.decision.fit(scores, targets, known)
        if self.promises and (self.constraints.at_most is not None or self.constraints.between_labels):
            self.decision.withdraw()  # rules that take labels away keep no recall
        return self

    def withdraw(self) -> None:
        self.decision.withdraw()

    def cuts(self, scores: Any) -> Any:
        return self.decision.cuts(scores)

    def __call__(self, scores: Any) -> Any:
        matrix = read_scores(scores)
        chosen = self.decision(matrix)
        rows = np.flatnonzero(self.constraints.broken(chosen))
        if not len(rows):
            return chosen
        some, own = matrix[rows], chosen[rows]
        best = self.constraints.best(with_cuts_taken(some, self.cuts(some), own), own)
        if sparse.issparse(chosen):
            chosen = chosen.tolil()
        chosen[rows] = best
        return chosen.tocsr() if sparse.issparse(chosen) else chosen

    def to_dict(self) -> dict[str, Any]:
        return self.decision.to_dict()

    def load_dict(self, content: dict[str, Any]) -> RuledDecision:
        self.decision.load_dict(content)
        return self


def split_rules(config: str | Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of a decision, and the rules among them.

    >>> split_rules({"name": "global", "measure": "example_f1", "at_least": 1})
    ({'name': 'global', 'measure': 'example_f1'}, {'at_least': 1})
    """
    name, arguments = split_config("decision", config)
    rules = {key: value for key, value in arguments.items() if key in RULES}
    return {"name": name} | {key: value for key, value in arguments.items() if key not in RULES}, rules


def with_at_least_one(config: str | Mapping[str, Any]) -> dict[str, Any]:
    """The decision with ``at_least: 1`` among its rules, unless it says another ``at_least``.

    >>> with_at_least_one("per_label"), with_at_least_one({"name": "global", "at_least": 0})
    ({'name': 'per_label', 'at_least': 1}, {'name': 'global', 'at_least': 0})
    """
    plain, rules = split_rules(config)
    return plain | {"at_least": 1} | rules


def build_decision(config: str | Mapping[str, Any], label_space: LabelSpace, **available: Any) -> Decision:
    """The decision that a configuration names, kept within the rules that stand beside its arguments.

    Args:
        config: a name, or a mapping of the decision's arguments and of rules (see ``Constraints``).
        label_space: the labels.
        **available: what else the decision may want, such as the statistics of the training split.
    """
    plain, rules = split_rules(config)
    decision = build("decision", plain, label_space=label_space, **available)
    constraints = Constraints.from_config(label_space, rules)
    return decision if constraints is None else RuledDecision(decision, constraints)
