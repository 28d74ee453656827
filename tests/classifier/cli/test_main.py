"""The command line in subprocesses: files, pipes, bad usage and input."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest

from classifier.cleaner import Cleaner
from classifier.cli import main
from classifier.lines import split_lines
from tests.support.paths import CASES, ROOT
from tests.support.processes import running, wait_until

SAMPLE = CASES / "sample_page.txt"
COMMAND = [sys.executable, "-m", "classifier"]


def run(*args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *args], input=stdin, capture_output=True, cwd=ROOT, timeout=60)


def test_clean_prints_the_kept_lines(cleaner: Cleaner, sample_page):
    for done in (run("clean", str(SAMPLE)), run("clean", stdin=SAMPLE.read_bytes()), run("clean", "-", stdin=SAMPLE.read_bytes())):
        assert done.returncode == 0
        assert done.stdout.decode() == cleaner.clean_text(sample_page) + "\n"
        assert done.stderr == b""


def test_dropped_lines_can_be_kept(cleaner, sample_page, tmp_path):
    dropped = tmp_path / "dropped.tsv"
    assert run("clean", str(SAMPLE), "--dropped", str(dropped)).returncode == 0
    want = [f"{line.label}\t{line.text}" for line in cleaner.label_lines(split_lines(sample_page)) if line.label and not line.kept]
    assert dropped.read_text(encoding="utf-8").splitlines() == want
    assert os.listdir(tmp_path) == ["dropped.tsv"]


def test_nothing_is_lost(sample_page, tmp_path):
    run("clean", str(SAMPLE), "--dropped", str(tmp_path / "d"), "--output", str(tmp_path / "k"))
    kept = [line for line in (tmp_path / "k").read_text(encoding="utf-8").split("\n") if line]
    dropped = [line.split("\t", 1)[1] for line in (tmp_path / "d").read_text(encoding="utf-8").split("\n") if line]
    assert sorted(kept + dropped) == sorted(line for line in split_lines(sample_page) if line)


def test_label_as_tsv(cleaner, sample_page):
    rows = [row.split("\t") for row in run("label", str(SAMPLE)).stdout.decode().splitlines()]
    want = list(cleaner.label_lines(split_lines(sample_page)))
    assert [row[0] for row in rows] == [str(line.label or "-") for line in want]
    assert [row[1] for row in rows] == [f"{line.probability:.4f}" for line in want]
    assert [row[2] for row in rows] == [line.text for line in want]


def test_label_as_jsonl(cleaner, sample_page):
    records = [json.loads(row) for row in run("label", str(SAMPLE), "--as", "jsonl").stdout.decode().splitlines()]
    assert [record["text"] for record in records] == split_lines(sample_page)
    assert set(records[0]) == {"page", "number", "text", "label", "probability", "kept", "first_guess", "start", "end"}
    assert {record["page"] for record in records} == {1}


def test_info_describes_the_model(cleaner):
    said = run("info").stdout.decode()
    assert 8 <= said.count("\n") <= 12
    for needed in ("vi-news", "48 lines", "title, body, caption", "vi-news.npz", cleaner.model.manifest["arrays_sha256"]):
        assert needed in said
    assert json.loads(run("info", "--json").stdout) == cleaner.model.manifest


def test_keep_and_threshold(sample_page):
    captions = run("clean", str(SAMPLE), "--keep", "caption").stdout.decode()
    assert "(Ảnh: Vũ Lâm)" in captions
    assert "ông Tấn" not in captions
    assert run("clean", str(SAMPLE), "--threshold", "1").stdout.decode() == ""
    assert run("clean", str(SAMPLE), "--threshold", "0").stdout.decode() == sample_page


def test_summary_counts_every_line(sample_page):
    summary = run("clean", str(SAMPLE), "--summary").stderr.decode()
    counts = [int(line.split()[1]) for line in summary.splitlines()]
    assert sum(counts) == sum(1 for line in split_lines(sample_page) if line)


def test_pages_are_cleaned_one_by_one(cleaner, composed_pages):
    one, two = (page.strip("\n") for page in composed_pages[:2])
    want = ["".join(line + "\n" for line in cleaner.clean_lines(split_lines(page))) for page in (one, two)]
    for text in (f"{one}\n\f{two}\n", f"{one}\f\n{two}\n"):
        got = run("clean", stdin=text.encode()).stdout.decode().split("\f")
        assert [page.lstrip("\n") for page in got] == [page.lstrip("\n") for page in want]
    custom = run("clean", "--page-separator", "=====", stdin=f"{one}\n=====\n{two}\n".encode()).stdout.decode()
    assert custom == want[0] + "=====\n" + want[1]
    records = run("label", "--as", "jsonl", stdin=f"{one}\n\f{two}\n".encode()).stdout.decode().splitlines()
    assert [json.loads(record)["page"] for record in records] == [1] * len(split_lines(one)) + [2] * len(split_lines(two))


def test_pages_between_blank_lines(cleaner, composed_pages):
    pages = ["\n".join(line for line in split_lines(page) if line.strip()) for page in composed_pages[:3]]
    out = run("clean", "--blank-lines", "2", stdin="\n\n\n".join(pages).encode()).stdout.decode()
    assert [page.rstrip("\n") for page in out.split("\f")] == [cleaner.clean_text(page) for page in pages]


def test_several_files_are_several_pages(cleaner, composed_pages, tmp_path):
    for number, page in enumerate(composed_pages[:3]):
        (tmp_path / f"{number}.txt").write_text(page, encoding="utf-8")
    out = run("clean", *(str(path) for path in sorted(tmp_path.iterdir()))).stdout.decode()
    want = [cleaner.clean_text(page) for page in composed_pages[:3]]
    assert [page.rstrip("\n") for page in out.split("\f")] == want


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["clean", "no-such-page.txt"], "no-such-page.txt: No such file"),
        (["clean", "tests"], "tests/*.txt"),
        (["clean", str(SAMPLE), "--keep", "artikel"], "unknown label 'artikel'; choose from title"),
        (["clean", str(SAMPLE), "--threshold", "2"], "0 to 1"),
        (["clean", str(SAMPLE), "--model", "nowhere.npz"], "nowhere.json"),
        (["clean", str(SAMPLE), "--model", str(SAMPLE)], "not an .npz file"),
        (["clean", str(SAMPLE), "--output", "no/such/folder/out.txt"], "no/such/folder"),
        (["clean", str(SAMPLE), "--dropped", "tests"], "tests: a folder"),
        (["clean", str(SAMPLE), "--page-separator", ""], "--page-separator"),
        (["clean", str(SAMPLE), "--page-separator", "=\r"], "--page-separator"),
        (["clean", str(SAMPLE), "--keep", "title", str(SAMPLE)], "name all FILEs together"),
        (["clean", str(SAMPLE), "--model", "missing"], "no such file"),
        (["label", str(SAMPLE), "--as", "jsonl", "--on-null", "skip"], "tinsach filter needs the labels of each"),
        (["label", str(SAMPLE), "--output", "lines.jsonl"], "lines.jsonl: --as tsv writes tab-separated lines"),
        (["clean", str(SAMPLE), "--blank-lines", "2", "--page-separator", "="], "--blank-lines"),
        (["label", "no-such-page.txt"], "no-such-page.txt"),
        (["info", "--model", "nowhere.npz"], "nowhere.json"),
    ],
)
def test_mistakes_get_one_line_and_exit_2(args, message):
    assert_one_line_and_exit_2(run(*args), message)


def assert_one_line_and_exit_2(done, message):
    assert done.returncode == 2
    assert done.stdout == b""
    error = done.stderr.decode()
    assert message in error
    assert error.startswith("tinsach: ")
    assert error.count("\n") == 1


def test_a_wrong_second_file_is_refused_before_anything_is_written(tmp_path):
    done = run("clean", str(SAMPLE), "no-such-page.txt", "--output", str(tmp_path / "out.txt"))
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "see tinsach --help"),
        (["clan"], "invalid choice: 'clan'"),
        (["clean", "--threshold", "high"], "argument --threshold: invalid float value: 'high'; see tinsach clean --help"),
        (["clean", "--no-such\nflag"], r"unknown arguments: --no-such\nflag; see tinsach clean --help"),
        (["clean", "--keep", "body", "--drop", "nav"], "argument --drop: not allowed with argument --keep; see tinsach clean --help"),
        (["pick", "--as", "html"], "argument --as: invalid choice: 'html'"),
    ],
)
def test_usage_errors_are_one_line_and_exit_2(args, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(args)
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("tinsach: ")
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "place"),
    [
        (["clean", "--keep", ""], "--keep"),
        (["clean", "--drop="], "--drop"),
        (["clean", str(SAMPLE), "--output", ""], "--output"),
        (["clean", str(SAMPLE), "--output-dir", ""], "--output-dir"),
        (["label", "--text-field", ""], "--text-field"),
        (["clean", str(SAMPLE), ""], "FILE"),
        (["clean", str(SAMPLE), "--on-error", "quarantine", ""], "the FILE of --on-error quarantine"),
        (["drift", str(SAMPLE), "--baseline", ""], "--baseline"),
        (["filter", "", "--attributes", "x"], "FILE"),
        (["info", "--model", ""], "--model"),
    ],
)
def test_an_empty_value_is_refused_by_name(args, place, capsys):
    assert main(args) == 2
    assert capsys.readouterr().err == f"tinsach: {place} is empty; give it a value, or leave it out\n"


def test_keep_all_and_drop(sample_page, cleaner, capsysbinary):
    def clean(*args: str) -> str:
        assert main(["clean", str(SAMPLE), *args]) == 0
        return capsysbinary.readouterr().out.decode()

    assert clean("--keep", "all") == sample_page
    most = "caption,meta,nav,related,most_read,media,weather,comment,promo,footer"
    assert clean("--drop", most) == clean("--keep", "title,body") == clean()
    assert clean("--drop", "nav, footer") == clean("--keep", "title,body,caption,meta,related,most_read,media,weather,comment,promo")


@pytest.mark.parametrize(
    "labels", ["all", "artikel", "title,body," + "caption,meta,nav,related,most_read,media,weather,comment,promo,footer"]
)
def test_what_cannot_be_dropped_is_refused(labels, capsys):
    assert main(["clean", str(SAMPLE), "--drop", labels]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("command", ["label", "pick"])
def test_the_old_spelling_of_as_names_the_new_one(command, capsys):
    assert main([command, str(SAMPLE), "--output", "jsonl"]) == 2
    assert "the kind of output is now --as jsonl; --output takes a FILE, such as ./jsonl" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["clean", "label", "info"])
def test_help_shows_an_example(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert f"tinsach {command}" in capsys.readouterr().out.split("example:")[1]


def test_a_reader_that_leaves_is_no_error():
    big = SAMPLE.read_bytes() * 3000
    process = subprocess.Popen([*COMMAND, "label"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(big)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 141


def test_lines_come_out_before_the_input_ends(sample_page):
    """A pipe is processed as a stream: the first page's lines are written while the input is still open."""
    process = subprocess.Popen([*COMMAND, "label"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdin
    assert process.stdout
    process.stdin.write(sample_page.encode() * 3)
    process.stdin.flush()
    first = process.stdout.readline().decode()
    assert first.endswith("\tTrang chủ\n")
    process.stdin.close()
    with process.stdout:
        process.stdout.read()
    assert process.wait(timeout=60) == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["clean", str(SAMPLE), "--output", str(SAMPLE)], "the same file as the input"),
        (["clean", str(SAMPLE), "--output", "x", "--dropped", "./x"], "the same file as the output"),
        (["clean", str(SAMPLE), "--resume"], "--output-dir"),
        (["clean", str(SAMPLE), "--output-dir", "x", "--resume", "--dropped", "y"], "--dropped"),
        (["clean", str(SAMPLE), "--output-dir", "x", "--output", "y"], "contradict"),
        (["clean", "--output-dir", "x"], "files only"),
        (["clean", str(SAMPLE), "--output-dir", "no/such"], "no/such: No such file"),
        (["clean", str(SAMPLE), "--output-dir", __file__], "test_main.py: not a folder"),
        (["clean", str(SAMPLE), str(SAMPLE), "--output-dir", "x"], "the same output"),
        (["clean", str(SAMPLE), "--on-error", "quarantine"], "--on-error quarantine bad.jsonl"),
        (["clean", str(SAMPLE), "--on-error", "quarantine", "no/such/bad"], "there is no folder"),
        (["clean", "--on-error", "quarantine", "--summary", str(SAMPLE)], "--on-error quarantine bad.jsonl"),
        (["clean", "--on-error", "quarantine", __file__], "name the input too"),  # FILE is missing, so the input is parsed as FILE
        (["clean", str(SAMPLE), "--encoding", "klingon"], "try utf-8"),
        (["clean", str(ROOT / "models" / "vi-news.npz")], "models/vi-news.npz: looks like a zip"),
        (["label", "--format", "jsonl", str(SAMPLE)], "sample_page.txt:1: not JSON"),
        (["clean", "no\nsuch\x1b[1mpage"], r"no\nsuch\x1b[1mpage: No such file"),
    ],
)
def test_mistakes_with_files_leave_nothing_behind(tmp_path, args, message):
    done = subprocess.run([*COMMAND, *args], capture_output=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert_one_line_and_exit_2(done, message)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("command", [["clean", str(SAMPLE)], ["label", str(SAMPLE)], ["info"]])
def test_a_full_or_closed_output_is_one_line_and_exit_2(command):
    for redirect, message in ((">/dev/full", "No space left"), (">&-", "standard output is closed")):
        done = subprocess.run(["sh", "-c", f'"$@" {redirect}', "sh", *COMMAND, *command], capture_output=True, cwd=ROOT)
        assert done.returncode == 2
        assert done.stderr.decode().startswith("tinsach: standard output")
        assert message in done.stderr.decode()
        assert done.stderr.count(b"\n") == 1


def test_a_closed_input_is_one_line_and_exit_2():
    done = subprocess.run(["sh", "-c", '"$@" <&-', "sh", *COMMAND, "clean"], capture_output=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (2, b"tinsach: standard input is closed; name a FILE\n")


def test_appending_to_the_input_is_refused(tmp_path):
    page = tmp_path / "page.txt"
    page.write_bytes(SAMPLE.read_bytes())
    with page.open("ab") as out:
        done = subprocess.run([*COMMAND, "clean", str(page)], stdout=out, stderr=subprocess.PIPE, cwd=ROOT)
    assert done.returncode == 2
    assert page.read_bytes() == SAMPLE.read_bytes()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("where", [["--output", "out.txt"], ["--dropped", "out.txt"], ["--on-error", "quarantine", "out.txt"]])
def test_a_signal_leaves_no_file(tmp_path, number, status, where):
    args = [str(tmp_path / word) if word == "out.txt" else word for word in where]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with running([*COMMAND, "clean", *args], **pipes) as process:
        process.stdin.write(SAMPLE.read_bytes() * 20)
        process.stdin.flush()
        wait_until(lambda: list(tmp_path.iterdir()))
        process.send_signal(number)
        _, error = process.communicate(timeout=60)
        assert (process.returncode, error) == (status, b"")
    assert list(tmp_path.iterdir()) == []


def test_signals_that_are_ignored_stay_ignored():
    script = "import signal, sys; from classifier.cli import main; signal.signal(signal.SIGHUP, signal.SIG_IGN); main(['info'])"
    script += "; assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN; assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, cwd=ROOT).returncode == 0


ROOMS = ("cli", "explain", "formats", "integrations", "jobs", "monitoring", "review")


def test_the_api_does_not_load_the_command_line():
    script = "import sys, classifier; print([m for m in sys.modules if m.startswith('classifier.')])"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, cwd=ROOT, text=True).stdout
    for name in (*ROOMS, *(f"io.{module}" for module in ("compression", "encoding", "files", "garbled", "legacy_encodings", "sniffing"))):
        assert f"classifier.{name}'" not in loaded


@pytest.mark.parametrize("delimiter", ["ab", '"', "\n"])
def test_a_delimiter_is_one_character(tmp_path, capsys, delimiter):
    (tmp_path / "a.csv").write_text("id,text\n", encoding="utf-8")
    assert main(["clean", str(tmp_path / "a.csv"), "--delimiter", delimiter]) == 2
    assert "give one character" in capsys.readouterr().err
    assert main(["clean", str(tmp_path / "a.csv"), "--delimiter", "tab", "--text-field", "id,text"]) == 0


def test_labels_of_nested_html_fit_the_filter(tmp_path, sample_page):
    """Every command reads the text field in the same way."""
    pytest.importorskip("resiliparse")
    source = "".join(f"<p>{line}</p>" for line in sample_page.split("\n"))
    records = [{"page": {"html": source}, "id": 1}, {"page": {"html": None}, "id": 2}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    options = [str(tmp_path / "a.jsonl"), "--text-field", "page.html", "--text-format", "html"]
    attributes, clean, filtered = (tmp_path / name for name in ("attributes.jsonl", "clean.jsonl", "filtered.jsonl"))
    with attributes.open("w") as out:
        subprocess.run([sys.executable, "-m", "classifier", "label", *options, "--as", "jsonl"], stdout=out, check=True)
    assert main(["clean", *options, "--output", str(clean)]) == 0
    assert main(["filter", *options, "--attributes", str(attributes), "--output", str(filtered)]) == 0
    assert clean.read_bytes() == filtered.read_bytes()
    assert json.loads(clean.read_text(encoding="utf-8").splitlines()[1]) == records[1]
