"""The small picture network."""

import pytest
import torch
from encoder_contract import EncoderContract
from torch import Tensor

from multihot.encoders import ImageCNNEncoder


class TestImageCNN(EncoderContract):
    def encoder(self) -> ImageCNNEncoder:
        return ImageCNNEncoder(image_shape=(3, 12, 8), channels=(4, 6))

    def inputs(self) -> dict[str, Tensor]:
        return {"image": torch.rand(3, 3, 12, 8, generator=torch.Generator().manual_seed(0))}

    def test_a_state_is_a_position(self) -> None:
        assert self.encode(self.inputs()).states.shape[1] == 3 * 2

    def test_a_bright_corner_moves_the_states_that_see_it(self) -> None:
        image = torch.zeros(1, 3, 12, 8)
        image[0, :, 10:, 6:] = 1.0
        plain, corner = self.encode({"image": torch.zeros_like(image)}), self.encode({"image": image})
        moved = (corner.states != plain.states)[0].any(-1).view(3, 2)
        assert moved[2, 1]
        assert not moved[0].any()


@pytest.mark.parametrize("channels", [(), (4, 4, 4, 4)])
def test_too_many_blocks_or_none_are_refused(channels: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="cannot halve pictures of 12 x 8"):
        ImageCNNEncoder(image_shape=(3, 12, 8), channels=channels)
