"""Model files: damage is detected, foreign files are refused with a remedy in the message, and memory stays bounded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import classifier
from classifier.core.model_file import FORMAT_VERSION, MAX_HIDDEN, MAX_MANIFEST, array_specs, default_path, read_model
from classifier.core.ngrams import Vocabulary
from classifier.core.sealed_json import sealed
from classifier.errors import ModelError
from tests.support import tiny_model
from tests.support.paths import ROOT
from tests.support.tiny_model import allocates_below

SHIPPED = default_path()


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    for suffix in (".npz", ".json"):
        shutil.copy(SHIPPED.with_suffix(suffix), tmp_path)
    return tmp_path / SHIPPED.name


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_model.tiny(tmp_path)


def test_a_copy_loads_by_file_and_by_folder(shipped, sample_page):
    want = classifier.load().clean_text(sample_page)
    assert classifier.load(shipped).clean_text(sample_page) == want
    assert classifier.load(str(shipped.parent)).clean_text(sample_page) == want


def test_links_to_files_are_followed(shipped, tmp_path):
    (tmp_path / "other").mkdir()
    for suffix in (".npz", ".json"):
        (tmp_path / "other" / f"mine{suffix}").symlink_to(shipped.with_suffix(suffix))
    assert read_model(tmp_path / "other" / "mine.npz")[2] == shipped.resolve()


def test_the_largest_allowed_model_is_small():
    most = array_specs(1 << Vocabulary.BITS, MAX_HIDDEN, MAX_HIDDEN)
    assert sum(spec.nbytes for spec in most.values()) < 32 << 20


def test_the_arrays_come_back_as_written(tiny):
    found, fields, _ = read_model(tiny)
    assert list(found) == list(array_specs(tiny_model.VOCABULARY, tiny_model.HIDDEN, tiny_model.STACKED))
    for name, array in tiny_model.arrays().items():
        assert np.array_equal(found[name], array)
        assert found[name].flags.aligned
    assert fields["note"] == "nhỏ"


# -- damage ----------------------------------------------------------------------------------------------------------------


def refused_flips(path: Path, positions: list[int] | range, masks: tuple[int, ...]) -> None:
    """Flip bits at each position of a file in turn and check that the model is refused each time."""
    data = path.read_bytes()
    model = path.with_suffix(".npz")
    with path.open("r+b", buffering=0) as file:
        for at in positions:
            for mask in masks:
                os.pwrite(file.fileno(), bytes([data[at] ^ mask]), at)
                with pytest.raises(ModelError, match=r"make train|not a tinsach|retrain"):
                    read_model(model)
            os.pwrite(file.fileno(), data[at : at + 1], at)
    read_model(model)


@pytest.mark.parametrize("mask", [0x01, 0x20, 0xFF])
def test_every_byte_flipped_in_the_manifest_is_noticed(shipped, mask):
    path = shipped.with_suffix(".json")
    refused_flips(path, range(path.stat().st_size), (mask,))


def test_every_byte_flipped_in_the_headers_of_the_arrays_is_noticed(tiny):
    refused_flips(tiny, tiny_model.header_positions(tiny.read_bytes()), (0x01,))


def test_bytes_flipped_in_the_numbers_are_noticed(tiny):
    positions = np.random.default_rng(1).integers(0, tiny.stat().st_size, 300).tolist()
    refused_flips(tiny, positions, (0x01, 0x80))


def test_bytes_flipped_in_the_shipped_arrays_are_noticed(shipped):
    positions = np.random.default_rng(0).integers(0, shipped.stat().st_size, 40).tolist()
    refused_flips(shipped, positions, (0x01,))


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_every_cut_is_noticed(tiny, suffix):
    path = tiny.with_suffix(suffix)
    data = path.read_bytes()
    for size in [*range(60), *range(60, len(data), 101), len(data) - 1]:
        path.write_bytes(data[:size])
        with pytest.raises(ModelError, match=tiny.stem):
            read_model(tiny)


def test_nothing_may_be_added(tiny):
    for path in (tiny, tiny.with_suffix(".json")):
        data = path.read_bytes()
        for more in (b"\n", b"\0", b"{}", data):
            path.write_bytes(data + more)
            with pytest.raises(ModelError):
                read_model(tiny)
        path.write_bytes(data)


# -- forged manifests with valid digests -----------------------------------------------------------------------------------


MANIFESTS = [
    ({"format": "other"}, "not a tinsach model manifest"),
    ({"format_version": 99}, "format version 99, this tinsach reads"),
    ({"format_version": True}, "format version True"),
    ({"format_version": str(FORMAT_VERSION)}, f"format version '{FORMAT_VERSION}'"),
    ({"format_version": float(FORMAT_VERSION)}, rf"format version {FORMAT_VERSION}\.0"),
    ({"labels": ["title"]}, "other labels or features"),
    ({"labels": [label.value for label in classifier.LABELS][::-1]}, "other labels or features"),
    ({"features_sha256": "0" * 64}, "other labels or features"),
    ({"features_sha256": None}, "other labels or features"),
    ({"arrays_sha256": None}, "no SHA-256 of its arrays"),
    ({"arrays_sha256": "0" * 64}, "differs from the manifest's"),
    *(
        ({name: value}, name)
        for name in ("vocabulary_size", "hidden_size", "stacked_hidden_size")
        for value in ("5", 5.0, True, None, [5], 0, -1, 10**9, 10**30)
    ),
    ({"vocabulary_size": 6}, r"'vocabulary'|'text'"),
    ({"hidden_size": 3}, "'hidden'"),
    ({"stacked_hidden_size": 2}, "'stacked_hidden'"),
]


@pytest.mark.parametrize(("changes", "message"), MANIFESTS, ids=lambda value: str(value)[:50])
def test_a_foreign_manifest_is_refused_with_a_remedy(tiny, changes, message):
    tiny_model.seal(tiny, **changes)
    with pytest.raises(ModelError, match=message) as caught, allocates_below(1 << 20):
        read_model(tiny)
    assert tiny.stem in str(caught.value)
    assert any(hint in str(caught.value) for hint in ("retrain", "make train", "expected")), caught.value


MALFORMED = {
    "empty": b"",
    "no JSON": b"{",
    "NUL": b"\0",
    "no object": b"[]",
    "null": b"null",
    "nested": b"[" * 60_000,
    "nested objects": b'{"a":' * 12_000,
    "long number": b"9" * 60_000,
    "too long": b" " * (MAX_MANIFEST + 1),
    "not UTF-8": b'{"format": "\xff"}',
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_broken_manifest_is_refused(tiny, name):
    tiny.with_suffix(".json").write_bytes(MALFORMED[name])
    with pytest.raises(ModelError, match=r"vi-news\.json"):
        read_model(tiny)


REWRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "compact": lambda data: json.dumps(json.loads(data)).encode(),
    "BOM": lambda data: b"\xef\xbb\xbf" + data,
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "no last line end": lambda data: data[:-1],
    "a space": lambda data: data.replace(b": 5", b":  5"),
    "a field twice": lambda data: data.replace(b"{\n", b'{\n "hidden_size": 9,\n', 1),
    "NaN": lambda data: data.replace(b": 5", b": NaN"),
    "Infinity": lambda data: data.replace(b": 5", b": 1e999"),
    "lone surrogate": lambda data: data.replace("nhỏ".encode(), b"\\ud800"),
    "escapes": lambda data: data.replace("ỏ".encode(), b"\\u1ecf"),
    "digest left out": lambda data: json.dumps(json.loads(data) | {"manifest_sha256": None}, indent=1).encode(),
    "nested value": lambda data: data.replace("nhỏ".encode(), b'", "x": ' + b"[" * 900 + b"]" * 900 + b', "y": "'),
}


@pytest.mark.parametrize("name", REWRITTEN)
def test_only_the_canonical_manifest_is_accepted(tiny, name):
    path = tiny.with_suffix(".json")
    changed = REWRITTEN[name](path.read_bytes())
    assert changed != path.read_bytes()
    path.write_bytes(changed)
    with pytest.raises(ModelError, match=r"altered since it was written|not JSON"):
        read_model(tiny)


def test_the_canonical_form_is_stable():
    fields = json.loads(SHIPPED.with_suffix(".json").read_bytes())
    assert sealed(fields) == SHIPPED.with_suffix(".json").read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        sealed({"score": float("nan")})


# -- paths -----------------------------------------------------------------------------------------------------------------


def linked_folder(folder: Path) -> Path:
    (folder / "loop.npz").symlink_to(folder / "empty")
    return folder / "loop.npz"


def linked_to_itself(folder: Path) -> Path:
    (folder / "self.npz").symlink_to(folder / "self.npz")
    return folder / "self.npz"


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.json")
    return folder / "pipe.npz"


def folder_for_a_file(folder: Path) -> Path:
    (folder / "empty" / "vi-news.json").mkdir()
    return folder / "empty"


PATHS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda folder: folder / "nowhere.npz", r"nowhere\.json: cannot be read \(No such file"),
    "a folder without a model": (lambda folder: folder / "empty", r"empty/vi-news\.json: cannot be read"),
    "a link to such a folder": (linked_folder, r"loop\.npz/vi-news\.json: cannot be read"),
    "a link to itself": (linked_to_itself, r"self\.(npz|json)"),
    "a pipe": (pipe, r"pipe\.json: not a regular file"),
    "a folder where a file belongs": (folder_for_a_file, "not a regular file"),
    "a device": (lambda folder: "/dev/zero", r"/dev/zero: not an \.npz file"),
    "the manifest": (lambda folder: folder / "vi-news.json", r"not an \.npz file; pass the \.npz file"),
    "a name with NUL": (lambda folder: str(folder / "a\0b.npz"), "null|cannot be"),
    "a name too long": (lambda folder: folder / ("a" * 5000), "cannot be"),
    "behind a file": (lambda folder: folder / "vi-news.json" / "vi-news.npz", "cannot be"),
    "a web address": (lambda folder: "https://example.org/vi-news.npz", "cannot be read"),
}


@pytest.mark.parametrize("name", PATHS)
def test_a_place_without_a_model_is_named(tiny, tmp_path, name):
    (tmp_path / "empty").mkdir()
    make_path, message = PATHS[name]
    with pytest.raises(ModelError, match=message):
        classifier.load(make_path(tmp_path))


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_half_a_model_is_no_model(tiny, suffix):
    tiny.with_suffix(suffix).unlink()
    with pytest.raises(ModelError, match=rf"vi-news\{suffix}: cannot be read"):
        classifier.load(tiny)


def test_info_prints_the_digest_of_the_manifest():
    done = subprocess.run([sys.executable, "-m", "classifier", "info", "--json"], capture_output=True, cwd=ROOT)
    assert len(json.loads(done.stdout)["manifest_sha256"]) == 64
