"""The figures of a data set, against counting by hand."""

import io
import itertools
import json
import sys
from collections import Counter

import datasets
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from multihot.data import MultiLabelData
from multihot.data.describe import describe
from multihot.errors import ConfigurationError

random = np.random.default_rng(0)


def draw_label_sets(count, labels):
    chances = 0.6 / np.arange(1, labels + 1)
    return [[f"label-{i}" for i in np.flatnonzero(random.random(labels) < chances)] for _ in range(count)]


@pytest.fixture(scope="module")
def label_sets():
    train = draw_label_sets(400, 12)
    train[3] = train[200] = None  # nobody annotated these rows
    return {"train": train, "test": [*draw_label_sets(150, 12), ["label-1", "unheard-of"], ["unheard-of"]]}


def data_of(label_sets, declared=None, modality="text", **columns):
    def rows(split, sets):
        inputs = {name: values[split] for name, values in columns.items()} or {"text": ["corn and wheat"] * len(sets)}
        return datasets.Dataset.from_dict({"id": [f"{split}-{i}" for i in range(len(sets))], "labels": sets, **inputs})

    splits = {split: rows(split, sets) for split, sets in label_sets.items()}
    width = len(columns["features"]["train"][0]) if "features" in columns else None
    return MultiLabelData("made", modality, splits, declared, "0", next(iter(columns), "text"), num_features=width)


@pytest.fixture(scope="module")
def description(label_sets):
    return describe(data_of(label_sets))


def by_hand(label_sets, split):
    known = {label for labels in label_sets["train"] for label in labels or ()}
    return [frozenset(labels) & known for labels in label_sets[split] if labels is not None]


@pytest.mark.parametrize("split", ["train", "test"])
def test_figures_of_a_split(description, label_sets, split):
    sets, training = by_hand(label_sets, split), set(by_hand(label_sets, "train"))
    figures = description.splits[split]
    distinct = set(sets)
    assert (figures.rows, figures.labelled) == (len(label_sets[split]), len(sets))
    assert figures.cardinality == pytest.approx(np.mean([len(labels) for labels in sets]))
    assert figures.density == pytest.approx(figures.cardinality / 12)
    assert figures.labels == len(set().union(*sets))
    assert figures.empty == sets.count(frozenset())
    assert figures.label_sets == len(distinct)
    assert figures.diversity == pytest.approx(len(distinct) / len(sets))
    assert figures.unseen_sets == pytest.approx(len(distinct - training) / len(distinct))
    assert figures.unseen_rows == pytest.approx(sum(labels not in training for labels in sets) / len(sets))
    assert figures.sizes == [sum(len(labels) == k for labels in sets) for k in range(max(map(len, sets)) + 1)]


def test_labels_outside_the_label_space_are_counted(description):
    assert (description.splits["train"].outside, description.splits["test"].outside) == (0, 2)


def test_imbalance_and_frequency_groups(description, label_sets):
    counts = Counter(label for labels in by_hand(label_sets, "train") for label in labels)
    most = max(counts.values())
    assert description.mean_imbalance == pytest.approx(np.mean([most / count for count in counts.values()]))
    assert description.max_imbalance == most / min(counts.values())
    head, tail = sum(count >= 100 for count in counts.values()), sum(count < 20 for count in counts.values())
    assert description.frequency_groups == {"head": head, "medium": len(counts) - head - tail, "tail": tail}


def test_pairs_that_occur_together_most(description, label_sets):
    sets = by_hand(label_sets, "train")
    single = Counter(label for labels in sets for label in labels)
    together = Counter(pair for labels in sets for pair in itertools.combinations(sorted(labels), 2))
    assert [pair.rows for pair in description.pairs] == sorted(together.values(), reverse=True)[:10]
    for pair in description.pairs:
        rows = together[tuple(sorted((pair.first, pair.second)))]
        assert pair.rows == rows
        assert pair.lift == pytest.approx((rows / len(sets)) / (single[pair.first] / len(sets) * single[pair.second] / len(sets)))


def test_declared_labels_that_never_occur_count_in_density_and_tail_alone(label_sets):
    declared = [f"label-{i}" for i in range(12)] + ["never"]
    description = describe(data_of(label_sets, declared))
    assert description.splits["train"].density == pytest.approx(description.splits["train"].cardinality / 13)
    assert description.splits["train"].labels == 12
    assert np.isfinite(description.mean_imbalance)


