"""A trained model with its processor and its decoding: rows in, predictions out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool

from ..calibration import half_of
from ..data.batches import make_loader
from ..encoders.pretrained import weights_follow
from ..errors import RunError
from ..interfaces import Decoding, Model, Processor
from ..labels import LabelSpace, LabelStatistics
from ..method import Method
from ..predictions import Prediction
from ..storage import read_json, replacing, write_json
from .feature_cache import encode_once

PREDICTION_BATCH = 128


def kept_for_promise(decoding: Decoding, monitor: str, rows: int) -> Bool[np.ndarray, " N"] | None:
    """The validation rows that choose nothing but a decision that promises, not even the best weights; None without such a decision.

    Where the loss over all validation rows picks the best weights, there are none.
    """
    if decoding.decision is None or not decoding.decision.promises:
        return None
    return np.zeros(rows, dtype=bool) if monitor == "loss" else half_of(rows)


@dataclass
class NeuralPredictor:
    """A trained model, the processor that prepares its inputs and the decoding that reads it.

    Args:
        model: an encoder with a scorer, a decoder, or both.
        decoding: with its calibration and its decision fitted.
        processor: fitted on the training split.
        space: the labels.
        device: where it computes; None takes an accelerator where there is one.
    """

    model: Model
    decoding: Decoding
    processor: Processor
    space: LabelSpace
    device: str | None = None

    @property
    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.model.parameters())

    def described(self) -> dict[str, str]:
        found: dict[str, str] = {"scores": self.decoding.score_kind, "rule": self.decoding.rule}
        if self.decoding.calibration is not None and self.decoding.loss is not None:
            found["uncalibrated"] = "log_odds" if self.decoding.loss.gives_log_odds else "margins"
        return found

    @torch.no_grad()
    def predict(self, rows: Any) -> Prediction:
        ids = list(rows["id"])
        device = self.device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.model.to(device).eval()
        prepared = self.processor.prepare(rows)
        if prepared.cache_files:  # rows in memory come once: looking for their encodings would only cost
            prepared = encode_once(self.model.encoder, self.processor, prepared, device)
        loader = make_loader(prepared, self.processor, self.space, batch_size=PREDICTION_BATCH)
        parts = [self.decoding(self.model, batch.to(device)) for batch in loader]
        return Prediction.concatenate(parts).reorder(ids)

    def explained(self, rows: Any, prediction: Prediction) -> dict[str, Any]:
        """Where the model looked and, of label distributions, where it places instances."""
        from .explain.attention import attention_kept
        from .explain.feature_map import feature_map

        attention = attention_kept(self, rows, prediction)
        found: dict[str, Any] = {"attention.json": attention} if attention else {}
        return found if prediction.degrees is None else found | {"feature_map.json": feature_map(self, rows)}

    def save(self, folder: Path) -> None:
        from safetensors.torch import save

        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.model.state_dict().items()}
        loss = self.decoding.loss  # a loss may own parameters that its scores depend on, such as a threshold label
        if loss is not None:
            tensors |= {f"loss.{name}": tensor.detach().cpu().contiguous() for name, tensor in loss.state_dict().items()}
        with replacing(folder / "model.safetensors") as partial:
            partial.write_bytes(save(tensors))  # save_file would hide a full disk in an error of its own
        write_json(folder / "processor.json", self.processor.to_dict())
        self.save_decisions(folder)

    def save_decisions(self, folder: Path) -> None:
        """Write what the decoding learned from validation data."""
        if self.decoding.calibration is not None:
            write_json(folder / "calibration.json", self.decoding.calibration.to_dict())
        write_json(folder / "decision.json", self.decoding.decision.to_dict() if self.decoding.decision else {})

    @classmethod
    def load(cls, folder: Path, method: Method, space: LabelSpace, statistics: LabelStatistics, decided: bool = True) -> NeuralPredictor:
        """Put the method together again and give it what the folder holds: weights, vocabulary and, if ``decided``, decisions."""
        from safetensors.torch import load_file

        processor = method.build_processor().load_dict(read_json(folder / "processor.json"))
        with weights_follow():
            model, _, decoding = method.assemble(processor, space, statistics)
        try:
            tensors = load_file(folder / "model.safetensors")
        except FileNotFoundError:
            raise RunError(f"{folder}: model.safetensors is missing; the run did not finish or was altered") from None
        except Exception as error:  # safetensors raises its own kind for a damaged file
            raise RunError(f"{folder}: model.safetensors is damaged ({error}); train the method again") from error
        own = {name.removeprefix("loss."): tensor for name, tensor in tensors.items() if name.startswith("loss.")}
        try:
            model.load_state_dict({name: tensor for name, tensor in tensors.items() if not name.startswith("loss.")})
            if decoding.loss is not None:
                decoding.loss.load_state_dict(own)
        except RuntimeError as error:
            raise RunError(f"{folder}: model.safetensors does not fit config.yaml: {str(error).splitlines()[0]}") from error
        if decided and decoding.calibration is not None:
            decoding.calibration.load_dict(read_json(folder / "calibration.json"))
        if decided and decoding.decision is not None:
            decoding.decision.load_dict(read_json(folder / "decision.json"))
        return cls(model, decoding, processor, space)
