"""The reader of MATLAB files against SciPy's, in every type and byte order, and with every byte changed."""

import io
import struct

import numpy as np
import pytest
from scipy import sparse
from scipy.io import loadmat, savemat

from multihot.data.formats.matlab import read_matrices
from multihot.errors import DataError

TYPES = ["f4", "f8", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]


def saved(compressed: bool = False, **variables) -> bytes:
    savemat(file := io.BytesIO(), variables, do_compression=compressed)
    return file.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
def test_matrices_are_what_scipy_reads(compressed):
    draw = np.random.default_rng(0)
    made = {f"of_{kind}": (draw.random((3, 5)) * 100).astype(kind) for kind in TYPES}
    made |= {"row": np.arange(7.0)[None], "column": np.arange(2.0)[:, None], "x": np.uint8([[3]]), "cube": draw.random((2, 3, 4))}
    content = saved(compressed, **made)
    expected = {name: value for name, value in loadmat(io.BytesIO(content)).items() if not name.startswith("__")}
    found = read_matrices(content, "x.mat")
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)
        assert found[name].dtype == value.dtype


def test_the_other_byte_order():
    def element(kind, body):
        return struct.pack(">II", kind, len(body)) + body + b"\0" * (-len(body) % 8)

    body = (
        element(6, struct.pack(">II", 6, 0))
        + element(5, struct.pack(">ii", 2, 1))
        + element(1, b"x")
        + element(9, struct.pack(">dd", 0.5, -2))
    )
    content = b" " * 124 + struct.pack(">H", 0x0100) + b"MI" + element(14, body)
    np.testing.assert_array_equal(loadmat(io.BytesIO(content))["x"], [[0.5], [-2]])
    np.testing.assert_array_equal(read_matrices(content, "x.mat")["x"], [[0.5], [-2]])


def test_variables_of_another_kind_are_known_by_name_alone():
    other = {"text": "abc", "parts": {"a": 1.0}, "cells": np.array([1, "a"], dtype=object), "thin": sparse.csc_matrix(np.eye(3))}
    found = read_matrices(saved(**other, complex=np.array([[1j]]), full=np.eye(2)), "x.mat")
    assert {name for name, value in found.items() if value is None} == {*other, "complex"}
    np.testing.assert_array_equal(found["full"], np.eye(2))


@pytest.mark.parametrize("compressed", [False, True])
def test_any_changed_byte_is_read_or_refused(compressed):
    content = saved(compressed, features=np.arange(6.0).reshape(2, 3), x=np.uint8([[1, 2]]))
    read, refused = 0, []
    for place in range(len(content)):
        for changed in (0, 1, 107, 255):
            altered = content[:place] + bytes([changed]) + content[place + 1 :]
            try:
                read_matrices(altered, "x.mat")
                read += 1
            except DataError as error:
                refused.append(str(error))
    assert min(read, len(refused)) > 100
    assert all(message.startswith("x.mat: ") and "\n" not in message for message in refused)


def test_a_file_cut_short_is_refused():
    content = saved(features=np.eye(2))
    for length in range(len(content)):
        if length != 128:  # a header alone is a file without variables
            with pytest.raises(DataError, match=r"x\.mat: (no MATLAB file of version 5|the MATLAB file is cut short or altered)"):
                read_matrices(content[:length], "x.mat")
