"""Greedy, beam, rescoring and joint decoding against enumeration and against a beam search written as plain lists."""

import math

import pytest
import torch
from beam_by_loop import beam_by_loop, only
from brute_force import all_sequences
from toys import PrefixDecoder, ToyDecoder, random_batch, sequence_model

from multihot.decoders import RecurrentDecoder
from multihot.decoding import BeamDecoding, GreedyDecoding, JointDecoding, RescoringDecoding
from multihot.decoding.search import beam_search
from multihot.labels import LabelSpace
from multihot.losses import BinaryCrossEntropyLoss, ThresholdLabelLoss
from multihot.types import Batch, Encoding

SPACE = LabelSpace(["a", "b", "c", "d"])
DECODERS = [PrefixDecoder, ToyDecoder, RecurrentDecoder]
SHARP = {PrefixDecoder: {"spread": 2.0}}
LOSS = BinaryCrossEntropyLoss()


def model_of(decoder, seed=0):
    model = sequence_model(4, decoder, seed, **SHARP.get(decoder, {}))
    with torch.no_grad():
        for parameter in [*model.scorer.output.parameters(), *model.decoder.parameters()]:
            parameter.mul_(2)  # so that the two differ
    return model


@pytest.mark.parametrize("decoder", DECODERS)
def test_wide_enough_it_finds_what_enumeration_finds(decoder):
    model, batch = model_of(decoder), random_batch(6, 4)
    encoding = model.encode(batch)
    log_odds = model.score(batch).detach()
    beam, joint, rescored = (
        made(model, batch) for made in (BeamDecoding(SPACE, 200), JointDecoding(SPACE, LOSS, 200), RescoringDecoding(SPACE, LOSS, 200))
    )
    for row in range(6):
        found = {sequence: log_p.item() for sequence, log_p in all_sequences(model.decoder, only(encoding, row), 4).items()}
        signs = {sequence: torch.tensor([1.0 if label in sequence else -1.0 for label in range(4)]) for sequence in found}
        p_br = {sequence: (sign * log_odds[row]).sigmoid().log().sum().item() for sequence, sign in signs.items()}  # (Tsai 2019, eq. 4.18)
        assert tuple(beam.sequences[row]) == max(found, key=found.get)  # (Tsai 2019, eq. 4.19)
        assert tuple(joint.sequences[row]) == max(found, key=lambda one: found[one] + p_br[one])  # (Tsai 2019, eq. 4.20)
        assert set(rescored.sequences[row]) == set(max(found, key=lambda one: round(p_br[one], 5)))
        for prediction in (beam, joint, rescored):
            assert prediction.chosen[row].nonzero()[0].tolist() == sorted(prediction.sequences[row])


@pytest.mark.parametrize("width", [1, 2, 3, 6])
@pytest.mark.parametrize("decoder", DECODERS)
def test_narrow_it_is_what_plain_lists_find(decoder, width):
    model, batch = model_of(decoder, seed=1), random_batch(12, 4, seed=1)
    encoding = model.encode(batch)
    log_odds = 2 * model.score(batch).detach()
    with torch.no_grad():
        for bonus in (None, log_odds):
            found = beam_search(model.decoder, encoding, 4, width, bonus, whole=True)
            first = beam_search(model.decoder, encoding, 4, width, bonus)
            for row in range(12):
                own = None if bonus is None else bonus[row].tolist()
                wanted = beam_by_loop(model.decoder, only(encoding, row), 4, width, own)
                read = [tuple(s for s in sequence if s < 4) for sequence in found.symbols[row].tolist()]
                assert read[: len(wanted)] == [sequence for _, sequence in wanted]
                torch.testing.assert_close(found.scores[row, : len(wanted)], torch.tensor([score for score, _ in wanted]))
                assert [s for s in first.symbols[row, 0].tolist() if s < 4] == list(wanted[0][1])


def test_rescoring_takes_of_the_beam_what_the_scorer_likes_best():
    model, batch = model_of(PrefixDecoder, seed=2), random_batch(12, 4, seed=2)
    encoding, log_odds = model.encode(batch), model.score(batch).detach()
    prediction = RescoringDecoding(SPACE, LOSS, width=3)(model, batch)
    plain = BeamDecoding(SPACE, width=3)(model, batch)
    for row in range(12):
        beam = [sequence for _, sequence in beam_by_loop(model.decoder, only(encoding, row), 4, 3)]
        assert tuple(prediction.sequences[row]) == max(beam, key=lambda one: sum(log_odds[row, label].item() for label in one))
    assert prediction.sequences != plain.sequences


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_beam_of_one_is_greedy(decoder):
    model, batch = model_of(decoder, seed=3), random_batch(40, 4)
    greedy, beam = GreedyDecoding(SPACE)(model, batch), BeamDecoding(SPACE, width=1)(model, batch)
    assert greedy.sequences == beam.sequences
    assert (greedy.chosen == beam.chosen).all()
    for row, sequence in enumerate(greedy.sequences):
        assert len(set(sequence)) == len(sequence)
        ((_, wanted),) = beam_by_loop(model.decoder, only(model.encode(batch), row), 4, 1)
        assert tuple(sequence) == wanted


