"""How far a training of another process is, read from its run folder."""

import pytest

from multihot.experiments import watching
from multihot.experiments.watching import Watch, last_epoch


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "config.yaml").write_text("training: {epochs: 10}\n")
    return tmp_path


def test_the_last_row_that_names_an_epoch_counts(folder):
    log = folder / "log" / "metrics.csv"
    assert last_epoch(log) is None
    log.write_text("epoch,step,loss\n" + "".join(f"{i // 50},{i},0.25\n" for i in range(5000)))
    assert last_epoch(log) == 99
    log.write_text("epoch,step,loss\n2.0,7,1\n,7,\n,8")
    assert last_epoch(log) == 2
    log.write_text("epoch,step,loss\n")
    assert last_epoch(log) is None


def test_time_left_follows_from_what_was_seen(folder, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(watching.time, "monotonic", lambda: clock[0])
    log, watch = folder / "log" / "metrics.csv", Watch(folder)
    assert watch.look() == ""
    log.write_text("epoch,step\n3.0,1\n")  # a training that goes on begins in its fourth epoch
    assert watch.look() == "epoch 4/10"
    log.write_text("epoch,step\n5.0,1\n")
    clock[0] = 120.0
    assert watch.look() == "epoch 6/10, 0:00:50 left"  # ten seconds an epoch, five to go


def test_a_folder_without_a_configuration_says_nothing(tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "metrics.csv").write_text("epoch,step\n3.0,1\n")
    assert Watch(tmp_path).look() == ""