def test_words_of_texts():
    texts = {"train": ["corn, wheat  rises\n", "", "one"]}
    description = describe(data_of({"train": [["a"], ["a"], ["b"]]}, text=texts))
    assert description.splits["train"].inputs == {"mean_words": 4 / 3, "median_words": 1, "most_words": 3, "empty_texts": 1}
    assert description.to_dict()["splits"][0]["mean_words"] == 4 / 3


@pytest.mark.parametrize("name", ["reuters21578", "aapd"])
def test_mean_words_are_what_splitting_every_text_counts(shared_data, name):
    from multihot.data import load

    data = load(name, from_path=shared_data)
    description = describe(data)
    for split, rows in data.splits.items():
        counts = [len(text.split()) for text in rows["text"]]
        assert description.splits[split].inputs["mean_words"] == pytest.approx(sum(counts) / len(counts))


def test_features_of_tables():
    description = describe(data_of({"train": [["a"], ["b"]]}, modality="table", features={"train": [[0.0, 1.0, 0.0], [2.0, 0.0, 0.0]]}))
    assert description.splits["train"].inputs == {"features": 3, "nonzero_share": pytest.approx(2 / 6)}


def test_rows_and_dictionary_are_plain_json(description):
    rows = description.to_rows()
    assert [row["split"] for row in rows] == ["train", "test"]
    assert rows[1]["unseen_rows"] == description.splits["test"].unseen_rows
    plain = json.loads(json.dumps(description.to_dict()))
    assert plain["splits"] == rows
    assert (plain["mean_imbalance"], plain["scumble"]) == (description.imbalance.mean, description.imbalance.scumble)


@pytest.mark.parametrize("labels", [1, 12, 40])
def test_tables_show_the_figures(labels):
    description = describe(data_of({"train": [*draw_label_sets(300, labels), [f"label-{labels - 1}"]]}))
    description.print(Console(file=(page := io.StringIO()), width=100))
    shown = page.getvalue()
    figures = description.splits["train"]
    imbalance = (f"mean {description.imbalance.mean:,.1f} (MeanIR)", f"{description.imbalance.scumble:.3f} (SCUMBLE)")
    for figure in (
        *imbalance,
        f"{figures.cardinality:.3f}",
        f"{figures.label_sets:,}",
        "label-0",
        f"{description.statistics.counts.max():,}",
    ):
        assert figure in shown
    assert max(map(len, shown.splitlines())) <= 100
    assert all(f"{pair.first} + {pair.second}" in shown for pair in description.pairs)


def test_names_that_look_like_markup_are_shown_as_they_are():
    description = describe(data_of({"train": [["[bold]", "[/x]"], ["[/x]"]]}))
    description.print(Console(file=(page := io.StringIO()), width=100))
    assert "[/x] + [bold]" in page.getvalue()


@pytest.mark.parametrize("labels", [1, 300])
def test_picture(labels, tmp_path):
    description = describe(data_of({"train": [*draw_label_sets(300, labels), [f"label-{labels - 1}"]]}))
    description.draw(tmp_path / "made.png")
    pixels = np.asarray(Image.open(tmp_path / "made.png").convert("RGB"))
    assert pixels.shape[1] > 1500
    assert (pixels != 255).any(axis=2).mean() > 0.05


def test_picture_as_svg(description, tmp_path):
    description.draw(tmp_path / "made.svg")
    assert "<svg" in (tmp_path / "made.svg").read_text()


def test_reuters(shared_data):
    from multihot.data import load

    description = describe(load(shared_data / "reuters21578" / "reuters_r90.jsonl.gz"))
    counted = {"train": (7770, 1.2336), "test": (3019, 1.2401)}  # the counts in the folder's README
    for split, (rows, cardinality) in counted.items():
        assert description.splits[split].rows == rows
        assert description.splits[split].cardinality == pytest.approx(cardinality, abs=5e-5)
    assert len(description.space) == 90


def test_a_picture_without_matplotlib_is_one_line_with_the_remedy(description, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ConfigurationError, match=r'the picture needs matplotlib; install it with pip install "multihot\[plots\]"'):
        description.draw(tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()
