"""Dense and sparse rows are the same rows."""

import pytest
import torch
from encoder_contract import EncoderContract, assert_same
from torch import Tensor

from multihot.encoders import TabularEncoder

FEATURES = torch.tensor([[0.0, 1.5, 0.0, -2.0], [0.0, 0.0, 0.0, 0.0], [3.0, 1.0, -1.0, 0.5]])
SPARSE = {
    "indices": torch.tensor([[1, 3, 0, 0], [0, 0, 0, 0], [0, 1, 2, 3]]),
    "values": torch.tensor([[1.5, -2.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [3.0, 1.0, -1.0, 0.5]]),
}


class TestDenseRows(EncoderContract):
    def encoder(self) -> TabularEncoder:
        return TabularEncoder(num_features=4, hidden_size=6, layers=3)

    def inputs(self) -> dict[str, Tensor]:
        return {"features": FEATURES}


class TestSparseRows(TestDenseRows):
    def inputs(self) -> dict[str, Tensor]:
        return SPARSE

    def test_they_are_encoded_as_the_same_rows_written_densely(self) -> None:
        assert_same(self.encode(SPARSE), self.encode({"features": FEATURES}))

    def test_they_teach_the_same_as_the_same_rows_written_densely(self) -> None:
        def first_gradient(inputs: dict[str, Tensor]) -> Tensor:
            torch.manual_seed(0)
            encoder = self.encoder().eval()
            encoder(inputs).pooled.square().sum().backward()
            assert encoder.first.weight.grad is not None
            return encoder.first.weight.grad

        torch.testing.assert_close(first_gradient(SPARSE), first_gradient({"features": FEATURES}))


def test_no_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="'layers' parameter must be at least 1, got 0"):
        TabularEncoder(num_features=4, layers=0)
