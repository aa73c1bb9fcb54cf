"""The interfaces of losses, encoders, scorers, decoders, objectives and decodings; a class is one of them or final."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from .predictions import Prediction, ScoreKind
from .types import Batch, Encoding

SCALES = ("order", "zero", "log_odds")  # what scores are, or must be, each more than the one before; see Loss.scores_are
State = dict[str, Tensor]  # a decoder's memory; every tensor has the instance (or hypothesis) as its first axis


class Loss(nn.Module, ABC):
    """How far logits are from the targets, for every instance on its own; averaging over instances happens outside.

    A loss also says how its logits are read. ``scores`` ranks labels, within an instance and across instances. ``decision_rule`` is the
    loss's own rule for choosing labels by them:

    - "zero" and "threshold_label": scores above 0, at most the ``most`` best of an instance where ``most`` is a number;
    - "top_k": the ``most`` best of an instance, whatever their scores;
    - "tuned": scores above a threshold that must be tuned on validation data; until it is, 0 stands in.
    """

    aliases: ClassVar[tuple[str, ...]] = ()
    decision_rule: str = "zero"
    most: int | None = None  # labels that the own rule chooses for an instance at most; None: no limit
    extra_logits: int = 0  # columns a scorer appends behind the L labels, such as a threshold label

    @abstractmethod
    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """One loss an instance; unknown entries carry no loss and no gradient."""

    def scores(self, logits: Float[Tensor, "B E"]) -> Float[Tensor, "B L"]:
        """Logits (B, L + extra_logits) as scores (B, L): the higher, the more speaks for the label, whichever instance it is of."""
        return logits

    @classmethod
    def scores_are(cls, **arguments: Any) -> str:
        """What scores are with these arguments of the constructor, one of ``SCALES``.

        "log_odds": the logarithm of a label's odds, so that ``sigmoid(score)`` is its probability; "zero": labels are cut at or near 0;
        "order": nothing but which is higher means something.
        """
        return "order" if cls.decision_rule == "top_k" else "zero"

    @property
    def gives_log_odds(self) -> bool:
        """Whether scores, with the arguments that this loss was made with, are log-odds."""
        return self.scores_are(**vars(self)) == "log_odds"

    def set_progress(self, fraction: float) -> None:
        """Told how much of the training is done, in [0, 1], for losses that change on the way."""


class LabelDistribution(nn.Module, ABC):
    """Turns targets into label distributions (label distribution learning)."""

    aliases: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def forward(self, targets: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
        """Soft targets, at least 0; each row sums to 1."""


class Encoder(nn.Module, ABC):
    """Reads the inputs of a batch; ``width`` is the size D of what comes out, ``reads`` the processor that prepares its inputs."""

    aliases: ClassVar[tuple[str, ...]] = ()
    reads: ClassVar[str]
    width: int

    @abstractmethod
    def forward(self, inputs: dict[str, Tensor]) -> Encoding:
        """States (B, S, D), their mask and the pooled vector (B, D)."""

    @classmethod
    def tells_processor(cls, **arguments: Any) -> dict[str, Any]:
        """What the processor may ask for besides its settings, such as ``usual_size``, from the encoder's own arguments."""
        return {}


class Scorer(nn.Module, ABC):
    """Gives all labels their logits at once."""

    aliases: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def forward(self, encoding: Encoding) -> Float[Tensor, "B L"]:
        """Logits (B, L); with a loss that appends extra logits, (B, L + extra_logits)."""


