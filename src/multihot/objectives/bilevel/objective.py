"""Learned spreads: how widely a label spreads over its neighbours is what lowers the error on rows held out. [METHODS 2, idea B1]"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.func import functional_call

from ...distributions.axes import label_positions
from ...distributions.gaussian import gaussian
from ...errors import DataError, NotANumberError
from ...interfaces import Model, Objective
from ...labels import LabelSpace
from ...types import Batch, Encoding
from ..scheduled_sampling import check_share
from .hypergradients import Weights, implicit, unrolled
from .spreads import Spread

Outer = Callable[[Float[Tensor, "B L"], Float[Tensor, "B L"], Float[Tensor, " L"]], Float[Tensor, " B"]]


def expected_absolute_error(logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], axis: Float[Tensor, " L"]) -> Float[Tensor, " B"]:
    """How far the expectation of the softmax lies from that of the targets."""
    return (logits.softmax(-1) @ axis - targets @ axis).abs()


def cross_entropy(logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], axis: Float[Tensor, " L"]) -> Float[Tensor, " B"]:
    """Of the softmax against the targets as they were annotated."""
    return F.cross_entropy(logits, targets, reduction="none")


OUTER: dict[str, Outer] = {"absolute_error": expected_absolute_error, "cross_entropy": cross_entropy}
GRADIENTS = ("unrolled", "implicit")
THROUGH = ("scorer", "model")


class BilevelObjective(Objective):
    """Label distributions whose spread is learned on rows held out, by differentiating through steps of training.

    Turn "model", on the rows that are not held out: ``L_in(w, s) = mean KL(gaussian(y, sigma_s) || softmax(logits_w))``, lowered in w.

    Turn "spread": ``L_out(w_K(s))`` on the rows held out, lowered in s, where ``w_{t+1} = w_t - eta grad_w L_in(w_t, s)`` from the weights
    as they are. L_out compares the softmax with the annotated labels, so s enters through w_K alone.

    Which rows are held out follows from their ids, so it is the same in every epoch and in a training that goes on; they never train the
    model. At validation the objective is L_out.

    Args:
        label_space: the labels; their names are numbers.
        width: size of the encoder's pooled vector.
        form: ``"constant"``, ``"per_label"`` or ``"per_instance"``; see ``Spread``.
        start: sigma at the beginning, in the unit of the axis, above 0.
        held_out: share of the training rows, in (0, 1).
        outer: ``"cross_entropy"`` to the annotated label, or ``"absolute_error"`` of the expectation.
        gradient: ``"unrolled"``, through K steps, or ``"implicit"``, by a Neumann series of m terms.
        steps: K, or m, at least 1.
        step_size: eta, above 0; several steps need one below 2 over the largest curvature of L_in, or they diverge.
        through: the weights that the steps move: those of the ``"scorer"``, on the encoding as it is, or of the whole ``"model"``.
        model_updates: turns of the model for each of the spread, at least 1.
        learning_rate_factor: the spread's learning rate as a multiple of the model's, above 0.

    Raises:
        ValueError: for a setting out of range.
        ConfigurationError: if the label names are no numbers.

    >>> objective = BilevelObjective(LabelSpace(["0", "1", "2"]), width=8, model_updates=2)
    >>> objective.turns
    ('model', 'model', 'spread')
    """

    needs = frozenset({"scorer"})

    def __init__(
        self,
        label_space: LabelSpace,
        width: int,
        form: str = "constant",
        start: float = 2.0,
        held_out: float = 0.2,
        outer: str = "cross_entropy",
        gradient: str = "unrolled",
        steps: int = 1,
        step_size: float = 0.1,
        through: str = "scorer",
        model_updates: int = 3,
        learning_rate_factor: float = 20.0,
    ):
        super().__init__()
        for name, value, allowed in (
            ("outer", outer, tuple(OUTER)), ("gradient", gradient, GRADIENTS), ("through", through, THROUGH),
        ):  # fmt: skip
            if value not in allowed:
                raise ValueError(f"the '{name}' parameter must be one of {', '.join(allowed)}, got {value!r}")
        for name, count in {"steps": steps, "model_updates": model_updates}.items():
            if count < 1:
                raise ValueError(f"the '{name}' parameter must be at least 1, got {count!r}")
        for name, size in {"step_size": step_size, "learning_rate_factor": learning_rate_factor}.items():
            if not size > 0:
                raise ValueError(f"the '{name}' parameter must be above 0, got {size!r}")
        if held_out in (0, 1):
            raise ValueError(f"the 'held_out' parameter must lie between 0 and 1, got {held_out!r}; both parts need rows")
        self.axis = torch.from_numpy(label_positions(label_space, 1)[:, 0])  # not a buffer: some devices have no float64
        self.spread = Spread(form, len(label_space), width, start)
        self.held_out = check_share("held_out", held_out)
        self.outer, self.gradient, self.through = OUTER[outer], gradient, through
        self.steps, self.step_size = steps, step_size
        self.turns = (*["model"] * model_updates, "spread")
        self.learning_rate_factor = learning_rate_factor

    def turn_parameters(self, model: Model, turn: str) -> Iterator[nn.Parameter]:
        yield from self.spread.parameters() if turn == "spread" else model.parameters()

    def learning_rate(self, turn: str) -> float:
        return self.learning_rate_factor if turn == "spread" else 1.0

    def forward(self, model: Model, batch: Batch, turn: str = "model", encoding: Encoding | None = None) -> Float[Tensor, ""]:
        """L_in for the model, L_out after steps of training for the spread, L_out as it is at validation."""
        present = batch.known.any(1)
        if not self.training:
            logits = model.score(batch, encoding)[present]
            return mean(self.outer(logits, *self._on_axis(rows_of(batch, present), logits)))
        aside = held_out_rows(batch.ids, self.held_out).to(present.device)
        learned, judged = rows_of(batch, present & ~aside), rows_of(batch, present & aside)
        if turn == "spread":
            return self._spread_loss(model, learned, judged)
        if not len(learned):
            return zero_of(model.parameters())
        encoding = model.encode(learned) if encoding is None else encoding.select((present & ~aside).nonzero()[:, 0])
        with torch.no_grad():
            targets = self._distributions(learned, encoding.pooled)
        return F.cross_entropy(model.score(learned, encoding), targets)

    def _spread_loss(self, model: Model, learned: Batch, judged: Batch) -> Float[Tensor, ""]:
        """L_out on ``judged`` after steps on ``learned``; dropout and batch statistics rest meanwhile."""
        if not len(learned) or not len(judged):
            return zero_of(self.spread.parameters())
        training = model.training
        model.eval()
        try:
            with torch.autocast(learned.targets.device.type, enabled=False):
                with torch.no_grad():
                    encodings = model.encode(learned), model.encode(judged)
                targets = self._distributions(learned, encodings[0].pooled)
                inner, outer = self._losses(model, (learned, judged), encodings, targets)
                weights = dict((model.scorer if self.through == "scorer" else model).named_parameters())  # type: ignore[union-attr]
                weights = {name: weight for name, weight in weights.items() if weight.requires_grad}
                after = unrolled if self.gradient == "unrolled" else implicit
                loss = after(inner, outer, weights, self.steps, self.step_size)
        finally:
            model.train(training)
        if loss.device.type == "cpu" and not torch.isfinite(loss):
            raise NotANumberError(f"bilevel: {self.steps} steps of size {self.step_size:g} diverged; lower objective.step_size or steps")
        return loss

    def _losses(
        self, model: Model, batches: tuple[Batch, Batch], encodings: tuple[Encoding, Encoding], targets: Float[Tensor, "B L"]
    ) -> tuple[Callable[[Weights], Tensor], Callable[[Weights], Tensor]]:
        """L_in and L_out as functions of the weights alone."""
        scores = _Scores(model)

        def logits(weights: Weights, which: int) -> Float[Tensor, "B L"]:
            if self.through == "scorer":
                return functional_call(model.scorer, weights, (encodings[which],))  # type: ignore[arg-type]
            return functional_call(scores, {f"model.{name}": weight for name, weight in weights.items()}, (batches[which],))

        def inner(weights: Weights) -> Float[Tensor, ""]:
            return F.cross_entropy(logits(weights, 0), targets)

        def outer(weights: Weights) -> Float[Tensor, ""]:
            found = logits(weights, 1)
            return self.outer(found, *self._on_axis(batches[1], found)).mean()

        return inner, outer

    def _on_axis(self, batch: Batch, like: Tensor) -> tuple[Float[Tensor, "B L"], Float[Tensor, " L"]]:
        """The annotated targets, each row with sum 1, and the axis."""
        mass = batch.targets.sum(1, keepdim=True)
        if mass.device.type == "cpu" and bool((mass <= 0).any()):
            row = int((mass <= 0).nonzero()[0, 0])
            raise DataError(f"bilevel: instance '{batch.ids[row]}' carries no label, so it has no place on the axis; leave it out")
        return (batch.targets / mass).to(like), self.axis.to(like)

    def _distributions(self, batch: Batch, pooled: Float[Tensor, "B D"]) -> Float[Tensor, "B L"]:
        """Gaussians around the annotated values, as wide as the spread says."""
        targets, axis = self._on_axis(batch, self.spread.raw)
        sigmas = self.spread(targets, pooled)
        self.report(spread=sigmas.mean())
        if self.spread.form != "constant":
            self.report(least_spread=sigmas.min(), largest_spread=sigmas.max())
        return gaussian((targets @ axis).clamp(axis.min(), axis.max()), axis, sigmas)


class _Scores(nn.Module):
    """The model's logits as a forward, which is what ``functional_call`` calls."""

    def __init__(self, model: Model):
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> Float[Tensor, "B L"]:
        return self.model.score(batch)


