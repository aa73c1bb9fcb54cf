"""The sentence that a comparison opens with: constructed comparisons, and its figures against those of the statistics."""

import re

import numpy as np
import pytest
from made_runs import write_run
from typer.testing import CliRunner

from multihot.cli import app
from multihot.experiments.compare import compare
from multihot.experiments.comparison_formats import tables_of, to_html, to_latex, to_markdown
from multihot.experiments.outcome import Rival, Standing, in_words, ranking_outcome
from multihot.metrics import seen_unseen
from multihot.metrics.significance import holm, permutation_test
from multihot.predictions import load_prediction

BCE, ZLPR, SVM = {"name": "br", "loss": "bce"}, {"name": "br", "loss": "zlpr"}, {"name": "linear-svm"}


def kept(folder):
    prediction, targets = load_prediction(folder / "predictions" / "test.parquet")[:2]
    return targets.toarray().astype(bool), np.asarray(prediction.chosen, dtype=bool)


@pytest.mark.parametrize(
    ("rivals", "words"),
    [
        ([Rival("b", 0.021, 0.0004, 1, 1)], "a leads in micro-F1 (0.912), ahead of b by 2.1 points (p <0.001)"),
        (
            [Rival("b", 0.0002, 0.8, 1, 1)],
            "a leads in micro-F1 (0.912), but its lead of less than 0.1 points over b (p 0.800) may be chance",
        ),
        (
            [Rival("b", 0.003, 0.21, 1, 1), Rival("c", 0.03, 0.002, 1, 1)],
            "a leads in micro-F1 (0.912), ahead of c by 3.0 points (p 0.002), while its lead of 0.3 points over b (p 0.210) may be chance",
        ),
        (
            [Rival("b", 0.003, 0.21, 3, 3), Rival("c", 0.03, 0.06, 3, 3)],
            "a leads in micro-F1 (0.912), but its lead of 0.3 points over b (p 0.210) and of 3.0 points over c (p 0.060) may be chance",
        ),
        (
            [Rival("b", 0.02, 0.01, 2, 3)],
            "a leads in micro-F1 (0.912), but its lead of 2.0 points over b (p 0.010, ahead in 2 of 3 trainings) may be chance",
        ),
        ([Rival("b", 0.02, None, 0, 0)], "a leads in micro-F1 (0.912), but its lead of 2.0 points over b was not tested"),
        (
            [Rival(name, 0.01 * place, 0.001 * place, 1, 1) for place, name in enumerate("bcdef", start=1)],
            "a leads in micro-F1 (0.912), ahead of b and 4 others by 1.0 to 5.0 points (p at most 0.005)",
        ),
    ],
)
def test_a_lead_is_told_with_how_sure_it_is(rivals, words):
    assert in_words(Standing("micro_f1", ["a"], 0.912, rivals)) == words


def test_ties_and_errors_have_words_of_their_own():
    assert (
        in_words(Standing("micro_f1", ["a", "b"], 0.5, []), "one training each")
        == "a and b are level in micro-F1 (0.500, one training each)"
    )
    shared = in_words(Standing("micro_f1", ["a", "b"], 0.5, [Rival("c", 0.1, 0.4, 1, 1)]))
    assert shared == "a and b share the lead in micro-F1 (0.500), but their lead of 10.0 points over c (p 0.400) may be chance"
    error = in_words(Standing("mean_absolute_error", ["a"], 3.2, [Rival("b", 0.25, 0.001, 1, 1)]))
    assert error == "a leads in MAE (3.200), ahead of b by 0.250 (p 0.001)"


def test_holm_is_that_of_the_definition():
    """A hypothesis is refused at a level where its p and all smaller ones are at most level / (m - rank + 1)."""
    p = np.random.default_rng(0).random(6) * 0.1
    order = np.argsort(p)
    for level in np.linspace(0.001, 0.5, 60):
        refused = set()
        for rank, test in enumerate(order):
            if p[test] > level / (len(p) - rank):
                break
            refused.add(test)
        assert {test for test, value in enumerate(holm(p)) if value <= level} == refused
    assert holm([]) == []


def test_a_clear_win_with_the_figures_of_the_tests(tmp_path):
    runs = {"good": (BCE, 0.05), "poor": (ZLPR, 0.5), "svm": (SVM, 0.3)}
    for name, (method, noise) in runs.items():
        write_run(tmp_path / name / "0", method, noise=noise)
    (targets, good), (_, poor), (_, svm) = (kept(tmp_path / name / "0") for name in runs)
    (said,) = compare([tmp_path], swaps=500).outcome
    found = re.fullmatch(
        r"good leads in micro-F1 \((.+), one training each\), ahead of svm by (.+) points \((.+)\) and poor by (.+) points \((.+)\)\.", said
    )
    assert found, said

    def f1(chosen):
        return 2 * (chosen & targets).sum() / (chosen.sum() + targets.sum())

    assert [float(found[1]), float(found[2]), float(found[4])] == pytest.approx(
        [f1(good), 100 * (f1(good) - f1(svm)), 100 * (f1(good) - f1(poor))], abs=0.06
    )
    p = holm([permutation_test(targets, good, other, samples=500) for other in (svm, poor)])
    assert [found[3], found[5]] == [f"p {value:.3f}" for value in p]


