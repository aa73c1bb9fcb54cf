"""From rows to predictions: text, tables and pictures, saved without pickle."""

import collections
import math

import datasets
import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import f1_score

from multihot.classical import ClassicalPredictor, check_classical, fit_classical, load_classical
from multihot.classical.features import TableFeatures, TextFeatures
from multihot.data import MultiLabelData, load
from multihot.errors import ConfigurationError, DataError, RunError

TEXTS = ["wheat and corn prices rise", "corn harvest", "crude oil prices fall", "oil tanker", "wheat harvest falls", "oil and corn oil", ""]
LABELS = [["corn", "wheat"], ["corn"], ["oil"], ["oil"], ["wheat"], ["corn", "oil"], []]


def text_data(texts=TEXTS, labels=LABELS, **columns):
    rows = datasets.Dataset.from_dict({"id": [f"t{i}" for i in range(len(texts))], "text": texts, "labels": labels, **columns})
    return MultiLabelData("toy", "text", {"train": rows}, None, "toy", "text")


def table_data(columns, num_features):
    rows = datasets.Dataset.from_dict(columns)
    return MultiLabelData("toy", "table", {"train": rows}, None, "toy", next(iter(columns)), num_features)


def assert_same(found, expected):
    assert found.ids == expected.ids
    for name in ("scores", "chosen"):
        ours, theirs = (getattr(prediction, name) for prediction in (found, expected))
        assert sparse.issparse(ours) == sparse.issparse(theirs)
        assert (ours != theirs).sum() == 0


def restored(predictor, folder, data):
    predictor.save(folder)
    learned = [] if predictor.decision is None and predictor.calibration is None else ["decision.json"]
    assert sorted(path.name for path in folder.iterdir()) == ["classical.json", *learned, "features.json", "model.safetensors"]
    return load_classical(folder, data.label_space(), data.statistics(data.label_space()))


@pytest.mark.parametrize("name", ["linear-svm", "logistic", "classifier-chain", "label-powerset"])
def test_texts_in_label_sets_out_the_same_after_loading(name, tmp_path):
    data = text_data()
    method = {"name": name, "C": 100.0}
    predictor = fit_classical(method, data, data.label_space(), seed=0)
    prediction = predictor.predict(data.split("train"))
    assert data.label_space().decode(prediction.chosen) == LABELS
    assert prediction.ids == [f"t{i}" for i in range(7)]
    assert isinstance(predictor, ClassicalPredictor)
    assert_same(restored(predictor, tmp_path, data).predict(data.split("train")), prediction)


def test_rows_without_annotation_teach_nothing_and_new_rows_need_no_labels():
    data = text_data([*TEXTS, "corn oil wheat harvest"], [*LABELS, None])
    found = fit_classical({"name": "linear-svm"}, data, data.label_space()).predict(data.split("train").remove_columns("labels"))
    expected = fit_classical({"name": "linear-svm"}, text_data(), data.label_space()).predict(data.split("train"))
    assert_same(found, expected)


def test_many_labels_keep_the_best_scores_only():
    names = [[f"label-{i}"] for i in range(1200)]
    data = text_data([f"common {'abcdefghij'[i % 10] * 3}" for i in range(1200)], names)
    prediction = fit_classical({"name": "linear-svm"}, data, data.label_space()).predict(data.split("train").select(range(5)))
    assert sparse.issparse(prediction.scores)
    assert sparse.issparse(prediction.chosen)
    assert np.diff(prediction.scores.indptr).tolist() == [100] * 5


def test_kept_scores_are_the_best_ones(monkeypatch):
    data = text_data()
    predictor = fit_classical({"name": "linear-svm"}, data, data.label_space())
    dense = predictor.predict(data.split("train")).scores
    monkeypatch.setattr("multihot.classical.predictor.DENSE_UP_TO", 2)
    monkeypatch.setattr("multihot.classical.predictor.KEEP", 2)
    kept = predictor.predict(data.split("train")).scores
    for row, expected in zip(kept, dense, strict=True):
        assert sorted(row.data) == sorted(expected)[-2:]
        assert (expected[row.indices] == row.data).all()


def test_rows_in_pieces_give_the_same(monkeypatch):
    data = text_data()
    predictor = fit_classical({"name": "linear-svm"}, data, data.label_space())
    whole = predictor.predict(data.split("train"))
    monkeypatch.setattr("multihot.classical.predictor.CHUNK", 3)
    assert_same(predictor.predict(data.split("train")), whole)
    with pytest.raises(DataError, match="not a single row"):
        predictor.predict(data.split("train").select([]))


