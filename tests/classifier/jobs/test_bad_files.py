"""Bad files in a crawl folder: one that cannot be used is left out by name, and costs nothing else; with one process or two."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from classifier.cli import main
from classifier.formats.sources import Source
from classifier.io.files import SCRATCH
from classifier.jobs.inputs import file_fault
from tests.support.paths import CASES

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
VIETNAMESE = "Chiều nay, bà con xóm chài kéo lưới về bến sớm hơn thường lệ vì gió đông bắc đã nổi lên từ trưa.\n"


@pytest.fixture
def crawl(tmp_path, monkeypatch, composed_pages) -> Path:
    """A folder of three good files, one of them with a bad record, and of seven that cannot be used."""
    monkeypatch.chdir(tmp_path)
    folder = Path("crawl")
    (folder / "sub").mkdir(parents=True)
    records = "".join(json.dumps({"id": number, "text": page}) + "\n" for number, page in enumerate(composed_pages * 2)).encode()
    files = {
        "a.txt": composed_pages[0].encode(), "sub/z.txt": composed_pages[1].encode(), "crawl.jsonl": records + b'{"text": 5}\n',
        "cut.jsonl.gz": gzip.compress(records)[:-2000], "legacy.txt": (CASES / "windows-1258.txt").read_bytes(), "photo.txt": PNG,
        "misnamed.jsonl": composed_pages[2].encode(), "plain.txt.gz": b"not compressed\n",
        "late.txt": (VIETNAMESE * 90).encode() + b"\0" * 9000,
    }  # fmt: skip
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "gone.txt").symlink_to("nowhere")
    return folder


BAD = ("cut.jsonl.gz", "gone.txt", "late.txt", "legacy.txt", "misnamed.jsonl", "photo.txt", "plain.txt.gz")
GOOD = ["a.txt", "crawl.jsonl", "sub/z.txt"]


def outputs(folder: str) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in Path(folder).rglob("[!.]*") if path.is_file()}


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_bad_files_are_left_out_and_tried_again(crawl, capsys, jobs, cleaner, composed_pages):
    command = ["clean", "crawl", "--output-dir", "clean", "--on-error", "skip", "--jobs", jobs, "--stats", "stats.json"]
    assert main(command) == 1
    said = capsys.readouterr().err
    assert sum(f"left out: crawl/{name}: " in said for name in BAD) == 5
    assert "tinsach: 10 files in, 3 used, 7 left out, 2 of them not named here\n" in said
    assert sorted(outputs("clean")) == GOOD
    assert outputs("clean")["a.txt"].decode().rstrip("\n") == cleaner.clean_text(composed_pages[0])
    stats = json.loads(Path("stats.json").read_text())
    assert stats["files_left_out"] == 7
    assert stats["records"] == len(composed_pages) * 2 + 1  # none of the file that was cut
    (crawl / "legacy.txt").write_text(composed_pages[3], encoding="utf-8")
    assert main([*command, "--resume", "--summary"]) == 1
    said = capsys.readouterr().err
    assert "cleaned 1 file, found 3 finished" in said
    assert "10 files in, 4 used, 6 left out" in said
    assert sorted(outputs("clean")) == sorted([*GOOD, "legacy.txt"])


def test_quarantine_names_files_and_keeps_records_as_they_were(crawl, capsys):
    for more in ([], ["--resume"]):
        command = ["clean", "crawl", "--output-dir", "clean", "--on-error", "quarantine", "bad.jsonl", "--dropped", "dropped.tsv"]
        assert main([*command[:-2], *more] if more else command) == 1
        lines = Path("bad.jsonl").read_bytes().splitlines()
        assert b'{"text": 5}' in lines
        entries = [json.loads(line) for line in lines if line != b'{"text": 5}']
        assert sorted(entry["file"] for entry in entries) == [f"crawl/{name}" for name in BAD]
        reasons = {entry["file"]: entry["reason"] for entry in entries}
        assert reasons["crawl/legacy.txt"].startswith("looks like Vietnamese in windows-1258")
        assert reasons["crawl/photo.txt"] == "looks like a PNG image; tinsach reads text"
        assert reasons["crawl/misnamed.jsonl"].startswith("none of its lines is JSON (line 1: ")
    assert "7 left out and recorded in bad.jsonl" in capsys.readouterr().err
    assert "xóm chài" not in Path("dropped.tsv").read_text(encoding="utf-8")  # late.txt is bad only at its end


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_without_the_option_the_run_stops_and_says_how_to_go_on(crawl, capsys, jobs):
    (crawl / "gone.txt").unlink()
    (crawl / "crawl.jsonl").unlink()
    command = ["clean", "crawl", "--output-dir", "clean", "--jobs", jobs]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert said.startswith("tinsach: crawl/cut.jsonl.gz: damaged or cut")
    assert said.endswith("; to leave out such files and go on, add --on-error skip --resume or --on-error quarantine FILE --resume\n")
    finished = len(outputs("clean"))
    assert finished
    assert main([*command, "--on-error", "skip", "--resume", "--summary"]) == 1  # as advised: nothing is done twice
    assert f"found {finished} finished" in capsys.readouterr().err
    assert sorted(outputs("clean")) == ["a.txt", "sub/z.txt"]


def test_an_unreadable_file_in_a_folder_is_named_before_the_work(crawl, capsys):
    assert main(["clean", "crawl", "--output-dir", "clean"]) == 2
    assert "crawl/gone.txt: No such file" in capsys.readouterr().err
    assert not Path("clean").exists()
    assert main(["clean", "crawl/gone.txt", "--output-dir", "clean", "--on-error", "skip"]) == 2  # named by the user: a mistake


def test_what_an_earlier_run_skipped_is_an_error_again(crawl, capsys):
    command = ["clean", "crawl/crawl.jsonl", "--output-dir", "clean"]
    assert main([*command, "--on-error", "skip"]) == 1
    assert main([*command, "--resume"]) == 2
    assert "field 'text' is not text" in capsys.readouterr().err


def test_a_shared_output_holds_nothing_of_a_bad_file(crawl, capsys, composed_pages):
    texts = [f"crawl/{name}" for name in ("late.txt", "a.txt", "legacy.txt", "photo.txt")]
    assert main(["clean", *texts, "--on-error", "skip", "--output", "all.txt"]) == 1
    assert main(["clean", "crawl/a.txt", "--output", "one.txt"]) == 0
    assert Path("all.txt").read_bytes() == Path("one.txt").read_bytes()
    Path("json.txt").write_text('{"text": "một"}\n{"text": "hai"}\n', encoding="utf-8")
    pages = ["crawl/a.txt", "json.txt", "crawl/sub/z.txt"]
    assert main(["clean", *pages, "--on-error", "skip", "--output", "all.txt"]) == 1
    assert main(["clean", *pages[::2], "--output", "two.txt"]) == 0
    assert Path("all.txt").read_bytes() == Path("two.txt").read_bytes()
    records = ["crawl/cut.jsonl.gz", "crawl/crawl.jsonl", "crawl/misnamed.jsonl"]
    assert main(["clean", *records, "--on-error", "skip", "--output", "all.jsonl", "--jobs", "2"]) == 1
    assert len(Path("all.jsonl").read_bytes().splitlines()) == 2 * len(composed_pages)
    capsys.readouterr()
    assert main(["clean", "crawl/photo.txt", "crawl/legacy.txt", "--on-error", "quarantine", "bad", "--output", "none.txt"]) == 1
    assert not Path("none.txt").exists()
    assert len(Path("bad").read_bytes().splitlines()) == 2


def test_files_with_the_same_output_name(crawl, capsys, composed_pages):
    (crawl / "a.html").write_text("<p>Bến cá sáng sớm</p>", encoding="utf-8")
    pytest.importorskip("resiliparse")
    assert main(["clean", "crawl", "--output-dir", "clean", "--on-error", "quarantine", "bad"]) == 1
    assert '"reason": "would have the same output as crawl/a.html; name different folders for them"' in Path("bad").read_text()


def test_files_of_unknown_kinds_are_counted(crawl, capsys):
    for name in ("x.png", "y.png", "z.PDF", "Makefile", ".hidden"):
        (crawl / name).write_bytes(PNG)
    os.mkfifo(crawl / "pipe.txt")
    for command in (
        ["clean", "crawl", "--output-dir", "clean", "--stats", "s"],
        ["label", "crawl", "--output-dir", "l"],
        ["pick", "crawl"],
    ):
        assert main([*command, "--on-error", "skip"]) == 1
        said = capsys.readouterr().err.splitlines()[0]
        assert said.startswith("tinsach: ignored 5 files whose names have no known format (2 .png, ")
        assert all(kind in said for kind in ("1 .pdf", "1 without suffix", "1 pipe or device"))
    assert json.loads(Path("s").read_text())["files_ignored"] == 5


def test_counts_after_resuming_are_those_of_one_run(crawl, capsys):
    command = ["clean", "crawl", "--output-dir", "clean", "--on-error", "skip", "--max-dropped", "0.5", "--stats"]
    (crawl / "menu.txt").write_text("Trang chủ\nThời sự\n", encoding="utf-8")
    assert main([*command, "1"]) == 1
    one = capsys.readouterr().err
    assert "1 page has no line kept: crawl/menu.txt" in one
    (Path("clean") / "a.txt").unlink()
    assert main([*command, "2", "--resume"]) == 1
    assert sorted(capsys.readouterr().err.split()) == sorted(one.split())
    first, second = ({key: value for key, value in json.loads(Path(name).read_text()).items() if "second" not in key} for name in "12")
    assert second.pop("files_found_finished") == 3
    assert first.pop("files_found_finished") == 0
    assert first == second
    assert first["pages"] > first["records"] - first["bad"]


@pytest.mark.parametrize("kind", ["tsv", "jsonl"])
@pytest.mark.usefixtures("started_workers")
def test_label_leaves_bad_files_out_of_one_output(crawl, kind, capsys):
    texts = [f"crawl/{name}" for name in ("late.txt", "a.txt", "photo.txt", "sub/z.txt")]
    assert main(["label", *texts, "--as", kind]) == 2
    assert "late.txt: looks like a binary file" in capsys.readouterr().err
    assert main(["label", "crawl/a.txt", "crawl/sub/z.txt", "--as", kind, "--output", "good"]) == 0
    for jobs in ("1", "2"):
        assert main(["label", *texts, "--as", kind, "--on-error", "skip", "--jobs", jobs, "--output", jobs, "--summary"]) == 1
        assert "tinsach: 4 files in, 2 used, 2 left out\n" in capsys.readouterr().err
        assert Path(jobs).read_bytes() == Path("good").read_bytes()


def test_label_leaves_bad_records_out(crawl, capsys, composed_pages):
    for jobs in ("1", "2"):
        command = ["label", "crawl/crawl.jsonl", "crawl/misnamed.jsonl", "--as", "jsonl", "--jobs", jobs, "--output", jobs]
        assert main(command) == 2
        assert main([*command, "--on-error", "quarantine", "bad"]) == 1
        assert len(Path(jobs).read_bytes().splitlines()) == 2 * len(composed_pages)
        assert Path("bad").read_bytes().startswith(b'{"text": 5}\n{"file": "crawl/misnamed.jsonl"')
    assert Path("1").read_bytes() == Path("2").read_bytes()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_label_into_a_folder(crawl, jobs, capsys):
    command = ["label", "crawl", "--output-dir", "labelled", "--jobs", jobs]
    assert main(command) == 1
    assert sorted(outputs("labelled")) == ["a.tsv", "sub/z.tsv"]
    others = Path("labelled") / f"{SCRATCH}{os.getppid()}-0"  # the unfinished output of another process, which lives
    others.touch()
    assert "left out: crawl/crawl.jsonl: not a page of text or HTML, but jsonl" in capsys.readouterr().err
    assert main([*command, "--on-error", "quarantine", "bad"]) == 1
    assert len(Path("bad").read_bytes().splitlines()) == 8
    assert main([*command, "--on-error", "fail", "--force"]) == 2
    assert others.exists()


def test_pick_and_drift(crawl, capsys):
    for number in range(10):
        (crawl / f"{number}.txt").write_bytes((crawl / "a.txt").read_bytes())
    for command in (["pick", "crawl", "--as", "names", "--output", "names.txt"], ["drift", "crawl", "--write-baseline", "base.json"]):
        assert main(command) == 2
        (crawl / "gone.txt").unlink(missing_ok=True)
        assert main(command) == 2
        assert "--on-error skip or" in capsys.readouterr().err
        assert main([*command, "--on-error", "quarantine", "bad"]) == 1
        assert len(Path("bad").read_bytes().splitlines()) == 7
    assert len(Path("names.txt").read_text().splitlines()) == 20
    assert "wrote base.json" in capsys.readouterr().out
    assert main(["drift", "crawl", "--on-error", "skip", "--baseline", "base.json"]) == 1
    assert "nothing moved" in capsys.readouterr().out


def test_a_pipe_cannot_be_left_out(crawl, capsys, monkeypatch):
    read, write = os.pipe()
    os.write(write, PNG)
    os.close(write)
    assert main(["clean", f"/dev/fd/{read}", "--on-error", "skip"]) == 2
    assert "looks like a PNG image" in capsys.readouterr().err
    os.close(read)


def test_what_is_not_about_the_input_is_no_fault_of_it():
    source = Source("crawl/a.txt", "text")
    assert file_fault(OSError(28, "No space left on device", "clean/a.txt"), source) is None
    assert file_fault(OSError(5, "Input/output error"), source).startswith("crawl/a.txt: Input/output error; ")


@pytest.mark.parametrize("output", ["out.csv", "out.parquet"])
def test_a_record_that_an_output_cannot_hold_ends_the_job(tmp_path, capsys, output):
    """It is no fault of its input, of which half would stay in an output that others share."""
    (tmp_path / "a.jsonl").write_text('{"text": "Một", "n": 1}\n', encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"text": "Hai", "n": 2}\n{"text": "Ba", "n": "ba"}\n{"text": "Bốn", "m": 4}\n', encoding="utf-8")
    inputs = [str(tmp_path / name) for name in ("a.jsonl", "b.jsonl")]
    words = ["clean", *inputs, "--keep", "all", "--output", str(tmp_path / output), "--on-error", "skip"]
    assert main(words) == 2
    assert capsys.readouterr().err.endswith("write JSON lines instead (--output NAME.jsonl)\n")
    assert not (tmp_path / output).exists()


def test_an_output_that_cannot_be_written_ends_the_job(tmp_path, capsys, sample_page):
    (tmp_path / "in").mkdir()
    (tmp_path / "out" / "a.txt").mkdir(parents=True)
    (tmp_path / "in" / "a.txt").write_text(sample_page, encoding="utf-8")
    assert main(["clean", str(tmp_path / "in"), "--output-dir", str(tmp_path / "out"), "--on-error", "skip"]) == 2
    assert "a.txt: a folder; name a file to write" in capsys.readouterr().err
