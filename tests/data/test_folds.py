"""Folds: every row is a test row once, sizes are even, labels are spread; and what of it is said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from multihot.data import load
from multihot.data.folds import in_one_split, with_fold
from multihot.data.in_memory import from_rows
from multihot.data.splits import iterative_stratification, stratify
from multihot.errors import ConfigurationError, DataError


def made(sets):
    return from_rows([{"features": [float(number)], "labels": sorted(labels)} for number, labels in enumerate(sets)])


def rows_tested(data, folds, method="stratified", seed=0):
    return [with_fold(data, folds, fold, method, seed).split("test")["id"][:] for fold in range(folds)]


@settings(max_examples=30, deadline=None)
@given(
    sets=st.lists(st.sets(st.sampled_from("abcdef"), max_size=4), min_size=8, max_size=40).filter(any),
    folds=st.integers(2, 6), method=st.sampled_from(["stratified", "random"]), seed=st.integers(0, 3),
)  # fmt: skip
def test_every_row_is_a_test_row_of_one_fold_and_trains_the_others(sets, folds, method, seed):
    data = made(sets)
    parts = rows_tested(data, folds, method, seed)
    assert sorted(int(name) for part in parts for name in part) == list(range(len(sets)))
    assert max(map(len, parts)) - min(map(len, parts)) <= 2
    assert all(abs(len(part) - len(sets) / folds) <= 1 for part in parts)
    for fold, part in enumerate(parts):
        cut = with_fold(data, folds, fold, method, seed)
        assert set(cut.split("train")["id"]) == {str(number) for number in range(len(sets))} - set(part)
        assert set(cut.splits) == {"train", "test"}


def test_folds_hold_every_label_alike_and_the_seed_decides(shared_data):
    data = load("mulan/scene", from_path=shared_data)
    whole = in_one_split(data)
    assert len(whole.split("train")) == 2407
    assert "1,211 train and 1,196 test rows were put together; names of test rows begin with their split's" in whole.notes[-1]
    space = whole.label_space()
    every = whole.targets("train", space)[0].mean(axis=0)
    off = {}
    for method in ("stratified", "random"):
        cuts = [with_fold(whole, 3, fold, method) for fold in range(3)]
        off[method] = np.mean([np.abs(cut.targets("test", space)[0].mean(axis=0) - every) for cut in cuts])
    assert off["stratified"] < off["random"] / 2
    assert "fold 2 of 3 (0 to 2) is the test split: 802 rows" in cuts[-1].notes
    assert rows_tested(whole, 3, seed=0) == rows_tested(whole, 3, seed=0) != rows_tested(whole, 3, seed=1)
    assert len({with_fold(whole, 3, fold).split(part)._fingerprint for fold in range(3) for part in ("train", "test")}) == 6


def test_splits_whose_names_differ_keep_them_and_those_of_other_columns_are_refused(tmp_path):
    (tmp_path / "train.jsonl").write_text('{"id": "a", "text": "x", "labels": ["l"]}\n')
    (tmp_path / "test.jsonl").write_text('{"id": "b", "text": "y", "labels": ["l"]}\n')
    assert in_one_split(load(tmp_path)).split("train")["id"][:] == ["a", "b"]
    (tmp_path / "test.jsonl").write_text('{"id": "b", "text": "y", "labels": {"l": 0.5}}\n')
    with pytest.raises(DataError, match=r"its splits hold different columns .*label_values.*give the training rows alone"):
        in_one_split(load(tmp_path))


def test_folds_that_cannot_be():
    data = made(["a", "b", "ab"])
    with pytest.raises(DataError, match="3 rows are too few for 4 folds"):
        with_fold(data, 4, 0)
    for folds, fold in ((1, 0), (3, 3), (3, -1)):
        with pytest.raises(ConfigurationError, match=f"no fold {fold} of {folds}"):
            with_fold(data, folds, fold)


def test_what_the_sizes_cost_is_said_where_it_is_more_than_a_hundredth():
    own = made([[f"label {number}"] for number in range(300)])
    cut = own.with_validation(0.1)
    assert {split: len(rows) for split, rows in cut.splits.items()} == {"train": 270, "validation": 30}
    targets = sparse.identity(300, dtype=bool, format="csr")
    plain_share = 300 - stratify(targets, [0.9, 0.1], 0)[1]
    assert cut.notes == (f"{300 - plain_share} of 300 rows are not where stratification by labels put them, so that the parts have the "
                         "sizes asked for; labels are spread less evenly for it",)  # fmt: skip
    assert all(
        (a == b).all() for a, b in zip(stratify(targets, [0.9, 0.1], 0)[0], iterative_stratification(targets, [0.9, 0.1], 0), strict=True)
    )
    assert made(["a", "b", "ab", ""] * 50).with_validation(0.1).notes == ()


def test_few_rows_with_many_rare_labels_are_cut_all_the_same():
    random = np.random.default_rng(0)
    data = made([{f"tag {tag}" for tag in random.choice(199, 2, replace=False)} for _ in range(80)])
    assert {split: len(rows) for split, rows in data.with_validation(0.1).splits.items()} == {"train": 72, "validation": 8}
