"""config.yaml states every argument of a method: what a run means does not hang on the defaults of the version that reads it."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
import yaml

import multihot
from multihot.components import choices
from multihot.data.in_memory import from_rows
from multihot.encoders import TextBagEncoder
from multihot.experiments import Config
from multihot.experiments.fit import fit
from multihot.experiments.grouping import group_runs
from multihot.experiments.methods import settled_like
from multihot.experiments.redecode import redecode
from multihot.labels import LabelSpace, LabelStatistics
from multihot.learners import learner_of
from multihot.method import METHODS, Method
from multihot.parts import NO_SETTINGS, PARTS, spelt_out

TEXTS = ["the pump leaks oil", "the screen flickers", "oil on the screen", "the pump is loud"] * 10
LABELS = [["pump", "oil"], ["screen"], ["oil", "screen"], ["pump"]] * 10


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text("text,labels\n" + "".join(f"{text},{';'.join(labels)}\n" for text, labels in zip(TEXTS, LABELS, strict=True)))
    return path


def config(table, method):
    return Config.from_dict({"data": {"source": str(table)}, "method": method, "training": {"epochs": 1, "device": "cpu"}})


@pytest.mark.parametrize("kind", PARTS)
def test_every_default_of_a_shipped_component_is_stated_or_supplied(kind):
    for name, cls in choices(kind).items():
        stated = spelt_out(kind, name)
        for key, parameter in inspect.signature(cls).parameters.items():
            if parameter.default is not parameter.empty:
                assert (key in stated) != (key in NO_SETTINGS), f"{kind} {name}: {key}"
        assert stated == yaml.safe_load(yaml.safe_dump(stated)), name
        assert spelt_out(kind, stated) == stated, name


@pytest.mark.parametrize("name", METHODS)
def test_a_method_spelt_out_builds_the_same_model(name):
    space, statistics = LabelSpace(["1", "2", "3"]), LabelStatistics.from_targets([[1, 1, 0], [0, 0, 1], [1, 0, 1]])
    rows = next(iter(from_rows([{"text": text} for text in TEXTS]).splits.values()))
    short = {"name": name, "encoder": {"name": "text_bag", "width": 24}}
    whole = learner_of(short).spelt_out("text")
    built = []
    for given in (short, whole):
        method = Method.from_config(given).for_modality("text").check("text")
        torch.manual_seed(0)
        processor = method.build_processor().fit(rows)
        model, objective, decoding = method.assemble(processor, space, statistics)
        built.append(
            (vars(processor) | {"vocabulary": processor.vocabulary.words}, model.state_dict(), _plain(objective), _plain(decoding))
        )
    (one, weights, *rest), (other, same, *others) = built
    assert one == other
    assert rest == others
    assert weights.keys() == same.keys()
    assert all(torch.equal(weights[key], same[key]) for key in weights)


def _plain(part):
    """The plain values of an object and of the objects in it."""
    found = {}
    for key, value in vars(part).items():
        if isinstance(value, (bool, int, float, str, type(None), tuple, frozenset)):
            found[key] = value
        elif type(value).__module__.startswith("multihot") and hasattr(value, "__dict__"):
            found[key] = (type(value).__name__, _plain(value))
    return found


@pytest.mark.parametrize(("encoder", "size"), [("image_cnn", 64), ({"name": "timm", "backbone": "resnet18"}, 224)])
def test_what_an_encoder_tells_its_processor_is_stated(encoder, size):
    whole = learner_of({"name": "br", "encoder": encoder}).spelt_out("image")
    assert np.ravel(whole["processor"]["usual_size"]).tolist() in ([size], [size, size])
    processor = Method.from_config(whole).build_processor()
    assert processor.usual_size == Method.from_config({"name": "br", "encoder": encoder}).build_processor().usual_size


@pytest.mark.parametrize("method", [{"name": "br", "encoder": "text_bag"}, "linear-svm", "ensemble"])
def test_a_later_version_with_other_defaults_reads_the_run_as_it_was(method, table, tmp_path, monkeypatch):
    run = fit(config(table, method), tmp_path / "run")
    before = run.predict(TEXTS)
    stated = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["method"]
    assert stated["name"] == (method if isinstance(method, str) else method["name"])
    if stated["name"] == "br":
        assert stated["encoder"]["width"] == 128
        assert set(PARTS) < set(stated)
        kept = TextBagEncoder.__init__.__kwdefaults__, TextBagEncoder.__init__.__defaults__
        changed = tuple(64 if value == 128 else value for value in kept[1])
        assert changed != kept[1]
        monkeypatch.setattr(TextBagEncoder.__init__, "__defaults__", changed)
        monkeypatch.setitem(METHODS, "br", Method(scorer="label_attention", loss="zlpr", decision="own_rule"))
    else:
        assert stated["features"]["min_count"] == 2
        from multihot.classical.features import TextFeatures

        monkeypatch.setattr(TextFeatures.__init__, "__defaults__", (3, None, r"\w", 2, True, 1))
    again = multihot.load(tmp_path / "run")
    after = again.predict(TEXTS)
    assert (after.scores == before.scores).all()
    assert (after.chosen == before.chosen).all()


def test_the_stated_method_trains_again_to_the_same_and_can_be_read_again(table, tmp_path):
    run = fit(config(table, {"name": "br", "encoder": "text_bag"}), tmp_path / "run")
    again = fit(run.config, tmp_path / "again")
    assert again.config == run.config
    assert again.metrics["test"] == run.metrics["test"]
    read = redecode(
        run, Config.from_dict(run.config.to_dict() | {"method": run.config.method | {"decision": "per_label"}}), tmp_path / "read"
    )
    assert read.config.method == run.config.method | {"decision": spelt_out("decision", {"name": "per_label", "at_least": 1})}


def test_a_plan_settles_like_the_run_it_led_to_and_like_no_other(table, tmp_path):
    planned = config(table, {"name": "br", "encoder": "text_bag"})
    run = fit(planned, tmp_path / "run")
    assert settled_like(planned, run.config) == run.config
    for other in ({"name": "br", "encoder": "text_bag", "loss": "zlpr"}, {"name": "br", "encoder": {"name": "text_bag", "width": 64}}):
        assert settled_like(config(table, other), run.config) != run.config


def test_groups_are_named_by_what_was_chosen_and_not_by_every_default(table, tmp_path):
    for number, loss in enumerate(["bce", "focal", {"name": "focal", "gamma": 3.0}]):
        fit(config(table, {"name": "br", "encoder": "text_bag", "loss": loss}), tmp_path / f"run{number}")
    groups, _ = group_runs([tmp_path / f"run{number}" for number in range(3)])
    names = [group.name for group in groups]
    assert [name.split()[:2] for name in names] == [["br", "loss=bce"], ["br", "loss=focal"], ["br", "loss=focal"]]
    assert "loss.gamma=3.0" in names[2]
    assert "reduction" not in " ".join(names)
