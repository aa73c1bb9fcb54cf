"""The methods that people can type: each trains and reads label sets; what does not fit together is refused by name."""

import numpy as np
import pytest
import torch
from toys import LABELS, toy_loader

from multihot.components import allowing, build, choices, split_config
from multihot.errors import ConfigurationError
from multihot.labels import LabelSpace, LabelStatistics
from multihot.method import METHODS, Method
from multihot.sizing import widen
from multihot.types import Batch

SPACE = LabelSpace(["a", "b", "both", "either"])
SMALL = {"name": "recurrent", "hidden_size": 32, "embedding_size": 16, "attention_size": 8}
SEQUENCE_METHODS = [name for name, method in METHODS.items() if method.decoder]


@pytest.fixture(autouse=True)
def _toys_are_trusted():
    with allowing("toys"):
        yield


class TableOfSix:
    """Stands for a fitted processor."""

    def provides(self):
        return {"num_features": 6}


def assembled(method: Method):
    statistics = LabelStatistics.from_targets(toy_loader(512).dataset.targets.numpy())
    torch.manual_seed(0)
    return method.check().assemble(TableOfSix(), SPACE, statistics)


def small(name: str) -> Method:
    decoder_name, arguments = split_config("decoder", METHODS[name].decoder)
    sizes = {key: value for key, value in SMALL.items() if key != "name"}
    sizes = {"first": sizes, "second": sizes} if decoder_name == "pair" else sizes
    decoder = {"name": decoder_name} | sizes | arguments
    return Method.from_config({"name": name, "encoder": "toys.ToyEncoder", "decoder": decoder})


def count(model) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_the_names():
    published = {"br", "br++", "br+wgan-gp", "seq2seq", "seq2seq+ss", "order-free", "order-free+ss", "ocd", "ocd-mtl", "sgm-ge"}
    published |= {"seq2set-simple", "seq2set", "ocd+seq2seq"}
    of_distributions = {"dldl", "dldl-bilevel", "ldl", "softmax", "label-smoothing", "ordinal", "l1-regression", "l2-regression"}
    assert set(METHODS) == published | of_distributions
    assert all(METHODS[name].scorer is None and METHODS[name].loss is None for name in set(SEQUENCE_METHODS) - {"ocd-mtl"})


@pytest.mark.parametrize("name", SEQUENCE_METHODS)
def test_every_sequence_method_learns_labels_that_depend_on_each_other(name):
    model, objective, decoding = assembled(small(name))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.015)
    loader, epochs = toy_loader(512, batch_size=64), 16
    for epoch in range(epochs):
        objective.set_progress(epoch / epochs)
        for batch in loader:
            optimiser.zero_grad()
            objective(model, batch).backward()
            optimiser.step()
    held_out = next(iter(toy_loader(256, batch_size=256, seed=1)))
    prediction = decoding(model.eval(), held_out)
    right = (prediction.chosen == held_out.targets.numpy().astype(bool)).all(1).mean()
    assert right > 0.7, f"{right:.2f}"


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.decoding == "distribution"])
def test_every_method_of_label_distributions_learns_a_number(name):
    ages = LabelSpace([str(age) for age in range(20, 30)])
    torch.manual_seed(0)
    numbers = torch.randint(0, 10, (256,))
    inputs = torch.stack([numbers / 10, (numbers / 10 - 0.5) ** 2, *torch.randn(4, 256) / 10], dim=1)
    targets = torch.nn.functional.one_hot(numbers, 10).float()
    batch = Batch({"features": inputs}, targets, torch.ones(256, 10, dtype=torch.bool), [str(i) for i in range(256)])
    method = Method.from_config({"name": name, "encoder": {"name": "tabular", "hidden_size": 64}}).check()
    model, objective, decoding = method.assemble(TableOfSix(), ages, LabelStatistics.from_targets(targets.numpy()))
    objective.attach(model)
    optimiser = torch.optim.Adam([*model.parameters(), *objective.parameters()], lr=0.01)
    for update in range(100):
        optimiser.zero_grad()
        objective(model, batch, objective.turn(update)).backward()
        optimiser.step()
    prediction = decoding(model.eval(), batch)
    errors = np.abs(prediction.values[:, 0] - 20 - numbers.numpy())
    np.testing.assert_allclose(prediction.degrees.sum(axis=1), 1, atol=1e-5)
    assert errors.mean() < 1, f"{errors.mean():.2f} years; the mean of all ages is 2.5 off"
    assert (prediction.chosen.sum(axis=1) == 1).all()


