"""The objectives of two decoders: the plain sum, and the gradient of Seq2set by enumeration of all label sequences."""

import pytest
import torch
from brute_force import all_sequences, next_log_probabilities
from test_policy_gradient import f1
from toys import random_batch, sequence_model

from multihot.components import build
from multihot.decoders import PairDecoder
from multihot.decoding import BeamDecoding, GreedyDecoding
from multihot.errors import ConfigurationError
from multihot.labels import LabelSpace, LabelStatistics
from multihot.method import METHODS, Method
from multihot.objectives import LikelihoodObjective, OptimalCompletionObjective, PairObjective
from multihot.types import Batch

STATISTICS = LabelStatistics.from_targets([[1, 1], [1, 0]])
SIZES = {"hidden_size": 4, "embedding_size": 3, "attention_size": 2, "dropout": 0.0}
SEQ2SET = {"first": "likelihood", "second": {"name": "policy_gradient", "warm_start": 0.0, "likelihood": 0.0}}


def pair_model(num_labels=2, seed=0, stacked=True):
    model = sequence_model(num_labels, PairDecoder, seed, first=SIZES, second=SIZES, stacked=stacked)
    for parameter in model.decoder.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    return model


@pytest.mark.parametrize("stacked", [False, True])
def test_it_is_the_weighted_sum_and_encodes_once(stacked):
    model, batch = pair_model(stacked=stacked), random_batch(16, 2)
    batch.known[0, 0] = False
    calls = []
    model.encoder.register_forward_hook(lambda *_: calls.append(1))
    objective = PairObjective(STATISTICS, second="optimal_completion", weight=0.3)
    torch.manual_seed(0)
    total = objective(model, batch)
    assert len(calls) == 1
    torch.manual_seed(0)
    parts = (
        LikelihoodObjective(STATISTICS)(model.read_by("first"), batch),
        OptimalCompletionObjective(STATISTICS)(model.read_by("second"), batch),
    )
    torch.testing.assert_close(total, 0.7 * parts[0] + 0.3 * parts[1])
    torch.testing.assert_close((objective.reported["first"], objective.reported["second"]), tuple(part.detach() for part in parts))


def gradient_of(value, parameters):
    """All in one vector; 0 for what plays no part, as attention over a single state."""
    found = torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True)
    return torch.cat([torch.zeros_like(p).flatten() if g is None else g.flatten() for p, g in zip(parameters, found, strict=True)])


@pytest.mark.parametrize("truth", [(1.0, 0.0), (1.0, 1.0)])
def test_its_mean_is_the_gradient_of_the_joint_loss_by_enumeration(truth):
    """Of every parameter: of the encoder, of both decoders, of the attentions between them."""
    model, one, share = pair_model(), random_batch(1, 2), 0.4
    model.decoder.first.output.bias.data[2] = -9.0  # so that the first says both labels
    encoding, labels = model.encode(one), [label for label in range(2) if truth[label]]
    found = all_sequences(model.decoder, encoding, 2)
    assert sum(log_p.exp().item() for log_p in found.values()) == pytest.approx(1)
    expected_f1 = sum(log_p.exp() * f1(set(sequence), set(labels)) for sequence, log_p in found.items())
    in_order = [*sorted(labels), 2]  # label 0 is the more frequent one
    said = [next_log_probabilities(model.decoder.first, encoding, tuple(in_order[:t]), 2)[symbol] for t, symbol in enumerate(in_order)]
    parameters = [*model.encoder.parameters(), *model.decoder.parameters()]
    wanted = gradient_of(-(1 - share) * sum(said) - share * expected_f1, parameters)

    rows, parts = 2000, 16
    features, targets = one.inputs["features"].expand(rows, -1), torch.tensor([truth]).expand(rows, -1)
    batch = Batch({"features": features}, targets, torch.ones(rows, 2, dtype=torch.bool))
    objective = PairObjective(STATISTICS, weight=share, **SEQ2SET)
    torch.manual_seed(0)
    gradients = torch.stack([gradient_of(objective(model, batch), parameters) for _ in range(parts)])
    error = gradients.std(0) / parts**0.5
    assert ((gradients.mean(0) - wanted).abs() <= 6 * error + 1e-4).all()  # what is not drawn differs by rounding alone
    assert error.max() < 0.1 * wanted.abs().max()
    assert gradient_of(expected_f1, list(model.decoder.first.cells.parameters())).abs().max() > 1e-3  # what the first says matters


def test_each_of_the_two_is_read_by_its_name():
    model, batch, space = pair_model(3), random_batch(6, 3), LabelSpace("abc")
    with torch.no_grad():
        for decoder in (model.decoder.first, model.decoder.second):
            decoder.output.weight.mul_(3)
            decoder.output.bias[3] = -1  # few empty sets
        encoding = model.encode(batch)
    for decoder, walked in ((None, model.decoder), ("second", model.decoder), ("first", model.decoder.first)):
        beam = BeamDecoding(space, width=50, decoder=decoder)(model, batch)
        greedy = GreedyDecoding(space, decoder=decoder)(model, batch)
        assert greedy.sequences == BeamDecoding(space, width=1, decoder=decoder)(model, batch).sequences
        for row in range(6):
            with torch.no_grad():
                found = all_sequences(walked, encoding.select(torch.tensor([row])), 3)
            assert tuple(beam.sequences[row]) == max(found, key=lambda one: found[one].item())
    assert BeamDecoding(space, decoder="first")(model, batch).sequences != BeamDecoding(space)(model, batch).sequences


def test_progress_reaches_both():
    objective = PairObjective(STATISTICS, first="scheduled_sampling", second="policy_gradient")
    objective.set_progress(1.0)
    assert objective.first.share_of_truth == pytest.approx(0.7)
    assert objective.second.progress == 1.0


def test_what_trains_no_single_decoder_is_refused():
    with pytest.raises(ValueError, match=r"'weight' parameter must be in \[0, 1\], got 2"):
        PairObjective(STATISTICS, weight=2)
    with pytest.raises(ConfigurationError, match="'second' parameter must be an objective that trains one decoder"):
        build("objective", {"name": "pair", "second": "pair"}, statistics=STATISTICS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decoder": "recurrent"}, "objective 'pair' needs a pair of decoders, but this method has only a decoder; add `decoder: pair`"),
        ({"objective": "likelihood"}, "objective 'likelihood' does not train the pair of decoders; leave `decoder: pair` out or choose"),
        ({"decoding": {"name": "beam", "decoder": "third"}}, "reads the decoder 'third'; it is one of first, second"),
        (
            {"decoder": "recurrent", "objective": "likelihood", "decoding": {"name": "greedy", "decoder": "first"}},
            "reads the decoder 'first'; this method has one decoder at most",
        ),
    ],
)
def test_methods_that_do_not_fit_together_are_refused(changes, message):
    with pytest.raises(ConfigurationError) as error:
        Method.from_config({"name": "seq2set", **changes}).check()
    assert message in str(error.value)


def test_the_named_methods_are_what_their_sources_say():
    full, simple, two = METHODS["seq2set"], METHODS["seq2set-simple"], METHODS["ocd+seq2seq"]
    assert (full.decoder["stacked"], full.objective["first"], full.objective["second"]["name"]) == (True, "likelihood", "policy_gradient")
    assert (simple.decoder, simple.objective) == ("recurrent", "policy_gradient")
    assert (two.decoder, two.objective["first"], two.objective["second"]) == ("pair", "likelihood", "optimal_completion")
