"""``training.sampler`` from the configuration to the weights: chosen by name, checked early, resumed exactly."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from small import QUICK, small_rows, write_csv

import multihot
from multihot.data.samplers import InstanceBalancedSampling
from multihot.errors import ConfigurationError
from multihot.experiments import fit
from multihot.interfaces import Sampling
from multihot.learners import neural

SETTINGS = QUICK | {"training.epochs": 4, "training.validate_every": "7 updates"}


class FirstRowsSampling(Sampling):
    """A user's own: the first rows only.

    Args:
        targets: (N, L), the label sets.
        rows_kept: how many rows.
    """

    def __init__(self, targets, rows_kept: int = 20):
        self.size = min(rows_kept, targets.shape[0])

    def rows(self, random):
        return np.arange(self.size)


@pytest.fixture(scope="module")
def csv_file(tmp_path_factory):
    return write_csv(tmp_path_factory.mktemp("data") / "train.csv", small_rows(100))


def train(csv_file, out, sampler=None, **more):
    chosen = {} if sampler is None else {"training.sampler": sampler}
    return multihot.fit(csv_file, text="body", labels="tags", out=out, settings=SETTINGS | chosen | more)


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def test_the_default_is_plain_training_bit_for_bit(csv_file, tmp_path, monkeypatch):
    run = train(csv_file, tmp_path / "default")
    assert run.config.training.sampler == "instance_balanced"
    monkeypatch.setattr(neural, "build", lambda kind, config, **available: None)  # no sampling at all
    assert weights(train(csv_file, tmp_path / "none").folder) == weights(run.folder)


@pytest.mark.parametrize("sampler", ["class_aware", {"name": "repeat_factor", "threshold": 0.5}, "label_powerset"])
def test_a_training_that_is_resumed_ends_the_same(csv_file, tmp_path, monkeypatch, sampler):
    whole = train(csv_file, tmp_path / "whole", sampler)
    plain = train(csv_file, tmp_path / "plain")
    assert weights(whole.folder) != weights(plain.folder)
    measure, count = neural.measure, iter(range(99))

    def die(*arguments):
        if next(count) == 2:
            raise RuntimeError("killed")
        return measure(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(neural, "measure", die)
        with pytest.raises(RuntimeError, match="killed"):
            train(csv_file, tmp_path / "parts", sampler)
    assert (tmp_path / "parts" / "checkpoints" / "last.ckpt").exists()
    resumed = fit.resume(tmp_path / "parts")
    assert weights(resumed.folder) == weights(whole.folder)
    assert resumed.metrics["test"] == whole.metrics["test"]


def test_the_training_split_alone_is_sampled(csv_file, tmp_path, monkeypatch):
    seen = Counter()

    def rows(self, random):
        seen[self.size] += 1
        return np.arange(self.size)

    monkeypatch.setattr(InstanceBalancedSampling, "rows", rows)
    run = train(csv_file, tmp_path / "run", "instance_balanced")
    assert set(seen) == {run.metrics["data"]["rows"]["train"]}


def test_an_epoch_is_as_long_as_its_sampling_and_users_may_bring_their_own(csv_file, tmp_path):
    run = train(csv_file, tmp_path / "run", {"name": f"{__name__}.FirstRowsSampling", "rows_kept": 33})
    assert run.metrics["cost"]["updates"] == 4 * 3  # epochs of 33 rows in batches of 16


@pytest.mark.parametrize(
    ("sampler", "message"),
    [
        ("clas_aware", "there is no sampler 'clas_aware'; did you mean 'class_aware'"),
        ({"name": "repeat_factor", "treshold": 0.1}, "sampler 'repeat_factor' has no setting 'treshold'; did you mean 'threshold'"),
        ({"name": "repeat_factor", "threshold": 2}, r"threshold must be a share of the rows in \(0, 1\], got 2"),
        ({"threshold": 0.1}, "sampler must be a name or a mapping with 'name'"),
        (3, "training.sampler must be str or dict, got 3"),
    ],
)
def test_a_wrong_sampler_is_refused_before_any_data_is_read(tmp_path, sampler, message):
    with pytest.raises(ConfigurationError, match=message):
        train(tmp_path / "no-such-file.csv", tmp_path / "run", sampler)
    assert not (tmp_path / "run").exists()
