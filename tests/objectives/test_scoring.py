"""ScoringObjective: the mean over instances of the loss of the scorer's logits."""

import torch
from torch import nn
from toys import LABELS, ToyEncoder, toy_loader

from multihot.components import build
from multihot.interfaces import Model
from multihot.losses import BinaryCrossEntropyLoss, ZLPRLoss
from multihot.objectives import ScoringObjective


def test_it_is_the_mean_of_the_losses_and_uses_an_encoding_made_before():
    torch.manual_seed(0)
    model = Model(ToyEncoder(), build("scorer", "binary_relevance", num_labels=LABELS, width=32)).eval()
    batch = next(iter(toy_loader(32)))
    logits = model.score(batch)
    expected = nn.functional.binary_cross_entropy_with_logits(logits, batch.targets)
    objective = ScoringObjective(BinaryCrossEntropyLoss())
    torch.testing.assert_close(objective(model, batch), expected)
    torch.testing.assert_close(objective(model, batch, "model", model.encode(batch)), expected)


def test_targets_pass_through_the_distribution():
    class Halved(nn.Module):
        def forward(self, targets):
            return targets / 2

    torch.manual_seed(0)
    model = Model(ToyEncoder(), build("scorer", "binary_relevance", num_labels=LABELS, width=32)).eval()
    batch = next(iter(toy_loader(32)))
    objective = ScoringObjective(BinaryCrossEntropyLoss(), distribution=Halved())
    expected = nn.functional.binary_cross_entropy_with_logits(model.score(batch), batch.targets / 2)
    torch.testing.assert_close(objective(model, batch), expected)


def test_progress_reaches_the_loss():
    class Watching(ZLPRLoss):
        seen = None

        def set_progress(self, fraction):
            self.seen = fraction

    loss = Watching()
    ScoringObjective(loss).set_progress(0.25)
    assert loss.seen == 0.25
