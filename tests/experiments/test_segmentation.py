"""Segmentation: the pixels' loss by loops, measures against scikit-learn, small pictures in VOC's layout from folder to masks."""

import json
import math

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from sklearn.metrics import confusion_matrix, jaccard_score
from torch import nn
from typer.testing import CliRunner

from multihot.cli import app
from multihot.data.masks import MaskBatches, read_mask, read_voc_masks
from multihot.errors import ConfigurationError, DataError, RunError
from multihot.experiments.segmentation import MapDecoding, SegmentationSettings, make_model, segment
from multihot.interfaces import Model
from multihot.metrics.segmentation import intersection_over_union, mean_iou, pixel_accuracy, pixel_table
from multihot.objectives.maps import MapObjective
from multihot.scorers.fcn import FCNScorer
from multihot.training.settings import TrainingSettings
from multihot.types import Batch, Encoding

pytest.importorskip("torchvision")

LABELS = ("sky", "sea", "boat")
PALETTE = [0, 0, 0, 128, 0, 0, 0, 128, 0, *[0] * (252 * 3), 224, 224, 192]
ENCODER = {"name": "image_cnn", "channels": [16, 16], "dropout": 0.0}


def write_picture(folder, name, mask, random):
    colours = np.array([[30, 60, 200], [20, 160, 60], [220, 40, 40]])
    pixels = colours[np.where(mask == 255, 0, mask)] + random.integers(-20, 20, (*mask.shape, 3))
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / "JPEGImages" / f"{name}.jpg", quality=95)
    painted = Image.fromarray(mask.astype(np.uint8))
    painted.putpalette(PALETTE)
    painted.save(folder / "SegmentationClass" / f"{name}.png")


def make_folder(folder, train=24, val=4):
    """Sky over sea with a boat, the boundary unlabelled; pictures of two sizes."""
    random = np.random.default_rng(0)
    for name in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (folder / name).mkdir(parents=True)
    names = {"train": [f"a{i}" for i in range(train)], "val": [f"b{i}" for i in range(val)]}
    for split, listed in names.items():
        for number, name in enumerate(listed):
            mask = np.zeros((40, 48) if number % 2 else (36, 40), dtype=np.int64)
            horizon, left = random.integers(12, 26), random.integers(2, 24)
            mask[horizon:] = 1
            mask[horizon - 8 : horizon + 8, left : left + 14] = 2
            mask[horizon, :left] = 255
            write_picture(folder, name, mask, random)
        (folder / "ImageSets" / "Segmentation" / f"{split}.txt").write_text("\n".join(listed) + "\n")
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("voc") / "VOC2012")


class GivenMaps(nn.Module):
    """Stands for encoder and scorer: gives the logits that it was made with."""

    def __init__(self, logits):
        super().__init__()
        self.logits = logits

    def score(self, batch, encoding=None):
        return self.logits


def batch_of(mask):
    targets = torch.zeros(len(mask), 3)
    return Batch({"mask": mask}, targets, targets.bool(), [str(i) for i in range(len(mask))])


@pytest.mark.parametrize(("kernel_size", "sigma", "stride"), [(1, 1.0, 1), (3, 0.8, 1), (5, 1.5, 2)])
def test_the_loss_of_a_map_is_a_loop_over_known_pixels(kernel_size, sigma, stride):
    generator = torch.Generator().manual_seed(0)
    mask = torch.randint(0, 3, (2, 6, 7), generator=generator)
    mask[torch.rand(2, 6, 7, generator=generator) < 0.2] = 255
    half = kernel_size // 2
    height, width = (6 + 2 * half - kernel_size) // stride + 1, (7 + 2 * half - kernel_size) // stride + 1
    logits = torch.randn(2, 3, height, width, generator=generator)
    total, known = 0.0, 0
    for row in range(2):
        for y in range(height):
            for x in range(width):
                if int(mask[row, y * stride, x * stride]) == 255:
                    continue
                target = np.zeros(3)
                for v in range(-half, half + 1):
                    for u in range(-half, half + 1):
                        i, j = y * stride + v, x * stride + u
                        if 0 <= i < 6 and 0 <= j < 7 and int(mask[row, i, j]) != 255:
                            target[int(mask[row, i, j])] += math.exp(-(u * u + v * v) / (2 * sigma**2))
                target /= target.sum()
                scores = logits[row, :, y, x].double().numpy()
                softmax = np.exp(scores) / np.exp(scores).sum()
                total += sum(p * math.log(p / q) for p, q in zip(target, softmax, strict=True) if p > 0)
                known += 1
    found = MapObjective(3, kernel_size, sigma, stride)(GivenMaps(logits), batch_of(mask))
    assert float(found) == pytest.approx(total / known, rel=1e-5)


