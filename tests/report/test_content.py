"""What stands in a report is what the run folders say, checked against scikit-learn, brute force and the run's own files."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from run_folders import LOG, content_of, make_run, random_problem
from scipy import sparse
from sklearn.metrics import f1_score, precision_recall_curve

from multihot.cli import app
from multihot.errors import ConfigurationError, RunError
from multihot.predictions import Prediction
from multihot.report import make_report, write_report
from multihot.report.curves import chosen_point, curves_of, cut_curve
from multihot.report.instances import sample
from multihot.report.pairs import label_pairs
from multihot.report.reading import read_log
from multihot.report.training import training_curves

NASTY = ["</script><script>alert(1)</script>", '<b>bold</b> & "quoted"', "مرحبا بالعالم 🚀", "{{content}} \u2028 </STYLE>"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    targets, scores = random_problem(60, 4)
    return make_run(tmp_path / "first", targets, scores, names=NASTY, excerpts=[NASTY[i % 4] for i in range(60)], log=LOG)


def test_figures_are_those_of_the_run(folder: Path) -> None:
    content = content_of(make_report([folder]))
    metrics = json.loads((folder / "metrics.json").read_text())
    (run,) = content["runs"]
    assert run["measures"] == {name: round(value, 4) for name, value in metrics["test"].items()}
    low, high = run["intervals"]["micro_f1"]
    assert low < run["measures"]["micro_f1"] < high
    for column, training, support, ((chosen, precision, recall, f1, average_precision),) in content["labelSets"]["perLabel"]:
        row = metrics["breakdowns"]["test"]["per_label"][column]
        assert [row["training_count"], row["support"], row["chosen"]] == [training, support, chosen]
        expected = [row["precision"], row["recall"], row["f1"], row["average_precision"]]
        assert [precision, recall, f1, average_precision] == pytest.approx(expected, abs=1e-4)
    assert run["training"]["losses"]["training/loss"] == [[10, 20], [0.9, 0.5]]
    assert run["training"]["measures"] == {"micro_f1": [[10, 20], [0.4, 0.7]]}


def test_nothing_from_data_becomes_markup(folder: Path) -> None:
    page = make_report([folder])
    assert content_of(page)["labels"] == NASTY
    assert {row[4] for row in content_of(page)["instances"]["rows"]} == set(NASTY)
    assert page.count("</script>") == 2  # the content's and the program's own
    assert "<b>bold" not in page
    assert "alert(1)" in page


def test_the_title_is_escaped(tmp_path: Path) -> None:
    targets, scores = random_problem(20, 3)
    folder = make_run(tmp_path / "a", targets, scores, data="</title><script>alert(1)</script>")
    assert "&lt;/title&gt;&lt;script&gt;" in make_report([folder])


def test_no_network(folder: Path) -> None:
    page = make_report([folder])
    assert "default-src 'none'" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page
    assert "@import" not in page


@pytest.mark.parametrize("ties", [False, True])
def test_curves_agree_with_scikit_learn(ties: bool) -> None:
    targets, scores = random_problem(300, 3)
    scores = np.round(scores, 1) if ties else scores
    found = cut_curve(scores.ravel(), targets.ravel(), int(targets.sum()), points=50)
    precision, recall, thresholds = precision_recall_curve(targets.ravel(), scores.ravel())
    at = np.searchsorted(thresholds, found["threshold"])
    np.testing.assert_allclose(found["precision"], precision[at])
    np.testing.assert_allclose(found["recall"], recall[at])
    assert found["recall"][-1] == 1
    assert len(found["threshold"]) <= 50


@pytest.mark.parametrize("is_sparse", [False, True])
def test_the_chosen_point_is_where_the_run_stands(is_sparse: bool) -> None:
    targets, scores = random_problem(200, 4)
    scores[scores == 0] = 0.5
    matrix = sparse.csr_matrix(scores) if is_sparse else scores
    chosen = sparse.csr_matrix(scores > 0.3) if is_sparse else scores > 0.3
    found = curves_of(Prediction([str(i) for i in range(200)], matrix, chosen), sparse.csr_matrix(targets), np.arange(4))
    point = found["all"]["chosen"]
    f1 = 2 * point["precision"] * point["recall"] / (point["precision"] + point["recall"])
    assert f1 == pytest.approx(f1_score(targets, scores > 0.3, average="micro"))
    assert point["threshold"] == scores[scores > 0.3].min()
    for label, curve in found["labels"].items():
        mine = scores[:, label] > 0.3
        assert curve["chosen"]["recall"] == pytest.approx((mine & targets[:, label]).sum() / targets[:, label].sum())


@pytest.mark.parametrize("is_sparse", [False, True])
def test_reliability_is_counted_before_and_after_calibration(tmp_path: Path, is_sparse: bool) -> None:
    targets, scores = random_problem(400, 4)
    counts = targets.sum(axis=0)
    scores[scores < -4] = -3
    kept = sparse.csr_matrix(np.where(scores > -1, scores, 0)) if is_sparse else scores
    folder = make_run(tmp_path / "a", targets, kept / 2, chosen=sparse.csr_matrix(scores > 0), uncalibrated=kept)
    found = content_of(make_report([folder]))["runs"][0]["reliability"]["groups"]
    groups = {"all": counts >= 0, "head": counts >= 100, "medium": (counts >= 20) & (counts < 100), "tail": counts < 20}
    assert set(found) == {name for name, labels in groups.items() if labels.any()}
    for group, drawn in found.items():
        for name, own in {"now": kept / 2, "before": kept}.items():
            dense = own.toarray() if is_sparse else own
            probabilities = np.where(dense != 0, 1 / (1 + np.exp(-dense)), 0) if is_sparse else 1 / (1 + np.exp(-dense))
            check_diagram(drawn[name], probabilities[:, groups[group]].ravel(), targets[:, groups[group]].ravel())
    plain = content_of(make_report([make_run(tmp_path / "b", targets, scores)]))["runs"][0]["reliability"]["groups"]
    assert set(plain["all"]) == {"now"}


def check_diagram(drawn: dict, probabilities: np.ndarray, true: np.ndarray) -> None:
    """Against a loop over bins."""
    inside = [(probabilities >= b / 15) & ((probabilities < (b + 1) / 15) | (b == 14)) for b in range(15)]
    expected = [
        [b / 15, (b + 1) / 15, part.sum(), probabilities[part].mean(), true[part].mean()] for b, part in enumerate(inside) if part.any()
    ]
    np.testing.assert_allclose(drawn["bins"], expected, atol=1e-4)
    error = sum(count * abs(promised - share) for _, _, count, promised, share in expected) / len(true)
    assert drawn["error"] == pytest.approx(error, abs=1e-4)


def test_no_threshold_is_named_where_none_parts_the_choice() -> None:
    scores, hits = np.array([3.0, 2.0, 1.0]), np.array([True, False, True])
    assert chosen_point(scores, hits, np.array([True, False, True]), 2)["threshold"] is None
    assert chosen_point(scores, hits, np.zeros(3, bool), 2) == {"precision": 0.0, "recall": 0.0, "threshold": None}


def test_pairs_are_counted() -> None:
    targets, scores = random_problem(80, 5)
    chosen = scores > 0
    found = label_pairs(sparse.csr_matrix(targets), [sparse.csr_matrix(chosen)])
    labels = found["labels"]
    for i, a in enumerate(labels):
        for j, b in enumerate(labels):
            assert found["true"][i][j] == sum(row[a] and row[b] for row in targets.tolist())
            assert found["predicted"][0][i][j] == sum(row[a] and row[b] for row in chosen.tolist())
    gaps = [abs(truth - given) for _, _, truth, given in found["differences"][0]]
    assert gaps == sorted(gaps, reverse=True)
    assert all(gaps)


def test_pairs_that_a_run_changed_are_counted_against_the_first() -> None:
    targets, scores = random_problem(80, 5)
    first, second = scores > 0, scores + np.array([0, 0, 1, 1, -1]) > 0
    found = label_pairs(sparse.csr_matrix(targets), [sparse.csr_matrix(first), sparse.csr_matrix(second)])
    assert found["changes"][0] == []
    expected = {}
    for a in range(5):
        for b in range(a + 1, 5):
            counts = [int((each[:, a] & each[:, b]).sum()) for each in (targets.astype(bool), first, second)]
            if counts[1] != counts[2]:
                expected[a, b] = counts
    assert {(a, b): counts for a, b, *counts in found["changes"][1]} == expected
    sizes = [abs(here - there) for *_, there, here in found["changes"][1]]
    assert sizes == sorted(sizes, reverse=True)


def test_what_an_objective_reports_is_drawn_by_kind() -> None:
    log = {
        "training/model_loss": [(1, 1.0)], "training/d_real": [(1, 0.5), (2, 0.7)], "training/d_mismatched": [(1, -0.5)],
        "training/gradient_norm": [(1, 0.9)], "validation/micro_f1": [(2, 0.3)], "epoch": [(1, 0.0)],
    }  # fmt: skip
    found = training_curves(log, 2)
    assert list(found["losses"]) == ["training/model_loss"]
    assert found["reported"] == {
        "Discriminator": {"real": [[1, 2], [0.5, 0.7]], "mismatched": [[1], [-0.5]]},
        "Gradient norm": {"gradient norm": [[1], [0.9]]},
    }


def test_a_sample_favours_mistakes() -> None:
    mistaken = np.arange(1000) < 100
    assert sorted(sample(mistaken, 1000)) == list(range(1000))
    few = sample(mistaken, 200)
    assert (len(few), len(set(few)), int(mistaken[few].sum())) == (200, 200, 100)
    most = sample(~mistaken, 200)
    assert int((~mistaken)[most].sum()) == 150
    assert (sample(mistaken, 200) == few).all()


def test_runs_with_other_orders_are_brought_to_one(tmp_path: Path) -> None:
    targets, scores = random_problem(50, 4)
    names, ids = ["a", "b", "c", "d"], [f"n{i}" for i in range(50)]
    rows, columns = np.random.default_rng(1).permutation(50), np.array([2, 0, 3, 1])
    first = make_run(tmp_path / "runs" / "x" / "0", targets, scores, names=names, ids=ids)
    other = make_run(
        tmp_path / "runs" / "y" / "0", targets[rows][:, columns], scores[rows][:, columns], names=[names[i] for i in columns],
        ids=[ids[i] for i in rows], method="svm",
    )  # fmt: skip
    content = content_of(make_report([first, other]))
    assert [run["name"] for run in content["runs"]] == ["x/0", "y/0"]
    for i, (name, truth, chosen, given, _) in enumerate(content["instances"]["rows"]):
        assert name == ids[i]
        assert truth == np.flatnonzero(targets[i]).tolist()
        assert chosen[0] == chosen[1] == np.flatnonzero(scores[i] > 0).tolist()
        probabilities = [1 / (1 + math.exp(-scores[i, label])) for label in sorted({*truth, *chosen[0]})]
        assert given[0] == given[1] == pytest.approx(probabilities, abs=6e-4)
    assert all(cells[0] == cells[1] for *_, cells in content["labelSets"]["perLabel"])
    assert content["labelSets"]["curves"][0] == content["labelSets"]["curves"][1]


def test_a_label_that_one_run_never_saw(tmp_path: Path) -> None:
    targets, scores = random_problem(40, 4)
    first = make_run(tmp_path / "a", targets[:, :3], scores[:, :3])
    other = make_run(tmp_path / "b", targets, scores)
    content = content_of(make_report([first, other]))
    assert content["labels"] == [f"label {i}" for i in range(4)]
    assert next(cells for column, *_, cells in content["labelSets"]["perLabel"] if column == 3)[0] is None
    assert content["instances"]["rows"][0][1] == np.flatnonzero(targets[0]).tolist()


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    targets, scores = random_problem(30, 3)
    first = make_run(tmp_path / "a", targets, scores)
    shorter = make_run(tmp_path / "b", targets[:20], scores[:20])
    elsewhere = make_run(tmp_path / "c", targets, scores, data="other")
    with pytest.raises(RunError, match="20 of 30 in both"):
        make_report([first, shorter])
    with pytest.raises(RunError, match="one report for each data set"):
        make_report([first, elsewhere])
    with pytest.raises(ConfigurationError, match="named twice"):
        make_report([first, first])
    with pytest.raises(ConfigurationError, match="at least one run"):
        make_report([])
    with pytest.raises(ConfigurationError, match="test, validation"):
        make_report([first], "training")
    with pytest.raises(RunError, match="not measured on validation"):
        make_report([first], "validation")
    with pytest.raises(RunError, match="no run folder"):
        make_report([tmp_path / "nothing"])


def test_a_damaged_run_is_named(folder: Path) -> None:
    (folder / "log" / "metrics.csv").write_text("epoch,step,training/loss\n0,1,broken\n")
    with pytest.raises(RunError, match="line 2"):
        read_log(folder / "log" / "metrics.csv")
    (folder / "predictions" / "test.parquet").write_bytes(b"PAR1 no parquet")
    with pytest.raises(RunError, match="damaged"):
        make_report([folder])
    (folder / "predictions" / "test.parquet").unlink()
    with pytest.raises(RunError, match="missing"):
        make_report([folder])


def test_pictures_and_no_excerpts(tmp_path: Path) -> None:
    targets, scores = random_problem(12, 3)
    pictures = [b"\x89PNG" + bytes([i]) for i in range(12)]
    shown = content_of(make_report([make_run(tmp_path / "a", targets, scores, excerpts=pictures)]))["instances"]["rows"]
    assert shown[1][4] == "data:image/png;base64,iVBORwE="
    bare = content_of(make_report([make_run(tmp_path / "b", targets, scores)]))["instances"]["rows"]
    assert {row[4] for row in bare} == {None}


def test_many_predictions_make_a_small_page(tmp_path: Path) -> None:
    targets, scores = random_problem(40_000, 100)
    texts = [f"instance {i} " + "words and words " * 24 for i in range(40_000)]
    folder = make_run(tmp_path / "large", targets, scores, excerpts=texts, measured=100)
    out = write_report([folder], tmp_path / "deep" / "large.html")
    assert out.stat().st_size < 5_000_000
    found = content_of(out.read_text(encoding="utf-8"))["instances"]
    assert found["total"] == 40_000
    assert 1000 < len(found["rows"]) <= 4000


def test_reading_runs_loads_no_model(folder: Path, tmp_path: Path) -> None:
    program = (
        "import sys\nfrom multihot.cli import app\n"
        f"try: app(['report', {str(folder)!r}, '--out', {str(tmp_path / 'r.html')!r}])\n"
        "finally: print(*sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (tmp_path / "r.html").exists(), finished.stderr
    assert {"torch", "lightning", "transformers", "multihot.encoders"} & set(finished.stdout.split()) == set()


def test_the_command_says_where_the_report_is(folder: Path, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    result = CliRunner().invoke(app, ["report", str(folder), "--out", str(tmp_path / "r.html")])
    assert result.exit_code == 0
    assert "r.html" in result.output
    refused = CliRunner().invoke(app, ["report", str(tmp_path / "nothing")])
    assert refused.exit_code == 2


def test_labels_stand_in_the_order_in_which_they_were_emitted(tmp_path: Path) -> None:
    targets, scores = random_problem(60, 5)
    sequences = [np.random.default_rng(i).permutation(np.flatnonzero(scores[i] > 0)).tolist() for i in range(60)]
    emitting = make_run(tmp_path / "a", targets, scores, sequences=sequences)
    scoring = make_run(tmp_path / "b", targets[:, ::-1], scores[:, ::-1], names=[f"label {i}" for i in range(5)][::-1])
    content = content_of(make_report([emitting, scoring]))
    assert [run["emits"] for run in content["runs"]] == [True, False]
    for name, _, chosen, *_ in content["instances"]["rows"]:
        assert chosen == [sequences[int(name[1:])], sorted(sequences[int(name[1:])])]


def test_attention_is_that_of_the_runs(tmp_path: Path) -> None:
    targets, scores = random_problem(30, 4)
    sequences = [np.flatnonzero(row > 0)[::-1].tolist() for row in scores]
    kept = {f"n{i}": {"words": ["a", "b", "c"], "weights": [[0.5, 0.25, 0.25]] * len(sequences[i])} for i in (3, 7)}
    looking = make_run(tmp_path / "a", targets, scores, sequences=sequences, attention=kept)
    found = content_of(make_report([looking, make_run(tmp_path / "b", targets, scores)]))["attention"]
    assert found == {name: [{"labels": sequences[int(name[1:])], **entry}, None] for name, entry in kept.items()}
    long = {name: entry | {"words": ["word"] * 400_000} for name, entry in kept.items()}
    assert content_of(make_report([make_run(tmp_path / "c", targets, scores, sequences=sequences, attention=long)]))["attention"] == {}


def test_parts_of_pictures_keep_their_labels_and_grid(tmp_path: Path) -> None:
    targets, scores = random_problem(30, 4)
    kept = {"n3": {"grid": [2, 2], "labels": [2, 0], "weights": [[0.1, 0.2, 0.3, 0.4]] * 2}}
    found = content_of(make_report([make_run(tmp_path / "a", targets, scores, attention=kept)]))["attention"]
    assert found == {"n3": [kept["n3"]]}


def test_five_measures_are_averaged_and_ranked(tmp_path: Path) -> None:
    targets, scores = random_problem(80, 5)
    folders = [make_run(tmp_path / str(cut), targets, scores, chosen=scores > cut) for cut in (-1, 0, 1)]
    content = content_of(make_report(folders))
    names = content["labelSets"]["five"]["measures"]
    assert len(names) == 5
    tables = [json.loads((folder / "metrics.json").read_text())["test"] for folder in folders]
    assert content["labelSets"]["five"]["mean"] == pytest.approx([sum(table[name] for name in names) / 5 for table in tables], abs=1e-4)
    places = [[1 + sum(other[name] > table[name] for other in tables) for table in tables] for name in names]
    assert content["labelSets"]["five"]["rank"] == pytest.approx(np.mean(places, axis=0), abs=1e-4)


def test_true_label_sets_are_counted_as_those_produced_are(tmp_path: Path) -> None:
    targets, scores = random_problem(80, 5)
    content = content_of(make_report([make_run(tmp_path / "a", targets, scores)]))
    assert content["labelSets"]["true"] == {"distinct": len({row.tobytes() for row in targets}), "unseen": 0, "unseen_examples": 0}
