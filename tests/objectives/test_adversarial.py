"""The adversarial objective: its terms by hand, what each turn may change, and what it becomes with its switches off."""

import copy

import pytest
import torch
import torch.nn.functional as F
from toys import LABELS, ToyDecoder, ToyEncoder, random_batch, toy_loader, toy_problem

from multihot.components import build
from multihot.errors import ConfigurationError
from multihot.interfaces import Model
from multihot.losses import BinaryCrossEntropyLoss
from multihot.method import METHODS
from multihot.objectives import AdversarialObjective, ScoringObjective, gumbel_sigmoid
from multihot.objectives.adversarial.objective import other_label_sets
from multihot.scorers import BinaryRelevanceScorer
from multihot.types import Batch

SMALL = {"layers": 2, "hidden_size": 16, "projection": 8}


def make(labels: int = LABELS, dropout: float = 0.0, **arguments) -> tuple[Model, AdversarialObjective]:
    """A small model with its objective in the middle of the game."""
    torch.manual_seed(0)
    scorer = BinaryRelevanceScorer(labels, 16, hidden_size=16, layers=1, dropout=0.0, attention=False)
    model = Model(ToyEncoder(width=16, dropout=dropout), scorer)
    arguments = {"discriminator": SMALL, "learning_rate_factor": 1.0, **arguments}
    objective = AdversarialObjective(arguments.pop("loss", BinaryCrossEntropyLoss()), labels, 16, **arguments)
    objective.attach(model)
    objective.set_progress(0.9)
    return model, objective


def by_hand(model: Model, objective: AdversarialObjective, batch: Batch, seed: int, variant: str = "wgan-gp") -> dict[str, float]:
    """Every expectation of L_D and L_G, one instance after the other; random numbers in the order of the objective's."""
    torch.manual_seed(seed)
    with torch.no_grad():
        logits = model.score(batch)
        features = model.encode(batch).pooled
        generated = gumbel_sigmoid(logits, 0.9) * batch.known
        real = batch.targets * batch.known
        others = other_label_sets(real)[0] * batch.known
        weights = torch.rand(len(batch), 1)
        points = weights * real + (1 - weights) * generated

    def score(sets, row):
        return objective.discriminator(sets[row : row + 1], features[row : row + 1])[0]

    found = {"real": 0.0, "generated": 0.0, "mismatched": 0.0, "penalty": 0.0}
    high = (lambda d: -d) if variant != "gan" else (lambda d: -torch.log(torch.sigmoid(d)))
    low = (lambda d: d) if variant != "gan" else (lambda d: -torch.log(1 - torch.sigmoid(d)))
    for row in range(len(batch)):
        found["real"] += float(high(score(real, row)).detach()) / len(batch)
        found["generated"] += float(low(score(generated, row)).detach()) / len(batch)
        found["mismatched"] += float(low(score(others, row)).detach()) / len(batch)
        point = points[row].clone().requires_grad_()
        (slope,) = torch.autograd.grad(objective.discriminator(point[None], features[row : row + 1]).sum(), point)
        found["penalty"] += (float(slope.norm()) - 1) ** 2 / len(batch)
    return found


@pytest.mark.parametrize("variant", ["wgan-gp", "wgan", "gan"])
def test_the_terms_of_the_discriminators_loss(variant):
    model, objective = make(variant=variant, clip=0.2)
    batch = random_batch(12, LABELS)
    batch.known[0, 1] = False
    objective.discriminator.clip(0.2)
    terms = by_hand(model, objective, batch, 3, variant)
    torch.manual_seed(3)
    total = float(objective(model, batch, "discriminator").detach())
    penalty = 10 * terms["penalty"] if variant == "wgan-gp" else 0
    expected = terms["real"] + 0.5 * terms["generated"] + 0.5 * terms["mismatched"] + penalty
    assert total == pytest.approx(expected, rel=1e-4)


def test_without_mismatched_pairs_generated_ones_weigh_one():
    model, objective = make(mismatched=False)
    batch = random_batch(12, LABELS)
    terms = by_hand(model, objective, batch, 3)
    torch.manual_seed(3)
    total = float(objective(model, batch, "discriminator").detach())
    assert total == pytest.approx(terms["real"] + terms["generated"] + 10 * terms["penalty"], rel=1e-4)
    assert "d_mismatched" not in objective.reported


