"""Atomic outputs, OS error messages, input discovery, and the check that no output overwrites an input."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from classifier.errors import InputError
from classifier.formats.sources import Source, find_sources, refuse_same_file, targets_in
from classifier.io.addresses import sha256_of
from classifier.io.files import SCRATCH, Sink, atomic_write, os_error_message
from tests.support.paths import ROOT


def fill(path: Path, content: bytes = b"whole\n", error: BaseException | None = None) -> None:
    with atomic_write(path) as out:
        out.write(content[:3])
        if error:
            raise error
        out.write(content[3:])


def test_a_file_appears_whole(tmp_path):
    target = tmp_path / "out.txt"
    with atomic_write(target) as out:
        out.write(b"half")
        assert not target.exists()
        assert [path.name.startswith(SCRATCH) for path in tmp_path.iterdir()] == [True]
    assert target.read_bytes() == b"half"
    assert os.listdir(tmp_path) == ["out.txt"]


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt(), BrokenPipeError(), SystemExit()])
def test_a_failed_write_leaves_the_target_as_it_was(tmp_path, error):
    target = tmp_path / "out.txt"
    with pytest.raises(type(error)):
        fill(target, error=error)
    assert os.listdir(tmp_path) == []
    fill(target, b"old")
    with pytest.raises(type(error)):
        fill(target, error=error)
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out.txt"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_failure_at_the_end_leaves_the_target_as_it_was(tmp_path, monkeypatch, call, code):
    def fail(*args: object) -> None:
        raise OSError(code, os.strerror(code))

    fill(tmp_path / "out.txt", b"old")
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match=os.strerror(code)) as caught:
        fill(tmp_path / "out.txt")
    assert os_error_message(caught.value).startswith(f"{tmp_path / 'out.txt'}: {os.strerror(code)}; ")
    assert (tmp_path / "out.txt").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out.txt"]


def test_a_folder_that_cannot_be_synced_is_no_error(tmp_path, monkeypatch):
    def fail(*args: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "open", fail)
    fill(tmp_path / "out.txt")


def test_names_permissions_and_links(tmp_path):
    fill(tmp_path / "out.txt")
    umask = os.umask(0o022)
    os.umask(umask)
    assert (tmp_path / "out.txt").stat().st_mode & 0o777 == 0o666 & ~umask
    (tmp_path / "out.txt").chmod(0o600)  # the permissions of an existing target are kept
    (tmp_path / "link").symlink_to("out.txt")
    fill(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "out.txt").read_bytes() == b"new"
    assert (tmp_path / "out.txt").stat().st_mode & 0o777 == 0o600
    fill(tmp_path / ("n" * 255))
    with pytest.raises(InputError, match="there is no folder"):
        fill(tmp_path / "missing" / "out.txt")
    with pytest.raises(InputError, match="a folder"):
        fill(tmp_path)
    with pytest.raises(OSError, match="too long"):
        fill(tmp_path / ("n" * 256))


def test_devices_and_pipes_are_written_not_replaced(tmp_path):
    fill(Path("/dev/null"))
    assert not Path("/dev/null").is_file()
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE)
    fill(tmp_path / "pipe")
    assert reader.communicate(timeout=20)[0] == b"whole\n"
    assert os.listdir(tmp_path) == ["pipe"]


@pytest.mark.parametrize("link", ["full", "full.gz"])
def test_a_full_device_is_named(tmp_path, link):
    (tmp_path / link).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        fill(tmp_path / link, b"abc" * 100_000)
    assert caught.value.filename == str(tmp_path / link)


def test_inputs_are_checked_first(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.jsonl").write_text("{}")
    names = [str(tmp_path / "a.txt"), "-", str(tmp_path / "b.jsonl")]
    assert [source.format for source in find_sources(names, None)] == ["text", "text", "jsonl"]
    assert [source.format for source in find_sources(names, "jsonl")] == ["jsonl"] * 3
    assert find_sources(["-"], None)[0].name == "standard input"
    with pytest.raises(InputError, match=r"a folder; .*/\*\.txt"):
        find_sources([*names, str(tmp_path)], None)
    with pytest.raises(FileNotFoundError):
        find_sources([*names, str(tmp_path / "c")], None)


def test_unreadable_inputs_are_refused(tmp_path, monkeypatch):
    (tmp_path / "a.txt").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root can read everything
    with pytest.raises(PermissionError) as caught:
        find_sources([str(tmp_path / "a.txt")], None)
    assert os_error_message(caught.value) == f"{tmp_path / 'a.txt'}: Permission denied; check the path and its permissions"


def test_the_same_file_twice_is_refused(tmp_path):
    real, link, hard, other = (tmp_path / name for name in ("real", "link", "hard", "other"))
    real.write_text("a")
    other.write_text("a")
    link.symlink_to(real)
    hard.hardlink_to(real)
    (tmp_path / "dir").mkdir()
    sources = [Source(str(real), "text")]
    for output in (real, link, hard, tmp_path / "dir" / ".." / "real"):
        with pytest.raises(InputError, match=f"{output}: the same file as the input {real}"):
            refuse_same_file(sources, [other, output])
    for twice in ([other, other], [tmp_path / "new", tmp_path / "dir" / ".." / "new"]):
        with pytest.raises(InputError, match="the same file as the output"):
            refuse_same_file(sources, twice)
    refuse_same_file(sources * 2, [other, tmp_path / "new", "/dev/null", "/dev/null"])
    refuse_same_file([Source("/dev/null", "text")], ["/dev/null"])


def test_targets_have_the_names_of_their_inputs(tmp_path):
    for name in ("a", "b", ".tinsach-x"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").touch()
    a, b, own, again = (Source(str(tmp_path / name), "text") for name in ("a", "b", ".tinsach-x", "sub/a"))
    assert targets_in("out", [a, b]) == ["out/a", "out/b"]
    for sources, message in (([a, again], "same output as"), ([own], "rename it"), ([Source("-", "text")], "files only")):
        with pytest.raises(InputError, match=message):
            targets_in("out", sources)


def test_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc" * 1_000_000)
    digest = subprocess.run(["sha256sum", tmp_path / "a"], capture_output=True, text=True, check=True).stdout.split()[0]
    assert sha256_of(tmp_path / "a") == digest


def test_errors_name_the_file(tmp_path):
    with open("/dev/full", "wb") as full:
        with pytest.raises(OSError, match="space") as caught:
            Sink(full, "page.txt", live=True).write(b"a")
        with suppress(OSError):
            full.close()
    assert os_error_message(caught.value) == "page.txt: No space left on device; make room and run it again"


# -- real disks -----------------------------------------------------------------------------------------------------------


def clean(*args: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "classifier", "clean", "--threshold", "0", *args], capture_output=True, cwd=ROOT, timeout=60, **options
    )


@pytest.fixture
def big_page(tmp_path, sample_page) -> Path:
    (tmp_path / "page.txt").write_text(sample_page * 100, encoding="utf-8")
    return tmp_path / "page.txt"


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize(
    "where", [["--output", "out.txt"], ["--output", "/dev/null", "--dropped", "out.txt", "--threshold", "1"], ["--output-dir", ""]]
)
def test_a_full_disk_leaves_no_half_file(small_disk, big_page, where):
    args = [str(small_disk / word) if word in ("out.txt", "") else word for word in where]
    done = clean(str(big_page), *args)
    assert done.returncode == 2
    assert b"No space left on device; make room" in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert set(os.listdir(small_disk)) <= {".tinsach-resume.jsonl"}


def test_a_size_limit_leaves_no_half_file(tmp_path, big_page):
    (tmp_path / "out").mkdir()
    done = clean(str(big_page), "--output", str(tmp_path / "out" / "page.txt"),
                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)))  # fmt: skip
    assert done.returncode == 2
    assert b"out/page.txt: File too large" in done.stderr
    assert os.listdir(tmp_path / "out") == []
