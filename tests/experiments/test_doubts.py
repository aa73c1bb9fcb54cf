"""What a method cannot make sense of is refused or doubted before it trains, and a training that chose nothing is told."""

import numpy as np
import pytest
from scipy import sparse

from multihot.data import load
from multihot.data.in_memory import from_rows
from multihot.errors import DataError, MultihotWarning
from multihot.experiments import Config
from multihot.experiments.doubts import check_rows, doubts_of_method, nothing_chosen
from multihot.experiments.fit import fit
from multihot.method import METHODS
from multihot.predictions import Prediction


def rows(*labels):
    return from_rows([{"text": f"word{i % 5}", "labels": list(names)} for i, names in enumerate(labels * 30)])


SETS, AGES, VOTES = rows("ab", "c", "bc"), rows(["18"], ["40"], ["67"]), rows(["18", "19"], ["40"], ["66", "67"])
LABEL_SETS = ["br", "linear-svm", "ocd", "ocd-mtl", "logistic"]


@pytest.mark.parametrize("method", ["ldl", {"name": "ldl"}, "dldl", "l1-regression", "ordinal"])
def test_label_sets_are_refused_by_what_learns_a_distribution_in_the_users_words(method):
    method = {"name": method} if isinstance(method, str) else method
    data = VOTES if method["name"] != "ldl" else SETS
    with pytest.raises(DataError, match=r"^rows: 60 of 90 train rows carry several labels, but '.*distribution='votes'.*such as br$"):
        check_rows(method, data, data.label_space())
    check_rows(method, AGES, AGES.label_space())


@pytest.mark.parametrize("name", [name for name in METHODS if name not in ("ordinal", "l1-regression", "l2-regression", "dldl", "ldl")])
def test_whatever_trains_on_label_sets_is_let_through(name):
    check_rows({"name": name}, VOTES, VOTES.label_space())
    check_rows({"name": "linear-svm"}, SETS, SETS.label_space())


def test_it_is_refused_before_training_and_leaves_no_folder(tmp_path):
    with pytest.raises(DataError, match="learns one label distribution a row"):
        fit(Config.from_dict({"method": "ldl"}), tmp_path / "run", SETS)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", LABEL_SETS)
def test_numbers_as_labels_point_to_what_reads_them_as_numbers(name):
    [line] = doubts_of_method({"name": name}, AGES, AGES.label_space())
    assert "one a row" in line
    assert line.endswith(f"'{name}' knows not which are near; method dldl does")
    [line] = doubts_of_method({"name": name}, VOTES, VOTES.label_space())
    assert "several a row" in line
    assert "use method ldl" in line
    assert doubts_of_method({"name": name}, SETS, SETS.label_space()) == []
    assert doubts_of_method({"name": "dldl"}, AGES, AGES.label_space()) == []


def test_distributions_under_a_method_of_label_sets_point_to_ldl(tmp_path):
    (tmp_path / "t.csv").write_text("a,sad,calm\n" + "1.5,0.25,0.75\n2.5,0.5,0.5\n" * 30)
    data = load(tmp_path / "t.csv", labels="sad,calm", distribution="degrees")
    [line] = doubts_of_method({"name": "br"}, data, data.label_space())
    assert line.endswith("method ldl learns them whole")
    assert doubts_of_method({"name": "sa-bfgs"}, data, data.label_space()) == []


def test_numbers_of_a_sparse_file_are_no_values(tmp_path):
    (tmp_path / "t.txt").write_text("".join(f"{i % 5} 0:1 {i % 3 + 1}:0.5\n" for i in range(60)))
    data = load(tmp_path / "t.txt", format="libsvm")
    assert doubts_of_method({"name": "br"}, data, data.label_space()) == []


def test_a_prediction_without_a_label_is_told():
    empty = Prediction(["a", "b"], np.zeros((2, 3), np.float32), np.zeros((2, 3), bool))
    assert nothing_chosen(empty, "test").startswith("no label was chosen for any of 2 test rows")
    some = Prediction(["a", "b"], np.zeros((2, 3), np.float32), np.eye(2, 3, dtype=bool))
    assert nothing_chosen(some, "test") is None
    assert nothing_chosen(Prediction(["a"], sparse.csr_matrix((1, 3)), sparse.csr_matrix((1, 3), dtype=bool)), "test") is not None


def test_a_training_that_chose_nothing_says_so(tmp_path):
    method = {"name": "linear-svm", "decision": {"name": "fixed", "threshold": 1e6, "at_least": 0}}
    with pytest.warns(MultihotWarning) as told:
        fit(Config.from_dict({"method": method}), tmp_path / "run", SETS)
    assert any("no label was chosen for any of 9 test rows" in str(one.message) for one in told)
