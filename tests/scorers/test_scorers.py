"""What every scorer promises: padding does not count, an instance is scored alike in any company, extra logits come last."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from multihot.components import build, choices
from multihot.interfaces import Scorer
from multihot.labels import LabelStatistics
from multihot.types import Encoding

L, D = 5, 6
SCORERS = [name for name in choices("scorer") if name != "axis_value"]  # that one gives a number, and has a test of its own
STATISTICS = LabelStatistics.from_targets([[1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [0, 0, 1, 1, 1]])


def make(name: str, **arguments: object) -> Scorer:
    torch.manual_seed(0)
    return build("scorer", {"name": name, **arguments}, num_labels=L, width=D, statistics=STATISTICS).double().eval()


def encoding(lengths: tuple[int, ...] = (4, 1, 3)) -> Encoding:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(len(lengths), max(lengths), D, generator=generator, dtype=torch.float64)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return Encoding(states * mask[..., None], mask, torch.randn(len(lengths), D, generator=generator, dtype=torch.float64))


def padded(given: Encoding, width: int, fill: Callable[[Tensor], Tensor]) -> Encoding:
    states = torch.nn.functional.pad(given.states, (0, 0, 0, width))
    mask = torch.nn.functional.pad(given.mask, (0, width))
    return Encoding(torch.where(mask[..., None], states, fill(states)), mask, given.pooled)


@pytest.mark.parametrize("name", SCORERS)
class TestEveryScorer:
    @pytest.mark.parametrize("fill", [torch.zeros_like, lambda states: torch.full_like(states, 1e3)], ids=["zeros", "junk"])
    def test_padding_changes_nothing(self, name: str, fill: Callable[[Tensor], Tensor]) -> None:
        scorer, given = make(name), encoding()
        torch.testing.assert_close(scorer(padded(given, 3, fill)), scorer(given))

    def test_an_instance_is_scored_alike_in_any_company(self, name: str) -> None:
        scorer, given = make(name), encoding()
        alone = torch.cat([scorer(given.select(torch.tensor([row]))) for row in range(3)])
        torch.testing.assert_close(alone, scorer(given))

    def test_a_single_state_is_scored_as_one_among_padding(self, name: str) -> None:
        scorer, given = make(name), encoding((1, 1))
        torch.testing.assert_close(scorer(given), scorer(padded(given, 2, torch.zeros_like)))

    def test_extra_logits_widen_the_output(self, name: str) -> None:
        assert make(name)(encoding()).shape == (3, L)
        assert make(name, extra_logits=2)(encoding()).shape == (3, L + 2)

    def test_every_parameter_gets_a_finite_gradient_despite_padding(self, name: str) -> None:
        scorer = make(name)
        scorer(padded(encoding(), 3, torch.zeros_like)).square().sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in scorer.parameters())

    def test_bfloat16_autocast_runs_and_stays_near(self, name: str) -> None:
        scorer, given = make(name).float(), encoding()
        single = Encoding(given.states.float(), given.mask, given.pooled.float())
        with torch.autocast("cpu", torch.bfloat16):
            near = scorer(single)
        torch.testing.assert_close(near.float(), scorer(single), rtol=0.05, atol=0.02)
