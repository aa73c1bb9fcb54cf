"""Every recipe is validated, assembled at its full size (a pretrained network: a small one), stepped once; commands for recipes."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from recipe_sources import small_source
from typer.testing import CliRunner

from multihot.classical import fit_classical
from multihot.cli import app
from multihot.components import KINDS, choices, find, split_config
from multihot.data import MultiLabelData, catalog
from multihot.data.batches import make_loader
from multihot.data.in_memory import from_rows
from multihot.errors import ConfigurationError
from multihot.experiments import Config, Run, load_config
from multihot.experiments.citations import CITES, COST_SENSITIVE, GLOBAL_EMBEDDING, STACKED, cited_by_method, references
from multihot.experiments.recipes import FOLDER, check_recipe, find_recipe, recipe_names, recipe_path, summary
from multihot.labels import LabelStatistics
from multihot.learners import learner_of
from multihot.method import Method
from multihot.metrics import evaluate
from multihot.training.module import make_optimiser

TOPICS = {"grain": "wheat corn harvest", "metal": "gold copper mine", "money": "bank rate currency"}


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def few_rows(modality: str, count: int = 24) -> list[dict]:
    """Rows of a modality whose inputs give their labels away."""
    from PIL import Image

    draw, rows = random.Random(0), []
    for number in range(count):
        labels = [topic for place, topic in enumerate(TOPICS) if (number >> place) % 2]
        bits = [float(topic in labels) for topic in TOPICS]
        if modality == "text":
            words = [draw.choice(TOPICS[topic].split()) for topic in labels] + ["the", "of", "and"]
            rows.append({"text": " ".join(words), "labels": labels})
        elif modality == "table":
            rows.append({"features": [*bits, draw.random()], "labels": labels})
        elif modality == "audio":
            rows.append({"frames": [[*bits, draw.random()] for _ in range(2 + number % 3)], "labels": labels})
        else:
            pixels = np.repeat(np.uint8([255 * bit for bit in bits] + [draw.randrange(256)]), 400).reshape(40, 40)
            rows.append({"image": png_bytes(Image.fromarray(pixels)), "labels": labels})
    return rows


def png_bytes(image) -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def bert(tmp_path_factory) -> Path:
    """A BERT with the parts of a real one, small: the weights of bert-base-cased are not at hand."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("bert")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "of", "and", *" ".join(TOPICS.values()).split()]
    (folder / "vocab.txt").write_text("\n".join(words))
    transformers.BertTokenizerFast.from_pretrained(folder).save_pretrained(folder)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    transformers.BertModel(transformers.BertConfig(vocab_size=len(words), **sizes)).save_pretrained(folder)
    return folder


def small_data(name: str, config: Config, folder: Path) -> MultiLabelData:
    """A few rows of what the recipe reads."""
    return small_source(name.rpartition("/")[0], config, folder) or from_rows(few_rows(modality_of(config)))


def modality_of(config: Config) -> str:
    if config.data.source:
        return catalog.get(config.data.source).modality
    encoder = find("encoder", split_config("encoder", config.method["encoder"])[0]) if "encoder" in config.method else None
    return find("processor", encoder.reads).modality if encoder else "text"


def made_small(method: dict, request) -> dict:
    """The method with a small network in place of a pretrained one, whose weights are not at hand, and a tree of the few rows' labels."""
    if isinstance(method.get("objective"), dict) and "parents" in method["objective"]:
        method = {**method, "objective": {**method["objective"], "parents": {"metal": "grain"}}}
    name, arguments = split_config("encoder", method.get("encoder") or "tabular")
    if name == "text_transformer":
        return {**method, "encoder": {**method["encoder"], "pretrained": str(request.getfixturevalue("bert"))}}
    if name == "timm":
        timm = pytest.importorskip("timm")
        assert timm.is_model(arguments["backbone"])
        small = {"backbone": "test_resnet", "pretrained": False}
        return {**method, "encoder": {**method["encoder"], **small}, "processor": {**method["processor"], "size": 64}}
    return method


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_is_valid_and_says_what_it_is(name):
    path = recipe_path(name)
    config = check_recipe(path)
    assert len(summary(path)) > 20
    assert f"#   multihot train {name}" in path.read_text()
    assert config.data.source is None or path.relative_to(FOLDER).parent.as_posix() == config.data.source
    measures = evaluate(np.eye(3), np.eye(3), np.eye(3), LabelStatistics.from_targets(np.repeat(np.eye(3), [120, 50, 5], axis=0)))
    assert set((config.published or {"measures": {}})["measures"]) <= set(measures)


QUOTED = {f"aapd/tsai2019-{method}" for method in ("seq2set-simple", "seq2set", "sgm-ge")}  # rows that the thesis took from others


