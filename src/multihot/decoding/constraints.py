"""What a label set must obey, whatever the model thinks: implications, exclusions, a largest size, a tree."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..components import check_keys
from ..errors import ConfigurationError, nearest
from ..labels import LabelSpace


class Constraints:
    """Keeps every label shut that would lead to a label set that breaks a rule, so that search never runs into a dead end.

    Args:
        space: the labels.
        implies: label -> labels that must stand beside it.
        excludes: groups of labels of which a label set may hold one at most.
        at_most: the most labels of a label set.
        parents: child -> parent: a label set that holds the child holds the parent, and whatever is above it.

    Raises:
        ConfigurationError: for an unknown label, an ``at_most`` below 1, or a label that the rules forbid whatever stands beside it.

    >>> rules = Constraints(LabelSpace(["animal", "car", "cat"]), parents={"cat": "animal"}, excludes=[["animal", "car"]])
    >>> rules.open(torch.tensor([[False, False, True]]))  # a cat needs its animal before the set may stop, and is no car
    tensor([[ True, False,  True, False]])
    """

    def __init__(
        self,
        space: LabelSpace,
        implies: Mapping[str, Sequence[str]] | None = None,
        excludes: Sequence[Sequence[str]] = (),
        at_most: int | None = None,
        parents: Mapping[str, str] | None = None,
    ):
        if at_most is not None and at_most < 1:
            raise ConfigurationError(f"constraints: at_most must be at least 1, got {at_most}")
        self.at_most = at_most
        needs = torch.eye(len(space))
        for label, others in [*(implies or {}).items(), *((child, [parent]) for child, parent in (parents or {}).items())]:
            for other in [others] if isinstance(others, str) else others:
                needs[_column(space, label), _column(space, other)] = 1
        self.needs = _closure(needs)  # (L, L): row a holds a and all that it implies
        self.excludes = torch.zeros(len(space), len(space))
        for group in excludes:
            columns = [_column(space, label) for label in group]
            for column in columns:
                self.excludes[column, [other for other in columns if other != column]] = 1
        self._check(space)

    @classmethod
    def from_config(cls, space: LabelSpace, config: Mapping[str, Any] | None) -> Constraints | None:
        """The constraints that a mapping of arguments asks for; none for an empty one."""
        if not config:
            return None
        check_keys(config, inspect.signature(cls).parameters, where="constraints")
        return cls(space, **config)

    def open(self, said: Bool[Tensor, "N L"]) -> Bool[Tensor, "N L+1"]:
        """Which symbols may follow: labels whose needs fit beside those of what was said, and stop once nothing is needed any more."""
        needs, excludes = self.needs, self.excludes = self.needs.to(said.device), self.excludes.to(said.device)
        bound: Float[Tensor, "N L"] = (said.float() @ needs).clamp(max=1)  # what was said, and what it needs
        labels = (bound @ excludes).clamp(max=1) @ needs.T == 0
        if self.at_most is not None:
            labels &= bound.sum(-1, keepdim=True) + (1 - bound) @ needs.T <= self.at_most
        return torch.cat([labels, (bound <= said).all(-1, keepdim=True)], dim=-1)

    def _check(self, space: LabelSpace) -> None:
        torn = ((self.needs @ self.excludes) * self.needs).sum(-1) > 0
        if torn.any():
            name = space.names[int(torn.nonzero()[0])]
            raise ConfigurationError(f"constraints: label '{name}' needs labels that exclude each other; drop one of the rules")
        if self.at_most is not None and (self.needs.sum(-1) > self.at_most).any():
            label = int((self.needs.sum(-1) > self.at_most).nonzero()[0])
            raise ConfigurationError(
                f"constraints: label '{space.names[label]}' comes with {int(self.needs[label].sum()) - 1} others, "
                f"more than at_most {self.at_most} allows"
            )


def _column(space: LabelSpace, name: str) -> int:
    if name not in space.index:
        raise ConfigurationError(f"constraints name '{name}', which is no label; {nearest(str(name), space.names[:50])}")
    return space.index[name]


def _closure(needs: Float[Tensor, "L L"]) -> Float[Tensor, "L L"]:
    """What is needed by what is needed."""
    while True:
        further = (needs @ needs).clamp(max=1)
        if torch.equal(further, needs):
            return needs
        needs = further
