"""Comparing run folders: groups, figures, formats, and what cannot be compared."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
import yaml
from made_runs import write_run
from scipy import stats
from typer.testing import CliRunner

from multihot.cli import app
from multihot.errors import ConfigurationError, RunError
from multihot.experiments.compare import compare
from multihot.experiments.comparison_formats import Cell, Table, tables_of, to_html, to_latex, to_markdown
from multihot.metrics.significance import bootstrap_interval, permutation_test
from multihot.predictions import load_prediction

BCE, ZLPR, SVM = {"name": "br", "loss": "bce"}, {"name": "br", "loss": "zlpr"}, {"name": "linear-svm"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two methods with three seeds on two data sets, as a sweep leaves them, and a third method on one."""
    place = tmp_path_factory.mktemp("runs")
    for data in ("letters", "numbers"):
        for seed in range(3):
            write_run(place / data / "good" / str(seed), BCE, seed, data=data, noise=0.05, truth=len(data))
            write_run(place / data / "poor" / str(seed), ZLPR, seed, data=data, noise=0.4, truth=len(data))
    write_run(place / "letters" / "svm" / "0", SVM, data="letters", noise=0.2, truth=7, cost={"seconds": 1.5})
    return place


def kept(*folders):
    """Targets and chosen label sets of runs, read plainly."""
    read = [load_prediction(folder / "predictions" / "test.parquet") for folder in folders]
    return read[0][1], [prediction.chosen for prediction, _ in read]


def test_seeds_are_one_method_with_mean_and_spread(folder):
    found = compare([folder])
    letters = found.data_sets[0]
    assert [data.name for data in found.data_sets] == ["letters", "numbers"]
    assert [(method.name, len(method.folders)) for method in letters.methods] == [("good", 3), ("poor", 3), ("svm", 1)]
    values = [json.loads((folder / "letters" / "good" / str(seed) / "metrics.json").read_text())["test"] for seed in range(3)]
    for name in ("micro_f1", "map"):
        spread = letters.methods[0].spread[name]
        assert (spread.mean, spread.deviation) == pytest.approx(
            (np.mean([v[name] for v in values]), np.std([v[name] for v in values], ddof=1))
        )
    assert letters.methods[2].cost == {"seconds": 1.5, "parameters": 1000, "predictions_per_second": 500, "peak_memory_bytes": 2**30}


def test_intervals_and_tests_are_those_of_the_statistics(folder):
    found = compare([folder / "letters"], baseline="poor", measures=["micro_f1", "map"], samples=200, swaps=300, seed=3)
    good, poor, svm = found.data_sets[0].methods
    runs = [[folder / "letters" / name / str(seed) for seed in range(3)] for name in ("good", "poor")]
    (targets, a), (_, b) = kept(*runs[0]), kept(*runs[1])
    _, c = kept(folder / "letters" / "svm" / "0")
    assert good.intervals == {"micro_f1": bootstrap_interval(targets, a, "micro_f1", samples=200, seed=3)}
    assert good.p_values == {"micro_f1": permutation_test(targets, a, b, "micro_f1", samples=300, seed=3)}
    assert (good.pairs, poor.pairs, svm.pairs) == (3, 0, 1)
    assert poor.p_values == {}
    assert svm.p_values == {"micro_f1": permutation_test(targets, c, b[0], "micro_f1", samples=300, seed=3)}


def test_label_sets_as_wholes_are_counted(folder):
    runs = [folder / "letters" / "poor" / str(seed) for seed in range(3)]
    targets, chosen = kept(*runs)
    trained = {tuple(row) for row in targets.toarray()}  # these runs say that training had the label sets of the test
    produced = [[tuple(row) for row in one] for one in chosen]
    found = compare([folder / "letters"]).data_sets[0].methods[1].label_sets
    assert found["distinct"] == np.mean([len(set(rows)) for rows in produced])
    assert found["unseen"] == np.mean([len(set(rows) - trained) for rows in produced])
    assert found["unseen_examples"] == np.mean([sum(row not in trained for row in rows) for rows in produced])
    assert found["labels"] == pytest.approx(np.mean(chosen) * targets.shape[1])
    assert "micro_f1_seen" in found
    assert "micro_f1_unseen" not in found, "no test instance has an unseen label set here"
    table = next(table for table in tables_of(compare([folder / "letters"])) if table.title == "letters: label sets")
    assert [row[0].lines[0] for row in table.rows] == ["good", "poor", "svm"]
    assert table.rows[1][3].lines == (f"{found['unseen']:.0f}",)


