"""Attention against its formulas, one query and one state at a time."""

import pytest
import torch

from multihot.attention import AdditiveAttention, DotAttention


def additive_energy(attention, query, state):
    return attention.energy(torch.tanh(attention.query(query) + attention.key(state)))[0]


def dot_energy(attention, query, state):
    return torch.tanh(attention.query(query)) @ state


ENERGIES = {"additive": additive_energy, "dot": dot_energy}


@pytest.fixture(params=ENERGIES)
def kind(request):
    return request.param


@pytest.fixture
def attention(kind):
    torch.manual_seed(0)
    made = AdditiveAttention(query_size=3, width=4, attention_size=5) if kind == "additive" else DotAttention(query_size=3, width=4)
    return made.double()


def test_it_is_the_formula(attention, kind):
    queries, states = torch.randn(4, 3).double(), torch.randn(2, 6, 4).double()  # two queries for each of two instances
    mask = torch.tensor([[True] * 6, [True] * 2 + [False] * 4])
    contexts, weights = attention(queries, attention.keys(states), states, mask)
    for row, query in enumerate(queries):
        instance = row // 2
        real = states[instance][mask[instance]]
        energies = [ENERGIES[kind](attention, query, state) for state in real]
        alpha = torch.softmax(torch.stack(energies), dim=0)
        torch.testing.assert_close(weights[row, : len(real)], alpha)
        assert weights[row, len(real) :].tolist() == [0] * (6 - len(real))
        torch.testing.assert_close(contexts[row], (alpha[:, None] * real).sum(0))


def test_a_single_state_gets_all_the_weight(attention):
    states = torch.randn(2, 1, 4).double()
    contexts, weights = attention(torch.randn(4, 3).double(), attention.keys(states), states, torch.ones(2, 1, dtype=torch.bool))
    assert weights.tolist() == [[1.0]] * 4
    assert torch.equal(contexts, states[:, 0].repeat_interleave(2, 0))


def test_padding_has_no_say_and_no_gradient(attention):
    states = torch.randn(1, 5, 4).double().requires_grad_()
    mask = torch.tensor([[True, True, True, False, False]])
    context, _ = attention(torch.ones(1, 3).double(), attention.keys(states), states, mask)
    short, _ = attention(torch.ones(1, 3).double(), attention.keys(states[:, :3]), states[:, :3], mask[:, :3])
    torch.testing.assert_close(context, short)
    (gradient,) = torch.autograd.grad(context.sum(), states)
    assert gradient[0, 3:].abs().max() == 0
    assert gradient[0, :3].abs().min() > 0
