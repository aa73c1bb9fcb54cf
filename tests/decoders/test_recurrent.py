"""The recurrent decoder against its equations, and what must change nothing: batch mates, padding, other hypotheses."""

import pytest
import torch

from multihot.attention import AdditiveAttention, DotAttention
from multihot.components import build
from multihot.decoders import RecurrentDecoder
from multihot.labels import LabelStatistics
from multihot.types import Encoding

VARIANTS = {
    "plain": {},
    "without attention": {"attention": False},
    "attention of the published code": {"attention": "dot", "layers": 2},
    "two layers": {"layers": 2},
    "global embedding": {"global_embedding": True},
    "as the thesis prints it": {"direct": False, "first_cell": False},
}


def made(rows=3, steps=5, dtype=torch.float64, **arguments):
    torch.manual_seed(0)
    decoder = RecurrentDecoder(4, 6, hidden_size=7, embedding_size=5, attention_size=3, **arguments).to(dtype).eval()
    mask = torch.arange(steps) < torch.tensor([steps, 1, 3])[:rows, None]
    return decoder, Encoding(torch.randn(rows, steps, 6, dtype=dtype), mask, torch.randn(rows, 6, dtype=dtype))


def walk(decoder, encoding, sequences):
    state, logits = decoder.start(encoding), []
    for symbols in sequences.T:
        said, state = decoder.step(symbols, state, encoding)
        logits.append(said)
    return torch.stack(logits, 1), state


SEQUENCES = torch.tensor([[5, 1, 3, 4], [5, 0, 4, 4], [5, 2, 0, 1]])


def lstm_cell(cell, given, hidden, memory):
    gates = cell.weight_ih @ given + cell.bias_ih + cell.weight_hh @ hidden + cell.bias_hh
    i, f, g, o = gates.chunk(4)
    memory = f.sigmoid() * memory + i.sigmoid() * g.tanh()
    return o.sigmoid() * memory.tanh(), memory


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_is_what_the_equations_say(variant):
    decoder, encoding = made(**VARIANTS[variant])
    logits, _ = walk(decoder, encoding, SEQUENCES)
    for row in range(3):
        states = encoding.states[row][encoding.mask[row]]
        first = torch.tanh(decoder.first_state(encoding.pooled[row])).unflatten(0, (-1, 7))
        hidden, memory = list(first), [torch.zeros(7, dtype=torch.float64) for _ in first]
        if decoder.first_cell is not None:
            memory = list(decoder.first_cell(encoding.pooled[row]).unflatten(0, (-1, 7)))
        context, expected = torch.zeros(6, dtype=torch.float64), decoder.embedding.weight[5]
        for step, symbol in enumerate(SEQUENCES[row]):
            given = decoder.embedding.weight[symbol]
            if decoder.gate is not None:
                g = torch.sigmoid(decoder.gate(torch.cat([given, expected])))
                given = (1 - g) * given + g * expected
            given = torch.cat([given, context])  # (Tsai 2019, eq. 4.5)
            look = decoder.attention
            if look is None:
                context = encoding.pooled[row]
            elif isinstance(look, AdditiveAttention):
                energies = torch.stack(
                    [look.energy(torch.tanh(look.query(hidden[-1]) + look.key(state)))[0] for state in states]
                )  # (Tsai 2019, eq. 4.2)
                context = (torch.softmax(energies, 0)[:, None] * states).sum(0)  # (Tsai 2019, eqs. 4.3, 4.4)
            for layer, cell in enumerate(decoder.cells):
                hidden[layer], memory[layer] = lstm_cell(cell, given, hidden[layer], memory[layer])
                given = hidden[layer]
            if isinstance(look, DotAttention):
                energies = states @ torch.tanh(look.query.weight @ hidden[-1] + look.query.bias)
                context = (torch.softmax(energies, 0)[:, None] * states).sum(0)
            inner = decoder.from_state(hidden[-1]) + decoder.from_context(context)
            if decoder.from_pooled is not None:
                inner = inner + decoder.from_pooled.weight @ encoding.pooled[row]
            wanted = decoder.output(torch.where(inner > 0, inner, 0.01 * inner))  # (Tsai 2019, eq. 4.6)
            torch.testing.assert_close(logits[row, step], wanted)
            open_labels = [a for a in range(5) if a == 4 or a not in SEQUENCES[row, : step + 1]]  # [Yang et al. 2018, 6-8]
            weights = {a: float(wanted[a].exp()) for a in open_labels}
            expected = sum(weight * decoder.embedding.weight[a] for a, weight in weights.items()) / sum(weights.values())


