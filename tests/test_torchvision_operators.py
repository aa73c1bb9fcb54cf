"""torchvision's wheel for CUDA is importable beside a CPU-only PyTorch, and nothing is touched where it fits."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from multihot.torchvision_operators import OPERATORS, TorchvisionFinder, declare_operators, install

# what torchvision does while it is imported: its own operators, if they load, and a stand-in for nms, which needs them declared
IMPORTED = """
import torch
@torch.library.register_fake("torchvision::nms")
def fake(dets, scores, iou_threshold): return dets
@torch.library.register_fake("torchvision::qnms")
def fake_too(dets, scores, iou_threshold): return dets
"""


def run_with(folder: Path, program: str) -> subprocess.CompletedProcess:
    (folder / "torchvision").mkdir(exist_ok=True)
    (folder / "torchvision" / "__init__.py").write_text(IMPORTED)
    (folder / "torchvision" / "_C.so").write_bytes(b"made for another build")
    program = f"import sys; sys.path.insert(0, {str(folder)!r})\n{textwrap.dedent(program)}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_the_import_goes_through_once_multihot_is_imported(tmp_path: Path) -> None:
    program = "import multihot, sys; assert 'torch' not in sys.modules; import torchvision; print('imported')"
    assert run_with(tmp_path, program).stdout == "imported\n"
    without = run_with(tmp_path, "import torchvision")
    assert "torchvision::nms does not exist" in without.stderr


def test_it_stands_in_front_once_and_finds_nothing_else() -> None:
    install()
    assert sum(isinstance(finder, TorchvisionFinder) for finder in sys.meta_path) == 1
    assert TorchvisionFinder().find_spec("torch") is None


def test_operators_that_load_are_not_declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "_C.so").write_bytes(b"")
    declared: list[str] = []
    monkeypatch.setattr(torch.library, "define", lambda name, signature: declared.append(name))
    monkeypatch.setattr(torch.ops, "load_library", lambda path: None)
    assert not declare_operators(tmp_path)
    assert declared == []
    assert OPERATORS == ("nms", "qnms")