class Decoder(nn.Module, ABC):
    """Emits labels one after another; symbol L stops a sequence, symbol L + 1 starts it.

    A decoder that names entries of its state in ``shared`` keeps them once an instance, and takes several hypotheses of an instance in a
    row against one row of the encoding; any other gets state and encoding repeated for every hypothesis.
    """

    aliases: ClassVar[tuple[str, ...]] = ()
    shared: ClassVar[frozenset[str]] = frozenset()
    names: ClassVar[tuple[str, ...]] = ()  # of the decoders that it is composed of, where it is
    inner: ClassVar[Mapping[str, str]] = {}  # the arguments that are components themselves, and their kinds

    def named(self, name: str) -> Decoder:
        """The decoder of that name, one of ``names``; asked for anything else, a decoder does not get past ``Method.check``."""
        raise KeyError(name)

    @abstractmethod
    def start(self, encoding: Encoding) -> State:
        """The state before the first label."""

    @abstractmethod
    def step(self, previous: Int[Tensor, " B"], state: State, encoding: Encoding) -> tuple[Float[Tensor, "B L+1"], State]:
        """Logits of the next symbol, and the state after it, given the symbol emitted before."""

    def select(self, state: State, rows: Int[Tensor, " R"], hypotheses: int = 1) -> State:
        """The state of the chosen instances, with all their hypotheses."""
        each = (rows[:, None] * hypotheses + torch.arange(hypotheses, device=rows.device)).flatten()
        return {name: value.index_select(0, rows if name in self.shared else each) for name, value in state.items()}


class Model(nn.Module):
    """An encoder with a scorer of all labels at once, a decoder that emits one after another, or both on top of it."""

    def __init__(self, encoder: Encoder, scorer: Scorer | None = None, decoder: Decoder | None = None):
        super().__init__()
        self.encoder = encoder
        self.scorer = scorer
        self.decoder: Decoder = decoder  # type: ignore[assignment]  # Method.check lets nothing ask for one that is not there

    def encode(self, batch: Batch) -> Encoding:
        """The batch's inputs, encoded."""
        return self.encoder(batch.inputs)

    def read_by(self, decoder: str | None) -> Model:
        """The same model with one of the decoders that its decoder is composed of; None: as it is."""
        return self if decoder is None else Model(self.encoder, self.scorer, self.decoder.named(decoder))

    def score(self, batch: Batch, encoding: Encoding | None = None) -> Float[Tensor, "B L"]:
        """The scorer's logits; an encoding made before is used again."""
        assert self.scorer is not None, "Method.check lets no objective or decoding ask for a scorer that is not there"
        return self.scorer(encoding if encoding is not None else self.encode(batch))


class ReadsScores:
    """A part that makes something of a loss's scores."""

    @classmethod
    def needs_scores(cls, **arguments: Any) -> str:
        """What scores must be with these arguments of the constructor, one of ``SCALES``; see ``Loss.scores_are``."""
        return "order"


class Objective(ReadsScores, nn.Module, ABC):
    """What training minimises; its ``forward`` reads like the algorithm box of the paper.

    ``turns`` is cycled through, one batch a turn. Ordinary training has one turn, ``"model"``, that updates the model and whatever
    parameters the objective owns; an adversarial objective owns a critic and names it in turns such as
    ``("critic", "critic", "critic", "model")``, with ``turn_parameters`` saying what each turn may change.
    """

    aliases: ClassVar[tuple[str, ...]] = ()
    inner: ClassVar[Mapping[str, str]] = {}  # the arguments that are components themselves, and their kinds
    needs: frozenset[str] = frozenset()  # of {"scorer", "decoder", "pair"}: the parts it trains
    turns: tuple[str, ...] = ("model",)

    def __init__(self) -> None:
        super().__init__()
        self.progress = 0.0
        self.reported: dict[str, Tensor] = {}

    @abstractmethod
    def forward(self, model: Model, batch: Batch, turn: str = "model", encoding: Encoding | None = None) -> Float[Tensor, ""]:
        """The scalar that this turn's optimiser lowers; a sum of objectives encodes once and hands the encoding to each."""

    def attach(self, model: Model) -> None:
        """Told before training which model it will train, for an objective whose own parts are shaped after the model's."""

    def turn(self, update: int) -> str:
        """Whose turn an update is, counted from 0; asked after ``set_progress``."""
        return self.turns[update % len(self.turns)]

    def competes(self) -> bool:
        """Whether a validation now may keep its weights as the best; False while the training only prepares what it is about."""
        return True

    def learning_rate(self, turn: str) -> float:
        """A turn's learning rate as a multiple of the training's."""
        return 1.0

    def turn_parameters(self, model: Model, turn: str) -> Iterator[nn.Parameter]:
        """The parameters that a turn updates."""
        yield from model.parameters()
        yield from self.parameters()

    def set_progress(self, fraction: float) -> None:
        """Told before every update how much of the training is done, in [0, 1]; passed on to the parts within."""
        self.progress = fraction
        for part in self.children():
            if isinstance(part, (Loss, Objective)):
                part.set_progress(fraction)

    def report(self, **values: Tensor) -> None:
        """Put values beside the objective in the training log, such as the terms of a sum."""
        self.reported.update({name: value.detach() for name, value in values.items()})