def test_training_goes_as_its_source_prints_it():
    """Table 4.4 of Tsai 2019 clips entries at 10; its chapter 3 and Zhu and Xiong 2022 clip nothing; section 4.3 of the latter divides the
    learning rate by ten every 40 epochs."""
    of_thesis, of_dab = [], []
    for name in recipe_names():
        training = check_recipe(recipe_path(name)).training
        folder, _, method = name.partition("/")
        if name in QUOTED:  # the authors' own code clips by the norm
            assert training.gradient_clip_by == "norm", name
        elif method.startswith("tsai2019") and folder in ("reuters21578", "aapd", "rcv1", "audioset"):
            of_thesis.append(name)
            assert (training.gradient_clip, training.gradient_clip_by) == (10.0, "value"), name
        elif method.startswith("zhu2022"):
            of_dab.append(name)
            rates = [training.learning_rate_at(epoch * 7, 700, per_epoch=7) for epoch in (0, 39, 40, 79, 80, 99)]
            assert rates == pytest.approx([1e-2, 1e-2, 1e-3, 1e-3, 1e-4, 1e-4]), name
            assert training.for_decoder(False).gradient_clip == 0, name
        elif folder in ("coco", "nus-wide"):
            assert training.for_decoder(False).gradient_clip == 0, name
    assert (len(of_thesis), len(of_dab)) == (39, 14)


@pytest.mark.parametrize("name", [name for name in recipe_names() if learner_of(check_recipe(recipe_path(name)).method).in_updates])
def test_neural_recipes_are_assembled_and_stepped_once(name, request, tmp_path):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    config = check_recipe(recipe_path(name))
    method = made_small(dict(config.method), request)
    data = small_data(name, config, tmp_path)
    space = data.label_space()
    parts = Method.from_config(method).for_modality(data.modality).check(data.modality)
    processor = parts.build_processor(num_features=data.num_features).fit(data.splits["train"])
    model, objective, decoding = parts.assemble(processor, space, data.statistics(space))
    rows = processor.prepare(data.splits["train"])
    batch = next(iter(make_loader(rows, processor, space, batch_size=4, shuffle=False, seed=0)))
    before = [parameter.detach().clone() for parameter in model.parameters()]
    objective.attach(model)
    objective.set_progress(0.9)  # past any pretraining
    for turn in dict.fromkeys(objective.turns):
        optimiser = make_optimiser(list(objective.turn_parameters(model, turn)), config.training)
        loss = objective(model.train(), batch, turn)
        loss.backward()
        optimiser.step()
        assert torch.isfinite(loss)
    assert any(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))
    assert decoding(model.eval(), batch).scores.shape == (4, len(space))


def test_the_tree_of_rcv1_has_its_103_topics_below_four_roots():
    parents = check_recipe(recipe_path("rcv1/multihot-ocd-tree")).method["objective"]["parents"]
    roots = set(parents.values()) - set(parents)
    assert (roots, len(roots | set(parents))) == ({"CCAT", "ECAT", "GCAT", "MCAT"}, 103)
    assert [parents[topic] for topic in ("C1511", "C151", "C15", "GPOL", "M143")] == ["C151", "C15", "CCAT", "GCAT", "M14"]


@pytest.mark.parametrize("name", [name for name in recipe_names() if not learner_of(check_recipe(recipe_path(name)).method).in_updates])
def test_classical_recipes_are_fitted(name, tmp_path):
    config = check_recipe(recipe_path(name))
    data = small_data(name, config, tmp_path)
    prediction = fit_classical(config.method, data, data.label_space()).predict(data.splits["train"])
    assert prediction.chosen.shape == (len(data.splits["train"]), len(data.label_space()))


