"""The guide that adds a loss, an encoder, a metric, a format and a command really adds them: to a copy of the package, which then runs."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "guides" / "extend.md"
check = SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "check.py")))
tickets = SimpleNamespace(**runpy.run_path(str(ROOT / "examples" / "tickets.py")))
SHOWN = {
    "A loss": "exponential",
    "An encoder": "runs/mean",
    "A metric": "micro overlap",
    "A format": "3 labels",
    "A command": "billing",
}


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)\n", GUIDE.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def apply(section: str, folder: Path) -> None:
    for language, block in check.FENCE.findall(section):
        if language not in ("py", "diff"):
            continue
        first, _, content = block.partition("\n")
        path = folder / first.removeprefix("# ")
        if language == "py":
            assert not path.exists(), f"{path} is there already"
            path.write_text(content)
            continue
        before, after = (line[1:] + "\n" for line in content.splitlines())
        text = path.read_text()
        assert text.count(f"\n{before}") == 1, f"{path}: {before!r} does not stand there once"
        path.write_text(text.replace(f"\n{before}", f"\n{before}{after}"))


def test_every_section_adds_what_it_says(tmp_path: Path) -> None:
    assert {name for name, section in sections().items() if "```py\n" in section} == set(SHOWN)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    tickets.write(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src"), "MULTIHOT_CACHE": str(tmp_path / "cache")}
    for name, word in SHOWN.items():
        section, shown = sections()[name], ""
        apply(section, tmp_path)
        for command in check.commands_of("".join(re.findall(r"```bash\n(.*?)```", section, re.DOTALL))):
            command = re.sub(r"^(python -m )?multihot ", f"{sys.executable} -m multihot ", command)
            done = subprocess.run(["bash", "-euc", command], cwd=tmp_path, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr[-2000:]
            shown += done.stdout + done.stderr
        assert word in shown, name
