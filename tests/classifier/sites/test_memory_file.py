"""Site-memory files: lossless round trips, and refusal of damaged or forged files."""

from __future__ import annotations

import errno
import gzip
import io
import os
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import InputError, SiteMemory
from classifier.core.sealed_json import sealed
from classifier.io import files
from classifier.sites.bit_sketch import BitSketch
from classifier.sites.memory_file import memory_bytes, read_memory

SHAPE = BitSketch.shape(6)
SAVED = {"pages": 3, "counted": 17, "resets": {"00ff00ff00ff00ff": 2}}


@pytest.fixture(scope="module")
def cells():
    return np.random.default_rng(2).integers(0, 1 << 63, SHAPE, dtype=np.uint64)


@pytest.fixture
def file(tmp_path, cells):
    (tmp_path / "m.npz").write_bytes(memory_bytes(cells, SAVED))
    return tmp_path / "m.npz"


def test_round_trip(file, cells):
    found, saved = read_memory(file, SHAPE)
    assert np.array_equal(found, cells)
    assert found.flags.writeable
    assert {name: saved[name] for name in SAVED} == SAVED


def test_numpy_reads_it_too(file, cells):
    with np.load(file, allow_pickle=False) as arrays:
        assert np.array_equal(arrays["cells"], cells)


def test_the_same_memory_gives_the_same_bytes(file, cells):
    assert file.read_bytes() == memory_bytes(cells, SAVED)


@pytest.mark.parametrize("name", ["m.npz", "m.npz.gz", "memory.zst", "bộ nhớ"])
def test_a_whole_memory_round_trip(cleaner, composed_pages, tmp_path, name):
    if name.endswith(".zst"):
        pytest.importorskip("zstandard")
    memory = SiteMemory(4)
    cleaner.at("a.vn").label_pages(composed_pages[:10], memory=memory)
    memory.reset("a.vn")
    cleaner.at("a.vn").label_pages(composed_pages[5:10], memory=memory)
    memory.save(tmp_path / name)
    found = SiteMemory.load(tmp_path / name)
    assert (found.pages, found.counted) == (4, memory.counted)
    for page in composed_pages[:10]:
        for line in page.splitlines()[:3]:
            assert found.seen_on(line, "a.vn") == memory.seen_on(line, "a.vn")
    assert SiteMemory.load(tmp_path / name, pages=9).pages == 9
    with pytest.raises(InputError, match="1 to 26"):
        SiteMemory.load(tmp_path / name, pages=0)
    # Both continue identically.
    labels, others = (cleaner.at("a.vn").label_pages(composed_pages, memory=each) for each in (memory, found))
    assert np.array_equal(labels.probabilities, others.probabilities)
    assert np.array_equal(found.sketch.cells, memory.sketch.cells)


# -- damage ----------------------------------------------------------------------------------------------------------------


@settings(max_examples=400)
@given(st.data())
def test_a_changed_byte_is_refused_or_harmless(cells, tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "changed.npz"
    content = bytearray(memory_bytes(cells, SAVED))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert_refused_or_harmless(path, cells)


def test_every_byte_outside_the_cells_flipped(file, cells):
    content = file.read_bytes()
    start = content.index(cells.tobytes())
    for place in [*range(start), *range(start + cells.nbytes, len(content))]:
        changed = bytearray(content)
        changed[place] ^= 1
        file.write_bytes(changed)
        assert_refused_or_harmless(file, cells)


def assert_refused_or_harmless(path, cells):
    complaint = ""
    try:
        found, saved = read_memory(path, SHAPE)
    except InputError as error:
        complaint = str(error)
    if complaint:
        assert complaint.startswith(f"{path}: ")
        assert complaint.endswith("another file to begin a new one")
        assert "\n" not in complaint
    else:
        assert np.array_equal(found, cells)
        assert {name: saved[name] for name in SAVED} == SAVED


def test_cut_and_longer_files(file):
    content = file.read_bytes()
    for changed in (b"", content[:-1], content[: len(content) // 2], content + b"x", b"x" + content, b"Trang chu\n" * 99):
        file.write_bytes(changed)
        with pytest.raises(InputError, match=r"m\.npz: damaged, or not a site memory"):
            read_memory(file, SHAPE)


def forged(path, about, cells):
    """Write a file with valid digests, as an attacker could."""
    buffer = io.BytesIO()
    np.savez(buffer, about=np.frombuffer(about, np.uint8), cells=cells)
    path.write_bytes(buffer.getvalue())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "tinsach-line-model"}, "not a site memory"),
        ({"format_version": 1}, "another version"),
        ({"lines_hash": "0"}, "another version"),
        ({"pages": 0}, "not that of a site memory"),
        ({"pages": 27}, "not that of a site memory"),
        ({"pages": True}, "not that of a site memory"),
        ({"pages": "3"}, "not that of a site memory"),
        ({"counted": -1}, "not that of a site memory"),
        ({"counted": 1 << 70}, "not that of a site memory"),
        ({"resets": []}, "not that of a site memory"),
        ({"resets": {"x": 0.5}}, "not that of a site memory"),
        ({"cells_sha256": "0"}, "do not match their digest"),
    ],
)
def test_forged_metadata_is_refused(file, cells, change, message):
    _, saved = read_memory(file, SHAPE)
    forged(file, sealed(saved | change), cells)
    with pytest.raises(InputError, match=message):
        read_memory(file, SHAPE)


@pytest.mark.parametrize("about", [b"{}", b"[" * 100_000, b"null", b"\xff", b'{"format": NaN}'])
def test_malformed_metadata_is_refused(file, cells, about):
    forged(file, about, cells)
    with pytest.raises(InputError, match="not a site memory"):
        read_memory(file, SHAPE)


def test_arrays_of_another_kind_are_refused(file, cells):
    _, saved = read_memory(file, SHAPE)
    for other in (cells[:3], cells.astype(np.int8), cells.T, np.array([{"run": print}], object), cells.ravel()):
        forged(file, sealed(saved), other)
        with pytest.raises(InputError, match="not a site memory"):
            read_memory(file, SHAPE)


def test_a_compressed_bomb_is_not_unpacked(file):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("about.npy", "cells.npy"):
            archive.writestr(name, bytes(1 << 24))
    with pytest.raises(InputError, match="not a site memory"):
        read_memory(file, SHAPE)
    packed = file.with_name("m.npz.gz")
    packed.write_bytes(gzip.compress(bytes(1 << 24)))
    with pytest.raises(InputError, match="larger than any"):
        read_memory(packed, SHAPE)
    packed.write_bytes(packed.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"larger than any|damaged or cut"):
        read_memory(packed, SHAPE)


def test_invalid_paths_are_refused(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        SiteMemory.load(tmp_path / "none.npz")
    with pytest.raises(InputError, match="not a regular file"):
        SiteMemory.load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="not a regular file"):
        SiteMemory.load(tmp_path / "pipe")
    with pytest.raises(InputError, match="not a valid file name"):
        SiteMemory.load("a\0b")


def test_an_old_file_stays_if_the_new_one_cannot_be_written(tmp_path, monkeypatch):
    file = tmp_path / "m.npz.gz"
    SiteMemory(4).save(file)

    def full(file: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files, "force_to_disk", full)
        with pytest.raises(OSError, match=r"No space left on device: '.*m\.npz\.gz'"):
            SiteMemory(5).save(file)
    assert SiteMemory.load(file).pages == 4
    assert os.listdir(tmp_path) == ["m.npz.gz"]
    with pytest.raises(InputError, match="make it first"):
        SiteMemory().save(tmp_path / "missing" / "m.npz")
