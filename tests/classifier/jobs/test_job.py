"""Cleaning jobs through the command line: every line and record is accounted for, on any input."""

from __future__ import annotations

import io
import json
import sys
import tracemalloc
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.cli import main
from classifier.errors import InputError
from classifier.formats.base import BadRecord, Options
from classifier.formats.sources import Source
from classifier.io.encoding import Decoding
from classifier.io.files import Sink
from classifier.jobs.job import ErrorPolicy, Job
from classifier.lines import split_lines

OPTIONS = Options(Decoding(), "\f", "text")


@pytest.fixture
def run(monkeypatch, capsysbinary):
    """Return a function that runs the command line and returns status, standard output and standard error."""

    def call(*args: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(stdin)))
        status = main(list(args))
        out, said = capsysbinary.readouterr()
        return status, out, said.decode()

    return call


def cleaned(cleaner, data: bytes, form: str, faults: ErrorPolicy | None = None, reading: Decoding | None = None) -> tuple[bytes, Job]:
    """Clean a source in memory."""
    job = Job(cleaner, OPTIONS._replace(decoding=reading or Decoding()), faults or ErrorPolicy())
    out = io.BytesIO()
    source = SimpleNamespace(open=lambda: io.BytesIO(data), name="memory", format=form, site="")
    job.clean(source, Sink(out, "memory"))
    return out.getvalue(), job


# -- text ------------------------------------------------------------------------------------------------------------------

TRICKY = {
    "controls": "một\0hai\x01\x1b[1m\x7f\nba\n",
    "text that other readers cut": "một\u2028hai\u0085ba\u000bbốn\u001cnăm\n",
    "bidi and zero width": "\u202emột\u200b\u200d\ufeff hai\u2069\n",
    "NFD and mixed forms": "Việt Nam một Việt\n",
    "a mark first": "\ufeffmột\n",
    "beyond the BMP, private, not assigned": "🙂 \ue000 \U000e0001 \uffff\n",
    "no final newline": "một\nhai",
    "one letter": "x",
}


@pytest.mark.parametrize("text", TRICKY.values(), ids=TRICKY)
def test_lines_come_out_byte_for_byte(run, text):
    status, out, said = run("clean", "--threshold", "0", stdin=text.encode())
    assert (status, said) == (0, "")
    assert out == text.encode() + (b"" if text.endswith("\n") else b"\n")


def test_line_ends_become_newlines(run):
    for end in ("\r", "\r\n", "\n"):
        assert run("clean", "--threshold", "0", stdin=f"một{end}hai{end}".encode())[1].decode() == "một\nhai\n"


@pytest.mark.parametrize("data", [b"", b"\n", b"\r", b"\xef\xbb\xbf", b"\n" * 100_000, b" \t\n" * 1000], ids=range(6))
def test_nothing_in_nothing_out(run, data):
    assert run("clean", "--threshold", "0", stdin=data) == (0, b"", "")


def test_a_line_of_4_mb_passes(run):
    data = "Sáng nay trời nắng. ".encode() * 200_000 + b"\n"
    status, out, said = run("clean", "--threshold", "0", stdin=data)
    assert (status, out) == (0, data)
    assert said.startswith("tinsach: 1 page has the whole text on one line: standard input; ")


@given(st.binary(max_size=60))
def test_any_bytes_pass_or_are_refused(cleaner, data):
    text = data.decode("utf-8", "replace")
    if "\f" not in text:
        lines = split_lines(text)
        out, job = cleaned(cleaner, data, "text", reading=Decoding("utf-8"))
        assert sum(job.stats.lines.values()) == sum(1 for line in cleaner.label_lines(lines) if line.label)
        assert out.decode() == "".join(line + "\n" for line in cleaner.clean_lines(lines))
    try:
        cleaned(cleaner, data, "text")
    except InputError as error:
        assert "looks like" in str(error)  # noqa: PT017 - either will do


def test_policies(run, tmp_path):
    page = tmp_path / "page.txt"
    page.write_bytes(b"m\xe1\xbb\x99t\nh\xffai\xe1\n")
    assert run("clean", "--threshold", "0", str(page)) == (
        0, "một\nh\ufffdai\ufffd\n".encode(), "tinsach: replaced 2 bytes that cannot be decoded\n",
    )  # fmt: skip
    said = "tinsach: left out 2 bytes that cannot be decoded\n"
    assert run("clean", "--threshold", "0", "--encoding-errors", "skip", str(page)) == (0, "một\nhai\n".encode(), said)
    status, out, said = run("clean", "--encoding-errors", "strict", str(page))
    assert (status, out) == (2, b"")
    assert said.startswith(f"tinsach: {page}: line 2, byte offset 7: not valid utf-8")
    assert said.count("\n") == 1