def test_a_part_given_by_its_arguments_alone_keeps_the_named_choice():
    method = Method.from_config({"name": "dldl", "distribution": {"sigma": 3}, "decoding": {"read": "mode"}})
    assert method.distribution == {"name": "gaussian", "sigma": 3}
    assert method.decoding == {"name": "distribution", "read": "mode"}
    other = Method.from_config({"name": "dldl", "distribution": {"name": "mixture", "sigma": 3}, "loss": None})
    assert other.distribution == {"name": "mixture", "sigma": 3}
    assert other.loss is None
    with pytest.raises(ConfigurationError, match="distribution 'gaussian' has no setting 'sgima'; did you mean 'sigma'"):
        Method.from_config({"name": "dldl", "distribution": {"sgima": 3}}).check()


@pytest.mark.parametrize("decoding", ["threshold", "greedy", "beam", "rescoring", "joint"])
def test_the_multitask_model_is_read_in_every_way(decoding):
    method = Method.from_config({**small("ocd-mtl").to_config(), "name": "ocd-mtl", "decoding": decoding})
    model, _, decoding = assembled(method)
    batch = next(iter(toy_loader(16, batch_size=16)))
    assert decoding(model.eval(), batch).chosen.shape == (16, LABELS)


@pytest.mark.parametrize(
    ("encoder", "processor"),
    [
        ({"name": "tabular", "hidden_size": 64}, {"num_features": 6}),
        ({"name": "text_cnn", "width": 96, "kernel_sizes": [1, 3, 5]}, {"vocabulary_size": 500}),
        ({"name": "text_lstm", "embedding_size": 32, "hidden_size": 32}, {"vocabulary_size": 500}),
        ({"name": "text_bag"}, {"vocabulary_size": 500}),
        ({"name": "image_cnn", "channels": [8, 16]}, {"image_shape": [1, 16, 16]}),
    ],
)
def test_the_enlarged_encoder_meets_the_multitask_model(encoder, processor):
    class Fitted:
        def provides(self):
            return processor

    statistics = LabelStatistics.from_targets(np.eye(LABELS))
    plain, larger, grown = (
        Method.from_config({"name": name, "encoder": encoder}).check().assemble(Fitted(), SPACE, statistics)[0]
        for name in ("br", "ocd-mtl", "br++")
    )
    assert count(plain) < 0.8 * count(larger)
    assert count(grown) == pytest.approx(count(larger), rel=0.02)
    assert count(grown.scorer) - count(plain.scorer) == 512 * (grown.encoder.width - plain.encoder.width)


def test_the_size_to_meet_may_be_that_of_any_parts():
    larger = {"name": "ocd-mtl", "decoder": {**SMALL, "hidden_size": 100}}
    table = {"name": "tabular", "hidden_size": 16}
    grown, _, _ = assembled(Method.from_config({"name": "br++", "encoder": table, "sized_like": larger}))
    wanted, _, _ = assembled(Method.from_config({**larger, "encoder": table}))
    assert count(grown) == pytest.approx(count(wanted), rel=0.02)


def test_growing_draws_no_random_numbers():
    grown, _, _ = assembled(Method.from_config({"name": "br++", "encoder": "tabular"}))
    table = {"name": "tabular", "hidden_size": grown.encoder.width}
    given, _, _ = assembled(Method.from_config({"name": "br", "encoder": table}))
    assert all(torch.equal(a, b) for a, b in zip(grown.parameters(), given.parameters(), strict=True))


