"""Frames of recordings, given as feature vectors or made from the sound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...errors import ConfigurationError, DataError
from ...interfaces import Processor
from ..derived import content_key, map_once
from ..sound import log_mel, read_sound, resample

CHUNK = 500  # recordings looked at together
LONG = 1000  # recordings from which on hearing them takes long enough for a progress bar


class AudioProcessor(Processor):
    """Frames, scaled by what the training frames say: ``(x - mean) / standard deviation``, feature by feature.

    Rows hold either ready frames (``frames``, such as AudioSet's 10 x 128 a clip) or an encoded recording (``audio``: WAV, or FLAC where
    soundfile is installed). A recording becomes log-mel bands, ``stack`` moments in a row joined into one frame, and is kept in the cache.

    Args:
        sample_rate: samples a second that every recording is brought to.
        window: seconds that a moment lasts.
        hop: seconds from one moment to the next.
        mels: number of bands.
        stack: moments in a frame; a frame then has ``mels * stack`` features, and 10 of 0.01 seconds hear a tenth of a second.
        max_frames: the first frames of a recording that are read; None reads all.
        standardise: scale the features, or give them as they are.
        num_features: F, where the data set states it.

    Raises:
        ConfigurationError: if a setting is not positive.

    >>> import datasets
    >>> rows = datasets.Dataset.from_dict({"id": ["a", "b"], "frames": [[1.0, 5.0, 3.0, 5.0], [2.0, 5.0]], "num_frames": [2, 1]})
    >>> batch = AudioProcessor().fit(rows).collate(list(rows))
    >>> batch["frames"].shape, batch["mask"].tolist()
    (torch.Size([2, 2, 2]), [[True, True], [True, False]])
    """

    modality: ClassVar[str] = "audio"
    columns: ClassVar[tuple[str, ...]] = ("frames", "num_frames")

    def __init__(
        self,
        sample_rate: int = 16_000,
        window: float = 0.025,
        hop: float = 0.01,
        mels: int = 64,
        stack: int = 10,
        max_frames: int | None = None,
        standardise: bool = True,
        num_features: int | None = None,
    ):
        settings = {"sample_rate": sample_rate, "window": window, "hop": hop, "mels": mels, "stack": stack, "max_frames": max_frames}
        for name, value in settings.items():
            if value is not None and value <= 0:
                raise ConfigurationError(f"processor 'audio': {name} must be positive, got {value!r}")
        self.sound = {"sample_rate": sample_rate, "window": window, "hop": hop, "mels": mels, "stack": stack}
        self.max_frames = max_frames
        self.standardise = standardise
        self.num_features = num_features
        self.mean: Float[np.ndarray, " F"] | None = None
        self.scale: Float[np.ndarray, " F"] | None = None

    def fit(self, rows: Any) -> AudioProcessor:
        """Learn the means and scales of the training frames."""
        count, total, squares = 0, np.zeros(1), np.zeros(1)
        prepared = self.prepare(rows)
        for frames in self._chunks(prepared):  # two passes: the textbook one-pass variance loses all digits where the mean is large
            count, total = count + len(frames), total + frames.sum(axis=0)
        mean = total / max(count, 1)
        for frames in self._chunks(prepared):
            squares = squares + ((frames - mean) ** 2).sum(axis=0)
        scale = np.sqrt(squares / max(count, 1))
        self.mean, self.scale = mean, np.where(scale > 0, scale, 1.0)
        return self

    def prepare(self, rows: Any) -> Any:
        """Make frames of recordings; check those that are given."""
        if "audio" in rows.column_names:
            return self._add_frames(rows)
        for _ in self._chunks(rows):
            pass
        return rows

    def collate(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        """``frames`` (B, T, F) float32, 0 at the padding behind, and ``mask`` (B, T)."""
        if self.mean is None or self.scale is None:
            raise ConfigurationError("processor 'audio' has no means yet; call fit with the training rows first")
        kept = [self._checked(row)[: self.max_frames] for row in rows]
        lengths = np.asarray([len(frames) for frames in kept])
        mask = np.arange(lengths.max()) < lengths[:, None]
        frames = np.zeros((*mask.shape, len(self.mean)), dtype=np.float32)
        real = np.concatenate(kept)
        frames[mask] = (real - self.mean) / self.scale if self.standardise else real
        return {"frames": torch.from_numpy(frames), "mask": torch.from_numpy(mask)}

    def length(self, rows: Any) -> list[int]:
        """Frames of each row that are read."""
        counts = np.asarray(rows.with_format("numpy")["num_frames"])
        return np.minimum(counts, self.max_frames or counts.max(initial=1)).tolist()

    def provides(self) -> dict[str, Any]:
        """``num_features``: F."""
        return {"num_features": self.num_features}

    def to_dict(self) -> dict[str, Any]:
        """Means and scales."""
        if self.mean is None or self.scale is None:
            raise ConfigurationError("processor 'audio' has no means yet; call fit with the training rows first")
        return {"mean": self.mean.tolist(), "scale": self.scale.tolist()}

    def load_dict(self, content: dict[str, Any]) -> AudioProcessor:
        """Take back means and scales."""
        self.mean, self.scale = np.asarray(content["mean"], dtype=np.float64), np.asarray(content["scale"], dtype=np.float64)
        self.num_features = len(self.mean)
        return self

    def _add_frames(self, rows: Any) -> Any:
        import datasets

        columns = {"frames": datasets.List(datasets.Value("float32")), "num_frames": datasets.Value("int32")}
        features = {name: kind for name, kind in rows.features.items() if name != "audio"} | columns
        return map_once(
            rows,
            self._hear,
            kind="frames",
            key=content_key(rows, ["log-mel", self.sound]),
            title="Hearing",
            long=LONG,
            remove_columns=["audio"],
            features=datasets.Features(features),
        )

    def _hear(self, row: dict[str, Any]) -> dict[str, Any]:
        samples, rate = read_sound(row["audio"], str(row.get("id")))
        wanted, stack = int(self.sound["sample_rate"]), int(self.sound["stack"])
        bands = log_mel(resample(samples, rate, wanted), wanted, self.sound["window"], self.sound["hop"], int(self.sound["mels"]))
        bands = np.pad(bands, ((0, -len(bands) % stack), (0, 0)), mode="edge")
        return {"frames": bands.ravel(), "num_frames": len(bands) // stack}

    def _chunks(self, rows: Any) -> Iterator[Float[np.ndarray, "n F"]]:
        """The frames of some recordings at a time, in float64."""
        for table in rows.select_columns(["id", "frames", "num_frames"]).with_format("numpy").iter(CHUNK):
            batch = [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
            yield np.concatenate([self._checked(row) for row in batch])

    def _checked(self, row: dict[str, Any]) -> Float[np.ndarray, "T F"]:
        flat, count = np.asarray(row["frames"], dtype=np.float64), int(row["num_frames"])
        if count < 1 or len(flat) % count:
            raise DataError(f"recording '{row.get('id')}' has {count} frames with {len(flat)} values in all; leave it out or mend it")
        frames = flat.reshape(count, -1)
        self.num_features = self.num_features or frames.shape[1]
        if frames.shape[1] != self.num_features:
            raise DataError(
                f"recording '{row.get('id')}' has frames of {frames.shape[1]} features where {self.num_features} are expected; "
                "give every recording the same features"
            )
        if not np.isfinite(frames).all():
            raise DataError(f"recording '{row.get('id')}' has a feature that is not a finite number; mend it or leave it out")
        return frames
