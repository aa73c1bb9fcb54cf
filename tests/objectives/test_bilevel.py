"""Learned spreads: gradients through training against finite differences and closed forms; who learns from which rows."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.stats import norm
from toys import FEATURES, ToyEncoder

from multihot.components import build
from multihot.errors import ConfigurationError, DataError, NotANumberError
from multihot.interfaces import Model
from multihot.labels import LabelSpace
from multihot.objectives import BilevelObjective
from multihot.objectives.bilevel.hypergradients import implicit, unrolled
from multihot.objectives.bilevel.objective import held_out_rows
from multihot.objectives.bilevel.spreads import Spread
from multihot.scorers import BinaryRelevanceScorer
from multihot.types import Batch

AXIS = [0.0, 1.0, 2.0, 4.0, 5.0]
SPACE = LabelSpace([f"{place:g}" for place in AXIS])


def make(**arguments) -> tuple[Model, BilevelObjective, Batch]:
    """A small model in float64 with its objective and a batch, some of whose rows are held out."""
    torch.manual_seed(0)
    model = Model(ToyEncoder(width=8), BinaryRelevanceScorer(len(AXIS), 8, hidden_size=6, layers=1, dropout=0.0, attention=False))
    objective = BilevelObjective(SPACE, 8, **{"held_out": 0.5, "start": 1.3, "step_size": 0.7, **arguments})
    columns = torch.randint(len(AXIS), (16,))
    targets = F.one_hot(columns, len(AXIS)).double()
    batch = Batch(
        {"features": torch.randn(16, FEATURES).double()}, targets, torch.ones_like(targets).bool(), [f"row {i}" for i in range(16)]
    )
    return model.double(), objective.double(), batch


def part(batch: Batch, rows: torch.Tensor) -> Batch:
    return Batch({"features": batch.inputs["features"][rows]}, batch.targets[rows], batch.known[rows])


def trained_by_hand(model: Model, objective: BilevelObjective, batch: Batch, steps: int) -> float:
    """L_out after ordinary steps of SGD on targets from scipy's densities, on a copy of the model."""
    model, axis = copy.deepcopy(model), np.asarray(AXIS)
    aside = held_out_rows(batch.ids, objective.held_out)
    learned, judged = part(batch, ~aside), part(batch, aside)
    sigmas = objective.spread(learned.targets, model.encode(learned).pooled).detach().numpy()
    density = norm.pdf(axis, learned.targets.numpy() @ axis[:, None], sigmas[:, None])
    targets = torch.from_numpy(density / density.sum(1, keepdims=True))
    trained = model.scorer if objective.through == "scorer" else model
    optimiser = torch.optim.SGD(trained.parameters(), lr=objective.step_size)
    for _ in range(steps):
        optimiser.zero_grad()
        F.kl_div(model.score(learned).log_softmax(1), targets, reduction="batchmean").backward()
        optimiser.step()
    logits, axis = model.score(judged).detach(), torch.from_numpy(axis)
    if objective.outer.__name__ == "cross_entropy":
        return float(-(judged.targets * logits.log_softmax(1)).sum(1).mean())
    return float((logits.softmax(1) @ axis - judged.targets @ axis).abs().mean())


@pytest.mark.parametrize("form", ["constant", "per_label", "per_instance"])
@pytest.mark.parametrize(
    ("steps", "through", "outer"), [(1, "scorer", "absolute_error"), (3, "scorer", "cross_entropy"), (3, "model", "absolute_error")]
)
def test_the_gradient_of_the_spread_is_that_of_training_again(form, steps, through, outer):
    model, objective, batch = make(form=form, steps=steps, through=through, outer=outer)
    if objective.spread.network is not None:  # its last layer begins at 0, where the first has no gradient
        torch.nn.init.normal_(objective.spread.network[-1].weight)
    loss = objective(model, batch, "spread")
    assert float(loss.detach()) == pytest.approx(trained_by_hand(model, objective, batch, steps), rel=1e-10)
    parameters = list(objective.spread.parameters())
    gradients = torch.autograd.grad(loss, parameters)
    step, checked = 1e-5, 0
    for parameter, gradient in zip(parameters, gradients, strict=True):
        for place in range(min(parameter.numel(), 4)):
            flat = parameter.data.view(-1)
            before = float(flat[place])
            values = []
            for moved in (before + step, before - step):
                flat[place] = moved
                values.append(trained_by_hand(model, objective, batch, steps))
            flat[place] = before
            assert float(gradient.flatten()[place]) == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-4, abs=1e-9)
            checked += 1
    assert checked
    assert max(float(gradient.abs().max()) for gradient in gradients) > 1e-6


