"""Train with a loss of your own, without touching multihot: a configuration names it by its dotted path.

    python examples/tickets.py && PYTHONPATH=examples python examples/own_loss.py

A name given in ``settings`` is allowed by being given. Whoever opens the run later allows it by name, since a run folder may come from
anybody: ``multihot.load(folder, allow=["own_loss"])``, or ``--trust own_loss`` on the command line.

The loss here is the exponential one, mean over the known labels of exp(-s) for the labels an instance has and exp(s) for the others.
"""

from __future__ import annotations

import torch
from torch import Tensor

import multihot
from multihot.interfaces import Loss, check_logits


class ExponentialLoss(Loss):
    """Mean over known labels of exp(-(2y - 1) s), with s bounded so that one outlier cannot carry the batch away.

    Args:
        bound: scores beyond it count as if they were at it.
    """

    def __init__(self, bound: float = 10.0):
        super().__init__()
        self.bound = bound

    def forward(self, logits: Tensor, targets: Tensor, known: Tensor | None = None) -> Tensor:
        check_logits("ExponentialLoss", logits, targets, known)
        known = torch.ones_like(targets, dtype=torch.bool) if known is None else known
        terms = torch.exp((1 - 2 * targets) * logits.clamp(-self.bound, self.bound))
        return (terms * known).sum(-1) / known.sum(-1).clamp(min=1)


if __name__ == "__main__":
    settings = {"method.loss": "own_loss.ExponentialLoss", "training.epochs": 4}
    run = multihot.fit("train.csv", text="body", labels="tags", out="runs/own-loss", settings=settings, overwrite=True)
    again = multihot.load(run.folder, allow=["own_loss"])
    assert again.predict(["my printer is broken"]).ids == run.predict(["my printer is broken"]).ids
    print(f"test micro-F1 {run.metrics['test']['micro_f1']:.3f}")