def test_weights_of_words_follow_the_formula():
    maker = TextFeatures(min_count=1, stop_words=None)
    rows = text_data().split("train")
    found = maker.fit_transform(rows).toarray()
    bags = [collections.Counter(text.split()) for text in TEXTS]
    words = maker.to_dict()["words"]
    assert words == sorted(set().union(*bags))
    idf = {word: 1 + math.log((1 + len(TEXTS)) / (1 + sum(word in bag for bag in bags))) for word in words}
    expected = np.array([[bag[word] * idf[word] for word in words] for bag in bags])
    expected /= np.maximum(np.linalg.norm(expected, axis=1, keepdims=True), 1e-300)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    again = TextFeatures(min_count=1, stop_words=None).load_dict(maker.to_dict())
    assert (again.transform(rows) != maker.transform(rows)).nnz == 0


def test_words_of_the_first_line_count_so_many_times_more(tmp_path):
    texts = ["corn up\noil wheat oil corn", "wheat", "oil\n\ncorn wheat", ""]
    data, repeated = (
        text_data(texts, LABELS[:4]),
        text_data(["corn up corn up corn up oil wheat oil corn", "wheat " * 3, "oil " * 3 + "corn wheat", ""], LABELS[:4]),
    )
    settings = {"min_count": 1, "stop_words": None}
    maker, plain = TextFeatures(**settings, first_line=2), TextFeatures(**settings)
    expected = plain.fit_transform(repeated.split("train")).toarray()
    np.testing.assert_allclose(maker.fit_transform(data.split("train")).toarray(), expected, atol=1e-12)
    again = TextFeatures(**settings, first_line=2).load_dict(maker.to_dict())
    np.testing.assert_allclose(again.transform(data.split("train")).toarray(), expected, atol=1e-12)
    with pytest.raises(ConfigurationError, match="first_line must be a whole number from 0 on, got -1"):
        TextFeatures(first_line=-1)


def test_tables_dense_and_sparse(tmp_path):
    random = np.random.default_rng(0)
    features = random.normal(5, 3, size=(60, 4)) * (random.random((60, 4)) < 0.7)
    labels = [[name for name, value in zip("abcd", row, strict=True) if value > 5] for row in features]
    ids = [str(i) for i in range(60)]
    dense = table_data({"id": ids, "features": features.tolist(), "labels": labels}, 4)
    places = [np.flatnonzero(row) for row in features]
    values = [row[place].tolist() for row, place in zip(features, places, strict=True)]
    thin = table_data({"id": ids, "indices": [p.tolist() for p in places], "values": values, "labels": labels}, 4)
    for folder, data in (("dense", dense), ("sparse", thin)):
        predictor = fit_classical({"name": "linear-svm", "C": 10.0}, data, data.label_space())
        prediction = predictor.predict(data.split("train"))
        assert (prediction.chosen == data.targets("train", data.label_space())[0].toarray()).mean() > 0.9
        (tmp_path / folder).mkdir()
        assert_same(restored(predictor, tmp_path / folder, data).predict(data.split("train")), prediction)
    found = TableFeatures(num_features=4).fit_transform(thin.split("train"))
    np.testing.assert_allclose(found.toarray(), features / np.abs(features).max(axis=0), atol=1e-6)
    found = TableFeatures().fit_transform(dense.split("train"))
    np.testing.assert_allclose(found, (features - features.mean(axis=0)) / features.std(axis=0), atol=1e-4)


def test_pictures_become_pixels(tmp_path):
    data = load("digit-scenes")
    few = MultiLabelData(data.name, data.modality, {"train": data.split("train").select(range(60))}, None, "few", data.input_column)
    predictor = fit_classical({"name": "linear-svm", "C": 1.0}, few, few.label_space())
    prediction = predictor.predict(few.split("train"))
    assert f1_score(few.targets("train", few.label_space())[0].toarray(), prediction.chosen, average="micro") > 0.9
    assert_same(restored(predictor, tmp_path, few).predict(few.split("train")), prediction)


def test_not_a_number_names_the_row():
    data = table_data({"id": ["a", "b"], "features": [[1.0, 2.0], [math.nan, 1.0]], "labels": [["x"], []]}, 2)
    with pytest.raises(DataError, match="row 'b'"):
        fit_classical({"name": "linear-svm"}, data, data.label_space())
    filled = fit_classical({"name": "linear-svm", "features": {"missing": "mean"}}, data, data.label_space())
    assert np.isfinite(filled.predict(data.split("train")).scores).all()


