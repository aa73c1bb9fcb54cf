"""What all tests share: where the real data lies."""

import os
from pathlib import Path

import pytest

import multihot  # noqa: F401 -- before a test imports torchmetrics or Lightning: see multihot.torchvision_operators

DATA = Path(os.environ.get("MULTIHOT_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets; tests that need it are skipped where it is missing."""
    if not DATA.is_dir():
        pytest.skip(f"no data sets at {DATA}; set MULTIHOT_DATA to the folder that holds them")
    return DATA


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests never touch the user's cache; one cache a test run keeps prepared data between tests."""
    cache = tmp_path_factory.getbasetemp() / "multihot-cache"
    monkeypatch.setenv("MULTIHOT_CACHE", str(cache))
