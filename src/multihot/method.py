"""A method: an encoder, a scorer and/or a decoder, one objective that trains them, one decoding that reads label sets out.

Every method of the sources is a choice of these parts, so a comparison of two methods differs in one part only.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from typing import Any

import torch

from .calibration import build_decision
from .components import allowing, build, check_keys, choices, dotted_paths, find, split_config
from .data.word_vectors import VectorFile, read_word_vectors, words_of_label
from .encoders.pretrained import needs_weights
from .errors import ConfigurationError, nearest
from .interfaces import SCALES, Decoding, Encoder, Loss, Model, Objective, Processor
from .labels import LabelSpace, LabelStatistics
from .parts import PARTS, VECTOR_SIZES, Part, check_arguments, check_scores
from .sizing import widen

Say = Callable[[str], None]

ENCODER_FOR = {
    "text": "text_cnn",
    "table": "tabular",
    "image": "image_cnn",
    "audio": "audio_attention",
}  # the quick default of each modality

CALLED = {"scorer": "scorer", "decoder": "decoder", "pair": "pair of decoders"}  # what objectives and decodings may need
ADDED_BY = {"scorer": "scorer: binary_relevance", "decoder": "decoder: recurrent", "pair": "decoder: pair"}


@dataclass(frozen=True)
class Method:
    """The parts of a method by name, each with its arguments.

    Args:
        encoder: reads the inputs; None takes the quick default of the data's modality.
        scorer: scores all labels at once, or None.
        decoder: emits labels one after another, or None.
        loss: what the objective lowers, where it takes one.
        distribution: turns targets into label distributions before the loss sees them, or None.
        objective: what training minimises.
        decoding: how label sets are read out.
        calibration: what makes scores the logits of probabilities that hold, fitted on validation data before the decision, or None.
        decision: how scores become label sets, fitted on validation data where it has something to fit.
        processor: arguments for the processor that the encoder reads from, such as ``{"max_words": 400}``.
        sized_like: another method, by name or as a mapping of its parts: the encoder grows until this method has as many parameters as
            that one would have on the encoder and the scorer named here. None leaves it as it is.

    >>> Method(loss="zlpr").check().loss
    'zlpr'
    """

    encoder: Part = None
    scorer: Part = "binary_relevance"
    decoder: Part = None
    loss: Part = "binary_cross_entropy"
    distribution: Part = None
    objective: Part = "scoring"
    decoding: Part = "threshold"
    calibration: Part = None
    decision: Part = "global"
    processor: Part = None
    sized_like: Part = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Method:
        """A method from a mapping of parts, refusing unknown ones; ``name`` starts from one of ``METHODS``.

        A part given by its arguments alone keeps the named method's choice: ``{"name": "dldl", "distribution": {"sigma": 2}}``.
        """
        given = dict(config)
        name = given.pop("name", "br")
        if name not in METHODS:
            raise ConfigurationError(f"there is no method '{name}'; {nearest(str(name), METHODS)}")
        check_keys(given, {field.name: None for field in fields(cls)}, where="method")
        return replace(METHODS[name], **{kind: _completed(getattr(METHODS[name], kind), kind, part) for kind, part in given.items()})

    def to_config(self) -> dict[str, Any]:
        """The parts as plain values, for YAML."""
        return asdict(self)

    def for_modality(self, modality: str) -> Method:
        """The same method with the encoder that suits the data, where none was named."""
        return self if self.encoder else replace(self, encoder=ENCODER_FOR[modality])

    def summary(self) -> str:
        """The parts in one line."""
        named = ((kind, getattr(self, kind)) for kind in PARTS)
        like = [f"sized like {split_config('sized_like', self.sized_like)[0]}"] if self.sized_like else []
        return ", ".join([*(f"{kind} {split_config(kind, part)[0]}" for kind, part in named if part is not None), *like])

    def check(self, modality: str | None = None) -> Method:
        """Say what does not fit together, before any data is read.

        Args:
            modality: "text", "table", "image" or "audio", where it is known.

        Returns:
            The method itself.

        Raises:
            ConfigurationError: naming the part, what it needs, and what to change.
        """
        if self.scorer is None and self.decoder is None:
            raise ConfigurationError("this method has neither a scorer nor a decoder; add `scorer: binary_relevance`")
        for kind in PARTS:
            if (part := getattr(self, kind)) is not None:
                check_arguments(kind, part)
        self._check_needs("decoding", self.decoding)
        self._check_read()
        self._check_needs("objective", self.objective)
        self._check_trained()
        self._check_supplied()
        self._check_calibration()
        self._check_scores()
        if self.sized_like is not None:
            self._larger().check()
        if self.encoder is not None and modality is not None:
            self._check_modality(modality)
        return self

    def _check_needs(self, kind: str, part: Part) -> None:
        if part is None:
            raise ConfigurationError(f"this method has no {kind}; choose one of {', '.join(choices(kind))}")
        name, _ = split_config(kind, part)
        present = self._present()
        for missing in sorted(find(kind, name).needs - present):
            usual = {"objective": Method.objective, "decoding": Method.decoding}[kind]
            fitting = sorted((other for other, cls in choices(kind).items() if cls.needs <= present), key=lambda other: other != usual)
            instead = f" or use `{kind}: {fitting[0]}`" if fitting else ""
            raise ConfigurationError(
                f"{kind} '{name}' needs a {CALLED[missing]}, but this method has only a {'/'.join(sorted(present))}; "
                f"add `{ADDED_BY[missing]}`{instead}"
            )

    def _check_read(self) -> None:
        """A decoder that the decoding reads by name must be there."""
        name, arguments = split_config("decoding", self.decoding)
        wanted = arguments.get("decoder")
        names = () if self.decoder is None else find("decoder", split_config("decoder", self.decoder)[0]).names
        if wanted is not None and wanted not in names:
            there = f"it is one of {', '.join(names)}" if names else "this method has one decoder at most, so leave it out"
            raise ConfigurationError(f"decoding '{name}' reads the decoder {wanted!r}; {there}")

    def _check_trained(self) -> None:
        name, _ = split_config("objective", self.objective)
        for part in sorted(self._present() - find("objective", name).needs):
            left_out = ADDED_BY[part] if part == "pair" else part
            raise ConfigurationError(
                f"objective '{name}' does not train the {CALLED[part]}; leave `{left_out}` out or choose an objective that does"
            )

    def _check_supplied(self) -> None:
        """What the objective and the decoding cannot be without must be there; what neither takes would be left out without a word."""
        named = {kind: split_config(kind, getattr(self, kind))[0] for kind in ("objective", "decoding")}
        asked = [(kind, name, inspect.signature(find(kind, name)).parameters) for kind, name in named.items()]
        for part, example in (("loss", "binary_cross_entropy"), ("decision", "global")):
            for kind, name, parameters in asked:
                if getattr(self, part) is None and part in parameters and parameters[part].default is inspect.Parameter.empty:
                    raise ConfigurationError(f"{kind} '{name}' needs a {part}; add `{part}: {example}`")
        for part in ("loss", "distribution"):
            if getattr(self, part) is not None and all(part not in parameters for *_, parameters in asked):
                raise ConfigurationError(f"objective '{named['objective']}' takes no {part}; set `{part}: null`")

    def _check_calibration(self) -> None:
        """A decoding that calibrates says so in its constructor; any other would leave the calibration out without a word."""
        name, _ = split_config("decoding", self.decoding)
        if self.calibration is not None and "calibration" not in inspect.signature(find("decoding", name)).parameters:
            raise ConfigurationError(f"decoding '{name}' reads no calibrated scores; leave `calibration` out or use `decoding: threshold`")

    def _check_scores(self) -> None:
        """What reads scores as log-odds, or cuts them at 0, needs a loss whose scores are that."""
        if self.loss is None:
            return
        name, arguments = split_config("loss", self.loss)
        given = find("loss", name).scores_are(**arguments)
        taken = inspect.signature(find("decoding", split_config("decoding", self.decoding)[0])).parameters
        for kind in ("objective", "decoding", "calibration", "decision"):
            part = getattr(self, kind)
            if part is None or (kind == "decision" and (self.calibration is not None or kind not in taken)):
                continue  # calibrated scores are log-odds
            check_scores(kind, part, given, f"loss '{name}'", partial(_other_scores, kind))

    def _check_modality(self, modality: str) -> None:
        name, _ = split_config("encoder", self.encoder)
        reads = processor_of(find("encoder", name)).modality
        if reads != modality:
            raise ConfigurationError(f"encoder '{name}' reads {reads}, but the data is {modality}; use `encoder: {ENCODER_FOR[modality]}`")

    def _present(self) -> set[str]:
        several = self.decoder is not None and find("decoder", split_config("decoder", self.decoder)[0]).names
        return {part for part in ("scorer", "decoder") if getattr(self, part) is not None} | ({"pair"} if several else set())

    def build_processor(self, **available: Any) -> Processor:
        """The processor, not yet fitted, that prepares rows for the encoder; it gets what it names of what is available."""
        assert self.encoder is not None, "for_modality comes first"
        name, arguments = split_config("encoder", self.encoder)
        cls = find("encoder", name)
        own = dict(self.processor) if isinstance(self.processor, Mapping) else {}
        wanted = inspect.signature(processor_of(cls)).parameters
        shared = {key: value for key, value in arguments.items() if key in wanted and key not in own}
        with allowing(*dotted_paths(cls.reads)):
            return build("processor", {"name": cls.reads, **shared, **own}, **cls.tells_processor(**arguments), **available)

    def build_loss(self, space: LabelSpace, statistics: LabelStatistics) -> Loss | None:
        """The loss, where there is one; arguments as for ``assemble``."""
        return build("loss", self.loss, num_labels=len(space), label_space=space, statistics=statistics) if self.loss else None

    def build_decoding(self, space: LabelSpace, statistics: LabelStatistics, loss: Loss | None) -> Decoding:
        """What reads label sets out of a model that was trained with a loss; other arguments as for ``assemble``."""
        labels = {"num_labels": len(space), "label_space": space, "statistics": statistics}
        decision = build_decision(self.decision, space, loss=loss, num_labels=len(space), statistics=statistics) if self.decision else None
        calibration = build("calibration", self.calibration, **labels) if self.calibration else None
        # no encoder's width here: to a decoding, `width` is that of its beam
        return build("decoding", self.decoding, loss=loss, calibration=calibration, decision=decision, **labels)

    def assemble(
        self, processor: Processor, space: LabelSpace, statistics: LabelStatistics, loss: Loss | None = None, say: Say = lambda line: None
    ) -> tuple[Model, Objective, Decoding]:
        """Build the model, the objective that trains it and the decoding that reads it.

        Args:
            processor: fitted on the training split; supplies what the encoder needs to know of the inputs.
            space: the labels.
            statistics: of the training split.
            loss: from ``build_loss``, for whoever reads the model in other ways too; None makes one.
            say: told in one line what a file of word vectors holds.

        Returns:
            (model, objective, decoding).
        """
        labels = {"num_labels": len(space), "label_space": space, "statistics": statistics}
        loss = self.build_loss(space, statistics) if loss is None else loss
        labels["extra_logits"] = loss.extra_logits if loss is not None else 0
        model = self._sized(processor, labels)._model(processor, labels, say)
        distribution = build("distribution", self.distribution, **labels) if self.distribution else None
        objective = build("objective", self.objective, loss=loss, distribution=distribution, width=model.encoder.width, **labels)
        return model, objective, self.build_decoding(space, statistics, loss)

    def build_encoder(self, processor: Processor, say: Say = lambda line: None, **labels: Any) -> Encoder:
        """Build the encoder alone."""
        provided = processor.provides()
        rows = [[word] if word else [] for word in provided.get("vocabulary", ())]
        return _with_vectors("encoder", self.encoder, rows, say, **provided, **labels)

    def _model(self, processor: Processor, labels: Mapping[str, Any], say: Say = lambda line: None) -> Model:
        encoder = self.build_encoder(processor, say, **labels)
        rows = [words_of_label(name) for name in labels["label_space"].names]
        scorer = _with_vectors("scorer", self.scorer, rows, say, width=encoder.width, **labels) if self.scorer else None
        decoder = build("decoder", self.decoder, width=encoder.width, **labels) if self.decoder else None
        return Model(encoder, scorer, decoder)

    def _sized(self, processor: Processor, labels: Mapping[str, Any]) -> Method:
        """The method with its encoder as large as ``sized_like`` asks."""
        if self.sized_like is None or self.encoder is None:
            return self

        def count(method: Method) -> int:
            with torch.device("meta"):  # shapes alone: no memory, no random numbers
                return sum(p.numel() for p in method._model(processor, labels).parameters())

        encoder = widen(self.encoder, lambda encoder: count(replace(self, encoder=encoder)), count(self._larger()))
        return replace(self, encoder=encoder, sized_like=None)

    def _larger(self) -> Method:
        """The method whose size is to be met, on this method's encoder and scorer."""
        parts = {"name": self.sized_like} if isinstance(self.sized_like, str) else self.sized_like
        return replace(Method.from_config(parts or {}), encoder=self.encoder, scorer=self.scorer, sized_like=None)


