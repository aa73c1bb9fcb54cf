"""Few-shot episodes: prototypes and logits by loops, who sees which rows, and what is found on data whose answer is known."""

import json

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.special import log_softmax
from scipy.stats import t
from typer.testing import CliRunner

from multihot.cli import app
from multihot.data import load
from multihot.data.in_memory import from_rows
from multihot.errors import ConfigurationError, DataError
from multihot.experiments.episodes import (
    accuracy,
    draw_episode,
    head_logits,
    pool_of,
    prototype_logits,
    prototypes,
    restricted,
    split_labels,
)
from multihot.experiments.few_shot import FewShotSettings, Learner, few_shot, summary

ENCODER = {"name": "tabular", "hidden_size": 16, "layers": 1, "dropout": 0.0}
QUICK = {"encoder": ENCODER, "episodes": 20, "updates": 30, "ways": 3, "queries": 3, "shots": (1, 4), "seeds": (0, 1)}


def on_a_line(rows: int = 10, labels: int = 12, noise: float = 0.2, shift: float = 0.0):
    """Labels 0, 1, 2, ... whose first features are the label's number and its square, with noise; novel ones may be moved away."""
    random = np.random.default_rng(0)
    novel = split_labels(range(labels), 0.4, 3, seed=0)[1] if shift else []
    made = []
    for label in range(labels):
        for number in range(rows):
            features = np.array([label / 4, (label / 4) ** 2 / 3, 0.0]) + noise * random.standard_normal(3) + shift * (label in novel)
            made.append({"id": f"{label}-{number}", "features": features.tolist(), "labels": [str(label)]})
    return from_rows(made)


def test_prototypes_and_logits_by_loops():
    random = torch.Generator().manual_seed(0)
    support, queries = torch.randn(7, 4, generator=random).double(), torch.randn(5, 4, generator=random).double()
    degrees = torch.rand(7, 3, generator=random).double().softmax(1)
    found = prototypes(support, degrees)
    for label in range(3):
        total, weights = np.zeros(4), 0.0
        for row in range(7):
            total = total + float(degrees[row, label]) * support[row].numpy()
            weights += float(degrees[row, label])
        np.testing.assert_allclose(found[label], total / weights)
        for query in range(5):
            distance = sum((float(queries[query, i]) - total[i] / weights) ** 2 for i in range(4))
            assert float(prototype_logits(queries, found)[query, label]) == pytest.approx(-distance)


def test_prototypes_of_single_labels_are_means_of_rows_and_several_episodes_are_as_many_calls():
    support = torch.randn(2, 6, 4)
    degrees = torch.eye(3).repeat_interleave(2, 0).expand(2, 6, 3)
    found = prototypes(support, degrees)
    torch.testing.assert_close(found, support.view(2, 3, 2, 4).mean(2))
    queries = torch.randn(2, 5, 4)
    logits = prototype_logits(queries, found)
    for episode in range(2):
        torch.testing.assert_close(found[episode], prototypes(support[episode], degrees[episode]))
        torch.testing.assert_close(logits[episode], -(torch.cdist(queries[episode], found[episode]) ** 2), rtol=1e-4, atol=1e-4)


def test_a_head_reaches_the_minimum_of_its_own_episode():
    generator = torch.Generator().manual_seed(3)
    support, queries = torch.randn(2, 6, 3, generator=generator), torch.randn(2, 4, 3, generator=generator)
    degrees = torch.rand(2, 6, 3, generator=generator).mul(4).softmax(-1)
    found = head_logits(support, degrees, queries, steps=3000, learning_rate=0.02, weight_decay=0.1)
    for episode in range(2):
        z, y = support[episode].numpy().astype(float), degrees[episode].numpy().astype(float)

        def cost(flat, z=z, y=y):
            weight, bias = flat[:9].reshape(3, 3), flat[9:]
            return -(y * log_softmax(z @ weight + bias, axis=1)).sum() / len(z) + 0.1 * (weight**2).sum()

        best = minimize(cost, np.zeros(12), tol=1e-10).x
        expected = queries[episode].numpy() @ best[:9].reshape(3, 3) + best[9:]
        np.testing.assert_allclose(found[episode].softmax(-1), np.exp(log_softmax(expected, axis=1)), atol=2e-3)
        alone = head_logits(support[episode : episode + 1], degrees[episode : episode + 1], queries[episode : episode + 1])
        torch.testing.assert_close(alone[0], head_logits(support, degrees, queries)[episode], rtol=1e-4, atol=1e-5)


