"""What every benchmark shares: its options, the machine it runs on, its clock and its memory, and how its figures are written."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

VECTORS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "neon", "asimd", "sve")  # what decides how quick an element-wise loop is
BEGAN = time.perf_counter()


def data_folder(name: str = "") -> Path | None:
    """A folder of the real data sets, or None where it is missing; the library is told where it found them."""
    root = Path(os.environ.setdefault("MULTIHOT_DATA", str(Path(__file__).parents[3] / "shared" / "data")))
    return root / name if (root / name).is_dir() else None


def machine() -> dict[str, Any]:
    """The processor by its name and vector instructions, and what runs on it; what PyTorch makes of it, where a benchmark loaded it."""
    found: dict[str, Any] = {
        "processor": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
    }
    described = Path("/proc/cpuinfo")
    if described.exists():
        lines = (line.partition(":") for line in described.read_text().splitlines())
        facts = {name.strip(): value.strip() for name, _, value in lines}
        flags = set((facts.get("flags") or facts.get("Features") or "").split())
        found["processor"] = facts.get("model name", found["processor"])
        found["vectors"] = [name for name in VECTORS if name in flags]
    if torch := sys.modules.get("torch"):
        found["torch"], found["threads"] = torch.__version__, torch.get_num_threads()
        found["capability"] = torch.backends.cpu.get_cpu_capability()  # of PyTorch's loops; ATEN_CPU_CAPABILITY=avx2 lowers it
    return found


def read_options(parser: argparse.ArgumentParser, **quick: Any) -> argparse.Namespace:
    """The options of a benchmark, the ones that all have among them, and a line that names the machine.

    Args:
        parser: with the benchmark's own options; ``--threads`` is obeyed here.
        quick: other defaults under ``--quick``, by option.
    """
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--quick", action="store_true", help="small sizes, within seconds; shows that it runs, its figures mean little")
    parser.add_argument("--strict", action="store_true", help="exit with 1 where a limit is missed")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    if parser.parse_known_args()[0].quick:
        parser.set_defaults(**quick)
    options = parser.parse_args()
    if getattr(options, "threads", None):
        sys.modules["torch"].set_num_threads(options.threads)
    facts = machine()
    words = [facts["processor"], " ".join(facts.get("vectors", [])), f"{facts['cores']} cores", f"load {facts['load']}"]
    if "torch" in facts:
        words.append(f"torch {facts['torch']} with {facts['threads']} threads at {facts['capability']}")
    print("machine:", ", ".join(words), flush=True)
    return options


def finish(options: argparse.Namespace, figures: Any, missed: Sequence[str] = ()) -> int:
    """Say which limits were missed, write the figures, and give the exit status; the quick form judges no limit."""
    judged = [] if options.quick else list(missed)
    if judged:
        print(f"limits missed: {', '.join(judged)}", file=sys.stderr)
    _write(options, {"figures": figures, "missed": judged})
    return int(bool(judged) and options.strict)


def skip(options: argparse.Namespace, lacking: str) -> int:
    """Nothing can be measured here: say what is lacking."""
    print(f"skipped: {lacking}", flush=True)
    _write(options, {"skipped": lacking})
    return 0


def _write(options: argparse.Namespace, found: dict[str, Any]) -> None:
    if options.out is None:
        return
    settings = {name: value for name, value in vars(options).items() if name not in ("out", "quick", "strict")}
    took = round(time.perf_counter() - BEGAN, 2)
    content = {"benchmark": Path(sys.argv[0]).stem, "quick": options.quick, "settings": settings, "machine": machine(), "seconds": took}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(content | found, indent=1, default=str) + "\n", encoding="utf-8")


def seconds_of(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """How long some work takes by a clock."""
    start = clock()
    work()
    return clock() - start


def peak_bytes(work: Callable[[], object]) -> int:
    """Most bytes that some work held at a time, beyond what was there before, as PyTorch's profiler saw every allocation."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler has nothing to say
    import torch

    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profiler:
        work()
    with tempfile.TemporaryDirectory() as folder:
        profiler.export_chrome_trace(str(trace := Path(folder) / "trace.json"))
        events = json.loads(trace.read_text())["traceEvents"]
    changes = [(event["ts"], event["args"]["Bytes"]) for event in events if event.get("name") == "[memory]"]
    return max(accumulate(change for _, change in sorted(changes, key=lambda pair: pair[0])), default=0)
