"""Forged model archives with valid digests: each is refused, without allocating memory for its contents."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from classifier.core.model_file import array_specs, read_model
from classifier.errors import ModelError
from tests.support import tiny_model
from tests.support.tiny_model import allocates_below


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_model.tiny(tmp_path)


def rows(count: int) -> tuple[int, int]:
    return (count, array_specs(1, 1, 1)["output"].shape[1])


OUTPUT = tiny_model.arrays()["output"]
ARCHIVES: dict[str, tuple[Callable[[Path], object], str]] = {
    "deflated": (lambda path: tiny_model.rezip(path, compression=zipfile.ZIP_DEFLATED), "compressed"),
    "one array more": (lambda path: tiny_model.rezip(path, {"more.npy": b""}), "holds .*more"),
    "a script": (lambda path: tiny_model.rezip(path, {"setup.py": b"print()"}), "holds"),
    "a path": (lambda path: tiny_model.rezip(path, {"../../evil.npy": b""}), "holds"),
    "of another shape": (lambda path: tiny_model.tiny(path.parent, {"output": OUTPUT.T.copy()}), "'output' is not"),
    "fewer rows": (lambda path: tiny_model.tiny(path.parent, {"output": OUTPUT[:1]}), "'output' is not"),
    "Fortran order": (lambda path: tiny_model.tiny(path.parent, {"output": np.asfortranarray(OUTPUT)}), "'output' is not"),
    "float32": (lambda path: tiny_model.tiny(path.parent, {"output": OUTPUT.astype(np.float32)}), "'output' is not"),
    "big endian": (lambda path: tiny_model.tiny(path.parent, {"output": OUTPUT.astype(">f8")}), "'output' is not"),
    "structured": (
        lambda path: tiny_model.rezip(path, {"output.npy": tiny_model.npy("[('a', '<f8')]", rows(2), bytes(192))}),
        "'output' is not",
    ),
    "claims gigabytes": (
        lambda path: tiny_model.rezip(path, {"output.npy": tiny_model.npy("'<f8'", rows(1 << 40), bytes(192))}),
        "'output' is not",
    ),
    "negative shape": (
        lambda path: tiny_model.rezip(path, {"output.npy": tiny_model.npy("'<f8'", (-1, 12), bytes(192))}),
        "'output' is not",
    ),
    "header with code": (
        lambda path: tiny_model.rezip(path, {"output.npy": tiny_model.npy("'<f8'", "print(1)", bytes(192))}),
        "'output' is not",
    ),
    "deep header": (lambda path: tiny_model.rezip(path, {"output.npy": tiny_model.npy("'<f8'", "(" * 600, bytes(192))}), "'output' is not"),
    "too little data": (
        lambda path: tiny_model.rezip(path, {"output.npy": tiny_model.npy("'<f8'", rows(2), bytes(191))}),
        "'output' is not",
    ),
    "too much data": (lambda path: tiny_model.rezip(path, {"output.npy": tiny_model.npy("'<f8'", rows(2), bytes(193))}), "'output' is not"),
    "empty array file": (lambda path: tiny_model.rezip(path, {"output.npy": b""}), "'output' is not"),
    "header version 2": (lambda path: tiny_model.rezip(path, {"output.npy": b"\x93NUMPY\2\0" + bytes(300)}), "'output' is not"),
    "NaN": (lambda path: tiny_model.tiny(path.parent, {"output": OUTPUT * np.nan}), "NaN, infinite"),
    "infinite": (lambda path: tiny_model.tiny(path.parent, {"output": OUTPUT + np.inf}), "NaN, infinite"),
    "huge": (lambda path: tiny_model.tiny(path.parent, {"output": OUTPUT + 1e300}), "implausibly large"),
    "shared bucket": (
        lambda path: tiny_model.tiny(path.parent, {"vocabulary": np.uint64(1 << 16) * np.arange(5, dtype=np.uint64)}),
        "bucket",
    ),
    "an array twice": (lambda path: doubled(path), "holds"),
    "no zip": (lambda path: resealed(path, bytes(500)), "not an array file"),
    "a plain array": (lambda path: resealed(path, tiny_model.npy("'<f8'", rows(2), bytes(192))), "not an array file"),
    "a pickle": (lambda path: resealed(path, pickle.dumps([1, 2])), "not an array file"),
    "empty": (lambda path: resealed(path, b""), "not an array file"),
    "something before": (lambda path: resealed(path, b"#!/bin/sh\n" + path.read_bytes()), "out of place"),
    "something after": (lambda path: resealed(path, path.read_bytes() + b"tail"), "between or after"),
    "a comment": (lambda path: resealed(path, path.read_bytes()[:-2] + b"\4\0tail"), "between or after"),
}


def resealed(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    tiny_model.seal(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def doubled(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("output.npy", archive.read("output.npy"))
    tiny_model.seal(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ARCHIVES)
def test_a_forged_archive_is_refused(tiny, name):
    change, message = ARCHIVES[name]
    change(tiny)
    with pytest.raises(ModelError, match=message) as caught, allocates_below(1 << 20):
        read_model(tiny)
    assert str(tiny) in str(caught.value)


def test_a_zip_bomb_is_refused_before_it_is_inflated(tiny):
    tiny_model.rezip(tiny, {"output.npy": bytes(200 << 20)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelError, match=r"bytes where at most|compressed"), allocates_below(1 << 20):
        read_model(tiny)
    tiny_model.rezip(tiny, {"output.npy": bytes(4 << 20)}, zipfile.ZIP_DEFLATED)  # below the size limit, so it is read
    with pytest.raises(ModelError, match="compressed"), allocates_below(1 << 20):
        read_model(tiny)


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_a_huge_file_is_refused_unread(tiny, suffix):
    os.truncate(tiny.with_suffix(suffix), 1 << 34)  # a sparse file
    with pytest.raises(ModelError, match="17179869184 bytes where at most"), allocates_below(1 << 20):
        read_model(tiny)
