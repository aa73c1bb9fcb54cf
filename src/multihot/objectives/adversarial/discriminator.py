"""The discriminator: how well a label set goes with an instance, in one number."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrizations


class Discriminator(nn.Module):
    """Instance and label set, each projected, then fully connected layers of leaky ReLU and one score.

    Source: Tsai and Lee 2019, section 4.1; Tsai 2019, section 3.4.1.

    ``D(y, x) = w' MLP([W_x z; W_y y])``, ``z`` the features of ``x``.

    Args:
        num_labels: number of labels L.
        width: size D of the features.
        conditional: look at the features; without, the score depends on the label set alone.
        layers: fully connected layers, at least 1; the papers take 8, for audio 5.
        hidden_size: size of each.
        projection: size to which features and label set are projected, each.
        spectral_norm: divide every weight matrix by its largest singular value (Miyato et al. 2018).
        bottleneck: the most nats that the score may draw from label set and features, on average (Peng et al. 2019); None for no limit.
        bottleneck_size: dimensions of that bottleneck.
        bottleneck_step: how fast the multiplier that enforces the limit moves, above 0.

    Raises:
        ValueError: for a number out of range.

    >>> discriminator = Discriminator(num_labels=4, width=8, layers=2, hidden_size=16)
    >>> discriminator(torch.ones(3, 4), torch.rand(3, 8)).shape
    torch.Size([3])
    """

    def __init__(
        self,
        num_labels: int,
        width: int,
        conditional: bool = True,
        layers: int = 8,
        hidden_size: int = 512,
        projection: int = 256,
        spectral_norm: bool = False,
        bottleneck: float | None = None,
        bottleneck_size: int = 128,
        bottleneck_step: float = 1e-3,
    ):
        super().__init__()
        sizes = {"layers": layers, "hidden_size": hidden_size, "projection": projection, "bottleneck_size": bottleneck_size}
        for name, size in sizes.items():
            if size < 1:
                raise ValueError(f"the '{name}' parameter of the discriminator must be at least 1, got {size!r}")
        self.labels = nn.Linear(num_labels, projection)
        self.features = nn.Linear(width, projection) if conditional else None
        widths = [projection * (2 if conditional else 1)] + [hidden_size] * layers
        self.layers = nn.ModuleList(nn.Linear(widths[i], widths[i + 1]) for i in range(layers))
        self.bottleneck = Bottleneck(hidden_size, bottleneck_size, bottleneck, bottleneck_step) if bottleneck is not None else None
        self.output = nn.Linear(bottleneck_size if bottleneck is not None else hidden_size, 1)
        _prepare(self, spectral_norm)

    def forward(self, labels: Float[Tensor, "B L"], features: Float[Tensor, "B D"] | None) -> Float[Tensor, " B"]:
        """Label sets (B, L) and features (B, D) -> scores (B,); a bottleneck is read at its mean."""
        hidden = self._hidden(labels, features)
        return self._score(self.bottleneck(hidden)[0] if self.bottleneck is not None else hidden)

    def judge(self, labels: Float[Tensor, "B L"], features: Float[Tensor, "B D"] | None) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"]]:
        """Scores as the discriminator learns from them, through its noisy bottleneck, and the nats (B,) each draws; 0 without one."""
        hidden = self._hidden(labels, features)
        if self.bottleneck is None:
            return self._score(hidden), hidden.new_zeros(len(hidden))
        mean, log_variance = self.bottleneck(hidden)
        noisy = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return self._score(noisy), divergence_from_normal(mean, log_variance)

    @torch.no_grad()
    def clip(self, bound: float) -> None:
        """Cut every parameter to [-bound, bound], which bounds the score's slope, as the first Wasserstein GAN did.

        Source: Tsai 2019, section 2.3.3.
        """
        for parameter in self.parameters():
            parameter.clamp_(-bound, bound)

    def _hidden(self, labels: Tensor, features: Tensor | None) -> Tensor:
        projected = [self.labels(labels)] if self.features is None else [self.features(features), self.labels(labels)]
        hidden = torch.cat(projected, dim=-1)
        for layer in self.layers:
            hidden = F.leaky_relu(layer(hidden))
        return hidden

    def _score(self, hidden: Tensor) -> Tensor:
        return self.output(hidden)[:, 0]


class Bottleneck(nn.Module):
    """A noisy code of limited information: the variational discriminator bottleneck of Peng et al. (2019, 1810.00821).

    The discriminator's loss gains ``beta (I - I_c)``, ``I = E KL(N(mu, sigma^2) || N(0, 1))``, and ``beta`` moves to
    ``max(0, beta + step (I - I_c))``: it grows while more than ``I_c`` nats pass.

    Args:
        inputs: size of what comes in.
        size: dimensions of the code.
        limit: I_c in nats, above 0.
        step: how fast the multiplier moves, above 0.

    Raises:
        ValueError: for a limit or a step that is not above 0.

    >>> bottleneck = Bottleneck(inputs=3, size=2, limit=0.5, step=0.1)
    >>> float(bottleneck.toll(torch.tensor(2.5))), round(float(bottleneck.multiplier), 3)
    (0.0, 0.2)
    """

    multiplier: Tensor

    def __init__(self, inputs: int, size: int, limit: float, step: float):
        super().__init__()
        for name, value in {"bottleneck": limit, "bottleneck_step": step}.items():
            if not value > 0:
                raise ValueError(f"the '{name}' parameter of the discriminator must be above 0, got {value!r}")
        self.mean, self.log_variance = nn.Linear(inputs, size), nn.Linear(inputs, size)
        self.limit, self.step = limit, step
        self.register_buffer("multiplier", torch.zeros(()))

    def forward(self, hidden: Float[Tensor, "B H"]) -> tuple[Float[Tensor, "B Z"], Float[Tensor, "B Z"]]:
        """(B, inputs) -> mean and log-variance of the code, (B, size) each."""
        return self.mean(hidden), self.log_variance(hidden)

    def toll(self, information: Float[Tensor, ""]) -> Float[Tensor, ""]:
        """What the loss gains, at the multiplier as it stands; then the multiplier moves."""
        excess = information - self.limit
        toll = self.multiplier.clone() * excess
        with torch.no_grad():
            self.multiplier.add_(self.step * excess).clamp_(min=0)
        return toll


def divergence_from_normal(mean: Float[Tensor, "B Z"], log_variance: Float[Tensor, "B Z"]) -> Float[Tensor, " B"]:
    """``KL(N(mu, sigma^2) || N(0, 1))``, summed over the dimensions.

    >>> divergence_from_normal(torch.tensor([[1.0, 2.0]]), torch.zeros(1, 2))
    tensor([2.5000])
    """
    return 0.5 * (mean**2 + log_variance.exp() - log_variance - 1).sum(-1)


def _prepare(network: nn.Module, spectral_norm: bool) -> None:
    """Begin with weights that keep a signal's size through leaky ReLU (He et al. 2015): by PyTorch's own, eight layers leave 1e-4 of it."""
    for layer in [module for module in network.modules() if isinstance(module, nn.Linear)]:
        nn.init.kaiming_normal_(layer.weight, a=0.01, nonlinearity="leaky_relu")
        nn.init.zeros_(layer.bias)
        if spectral_norm:
            parametrizations.spectral_norm(layer)
