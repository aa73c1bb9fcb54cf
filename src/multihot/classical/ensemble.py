"""Several classical methods together: the mean of their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float
from scipy import sparse

from ..components import split_config
from ..errors import ConfigurationError
from ..predictions import ScoreKind
from .base import Classifier, Features, Progress, check_features, check_positive, count_steps, from_config
from .label_distributions import DistributionClassifier

MEMBERS = ({"name": "linear-svm", "cost_sensitive": "micro_f1"}, "label-powerset")


class EnsembleClassifier(Classifier):
    """The mean of the scores of several classical methods on the same features.

    ``s_l(x) = sum_m w_m s_ml(x) / sum_m w_m``. Every score has its neutral point at 0, and so has the mean. Margins and log-odds differ in
    scale, which weights can even out. The sum rule of Kittler et al., "On combining classifiers", IEEE PAMI 20, 1998, on margins.

    Args:
        members: classical methods that score labels, each a name or a mapping with its settings; at least one. By default a cost-sensitive
            linear SVM, which weighs each label, and the label powerset, which weighs label sets whole.
        weights: w, a number above 0 for each member; None counts all alike.
        powers: a number p above 0 for each member, which sees ``sign(x) |x|^p`` in the place of a feature x, each row as long as before
            (power normalisation; Perronnin, Sanchez and Mensink, ECCV 2010). Below 1, large features stand out less. Members that see
            features differently err more apart. None is 1 for all.
        jobs: for members that set none of their own: labels trained at once; None takes all cores. Does not change the result.

    Raises:
        ConfigurationError: for a member that is unknown, cannot work or learns label distributions, or weights that do not fit.

    >>> import numpy as np
    >>> features = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    >>> members = [{"name": "linear-svm", "C": 10}, "logistic"]
    >>> EnsembleClassifier(members, weights=[3, 1]).fit(features, features).chosen([[0.9, 0.1]]).tolist()
    [[True, False]]
    """

    inner: ClassVar[Mapping[str, str]] = {"members": "classical"}

    def __init__(
        self,
        members: Sequence[str | Mapping[str, Any]] = MEMBERS,
        weights: Sequence[float] | None = None,
        powers: Sequence[float] | None = None,
        jobs: int | None = None,
    ):
        where = "classical 'ensemble'"
        if not isinstance(members, Sequence) or isinstance(members, str) or not members:
            raise ConfigurationError(f"{where}: members must be a list of classical methods, at least one, got {members!r}")
        self.members = [_member(place, config, jobs) for place, config in enumerate(members)]
        shares = _numbers("weights", weights, len(members))
        self.weights = shares / shares.sum()
        self.powers = _numbers("powers", powers, len(members))

    def fit(
        self, features: Features, targets: Any, seed: int = 0, unknown: Any = None, progress: Progress | None = None
    ) -> EnsembleClassifier:
        done = count_steps(progress, len(self.members))
        checked = check_features(features)
        for member, power in zip(self.members, self.powers, strict=True):
            member.fit(_raised(checked, power), targets, seed, unknown)
            done()
        return self

    def scores(self, features: Features) -> Float[np.ndarray, "N L"]:
        checked = check_features(features)
        parts = zip(self.weights, self.powers, self.members, strict=True)
        weighted = [weight * member.scores(_raised(checked, power)).astype(np.float64) for weight, power, member in parts]
        return np.stack(weighted).sum(axis=0).astype(np.float32)

    @property
    def score_kind(self) -> ScoreKind:
        """A mean of log-odds is one; anything else in it makes margins."""
        return "log_odds" if {member.score_kind for member in self.members} == {"log_odds"} else "margins"

    @property
    def rule(self) -> str:
        return f"Every label whose mean score over {len(self.members)} classifiers is above 0 is chosen; no threshold was tuned."

    def to_tensors(self) -> dict[str, np.ndarray]:
        return {f"{place}.{name}": part for place, member in enumerate(self.members) for name, part in member.to_tensors().items()}

    def load_tensors(self, tensors: dict[str, np.ndarray]) -> EnsembleClassifier:
        for place, member in enumerate(self.members):
            prefix = f"{place}."
            member.load_tensors({name.removeprefix(prefix): part for name, part in tensors.items() if name.startswith(prefix)})
        return self


def _numbers(name: str, given: Any, members: int) -> Float[np.ndarray, " M"]:
    """A positive number for each member; 1 where none are given."""
    where = "classical 'ensemble'"
    if given is None:
        return np.ones(members)
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != members:
        raise ConfigurationError(f"{where}: {name} must be a list of {members} numbers, one a member, got {given!r}")
    check_positive(where, **{f"{name}[{place}]": number for place, number in enumerate(given)})
    return np.asarray(given, dtype=np.float64)


def _raised(features: Features, power: float) -> Features:
    """Features to a power, signs and lengths of rows kept."""
    if power == 1:
        return features
    matrix = features.copy()
    values = matrix if isinstance(matrix, np.ndarray) else matrix.data
    values[...] = np.sign(values) * np.abs(values) ** power
    before, after = (
        np.sqrt(np.asarray((m * m if isinstance(m, np.ndarray) else m.multiply(m)).sum(axis=1)).ravel()) for m in (features, matrix)
    )
    factors = np.divide(before, after, out=np.ones_like(before), where=after > 0)[:, None]
    return matrix * factors if isinstance(matrix, np.ndarray) else sparse.csr_matrix(matrix.multiply(factors))


def _member(place: int, config: Any, jobs: int | None) -> Classifier:
    """The untrained classifier of a member."""
    name, arguments = split_config(f"classical 'ensemble': members[{place}]", config)
    member = from_config({"name": name} | arguments, jobs=jobs)
    if isinstance(member, DistributionClassifier):
        raise ConfigurationError(f"classical 'ensemble': member '{name}' learns label distributions; take methods that score labels")
    return member
