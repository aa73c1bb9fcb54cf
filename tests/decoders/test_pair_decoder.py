"""Two decoders on one encoder against their equations, one instance and one step at a time."""

import pytest
import torch
from test_recurrent import SEQUENCES, assert_hypotheses_share_their_instance, assert_instances_are_alone, lstm_cell, walk

from multihot.decoders import PairDecoder
from multihot.errors import ConfigurationError
from multihot.labels import LabelStatistics
from multihot.types import Encoding

FIRST = {"hidden_size": 7, "embedding_size": 5, "attention_size": 3}
SECOND = {"hidden_size": 6, "embedding_size": 4, "attention_size": 2, "layers": 2}
VARIANTS = {
    "side by side": {"stacked": False},
    "stacked": {"stacked": True},
    "stacked, global embedding": {"stacked": True, "second": SECOND | {"global_embedding": True}},
    "stacked, looking at the first alone": {"stacked": True, "second": SECOND | {"attention": False}},
}


def made(rows=3, steps=5, dtype=torch.float64, **arguments):
    torch.manual_seed(1)
    decoder = PairDecoder(4, 8, **({"first": FIRST, "second": SECOND} | arguments)).to(dtype).eval()
    for parameter in decoder.first.parameters():
        torch.nn.init.normal_(parameter)  # large weights, so that instances differ in how much the first says
    mask = torch.arange(steps) < torch.tensor([steps, 1, 3])[:rows, None]
    return decoder, Encoding(torch.randn(rows, steps, 8, dtype=dtype), mask, torch.randn(rows, 8, dtype=dtype))


def said_by_first(decoder, encoding, most=5):
    """The hidden states of the first decoder on one instance, walked alone."""
    state, symbol, said, states = decoder.first.start(encoding), 5, [], []
    while symbol != 4 and len(states) < most:
        logits, state = decoder.first.step(torch.tensor([symbol]), state, encoding)
        states.append(state["hidden"][0, -1])
        logits[0, said] = -torch.inf
        symbol = int(logits[0].argmax())
        said.append(symbol)
        if symbol == 4:
            break
    return torch.stack(states)


def attended(look, asking, states):
    energies = torch.stack([look.energy(torch.tanh(look.query(asking) + look.key(state)))[0] for state in states])
    return (torch.softmax(energies, 0)[:, None] * states).sum(0)


def test_stacked_it_is_what_the_equations_say():
    decoder, encoding = made(stacked=True)
    logits, _ = walk(decoder, encoding, SEQUENCES)
    second, lengths = decoder.second, set()
    for row in range(3):
        alone = encoding.select(torch.tensor([row]))
        states, memory = encoding.states[row][encoding.mask[row]], said_by_first(decoder, alone)
        lengths.add(len(memory))
        hidden = list(torch.tanh(second.first_state(alone.pooled[0])).unflatten(0, (2, -1)))
        cells = list(second.first_cell(alone.pooled[0]).unflatten(0, (2, -1)))
        context = torch.zeros(8 + 7, dtype=torch.float64)
        for step, symbol in enumerate(SEQUENCES[row]):
            given = torch.cat([second.embedding.weight[symbol], context])
            context = torch.cat([attended(second.attention, hidden[-1], states), attended(second.memory_attention, hidden[-1], memory)])
            for layer, cell in enumerate(second.cells):
                hidden[layer], cells[layer] = lstm_cell(cell, given, hidden[layer], cells[layer])
                given = hidden[layer]
            inner = second.from_state(hidden[-1]) + second.from_context(context) + second.from_pooled(alone.pooled[0])
            torch.testing.assert_close(logits[row, step], second.output(torch.where(inner > 0, inner, 0.01 * inner)))
    assert len(lengths) > 1


def test_side_by_side_each_is_a_decoder_of_its_own():
    decoder, encoding = made(stacked=False)
    assert torch.equal(walk(decoder, encoding, SEQUENCES)[0], walk(decoder.second, encoding, SEQUENCES)[0])
    assert (decoder.named("first"), decoder.named("second")) == (decoder.first, decoder)
    walk(decoder.named("second"), encoding, SEQUENCES)[0].sum().backward()
    assert all(parameter.grad is None for parameter in decoder.first.parameters())


def test_the_first_emits_no_more_than_the_largest_label_set_and_a_stop():
    decoder, encoding = made(stacked=True, statistics=LabelStatistics.from_targets([[1, 0, 0, 0]]))
    assert decoder.start(encoding)["memory"].shape[1] == 2
    with torch.no_grad():
        decoder.first.output.bias[4] = 1e6
    assert decoder.start(encoding)["memory"].shape[1] == 1
    torch.testing.assert_close(decoder.start(encoding)["memory"][1], said_by_first(decoder, encoding.select(torch.tensor([1]))))


@pytest.mark.parametrize("variant", VARIANTS)
def test_batch_mates_and_padding_change_nothing(variant):
    assert_instances_are_alone(*made(**VARIANTS[variant]))


@pytest.mark.parametrize("variant", VARIANTS)
def test_hypotheses_share_what_belongs_to_the_instance(variant):
    assert_hypotheses_share_their_instance(*made(**VARIANTS[variant]))


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_parameter_learns_from_both(variant):
    decoder, encoding = made(**VARIANTS[variant])
    sum(walk(decoder.named(name), encoding, SEQUENCES)[0].square().sum() for name in decoder.names).backward()
    assert [name for name, parameter in decoder.named_parameters() if parameter.grad is None or not parameter.grad.any()] == []


def test_it_runs_in_bfloat16():
    decoder, encoding = made(dtype=torch.float32, stacked=True, second=SECOND | {"layers": 1})
    exact, _ = walk(decoder, encoding, SEQUENCES)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough, _ = walk(decoder, encoding, SEQUENCES)
    assert (rough.float() - exact).abs().max() < 0.1


def test_settings_that_no_recurrent_decoder_has_are_refused():
    with pytest.raises(ConfigurationError, match="'hiden_size'; did you mean 'hidden_size'"):
        PairDecoder(4, 8, first={"hiden_size": 3})
    decoder, encoding = made(stacked=True)
    with pytest.raises(ConfigurationError, match="leave `memory` out"):
        decoder.second.step(torch.full((3,), 5), decoder.second.start(encoding), encoding)