def test_what_is_refused_late_leaves_no_output(run, tmp_path, sample_page):
    """The first bytes are valid UTF-8; the rest is in a legacy encoding."""
    data = (sample_page * 3).encode()[:4000] + "ViÖt Nam, Hµ Néi, ngµy h«m nay trêi n¾ng, ®­êng phè v¾ng\n".encode("latin-1") * 900
    status, _, said = run("clean", "--output", str(tmp_path / "out"), stdin=data)
    assert status == 2
    assert "TCVN3" in said
    assert list(tmp_path.iterdir()) == []


# -- records ---------------------------------------------------------------------------------------------------------------


def as_jsonl(pages: list[str]) -> bytes:
    return b"".join(json.dumps({"id": i, "text": page}, ensure_ascii=False).encode() + b"\n" for i, page in enumerate(pages))


def test_records_are_cleaned_in_their_place(run, cleaner, composed_pages, tmp_path):
    status, out, said = run("clean", "--format", "jsonl", stdin=as_jsonl(composed_pages))
    assert (status, said) == (0, "")
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["text"] for record in records] == [cleaner.clean_text(page) for page in composed_pages]
    assert [list(record) for record in records] == [["id", "text"]] * len(composed_pages)


def test_dropped_lines_and_summary_count_records_too(run, cleaner, composed_pages, tmp_path):
    pages = composed_pages[:5]
    dropped = tmp_path / "dropped.tsv"
    _, _, said = run("clean", "--format", "jsonl", "--summary", "--dropped", str(dropped), stdin=as_jsonl(pages))
    labelled = [line for page in pages for line in cleaner.label_lines(split_lines(page)) if line.label]
    assert dropped.read_text(encoding="utf-8").split("\n")[:-1] == [f"{line.label}\t{line.text}" for line in labelled if not line.kept]
    kept, gone, records = said.splitlines()
    assert int(kept.split()[1]) + int(gone.split()[1]) == len(labelled)
    assert records == "tinsach: 5 records in, 5 out, 0 skipped"


def test_records_can_be_labelled(run, cleaner, composed_pages):
    pages = composed_pages[:2]
    status, out, _ = run("label", "--format", "jsonl", stdin=as_jsonl(pages))
    rows = [line.split("\t", 2) for line in out.decode().split("\n") if line]
    assert status == 0
    assert [row[2] for row in rows if len(row) == 3] == [line for page in pages for line in split_lines(page)]
    status, out, _ = run("label", "--format", "jsonl", "--as", "jsonl", stdin=as_jsonl(pages))
    assert status == 0
    assert [json.loads(line)["id"] for line in out.splitlines()] == [0, 1]  # attributes: see test_spans.py


def test_pages_that_keep_nothing_are_counted_and_named(run, tmp_path, sample_page):
    page = tmp_path / "page.txt"
    page.write_text(f"{sample_page}\f\n\n\fTrang chủ\nThời sự\n\f", encoding="utf-8")
    status, _, said = run("clean", str(page), "--stats", str(tmp_path / "stats"))
    assert (status, said.count("\n")) == (0, 1)
    assert said.startswith(f"tinsach: 1 page has no line kept: {page}, page 3; look at the labels ")
    stats = json.loads((tmp_path / "stats").read_text())
    assert (stats["pages"], stats["notices"]["nothing_kept"]) == (4, 1)
    records = as_jsonl([sample_page, "", *["Trang chủ\n"] * 7])
    _, _, said = run("clean", "--format", "jsonl", stdin=records)
    names = ", ".join(f"standard input, record {number}" for number in range(3, 6))
    assert said.startswith(f"tinsach: 7 pages have no line kept: {names}, ...; ")
    assert said.count("\n") == 1


def test_records_are_named_by_their_number_in_the_file(run):
    records = b'{"text": 5}\n' + as_jsonl(["Trang chủ"])
    _, _, said = run("clean", "--format", "jsonl", "--on-error", "skip", stdin=records)
    assert said.startswith("tinsach: 1 page has no line kept: standard input, record 2; ")


