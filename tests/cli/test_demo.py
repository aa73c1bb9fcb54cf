"""The demo, on a few of its pictures."""

from dataclasses import replace
from itertools import islice

from typer.testing import CliRunner

from multihot.cli import app
from multihot.cli.demo import METHODS
from multihot.data import MultiLabelData, digit_scenes
from multihot.data.in_memory import from_rows
from multihot.experiments import Run
from multihot.experiments.recipes import check_recipe, recipe_path


def few_scenes(*_, **__) -> MultiLabelData:
    splits = {split: from_rows(list(islice(digit_scenes.rows(split), 200))) for split in digit_scenes.SIZES}
    return replace(splits["train"], splits={split: data.splits["train"] for split, data in splits.items()})


def test_the_demo_trains_compares_and_says_what_came_out(tmp_path, monkeypatch):
    monkeypatch.setattr("multihot.experiments.fit.load_data", few_scenes)
    result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path / "demo"), "--epochs", "1"])
    assert result.exit_code == 0, result.output
    sentence = result.stdout[: result.stdout.index("200 test instances")]
    assert "micro-F1" in sentence
    assert "whose label set never occurs in training" in " ".join(sentence.split())
    for method in METHODS:
        assert method in sentence
        assert Run(tmp_path / "demo" / method).config.method["name"] == method
    assert "micro-F1" in (tmp_path / "demo" / "report.html").read_text()


def test_the_methods_of_the_demo_differ_in_the_method_alone():
    configs = [check_recipe(recipe_path(f"digit-scenes/multihot-{method}-demo")) for method in METHODS]
    for config in configs[1:]:
        assert (config.data, config.training) == (configs[0].data, configs[0].training)
        assert [config.method[part] for part in ("encoder", "processor")] == [configs[0].method[part] for part in ("encoder", "processor")]
    assert configs[1].method["decoder"] == configs[2].method["decoder"]
