"""Gumbel-sigmoid, gradient penalty, bottleneck and mismatched sets, against closed forms and one instance at a time."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from multihot.objectives import Discriminator, gradient_penalty, gumbel_sigmoid
from multihot.objectives.adversarial.discriminator import Bottleneck, divergence_from_normal
from multihot.objectives.adversarial.objective import other_label_sets


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("temperature", [0.1, 0.9, 5.0])
@pytest.mark.parametrize("logit", [-2.0, 0.0, 1.5])
def test_draws_follow_the_binary_concrete_distribution(logit, temperature):
    """``P(yhat <= t) = sigmoid(T logit(t) - s)`` (Maddison et al. 2017); so above 1/2 lies the label's probability, whatever T."""
    drawn = gumbel_sigmoid(torch.full((20_000,), logit, dtype=torch.float64), temperature, seeded()).numpy()
    for threshold in (0.05, 0.25, 0.5, 0.8, 0.99):
        expected = 1 / (1 + math.exp(logit - temperature * math.log(threshold / (1 - threshold))))
        spread = math.sqrt(expected * (1 - expected) / len(drawn))
        assert abs((drawn <= threshold).mean() - expected) < 4 * spread
    if temperature >= 0.9:  # colder draws round to 1
        noise = temperature * (np.log(drawn) - np.log1p(-drawn)) - logit
        assert stats.kstest(noise, "logistic").pvalue > 1e-3


def test_cold_draws_are_zero_or_one_and_hot_ones_a_half():
    logits = torch.linspace(-3, 3, 1000)
    cold, hot = gumbel_sigmoid(logits, 1e-4, seeded()), gumbel_sigmoid(logits, 1e4, seeded())
    assert float(torch.minimum(cold, 1 - cold).max()) < 0.5
    assert float(((cold < 1e-3) | (cold > 1 - 1e-3)).float().mean()) > 0.99
    torch.testing.assert_close(hot, torch.full_like(hot, 0.5), atol=1e-2, rtol=0)


def test_the_gradient_of_a_draw_is_that_of_its_formula():
    logits = torch.randn(5, 3, dtype=torch.float64, generator=seeded(1)).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: gumbel_sigmoid(s, 0.9, seeded(2)), logits)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_extreme_logits_and_half_precision_stay_finite(dtype):
    logits = torch.tensor([-1e4, -50.0, 0.0, 50.0, 1e4], dtype=dtype).repeat(2000).requires_grad_()
    drawn = gumbel_sigmoid(logits, 0.1, seeded())
    (slope,) = torch.autograd.grad(drawn.sum(), logits)
    assert drawn.dtype == dtype
    assert bool(torch.isfinite(drawn).all() and torch.isfinite(slope).all())
    assert drawn.view(-1, 5)[:, [0, 4]].float().mean(0).tolist() == [0, 1]


def test_the_same_generator_draws_the_same_and_a_temperature_must_be_above_zero():
    logits = torch.randn(7)
    assert torch.equal(gumbel_sigmoid(logits, 0.9, seeded(3)), gumbel_sigmoid(logits, 0.9, seeded(3)))
    with pytest.raises(ValueError, match="'temperature' parameter must be above 0, got 0"):
        gumbel_sigmoid(logits, 0)


def test_the_penalty_of_a_linear_score_is_known():
    slope = torch.randn(6, dtype=torch.float64, generator=seeded()).requires_grad_()
    real, generated = torch.rand(2, 9, 6, dtype=torch.float64, generator=seeded(1))
    penalty = gradient_penalty(lambda points: points @ slope, real, generated)
    torch.testing.assert_close(penalty, (slope.norm() - 1) ** 2)
    (found,) = torch.autograd.grad(penalty, slope)
    torch.testing.assert_close(found, (2 * (1 - 1 / slope.norm()) * slope).detach())


def test_the_penalty_of_a_quadratic_score_is_known_at_the_drawn_points():
    real, generated = torch.rand(2, 9, 6, dtype=torch.float64, generator=seeded(1))
    weights = torch.rand(9, 1, dtype=torch.float64, generator=seeded(5))
    points = weights * real + (1 - weights) * generated
    expected = ((points.norm(dim=1) - 1) ** 2).mean()  # the gradient of |x|^2 / 2 is x
    found = gradient_penalty(lambda x: (x**2).sum(1) / 2, real, generated, seeded(5))
    torch.testing.assert_close(found, expected)


