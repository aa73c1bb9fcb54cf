"""Parts of the data that the settings set aside: shares of the training rows, and one person's rows."""

from pathlib import Path

import pytest

from multihot.data.in_memory import from_rows
from multihot.errors import ConfigurationError, DataError
from multihot.experiments.config import load_config
from multihot.experiments.data_settings import DataSettings
from multihot.experiments.set_aside import set_aside
from multihot.experiments.sweep import plan_sweep


@pytest.fixture(scope="module")
def faces():
    rows = [
        {"id": f"{person:03}/{number}", "features": [float(number)], "labels": [str(number % 5)]}
        for person in range(8)
        for number in range(25)
    ]
    return from_rows(rows)


def ids(data, split):
    return set(data.split(split)["id"])


def test_smaller_shares_are_parts_of_larger_ones_and_are_measured_on_the_same_rows(faces):
    cut = {share: set_aside(faces, DataSettings(test=0.2, train_share=share), seed=3) for share in (1.0, 0.5, 0.25, 0.1)}
    seen = {share: ids(data, "train") | ids(data, "validation") for share, data in cut.items()}
    assert [len(rows) for rows in seen.values()] == [160, 80, 40, 16]
    assert seen[0.1] < seen[0.25] < seen[0.5] < seen[1.0]
    assert {frozenset(ids(data, "test")) for data in cut.values()} == {frozenset(ids(cut[1.0], "test"))}
    assert not seen[1.0] & ids(cut[1.0], "test")
    assert len({data.fingerprint for data in cut.values()}) == 4
    other = set_aside(faces, DataSettings(test=0.2, train_share=0.25), seed=4)
    assert ids(other, "train") | ids(other, "validation") != seen[0.25]


def test_one_person_is_left_out(faces):
    data = set_aside(faces, DataSettings(test_group="003"), seed=0)
    assert ids(data, "test") == {f"003/{number}" for number in range(25)}
    assert {name.partition("/")[0] for name in ids(data, "train") | ids(data, "validation")} == {f"{n:03}" for n in range(8)} - {"003"}


def test_groups_and_shares_that_cannot_be(faces):
    with pytest.raises(DataError, match=r"no row is of data\.test_group '009'; the ids begin with 000, 001"):
        set_aside(faces, DataSettings(test_group="009"), seed=0)
    with pytest.raises(DataError, match="has a test split of its own"):
        set_aside(set_aside(faces, DataSettings(), seed=0), DataSettings(test_group="003"), seed=0)
    with pytest.raises(DataError, match="leaves none of the 180 training rows"):
        set_aside(faces, DataSettings(train_share=0.001), seed=0)
    with pytest.raises(ConfigurationError, match=r"data.train_share must be a share in \(0, 1\], got 0"):
        DataSettings(train_share=0)


def test_the_example_of_shrinking_data_is_a_sweep_of_equal_training(tmp_path):
    path = Path(__file__).parents[2] / "examples" / "distributions.yaml"
    cells = plan_sweep(load_config(path), tmp_path).cells
    assert {cell.config.data.train_share for cell in cells} == {1.0, 0.5, 0.25, 0.1}
    assert {cell.config.data.train_share * cell.config.training.epochs for cell in cells} == {40.0}
    assert {cell.config.data.distribution for cell in cells if cell.method in ("sa-bfgs", "aa-knn")} == {"degrees"}
    assert len({cell.seed for cell in cells}) >= 3
