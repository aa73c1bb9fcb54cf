"""What all tests share: where the real data lies, and in which precision tests train that name none."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import multihot  # noqa: F401 -- before a test imports torchmetrics or Lightning: see multihot.torchvision_operators
from multihot.training.settings import TrainingSettings

DATA = Path(os.environ.get("MULTIHOT_DATA", Path(__file__).parents[2] / "shared" / "data"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--precision", help='what training.precision "auto" comes to, such as bf16-mixed; by default what users get')


@pytest.fixture(scope="session", autouse=True)
def _precision(request: pytest.FixtureRequest) -> Iterator[None]:
    """Train in the precision of ``--precision``, so that no test hangs on the last digits of a small training."""
    precision = request.config.getoption("precision")
    if precision is None:
        yield
        return
    import multihot.training.fit as training

    def chosen(settings: TrainingSettings) -> str:
        return precision if settings.precision == "auto" else settings.precision

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "resolve_precision", chosen)
        yield


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
