"""A training that starts from word vectors in a file: what it says, what its run folder keeps, and what it refuses."""

import numpy as np
import pytest
import torch
from small import COMMON, QUICK, TOPICS, small_rows, write_csv

import multihot
from multihot.data import load
from multihot.errors import ConfigurationError, DataError
from multihot.experiments import Config
from multihot.experiments.config import load_config
from multihot.experiments.fit import fit, resume
from multihot.experiments.methods import settled_like
from multihot.experiments.redecode import redecode
from multihot.method import Method

WORDS = [*" ".join(TOPICS.values()).split(), *COMMON]


def vectors(path, words=WORDS, size=5, seed=0):
    numbers = np.random.default_rng(seed).normal(size=(len(words), size)).round(3)
    path.write_text("".join(f"{word} {' '.join(map(str, row))}\n" for word, row in zip(words, numbers, strict=True)))
    return numbers


def experiment(folder, **encoder):
    file = write_csv(folder / "train.csv", small_rows(60))
    parts = {
        "encoder": {"name": "text_bag", "word_vectors": str(folder / "vectors.txt"), **encoder},
        "scorer": {"name": "label_graph", "hidden_size": 8, "word_vectors": str(folder / "labels.txt"), "freeze_vectors": True},
    }
    training = {"epochs": 1, "batch_size": 16, "device": "cpu"}
    return Config.from_dict({"data": {"source": str(file), "text": "body", "labels": "tags"}, "method": parts, "training": training})


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vectors")
    vectors(folder / "vectors.txt", WORDS[2:])
    numbers = vectors(folder / "labels.txt", ["grain", "money", "the"], size=7)
    said = []
    run = fit(experiment(folder, freeze_vectors=True), folder / "run", say=said.append)
    return folder, run, numbers, said


def test_it_says_how_many_words_and_labels_were_found(trained):
    folder, _, _, said = trained
    assert f"{folder / 'vectors.txt'}: vectors of 5 numbers for 15 of 17 words; the others start at random" in said
    assert f"{folder / 'labels.txt'}: vectors of 7 numbers for 2 of 4 labels; the others start at random" in said


def test_the_run_keeps_what_it_was_given_and_loads_without_the_files(trained):
    folder, run, numbers, _ = trained
    expected = run.predict(["wheat and gold"]).scores
    hidden = [(folder / name, folder / f"{name}.away") for name in ("vectors.txt", "labels.txt")]
    for path, aside in hidden:
        path.rename(aside)
    try:
        again = multihot.load(folder / "run")
        np.testing.assert_array_equal(again.predict(["wheat and gold"]).scores, expected)
        scorer = again.predictor.model.scorer
        torch.testing.assert_close(scorer.embedding[0].detach(), torch.tensor(numbers[0], dtype=torch.float32))  # grain
        assert not scorer.embedding.requires_grad
        redecode(again, Config.from_dict({**again.config.to_dict(), "method": {**again.config.method, "decision": "fixed"}}), folder / "b")
        with pytest.raises(DataError, match=r"vectors\.txt: there is no such file"):
            fit(again.config, folder / "other")
    finally:
        for path, aside in hidden:
            aside.rename(path)


def test_a_repeated_or_resumed_run_refuses_another_file(trained):
    folder, run, _, _ = trained
    kept = (folder / "vectors.txt").read_text()
    stated = load_config(run.folder / "config.yaml")["method"]["encoder"]["word_vectors"]
    assert stated.keys() == {"file", "sha256", "size"}
    begun = folder / "begun"
    begun.mkdir()
    (begun / "config.yaml").write_text((run.folder / "config.yaml").read_text())
    vectors(folder / "vectors.txt", seed=1)
    try:
        for repeat in (lambda: fit(run.config, folder / "other"), lambda: resume(begun)):
            with pytest.raises(DataError, match=r"vectors\.txt: is not the file of word vectors that this began with"):
                repeat()
        assert not (folder / "other").exists()
    finally:
        (folder / "vectors.txt").write_text(kept)
    assert resume(begun).metrics["test"] == run.metrics["test"]


def test_the_same_experiment_written_with_the_path_alone_is_the_same(trained):
    folder, run, _, _ = trained
    asked = experiment(folder, freeze_vectors=True)
    assert asked != run.config
    assert settled_like(asked, run.config) == run.config
    other = experiment(folder, freeze_vectors=True, word_vectors="other.txt")
    assert settled_like(other, run.config).method["encoder"] != run.config.method["encoder"]


def test_a_size_that_is_stated_must_be_that_of_the_file(trained):
    folder, *_ = trained
    with pytest.raises(ConfigurationError, match="the word vectors hold 5 numbers, but 64 are asked for"):
        fit(experiment(folder, width=64), folder / "wide")


def test_an_encoder_that_grows_keeps_the_size_of_its_vectors(trained):
    folder, *_ = trained
    processor = Method(encoder="text_cnn").build_processor().fit(load(folder / "train.csv", text="body", labels="tags").splits["train"])
    method = Method.from_config({"name": "br++", "encoder": {**QUICK["method.encoder"], "word_vectors": str(folder / "vectors.txt")}})
    del method.encoder["embedding_size"]
    data = load(folder / "train.csv", text="body", labels="tags")
    model, *_ = method.check().assemble(processor, data.label_space(), data.statistics(data.label_space()))
    assert model.encoder.embedding.weight.shape[1] == 5
    assert model.encoder.width > 32


def test_words_alone_start_from_vectors():
    with pytest.raises(ConfigurationError, match="has no setting 'word_vectors'"):
        Method(encoder={"name": "text_transformer", "pretrained": "any", "word_vectors": "a.txt"}).check()
    with pytest.raises(ConfigurationError, match="word_vectors must name a file"):
        Method(encoder={"name": "text_cnn", "word_vectors": 3}).check()
