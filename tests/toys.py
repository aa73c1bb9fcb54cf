"""Toy parts on a toy problem, the smallest that fit every socket; named by dotted path, as a user's own parts are."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from multihot.interfaces import Decoder, Decoding, Encoder, Loss, Model, Objective, State
from multihot.predictions import Prediction
from multihot.scorers import BinaryRelevanceScorer
from multihot.types import Batch, Encoding

FEATURES, LABELS = 6, 4


def toy_problem(rows: int = 256, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Labels 0 and 1 are linear in the features, label 2 is their conjunction, label 3 their exclusive or: labels depend on each other."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(rows, FEATURES, generator=generator)
    a, b = features[:, 0] > 0, features[:, 1] + features[:, 2] > 0
    return features, torch.stack([a, b, a & b, a ^ b], dim=1).float()


class ToyData(Dataset):
    def __init__(self, rows: int = 256, seed: int = 0):
        self.features, self.targets = toy_problem(rows, seed)

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, rows: list[int]) -> Batch:
        targets = self.targets[rows]
        return Batch({"features": self.features[rows]}, targets, torch.ones_like(targets, dtype=torch.bool), [str(i) for i in rows])


class ToyEpochs:
    """A batch sampler whose order follows from seed and epoch."""

    def __init__(self, rows: int, batch_size: int, seed: int = 0):
        self.rows, self.batch_size, self.seed, self.epoch = rows, batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.rows // self.batch_size)

    def __iter__(self):
        order = np.random.default_rng((self.seed, self.epoch)).permutation(self.rows)
        return iter([order[i : i + self.batch_size].tolist() for i in range(0, self.rows, self.batch_size)])


def toy_loader(rows: int = 256, batch_size: int = 32, seed: int = 0) -> DataLoader:
    data = ToyData(rows, seed)
    return DataLoader(data, sampler=ToyEpochs(rows, batch_size), batch_size=None, generator=torch.Generator().manual_seed(0))


class ToyEncoder(Encoder):
    reads = "table"

    def __init__(self, num_features: int = FEATURES, width: int = 32, dropout: float = 0.0):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(num_features, width), nn.Tanh(), nn.Dropout(dropout))
        self.width = width

    def forward(self, inputs: dict[str, Tensor]) -> Encoding:
        pooled = self.layers(inputs["features"])
        return Encoding(pooled[:, None], torch.ones(len(pooled), 1, dtype=torch.bool), pooled)


class ToyDecoder(Decoder):
    def __init__(self, num_labels: int, width: int):
        super().__init__()
        self.embedding = nn.Embedding(num_labels + 2, width)
        self.cell = nn.GRUCell(width, width)
        self.output = nn.Linear(width, num_labels + 1)

    def start(self, encoding: Encoding) -> State:
        return {"hidden": encoding.pooled}

    def step(self, previous: Tensor, state: State, encoding: Encoding) -> tuple[Tensor, State]:
        hidden = self.cell(self.embedding(previous), state["hidden"])
        return self.output(hidden), {"hidden": hidden}


class ToyOwnSamplesObjective(Objective):
    """The decoder walks on labels it samples itself; at each step it learns the labels still missing, or to stop."""

    needs = frozenset({"decoder"})

    def forward(self, model: Model, batch: Batch, turn: str = "model", encoding: Encoding | None = None) -> Tensor:
        encoding = encoding if encoding is not None else model.encode(batch)
        missing = batch.targets.clone()
        emitted = torch.zeros_like(missing, dtype=torch.bool)
        rows, num_labels = missing.shape
        previous, running = torch.full((rows,), num_labels + 1), torch.ones(rows)
        state, total = model.decoder.start(encoding), 0.0
        for _ in range(num_labels + 1):
            logits, state = model.decoder.step(previous, state, encoding)
            logits = torch.cat([logits[:, :-1].masked_fill(emitted, -1e9), logits[:, -1:]], dim=1)
            policy = torch.cat([missing, (missing.sum(1, keepdim=True) == 0).float()], dim=1)
            policy = policy / policy.sum(1, keepdim=True)
            total = total - (running * (policy * logits.log_softmax(1)).sum(1)).mean()
            previous = torch.multinomial(logits.detach().softmax(1), 1)[:, 0]
            running = running * (previous != num_labels)
            seen = nn.functional.one_hot(previous, num_labels + 1)[:, :-1].bool()
            emitted, missing = emitted | seen, missing * ~seen
        return total


class ToyGreedyDecoding(Decoding):
    needs = frozenset({"decoder"})

    @torch.no_grad()
    def __call__(self, model: Model, batch: Batch) -> Prediction:
        encoding = model.encode(batch)
        rows, num_labels = batch.targets.shape
        state, previous = model.decoder.start(encoding), torch.full((rows,), num_labels + 1)
        chosen = torch.zeros(rows, num_labels, dtype=torch.bool)
        running = torch.ones(rows, dtype=torch.bool)
        for _ in range(num_labels + 1):
            logits, state = model.decoder.step(previous, state, encoding)
            previous = torch.cat([logits[:, :-1].masked_fill(chosen, -1e9), logits[:, -1:]], dim=1).argmax(1)
            running &= previous != num_labels
            chosen |= nn.functional.one_hot(previous, num_labels + 1)[:, :-1].bool() & running[:, None]
        return Prediction(list(batch.ids), chosen.float().numpy(), chosen.numpy())


class ToySumObjective(Objective):
    """The multi-task sum: one encoding, two objectives on it."""

    needs = frozenset({"scorer", "decoder"})

    def __init__(self, loss: Loss, weight: float = 1.0):
        super().__init__()
        from multihot.objectives import ScoringObjective

        self.scoring, self.sampling, self.weight = ScoringObjective(loss), ToyOwnSamplesObjective(), weight

    def forward(self, model: Model, batch: Batch, turn: str = "model", encoding: Encoding | None = None) -> Tensor:
        encoding = model.encode(batch)
        scoring = self.scoring(model, batch, turn, encoding)
        sampling = self.sampling(model, batch, turn, encoding)
        self.report(scoring=scoring, sampling=sampling)
        return sampling + self.weight * scoring


class ToyAdversarialObjective(Objective):
    """A critic of its own tells true label sets from predicted ones; the model learns to be taken for true."""

    needs = frozenset({"scorer"})
    turns = ("critic", "critic", "critic", "model")

    def __init__(self, loss: Loss, num_labels: int, width: int, alpha: float = 10.0):
        super().__init__()
        self.loss, self.alpha = loss, alpha
        self.critic = nn.Sequential(nn.Linear(num_labels + width, 32), nn.LeakyReLU(), nn.Linear(32, 1))

    def turn_parameters(self, model: Model, turn: str):
        yield from self.critic.parameters() if turn == "critic" else model.parameters()

    def judge(self, labels: Tensor, encoding: Encoding) -> Tensor:
        return self.critic(torch.cat([labels, encoding.pooled.detach()], dim=1)).mean()

    def forward(self, model: Model, batch: Batch, turn: str = "model", encoding: Encoding | None = None) -> Tensor:
        encoding = model.encode(batch)
        logits = model.score(batch, encoding)
        if turn == "model":
            return -self.judge(logits.sigmoid(), encoding) + self.alpha * self.loss(logits, batch.targets, batch.known).mean()
        mix = torch.rand(len(batch), 1)
        between = (mix * batch.targets + (1 - mix) * logits.sigmoid().detach()).requires_grad_()
        (slope,) = torch.autograd.grad(self.judge(between, encoding) * len(batch), between, create_graph=True)
        penalty = ((slope.norm(dim=1) - 1) ** 2).mean()
        self.report(penalty=penalty)
        return self.judge(logits.sigmoid().detach(), encoding) - self.judge(batch.targets, encoding) + 10 * penalty


class PrefixDecoder(Decoder):
    """Logits looked up by the whole prefix, in its order, plus a share of the instance: any distribution over label sequences there is."""

    def __init__(self, num_labels: int, width: int, spread: float = 1.0):
        super().__init__()
        self.num_labels = num_labels
        self.table = nn.Parameter(spread * torch.randn((num_labels + 1) ** num_labels, num_labels + 1))
        self.instance = nn.Linear(width, num_labels + 1)

    def start(self, encoding: Encoding) -> State:
        return {"place": torch.zeros(len(encoding.pooled), dtype=torch.long)}

    def step(self, previous: Tensor, state: State, encoding: Encoding) -> tuple[Tensor, State]:
        follows = state["place"] * (self.num_labels + 1) + previous + 1
        place = torch.where(previous < self.num_labels, follows % len(self.table), state["place"])
        return self.table[place] + self.instance(encoding.pooled), {"place": place}


def sequence_model(num_labels: int, decoder: type[Decoder] = PrefixDecoder, seed: int = 0, **arguments) -> Model:
    """A toy encoder under a decoder and, for whoever asks, a scorer."""
    torch.manual_seed(seed)
    encoder = ToyEncoder(width=8)
    scorer = BinaryRelevanceScorer(num_labels, 8, hidden_size=16, layers=1, attention=False)
    return Model(encoder, scorer, decoder(num_labels, 8, **arguments)).eval()


def random_batch(rows: int, num_labels: int, seed: int = 0, share: float = 0.5) -> Batch:
    """Random features with random label sets, some of them empty."""
    generator = torch.Generator().manual_seed(seed)
    targets = (torch.rand(rows, num_labels, generator=generator) < share).float()
    features = torch.randn(rows, FEATURES, generator=generator)
    return Batch({"features": features}, targets, torch.ones_like(targets, dtype=torch.bool), [str(i) for i in range(rows)])
