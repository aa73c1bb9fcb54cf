"""Memory that is freed stays with the process, and comes back without new pages."""

import ctypes
import resource
import sys

import pytest
import torch

from multihot.memory import keep_freed_memory


def pages_of_repeated_tensors() -> int:
    """How many pages the system hands out for a tensor of 16 MiB that is made and freed fifty times over."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        torch.ones(2**22)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="it is about glibc")
def test_tensors_made_again_take_no_new_pages() -> None:
    assert keep_freed_memory()
    assert pages_of_repeated_tensors() < 10 * (2**22 * 4 // resource.getpagesize())  # the first tensors make the heap grow
