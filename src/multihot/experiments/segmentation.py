"""Segmentation with smoothed masks: a label distribution for every pixel, trained and measured against the masks as they are.

It stands beside ``fit``: what ``fit`` carries from batch to report is one row of scores an instance, and a map is none. The training loop,
the encoders and the loss are the same.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
import yaml
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import DataLoader

from ..components import allowing, build, dotted_paths
from ..data.masks import VOC_LABELS, MaskBatches, MaskedPicture, read_mask, read_pixels, read_voc_masks
from ..data.samplers import SimilarLengthSampler
from ..errors import ConfigurationError, RunError
from ..interfaces import Decoding, Model
from ..metrics.segmentation import intersection_over_union, mean_iou, pixel_accuracy, pixel_table
from ..objectives.maps import MapObjective
from ..parts import Part
from ..predictions import Prediction
from ..scorers.fcn import FCNScorer
from ..storage import replacing, write_text
from ..storage.json_files import plain, write_json
from ..threads import limit_loading_worker
from ..training.settings import TrainingSettings
from ..types import Batch
from .lock import only_writer


@dataclass(frozen=True)
class SegmentationSettings:
    """How masks are learned.

    Args:
        encoder: an encoder of pictures whose states are a square grid.
        size: side in pixels of the square that pictures and masks are resized to for training.
        kernel_size: side of the smoothing window in pixels, odd; 1 leaves the masks one-hot.
        sigma: its standard deviation in pixels, above 0.
        stride: pixels from window to window.
        labels: names of the classes, the first for class 0.
        held_out: share of the training pictures that choose the best checkpoint, in (0, 1).
        training: epochs, batch size, learning rate and so on.
        seed: of weights, batches and which pictures choose.

    Raises:
        ConfigurationError: for a setting out of range.
    """

    encoder: Part = "image_cnn"
    size: int = 224
    kernel_size: int = 5
    sigma: float = 1.0
    stride: int = 1
    labels: tuple[str, ...] = VOC_LABELS
    held_out: float = 0.1
    training: TrainingSettings = field(default_factory=lambda: TrainingSettings(batch_size=8, learning_rate=1e-3, monitor="mean_iou"))
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size < 8 or not 0 < self.held_out < 1:
            raise ConfigurationError(f"segment: size must be at least 8 and held_out in (0, 1), got {self.size} and {self.held_out}")
        if not 2 <= len(self.labels) <= 255:
            raise ConfigurationError(f"segment: 2 to 255 classes fit into a mask, got {len(self.labels)}")
        try:
            self.objective()
        except ValueError as error:
            raise ConfigurationError(f"segment: {error}") from error

    def objective(self) -> MapObjective:
        """What training lowers."""
        return MapObjective(len(self.labels), self.kernel_size, self.sigma, self.stride)


class MapDecoding(Decoding):
    """The most probable label of every pixel; counts which it gave to which class, until ``measures`` is asked.

    As label set of a picture it gives the classes that it found in it; scores are their shares of the pixels.
    """

    needs = frozenset({"scorer"})

    def __init__(self, num_labels: int):
        self.table = np.zeros((num_labels, num_labels), dtype=np.int64)

    @torch.no_grad()
    def __call__(self, model: Model, batch: Batch) -> Prediction:
        masks = batch.inputs["mask"]
        found = label_map(model.score(batch), masks.shape[-2:])
        self.table += pixel_table(masks.cpu().numpy(), found.cpu().numpy(), len(self.table))
        shares = torch.stack([(found == label).flatten(1).float().mean(1) for label in range(len(self.table))], dim=1).cpu().numpy()
        return Prediction(list(batch.ids), shares, shares > 0)

    def measures(self) -> dict[str, float]:
        """Mean IoU and pixel accuracy of all pixels since the last call."""
        table, self.table = self.table, np.zeros_like(self.table)
        return {"mean_iou": mean_iou(table), "pixel_accuracy": pixel_accuracy(table)}


def segment(folder: str | Path, out: str | Path, settings: SegmentationSettings, *, overwrite: bool = False) -> dict[str, Any]:
    """Train on the pictures of ``train.txt``, predict masks for those of ``val.txt``, and measure them in their full size.

    Args:
        folder: in the layout of PASCAL VOC, such as ``VOC2012``.
        out: folder to make: ``metrics.json``, ``config.yaml``, ``model.safetensors``, ``masks/<picture>.png``, ``log/``.
        settings: how.
        overwrite: replace what is there.

    Returns:
        ``mean_iou``, ``pixel_accuracy``, ``iou`` of each label (None where it does not occur), ``validation`` and ``cost``.

    Raises:
        DataError: for data that is not as it should be; before training.
        RunError: if ``out`` is not empty.
    """
    pictures = read_voc_masks(folder, len(settings.labels))
    with only_writer(Path(out)):
        return _segment(folder, pictures, open_place(Path(out), overwrite), settings)


def _segment(folder: str | Path, pictures: dict[str, list[MaskedPicture]], place: Path, settings: SegmentationSettings) -> dict[str, Any]:
    write_text(place / "config.yaml", yaml.safe_dump(plain({"data": str(folder), **asdict(settings)}), sort_keys=False))
    model, outcome = train_model(pictures["train"], settings, place)
    began = time.perf_counter()
    table = predict_masks(model, pictures["val"], settings, place / "masks")
    shutil.rmtree(place / "checkpoints", ignore_errors=True)
    each = intersection_over_union(table)
    metrics = {
        "mean_iou": mean_iou(table),
        "pixel_accuracy": pixel_accuracy(table),
        "iou": {name: None if np.isnan(value) else value for name, value in zip(settings.labels, each.tolist(), strict=True)},
        "validation": {settings.training.monitor: outcome.best_value},
        "cost": asdict(outcome) | {"prediction_seconds": time.perf_counter() - began},
    }
    write_json(place / "metrics.json", plain(metrics))
    return metrics


def open_place(place: Path, overwrite: bool) -> Path:
    """An empty folder; an earlier result of this command goes where that was asked for, anything else never."""
    if place.exists() and any(place.iterdir()):
        if not (place / "config.yaml").exists():
            raise RunError(f"{place} is not empty and holds no segmentation, so nothing is written to it; choose another --out")
        if not overwrite:
            raise RunError(f"{place} holds a segmentation already; choose another --out or pass --overwrite")
        shutil.rmtree(place)
    place.mkdir(parents=True, exist_ok=True)
    return place


def train_model(pictures: list[MaskedPicture], settings: SegmentationSettings, place: Path) -> tuple[Model, Any]:
    """Train encoder and head; the weights are those of the best mean IoU on the pictures held out."""
    from safetensors.torch import save

    from ..training.fit import seed_everything, train

    seed_everything(settings.seed)
    count, batch_size = len(settings.labels), settings.training.batch_size
    model = make_model(settings)
    order = np.random.default_rng(settings.seed).permutation(len(pictures))
    held_out = max(1, round(settings.held_out * len(pictures)))
    if held_out == len(pictures):
        raise ConfigurationError(f"segment: {len(pictures)} training pictures are too few to hold some out; list more in train.txt")
    loader, validation_loader = (
        DataLoader(
            MaskBatches([pictures[row] for row in sorted(rows)], count, settings.size),
            sampler=SimilarLengthSampler(len(rows), batch_size, shuffle=shuffle, seed=settings.seed),
            batch_size=None, num_workers=settings.training.workers, worker_init_fn=limit_loading_worker,
            generator=torch.Generator().manual_seed(settings.seed),
        )
        for rows, shuffle in ((order[held_out:].tolist(), True), (order[:held_out].tolist(), False))
    )  # fmt: skip
    decoding = MapDecoding(count)

    def judge(prediction: Prediction) -> dict[str, float]:
        return decoding.measures()  # of every pixel that was decoded into this prediction

    outcome = train(model, settings.objective(), decoding, loader, validation_loader, judge, settings.training, place, settings.seed)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with replacing(place / "model.safetensors") as partial:
        partial.write_bytes(save(tensors))
    return model, outcome


def make_model(settings: SegmentationSettings) -> Model:
    """The encoder under an FCN head, tried on an empty picture."""
    with allowing(*dotted_paths(settings.encoder)):  # which never comes from a file
        encoder = build("encoder", settings.encoder, image_shape=(3, settings.size, settings.size), num_labels=len(settings.labels))
    model = Model(encoder, FCNScorer(len(settings.labels), encoder.width))
    training = model.training
    with torch.no_grad():
        model.eval().scorer(model.encoder({"image": torch.zeros(1, 3, settings.size, settings.size)}))  # type: ignore[misc]
    return model.train(training)


def predict_masks(model: Model, pictures: list[MaskedPicture], settings: SegmentationSettings, folder: Path) -> Int[np.ndarray, "L L"]:
    """Write the mask of every picture in its own size, with the palette of its true mask, and count pixels."""
    from PIL import Image

    folder.mkdir()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).eval()
    table = np.zeros((len(settings.labels),) * 2, dtype=np.int64)
    for one in pictures:
        true = read_mask(one.mask)
        with torch.no_grad():
            encoding = model.encoder({"image": read_pixels(one, settings.size)[None].to(device)})
            found = label_map(model.scorer(encoding), true.shape)[0].cpu().numpy().astype(np.uint8)  # type: ignore[misc]
        table += pixel_table(true, found, len(settings.labels))
        image = Image.fromarray(found)
        with Image.open(one.mask) as painted:
            if painted.mode == "P":
                image.putpalette(painted.getpalette() or [])
        image.save(folder / f"{one.name}.png")
    return table


def label_map(logits: Float[Tensor, "B L h w"], size: tuple[int, ...]) -> Int[Tensor, "B H W"]:
    """The label of the largest logit at every pixel, after interpolating the logits to the size of the picture."""
    return F.interpolate(logits.float(), tuple(size), mode="bilinear", align_corners=False).argmax(1)