SMALL_SCORER: Part = {"name": "binary_relevance", "layers": 1, "attention": False, "prior_bias": True}  # quick on a CPU
SUMMED: Part = {"name": "binary_cross_entropy", "reduction": "sum"}  # beside what judges label sets whole (Tsai 2019, eqs. 3.1, 4.16)
# label distributions over labels on an axis, or any labels, one of which stands for an instance (Gao et al. 2017)
OVER_LABELS = Method(scorer=SMALL_SCORER, loss="label_distribution", decoding="distribution", decision=None)
BARE_DECODER = Method(scorer=None, decoder="recurrent", loss=None, objective="likelihood", decoding="beam", decision=None)

METHODS: dict[str, Method] = {
    # binary relevance: every label on its own, one threshold tuned for micro-F1 as in the thesis
    "br": Method(scorer=SMALL_SCORER),
    "br++": Method(scorer=SMALL_SCORER, sized_like="ocd-mtl"),
    # binary relevance against a discriminator of label sets
    "br+wgan-gp": Method(scorer=SMALL_SCORER, loss=SUMMED, objective="adversarial"),
    # label sets emitted one label after another, read by beam search
    "seq2seq": BARE_DECODER,
    "seq2seq+ss": replace(BARE_DECODER, objective="scheduled_sampling"),
    "order-free": replace(BARE_DECODER, objective="order_free"),
    "order-free+ss": replace(BARE_DECODER, objective={"name": "order_free", "lowest": 0.7}),
    "ocd": replace(BARE_DECODER, objective="optimal_completion"),
    "sgm-ge": replace(BARE_DECODER, decoder={"name": "recurrent", "global_embedding": True}),
    "seq2set-simple": replace(BARE_DECODER, objective="policy_gradient"),
    # two decoders on one encoder; `decoding.decoder: first` reads the one that learns label sequences
    "seq2set": replace(
        BARE_DECODER,
        decoder={"name": "pair", "stacked": True},
        objective={"name": "pair", "first": "likelihood", "second": {"name": "policy_gradient", "likelihood": 0.0}},
    ),
    "ocd+seq2seq": replace(BARE_DECODER, decoder="pair", objective={"name": "pair", "first": "likelihood", "second": "optimal_completion"}),
    # both on one encoder; `decoding` may also be threshold, beam, greedy or rescoring
    "ocd-mtl": Method(scorer=SMALL_SCORER, decoder="recurrent", loss=SUMMED, objective="multitask", decoding="joint"),
    # label distribution learning: the true label spread over its neighbours, or the distribution that the data gives
    "dldl": replace(OVER_LABELS, distribution="gaussian"),
    "dldl-bilevel": replace(OVER_LABELS, loss=None, objective="bilevel"),  # its spread learned on rows held out
    "ldl": OVER_LABELS,
    # its rivals
    "softmax": replace(OVER_LABELS, distribution="one_hot"),
    "label-smoothing": replace(OVER_LABELS, distribution="uniform_smoothing"),
    "ordinal": replace(OVER_LABELS, loss="ordinal"),
    "l1-regression": replace(OVER_LABELS, scorer="axis_value", loss=None, objective={"name": "axis_regression", "norm": 1}),
    "l2-regression": replace(OVER_LABELS, scorer="axis_value", loss=None, objective={"name": "axis_regression", "norm": 2}),
}


