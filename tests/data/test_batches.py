"""Targets from label sets, and a loader that resumes in the middle of an epoch."""

import datasets
import numpy as np
import pytest
import torch

from multihot.data.batches import make_batch, make_loader
from multihot.data.processors import TableProcessor, WordsProcessor
from multihot.errors import ConfigurationError, DataError
from multihot.labels import LabelSpace

SPACE = LabelSpace(["corn", "rye", "wheat"])


@pytest.fixture(scope="module")
def texts():
    random = np.random.default_rng(0)
    lengths = random.integers(1, 60, size=203)
    return datasets.Dataset.from_dict(
        {
            "id": [f"row-{i}" for i in range(203)],
            "labels": [[SPACE.names[i % 3]] for i in range(203)],
            "text": [" ".join(f"w{n}" for n in random.integers(0, 50, size=length)) for length in lengths],
        }
    )


@pytest.fixture(scope="module")
def words(texts):
    return WordsProcessor().fit(texts)


def table(**columns):
    rows = len(next(iter(columns.values())))
    return datasets.Dataset.from_dict({"id": [str(i) for i in range(rows)], "features": [[float(i)] for i in range(rows)], **columns})


def only_batch(rows, **options):
    processor = TableProcessor(standardise=False).fit(rows)
    (batch,) = make_loader(processor.prepare(rows), processor, SPACE, batch_size=99, **options)
    return batch


def test_unlabelled_empty_unknown_and_unseen():
    rows = table(labels=[["wheat", "corn"], None, [], ["rye", "oat"]], unknown=[["rye"], None, ["wheat", "oat"], None])
    batch = only_batch(rows)
    assert batch.ids == ["0", "1", "2", "3"]
    assert batch.targets.tolist() == [[1, 0, 1], [0, 0, 0], [0, 0, 0], [0, 1, 0]]
    assert batch.known.tolist() == [[True, False, True], [False] * 3, [True, True, False], [True] * 3]
    assert (batch.targets.dtype, batch.known.dtype) == (torch.float32, torch.bool)


def test_soft_targets():
    rows = table(labels=[["wheat", "oat", "corn"], ["rye"]], label_values=[[0.25, 0.5, 1.0], [0.75]])
    assert only_batch(rows).targets.tolist() == [[1, 0, 0.25], [0, 0.75, 0]]


def test_rows_without_a_label_column_are_unlabelled():
    assert not only_batch(table(other=[1, 2])).known.any()


def test_unseen_labels_can_be_refused():
    rows = table(labels=[["wheat"], ["weat"]])
    with pytest.raises(DataError, match=r"row '1': label 'weat' is not in the label space; did you mean 'wheat'"):
        only_batch(rows, unseen="error")
    with pytest.raises(ConfigurationError, match="did you mean 'ignore'"):
        only_batch(rows, unseen="ignor")


def test_every_row_arrives_once_with_its_own_text_and_labels(texts, words):
    loader = make_loader(words.prepare(texts), words, SPACE, batch_size=16, shuffle=True)
    by_id = {row["id"]: row for row in texts}
    seen = []
    for batch in loader:
        seen.extend(batch.ids)
        for name, tokens, mask, targets in zip(batch.ids, batch.inputs["tokens"], batch.inputs["mask"], batch.targets, strict=True):
            assert tokens[mask].tolist() == words.vocabulary.encode(by_id[name]["text"].split())
            assert SPACE.decode([targets.tolist()]) == [by_id[name]["labels"]]
    assert sorted(seen) == sorted(by_id)


def test_a_loader_makes_the_batch_that_make_batch_makes(texts, words):
    prepared = words.prepare(texts)
    first = next(iter(make_loader(prepared, words, SPACE, batch_size=8, by_length=False)))
    again = make_batch([prepared[i] for i in range(len(first))], words, SPACE)
    assert first.ids == again.ids
    assert torch.equal(first.inputs["tokens"], again.inputs["tokens"])
    assert torch.equal(first.targets, again.targets)


@pytest.mark.parametrize("workers", [0, 1])
def test_the_order_follows_from_seed_and_epoch(texts, words, workers):
    def ids(seed, epoch):
        loader = make_loader(words.prepare(texts), words, SPACE, batch_size=16, shuffle=True, seed=seed, workers=workers)
        loader.sampler.set_epoch(epoch)
        return [batch.ids for batch in loader]

    assert ids(2, 3) == ids(2, 3)
    assert ids(2, 3) != ids(2, 4)
    assert ids(2, 3) != ids(1, 3)


def test_a_loader_leaves_the_global_random_state_alone(texts, words):
    loader = make_loader(words.prepare(texts), words, SPACE, batch_size=16, shuffle=True)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    next(iter(loader))
    assert torch.equal(before, torch.get_rng_state())


def test_rows_that_are_not_prepared_are_refused(texts, words):
    with pytest.raises(ConfigurationError, match="no column tokens; pass them through the processor's prepare"):
        make_loader(texts, words, SPACE, batch_size=16, by_length=False)


def test_a_selection_of_rows_is_read_through_its_own_order(texts, words):
    chosen = words.prepare(texts.select([7, 3, 5]))
    batch = next(iter(make_loader(chosen, words, SPACE, batch_size=3, by_length=False)))
    assert batch.ids == ["row-7", "row-3", "row-5"]
