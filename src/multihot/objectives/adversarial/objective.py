"""Adversarial label dependency: a discriminator tells true label sets from predicted ones, the classifier learns to pass for true."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from ...components import check_keys
from ...interfaces import Encoder, Loss, Model, Objective
from ...types import Batch, Encoding
from ..scheduled_sampling import check_share
from .discriminator import Discriminator
from .gumbel import check_temperature, gumbel_sigmoid
from .penalty import between, gradient_norms

# variant -> what a score costs where it should be high
COSTS: dict[str, Callable[[Tensor], Tensor]] = {
    "wgan-gp": torch.neg,
    "wgan": torch.neg,  # its discriminator's parameters are clipped
    "gan": lambda scores: F.softplus(-scores),  # -log sigmoid(D): the gradient that does not vanish while D wins
}


class AdversarialObjective(Objective):
    """The classifier as generator of label sets, against a discriminator that learns which sets go with which instance.

    Source: Tsai and Lee 2019; Tsai 2019, chapter 3.

    ``yhat = gumbel_sigmoid(s, T)``; ``y'`` a different label set of the batch; ``y* = u y + (1 - u) yhat``;

    ``L_D = -E D(y, x) + 1/2 E D(yhat, x) + 1/2 E D(y', x) + lambda E (||grad D(y*, x)|| - 1)^2``
    (Tsai and Lee 2019, eqs. 4, 5; Tsai 2019, eqs. 3.4, 3.5)

    ``L_G = -weight E D(yhat, x) + alpha L`` (Tsai and Lee 2019, eqs. 2, 3; Tsai 2019, eqs. 3.2, 3.3)

    The training begins with ``L`` alone; then the discriminator takes over a frozen copy of the encoder to see instances with, and both
    learn in turn. Only weights of that second phase may be kept as the best. For predictions only the classifier is used.

    Args:
        loss: L, of the classifier's logits, whose scores must be log-odds; the papers take binary cross entropy.
        num_labels: number of labels.
        width: size of the encoder's pooled vector.
        variant: ``"wgan-gp"``; ``"wgan"``, with clipped parameters and no penalty (Tsai 2019, eq. 2.23); or ``"gan"``, the original game of
            cross entropies (Tsai 2019, eq. 2.18), with ``-log sigmoid(D(yhat, x))`` for the classifier.
        alpha: weight of L beside the discriminator, at least 0.
        weight: weight of the discriminator's score, at least 0; at 0 nothing but L is trained, in every update.
        pretraining: share of the training that is L alone, in [0, 1].
        discriminator_updates: updates of the discriminator for each of the classifier, at least 1; for audio the thesis takes 2.
        temperature: T of the drawn label sets, above 0.
        penalty: lambda, at least 0; only for ``"wgan-gp"``.
        clip: largest size of a parameter of the discriminator, above 0; only for ``"wgan"``; at 0.01 eight layers pass nothing on.
        mismatched: show the discriminator label sets of other instances; without, generated ones weigh 1.
        conditional: let the discriminator see the instance; without, it judges label sets alone and mismatched pairs make no sense.
        sampled: draw label sets; without, the probabilities themselves go to the discriminator.
        learning_rate_factor: the discriminator's learning rate as a multiple of the classifier's, above 0.
        discriminator: arguments of ``Discriminator``, such as ``{"layers": 5, "spectral_norm": true}``.

    Raises:
        ValueError: for an unknown variant or a number out of range.

    >>> from multihot.losses import BinaryCrossEntropyLoss
    >>> objective = AdversarialObjective(BinaryCrossEntropyLoss(), num_labels=3, width=8)
    >>> objective.turns
    ('discriminator', 'discriminator', 'discriminator', 'model')
    """

    aliases = ("wgan-gp",)
    needs = frozenset({"scorer"})

    def __init__(
        self,
        loss: Loss,
        num_labels: int,
        width: int,
        variant: str = "wgan-gp",
        alpha: float = 10.0,
        weight: float = 1.0,
        pretraining: float = 0.5,
        discriminator_updates: int = 3,
        temperature: float = 0.9,
        penalty: float = 10.0,
        clip: float = 0.05,
        mismatched: bool = True,
        conditional: bool = True,
        sampled: bool = True,
        learning_rate_factor: float = 1.0,
        discriminator: dict[str, Any] | None = None,
    ):
        super().__init__()
        if variant not in COSTS:
            raise ValueError(f"the 'variant' parameter must be one of {', '.join(COSTS)}, got {variant!r}")
        for name, value in {"alpha": alpha, "weight": weight, "penalty": penalty}.items():
            if not value >= 0:
                raise ValueError(f"the '{name}' parameter must be at least 0, got {value!r}")
        for name, value in {"clip": clip, "learning_rate_factor": learning_rate_factor}.items():
            if not value > 0:
                raise ValueError(f"the '{name}' parameter must be above 0, got {value!r}")
        if discriminator_updates < 1:
            raise ValueError(f"the 'discriminator_updates' parameter must be at least 1, got {discriminator_updates!r}")
        self.loss = loss
        self.variant, self.cost = variant, COSTS[variant]
        self.alpha, self.weight = alpha, weight
        self.pretraining = check_share("pretraining", pretraining) if weight else 1.0
        self.turns = (*["discriminator"] * discriminator_updates, "model") if weight else ("model",)
        self.temperature = check_temperature(temperature)
        self.penalty = penalty if variant == "wgan-gp" else 0.0
        self.clip = clip if variant == "wgan" else None
        self.false_share = 0.5 if mismatched and conditional else 1.0  # of the generated sets among the false ones
        self.sampled = sampled
        self.learning_rate_factor = learning_rate_factor
        self.discriminator = build_discriminator(discriminator or {}, num_labels, width, conditional)
        self.extractor: Encoder | None = None
        self.extracted = False  # whether the extractor holds the pretrained weights already

    @classmethod
    def needs_scores(cls, **arguments: Any) -> str:
        return "log_odds"

    def attach(self, model: Model) -> None:
        """Make room for the frozen copy of the encoder; its weights are taken when pretraining ends."""
        if self.discriminator.features is not None:
            self.extractor = copy.deepcopy(model.encoder).requires_grad_(False).eval()

    def turn(self, update: int) -> str:
        return "model" if self.progress < self.pretraining else super().turn(update)

    def competes(self) -> bool:
        return self.progress >= self.pretraining or self.pretraining == 1  # else the best might never have met the discriminator

    def turn_parameters(self, model: Model, turn: str) -> Iterator[nn.Parameter]:
        if turn == "discriminator":
            yield from self.discriminator.parameters()
        else:
            yield from model.parameters()
            yield from self.loss.parameters()

    def learning_rate(self, turn: str) -> float:
        return self.learning_rate_factor if turn == "discriminator" else 1.0

    def forward(self, model: Model, batch: Batch, turn: str = "model", encoding: Encoding | None = None) -> Float[Tensor, ""]:
        """The loss of a turn; L alone while pretraining lasts, and at validation, where a moving discriminator's score says nothing."""
        if not self.training or self.progress < self.pretraining:
            return self.loss(model.score(batch, encoding), batch.targets, batch.known).mean()
        self._freeze(model)
        if self.clip is not None:
            self.discriminator.clip(self.clip)
        if turn == "discriminator":
            return self._discriminator_loss(model, batch)
        return self._classifier_loss(model, batch, encoding)

    def _discriminator_loss(self, model: Model, batch: Batch) -> Float[Tensor, ""]:
        with torch.no_grad():
            generated = self._label_sets(model.score(batch), batch)
        features = self._features(batch)
        with torch.autocast(batch.targets.device.type, enabled=False):  # a penalty on gradients needs their digits
            real = (batch.targets * batch.known).to(generated.dtype)
            others, found = other_label_sets(real)
            kinds = [real, generated, others * batch.known] if self.false_share < 1 else [real, generated]
            scores, nats = self._judge(kinds, features)
            total = self.cost(scores[0]).mean() + self.false_share * self.cost(-scores[1]).mean()
            self.report(d_real=scores[0].mean(), d_generated=scores[1].mean())
            if self.false_share < 1:
                total = total + (1 - self.false_share) * mean_where(self.cost(-scores[2]), found)
                self.report(d_mismatched=mean_where(scores[2], found))
            if self.penalty:
                norms = gradient_norms(lambda sets: self.discriminator(sets, features), between(real, generated))
                total = total + self.penalty * ((norms - 1) ** 2).mean()
                self.report(gradient_norm=norms.mean())
            if self.discriminator.bottleneck is not None:
                information = (nats[0].mean() + nats[1:].mean()) / 2
                total = total + self.discriminator.bottleneck.toll(information)
                self.report(information=information)
        return total

    def _classifier_loss(self, model: Model, batch: Batch, encoding: Encoding | None) -> Float[Tensor, ""]:
        logits = model.score(batch, encoding)
        supervised = self.loss(logits, batch.targets, batch.known).mean()
        generated, features = self._label_sets(logits, batch), self._features(batch)
        with torch.autocast(batch.targets.device.type, enabled=False):
            adversarial = self.cost(self.discriminator(generated, features)).mean()
        self.report(supervised=supervised, adversarial=adversarial)
        return self.weight * adversarial + self.alpha * supervised

    def _judge(self, kinds: list[Tensor], features: Tensor | None) -> tuple[Float[Tensor, "K B"], Float[Tensor, "K B"]]:
        """Scores and nats of several kinds of label sets of the same instances, in one pass."""
        repeated = features.repeat(len(kinds), 1) if features is not None else None
        scores, nats = self.discriminator.judge(torch.cat(kinds), repeated)
        return scores.view(len(kinds), -1), nats.view(len(kinds), -1)

    def _label_sets(self, logits: Float[Tensor, "B E"], batch: Batch) -> Float[Tensor, "B L"]:
        """The classifier's label sets, in the discriminator's precision; an entry that nobody annotated is 0, as in the true ones."""
        log_odds = self.loss.scores(logits).to(next(self.discriminator.parameters()).dtype)
        return (gumbel_sigmoid(log_odds, self.temperature) if self.sampled else log_odds.sigmoid()) * batch.known

    @torch.no_grad()
    def _features(self, batch: Batch) -> Float[Tensor, "B D"] | None:
        if self.extractor is None:
            return None
        return self.extractor(batch.inputs).pooled.to(next(self.discriminator.parameters()).dtype)

    def _freeze(self, model: Model) -> None:
        if self.extracted:
            return
        self.attach(model)
        self.extracted = True

    def train(self, mode: bool = True) -> AdversarialObjective:
        super().train(mode)
        if self.extractor is not None:
            self.extractor.eval()  # frozen means no dropout and no new batch statistics, too
        return self

    def get_extra_state(self) -> dict[str, bool]:
        return {"extracted": self.extracted}

    def set_extra_state(self, state: dict[str, bool]) -> None:
        self.extracted = state["extracted"]


def build_discriminator(arguments: dict[str, Any], num_labels: int, width: int, conditional: bool) -> Discriminator:
    """A discriminator from its arguments in a configuration."""
    own = set(inspect.signature(Discriminator).parameters) - {"num_labels", "width", "conditional"}
    check_keys(arguments, own, where="objective 'adversarial': discriminator")
    return Discriminator(num_labels, width, conditional, **arguments)


def other_label_sets(targets: Float[Tensor, "B L"]) -> tuple[Float[Tensor, "B L"], Bool[Tensor, " B"]]:
    """For each instance the label set of another one that differs from its own, drawn evenly, and whether there was one.

    Source: Tsai 2019, section 3.3.2.

    >>> sets, found = other_label_sets(torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    >>> sets[:2].tolist(), found.tolist()
    ([[0.0, 1.0], [0.0, 1.0]], [True, True, True])
    """
    differ = targets @ (1 - targets).T + (1 - targets) @ targets.T > 0
    differ.fill_diagonal_(False)  # a soft target would differ from itself
    drawn = torch.rand(differ.shape, device=targets.device).masked_fill(~differ, -1).argmax(1)
    return targets[drawn], differ.any(1)


def mean_where(values: Float[Tensor, " B"], chosen: Bool[Tensor, " B"]) -> Float[Tensor, ""]:
    """The mean over the chosen entries; 0 where there is none."""
    return (values * chosen).sum() / chosen.sum().clamp(min=1)