def test_what_is_reported_are_the_scores_of_the_three_kinds():
    model, objective = make()
    batch = random_batch(12, LABELS)
    terms = by_hand(model, objective, batch, 3)
    torch.manual_seed(3)
    objective(model, batch, "discriminator")
    found = {name: float(value) for name, value in objective.reported.items()}
    expected = {"d_real": -terms["real"], "d_generated": terms["generated"], "d_mismatched": terms["mismatched"]}
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-4)
    assert found["gradient_norm"] > 0


@pytest.mark.parametrize("variant", ["wgan-gp", "gan"])
def test_the_classifiers_loss_is_score_and_cross_entropy(variant):
    model, objective = make(variant=variant, alpha=7.0, weight=0.5)
    batch = random_batch(12, LABELS)
    torch.manual_seed(4)
    total = objective(model, batch)
    torch.manual_seed(4)
    logits = model.score(batch)
    scores = objective.discriminator(gumbel_sigmoid(logits, 0.9), model.encode(batch).pooled)
    adversarial = -scores.mean() if variant == "wgan-gp" else -torch.log(torch.sigmoid(scores)).mean()
    expected = 0.5 * adversarial + 7 * F.binary_cross_entropy_with_logits(logits, batch.targets)
    torch.testing.assert_close(total, expected)


def test_without_sampling_probabilities_are_judged():
    model, objective = make(sampled=False)
    batch = random_batch(12, LABELS)
    probabilities = model.score(batch).sigmoid()
    scores = objective.discriminator(probabilities, model.encode(batch).pooled)
    objective(model, batch)
    torch.testing.assert_close(objective.reported["adversarial"], -scores.mean().detach())


def test_without_a_condition_the_instance_does_not_matter():
    model, objective = make(conditional=False)
    batch = random_batch(12, LABELS)
    assert objective.extractor is None
    torch.manual_seed(0)
    objective(model, batch, "discriminator")
    assert set(objective.reported) == {"d_real", "d_generated", "gradient_norm"}
    expected = objective.discriminator(batch.targets, None).mean().detach()
    torch.testing.assert_close(objective.reported["d_real"], expected)


