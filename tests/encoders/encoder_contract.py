"""What every encoder promises, whatever it reads."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from multihot.interfaces import Encoder
from multihot.types import Encoding


def assert_same(found: Encoding, expected: Encoding, tolerance: float = 1e-12) -> None:
    """Equal real states and pooled vectors; what lies at padding does not count."""
    length = min(found.states.shape[1], expected.states.shape[1])
    assert torch.equal(found.mask[:, :length], expected.mask[:, :length])
    real = expected.mask[:, :length, None]
    torch.testing.assert_close(found.states[:, :length] * real, expected.states[:, :length] * real, rtol=0, atol=tolerance)
    torch.testing.assert_close(found.pooled, expected.pooled, rtol=0, atol=tolerance)


class EncoderContract(ABC):
    """Inherit in a class named ``Test...``; instances of a batch are rows of ``inputs``."""

    @abstractmethod
    def encoder(self) -> Encoder:
        """A small encoder."""

    @abstractmethod
    def inputs(self) -> dict[str, Tensor]:
        """Inputs of at least three instances."""

    def encode(self, inputs: dict[str, Tensor], dtype: torch.dtype = torch.float64) -> Encoding:
        torch.manual_seed(0)
        floats = {name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in inputs.items()}
        with torch.no_grad():
            return self.encoder().to(dtype).eval()(floats)

    def test_shapes_are_as_promised(self) -> None:
        encoder, encoding = self.encoder(), self.encode(self.inputs())
        instances, states, width = encoding.states.shape
        assert width == encoder.width
        assert instances == len(next(iter(self.inputs().values())))
        assert encoding.mask.shape == (instances, states)
        assert encoding.mask.dtype == torch.bool
        assert encoding.mask.any(1).all()
        assert encoding.pooled.shape == (instances, width)

    def test_an_instance_is_encoded_alike_in_any_company(self) -> None:
        inputs = self.inputs()
        together = self.encode(inputs)
        for row in range(len(together.pooled)):
            alone = self.encode({name: tensor[row : row + 1] for name, tensor in inputs.items()})
            assert_same(alone, together.select(torch.tensor([row])))

    def test_every_parameter_that_may_learn_gets_a_gradient(self) -> None:
        encoder = self.encoder()
        encoding = encoder(self.inputs())
        (encoding.states.square().sum() + encoding.pooled.square().sum()).backward()
        without = [name for name, p in encoder.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.isfinite().all())]
        assert without == []

    def test_bfloat16_autocast_runs_and_stays_near(self) -> None:
        exact = self.encode(self.inputs())
        with torch.autocast("cpu", torch.bfloat16):
            near = self.encode(self.inputs(), dtype=torch.float32)
        scale = exact.pooled.abs().max()
        assert (
            near.pooled.double() - exact.pooled
        ).abs().max() < 0.1 * scale  # each of some ten layers rounds to 8 bits, each processor in its way


class TextEncoderContract(EncoderContract):
    """For encoders of texts of different length: padding changes nothing."""

    def inputs(self) -> dict[str, Tensor]:
        lengths = torch.tensor([5, 1, 3, 6])
        mask = torch.arange(6) < lengths[:, None]
        tokens = torch.randint(2, 20, (4, 6), generator=torch.Generator().manual_seed(1)) * mask
        return {"tokens": tokens, "mask": mask}

    def test_appended_padding_changes_nothing(self) -> None:
        inputs = self.inputs()
        padded = {name: torch.nn.functional.pad(tensor, (0, 4)) for name, tensor in inputs.items()}
        assert_same(self.encode(padded), self.encode(inputs))

    def test_what_stands_at_padding_does_not_matter(self) -> None:
        inputs = self.inputs()
        noisy = inputs | {"tokens": torch.where(inputs["mask"], inputs["tokens"], 7)}
        assert_same(self.encode(noisy), self.encode(inputs))

    def test_gradients_do_not_depend_on_padding(self) -> None:
        def gradients(inputs: dict[str, Tensor]) -> list[Tensor]:
            torch.manual_seed(0)
            encoder = self.encoder().double().eval()
            encoding = encoder(inputs)
            ((encoding.states * encoding.mask[..., None]).square().sum() + encoding.pooled.square().sum()).backward()
            return [p.grad for p in encoder.parameters() if p.grad is not None]

        inputs = self.inputs()
        padded = {name: torch.nn.functional.pad(tensor, (0, 3)) for name, tensor in inputs.items()}
        for found, expected in zip(gradients(padded), gradients(inputs), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)
