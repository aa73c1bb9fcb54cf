"""ML-GCN: the graph against a count by hand and against the source's published counts, the logits against the equations."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import sparse

from multihot.components import build
from multihot.errors import ConfigurationError
from multihot.labels import LabelStatistics
from multihot.scorers import LabelGraphScorer
from multihot.scorers.label_graph import label_graph
from multihot.types import Encoding

rng = np.random.default_rng(0)
TARGETS = rng.random((60, 6)) < np.array([0.7, 0.5, 0.4, 0.3, 0.2, 0.0])
STATISTICS = LabelStatistics.from_targets(TARGETS)


def slow_graph(targets: np.ndarray, threshold: float, weight: float) -> np.ndarray:
    """One pair of labels after another."""
    labels = targets.shape[1]
    graph = np.zeros((labels, labels))
    for i in range(labels):
        rows = targets[targets[:, i]]
        neighbours = [j for j in range(labels) if j != i and len(rows) and rows[:, j].sum() and rows[:, j].mean() >= threshold]
        for j in neighbours:
            graph[i, j] = weight / len(neighbours)
        graph[i, i] = 1 - weight if neighbours else 1.0
    return graph


@pytest.mark.parametrize(("threshold", "weight"), [(0.4, 0.2), (0.0, 0.5), (1.0, 0.2), (0.6, 0.0)])
def test_the_graph_is_what_counting_pairs_gives(threshold: float, weight: float) -> None:
    graph = label_graph(LabelStatistics.from_targets(TARGETS), threshold, weight)
    np.testing.assert_allclose(graph, slow_graph(TARGETS, threshold, weight), atol=1e-7)
    np.testing.assert_allclose(graph.sum(1), 1, atol=1e-6)


def test_the_graph_of_voc_2007_from_the_published_counts(shared_data) -> None:
    published = np.load(shared_data / "label_graphs" / "voc_label_graph.npz")
    together, counts = published["cooccurrence"].astype(int), published["counts"].astype(int)
    graph = label_graph(SimpleNamespace(co_occurrence=sparse.csr_matrix(together), counts=counts))
    names = [
        "plane",
        "bike",
        "bird",
        "boat",
        "bottle",
        "bus",
        "car",
        "cat",
        "chair",
        "cow",
        "table",
        "dog",
        "horse",
        "motorbike",
        "person",
        "plant",
        "sheep",
        "sofa",
        "train",
        "tv",
    ]
    person, edges = names.index("person"), {(names[i], names[j]) for i, j in np.argwhere(graph > 0) if i != j}
    expected = {(names[i], names[j]) for i in range(20) for j in range(20) if i != j and together[i, j] / counts[i] >= 0.4}
    assert edges == expected
    assert {("horse", "person"), ("table", "chair")} <= edges
    assert all(graph[person, j] == 0 for j in range(20) if j != person)


def test_logits_follow_the_equations() -> None:
    torch.manual_seed(0)
    scorer = LabelGraphScorer(6, width=4, statistics=STATISTICS, embedding_size=3, hidden_size=5).double().eval()
    scorer.bias.data.normal_()
    given = Encoding(torch.randn(2, 3, 4).double(), torch.ones(2, 3, dtype=torch.bool), torch.randn(2, 4).double())
    weight = {name: value.detach().numpy() for name, value in scorer.state_dict().items()}
    graph = slow_graph(TARGETS, 0.4, 0.2).astype(np.float32).astype(np.float64)
    hidden = graph @ weight["embedding"] @ weight["first.weight"].T
    hidden = np.where(hidden > 0, hidden, 0.2 * hidden)
    classifiers = graph @ hidden @ weight["second.weight"].T
    expected = given.pooled.numpy() @ classifiers.T + weight["bias"]
    np.testing.assert_allclose(scorer(given).detach().numpy(), expected, rtol=1e-9, atol=1e-9)


def test_the_maximum_over_real_states_may_take_the_place_of_the_pooled_vector() -> None:
    scorer = build("scorer", {"name": "label_graph", "pooling": "maximum"}, num_labels=6, width=4, statistics=STATISTICS)
    states, mask = torch.randn(2, 3, 4), torch.tensor([[True, True, False], [True, True, True]])
    largest = torch.stack([states[0, :2].amax(0), states[1].amax(0)])
    torch.testing.assert_close(scorer(Encoding(states, mask, torch.zeros(2, 4))), largest @ scorer.classifiers().T + scorer.bias)


def test_the_graph_is_saved_with_the_weights_and_extra_logits_stay_alone() -> None:
    scorer = build("scorer", "label_graph", num_labels=6, width=4, statistics=STATISTICS, extra_logits=1)
    assert "graph" in scorer.state_dict()
    assert not scorer.graph.requires_grad
    assert scorer.graph[6].tolist() == [0, 0, 0, 0, 0, 0, 1]
    assert scorer.graph[:, 6].tolist() == [0, 0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("setting", [{"threshold": 1.5}, {"neighbour_weight": 1.0}, {"pooling": "mean"}])
def test_settings_out_of_range_are_refused(setting: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="parameter must be"):
        build("scorer", {"name": "label_graph", **setting}, num_labels=6, width=4, statistics=STATISTICS)


def test_labels_start_from_given_vectors() -> None:
    given = torch.randn(6, 3)
    given[2] = torch.nan
    settings = {"name": "label_graph", "embedding_size": 3, "word_vectors": given, "freeze_vectors": True}
    scorer = build("scorer", settings, num_labels=6, width=4, statistics=STATISTICS, extra_logits=1)
    torch.testing.assert_close(scorer.embedding[[0, 1, 3, 4, 5]], given[[0, 1, 3, 4, 5]])
    assert scorer.embedding[[2, 6]].isfinite().all()
    assert not scorer.embedding.requires_grad
    with pytest.raises(ConfigurationError, match="the word vectors hold 3 numbers, but 300 are asked for"):
        build("scorer", settings | {"embedding_size": 300}, num_labels=6, width=4, statistics=STATISTICS)