def test_a_bottleneck_adds_its_toll_and_moves_its_multiplier():
    model, objective = make(discriminator={**SMALL, "bottleneck": 0.01, "bottleneck_step": 1.0})
    batch = random_batch(12, LABELS)
    torch.manual_seed(5)
    first = objective(model, batch, "discriminator")
    information = objective.reported["information"]
    multiplier = objective.discriminator.bottleneck.multiplier.clone()
    torch.testing.assert_close(multiplier, information - 0.01)
    torch.manual_seed(5)
    second = objective(model, batch, "discriminator")
    torch.testing.assert_close(second - first, multiplier * (information - 0.01), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("arguments", [{}, {"variant": "gan"}, {"sampled": False}, {"conditional": False}, {"mismatched": False}])
def test_a_turn_changes_only_its_own_parameters_and_the_copy_never(arguments):
    model, objective = make(**arguments)
    batch = random_batch(12, LABELS)
    objective(model, batch, "discriminator")
    for turn, moved, still in (("discriminator", objective.discriminator, model), ("model", model, objective.discriminator)):
        parts = {"moved": moved, "still": still, "copy": objective.extractor}
        before = {name: copy.deepcopy(part.state_dict()) for name, part in parts.items() if part is not None}
        optimiser = torch.optim.SGD(objective.turn_parameters(model, turn), lr=0.1)
        optimiser.zero_grad()
        objective(model, batch, turn).backward()
        optimiser.step()
        changed = {name: any(not torch.equal(parts[name].state_dict()[key], old[key]) for key in old) for name, old in before.items()}
        assert changed == {"moved": True, "still": False} | ({"copy": False} if objective.extractor is not None else {})


def test_the_copy_is_taken_when_pretraining_ends_and_has_no_dropout():
    model, objective = make(dropout=0.5)
    batch = random_batch(12, LABELS)
    objective.set_progress(0.49)
    objective(model, batch).backward()
    with torch.no_grad():
        for parameter in model.encoder.parameters():
            parameter.add_(1.0)  # as pretraining would
    objective.set_progress(0.5)
    objective.train()
    objective(model, batch, "discriminator")
    assert all(torch.equal(a, b) for a, b in zip(objective.extractor.parameters(), model.encoder.parameters(), strict=True))
    taken = copy.deepcopy(objective.extractor.state_dict())
    with torch.no_grad():
        for parameter in model.encoder.parameters():
            parameter.add_(1.0)
    objective(model, batch, "discriminator")
    assert all(torch.equal(tensor, objective.extractor.state_dict()[name]) for name, tensor in taken.items())
    assert torch.equal(objective.extractor(batch.inputs).pooled, objective.extractor(batch.inputs).pooled)
    assert not any(parameter.requires_grad for parameter in objective.extractor.parameters())


def test_pretraining_is_plain_and_turns_then_alternate():
    model, objective = make(pretraining=0.25)
    batch = random_batch(12, LABELS)
    turns = []
    for update in range(16):
        objective.set_progress(update / 16)
        turns.append(objective.turn(update))
    assert turns == ["model"] * 4 + ["discriminator", "discriminator", "discriminator", "model"] * 3
    plain = ScoringObjective(BinaryCrossEntropyLoss())(model, batch)
    objective.set_progress(0.2)
    assert torch.equal(objective(model, batch), plain)
    objective.set_progress(0.9)
    assert torch.equal(objective.eval()(model, batch), plain)  # as at validation


def test_any_loss_trains_a_threshold_label_too():
    loss = build("loss", "threshold_label", num_labels=LABELS)
    _, objective = make(loss=loss)
    scorer = BinaryRelevanceScorer(LABELS, 16, hidden_size=16, layers=1, attention=False, extra_logits=loss.extra_logits)
    model, batch = Model(ToyEncoder(width=16), scorer), random_batch(12, LABELS)
    for turn in ("discriminator", "model"):
        total = objective(model, batch, turn)
        total.backward()
        assert bool(torch.isfinite(total))
    assert model.scorer.output.weight.grad.abs().sum() > 0


def test_mixed_precision_judges_in_full():
    model, objective = make()
    batch = random_batch(12, LABELS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        total = objective(model, batch, "discriminator")
    assert total.dtype == torch.float32
    assert bool(torch.isfinite(total))


def test_the_discriminator_puts_true_sets_above_mismatched_ones_on_instances_it_never_saw():
    """Three labels of four follow from two: a mismatched set shows it, and on held-out data, too."""
    model, objective = make(pretraining=0.0, discriminator={"layers": 2, "hidden_size": 64, "projection": 32})
    objective.set_progress(0.0)
    optimisers = {turn: torch.optim.Adam(objective.turn_parameters(model, turn), lr=5e-3) for turn in dict.fromkeys(objective.turns)}
    loader = toy_loader(1024, 64)
    batches = [batch for _ in range(20) for batch in loader]
    for update, batch in enumerate(batches):
        turn = objective.turn(update)
        optimisers[turn].zero_grad()
        objective(model, batch, turn).backward()
        optimisers[turn].step()
    features, targets = toy_problem(500, seed=9)
    with torch.no_grad():
        seen = objective.extractor({"features": features}).pooled
        others, found = other_label_sets(targets)
        higher = objective.discriminator(targets, seen) > objective.discriminator(others, seen)
    assert float(higher[found].float().mean()) > 0.85


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variant": "lsgan"}, "'variant' parameter must be one of wgan-gp, wgan, gan, got 'lsgan'"),
        ({"alpha": -1.0}, "'alpha' parameter must be at least 0, got -1.0"),
        ({"clip": 0.0}, "'clip' parameter must be above 0, got 0.0"),
        ({"pretraining": 1.5}, "'pretraining' parameter must be in"),
        ({"discriminator_updates": 0}, "'discriminator_updates' parameter must be at least 1, got 0"),
        ({"temperature": 0}, "'temperature' parameter must be above 0, got 0"),
        ({"discriminator": {"layer": 5}}, "discriminator has no setting 'layer'; did you mean 'layers'"),
        ({"discriminator": {"layers": 0}}, "'layers' parameter of the discriminator must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        build("objective", {"name": "adversarial", **arguments}, loss=BinaryCrossEntropyLoss(), num_labels=3, width=8)


def test_the_method_and_its_alias():
    assert METHODS["br+wgan-gp"].check().objective == "adversarial"
    assert isinstance(build("objective", "wgan-gp", loss=BinaryCrossEntropyLoss(), num_labels=3, width=8), AdversarialObjective)
    with pytest.raises(ConfigurationError, match="objective 'adversarial' does not train the decoder"):
        METHODS["br+wgan-gp"].__class__(objective="adversarial", decoder="recurrent").check()


def test_a_model_with_a_decoder_beside_it_is_left_alone():
    model, objective = make()
    with_decoder = Model(model.encoder, model.scorer, ToyDecoder(LABELS, 16))
    objective(with_decoder, random_batch(12, LABELS)).backward()
    assert all(parameter.grad is None for parameter in with_decoder.decoder.parameters())