class Calibration(ReadsScores, ABC):
    """Maps scores to the logits of probabilities that hold: of the labels given probability p, a share p is true.

    It is fitted on validation data before the decision, and travels in the run folder.
    """

    aliases: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def fitted(self) -> bool:
        """Whether it may be asked to map scores."""

    @abstractmethod
    def fit(self, scores: Any, targets: Any, known: Any = None) -> Calibration:
        """Learn from the validation split: scores (N, L), targets (N, L), known (N, L) or None. Returns self."""

    @abstractmethod
    def __call__(self, scores: Any) -> Any:
        """scores (N, L), dense or sparse -> calibrated logits (N, L), of the same kind; 0 is probability 1/2, -inf stays."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """What was learned, as plain JSON values."""

    @abstractmethod
    def load_dict(self, content: dict[str, Any]) -> Calibration:
        """Take back what ``to_dict`` gave. Returns self."""


class Decision(ReadsScores, ABC):
    """Turns scores into label sets; whatever it must learn, it learns from validation data, and it travels in the run folder."""

    aliases: ClassVar[tuple[str, ...]] = ()
    needs_fit: ClassVar[bool] = False
    promises: ClassVar[bool] = False  # whether what it says of new instances needs validation rows that nothing else was chosen by

    @property
    def fitted(self) -> bool:
        """Whether it may be asked to decide."""
        return not self.needs_fit

    @property
    def rule(self) -> str:
        """How it decides, in a sentence for the readers of a report."""
        return f"{type(self).__name__} decides."

    def fit(self, scores: Any, targets: Any, known: Any = None) -> Decision:
        """Learn from the validation split: scores (N, L), targets (N, L), known (N, L) or None. Returns self."""
        return self

    def withdraw(self) -> None:
        """Told that something else was chosen by the rows it learned from, for a decision that promises."""

    @abstractmethod
    def __call__(self, scores: Any) -> Any:
        """scores (N, L), dense or sparse -> chosen (N, L) boolean, of the same kind."""

    def cuts(self, scores: Any) -> Any:
        """What scores must reach to be chosen: a number, (L,), or (N, 1); None where that follows from the label sets themselves."""
        return None

    def to_dict(self) -> dict[str, Any]:
        """What was learned, as plain JSON values."""
        return {}

    def load_dict(self, content: dict[str, Any]) -> Decision:
        """Take back what ``to_dict`` gave. Returns self."""
        return self


class Decoding(ReadsScores, ABC):
    """Reads label sets out of a trained model."""

    aliases: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[frozenset[str]] = frozenset()  # of {"scorer", "decoder"}: the parts it reads
    decoder: str | None = None  # which of several decoders it reads, by name; None: the one that is read by default
    predicts_degrees: ClassVar[bool] = False  # whether its predictions carry label distributions
    loss: Loss | None = None  # whose ``scores`` make sense of a scorer's logits
    calibration: Calibration | None = None  # fitted on validation data before the decision, where the decoding has one
    decision: Decision | None = None  # fitted on validation data, where the decoding has one

    @abstractmethod
    def __call__(self, model: Model, batch: Batch) -> Prediction:
        """The prediction for one batch."""

    @property
    def score_kind(self) -> ScoreKind:
        """What the scores of its predictions are; margins make no promise."""
        return "margins"

    @property
    def rule(self) -> str:
        """How label sets come about, in a sentence for the readers of a report."""
        return self.decision.rule if self.decision is not None else f"{type(self).__name__} decides."

    def fit(self, prediction: Prediction, targets: Any, known: Any = None, kept: Bool[np.ndarray, " N"] | None = None) -> Prediction:
        """Learn from the validation split what must be learned, and say what the prediction for it becomes.

        Args:
            prediction: N rows.
            targets: (N, L).
            known: (N, L), or None where everything is annotated.
            kept: (N,), the rows that were kept for a decision that promises; nothing else is learned from them. None: no weights were
                chosen by any of the rows.
        """
        return prediction


class Processor(ABC):
    """Prepares the rows of a data set for an encoder: a vocabulary, a tokeniser, the means of a table.

    It learns from the training split only and is saved with the run, so that new rows are prepared exactly as the training rows were.
    """

    aliases: ClassVar[tuple[str, ...]] = ()
    modality: ClassVar[str]  # the input column's kind: "text", "table", "image" or "audio"
    remark: str = ""  # what fitting took for granted, in a line for people

    @abstractmethod
    def fit(self, rows: Any) -> Processor:
        """Learn from the training rows (a ``datasets.Dataset``). Returns self."""

    @abstractmethod
    def prepare(self, rows: Any) -> Any:
        """Rows -> rows with whatever can be computed once added (memory-mapped, cached); row order unchanged."""

    @abstractmethod
    def collate(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        """Some prepared rows as the ``inputs`` of a batch, padded at the end."""

    def for_training(self) -> Processor:
        """What makes training batches: the processor itself, unless it augments them."""
        return self

    def length(self, rows: Any) -> list[int] | None:
        """How long each prepared row is, so that batches can hold rows of similar length; None if all are alike."""
        return None

    def pieces(self, rows: Any) -> list[list[str]] | None:
        """What the encoder's states stand for in each row, for people to read, such as its words; None if there is no saying."""
        return None

    @abstractmethod
    def provides(self) -> dict[str, Any]:
        """What an encoder's constructor may ask for, such as ``vocabulary_size`` or ``num_features``."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """What was learned, as plain JSON values."""

    @abstractmethod
    def load_dict(self, content: dict[str, Any]) -> Processor:
        """Take back what ``to_dict`` gave. Returns self."""


class Sampling(ABC):
    """Decides of which training rows an epoch consists; which of them share a batch is decided elsewhere.

    Its constructor may ask for ``targets``: (N, L) boolean, sparse, the label sets of the training rows.
    """

    aliases: ClassVar[tuple[str, ...]] = ()
    size: int  # rows an epoch, with repetition; the same in every epoch, so that a training knows how long it is

    @abstractmethod
    def rows(self, random: np.random.Generator) -> Int[np.ndarray, " size"]:
        """The row numbers of one epoch, in any order, drawn from ``random`` alone."""


def check_logits(name: str, logits: Tensor, targets: Tensor, known: Tensor | None, extra: int = 0) -> None:
    """Refuse logits and targets of shapes and types that do not belong together; looking at values would make an accelerator wait."""
    if not isinstance(logits, Tensor) or not isinstance(targets, Tensor) or logits.ndim < 2:
        given = ", ".join(f"{type(one).__name__} of shape {tuple(getattr(one, 'shape', ()))}" for one in (logits, targets))
        raise ValueError(f"{name}: logits and targets must be tensors of shape (instances, labels), got {given}")
    if not logits.is_floating_point():
        raise ValueError(f"{name}: logits must be floating point, got {logits.dtype}; pass the scorer's output as it is")
    expected = (*targets.shape[:-1], targets.shape[-1] + extra)
    if tuple(logits.shape) != tuple(expected):
        raise ValueError(f"{name}: logits have shape {tuple(logits.shape)}, but targets {tuple(targets.shape)} ask for {tuple(expected)}")
    if known is not None and (known.shape != targets.shape or known.dtype != torch.bool):
        raise ValueError(f"{name}: known must be boolean of shape {tuple(targets.shape)}, got {known.dtype} {tuple(known.shape)}")
