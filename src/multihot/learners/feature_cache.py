"""Runs a frozen encoder over every instance once, so that what is trained on top of it takes seconds an epoch."""

from __future__ import annotations

import hashlib
from typing import Any

import torch

from ..data.derived import content_key, map_once
from ..errors import ConfigurationError
from ..interfaces import Encoder, Processor

BATCH = 32
LONG = 1000  # pictures from which on encoding takes long enough for a progress bar


@torch.no_grad()
def encode_once(encoder: Encoder, processor: Processor, rows: Any, device: str | None = None) -> Any:
    """Rows with what a frozen encoder gives for them in place of their pictures, if the encoder keeps that (``cache: true``).

    It is kept in the cache under the rows' fingerprint, the processor's settings and the encoder's weights, so another training on the
    same frozen network only opens the file.

    Args:
        encoder: with ``cache``, and ``encode`` (its inputs -> (B, S, D)), or any other.
        processor: makes its inputs.
        rows: a ``datasets.Dataset``, prepared.
        device: where the encoder computes; None takes an accelerator where there is one.

    Returns:
        The rows in the same order, with a column ``encoded``; the rows as they are for an encoder that keeps nothing.

    Raises:
        ConfigurationError: if the processor augments, for what is kept is one view of a picture.
    """
    if not getattr(encoder, "cache", False):
        return rows
    if getattr(processor, "augment", None) is not None:
        raise ConfigurationError("an encoder with cache: true sees every picture once, unaugmented; leave out the processor's augment")
    import datasets

    key = content_key(rows, [processor.to_dict(), repr(encoder), _digest(encoder)])
    features = {name: kind for name, kind in rows.features.items() if name != "image"}
    where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    training = encoder.training
    encoder.to(where).eval()

    def encode(names: list[str], images: list[bytes]) -> dict[str, Any]:
        inputs = processor.collate([{"id": name, "image": image} for name, image in zip(names, images, strict=True)])
        found = encoder.encode({name: tensor.to(where) for name, tensor in inputs.items()})  # type: ignore[operator]
        return {"encoded": found.float().flatten(1).cpu().numpy()}

    encoded = map_once(
        rows, encode, kind="encoded", key=key, title="Encoding", long=LONG,
        input_columns=["id", "image"], batched=True, batch_size=BATCH, remove_columns=["image"],
        features=datasets.Features({**features, "encoded": datasets.Sequence(datasets.Value("float32"))}),
    )  # fmt: skip
    encoder.train(training)
    return encoded


def _digest(encoder: Encoder) -> str:
    """One key for all weights."""
    digest = hashlib.sha256()
    for name, tensor in sorted(encoder.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