def test_an_episode_never_tests_on_what_it_learned_from():
    groups = {label: np.arange(label * 10, label * 10 + 10) for label in range(6)}
    for seed in range(20):
        episode = draw_episode(groups, 4, 3, 5, np.random.default_rng(seed))
        assert len(set(episode.labels.tolist())) == 4
        assert not set(episode.support.tolist()) & set(episode.queries.tolist())
        assert (episode.support // 10).tolist() == np.repeat(episode.labels, 3).tolist()
        assert (episode.queries // 10).tolist() == np.repeat(episode.labels, 5).tolist()
        assert len(set(episode.queries.tolist())) == 20


def test_distributions_among_some_labels_sum_to_one_again():
    degrees = torch.rand(5, 6).softmax(1)
    found = restricted(degrees, np.array([4, 0]), np.array([1, 5]))
    for place, row in enumerate((4, 0)):
        mass = float(degrees[row, 1] + degrees[row, 5])
        assert found[place].tolist() == pytest.approx([float(degrees[row, 1]) / mass, float(degrees[row, 5]) / mass])


def test_labels_are_split_by_the_seed_into_parts_that_share_none():
    for seed in range(5):
        base, novel = split_labels(range(3, 20), 0.1, 5, seed)
        assert sorted(base + novel) == list(range(3, 20))
        assert len(novel) == 5
    assert split_labels(range(20), 0.4, 5, 1) == split_labels(range(20), 0.4, 5, 1) != split_labels(range(20), 0.4, 5, 2)


def test_any_of_the_labels_that_a_row_carries_most_is_right():
    degrees = np.array([[1.0, 1.0, 0.0], [0.2, 0.5, 0.3], [0.0, 0.0, 1.0]])
    assert accuracy(np.array([[0.1, 0.8, 0.1], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]]), degrees) == pytest.approx(2 / 3)


def test_intervals_over_episodes_and_seeds():
    values = [[0.2, 0.4, 0.9], [0.5, 0.7, 0.6]]
    found = summary(values)
    within = (np.var(values[0], ddof=1) + np.var(values[1], ddof=1)) / 2
    assert found["mean"] == pytest.approx(0.55)
    assert found["over_episodes"][1] - 0.55 == pytest.approx(1.959964 * np.sqrt(within / 6))
    means = [0.5, 0.6]
    low, high = t.interval(0.95, 1, loc=0.55, scale=np.std(means, ddof=1) / np.sqrt(2))
    assert found["over_seeds"] == pytest.approx([low, high])
    assert summary([[0.1, 0.2]])["over_seeds"] is None


@pytest.mark.parametrize("form", ["prototypical", "fine-tuning"])
def test_what_lies_on_a_line_is_learned_from_few_rows(form):
    found = few_shot(
        on_a_line(), FewShotSettings(**{**QUICK, "form": form, "distributions": ("one_hot", {"name": "gaussian", "sigma": 1})})
    )
    assert [(row["distribution"], row["shots"]) for row in found["results"]][:2] == [("one_hot", 1), ("one_hot", 4)]
    assert len(found["results"]) == 4
    for row in found["results"]:
        if row["shots"] == 4:
            assert row["accuracy"]["mean"] > 0.6  # of three labels by chance 0.33
            assert row["mean_absolute_error"]["mean"] < 1.5
        assert row["accuracy"]["over_episodes"][0] < row["accuracy"]["mean"] < row["accuracy"]["over_episodes"][1]
        assert len(row["accuracy"]["each_seed"]) == 2
    json.dumps(found)


def test_the_same_settings_give_the_same_figures():
    settings = FewShotSettings(**{**QUICK, "seeds": (3,), "shots": (2,)})
    assert few_shot(on_a_line(), settings)["results"] == few_shot(on_a_line(), settings)["results"]


@pytest.mark.parametrize("form", ["prototypical", "fine-tuning"])
def test_training_never_sees_a_row_of_a_novel_label(form):
    weights = []
    for shift in (0.0, 50.0):
        data, settings = on_a_line(shift=shift), FewShotSettings(**{**QUICK, "form": form})
        pool = pool_of(data, 7)
        base, novel = split_labels(sorted(pool.rows_of_label), 0.4, 3, seed=0)
        learner = Learner(data, pool, settings, "one_hot", base, seed=0)
        learner.train(lambda count: None)
        weights.append(learner.encoder.state_dict())
        tested = learner.evaluate(novel, 1, lambda count: None)["accuracy"]
        assert len(tested) == settings.episodes
    torch.testing.assert_close(weights[0], weights[1], rtol=0, atol=0)


def test_names_that_are_no_numbers_have_no_error_on_an_axis():
    rows = [{"features": [float(label), 0.0], "labels": [f"kind {label}"]} for label in range(6) for _ in range(6)]
    found = few_shot(from_rows(rows), FewShotSettings(**{**QUICK, "shots": (1,), "distributions": ("uniform_smoothing",)}))
    assert set(found["results"][0]) == {"distribution", "shots", "accuracy"}
    assert found["results"][0]["accuracy"]["mean"] > 0.5


def test_ages_of_real_faces(shared_data):
    data = load(shared_data / "ldl" / "FG-Net.zip")
    settings = FewShotSettings(shots=(5,), distributions=({"name": "gaussian", "sigma": 3},), episodes=60, updates=150, seeds=(0,))
    found = few_shot(data, settings)["results"][0]
    assert found["accuracy"]["over_episodes"][0] > 0.2  # by chance 1 of 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"form": "prototypes"}, "prototypical"), ({"shots": (0,)}, "shots"), ({"episodes": 0}, "episodes"), ({"ways": 1}, "ways"),
        ({"queries": 0}, "queries"), ({"updates": 0}, "updates"), ({"novel": 1.0}, "novel"), ({"seeds": ()}, "seed"),
        ({"distributions": ("gausian",)}, "gaussian"), ({"distributions": ({"name": "one_hot", "sigma": 1},)}, "sigma"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_meant_is_named(arguments, words):
    with pytest.raises(ConfigurationError, match=words) as error:
        FewShotSettings(**arguments)
    assert "\n" not in str(error.value)


def test_too_few_rows_of_a_label_are_counted():
    with pytest.raises(DataError, match="0 of 12 labels have the 11 rows"):
        few_shot(on_a_line(), FewShotSettings(**{**QUICK, "shots": (8,)}))


def test_the_command_prints_a_table_and_writes_every_figure(tmp_path):
    lines = [f"{label / 4 + 0.01 * row},{label}" for label in range(10) for row in range(8)]
    (tmp_path / "ages.csv").write_text("\n".join(["x,label", *lines]) + "\n")
    words = ["few-shot", tmp_path / "ages.csv", "--labels", "label", "--shots", "1,3", "--episodes", "5", "--updates", "5", "--ways", "3"]
    words += ["--distribution", "gaussian,one_hot", "--sigma", "1", "--seeds", "0", "--out", tmp_path / "deep" / "found.json"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert "gaussian sigma=1" in result.stdout
    assert "one_hot" in result.stdout
    found = json.loads((tmp_path / "deep" / "found.json").read_text())
    assert [row["shots"] for row in found["results"]] == [1, 3, 1, 3]
    assert found["settings"]["distributions"] == [{"name": "gaussian", "sigma": 1.0}, "one_hot"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--shots", "1,x"], "--shots takes"), (["--distribution", "one_hot", "--sigma", "2"], "--sigma 2"), 
        (["--ways", "9"], "fewer shots"), (["--distribution", "gauss"], "there is no distribution"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_line(tmp_path, words, said):
    lines = [f"{label / 4},{label}" for label in range(10) for _ in range(8)]
    (tmp_path / "ages.csv").write_text("\n".join(["x,label", *lines]) + "\n")
    result = CliRunner().invoke(app, ["few-shot", str(tmp_path / "ages.csv"), "--labels", "label", "--shots", "1", *words])
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