def test_texts_without_a_common_word():
    data = text_data(["one", "two three"], [["a"], ["b"]])
    with pytest.raises(DataError, match=r"set method\.features\.min_count=1"):
        fit_classical({"name": "linear-svm"}, data, data.label_space())
    mended = fit_classical({"name": "linear-svm", "features": {"min_count": 1, "stop_words": None}}, data, data.label_space())
    assert len(mended.predict(data.split("train"))) == 2


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ({"name": "linear-swm"}, "did you mean 'linear_svm'"),
        ({"name": "linear-svm", "costs": 1}, "no setting 'costs'"),
        ({"name": "linear-svm", "features": {"stop_word": None}}, "did you mean 'stop_words'"),
        ({"name": "linear-svm", "features": "tfidf"}, "must be a mapping"),
    ],
)
def test_methods_that_cannot_work_are_refused_before_data_is_read(method, message):
    with pytest.raises(ConfigurationError, match=message):
        check_classical(method)


def test_settings_of_another_modality_and_impossible_ones_are_refused():
    data = text_data()
    for settings in ({"standardise": True}, {"min_count": 0}, {"stop_words": "klingon"}):
        with pytest.raises(ConfigurationError, match=next(iter(settings))):
            fit_classical({"name": "linear-svm", "features": settings}, data, data.label_space())


def test_damaged_folders(tmp_path):
    data = text_data()
    labels = data.label_space(), data.statistics(data.label_space())
    with pytest.raises(RunError, match=r"classical\.json is missing"):
        load_classical(tmp_path, *labels)
    fit_classical({"name": "linear-svm"}, data, data.label_space()).save(tmp_path)
    (tmp_path / "features.json").write_text('{"words": [')
    with pytest.raises(RunError, match=r"features\.json is not readable JSON"):
        load_classical(tmp_path, *labels)


@pytest.mark.parametrize("calibration", [None, "platt"])
@pytest.mark.parametrize("decision", ["global", "subset_correction", {"name": "own_rule", "at_least": 1, "at_most": 1}])
def test_decisions_and_calibrations_learn_out_of_fold_and_come_back(decision, calibration, tmp_path):
    data = text_data(TEXTS * 6, LABELS * 6)
    method = {"name": "linear-svm", "decision": decision, "calibration": calibration}
    predictor = fit_classical(method, data, data.label_space(), seed=0)
    prediction = predictor.predict(data.split("train"))
    assert_same(restored(predictor, tmp_path, data).predict(data.split("train")), prediction)
    plain = fit_classical({"name": "linear-svm"}, data, data.label_space()).predict(data.split("train"))
    own = prediction.scores if calibration is None else prediction.uncalibrated
    assert (own == plain.scores).all()
    if isinstance(decision, dict):
        assert (prediction.chosen == (own == own.max(axis=1, keepdims=True))).all()
    assert predictor.described()["scores"] == ("margins" if calibration is None else "log_odds")


def test_out_of_fold_scores_are_by_classifiers_that_did_not_see_the_row():
    from multihot.classical.predictor import _out_of_fold, build_classifier

    draw = np.random.default_rng(0)
    features, targets = draw.normal(size=(40, 30)), sparse.csr_matrix(draw.random((40, 3)) < 0.5)
    found = _out_of_fold({"name": "linear-svm"}, features, targets, None, seed=3)
    fold = np.random.default_rng(3).permutation(40) % 5
    for row in range(40):
        others = fold != fold[row]
        classifier = build_classifier({"name": "linear-svm"}).fit(features[others], targets[others])
        np.testing.assert_allclose(classifier.scores(features[row : row + 1])[0], found[row], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ({"name": "linear-svm", "decision": "expected_f1"}, "add `calibration: platt`"),
        ({"name": "linear-svm", "decision": {"name": "global", "mesure": "x"}}, "did you mean 'measure'"),
        ({"name": "linear-svm", "decision": "globel"}, "there is no decision 'globel'"),
        ({"name": "linear-svm", "calibration": "plat"}, "there is no calibration 'plat'"),
        ({"name": "aa-knn", "decision": "global"}, "predicts label distributions"),
    ],
)
def test_decisions_that_cannot_work_are_refused(method, message):
    with pytest.raises(ConfigurationError) as error:
        check_classical(method)
    assert message in str(error.value)
    check_classical({"name": "logistic", "decision": "expected_f1"})
