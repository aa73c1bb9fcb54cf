"""Few-shot learning with label distributions: train on some labels, then tell others apart from a few rows of each. [METHODS 2, idea B2]"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..components import allowing, build, check_keys, dotted_paths, find, split_config
from ..data import MultiLabelData
from ..errors import ConfigurationError, nearest
from ..interfaces import Encoder, Processor
from ..labels import LabelStatistics
from ..method import Method
from ..metrics import expectation
from ..metrics.significance import spread
from ..parts import Part
from .episodes import (
    Episode,
    Pool,
    accuracy,
    check_labels,
    draw_episode,
    head_logits,
    pool_of,
    prototype_logits,
    prototypes,
    restricted,
    split_labels,
    stacked,
)  # fmt: skip

FORMS = ("prototypical", "fine-tuning")
BATCH = 256  # rows encoded at once
CHUNK = 50  # episodes whose heads are trained at once
NORMAL = 1.959964  # 97.5 % quantile
Advance = Callable[[int], None]  # told how many episodes or updates are done


@dataclass(frozen=True)
class FewShotSettings:
    """What is compared, and on how much.

    Args:
        shots: rows of each novel label to learn from, one table row each.
        distributions: what the labels become: names of distributions, or mappings with their arguments.
        form: ``"prototypical"``: episodes of base labels train the encoder, a label's prototype is the mean of its rows; or
            ``"fine-tuning"``: base labels train encoder and head, every novel episode a new head.
        episodes: novel episodes for each number of shots and seed.
        ways: labels an episode.
        queries: rows of each label to be tested on.
        updates: of the training on base labels; a prototypical one is an episode.
        novel: share of the labels kept for testing, in (0, 1).
        encoder: an encoder; None takes the quick default of the data's modality.
        learning_rate: Adam's.
        seeds: each draws its own base and novel labels, weights and episodes.

    Raises:
        ConfigurationError: for a setting out of range.
    """

    shots: Sequence[int] = (1, 5, 10)
    distributions: Sequence[str | dict[str, Any]] = ("gaussian",)
    form: str = "prototypical"
    episodes: int = 200
    ways: int = 5
    queries: int = 5
    updates: int = 400
    novel: float = 0.4
    encoder: Part = None
    learning_rate: float = 1e-3
    seeds: Sequence[int] = (0, 1, 2)

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise ConfigurationError(f"there is no few-shot form '{self.form}'; {nearest(self.form, FORMS)}")
        counts = {"shots": min(self.shots, default=0), "episodes": self.episodes, "queries": self.queries, "updates": self.updates}
        for name, count in counts.items():
            if count < 1:
                raise ConfigurationError(f"few-shot: {name} must be at least 1, got {count}")
        if self.ways < 2:
            raise ConfigurationError(f"few-shot: ways must be at least 2 labels an episode, got {self.ways}")
        if not 0 < self.novel < 1 or not self.learning_rate > 0:
            raise ConfigurationError(
                f"few-shot: novel must lie in (0, 1) and learning_rate above 0, got {self.novel}, {self.learning_rate}"
            )
        if not self.seeds or not self.distributions:
            raise ConfigurationError("few-shot: name at least one seed and one distribution")
        for part in self.distributions:
            name, arguments = split_config("distribution", part)
            _check_arguments(name, arguments)

    def total(self) -> int:
        """Updates and episodes in all, for a progress bar."""
        return len(self.seeds) * len(self.distributions) * (self.updates + len(self.shots) * self.episodes)


def few_shot(data: MultiLabelData, settings: FewShotSettings, advance: Advance = lambda count: None) -> dict[str, Any]:
    """Train on base labels and test on novel ones, for every distribution, number of shots and seed.

    All distributions of a seed meet the same labels and the same episodes.

    Args:
        data: whose splits are taken together; a row belongs to the label that it carries most.
        settings: what is compared.
        advance: told how many updates or episodes are done since the last call.

    Returns:
        ``{"data", "settings", "labels", "results", "seconds"}``. Each of the results has ``distribution``, ``shots``, ``accuracy`` and,
        where labels lie on an axis, ``mean_absolute_error`` of the expectation among the episode's labels; a measure has ``mean``,
        ``over_episodes`` (normal interval, seeds taken as they are), ``over_seeds`` (t-interval; None for one seed), ``each_seed``.

    Raises:
        DataError: if too few labels have enough rows.
        ConfigurationError: for an encoder or a distribution that does not fit the data.
    """
    began = time.perf_counter()
    pool = pool_of(data, max(settings.shots) + settings.queries)
    check_labels(pool, data.name, settings.ways, max(settings.shots), settings.queries)
    found: dict[tuple[int, int], list[dict[str, list[float]]]] = {}
    for seed in settings.seeds:
        base, novel = split_labels(sorted(pool.rows_of_label), settings.novel, settings.ways, seed)
        for number, distribution in enumerate(settings.distributions):
            learner = Learner(data, pool, settings, distribution, base, seed)
            learner.train(advance)
            for shots in settings.shots:
                found.setdefault((number, shots), []).append(learner.evaluate(novel, shots, advance))
    results = [
        {"distribution": settings.distributions[number], "shots": shots}
        | {name: summary([one[name] for one in seeds]) for name in seeds[0]}
        for (number, shots), seeds in found.items()
    ]
    return {
        "data": data.name, "settings": asdict(settings), "labels": len(pool.rows_of_label), "results": results,
        "seconds": time.perf_counter() - began,
    }  # fmt: skip


class Learner:
    """One encoder, trained on the base labels of one seed with one kind of label distribution.

    Args:
        data: for its modality.
        pool: all rows.
        settings: how it trains.
        distribution: what its targets become.
        base: the columns of the labels it may see.
        seed: of weights and episodes.
    """

    def __init__(
        self, data: MultiLabelData, pool: Pool, settings: FewShotSettings, distribution: str | dict[str, Any], base: list[int], seed: int
    ):
        torch.manual_seed(seed)
        self.pool, self.settings, self.seed = pool, settings, seed
        self.base = {label: pool.rows_of_label[label] for label in base}
        seen = np.concatenate(list(self.base.values()))
        named = dotted_paths([settings.encoder, distribution])  # settings never come from a file
        with allowing(*named):
            method = Method(encoder=settings.encoder).for_modality(data.modality).check(data.modality)
            processor = method.build_processor(num_features=data.num_features)
        self.processor: Processor = processor.fit(pool.rows.select(seen))
        self.rows = self.processor.prepare(pool.rows)
        statistics = LabelStatistics.from_targets(pool.targets[seen])
        labels: dict[str, Any] = {"num_labels": len(pool.space), "label_space": pool.space, "statistics": statistics}
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        with allowing(*named):
            self.encoder: Encoder = method.build_encoder(self.processor, **labels).to(self.device)
            spread_out = build("distribution", distribution, **labels)
        self.degrees: Float[Tensor, "N L"] = spread_out(torch.from_numpy(pool.targets.toarray())).float()

    def train(self, advance: Advance) -> None:
        """Lower the divergence from the label distributions of base rows, in episodes or with a head for all base labels."""
        random = np.random.default_rng([self.seed, 0])
        head = nn.Linear(self.encoder.width, len(self.base)).to(self.device) if self.settings.form == "fine-tuning" else None
        parameters = [*self.encoder.parameters(), *(head.parameters() if head else ())]
        optimiser = torch.optim.Adam([one for one in parameters if one.requires_grad], lr=self.settings.learning_rate)
        self.encoder.train()
        for _ in range(self.settings.updates):
            logits, degrees = self._episode(random) if head is None else self._batch(random, head)
            optimiser.zero_grad()
            F.cross_entropy(logits, degrees.to(self.device)).backward()
            optimiser.step()
            advance(1)

    def _episode(self, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        settings = self.settings
        ways = min(settings.ways, len(self.base))
        episode = draw_episode(self.base, ways, int(random.choice(settings.shots)), settings.queries, random)
        encoded = self.encode(np.concatenate([episode.support, episode.queries]))
        support, queries = encoded[: len(episode.support)], encoded[len(episode.support) :]
        centres = prototypes(support, restricted(self.degrees, episode.support, episode.labels).to(self.device))
        return prototype_logits(queries, centres), restricted(self.degrees, episode.queries, episode.labels)

    def _batch(self, random: np.random.Generator, head: nn.Module) -> tuple[Tensor, Tensor]:
        labels = np.asarray(sorted(self.base))
        drawn = random.choice(
            np.concatenate(list(self.base.values())), self.settings.ways * (min(self.settings.shots) + self.settings.queries)
        )
        return head(self.encode(drawn)), restricted(self.degrees, drawn, labels)

    def encode(self, rows: Int[np.ndarray, " R"]) -> Float[Tensor, "R D"]:
        """The pooled vectors of some rows."""
        columns = self.rows[rows.tolist()]
        records = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        inputs = {name: tensor.to(self.device) for name, tensor in self.processor.collate(records).items()}
        return self.encoder(inputs).pooled

    def evaluate(self, novel: list[int], shots: int, advance: Advance) -> dict[str, list[float]]:
        """Every measure of every novel episode; the episodes follow from seed and shots alone."""
        settings, random = self.settings, np.random.default_rng([self.seed, 1, shots])
        rows_of_label = {label: self.pool.rows_of_label[label] for label in novel}
        episodes = [draw_episode(rows_of_label, settings.ways, shots, settings.queries, random) for _ in range(settings.episodes)]
        encodings = self._encode_all(np.unique(np.concatenate(list(rows_of_label.values()))))
        measured: dict[str, list[float]] = {}
        for start in range(0, len(episodes), CHUNK):
            some = episodes[start : start + CHUNK]
            logits = self._logits(some, encodings)
            for episode, probabilities in zip(some, logits.double().softmax(-1).cpu().numpy(), strict=True):
                for name, value in self._measures(episode, probabilities).items():
                    measured.setdefault(name, []).append(value)
            advance(len(some))
        return measured

    @torch.no_grad()
    def _encode_all(self, rows: Int[np.ndarray, " R"]) -> Float[Tensor, "N D"]:
        """The pooled vectors of some rows, at their places among all rows."""
        self.encoder.eval()
        found = torch.zeros(len(self.rows), self.encoder.width, device=self.device)
        for start in range(0, len(rows), BATCH):
            some = rows[start : start + BATCH]
            found[torch.from_numpy(some).to(self.device)] = self.encode(some)
        return found

    def _logits(self, episodes: list[Episode], encodings: Float[Tensor, "N D"]) -> Float[Tensor, "E Q n"]:
        support, queries = stacked(episodes, encodings)
        degrees = torch.stack([restricted(self.degrees, one.support, one.labels) for one in episodes]).to(self.device)
        if self.settings.form == "prototypical":
            return prototype_logits(queries, prototypes(support, degrees))
        return head_logits(support, degrees, queries)

    def _measures(self, episode: Episode, probabilities: Float[np.ndarray, "Q n"]) -> dict[str, float]:
        found = {"accuracy": accuracy(probabilities, self.pool.targets[episode.queries][:, episode.labels].toarray())}
        if (axis := self.pool.space.positions) is not None:
            places = axis[episode.labels]
            errors = expectation(probabilities, places) - np.repeat(places, self.settings.queries, axis=0)
            found["mean_absolute_error"] = float(np.linalg.norm(errors, axis=1).mean())
        return found


def summary(seeds: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Mean and intervals of a measure, given for every episode of every seed."""
    values = np.asarray(seeds, dtype=np.float64)
    means = values.mean(axis=1)
    within = values.var(axis=1, ddof=1).mean() / values.size if values.shape[1] > 1 else np.nan
    half = NORMAL * float(np.sqrt(within))
    over = spread(means.tolist())
    return {
        "mean": over.mean,
        "over_episodes": [over.mean - half, over.mean + half],
        "over_seeds": [over.low, over.high] if over.seeds > 1 else None,
        "each_seed": means.tolist(),
    }


def takes_sigma(name: str) -> bool:
    """Whether a distribution has a spread to be set."""
    return "sigma" in _parameters(name)


def _check_arguments(name: str, arguments: dict[str, Any]) -> None:
    check_keys(arguments, set(_parameters(name)), where=f"distribution '{name}'")


def _parameters(name: str) -> Mapping[str, inspect.Parameter]:
    """What the constructor of a distribution takes."""
    with allowing(*dotted_paths(name)):
        return inspect.signature(find("distribution", name)).parameters
