"""The order-free objective against a loop that looks for the likeliest missing label at every step."""

import pytest
import torch
from brute_force import next_log_probabilities
from toys import random_batch, sequence_model

from multihot.objectives import OrderFreeObjective


def naive(model, batch):
    total = torch.zeros(())
    for row in range(len(batch)):
        encoding = model.encode(batch).select(torch.tensor([row]))
        unknown = [label for label in range(4) if not batch.known[row, label]]
        missing = {label for label in range(4) if batch.targets[row, label]} - set(unknown)
        prefix: tuple[int, ...] = ()
        while missing:
            log_p = next_log_probabilities(model.decoder, encoding, prefix, 4, unknown)
            label = max(missing, key=lambda one: log_p[one].item())
            total, prefix, missing = total - log_p[label], (*prefix, label), missing - {label}
        total = total - next_log_probabilities(model.decoder, encoding, prefix, 4, unknown)[4]
    return total / len(batch)


def test_it_is_what_a_loop_says():
    model, batch = sequence_model(4), random_batch(16, 4)
    batch.targets[0], batch.targets[1] = 0, 1
    batch.known[2:6, 1] = False
    torch.testing.assert_close(OrderFreeObjective()(model, batch), naive(model, batch))


def test_without_progress_it_feeds_the_target_alone():
    model, batch = sequence_model(4), random_batch(16, 4)
    torch.testing.assert_close(OrderFreeObjective(lowest=0.7)(model, batch), naive(model, batch))


def test_with_draws_of_the_model_every_label_stays_a_target():
    model, batch = sequence_model(4), random_batch(64, 4, share=0.8)
    objective = OrderFreeObjective(lowest=0.0)
    objective.set_progress(1.0)
    loss = objective(model, batch)
    loss.backward()
    assert loss.isfinite()
    assert model.decoder.table.grad.isfinite().all()


def test_unknown_labels_get_no_gradient():
    model, batch = sequence_model(4), random_batch(16, 4)
    batch.known[:, 2] = False
    OrderFreeObjective()(model, batch).backward()
    assert model.decoder.table.grad[:, 2].abs().max() == 0


def test_a_share_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"'lowest' parameter must be in \[0, 1\], got -0.1"):
        OrderFreeObjective(lowest=-0.1)