def test_pixels_that_nobody_labelled_have_no_gradient():
    mask = torch.tensor([[[0, 255, 1, 1], [0, 255, 255, 1], [0, 0, 1, 1], [255, 0, 1, 1]]])
    logits = torch.randn(1, 3, 4, 4, requires_grad=True)
    MapObjective(3, kernel_size=3)(GivenMaps(logits), batch_of(mask)).backward()
    moved = logits.grad.abs().sum(1)
    assert float(moved[mask == 255].max()) == 0
    assert float(moved[mask != 255].min()) > 0


def test_a_window_of_one_pixel_is_cross_entropy():
    mask = torch.randint(0, 3, (2, 5, 5))
    logits = torch.randn(2, 3, 5, 5)
    expected = nn.functional.cross_entropy(logits, mask)
    torch.testing.assert_close(MapObjective(3)(GivenMaps(logits), batch_of(mask)), expected)


def test_measures_of_maps_against_scikit_learn():
    random = np.random.default_rng(0)
    true, found = random.integers(0, 4, (3, 10, 12)), random.integers(0, 4, (3, 10, 12))
    true[random.random(true.shape) < 0.1] = 255
    known = true != 255
    table = pixel_table(true, found, 5)
    np.testing.assert_array_equal(table, confusion_matrix(true[known], found[known], labels=range(5)))
    expected = jaccard_score(true[known], found[known], average=None, labels=range(4))
    np.testing.assert_allclose(intersection_over_union(table)[:4], expected)
    assert np.isnan(intersection_over_union(table)[4])
    assert mean_iou(table) == pytest.approx(expected.mean())
    assert pixel_accuracy(table) == pytest.approx((true[known] == found[known]).mean())
    with pytest.raises(DataError, match="one size"):
        pixel_table(true, found[:2], 5)


def test_batches_hold_pictures_masks_and_which_classes_occur(pictures):
    found = read_voc_masks(pictures, 3)
    assert [len(found[split]) for split in ("train", "val")] == [24, 4]
    batch = MaskBatches(found["train"], 3, 32)[[0, 1, 5]]
    assert batch.inputs["image"].shape == (3, 3, 32, 32)
    assert 0 <= float(batch.inputs["image"].min()) < float(batch.inputs["image"].max()) <= 1
    assert set(batch.inputs["mask"].unique().tolist()) == {0, 1, 2, 255}
    assert batch.targets.tolist() == [[1.0, 1.0, 1.0]] * 3
    square = np.array(Image.fromarray(read_mask(found["train"][0].mask)).resize((32, 32), resample=0))
    np.testing.assert_array_equal(batch.inputs["mask"][0], square)


def test_decoding_counts_every_pixel_once():
    mask = torch.randint(0, 3, (2, 6, 6))
    logits = torch.randn(2, 3, 6, 6)
    decoding = MapDecoding(3)
    prediction = decoding(GivenMaps(logits), batch_of(mask))
    found = logits.argmax(1)
    np.testing.assert_allclose(prediction.scores.sum(1), 1, rtol=1e-6)
    assert prediction.chosen[1].tolist() == [bool((found[1] == label).any()) for label in range(3)]
    assert decoding.measures()["pixel_accuracy"] == pytest.approx(float((found == mask).float().mean()))
    assert int(decoding.table.sum()) == 0