def test_what_may_be_chance_is_called_so(tmp_path):
    """One error more on one instance: every second swap is as extreme."""
    for name, method, wrong in (("one", BCE, 4), ("other", ZLPR, 5)):
        for seed in range(2):
            write_run(tmp_path / name / str(seed), method, seed, wrong=wrong)
    (said,) = compare([tmp_path]).outcome
    words = r"one leads in micro-F1 \(0\.9\d\d, 2 trainings each\), but its lead of 0\.\d points over other \(p 1\.000\) may be chance\."
    assert re.fullmatch(words, said), said


def test_equal_answers_are_a_tie(tmp_path):
    for name, method in {"one": BCE, "other": ZLPR}.items():
        write_run(tmp_path / name / "0", method, wrong=0)
    assert compare([tmp_path]).outcome == ["one and other are level in micro-F1 (1.000, one training each)."]


def test_one_method_says_what_it_reached(tmp_path):
    for seed in range(2):
        write_run(tmp_path / "good" / str(seed), BCE, seed)
    found = compare([tmp_path])
    low, high = found.data_sets[0].methods[0].intervals["micro_f1"]
    values = {name: found.data_sets[0].methods[0].spread[name].mean for name in ("micro_f1", "subset_accuracy")}
    assert found.outcome == [
        f"good reached {values['micro_f1']:.3f} in micro-F1 (95% interval over test instances {low:.3f} to {high:.3f}) and "
        f"{values['subset_accuracy']:.3f} in subset accuracy (2 trainings)."
    ]


def test_unseen_label_sets_are_spoken_of_by_themselves(tmp_path):
    """Training shows the label sets of the first 10 rows only."""
    for name, (method, noise) in {"good": (BCE, 0.05), "poor": (ZLPR, 0.5)}.items():
        write_run(tmp_path / name / "0", method, noise=noise, trained=10)
    targets, good = kept(tmp_path / "good" / "0")
    _, poor = kept(tmp_path / "poor" / "0")
    unseen = np.array([not any((row == shown).all() for shown in targets[:10]) for row in targets])
    p = permutation_test(targets[unseen], good[unseen], poor[unseen], samples=500)
    measured = {
        name: seen_unseen(targets, chosen, statistics_of(targets[:10]))["unseen"]["micro_f1"]
        for name, chosen in (("good", good), ("poor", poor))
    }
    (said,) = compare([tmp_path], swaps=500).outcome
    assert said.endswith(
        f"; on the {unseen.mean():.0%} of test instances whose label set never occurs in training, good leads in micro-F1 "
        f"({measured['good']:.3f}), ahead of poor by {100 * (measured['good'] - measured['poor']):.1f} points (p {p:.3f})."
    )
    (alone,) = compare([tmp_path / "good"]).outcome
    assert alone.endswith(f"label set never occurs in training, {measured['good']:.3f} in micro-F1.")


def statistics_of(targets):
    from multihot.labels import LabelStatistics

    return LabelStatistics.from_targets(targets)


def test_several_data_sets_are_ranked_first_and_then_told_one_by_one(tmp_path):
    for data in ("letters", "numbers"):
        for name, (method, noise) in {"good": (BCE, 0.05), "poor": (ZLPR, 0.5)}.items():
            write_run(tmp_path / data / name / "0", method, data=data, noise=noise)
    over_all, letters, numbers = compare([tmp_path]).outcome
    assert over_all == (
        "Over 2 data sets, good ranks first in micro-F1 (average rank 1.00), but the distance to poor (2.00) may be chance."
    )
    assert letters.startswith("letters: good leads in micro-F1")
    assert numbers.startswith("numbers: good leads in micro-F1")
    apart = ranking_outcome("micro_f1", {"a": 1.2, "b": 1.5, "c": 3.3}, 9, 1.0)
    assert apart.endswith("ahead of c (3.30) by more than chance, while the distance to b (1.50) may be chance.")


def test_other_test_instances_and_other_measures_are_not_tested(tmp_path):
    write_run(tmp_path / "one" / "0", BCE, noise=0.05)
    write_run(tmp_path / "other" / "0", ZLPR, noise=0.5, truth=1)
    assert compare([tmp_path]).outcome[0].endswith("over other was not tested.")
    write_run(tmp_path / "third" / "0", SVM, noise=0.5)
    said = compare([tmp_path / "one", tmp_path / "third"], measures=["map", "micro_f1"]).outcome[0]
    assert re.fullmatch(r"one leads in mAP .* over third was not tested.*\.", said)


def test_every_format_opens_with_the_sentence(tmp_path):
    write_run(tmp_path / "a_b" / "0", BCE)
    tables = tables_of(compare([tmp_path]))
    assert to_markdown(tables).startswith(r"a\_b reached")
    assert to_latex(tables).startswith(r"a\_b reached")
    assert to_html(tables).startswith('<section class="comparison">\n<p><strong>a_b reached')
    shown = CliRunner().invoke(app, ["compare", str(tmp_path)])
    assert shown.stdout.startswith("a_b reached")
