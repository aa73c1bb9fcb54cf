"""What ``multihot predict --out x.csv`` writes, ``multihot.data.load`` reads back as the same label sets, whatever the names hold."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from multihot.cli.predict import _csv_lines
from multihot.data import load
from multihot.labels import LabelSpace
from multihot.predictions import Prediction

NAMES = st.text(st.sampled_from("ab ;,|\t#\"'[]{}().10NAé"), min_size=1, max_size=6).map(str.strip).filter(bool)


def read_back(names, sets):
    space = LabelSpace(names)
    prediction = Prediction(
        [f"id{i}" for i in range(len(sets))], np.zeros((len(sets), len(names))), space.encode(sets).toarray().astype(bool)
    )
    first, *lines = _csv_lines(SimpleNamespace(labels=space), prediction, 0)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tagged.csv"
        path.write_bytes(("text," + first + "".join(f"a{i},{line}" for i, line in enumerate(lines))).encode())
        return [sorted(labels or ()) for labels in load(path, text="text", labels="labels", id="id").splits["train"]["labels"]], lines


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_label_sets_of_any_names_are_read_back(data):
    names = data.draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    sets = data.draw(st.lists(st.lists(st.sampled_from(names), unique=True), min_size=1, max_size=5))
    assume(any(sets))
    assume(not all({*labels} <= {"0", "1"} for labels in sets))  # refused, as they look like vectors
    assert read_back(names, sets)[0] == [sorted(labels) for labels in sets]


@pytest.mark.parametrize(
    ("sets", "line"),
    [
        ([["Food; drink", "Home"], ["Home"]], '"[""Food; drink"", ""Home""]"'),
        ([["Film|TV"], ["Food; drink", "Film|TV"]], '"[""Film|TV""]"'),
        ([["New York", "Rome"], ["Rome"]], "New York;Rome"),
        ([["New York"], ["York New"]], '"[""New York""]"'),
    ],
)
def test_names_that_hold_a_separator_are_written_as_a_list(sets, line):
    found, lines = read_back(sorted({label for labels in sets for label in labels}), sets)
    assert found == [sorted(labels) for labels in sets]
    assert lines[0].strip().endswith(line)