def test_lone_surrogates_survive(run, tmp_path):
    line = b'{"text": "S\xc3\xa1ng nay \\ud800 n\xe1\xba\xafng", "id": "\\udc00"}\n'
    assert run("clean", "--format", "jsonl", "--threshold", "0", stdin=line) == (0, line, "")
    dropped = tmp_path / "dropped"
    run("clean", "--format", "jsonl", "--threshold", "1", "--dropped", str(dropped), stdin=line)
    assert b"S\xc3\xa1ng nay \\ud800 n" in dropped.read_bytes()


BAD = b'{"text": "a"}\nnot\n{"a": 1}\n\n{"text": 5}\r\n{"text": "\xff"}'


def test_bad_records(run, tmp_path):
    crawl, bad = tmp_path / "crawl.jsonl", tmp_path / "bad"
    crawl.write_bytes(BAD)
    status, _, said = run("clean", str(crawl))
    assert status == 2
    assert said.startswith(f"tinsach: {crawl}:2: not JSON: Expecting value at character 1 of the line; ")
    assert said.count("\n") == 1
    status, out, said = run("clean", str(crawl), "--keep", "all", "--on-error", "skip")
    assert (status, out.count(b"\n")) == (1, 2)
    replaced, *reasons, counted = said.splitlines()
    assert (replaced, counted) == ("tinsach: replaced 1 byte that cannot be decoded", "tinsach: 5 records in, 2 out, 3 skipped")
    assert [reason.split(": ")[:3] for reason in reasons] == [["tinsach", "skipped", f"{crawl}:{line}"] for line in (2, 3, 5)]
    status, out, said = run("clean", "--keep", "all", "--on-error", "quarantine", str(bad), str(crawl), "--encoding-errors", "strict")
    assert (status, out.count(b"\n")) == (1, 1)
    assert said.endswith(f"tinsach: 5 records in, 1 out, 4 put into {bad}\n")
    assert said.count("tinsach: put aside: ") == 4
    assert bad.read_bytes() == b'not\n{"a": 1}\n{"text": 5}\r\n{"text": "\xff"}\n'
    assert run("clean", "--on-error=quarantine", str(bad), str(crawl))[0] == 1
    status, out, _ = run("clean", str(crawl), "--text-field", "a", "--on-error", "skip")
    assert (status, out) == (1, b"")


@given(st.lists(st.sampled_from([*BAD.split(b"\n"), b'{"text": "ba\\nb\xe1\xbb\x91n"}', b"[]", b" "]), max_size=150))
def test_in_is_out_and_skipped(cleaner, lines):
    data, records = b"\n".join(lines), sum(bool(line.strip()) for line in lines)
    quarantine = io.BytesIO()
    for faults in (ErrorPolicy(skip=True), ErrorPolicy(quarantine=Sink(quarantine, "bad"))):
        out, job = cleaned(cleaner, data, "jsonl", faults)
        assert job.counts["records"] == records == out.count(b"\n") + job.counts["bad"]
    assert quarantine.getvalue().count(b"\n") == job.counts["bad"]


def test_bad_records_fail_the_job_by_default():
    with pytest.raises(InputError, match=r"^crawl.jsonl:7: because; .*--on-error"):
        ErrorPolicy().take(BadRecord(7, b"raw", "because"), "crawl.jsonl")


@pytest.mark.slow  # asserts memory use, which a busy machine may disturb
def test_memory_does_not_grow_with_the_number_of_records(cleaner):
    class Endless(io.RawIOBase):
        def __init__(self, count: int) -> None:
            self.lines = iter([b'{"text": "m\xe1\xbb\x99t"}\n'] * count)

        def readline(self, size: int | None = -1) -> bytes:
            return next(self.lines, b"")

    class Nowhere(io.RawIOBase):
        def write(self, data: bytes) -> int:
            return len(data)

    peaks = []
    for count in (200, 2000):
        tracemalloc.start()
        source = SimpleNamespace(open=lambda count=count: Endless(count), name="endless", format="jsonl", site="")
        Job(cleaner, OPTIONS, ErrorPolicy()).clean(source, Sink(Nowhere(), "nowhere"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] + 100_000


def test_the_digest_of_a_job_tells_jobs_apart(cleaner):
    base = Job(cleaner, OPTIONS, ErrorPolicy()).digest()
    assert Job(cleaner, OPTIONS, ErrorPolicy()).digest() == base
    assert Job(cleaner, OPTIONS._replace(field="body"), ErrorPolicy()).digest() != base
    assert Job(cleaner, OPTIONS, ErrorPolicy(skip=True)).digest() == base  # outputs of inputs with bad records are told apart by counts
    assert Source("-", "text").name == "standard input"
