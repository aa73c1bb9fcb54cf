"""Every benchmark of this folder, one after another, and a table of how they ended.

    python benchmarks --out runs/benchmarks
    python benchmarks --quick

A benchmark that breaks does not keep the others from running; the exit status says at the end that one did.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def run(path: Path, out: Path, flags: list[str]) -> tuple[str, float]:
    """How a benchmark ended, in a few words, and its seconds."""
    print(f"\n== {path.stem}", flush=True)
    out.unlink(missing_ok=True)
    began = time.perf_counter()
    status = subprocess.run([sys.executable, str(path), "--out", str(out), *flags], check=False).returncode
    seconds = time.perf_counter() - began
    if not out.exists():
        return f"FAILED, exit status {status}, no figures written", seconds
    found = json.loads(out.read_text(encoding="utf-8"))
    if "skipped" in found:
        return f"skipped: {found['skipped']}", seconds
    words = f"limits missed: {', '.join(found['missed'])}" if found["missed"] else "done"
    return f"FAILED, exit status {status}; {words}" if status else words, seconds


def main() -> int:
    """Run them all, print the table, and fail where one of them did."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="which benchmarks; all by default")
    parser.add_argument("--quick", action="store_true", help="the form of seconds of each")
    parser.add_argument("--strict", action="store_true", help="count a missed limit as a failure")
    parser.add_argument("--out", type=Path, help="a folder for the figures, one JSON file a benchmark")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent, help="where the benchmarks are")
    options = parser.parse_args()
    flags = [f"--{name}" for name in ("quick", "strict") if getattr(options, name)]
    ends: dict[str, tuple[str, float]] = {}
    with tempfile.TemporaryDirectory() as spare:
        out = options.out or Path(spare)
        paths = {path.stem: path for path in sorted(options.folder.glob("[!_]*.py"))}
        if unknown := [name for name in options.names if name not in paths]:
            parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(paths)}")
        for path in [paths[name] for name in options.names or paths]:
            ends[path.stem] = run(path, out / f"{path.stem}.json", flags)
    print("\n| benchmark | seconds | |\n|---|---|---|")
    for name, (words, seconds) in ends.items():
        print(f"| {name} | {seconds:.1f} | {words} |")
    failed = [name for name, (words, _) in ends.items() if words.startswith("FAILED")]
    print(f"\n{len(ends) - len(failed)} of {len(ends)} benchmarks ran to their end" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
