"""WARP: exact ranks against loops over pairs, drawn ones against the exact ones and a loop that draws."""

import pytest
import torch
from loss_contract import LossContract, random_case

from multihot.errors import ConfigurationError
from multihot.losses import WARPLoss, warp_loss


def harmonic(rank: int) -> float:
    return sum(1 / q for q in range(1, rank + 1))


class TestExactWARP(LossContract):
    loss = WARPLoss(margin=0.9, exact=True)
    takes_soft_targets = False
    judges_every_set = False

    def reference(self, logits: list[float], targets: list[float]) -> float:
        present = [s for s, y in zip(logits, targets, strict=True) if y]
        absent = [s for s, y in zip(logits, targets, strict=True) if not y]
        total = 0.0
        for p in present:
            violators = [0.9 - p + n for n in absent if n > p - 0.9]
            total += harmonic(len(violators)) * sum(violators) / max(len(violators), 1)
        return total / max(len(present), 1)


def test_drawing_gives_what_its_probabilities_say_on_average() -> None:
    logits = torch.tensor([[1.0, 0.5, 2.0, -3.0, 0.2]])
    targets = torch.tensor([[1.0, 0.0, 0.0, 0.0, 0.0]])
    hinges = [0.5, 2.0, 0.2]  # three of the four absent labels violate the margin; the t-th draw is the first with (1/4)^(t-1) 3/4
    expected = sum(0.25 ** (t - 1) * 0.75 * harmonic(4 // t) for t in (1, 2, 3)) * sum(hinges) / 3
    drawn = warp_loss(logits.expand(60_000, -1), targets.expand(60_000, -1), max_sampled=3, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(drawn.mean().item(), expected, rtol=0.02, atol=0)


def test_rows_of_different_sizes_draw_from_their_own_absent_labels() -> None:
    logits = torch.tensor([[0.0, 0.5, 9.0, 9.0], [0.3, -0.2, 0.0, 0.9], [9.0, 9.0, 9.0, 9.0]])
    targets = torch.tensor([[1.0, 0.0, float("nan"), 1.0], [1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    # row 0: one absent label, 1.5 too high for the first present one alone; row 1: both violate, by 0.5 and 0.7, or by 0.1 (the second)
    first = 1.5 / 2
    second = (harmonic(2) * (0.5 + 0.7) / 2 + (0.5 * harmonic(2) + 0.25 * harmonic(1)) * 0.1) / 2
    drawn = warp_loss(logits.repeat(20_000, 1), targets.repeat(20_000, 1), max_sampled=2, generator=torch.Generator().manual_seed(2)).view(
        -1, 3
    )
    torch.testing.assert_close(drawn.mean(0), torch.tensor([first, second, 0.0]), rtol=0.02, atol=0)


def test_where_every_absent_label_is_alike_drawing_is_exact() -> None:
    logits = torch.tensor([[0.0, 1.0, 1.0, 1.0]], requires_grad=True)
    targets = torch.tensor([[1.0, 0.0, 0.0, 0.0]])
    drawn, exact = warp_loss(logits, targets), warp_loss(logits, targets, exact=True)
    torch.testing.assert_close(drawn, exact)
    (gradient,) = torch.autograd.grad(drawn.sum(), logits)
    torch.testing.assert_close(gradient[0, 0], torch.tensor(-harmonic(3)))
    torch.testing.assert_close(gradient[0, 1:].sum(), torch.tensor(harmonic(3)))


def test_drawing_is_reproducible_and_follows_the_global_generator() -> None:
    logits, targets, known = random_case(labels=50)
    torch.manual_seed(3)
    first = WARPLoss()(logits, targets, known)
    torch.manual_seed(3)
    torch.testing.assert_close(WARPLoss()(logits, targets, known), first)
    with_own = warp_loss(logits, targets, known, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(with_own, first)


def test_drawing_honours_what_is_unknown_and_empty_or_full_sets() -> None:
    logits, targets, known = random_case()
    known[3] = False
    logits = (100 * logits).requires_grad_()
    value = warp_loss(logits, targets, known)
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    assert value[[0, 1, 3]].tolist() == [0, 0, 0]
    assert (gradient[~known] == 0).all()
    assert value.isfinite().all()


@pytest.mark.parametrize(("argument", "value"), [("margin", -1.0), ("max_sampled", 0), ("max_sampled", 2.5)])
def test_settings_outside_their_range_are_refused(argument: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=f"the '{argument}' parameter must be .* got {value}"):
        WARPLoss(**{argument: value})