def _completed(own: Part, kind: str, given: Part) -> Part:
    """A part as it was given, on top of the named method's own where it names none itself."""
    if kind not in PARTS or own is None or not isinstance(given, Mapping) or "name" in given:
        return given
    name, arguments = split_config(kind, own)
    return {"name": name, **arguments, **given}


def processor_of(encoder: type[Encoder]) -> type[Any]:
    """The processor that an encoder reads from; an encoder that may run may name one by its dotted path."""
    with allowing(*dotted_paths(encoder.reads)):
        return find("processor", encoder.reads)


def _with_vectors(kind: str, part: Part, rows: Sequence[Sequence[str]], say: Say, **available: Any) -> Any:
    """Build a part; where it names a file of word vectors, it gets a vector a row from it, and is as wide as they are.

    Args:
        kind: of the part.
        part: its configuration.
        rows: the words of each row of its table: of the vocabulary, or of the labels.
        say: told how many rows the file has a vector for.
        **available: see ``build``.
    """
    name, arguments = split_config(kind, part)
    if arguments.get("word_vectors") is None:
        return build(kind, part, **available)
    if not rows:
        raise ConfigurationError(f"{kind} '{name}' names word vectors, but its processor knows no words; leave `word_vectors` out")
    file = VectorFile.of(arguments["word_vectors"])
    if not needs_weights() or torch.get_default_device().type == "meta":  # weights follow, or only shapes count
        given = torch.full((1, 1), torch.nan).expand(len(rows), file.numbers)
    else:
        given = torch.from_numpy(read_word_vectors(file.path, rows))
        known, asked = int((~given.isnan()).all(1).sum()), sum(map(bool, rows))
        what = {"encoder": "words", "scorer": "labels"}[kind]
        rest = "the others start at random" if known < asked else "so none starts at random"
        say(f"{file.file}: vectors of {given.shape[1]} numbers for {known:,} of {asked:,} {what}; {rest}")
    parameters = inspect.signature(find(kind, name)).parameters
    size = next((key for key in VECTOR_SIZES if key in parameters and key not in available), None)
    sized = {size: given.shape[1]} if size else {}
    return build(kind, {"name": name, **arguments, "word_vectors": given}, **available, **sized)


def _other_scores(kind: str, needed: str) -> str:
    losses = [name for name, cls in choices("loss").items() if SCALES.index(cls.scores_are()) >= SCALES.index(needed)]
    calibrated = {"decision": ", or add `calibration: platt`", "calibration": ", or use `calibration: platt`"}
    return f"use one of {', '.join(losses)}{calibrated.get(kind, '')}"
