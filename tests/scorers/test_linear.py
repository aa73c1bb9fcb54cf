"""The linear scorer against its equation."""

import torch

from multihot.components import build
from multihot.types import Encoding


def test_logits_are_a_linear_map_of_the_pooled_vector() -> None:
    scorer = build("scorer", "linear", num_labels=3, width=4, extra_logits=1)
    pooled = torch.randn(2, 4)
    found = scorer(Encoding(torch.randn(2, 5, 4), torch.ones(2, 5, dtype=torch.bool), pooled))
    torch.testing.assert_close(found, torch.einsum("bd,ld->bl", pooled, scorer.output.weight) + scorer.output.bias)
    assert found.shape == (2, 4)