def held_out_rows(ids: Sequence[str], share: float) -> Bool[Tensor, " B"]:
    """Which rows are held out: by a hash of the id, so that a row's part never changes.

    >>> held_out_rows(["a", "b", "c", "d", "e"], 0.5).tolist() == held_out_rows(["e", "d", "c", "b", "a"], 0.5).flip(0).tolist()
    True
    """
    return torch.tensor([zlib.crc32(str(name).encode()) < share * 2**32 for name in ids], dtype=torch.bool)


def rows_of(batch: Batch, chosen: Bool[Tensor, " B"]) -> Batch:
    """Some instances of a batch."""
    ids = [name for name, taken in zip(batch.ids, chosen.tolist(), strict=True) if taken]
    inputs = {name: tensor[chosen] for name, tensor in batch.inputs.items()}
    return replace(batch, inputs=inputs, targets=batch.targets[chosen], known=batch.known[chosen], ids=ids)


def mean(values: Float[Tensor, " B"]) -> Float[Tensor, ""]:
    """The mean; 0 of nothing."""
    return values.sum() / max(len(values), 1)


def zero_of(parameters: Iterator[nn.Parameter]) -> Float[Tensor, ""]:
    """0, of which every parameter has the gradient 0."""
    return torch.stack([0 * parameter.sum() for parameter in parameters if parameter.requires_grad]).sum()