def assert_instances_are_alone(decoder, encoding):
    """Batch mates and padding change nothing."""
    logits, state = walk(decoder, encoding, SEQUENCES)
    assert state["attention"].sum(-1).tolist() == pytest.approx([1, 1, 1])
    assert state["attention"][~encoding.mask].abs().max() == 0
    for row in range(3):
        length = int(encoding.mask[row].sum())
        alone = Encoding(encoding.states[[row], :length], encoding.mask[[row], :length], encoding.pooled[[row]])
        torch.testing.assert_close(walk(decoder, alone, SEQUENCES[[row]])[0][0], logits[row])


def assert_hypotheses_share_their_instance(decoder, encoding):
    """Several hypotheses of an instance in a row, and some of the instances, step as each would alone."""
    rows = torch.arange(3).repeat_interleave(2)
    previous = torch.tensor([0, 1, 2, 3, 1, 0])
    _, state = decoder.step(torch.full((3,), 5), decoder.start(encoding), encoding)
    several = {name: value if name in decoder.shared else value[rows] for name, value in state.items()}
    together, _ = decoder.step(previous, several, encoding)
    for hypothesis in range(2):
        alone, _ = decoder.step(previous[hypothesis::2], state, encoding)
        torch.testing.assert_close(together[hypothesis::2], alone)
    some = torch.tensor([2, 0])
    chosen, _ = decoder.step(torch.tensor([1, 0, 0, 1]), decoder.select(several, some, 2), encoding.select(some))
    torch.testing.assert_close(chosen, together[[4, 5, 0, 1]])


@pytest.mark.parametrize("variant", VARIANTS)
def test_batch_mates_and_padding_change_nothing(variant):
    assert_instances_are_alone(*made(**VARIANTS[variant]))


@pytest.mark.parametrize("variant", VARIANTS)
def test_hypotheses_share_what_belongs_to_the_instance(variant):
    assert_hypotheses_share_their_instance(*made(**VARIANTS[variant]))


def test_dropout_acts_in_training_alone():
    decoder, encoding = made(layers=2, dropout=0.5)
    assert torch.equal(walk(decoder, encoding, SEQUENCES)[0], walk(decoder, encoding, SEQUENCES)[0])
    decoder.train()
    assert not torch.equal(walk(decoder, encoding, SEQUENCES)[0], walk(decoder, encoding, SEQUENCES)[0])


def test_every_parameter_learns():
    for arguments in VARIANTS.values():
        decoder, encoding = made(**arguments)
        walk(decoder, encoding, SEQUENCES)[0].square().sum().backward()
        still = [name for name, parameter in decoder.named_parameters() if parameter.grad is None or not parameter.grad.any()]
        assert still == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_runs_in_bfloat16(variant):
    decoder, encoding = made(dtype=torch.float32, **VARIANTS[variant])
    exact = walk(decoder, encoding, SEQUENCES)[0]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = walk(decoder, encoding, SEQUENCES)[0]
    assert (rough.float() - exact).abs().max() < 0.05


def test_the_output_starts_from_how_often_labels_and_stop_are_emitted():
    statistics = LabelStatistics.from_targets([[1, 1, 0, 0], [1, 0, 0, 0], [1, 0, 1, 0]])
    decoder = RecurrentDecoder(4, 6, statistics=statistics)
    share = torch.softmax(decoder.output.bias, -1)  # of 3 labels 0, one each of 1 and 2, and 3 stops, half a count more each
    torch.testing.assert_close(share, torch.tensor([3.5, 1.5, 1.5, 0.5, 3.5]) / 10.5)
    assert not torch.allclose(RecurrentDecoder(4, 6, statistics=statistics, prior_bias=False).output.bias, decoder.output.bias)
    with pytest.raises(ValueError, match="prior_bias needs the label statistics"):
        RecurrentDecoder(4, 6, prior_bias=True)


def test_it_is_built_by_name_and_refuses_what_it_cannot_be():
    assert isinstance(build("decoder", "recurrent", num_labels=4, width=6), RecurrentDecoder)
    with pytest.raises(ValueError, match="'layers' parameter must be at least 1, got 0"):
        RecurrentDecoder(4, 6, layers=0)
    with pytest.raises(ValueError, match="'attention' parameter must be 'additive', 'dot' or False, got 'luong'"):
        RecurrentDecoder(4, 6, attention="luong")