def test_an_encoder_comes_as_near_as_its_size_allows():
    for target in (0, 799, 1549, 1551, 123456):
        found = widen({"name": "text_cnn", "width": 8, "kernel_sizes": [1, 3]}, lambda encoder: 100 * encoder["width"], target)
        assert found["width"] % 2 == 0
        assert abs(100 * found["width"] - target) <= 100 or found["width"] == 8


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (Method(sized_like="ocd-mlt"), "there is no method 'ocd-mlt'; did you mean 'ocd-mtl'"),
        (Method(loss=None), "objective 'scoring' needs a loss; add `loss: binary_cross_entropy`"),
        (Method(decision=None), "decoding 'threshold' needs a decision; add `decision: global`"),
        (Method.from_config({"name": "ocd-mtl", "loss": None}), "objective 'multitask' needs a loss; add `loss: binary_cross_entropy`"),
        (Method.from_config({"name": "ocd", "loss": "zlpr"}), "objective 'optimal_completion' takes no loss; set `loss: null`"),
        (
            Method.from_config({"name": "ocd", "decoding": "joint"}),
            "decoding 'joint' needs a scorer, but this method has only a decoder; add `scorer: binary_relevance` or use `decoding: beam`",
        ),
        (
            Method.from_config({"name": "br", "decoding": "beam"}),
            "decoding 'beam' needs a decoder, but this method has only a scorer; add `decoder: recurrent` or use `decoding: threshold`",
        ),
        (Method.from_config({"name": "br", "decoder": "recurrent"}), "objective 'scoring' does not train the decoder"),
        (Method.from_config({"name": "ocd-mtl", "calibration": "platt"}), "decoding 'joint' reads no calibrated scores"),
        (Method.from_config({"name": "ocd", "decoder": "recurent"}), "there is no decoder 'recurent'; did you mean 'recurrent'"),
    ],
)
def test_what_does_not_fit_together_is_refused(method, message):
    with pytest.raises(ConfigurationError) as error:
        method.check()
    assert message in str(error.value)


def test_an_encoder_without_a_size_cannot_grow():
    with pytest.raises(ConfigurationError, match="encoder 'text_transformer' has no size that could grow"):
        widen("text_transformer", lambda encoder: 0, 10)


def test_the_summary_says_what_it_is_sized_like():
    assert METHODS["br++"].summary().endswith("decision global, sized like ocd-mtl")
    assert METHODS["ocd"].summary() == "decoder recurrent, objective optimal_completion, decoding beam"


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.decoder])
def test_beams_are_as_wide_as_their_documentation_says_whatever_the_encoder(name):
    """An encoder's width once slipped into the decoding's argument of the same name: beams of 256."""
    _, _, decoding = assembled(Method.from_config({"name": name, "encoder": {"name": "tabular", "hidden_size": 40}}))
    assert decoding.width == 6


LOG_ODDS = [  # with these arguments, minimising the expected loss gives the log-odds of every label
    {"name": "binary_cross_entropy"},
    {"name": "binary_cross_entropy", "reduction": "sum"},
    {"name": "class_balanced"},
    {"name": "class_balanced", "weighting": "inverse_square_root"},
    {"name": "focal", "gamma": 0},
    {"name": "focal", "gamma": 0, "alpha": 0.5},
]
OTHERS = [{"name": name} for name in choices("loss") if name not in ("binary_cross_entropy", "class_balanced", "subset_softmax")]
OTHERS += [{"name": "subset_softmax", "k": 2}, {"name": "subset_softmax", "max_labels": 2}, {"name": "focal", "gamma": 0, "alpha": 0.25}]
OTHERS += [{"name": "class_balanced", "gamma": 1.0}]
ONLY_ORDER = ({"name": "label_distribution"}, {"name": "ordinal"}, {"name": "subset_softmax", "k": 2})
READERS = {  # what needs log-odds -> the method without its loss
    "decoding 'joint'": {"name": "ocd-mtl"},
    "decoding 'rescoring'": {"name": "ocd-mtl", "decoding": "rescoring"},
    "objective 'adversarial'": {"name": "br+wgan-gp"},
    "decision 'expected_f1'": {"name": "br", "decision": "expected_f1"},
    "decision 'fixed'": {"name": "br", "decision": {"name": "fixed", "scale": "probability", "threshold": 0.3}},
}
NOT_READERS = [
    {"name": "ocd-mtl", "decoding": "beam"},
    {"name": "ocd-mtl", "decoding": "joint", "decision": "expected_f1"},  # beam search reads no decision
    {"name": "br", "decision": "own_rule"},
    {"name": "br", "decision": "expected_f1", "calibration": "platt"},
    {"name": "br", "decision": "expected_f1", "calibration": "isotonic"},
    {"name": "br", "decision": {"name": "fixed", "threshold": -1.0}},
]


