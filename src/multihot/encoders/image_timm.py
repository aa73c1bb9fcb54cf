"""Any picture network of timm, by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..errors import ConfigurationError, nearest
from ..interfaces import Encoder
from ..types import Encoding
from .pretrained import needs_weights

POOLINGS = ("mean", "max", "head")


class TimmEncoder(Encoder):
    """A picture network of timm; the positions of its last feature map are the states.

    With ``pooling="head"`` the network pools as it was trained to, with what it has below its classifier: VGG's two fully connected
    layers, a vision transformer's class token. Where that vector is not as wide as a position, it is the only state.

    Pictures come in [0, 1] and are normalised here as the pretrained weights expect it, so that no setting can contradict the weights.

    Args:
        image_shape: (C, H, W) of the pictures.
        backbone: a model's name in timm, such as ``"resnet101"``, ``"vgg16"`` or ``"inception_v3"``.
        pretrained: ``False`` for random weights, ``True`` for those that timm downloads, or the path of a file of weights
            (``.safetensors``, or a state dict that ``torch.load`` reads without pickle). A classifier in them is left out.
        freeze: train only what comes after the encoder; batch statistics and dropout stand still too.
        pooling: how positions become one vector: ``"mean"``, ``"max"`` [ML-GCN's choice], or ``"head"``.
        dropout: share of pooled values dropped in training, in [0, 1).
        cache: keep what the frozen network gives for each training picture, so that it runs over it once and not every epoch; takes
            4 (S + 1) D bytes a picture on disk, 0.4 MB for a ResNet-101 at 224.

    Raises:
        ValueError: for any other pooling, or a cache of a network that is not frozen.
        ConfigurationError: if timm is not installed, has no such model, cannot load the weights, or cannot read pictures of that size.

    >>> TimmEncoder((3, 224, 224), backbone="resnet101", pretrained="resnet101.safetensors").width  # doctest: +SKIP
    2048
    """

    reads: ClassVar[str] = "image"
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        image_shape: Sequence[int],
        backbone: str = "resnet50",
        pretrained: bool | str = False,
        freeze: bool = False,
        pooling: str = "mean",
        dropout: float = 0.0,
        cache: bool = False,
    ):
        super().__init__()
        if pooling not in POOLINGS:
            raise ValueError(f"the 'pooling' parameter must be one of {', '.join(POOLINGS)}, got {pooling!r}")
        if cache and not freeze:
            raise ValueError("cache: true keeps what a network gives, so the network must stand still; add freeze: true")
        self.freeze, self.pooling, self.cache = freeze, pooling, cache
        self.backbone = _load(backbone, pretrained, tuple(image_shape)).requires_grad_(not freeze)
        if pooling != "head" and isinstance(getattr(self.backbone, "pre_logits", None), nn.Module):
            self.backbone.pre_logits = nn.Identity()  # VGG's 120 million parameters that nothing would reach
        states, head = int(self.backbone.num_features), int(getattr(self.backbone, "head_hidden_size", self.backbone.num_features))
        self.width = head if pooling == "head" else states
        self.positions = self.width == states
        cfg = self.backbone.pretrained_cfg
        for name in ("mean", "std"):
            self.register_buffer(name, _per_channel(cfg[name], image_shape[0]), persistent=False)
        self.dropout = nn.Dropout(dropout)
        self.train()

    @classmethod
    def tells_processor(cls, backbone: str = "resnet50", **arguments: Any) -> dict[str, Any]:
        """``usual_size``: height and width of the pictures that the network was made for."""
        try:
            import timm
        except ImportError:  # said when the network is built
            return {}
        stated = timm.get_pretrained_cfg(backbone) if timm.is_model(backbone) else None
        return {} if stated is None else {"usual_size": tuple(stated.input_size[1:])}

    def extra_repr(self) -> str:
        return f"pooling={self.pooling!r}, freeze={self.freeze}"

    def train(self, mode: bool = True) -> TimmEncoder:
        """Training mode; a frozen network stays in evaluation mode."""
        super().train(mode)
        if self.freeze:
            self.backbone.eval()
        return self

    def forward(self, inputs: dict[str, Tensor]) -> Encoding:
        """image (B, C, H, W) in [0, 1], or encoded (B, (S + 1) D) -> states (B, S, D), one a position, mask (B, S), pooled (B, D)."""
        found = inputs["encoded"].unflatten(1, (-1, self.width)) if "encoded" in inputs else self.encode(inputs)
        states, pooled = found[:, :-1], found[:, -1]
        mask = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
        return Encoding(states, mask, self.dropout(pooled))

    def encode(self, inputs: dict[str, Tensor]) -> Float[Tensor, "B S+1 D"]:
        """The states of the pictures, and behind them the pooled vector."""
        image = ((inputs["image"] - self.mean) / self.std).contiguous(memory_format=torch.channels_last)  # quicker convolutions
        wanted = not self.freeze or inputs["image"].requires_grad  # who asks for the picture's own gradient gets it, frozen or not
        with torch.set_grad_enabled(torch.is_grad_enabled() and wanted):
            features = self.backbone.forward_features(image)
            head = self.backbone.forward_head(features, pre_logits=True) if self.pooling == "head" else None
        states = head[:, None] if head is not None and not self.positions else self._positions(features)
        pooled = head if head is not None else states.mean(1) if self.pooling == "mean" else states.amax(1)
        return torch.cat([states, pooled[:, None]], dim=1)

    def _positions(self, features: Tensor) -> Float[Tensor, "B S D"]:
        """A network's feature map, whatever the order of its axes, as one state a position."""
        if features.ndim == 3:  # tokens, of which the first may stand for the whole picture
            return features[:, int(getattr(self.backbone, "num_prefix_tokens", 0)) :]
        channels_last = str(getattr(self.backbone, "output_fmt", "")).endswith("NHWC")
        return features.flatten(1, 2) if channels_last else features.flatten(2).transpose(1, 2)


def _load(backbone: str, pretrained: bool | str, image_shape: tuple[int, ...]) -> Any:
    try:
        import timm
    except ImportError as error:
        raise ConfigurationError(f"encoder 'timm' needs timm ({error}); install it with pip install \"multihot[images]\"") from error
    if not timm.is_model(backbone):
        raise ConfigurationError(f"encoder 'timm': there is no backbone '{backbone}'; {_near(backbone, timm.list_models())}")
    options: dict[str, Any] = {"num_classes": 0, "in_chans": image_shape[0]}
    stated = timm.get_pretrained_cfg(backbone)
    if stated is not None and stated.fixed_input_size:
        options["img_size"] = tuple(image_shape[1:])
    only_counted = torch.get_default_device().type == "meta"
    if not pretrained or only_counted or not needs_weights():
        return _create(backbone, options, f"pictures of {image_shape[1]} x {image_shape[2]} (method.processor.size sets it)")
    weights: dict[str, Any] = {"pretrained": True}
    if pretrained is not True:
        weights["pretrained_cfg_overlay"] = {"file": str(_file(pretrained))}
    return _create_loaded(backbone, options, options | weights)


def _create(backbone: str, options: dict[str, Any], what: str) -> Any:
    import timm

    try:
        return timm.create_model(backbone, **options)
    except Exception as error:  # timm, safetensors, the hub and torch each have errors of their own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ConfigurationError(f"encoder 'timm': '{backbone}' does not take these {what}: {reason}") from error


def _create_loaded(backbone: str, options: dict[str, Any], with_weights: dict[str, Any]) -> Any:
    """A network with pretrained weights, all of them: timm leaves what a file lacks as it was drawn, without an error."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        drawn = _create(backbone, options, "settings")
        torch.manual_seed(0)  # so that whatever the file lacks is drawn the same again
        loaded = _create(backbone, with_weights, "weights")
    before = dict(drawn.named_parameters())
    random = [name for name, parameter in before.items() if parameter.numel() > 1 and parameter.std() > 0]
    lacking = [name for name, parameter in loaded.named_parameters() if name in random and torch.equal(parameter, before[name])]
    if lacking:
        some = ", ".join(lacking[:3])
        raise ConfigurationError(
            f"encoder 'timm': these weights leave {len(lacking)} of {len(random)} tensors of '{backbone}' random ({some}); "
            "give a file for that backbone"
        )
    return loaded


def _file(pretrained: str) -> Path:
    path = Path(pretrained).expanduser()
    if not path.is_file():
        raise ConfigurationError(f"encoder 'timm': there is no file of weights {path}; give a file, or pretrained: true to download")
    if path.suffix != ".safetensors":
        try:  # before timm does, which in some versions would run what a pickle asks for
            torch.load(path, map_location="meta", weights_only=True)
        except Exception as error:  # what damaged files make of it is of many kinds
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ConfigurationError(f"encoder 'timm': {path} holds more than tensors, or is damaged: {reason}") from error
    return path


def _near(backbone: str, names: list[str]) -> str:
    """The choices that share their beginning with the name, or else the families: all thousand would be no help."""
    alike = [name for name in names if name[:4] == backbone[:4]]
    return nearest(backbone, alike[:40]) if alike else "timm.list_models() gives the names, such as resnet50, vgg16 or convnext_tiny"


def _per_channel(values: Sequence[float], channels: int) -> Tensor:
    """One value a channel; what was found for three colours is averaged where a picture has another number of them."""
    stated = torch.tensor(values)
    return (stated if len(stated) == channels else stated.mean().expand(channels)).reshape(1, channels, 1, 1).clone()
