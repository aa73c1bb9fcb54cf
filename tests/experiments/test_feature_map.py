"""The map of pooled vectors that a run keeps: against scikit-learn's principal components and the encoder asked anew."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

import multihot
from multihot.data import load
from multihot.experiments import Run
from multihot.learners.explain.feature_map import principal_components
from multihot.report import make_report


@pytest.mark.parametrize("shape", [(50, 7), (5, 30), (12, 1), (1, 4)])
def test_components_are_those_of_scikit_learn(shape: tuple[int, int]) -> None:
    vectors = np.random.default_rng(0).normal(size=shape)
    points, explained = principal_components(vectors)
    assert points.shape == (shape[0], 2)
    kept = min(2, *shape) if shape[0] > 1 else 0
    if kept:
        reference = PCA(kept, svd_solver="full").fit(vectors)
        np.testing.assert_allclose(np.abs(points[:, :kept]), np.abs(reference.transform(vectors)), atol=1e-9)
        np.testing.assert_allclose(explained[:kept], reference.explained_variance_ratio_, atol=1e-9)
    assert not points[:, kept:].any()
    again, _ = principal_components(vectors[::-1])
    np.testing.assert_allclose(again[::-1], points, atol=1e-9)  # the sign does not hang on the order of the instances


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("ages")
    draw = np.random.default_rng(0)
    for split, rows in {"train": 120, "test": 40}.items():
        ages = draw.integers(20, 26, rows).tolist()
        lines = [{"id": f"{split}{i}", "f0": age / 10, "f1": draw.normal(), "labels": [str(age)]} for i, age in enumerate(ages)]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return {split: str(folder / f"{split}.jsonl") for split in ("train", "test")}


def train(files: dict[str, str], out: Path, method: str) -> Run:
    quick = {"training.epochs": 1, "training.device": "cpu", "training.precision": "32-true", "method.encoder": "tabular"}
    return multihot.fit(files, method=method, settings=quick, out=out)


def test_a_run_keeps_where_its_encoder_puts_the_test_instances(files: dict[str, str], tmp_path: Path) -> None:
    run = train(files, tmp_path / "dldl", "dldl")
    rows = load(files).splits["test"]
    assert set(run.feature_map["points"]) == set(rows["id"])
    predictor = run.predictor
    batch = predictor.processor.collate(list(predictor.processor.prepare(rows)))
    with torch.no_grad():
        pooled = predictor.model.eval().encoder(batch).pooled.double().numpy()
    reference = PCA(2, svd_solver="full").fit(pooled)
    kept = np.array([run.feature_map["points"][name] for name in rows["id"]])
    np.testing.assert_allclose(np.abs(kept), np.abs(reference.transform(pooled)), rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(run.feature_map["explained"], reference.explained_variance_ratio_, atol=1e-3)
    assert "feature_map.json" in run.metrics["files"]  # sealed, so that an altered one is named


@pytest.mark.parametrize("method", ["br", "aa-knn"])
def test_a_run_of_label_sets_or_without_an_encoder_keeps_none(files: dict[str, str], tmp_path: Path, method: str) -> None:
    settings = {"training.epochs": 1, "training.device": "cpu", "method.encoder": "tabular"} if method == "br" else {}
    run = multihot.fit(files, method=method, settings=settings, out=tmp_path / method)
    assert run.feature_map == {}
    content = json.loads(make_report([run.folder]).partition('id="content">')[2].partition("</script>")[0])
    if method == "br":
        assert content["distributions"] is None
    else:
        assert len(content["distributions"]["rows"]) == 40
        assert content["distributions"]["features"] is None
