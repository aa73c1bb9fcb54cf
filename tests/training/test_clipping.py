"""Clipping of gradients against its definition, by norm and by entry, and the share of updates in which it acted."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from multihot.errors import ConfigurationError
from multihot.training import TrainingSettings
from multihot.training.clipping import ClippedShare, clip_gradients


def gradients(seed: int, size: float) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [(size * random.normal(size=shape)).astype(np.float32) for shape in ((3, 4), (5,), (1,))]


def clipped(values: list[np.ndarray], bound: float, by: str, scale: float) -> tuple[list[np.ndarray], bool]:
    parameters = [torch.nn.Parameter(torch.zeros(one.shape)) for one in values]
    for parameter, value in zip(parameters, values, strict=True):
        parameter.grad = torch.from_numpy(value * scale)
    without = torch.nn.Parameter(torch.zeros(2))  # nothing came back to it
    acted = clip_gradients(torch.optim.SGD([*parameters, without], lr=0.1), bound, by, scale)
    return [parameter.grad.double().numpy() / scale for parameter in parameters], bool(acted)


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.01, 1.0, 30.0]), st.sampled_from(["norm", "value"]), st.sampled_from([1.0, 2.0**12]))
def test_gradients_are_clipped_as_defined(seed: int, size: float, by: str, scale: float) -> None:
    values, bound = gradients(seed, size), 2.5
    found, acted = clipped(values, bound, by, scale)
    norm = np.sqrt(sum((one.astype(np.float64) ** 2).sum() for one in values))
    if by == "norm":
        expected = [one * min(1.0, bound / norm) for one in values]
        assert acted == (norm > bound)
    else:
        expected = [np.minimum(np.maximum(one, -bound), bound) for one in values]
        assert acted == any((np.abs(one) > bound).any() for one in values)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("by", ["norm", "value"])
def test_parameters_without_gradients_are_no_harm(by: str) -> None:
    assert not clip_gradients(torch.optim.SGD([torch.nn.Parameter(torch.zeros(2))], lr=0.1), 1.0, by)


def test_the_share_goes_on_where_it_was_kept() -> None:
    acted = np.random.default_rng(0).random(40) < 0.3
    whole = ClippedShare()
    shares = [float(whole.add(torch.tensor(bool(one)))) for one in acted]
    np.testing.assert_allclose(shares, np.cumsum(acted) / np.arange(1, 41), rtol=1e-6)
    half = ClippedShare()
    for one in acted[:25]:
        half.add(torch.tensor(bool(one)))
    resumed = ClippedShare(*half.to_list())
    assert [float(resumed.add(torch.tensor(bool(one)))) for one in acted[25:]] == shares[25:]


def test_nothing_is_clipped_unless_a_source_or_the_user_asks() -> None:
    plain, decoder = TrainingSettings().for_decoder(False), TrainingSettings().for_decoder(True)
    assert plain.gradient_clip == 0
    assert (decoder.gradient_clip, decoder.gradient_clip_by) == (10.0, "value")
    for bound in (0.0, 3.0):
        for decoder in (True, False):
            asked = TrainingSettings(gradient_clip=bound).for_decoder(decoder)
            assert (asked.gradient_clip, asked.gradient_clip_by) == (bound, "norm")
    assert TrainingSettings(gradient_clip_by="norm").for_decoder(True).gradient_clip_by == "norm"
    for wrong in ({"gradient_clip": -1.0}, {"gradient_clip": float("nan")}, {"gradient_clip_by": "entry"}):
        with pytest.raises(ConfigurationError, match=rf"training.{next(iter(wrong))}"):
            TrainingSettings(**wrong)
