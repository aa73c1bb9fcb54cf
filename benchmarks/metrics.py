"""Time and memory of the measures and of tuned decisions, beside scikit-learn in the same run.

    python benchmarks/metrics.py --rows 100000 --labels 1000 --out metrics.json

Both sides get the same random label sets, about three labels an instance, frequent labels more often. Each side runs in a process of
its own; its peak memory is that of the whole process, interpreter and inputs included. The shortest of ``--repeat`` runs counts.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from yardsticks.measuring import finish, read_options, seconds_of

LIMITS = {"times_as_fast": 10, "peak_mib": 1024}  # of the measures of label sets
SCORED = 10  # scores are measured on a tenth of the rows: scikit-learn would take minutes


def label_sets(rows: int, labels: int, seed: int) -> sparse.csr_matrix:
    """Random label sets of about three labels; the i-th label is drawn with a weight of 1 / i."""
    random = np.random.default_rng(seed)
    sizes = random.poisson(3.2, rows)
    weights = 1 / np.arange(1, labels + 1)
    columns = random.choice(labels, sizes.sum(), p=weights / weights.sum())
    return sparse.csr_matrix((np.ones(len(columns), dtype=bool), (np.repeat(np.arange(rows), sizes), columns)), shape=(rows, labels))


def scored(rows: int, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Dense targets and scores that lean towards them."""
    targets = label_sets(rows // SCORED, labels, 0).toarray()
    noise = np.random.default_rng(2).normal(size=targets.shape).astype(np.float32)
    return targets, noise + 2 * targets.astype(np.float32)


def ours_sets(targets: sparse.csr_matrix, chosen: sparse.csr_matrix) -> None:
    from multihot.metrics import evaluate

    evaluate(targets, chosen)


def theirs_sets(targets: sparse.csr_matrix, chosen: sparse.csr_matrix) -> None:
    from sklearn.metrics import classification_report

    classification_report(targets, chosen, zero_division=0, output_dict=True)


def ours_scores(targets: np.ndarray, scores: np.ndarray) -> None:
    from multihot.metrics import evaluate

    evaluate(targets, scores > 0, scores)


def theirs_scores(targets: np.ndarray, scores: np.ndarray) -> None:
    from sklearn.metrics import average_precision_score, label_ranking_loss

    average_precision_score(targets, scores)
    label_ranking_loss(targets, scores)


def tune_global(targets: np.ndarray, scores: np.ndarray) -> None:
    from multihot.calibration import GlobalDecision

    GlobalDecision().fit(scores, targets)


def tune_per_label(targets: np.ndarray, scores: np.ndarray) -> None:
    from multihot.calibration import PerLabelDecision

    PerLabelDecision().fit(scores, targets)


def measured(work: Callable, inputs: str, rows: int, labels: int, repeat: int, answer: multiprocessing.Queue) -> None:
    """Within its own process: make the input, do the work, answer with seconds and peak memory."""
    if inputs == "scores":
        arguments = scored(rows, labels)
    else:
        arguments = tuple(
            matrix if inputs == "sparse" else matrix.toarray() for matrix in (label_sets(rows, labels, seed) for seed in (0, 1))
        )
    seconds = []
    warnings.simplefilter("ignore")  # scikit-learn warns of every label without positives
    work(*(matrix[:10] for matrix in arguments))  # imports are not measured
    for _ in range(repeat):
        seconds.append(seconds_of(lambda: work(*arguments)))
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes on macOS, in KiB elsewhere
    answer.put({"seconds": min(seconds), "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20})


def run(work: Callable, inputs: str, rows: int, labels: int, repeat: int) -> dict[str, float]:
    """Do some work in a fresh process."""
    spawn = multiprocessing.get_context("spawn")
    answer = spawn.Queue()
    process = spawn.Process(target=measured, args=(work, inputs, rows, labels, repeat, answer))
    process.start()
    found = answer.get()
    process.join()
    return found


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--labels", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=3)
    options = read_options(parser, rows=1000, labels=20, repeat=1)
    sizes = {"rows": options.rows, "labels": options.labels}
    cases = {
        "label sets, sparse": ("sparse", ours_sets, "classification_report", theirs_sets),
        "label sets, dense": ("dense", ours_sets, "classification_report", theirs_sets),
        "scores, a tenth of the rows": ("scores", ours_scores, "average_precision_score + label_ranking_loss", theirs_scores),
        "global threshold, a tenth of the rows": ("scores", tune_global, None, None),
        "per-label thresholds, a tenth of the rows": ("scores", tune_per_label, None, None),
    }
    results = {}
    for name, (inputs, ours, rival, theirs) in cases.items():
        found: dict[str, Any] = {"multihot": run(ours, inputs, **sizes, repeat=options.repeat)}
        line = f"{name}: multihot {found['multihot']['seconds']:.3f} s, peak {found['multihot']['peak_mib']:.0f} MiB"
        if theirs is not None:
            found[f"scikit-learn {rival}"] = other = run(theirs, inputs, **sizes, repeat=options.repeat)
            found["times_as_fast"] = other["seconds"] / found["multihot"]["seconds"]
            line += f"; {rival} {other['seconds']:.3f} s, peak {other['peak_mib']:.0f} MiB; {found['times_as_fast']:.1f} times as fast"
        print(line, flush=True)
        results[name] = found
    of_sets = [found for name, found in results.items() if name.startswith("label sets")]
    missed = []
    if min(found["times_as_fast"] for found in of_sets) < LIMITS["times_as_fast"]:
        missed.append(f"label sets {LIMITS['times_as_fast']} times as fast")
    if max(found["multihot"]["peak_mib"] for found in of_sets) > LIMITS["peak_mib"]:
        missed.append(f"label sets in {LIMITS['peak_mib']} MiB")
    return finish(options, {"results": results, "limits": LIMITS}, missed)


if __name__ == "__main__":
    sys.exit(main())