@pytest.mark.parametrize("kernel", [1, 5])
def test_from_a_folder_to_masks(pictures, tmp_path, kernel):
    training = TrainingSettings(epochs=12, batch_size=4, learning_rate=5e-3, monitor="mean_iou", precision="32-true")
    settings = SegmentationSettings(encoder=ENCODER, size=40, kernel_size=kernel, labels=LABELS, training=training)
    found = segment(pictures, tmp_path / "run", settings)
    assert found["mean_iou"] > 0.6  # one class for all pixels has a third at most
    assert set(found["iou"]) == set(LABELS)
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["mean_iou"] == found["mean_iou"]
    assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["kernel_size"] == kernel
    true, predicted = [], []
    for one in read_voc_masks(pictures, 3)["val"]:
        image = Image.open(tmp_path / "run" / "masks" / f"{one.name}.png")
        assert image.mode == "P"
        assert image.getpalette()[:9] == PALETTE[:9]
        true.append(read_mask(one.mask).ravel())
        predicted.append(np.asarray(image).ravel())
    true, predicted = np.concatenate(true), np.concatenate(predicted)
    by_sklearn = jaccard_score(true[true != 255], predicted[true != 255], average="macro")
    assert found["mean_iou"] == pytest.approx(by_sklearn)
    with pytest.raises(RunError, match="--overwrite"):
        segment(pictures, tmp_path / "run", settings)


def test_nothing_is_written_over_what_is_no_segmentation(pictures, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RunError, match="holds no segmentation"):
        segment(pictures, tmp_path, SegmentationSettings(labels=LABELS), overwrite=True)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def spoil(folder, what):
    mask = np.asarray(Image.open(folder / "SegmentationClass" / "a0.png")).copy()
    path = folder / "SegmentationClass" / "a0.png"
    if what == "class":
        mask[3, 4] = 7
        Image.fromarray(mask).save(path)
    elif what == "size":
        Image.fromarray(mask[:-1]).save(path)
    elif what == "colours":
        Image.fromarray(np.stack([mask] * 3, axis=-1)).save(path)
    elif what == "mask":
        path.unlink()
    elif what == "picture":
        (folder / "JPEGImages" / "a0.jpg").unlink()
    elif what == "broken":
        path.write_bytes(path.read_bytes()[:60])
    elif what == "list":
        (folder / "ImageSets" / "Segmentation" / "val.txt").unlink()
    else:
        (folder / "ImageSets" / "Segmentation" / "val.txt").write_text("\n")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("class", r"a0\.png has class 7 at row 3, column 4; classes go from 0 to 2"), ("size", r"35 x 40 pixels, but its picture 36 x 40"),
        ("colours", "no classes but colours"), ("mask", "'a0' has no mask"), ("picture", "'a0' has no picture"), ("broken", r"a0\.png"),
        ("list", r"val\.txt is missing"), ("empty", "names no picture"),
    ],
)  # fmt: skip
def test_a_folder_that_is_not_as_it_should_be_gets_one_line(tmp_path, what, said):
    folder = make_folder(tmp_path / "VOC", train=2, val=1)
    spoil(folder, what)
    with pytest.raises(DataError, match=said) as error:
        read_voc_masks(folder, 3)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"kernel_size": 4}, "kernel_size"),
        ({"sigma": 0.0}, "sigma"),
        ({"stride": 0}, "stride"),
        ({"size": 4}, "size"),
        ({"labels": ("sky",)}, "classes"),
    ],
)
def test_a_setting_out_of_range_is_named(arguments, word):
    with pytest.raises(ConfigurationError, match=word):
        SegmentationSettings(**arguments)


def test_an_encoder_whose_states_are_no_grid_is_refused_before_training():
    encoding = Encoding(torch.rand(1, 7, 8), torch.ones(1, 7).bool(), torch.rand(1, 8))
    with pytest.raises(ConfigurationError, match="square grid, got 7"):
        FCNScorer(3, 8)(encoding)
    assert isinstance(make_model(SegmentationSettings(encoder=ENCODER, size=16, labels=LABELS)), Model)


def test_the_command(pictures, tmp_path):
    (tmp_path / "classes.txt").write_text("\n".join(LABELS))
    words = ["segment", pictures, "--classes", tmp_path / "classes.txt", "--size", 32, "--epochs", 1, "--out", tmp_path / "run"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert "mean IoU" in result.stdout
    assert len(list((tmp_path / "run" / "masks").glob("*.png"))) == 4
    again = CliRunner().invoke(app, [str(word) for word in words])
    assert again.exit_code == 2
    assert len(again.stderr.strip().splitlines()) == 1
