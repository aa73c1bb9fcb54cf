"""Small made-up problems: features that say something about the labels, and some noise."""

import numpy as np


def linear_problem(rows=150, features=8, labels=4, seed=0):
    """(N, F) features and (N, L) targets that are noisy half-spaces."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, features)) * (random.random((rows, features)) < 0.6)
    directions = random.normal(size=(features, labels))
    return x, x @ directions + 0.5 * random.normal(size=(rows, labels)) > 0.4
