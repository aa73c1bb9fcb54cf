"""Head, medium and tail labels, seen and unseen label sets: by the training split that was published, not by what validation leaves."""

import json
from collections import Counter

import numpy as np
import pytest
from small import QUICK, small_rows, write_csv

import multihot
from multihot.data.in_memory import from_rows
from multihot.experiments.data_settings import DataSettings
from multihot.experiments.set_aside import set_aside


@pytest.mark.parametrize(("name", "sizes"), [("voc", [6, 6, 8]), ("coco", [22, 33, 25])])
def test_the_groups_of_the_long_tailed_lists_are_the_published_ones(shared_data, name, sizes):
    folder = shared_data / f"{name}_mlt"
    lines = (folder / f"{name}_lt_train.txt").read_text().splitlines()
    rows = [{"text": path, "labels": [f"{int(number):03}" for number in numbers]} for path, *numbers in map(str.split, lines)]
    published = json.loads((folder / f"{name}_class_split.json").read_text())
    data = set_aside(from_rows(rows), DataSettings(validation=0.1, test=0.0), seed=0)
    assert len(data.splits["validation"]) > 0.05 * len(rows)
    groups = data.statistics(data.label_space(), whole=True).split_by_frequency()
    assert {group: labels.tolist() for group, labels in groups.items()} == {
        ours: sorted(published[theirs]) for ours, theirs in (("head", "head"), ("medium", "middle"), ("tail", "tail"))
    }
    assert [len(labels) for labels in groups.values()] == sizes


def test_a_validation_split_of_the_data_s_own_is_not_training(tmp_path):
    whole = from_rows([{"id": row["id"], "text": row["body"], "labels": row["tags"]} for row in small_rows(60)])
    own = set_aside(whole, DataSettings(test=0.0, validation=0.2), seed=0)
    given = multihot.data.MultiLabelData(**{**vars(own), "cut_off": ()})
    space = whole.label_space()
    assert given.statistics(space, whole=True).to_dict() == given.statistics(space).to_dict()
    assert own.statistics(space, whole=True).num_examples == 60
    assert own.statistics(space).num_examples == given.statistics(space).num_examples < 60
    with_test = set_aside(whole, DataSettings(test=0.25, validation=0.2), seed=0)
    assert with_test.statistics(space, whole=True).num_examples == 60 - len(with_test.splits["test"])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    data = write_csv(folder / "train.csv", small_rows(240))
    settings = QUICK | {"training.epochs": 1, "data.validation": 0.3}
    return multihot.fit(str(data), text="body", labels="tags", out=folder / "run", seed=1, settings=settings)


def test_a_run_groups_by_training_and_validation_rows_together(run):
    sets = {row["id"]: frozenset(row["tags"]) for row in small_rows(240)}
    ids = {split: run.prediction(split)[0].ids for split in ("validation", "test")}
    inside = [name for name in sets if name not in ids["test"]]
    trained = [name for name in inside if name not in ids["validation"]]
    counts = Counter(label for name in inside for label in sets[name])
    sizes = Counter("head" if counts[name] >= 100 else "medium" if counts[name] >= 20 else "tail" for name in run.labels.names)
    for split, seen in (("test", inside), ("validation", trained)):
        found = run.metrics["breakdowns"][split]
        assert {group: part["num_labels"] for group, part in found["by_frequency"].items()} == {
            group: sizes[group] for group in ("head", "medium", "tail")
        }
        known = {sets[name] for name in seen}
        unseen = sum(sets[name] not in known for name in ids[split])
        assert found["seen_unseen"]["unseen"]["num_examples"] == unseen
        assert [row["training_count"] for row in found["per_label"]] == [counts[name] for name in run.labels.names]
    assert run.statistics.num_examples == len(trained)  # what losses and scorers start from stays that of the rows trained on
    np.testing.assert_array_equal(run.whole_statistics.counts, [counts[name] for name in run.labels.names])