def test_a_recipe_runs_by_its_name_and_its_figures_travel_with_the_run(tmp_path):
    rows = [f'"{row["text"]}",{"|".join(row["labels"])}' for row in few_rows("text", 40)]
    (tmp_path / "train.csv").write_text("\n".join(["text,labels", *rows]))
    result = call(
        "train", "reuters21578/linear-svm", "--set", f"data.source={tmp_path / 'train.csv'}", "--seed", 3, "--out", tmp_path / "run"
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    config = Run(tmp_path / "run").config
    assert (config.seed, config.method["name"]) == (3, "linear-svm")
    assert config.published == check_recipe(recipe_path("reuters21578/linear-svm")).published
    cited = call("cite", tmp_path / "run")
    assert "fan2008liblinear" in cited.stdout
    assert "tsai2019thesis" not in cited.stdout


def test_another_method_takes_no_published_figures_along(tmp_path):
    from multihot.cli.train import _content

    content = _content("reuters21578/tsai2019-br", None, None, None, None, None, None, None, "logistic", [], None)
    assert "published" not in content
    kept = _content("reuters21578/tsai2019-br", None, None, None, None, None, None, None, None, ["training.updates=5"], None)
    assert (kept["published"]["table"], kept["training"]["updates"]) == ("4.6", 5)


def test_names_misspelt_are_met_with_the_nearest():
    for words, meant in {
        ("recipes", "show", "reuters21578/tsai2019-rb"): "did you mean 'reuters21578/tsai2019-br'",
        ("train", "reuters21578/tsai2019"): "did you mean 'reuters21578/tsai2019-br'",
        ("cite", "zplr"): "did you mean 'zlpr'",
    }.items():
        result = call(*words)
        assert result.exit_code == 2
        assert meant in result.stderr


def test_the_end_of_one_name_stands_for_the_whole_recipe(capsys, tmp_path, monkeypatch):
    from multihot.cli.train import _content, _default_folder

    content = _content("demszky2020-bert", None, None, None, None, None, None, None, None, [], None)
    assert content["data"]["source"] == "goemotions"
    assert "demszky2020-bert: goemotions/demszky2020-bert\n" in capsys.readouterr().err
    assert _default_folder("demszky2020-bert", None).as_posix() == "runs/goemotions-demszky2020-bert"
    assert call("recipes", "show", "demszky2020-bert").stdout == recipe_path("goemotions/demszky2020-bert").read_text()
    with pytest.raises(ConfigurationError, match=r"recipe 'tsai2019-seq2seq' may be aapd/tsai2019-seq2seq or .*; give one of these names"):
        find_recipe("tsai2019-seq2seq")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demszky2020-bert").mkdir()
    assert find_recipe("demszky2020-bert") is None  # what lies there is meant


def test_recipes_are_listed_shown_and_copied(tmp_path):
    listed = call("recipes", "list").stdout
    assert all(name in listed for name in recipe_names())
    assert "table 4.6" in listed
    text = recipe_path("reuters21578/tsai2019-br").read_text()
    assert call("recipes", "show", "reuters21578/tsai2019-br").stdout == text
    assert call("recipes", "copy", "reuters21578/tsai2019-br", tmp_path).exit_code == 0
    assert (tmp_path / "tsai2019-br.yaml").read_text() == text
    again = call("recipes", "copy", "reuters21578/tsai2019-br", tmp_path)
    assert again.exit_code == 2
    assert "is there already" in again.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"trainin": {}}, "did you mean 'training'"),
        ({"method": {"name": "br", "loss": "zplr"}}, "did you mean 'zlpr'"),
        ({"method": {"name": "br", "encoder": {"name": "text_lstm", "hiden_size": 3}}}, "did you mean 'hidden_size'"),
        ({"method": {"name": "br", "encoder": "tabular"}}, "reads table, but the data is text"),
        ({"published": {"source": "x", "measures": {"micro_f1": "high"}}}, "must be a finite number"),
        ({"published": {"measures": {"micro_f1": 0.5}}}, "published.source"),
        ({"published": {"source": "x", "mesures": {}}}, "did you mean 'measures'"),
    ],
)
def test_validate_names_file_and_fault(tmp_path, change, said):
    content = load_config(recipe_path("reuters21578/tsai2019-br")) | change
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content))
    result = call("recipes", "validate", tmp_path / "mine.yaml", "reuters21578/tsai2019-br")
    assert result.exit_code == 2
    assert "mine.yaml" in result.stderr
    assert said in result.stderr
    assert "reuters21578/tsai2019-br: valid" in result.stdout
    with pytest.raises(ConfigurationError, match=r"mine\.yaml"):
        check_recipe(tmp_path / "mine.yaml")


def test_a_configuration_keeps_its_published_figures_through_yaml(tmp_path):
    config = check_recipe(recipe_path("aapd/tsai2019-br"))
    assert Config.from_dict(yaml.safe_load(yaml.safe_dump(config.to_dict()))) == config
    assert replace(config, published=None) != config


def test_citations_name_real_components_and_every_reference_is_used():
    classes = {cls.__name__ for kind in KINDS for cls in choices(kind).values()}
    assert set(CITES) <= classes
    assert {key for keys in CITES.values() for key in keys} | {COST_SENSITIVE, GLOBAL_EMBEDDING, STACKED} == set(references())
    assert all(entry.startswith("@") and entry.count("{") == entry.count("}") for entry in references().values())


def test_everything_is_cited_when_nothing_is_named():
    assert all(entry in call("cite").stdout for entry in references().values())
    assert cited_by_method({"name": "linear-svm", "cost_sensitive": "micro_f1"})[-1] == COST_SENSITIVE
    assert COST_SENSITIVE in cited_by_method({"name": "ensemble"})
    assert "read2009classifier" in cited_by_method({"name": "ensemble", "members": ["logistic", {"name": "classifier-chain"}]})
    assert cited_by_method({"name": "sgm-ge"})[-1] == "nam2017maximizing"
    assert GLOBAL_EMBEDDING in cited_by_method({"name": "sgm-ge"})
    assert GLOBAL_EMBEDDING not in cited_by_method({"name": "seq2seq"})
    assert {STACKED, "rennie2017self", "nam2017maximizing"} <= set(cited_by_method({"name": "seq2set"}))
    assert STACKED not in cited_by_method({"name": "ocd+seq2seq"})
    assert "sabour2019optimal" in cited_by_method({"name": "ocd-mtl"})
    assert "Reuters-21578" in call("cite", "reuters21578/linear-svm").stdout.splitlines()[0]
