"""Which parts of a picture a label's score hangs on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F

from ...interfaces import Model
from ...types import Batch

GRID = 14  # cells a side


def saliency_maps(model: Model, batch: Batch, columns: Sequence[Sequence[int]], grid: int = GRID) -> list[np.ndarray]:
    """How strongly the scores of some labels answer to each part of their pictures.

    ``m_l(i, j) = max_c |d s_l / d x_c(i, j)|`` (Simonyan et al. 2014), averaged over the cells of a grid and divided by its sum. The
    scorer's logits are taken as they are, so it works for every loss; the model's own gradients are left alone.

    Args:
        model: with a scorer, on an encoder that reads ``image`` (B, C, H, W).
        batch: B instances.
        columns: for each instance the labels to ask for.
        grid: cells a side.

    Returns:
        B arrays (labels, grid, grid), each map with sum 1, all zeros where a score does not depend on the picture.
    """
    image = batch.inputs["image"].detach().requires_grad_()
    model.eval()
    with torch.enable_grad():
        logits = model.score(replace(batch, inputs={**batch.inputs, "image": image}))
        found: list[list[np.ndarray]] = [[] for _ in columns]
        for turn in range(max(map(len, columns), default=0)):  # one label of every picture at a time: pictures do not touch each other
            rows = [row for row, labels in enumerate(columns) if turn < len(labels)]
            asked = logits[rows, [columns[row][turn] for row in rows]].sum()
            (gradient,) = torch.autograd.grad(asked, image, retain_graph=True)
            maps = F.adaptive_avg_pool2d(gradient.abs().amax(1), grid)
            maps = maps / maps.sum((1, 2), keepdim=True).clamp(min=torch.finfo(maps.dtype).tiny)
            for row in rows:
                found[row].append(maps[row].float().cpu().numpy())
    return [np.stack(maps) if maps else np.zeros((0, grid, grid), np.float32) for maps in found]