def test_methods_on_every_data_set_are_ranked(folder):
    ranking = compare([folder], measures=["micro_f1"]).ranking
    assert ranking.ranks == {"micro_f1": {"good": 1.0, "poor": 2.0}}
    assert ranking.data_sets == 2
    assert compare([folder / "letters"]).ranking is None


def test_runs_by_themselves_are_called_by_what_tells_them_apart(tmp_path):
    write_run(tmp_path / "a", BCE)
    write_run(tmp_path / "b", ZLPR)
    write_run(tmp_path / "c", ZLPR, seed=1)
    write_run(tmp_path / "d", SVM)
    found = compare([tmp_path / name for name in "abcd"])
    assert [(method.name, len(method.folders)) for method in found.data_sets[0].methods] == [
        ("br loss=bce", 1),
        ("br loss=zlpr", 2),
        ("linear-svm", 1),
    ]


def test_other_test_instances_are_not_compared_pairwise(tmp_path):
    write_run(tmp_path / "a", BCE)
    write_run(tmp_path / "b", ZLPR, truth=1)
    write_run(tmp_path / "c", ZLPR, seed=1, truth=2)
    first, second = compare([tmp_path], baseline="br loss=bce").data_sets[0].methods
    assert set(first.intervals) == {"micro_f1", "macro_f1", "example_f1", "subset_accuracy"}
    assert (second.intervals, second.p_values, second.pairs) == ({}, {}, 0)
    remarks = compare([tmp_path], baseline="br loss=bce").data_sets[0].remarks
    assert ["same test instances" in remarks[0], "share no test instances" in remarks[1]] == [True, True]


def test_measures_that_the_kept_label_sets_do_not_give_have_no_interval(tmp_path):
    run = write_run(tmp_path / "a", BCE)
    metrics = json.loads((run / "metrics.json").read_text())
    metrics["test"]["micro_f1"] += 0.01
    (run / "metrics.json").write_text(json.dumps(metrics))
    result = compare([run]).data_sets[0]
    assert result.methods[0].intervals == {}
    assert "unknown entries" in result.remarks[0]


def test_unfinished_runs_and_doubles_are_left_out_by_name(tmp_path):
    write_run(tmp_path / "a", BCE)
    write_run(tmp_path / "b", BCE)
    (write_run(tmp_path / "c", ZLPR) / "metrics.json").unlink()
    found = compare([tmp_path, tmp_path / "a"])
    assert [method.folders for method in found.data_sets[0].methods] == [[tmp_path / "a"]]
    assert [str(tmp_path / "b") in found.left_out[0], "not finished" in found.left_out[1]] == [True, True]
    with pytest.raises(RunError, match=r"not one finished run to compare: .*not finished"):
        compare([tmp_path / "c"])


@pytest.mark.parametrize(
    ("file", "content", "word"),
    [
        ("metrics.json", "{", "not readable JSON"),
        ("predictions/test.parquet", "no Parquet", r"test\.parquet"),
        ("config.yaml", "method: [", r"config\.yaml"),
        ("labels.json", None, r"labels\.json is missing"),
    ],
)
def test_a_damaged_run_is_refused_by_name(tmp_path, file, content, word):
    path = write_run(tmp_path / "a", BCE) / file
    path.unlink() if content is None else path.write_text(content)
    result = CliRunner().invoke(app, ["compare", str(tmp_path / "a")])
    assert result.exit_code == 2
    assert re.search(word, result.stderr)
    assert len([line for line in result.stderr.splitlines() if line.startswith("multihot:")]) == 1


def test_unknown_names_are_refused_with_the_nearest(folder, tmp_path):
    with pytest.raises(ConfigurationError, match="did you mean 'good'"):
        compare([folder], baseline="goood")
    with pytest.raises(ConfigurationError, match="did you mean 'micro_f1'"):
        compare([folder], measures=["micro_f2"])
    with pytest.raises(RunError, match="holds none"):
        compare([tmp_path])


