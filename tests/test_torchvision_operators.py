"""torchvision's wheel for CUDA is importable beside a CPU-only PyTorch, and nothing is touched where it fits."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from multihot.torchvision_operators import TorchvisionFinder, install

# what torchvision does while it is imported: a stand-in for its operators in a module of its own, which needs them declared
STAND_INS = """
import torch
@torch.library.register_fake("torchvision::nms")
def fake(dets, scores, iou_threshold): return dets
@torch.library.register_fake("torchvision::qnms")
def fake_too(dets, scores, iou_threshold): return dets
"""
# what a library of operators does when it loads; to define an operator twice is an error
OPERATORS_LOAD = """
import torch
for name in ("nms", "qnms"):
    torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""


def run_with(folder: Path, program: str, extension: str = "") -> subprocess.CompletedProcess:
    package = folder / "torchvision"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").write_text("from . import extension, stand_ins")
    (package / "extension.py").write_text(extension)
    (package / "stand_ins.py").write_text(STAND_INS)
    program = f"import sys; sys.path.insert(0, {str(folder)!r})\n{textwrap.dedent(program)}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_the_import_goes_through_once_multihot_is_imported(tmp_path: Path) -> None:
    program = "import multihot, sys; assert 'torch' not in sys.modules; import torchvision; print(torchvision.stand_ins.__name__)"
    assert run_with(tmp_path, program).stdout == "torchvision.stand_ins\n"
    without = run_with(tmp_path, "import torchvision")
    assert "torchvision::nms does not exist" in without.stderr


def test_operators_that_load_are_not_declared_before(tmp_path: Path) -> None:
    done = run_with(tmp_path, "import multihot, torchvision; print('imported')", OPERATORS_LOAD)
    assert (done.stdout, done.stderr) == ("imported\n", "")


@pytest.mark.parametrize("error", ["RuntimeError: compiled with another CUDA", "ImportError: no such file"])
def test_another_failure_stays_as_it_is(tmp_path: Path, error: str) -> None:
    kind, message = error.split(": ")
    done = run_with(tmp_path, "import multihot, torchvision", f"raise {kind}({message!r})")
    assert done.stderr.endswith(f"\n{error}\n")
    assert "During handling" not in done.stderr  # no second attempt


def test_it_stands_in_front_once_and_finds_nothing_else() -> None:
    install()
    assert sum(isinstance(finder, TorchvisionFinder) for finder in sys.meta_path) == 1
    assert TorchvisionFinder().find_spec("torch") is None
