"""Regression to a label's position against torch's losses, and trained to the conditional median and mean."""

import pytest
import torch
import torch.nn.functional as F

from multihot.components import build
from multihot.errors import ConfigurationError, DataError
from multihot.interfaces import Encoder, Model
from multihot.labels import LabelSpace
from multihot.objectives import AxisRegressionObjective
from multihot.types import Batch, Encoding

SPACE = LabelSpace(["0", "1", "4", "10"])
AXIS = torch.tensor([0.0, 1.0, 4.0, 10.0])


class Bare(Encoder):
    reads = "table"

    def forward(self, inputs: dict[str, torch.Tensor]) -> Encoding:
        rows = inputs["features"]
        return Encoding(rows[:, None], torch.ones(len(rows), 1, dtype=torch.bool), rows)


def make_model() -> Model:
    torch.manual_seed(0)
    return Model(Bare(), build("scorer", {"name": "axis_value", "layers": 0}, label_space=SPACE, width=3)).eval()


def make_batch(targets: torch.Tensor) -> Batch:
    features = torch.randn(len(targets), 3, generator=torch.Generator().manual_seed(1))
    return Batch({"features": features}, targets, torch.ones_like(targets, dtype=torch.bool), [str(i) for i in range(len(targets))])


@pytest.mark.parametrize(("norm", "loss"), [(1, F.l1_loss), (2, F.mse_loss)])
def test_it_is_torchs_loss_between_value_and_position(norm: int, loss) -> None:
    model, batch = make_model(), make_batch(torch.eye(4)[[3, 0, 2, 1, 3]])
    objective = build("objective", {"name": "axis_regression", "norm": norm}, label_space=SPACE, loss=None, statistics=None)
    objective.attach(model)
    expected = loss(model.scorer.value(model.encode(batch)), AXIS[[3, 0, 2, 1, 3]])
    torch.testing.assert_close(objective(model, batch), expected)
    torch.testing.assert_close(objective(model, batch, "model", model.encode(batch)), expected)


def test_a_distribution_stands_at_its_expectation_and_rows_without_a_label_are_left_out() -> None:
    model, batch = make_model(), make_batch(torch.tensor([[0.5, 0, 0.5, 0], [0, 0, 0, 0], [0, 0, 0.25, 0.75]]))
    batch.known[1], batch.targets[1] = False, float("nan")
    values = model.scorer.value(model.encode(batch))
    objective = AxisRegressionObjective(SPACE)
    torch.testing.assert_close(objective(model, batch), ((values[0] - 2).abs() + (values[2] - 8.5).abs()) / 2)
    batch.known[:] = False
    assert float(objective(model, batch)) == 0


@pytest.mark.parametrize(("norm", "best"), [(1, 1.0), (2, 3.0)])
def test_trained_on_one_instance_it_finds_the_median_or_the_mean(norm: int, best: float) -> None:
    model, batch = make_model(), make_batch(torch.eye(4)[[0, 1, 1, 3]])  # positions 0, 1, 1, 10: median 1, mean 3
    batch.inputs["features"][:] = 1
    objective = AxisRegressionObjective(SPACE, norm)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(600):
        optimiser.zero_grad()
        objective(model, batch).backward()
        optimiser.step()
    assert float(model.scorer.value(model.encode(batch))[0]) == pytest.approx(best, abs=0.1)


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="objective 'axis_regression': the 'norm' parameter must be 1 or 2, got 3"):
        build("objective", {"name": "axis_regression", "norm": 3}, label_space=SPACE)
    with pytest.raises(ConfigurationError, match=r"the labels \('a', \.\.\.\) are no numbers"):
        AxisRegressionObjective(LabelSpace(["a"]))
    scorer = build("scorer", "linear", num_labels=4, width=3)
    with pytest.raises(ConfigurationError, match="needs a scorer with a value, not LinearScorer; use `scorer: axis_value`"):
        AxisRegressionObjective(SPACE).attach(Model(Bare(), scorer))
    with pytest.raises(DataError, match=r"axis_regression: targets: row 1 sums to 2; regression needs one label"):
        AxisRegressionObjective(SPACE)(make_model(), make_batch(torch.tensor([[1.0, 0, 0, 0], [1, 1, 0, 0]])))