def quadratic(size: int = 4):
    """L_in = 1/2 (w - s a)' H (w - s a) and L_out = 1/2 |w - b|^2, with the minimum of the first known: w* = s a."""
    generator = torch.Generator().manual_seed(1)
    root = torch.randn(size, size, generator=generator, dtype=torch.float64)
    hessian = root @ root.T / size + torch.eye(size, dtype=torch.float64)
    a, b = torch.randn(2, size, generator=generator, dtype=torch.float64)
    s = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)

    def inner(weights):
        return 0.5 * (weights["w"] - s * a) @ hessian @ (weights["w"] - s * a)

    def outer(weights):
        return 0.5 * ((weights["w"] - b) ** 2).sum()

    return hessian, a, b, s, inner, outer


@pytest.mark.parametrize("steps", [1, 3, 10])
def test_unrolled_steps_on_a_quadratic(steps):
    hessian, a, b, s, inner, outer = quadratic()
    start, eta = torch.zeros(4, dtype=torch.float64), 0.2
    kept = torch.linalg.matrix_power(torch.eye(4, dtype=torch.float64) - eta * hessian, steps)
    reached = kept @ start + (torch.eye(4, dtype=torch.float64) - kept) @ (s.detach() * a)
    expected = (reached - b) @ (torch.eye(4, dtype=torch.float64) - kept) @ a
    loss = unrolled(inner, outer, {"w": start}, steps, eta)
    assert float(loss.detach()) == pytest.approx(float(0.5 * ((reached - b) ** 2).sum()))
    assert float(torch.autograd.grad(loss, s)[0]) == pytest.approx(float(expected))


def test_the_implicit_gradient_is_that_of_the_minimum_and_m_terms_are_m_steps():
    hessian, a, b, s, inner, outer = quadratic()
    minimum = {"w": (s * a).detach()}
    at_minimum = float((s.detach() * a - b) @ a)  # d/ds of 1/2 |s a - b|^2
    eta = 0.2
    assert float(torch.linalg.eigvalsh(hessian).max()) < 2 / eta
    found = torch.autograd.grad(implicit(inner, outer, minimum, 500, eta), s)[0]
    assert float(found) == pytest.approx(at_minimum, rel=1e-8)
    for count in (1, 4):
        by_series = torch.autograd.grad(implicit(inner, outer, minimum, count, eta), s)[0]
        by_steps = torch.autograd.grad(unrolled(inner, outer, minimum, count, eta), s)[0]
        assert float(by_series) == pytest.approx(float(by_steps))
        assert float(by_series) != pytest.approx(at_minimum, rel=1e-3)


def test_weights_that_nothing_reads_are_left_out():
    *_, s, inner, outer = quadratic()
    weights = {"w": torch.zeros(4, dtype=torch.float64), "idle": torch.ones(2, dtype=torch.float64)}
    found = [torch.autograd.grad(by(inner, outer, weights, 3, 0.1), s)[0] for by in (unrolled, implicit)]
    alone = [torch.autograd.grad(by(inner, outer, {"w": weights["w"]}, 3, 0.1), s)[0] for by in (unrolled, implicit)]
    torch.testing.assert_close(found, alone)


def test_rows_held_out_never_train_the_model():
    model, objective, batch = make()
    aside = held_out_rows(batch.ids, 0.5)
    assert 0 < int(aside.sum()) < len(aside)
    changed = copy.deepcopy(batch)
    changed.inputs["features"][aside] += 5
    changed.targets[aside] = changed.targets[aside].flip(1)
    parameters = list(model.parameters())
    first = torch.autograd.grad(objective(model, batch), parameters)
    second = torch.autograd.grad(objective(model, changed), parameters)
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert float(objective(model, batch, "spread").detach()) != float(objective(model, changed, "spread").detach())


