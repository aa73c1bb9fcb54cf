"""Augmentations of training pictures: the parts that they may cut out, and when they do so."""

import io
from collections import Counter

import datasets
import numpy as np
import pytest
import torch
from PIL import Image

from multihot.data.batches import make_loader
from multihot.data.processors import ImageProcessor
from multihot.data.transforms import FivePositions, make_augmentation, size_before_cut
from multihot.errors import ConfigurationError, DataError
from multihot.labels import LabelSpace

pytest.importorskip("torchvision.transforms.v2", reason='torchvision is not installed; pip install "multihot[images]"')


def places(height: int, width: int) -> Image.Image:
    """A picture whose pixels say where they are: red is the row, green the column."""
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    return Image.fromarray(np.dstack([rows, columns, np.zeros_like(rows)]))


def test_five_positions_cuts_corners_and_the_centre_equally_often():
    torch.manual_seed(0)
    crop, found = FivePositions([(20, 20), (16, 16), (8, 8)]), Counter()
    for _ in range(1500):
        part = np.asarray(crop(places(20, 20)))
        found[part.shape[0], int(part[0, 0, 0]), int(part[0, 0, 1])] += 1
    corners = {(side, top, left) for side in (16, 8) for top in (0, 20 - side) for left in (0, 20 - side)}
    assert set(found) == corners | {(20, 0, 0), (16, 2, 2), (8, 6, 6)}
    assert found.pop((20, 0, 0)) == pytest.approx(500, abs=80)
    assert all(count == pytest.approx(100, abs=45) for count in found.values())


def test_the_thesis_cuts_from_256_and_resizes_to_224():
    torch.manual_seed(0)
    augment = make_augmentation("five_positions", (224, 224), None)
    parts = [np.asarray(augment(places(256, 256))).astype(int) for _ in range(60)]
    assert {part.shape for part in parts} == {(224, 224, 3)}
    shown = {round((part[-1, 112, 0] - part[0, 112, 0]) / 32) * 32 for part in parts}  # rows from top to bottom of each part
    assert shown <= {256, 224, 192, 160, 128}
    assert len(shown) == 5


def test_a_random_crop_is_anywhere_and_flipped_half_of_the_time():
    torch.manual_seed(0)
    augment = make_augmentation("random_crop", (14, 14), None)
    parts = [np.asarray(augment(places(16, 16))).astype(int) for _ in range(400)]
    flipped = [part[0, 0, 1] > part[0, -1, 1] for part in parts]
    assert sum(flipped) == pytest.approx(200, abs=45)
    assert {(int(part[0, 0, 0]), int(min(part[0, 0, 1], part[0, -1, 1]))) for part in parts} == {(y, x) for y in range(3) for x in range(3)}


def rows_of(count: int) -> datasets.Dataset:
    random, contents = np.random.default_rng(0), []
    for _ in range(count):
        Image.fromarray(random.integers(0, 256, (20, 20, 3), dtype=np.uint8)).save(file := io.BytesIO(), format="PNG")
        contents.append(file.getvalue())
    return datasets.Dataset.from_dict({"id": [str(i) for i in range(count)], "labels": [["a"]] * count, "image": contents})


def pixels_by_id(loader) -> dict[str, torch.Tensor]:
    return {name: image for batch in loader for name, image in zip(batch.ids, batch.inputs["image"], strict=True)}


def test_only_training_batches_are_augmented_alike_with_and_without_workers_and_anew_every_epoch():
    rows, space = rows_of(6), LabelSpace(["a"])
    processor = ImageProcessor(size=14, augment="random_crop").fit(rows)
    plain = ImageProcessor(size=14).fit(rows).collate(list(rows))["image"]
    before = torch.random.get_rng_state()
    still = pixels_by_id(make_loader(rows, processor, space, batch_size=3))
    assert torch.equal(torch.stack([still[str(i)] for i in range(6)]), plain)
    here, there = (make_loader(rows, processor, space, batch_size=3, shuffle=True, workers=workers) for workers in (0, 1))
    first, same = pixels_by_id(here), pixels_by_id(there)
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert torch.equal(torch.random.get_rng_state(), before)
    here.sampler.set_epoch(1)
    assert any(not torch.equal(image, first[name]) for name, image in pixels_by_id(here).items())
    assert any(not torch.equal(first[str(i)], plain[i]) for i in range(6))


def test_a_row_alone_is_augmented_anew_too():
    rows = rows_of(1)
    processor = ImageProcessor(size=5, augment="random_crop", resize=20).fit(rows).for_training()
    torch.manual_seed(0)
    assert len({processor.collate(list(rows))["image"].numpy().tobytes() for _ in range(20)}) > 10


def test_a_broken_picture_is_named_alike_by_a_worker():
    rows = rows_of(2)
    processor = ImageProcessor(size=14).fit(rows)
    cut = rows.map(lambda row: {"image": row["image"][: len(row["image"]) // 2]})
    for workers in (0, 1):
        with pytest.raises(DataError, match=r"^picture '0' is broken .*whole copy$"):
            next(iter(make_loader(cut, processor, LabelSpace(["a"]), batch_size=2, workers=workers)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"augment": "crop", "size": 4}, r"there is no augmentation 'crop'; .*random_crop"),
        ({"augment": "random_crop"}, "augment 'random_crop' needs a size"),
        ({"augment": "random_crop", "size": 14, "resize": 10}, r"random_crop cannot cut \(14, 14\) out of pictures of resize=\(10, 10\)"),
        ({"resize": 10}, "resize is for augmentations"),
        ({"size": [3]}, r"size must be a positive number or \[height, width\]"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_any_data_is_read(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        ImageProcessor(**arguments)
    assert size_before_cut("five_positions", (224, 224)) == (256, 256)