def test_the_terminal_shows_it_in_80_columns(folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    result = CliRunner().invoke(app, ["compare", str(folder), "--baseline", "poor"])
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    for part in ("letters: 120 test instances", "good", "3 seeds", "p <0.001", "Average ranks over 2 data sets", "training seconds"):
        assert part in result.stdout, part


def test_files_hold_the_figures_in_every_format(folder, tmp_path):
    mean = compare([folder]).data_sets[0].methods[0].spread["micro_f1"].mean
    for ending, part in {"md": f"**{mean:.3f} ±", "tex": rf"\textbf{{{mean:.3f} $\pm$", "html": f"<strong>{mean:.3f} ±"}.items():
        result = CliRunner().invoke(app, ["compare", str(folder), "--out", str(tmp_path / f"table.{ending}")])
        assert result.exit_code == 0, result.output
        assert part in (tmp_path / f"table.{ending}").read_text()
    assert CliRunner().invoke(app, ["compare", str(folder), "--out", "table.doc"]).exit_code == 2


def test_what_has_no_interval_over_instances_shows_the_one_over_seeds(folder):
    values = [json.loads((folder / "letters" / "good" / str(seed) / "metrics.json").read_text())["test"]["map"] for seed in range(3)]
    low, high = stats.t.interval(0.9, 2, np.mean(values), stats.sem(values))
    shown = to_markdown(tables_of(compare([folder / "letters"], measures=["map"], level=0.9)))
    assert f"t {low:.3f}\u2013{high:.3f}" in shown
    assert "90% t-interval of the mean over seeds" in shown


STRANGE = Table("50% of <b>&_#$", ["method", "a|b"], [[Cell(("m_1 \\ {x}~^",)), Cell(("0.5 ±0.1", "<script>"), best=True)]], ["*note*"])


def test_markdown_is_escaped():
    lines = to_markdown([STRANGE]).splitlines()
    assert lines[0] == r"### 50% of \<b\>&\_\#$"
    assert lines[2] == r"| method | a\|b |"
    assert lines[4] == r"| m\_1 \\ {x}\~^ | **0.5 ±0.1**<br>\<script\> |"


def test_latex_is_escaped_and_balanced():
    text = to_latex([STRANGE])
    assert r"\caption{50\% of \textless{}b\textgreater{}\&\_\#\$}" in text
    assert r"m\_1 \textbackslash{} \{x\}\textasciitilde{}\textasciicircum{} & \shortstack[r]" in text
    assert r"{\textbf{0.5 $\pm$0.1} \\ \textless{}script\textgreater{}} \\" in text
    bare = re.sub(r"\\[{}]", "", text)
    assert bare.count("{") == bare.count("}")


def test_html_is_escaped_and_well_formed():
    class Tags(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open, self.seen = [], set()

        def handle_starttag(self, tag, attrs):
            self.seen.add(tag)
            if tag != "br":
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    tags = Tags()
    tags.feed(to_html([STRANGE]))
    assert tags.open == []
    assert not {"script", "b"} & tags.seen


def test_published_figures_stand_beside_ours(tmp_path):
    run = write_run(tmp_path / "good" / "0", BCE)
    published = {"source": "Somebody 2019", "table": "4.6", "row": "BR", "measures": {"micro_f1": 0.861, "hamming_accuracy": 0.9}}
    content = yaml.safe_load((run / "config.yaml").read_text()) | {"published": published}
    (run / "config.yaml").write_text(yaml.safe_dump(content))
    found = compare([run])
    assert found.data_sets[0].methods[0].published == {"micro_f1": 0.861}
    text = to_markdown(tables_of(found))
    assert "publ. 0.861" in text
    assert "Published figures of good: Somebody 2019, table 4.6, BR." in text


def test_comparing_loads_no_model(folder):
    program = f"import sys; sys.argv = ['multihot', 'compare', {str(folder)!r}, '--baseline', 'poor']\nimport multihot.cli\n"
    program += "try: multihot.cli.main()\nfinally: print(*sys.modules)"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "Average ranks" in finished.stdout, finished.stderr
    assert {"torch", "lightning", "transformers", "sklearn"} & set(finished.stdout.split()) == set()