def test_what_has_ended_is_not_lost_to_what_ends_badly():
    model = sequence_model(4)
    for parameter in model.decoder.instance.parameters():
        parameter.data.zero_()
    a, ab, abc, abd = 1, 5 + 2, 25 + 10 + 3, 25 + 10 + 4  # places of the prefixes in the table
    script = {0: [0.9, 0.03, 0.03, 0.03, 0.01], a: [0, 0.25, 0.125, 0.125, 0.5], ab: [0, 0, 0.49, 0.49, 0.02]}
    for place, probabilities in (script | {abc: [0, 0, 0, 0.5, 0.5], abd: [0, 0, 0.5, 0, 0.5]}).items():
        model.decoder.table.data[place] = torch.tensor(probabilities).log()
    bonus = torch.tensor([[0.0, 2.0, -0.5, -0.5]])
    with torch.no_grad():  # {a} ends at -0.8; {a, b, c} and {a, b, d} are at -0.7 then, and end at -1.4
        found = beam_search(model.decoder, model.encode(random_batch(1, 4)), 4, 2, bonus)
    assert [symbol for symbol in found.symbols[0, 0].tolist() if symbol < 4] == [0]
    assert found.scores[0, 0].item() == pytest.approx(math.log(0.9 * 0.5))


DECODINGS = {
    "greedy": GreedyDecoding(SPACE),
    "beam": BeamDecoding(SPACE, 3),
    "joint": JointDecoding(SPACE, LOSS, 3),
    "rescoring": RescoringDecoding(SPACE, LOSS, 3),
    "beam with rules": BeamDecoding(SPACE, 3, {"parents": {"a": "b"}, "at_most": 3}),
}


@pytest.mark.parametrize("decoding", DECODINGS)
@pytest.mark.parametrize("decoder", [ToyDecoder, RecurrentDecoder])
def test_nothing_depends_on_batch_mates_or_padding(decoder, decoding):
    model, batch = model_of(decoder, seed=4), random_batch(10, 4)
    torch.manual_seed(0)
    states, lengths = torch.randn(10, 7, 8), torch.tensor([7, 1, 2, 3, 4, 5, 6, 7, 1, 2])
    encodings = {10: Encoding(states, torch.arange(7) < lengths[:, None], torch.randn(10, 8))}

    class Model(type(model)):
        def encode(self, batch: Batch) -> Encoding:
            rows = torch.tensor([int(name) for name in batch.ids])
            found = encodings[10].select(rows)
            longest = int(found.mask.sum(1).max())
            return Encoding(found.states[:, :longest], found.mask[:, :longest], found.pooled)

    alone = Model(model.encoder, model.scorer, model.decoder).eval()
    whole = DECODINGS[decoding](alone, batch)
    assert len({len(sequence) for sequence in whole.sequences}) > 1
    for row in range(10):
        one = Batch({"features": batch.inputs["features"][[row]]}, batch.targets[[row]], batch.known[[row]], [str(row)])
        single = DECODINGS[decoding](alone, one)
        assert single.sequences == [whole.sequences[row]]
        assert (single.chosen[0] == whole.chosen[row]).all()
        torch.testing.assert_close(torch.tensor(single.scores[0]), torch.tensor(whole.scores[row]), rtol=1e-4, atol=1e-5)
        assert len(set(single.sequences[0])) == len(single.sequences[0])


def test_scores_rank_what_the_search_has_seen():
    model, batch = model_of(PrefixDecoder, seed=5), random_batch(8, 4)
    prediction = BeamDecoding(SPACE, width=200)(model, batch)
    encoding = model.encode(batch)
    for row in range(8):
        log_p = all_sequences(model.decoder, only(encoding, row), 4)
        emitted = [max(-10.0, prediction.scores[row, label]) for label in range(4)]
        assert all(value <= 0 for value in emitted)
        first = torch.log_softmax(
            model.decoder.step(torch.tensor([5]), model.decoder.start(only(encoding, row)), only(encoding, row))[0], -1
        )
        assert all(prediction.scores[row, label] >= first[0, label].item() - 1e-5 for label in range(4))
        assert prediction.scores[row].max() >= max(log_p.values()).item()


def test_a_loss_with_more_logits_than_labels_is_read_as_its_scores():
    model, batch = model_of(PrefixDecoder), random_batch(6, 4)
    loss = ThresholdLabelLoss()
    model.scorer = type(model.scorer)(4, 8, hidden_size=16, layers=1, attention=False, extra_logits=loss.extra_logits).eval()
    bonus = loss.scores(model.score(batch)).detach()
    prediction = JointDecoding(SPACE, loss, 2)(model, batch)
    for row in range(6):
        wanted = beam_by_loop(model.decoder, only(model.encode(batch), row), 4, 2, bonus[row].tolist())
        assert tuple(prediction.sequences[row]) == wanted[0][1]


@pytest.mark.parametrize("width", [0, -1, 2.5])
def test_a_width_that_is_none_is_refused(width):
    for made in (
        lambda: BeamDecoding(SPACE, width),
        lambda: JointDecoding(SPACE, LOSS, width),
        lambda: RescoringDecoding(SPACE, LOSS, width),
    ):
        with pytest.raises(ValueError, match="'width' parameter must be a whole number, at least 1"):
            made()