@pytest.mark.parametrize("loss", LOG_ODDS, ids=str)
@pytest.mark.parametrize("reader", [*READERS.values(), *NOT_READERS, {"name": "br", "calibration": "temperature"}], ids=str)
def test_log_odds_are_taken_by_whatever_reads_scores(loss, reader):
    assert Method.from_config({**reader, "loss": loss}).check("table").loss == loss


@pytest.mark.parametrize("loss", OTHERS, ids=str)
@pytest.mark.parametrize("reader", READERS)
def test_what_reads_log_odds_refuses_every_other_loss_and_names_those_that_do(loss, reader):
    with pytest.raises(ConfigurationError, match=f"{reader} reads scores as log-odds.*'{loss['name']}'.*binary_cross_entropy") as refused:
        Method.from_config({**READERS[reader], "loss": loss}).check("table")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("loss", OTHERS, ids=str)
@pytest.mark.parametrize("reader", NOT_READERS, ids=str)
def test_what_reads_the_order_of_scores_alone_takes_every_loss(loss, reader):
    if reader.get("decoding") == "joint":
        reader = {**reader, "decoding": "greedy"}
    assert Method.from_config({**reader, "loss": loss}).check("table").loss == loss


@pytest.mark.parametrize("loss", OTHERS, ids=str)
@pytest.mark.parametrize("reader", [{"calibration": "temperature"}, {"decision": "fixed"}], ids=str)
def test_scores_without_a_middle_are_not_cut_at_zero(loss, reader):
    method = Method.from_config({"name": "br", **reader, "loss": loss})
    if loss in ONLY_ORDER:
        with pytest.raises(ConfigurationError, match=rf"takes 0 for the middle of the scores, but those of loss '{loss['name']}'"):
            method.check("table")
    else:
        assert method.check("table").loss == loss


BY_DESCENT = [loss for loss in OTHERS if loss["name"] not in ("warp", "dab", "ordinal", "label_distribution", "subset_softmax")]


@pytest.mark.parametrize("loss", [*LOG_ODDS, *BY_DESCENT], ids=str)
def test_the_losses_that_say_so_are_minimised_by_log_odds(loss):
    """Two labels, of which an instance carries one: its score must come to the log-odds of the shares with which they occur."""
    targets = torch.tensor([[1.0, 0.0]] * 3 + [[0.0, 0.0]] * 4 + [[1.0, 1.0]] * 2 + [[0.0, 1.0]])
    statistics = LabelStatistics.from_targets(targets.numpy())
    function = build("loss", loss, num_labels=2, statistics=statistics)
    logits = torch.zeros(2 + function.extra_logits, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([logits], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        value = function(logits.expand(10, -1), targets.double()).mean()
        value.backward()
        return value

    optimiser.step(closure)
    scores = function.scores(logits.detach()[None])[0]
    shares = targets.double().mean(0)
    is_log_odds = bool(((scores - torch.logit(shares)).abs() < 0.01).all())
    assert is_log_odds == (loss in LOG_ODDS)