def test_the_penalty_of_a_network_by_finite_differences_row_by_row():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    real, generated = torch.rand(2, 5, 4, dtype=torch.float64)
    weights = torch.rand(5, 1, dtype=torch.float64, generator=seeded(7))
    step, total = 1e-6, 0.0
    with torch.no_grad():
        for row in weights * real + (1 - weights) * generated:
            slopes = [(network(row + step * e) - network(row - step * e)) / (2 * step) for e in torch.eye(4, dtype=torch.float64)]
            total += (math.sqrt(sum(float(slope) ** 2 for slope in slopes)) - 1) ** 2
    found = gradient_penalty(lambda points: network(points)[:, 0], real, generated, seeded(7))
    assert float(found.detach()) == pytest.approx(total / 5, rel=1e-6)
    parameters = list(network.parameters())[:3]  # no score's slope depends on its last bias
    assert torch.autograd.gradcheck(lambda *_: gradient_penalty(lambda x: network(x)[:, 0], real, generated, seeded(7)), parameters)


def test_a_flat_score_has_a_penalty_of_one_and_a_finite_gradient():
    flat = torch.zeros(3, requires_grad=True)
    penalty = gradient_penalty(lambda points: points @ flat, torch.ones(2, 3), torch.zeros(2, 3))
    penalty.backward()
    assert float(penalty.detach()) == 1
    assert bool(torch.isfinite(flat.grad).all())


def test_other_label_sets_differ_wherever_one_does():
    targets = (torch.rand(40, 3, generator=seeded()) < 0.4).float()
    drawn = torch.zeros(40, 40)
    for seed in range(200):
        torch.manual_seed(seed)
        sets, found = other_label_sets(targets)
        assert found.all()
        assert bool((sets != targets).any(1).all())
        drawn += (sets[:, None] == targets[None]).all(-1)
    reachable = (targets[:, None] != targets[None]).any(-1)
    assert torch.equal(drawn > 0, reachable)
    assert not other_label_sets(torch.ones(5, 2))[1].any()
    assert not other_label_sets(torch.ones(1, 2))[1].any()


def test_a_normalised_discriminator_is_lipschitz_in_labels_and_features():
    torch.manual_seed(0)
    discriminator = Discriminator(4, 6, layers=3, hidden_size=32, projection=16, spectral_norm=True)
    for _ in range(200):  # the power iterations find the largest singular values
        discriminator(torch.rand(2, 4), torch.randn(2, 6))
    discriminator.eval()
    (a, b), (x, z) = torch.rand(2, 500, 4), torch.randn(2, 500, 6)
    moved = (torch.cat([a, x], 1) - torch.cat([b, z], 1)).norm(dim=1)
    slope = (discriminator(a, x) - discriminator(b, z)).abs() / moved
    assert float(slope.detach().max()) <= 1.01


def test_clipping_bounds_every_parameter():
    discriminator = Discriminator(4, 6, layers=2, hidden_size=8)
    discriminator.clip(0.02)
    assert max(float(parameter.detach().abs().max()) for parameter in discriminator.parameters()) <= 0.02 + 1e-8


def test_an_unconditional_discriminator_does_not_look_at_the_instance():
    discriminator = Discriminator(4, 6, conditional=False, layers=1)
    labels = torch.rand(3, 4)
    assert torch.equal(discriminator(labels, torch.rand(3, 6)), discriminator(labels, None))


def test_the_information_is_that_of_torch_distributions():
    mean, log_variance = torch.randn(2, 7, 5, generator=seeded()).double()
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(normal(mean, (log_variance / 2).exp()), normal(0.0, 1.0)).sum(-1)
    torch.testing.assert_close(divergence_from_normal(mean, log_variance), expected)


def test_the_multiplier_grows_above_the_limit_and_never_falls_below_zero():
    bottleneck = Bottleneck(3, 2, limit=0.5, step=0.1)
    multiplier = 0.0
    for information in (0.1, 2.5, 3.0, 0.0, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0):
        toll = bottleneck.toll(torch.tensor(information))
        assert float(toll) == pytest.approx(multiplier * (information - 0.5), abs=1e-6)
        multiplier = max(0.0, multiplier + 0.1 * (information - 0.5))
        assert float(bottleneck.multiplier) == pytest.approx(multiplier, abs=1e-6)


def test_a_bottleneck_scores_at_its_mean_and_learns_through_noise():
    torch.manual_seed(0)
    discriminator = Discriminator(4, 6, layers=1, bottleneck=0.1)
    labels, features = torch.rand(3, 4), torch.rand(3, 6)
    assert torch.equal(discriminator(labels, features), discriminator(labels, features))
    (one, nats), (two, _) = discriminator.judge(labels, features), discriminator.judge(labels, features)
    assert not torch.equal(one, two)
    assert bool((nats > 0).all())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layers": 0}, "'layers' parameter of the discriminator must be at least 1, got 0"),
        ({"bottleneck": 0.0}, "'bottleneck' parameter of the discriminator must be above 0, got 0.0"),
        ({"bottleneck": 0.5, "bottleneck_step": -1.0}, "'bottleneck_step' parameter of the discriminator must be above 0"),
    ],
)
def test_a_discriminator_refuses_what_it_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        Discriminator(4, 6, **arguments)
