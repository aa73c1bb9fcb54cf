"""Errors name what was typed, suggest what is near, and refuse settings without effect."""

import pytest
from typer.testing import CliRunner

import multihot
from multihot.cli import app
from multihot.errors import ConfigurationError, MultihotError
from multihot.experiments import Config
from multihot.learners import learner_of
from multihot.metrics.registry import check_monitored

TEXTS = ["a b", "c d"]
REFUSED = {
    "--set loss=zlpr": "did you mean method.loss?",
    "--set epochs=3": "did you mean training.epochs?",
    "--labels tagz": "no column 'tagz' (--labels); did you mean 'tags'?",
    "--set training.device=cuda9": "training.device=cuda9 cannot be had on this machine",
    "--method seq2seq --set method.decision=top_k": "decoding 'beam' takes none",
    "--text body --set data.features=tags": "data.features has no effect beside data.text",
    "--loss zlpr": "there is no option --loss; write --set method.loss=zlpr",
    "--lr 0.1": "there is no option --lr; write --set training.learning_rate=0.1",
    "--epochs=3": "there is no option --epochs; write --set training.epochs=3",
    "--batch-size 8": "there is no option --batch-size; write --set training.batch_size=8",
    "--encoding latin-1": "there is no option --encoding; write --set data.encoding=latin-1",
    "--decision top_k": "write --set method.decision=top_k",
    "--labls tags": "there is no option --labls; did you mean '--labels'?",
    "--set lr=1": "did you mean training.learning_rate?",
    "--set training.lr=1": "training has no setting 'lr'; did you mean 'learning_rate'?",
    "--set training.monitor=f1": "there is no metric 'f1'; did you mean",
    "--method svm": "there is no method 'svm'; did you mean 'linear-svm'?",
    "--method SVM": "there is no method 'SVM'; did you mean 'linear-svm'?",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_refused_in_one_line(words, tmp_path):
    (tmp_path / "x.csv").write_text("body,tags\na,b\nc,d\n")
    result = CliRunner().invoke(app, ["train", str(tmp_path / "x.csv"), "--out", str(tmp_path / "run"), *words.split()])
    assert result.exit_code == 2, result.output
    assert REFUSED[words] in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "Choices" not in result.stderr


def test_scores_of_all_labels_are_not_cut_to_the_best_in_parquet():
    result = CliRunner().invoke(app, ["predict", "run", "x.csv", "--out", "x.parquet", "--top", "2"])
    assert result.exit_code == 2
    assert "--top is for .jsonl and .csv" in result.stderr


def test_a_metric_that_is_told_from_another_one_may_be_monitored():
    for name in ("precision_at_4", "map_tail", "mean_absolute_error_1", "loss", "macro_f1"):
        check_monitored(name)


def test_an_option_of_a_command_without_settings_is_compared_with_its_own():
    result = CliRunner().invoke(app, ["data", "stats", "x.csv", "--encodng", "latin-1"])
    assert result.exit_code == 2
    assert "no option --encodng; did you mean '--encoding'? `multihot data stats --help` shows all" in result.stderr


def test_an_option_without_its_value_is_there_all_the_same():
    result = CliRunner().invoke(app, ["train", "x.csv", "--out"])
    assert result.exit_code == 2
    assert "no option" not in result.stderr


def test_a_method_given_by_a_part_alone_has_a_name():
    assert Config.from_dict({"method": {"loss": "zlpr"}}).method == {"name": "br", "loss": "zlpr"}


def test_a_decision_that_the_decoding_takes_is_taken():
    learner_of({"name": "br", "decision": "top_k"}).check()
    with pytest.raises(ConfigurationError, match="takes none"):
        learner_of({"name": "seq2seq", "decision": "top_k"}).check()


@pytest.mark.parametrize("source", [object(), None, 5, [1, 2], [None], [{"text": "x"}], b"ab", {"train": 5}, {"dev": None}])
@pytest.mark.parametrize("labels", [[["a"], ["b"]], None])
def test_a_source_of_any_kind_is_refused_on_purpose(source, labels, tmp_path):
    with pytest.raises(MultihotError):
        multihot.fit(source, labels, out=tmp_path / "run")


@pytest.mark.parametrize("labels", ["ab", ["a", "b"], [[0, 1], [1, 0]], [None, None], [["a"], 5], 5, [["a"]]])
def test_label_sets_that_are_none_are_refused(labels, tmp_path):
    with pytest.raises(MultihotError, match="label set"):
        multihot.fit(TEXTS, labels, out=tmp_path / "run")


@pytest.mark.parametrize("arguments", [{"out": None}, {"method": 5}, {"settings": 5}, {"settings": {1: 2}}, {"allow": 5}, {"seed": "x"}])
def test_arguments_of_the_wrong_kind_are_refused(arguments, tmp_path):
    with pytest.raises(MultihotError):
        multihot.fit(TEXTS, [["a"], ["b"]], **({"out": tmp_path / "run"} | arguments))