def test_a_turn_changes_only_its_own_parameters():
    model, objective, batch = make(form="per_instance", through="model")
    model.train()
    objective(model, batch, "spread").backward()
    assert all(parameter.grad is None for parameter in model.parameters())
    assert any(parameter.grad is not None for parameter in objective.spread.parameters())
    assert model.training
    assert set(objective.turn_parameters(model, "spread")) == set(objective.spread.parameters())
    objective.zero_grad()
    objective(model, batch, "model").backward()
    assert all(parameter.grad is None for parameter in objective.spread.parameters())
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_the_models_loss_is_the_divergence_from_a_gaussian_and_validation_asks_for_the_error_alone():
    model, objective, batch = make(start=0.9, outer="absolute_error")
    aside = held_out_rows(batch.ids, 0.5)
    learned, axis = part(batch, ~aside), np.asarray(AXIS)
    density = norm.pdf(axis, learned.targets.numpy() @ axis[:, None], 0.9)
    targets = torch.from_numpy(density / density.sum(1, keepdims=True))
    expected = -(targets * model.score(learned).log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(objective(model, batch), expected)
    assert float(objective.reported["spread"]) == pytest.approx(0.9)
    objective.eval()
    before = float(objective(model, batch).detach())
    errors = (model.score(batch).softmax(1) @ torch.tensor(AXIS).double() - batch.targets @ torch.tensor(AXIS).double()).abs()
    assert before == pytest.approx(float(errors.mean().detach()))
    objective.spread.raw.data += 1
    assert float(objective(model, batch).detach()) == before


def test_which_rows_are_held_out_follows_from_their_ids_in_the_share_asked_for():
    ids = [str(i) for i in range(20_000)]
    chosen = held_out_rows(ids, 0.2)
    assert float(chosen.double().mean()) == pytest.approx(0.2, abs=0.01)
    assert held_out_rows(ids[::-1], 0.2).flip(0).tolist() == chosen.tolist()


def test_a_batch_without_rows_of_one_kind_trains_nothing():
    model, objective, batch = make(held_out=1e-6)
    loss = objective(model, batch, "spread")
    loss.backward()
    assert float(loss.detach()) == 0
    assert float(objective.spread.raw.grad.abs().max()) == 0
    model, objective, batch = make(held_out=1 - 1e-6)
    loss = objective(model, batch)
    loss.backward()
    assert float(loss.detach()) == 0
    assert all(float(p.grad.abs().max()) == 0 for p in model.parameters())


def learned_spread(start: float, noise: float, steps: int = 1) -> float:
    """What is learned from four noisy values at each of 120 places, two of them for a model that can learn those by heart."""
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    places, axis = 120, torch.arange(30.0)
    owners = np.repeat(np.arange(places), 4)
    centres = random.uniform(8, 21, places)
    values = np.clip(np.rint(centres[owners] + noise * random.standard_normal(len(owners))), 0, 29).astype(int)
    features, targets = torch.eye(places)[owners], F.one_hot(torch.from_numpy(values), 30).float()
    batch = Batch({"features": features}, targets, targets.bool() | True, [f"{i}" for i in range(len(owners))])
    model = Model(ToyEncoder(places, 64), BinaryRelevanceScorer(30, 64, hidden_size=64, layers=1, dropout=0.0, attention=False))
    objective = BilevelObjective(LabelSpace([str(int(a)) for a in axis]), 64, "constant", start, 0.5, "cross_entropy", steps=steps)
    optimisers = {
        turn: torch.optim.Adam(objective.turn_parameters(model, turn), 0.01 if turn == "model" else 0.05) for turn in ("model", "spread")
    }
    for update in range(300):
        turn = "spread" if update % 2 and update > 100 else "model"
        optimisers[turn].zero_grad()
        objective(model, batch, turn).backward()
        optimisers[turn].step()
    return float(objective.reported["spread"])


def test_the_spread_goes_where_the_noise_is():
    widened, narrowed, without_noise = learned_spread(0.5, 2.0), learned_spread(6.0, 2.0, steps=3), learned_spread(2.0, 0.0)
    assert 1.2 < widened < 3.2
    assert 1.2 < narrowed < 3.2
    assert without_noise < 0.8


def test_spreads_start_where_told_and_stay_above_zero():
    targets, pooled = torch.eye(3), torch.rand(3, 4)
    for form in ("constant", "per_label", "per_instance"):
        spread = Spread(form, 3, 4, start=0.7)
        torch.testing.assert_close(spread(targets, pooled), torch.full((3,), 0.7))
        spread.raw.data.fill_(-200.0)
        assert bool((spread(targets, pooled) > 0).all())
    each = Spread("per_label", 3, 4, start=1.0)
    each.raw.data = torch.tensor([0.0, 1.0, 2.0])
    torch.testing.assert_close(each(targets, pooled), F.softplus(torch.tensor([0.0, 1.0, 2.0])))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"form": "per_row"}, "form"), ({"start": 0.0}, "start"), ({"held_out": 0}, "held_out"), ({"held_out": 1.5}, "held_out"),
        ({"outer": "squares"}, "outer"), ({"gradient": "exact"}, "gradient"), ({"steps": 0}, "steps"), ({"step_size": 0}, "step_size"),
        ({"through": "encoder"}, "through"), ({"model_updates": 0}, "model_updates"), ({"learning_rate_factor": 0}, "learning_rate_factor"),
    ],
)  # fmt: skip
def test_a_setting_out_of_range_is_named(arguments, word):
    with pytest.raises(ConfigurationError, match=f"'{word}' parameter") as error:
        build("objective", {"name": "bilevel", **arguments}, label_space=SPACE, width=4)
    assert "\n" not in str(error.value)


def test_an_axis_and_a_label_are_needed():
    with pytest.raises(ConfigurationError, match="axis"):
        build("objective", "bilevel", label_space=LabelSpace(["wheat", "corn"]), width=4)
    model, objective, batch = make()
    batch.targets[3] = 0
    batch.known[5] = False
    with pytest.raises(DataError, match="'row 3' carries no label"):
        objective.eval()(model, batch)
    batch.targets[3, 0] = 1
    assert torch.isfinite(objective(model, batch))


def test_steps_that_diverge_are_told_from_losses_that_are_large():
    model, objective, batch = make(steps=60, step_size=1e4, through="model", outer="cross_entropy")
    batch.inputs["features"] *= 50
    with pytest.raises(NotANumberError, match=r"lower objective\.step_size"):
        objective(model, batch, "spread")
