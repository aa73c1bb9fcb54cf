"""Linear algebra takes one thread in each worker, and what it had before afterwards, whatever happens inside."""

import threading

import datasets
import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits
from torch.utils.data import DataLoader

from multihot.classical.base import run_in_parallel
from multihot.data.batches import make_loader
from multihot.labels import LabelSpace
from multihot.threads import available_cores, one_blas_thread
from multihot.training.stream import stream_loader


def blas_threads() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.fixture(autouse=True)
def several():
    """As in a shell that says nothing of threads, on a machine with three cores."""
    with threadpool_limits(3, "blas"):
        assert blas_threads()
        assert set(blas_threads()) == {3}
        yield


@pytest.mark.parametrize("jobs", [None, 1, 2, 4])
def test_workers_get_one_thread_each_and_the_limit_ends_with_them(jobs):
    inside = run_in_parallel(lambda item: blas_threads(), range(6), jobs)
    assert {count for counts in inside for count in counts} == {1}
    assert set(blas_threads()) == {3}


def test_the_limit_ends_after_an_error_in_a_worker_or_in_what_is_told_of_it():
    with pytest.raises(ZeroDivisionError):
        run_in_parallel(lambda item: 1 // item, [1, 0, 1], 2)
    assert set(blas_threads()) == {3}

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_in_parallel(abs, [1, 2], 2, interrupted)
    assert set(blas_threads()) == {3}


def test_blocks_that_overlap_end_with_the_last_of_them():
    first_is_open, second_is_open, first_is_closed = (threading.Event() for _ in range(3))
    seen = []

    def first() -> None:
        with one_blas_thread():
            first_is_open.set()
            second_is_open.wait(30)
        first_is_closed.set()

    def second() -> None:
        first_is_open.wait(30)
        with one_blas_thread():
            second_is_open.set()
            first_is_closed.wait(30)
            seen.extend(blas_threads())

    threads = [threading.Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {1}
    assert set(blas_threads()) == {3}


def test_blocks_inside_each_other():
    with one_blas_thread():
        with one_blas_thread():
            assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {3}


def test_cores_are_those_this_process_may_use(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {4, 7, 9}, raising=False)
    assert available_cores() == 3
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert available_cores() == 1


ROWS = datasets.Dataset.from_list([{"id": str(row), "values": [0.0], "labels": ["a"]} for row in range(8)])


class Told:
    """Hands on the threads of the process that prepares a batch, in place of its inputs."""

    columns = ("values",)

    def length(self, rows):
        return None

    def for_training(self):
        return self

    def collate(self, rows):
        np.ones((200, 200)) @ np.ones((200, 200))  # linear algebra starts its threads when it is first used
        return {"threads": torch.tensor([*blas_threads(), torch.get_num_threads()])}


def told_by(loader: DataLoader) -> set[int]:
    return {count for batch in loader for count in batch.inputs["threads"].tolist()}


def test_processes_that_load_take_one_thread_each():
    for shuffle in (True, False):
        assert told_by(make_loader(ROWS, Told(), LabelSpace(["a"]), batch_size=2, shuffle=shuffle, by_length=False, workers=2)) == {1}
    assert set(blas_threads()) == {3}


def test_a_loader_over_the_whole_training_limits_its_processes_too():
    epoch_loader = make_loader(ROWS, Told(), LabelSpace(["a"]), batch_size=2, shuffle=True, by_length=False, workers=1)
    assert told_by(stream_loader(epoch_loader, updates=4)) == {1}
