"""`--jobs`: whatever is in an input, several processes write, count and say what one does, byte for byte."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from classifier import parallel
from classifier.cleaner import Cleaner
from classifier.cli import main
from classifier.jobs import batches

HTML = "<html><head><title>Chợ nổi</title></head><body><p>Sáng nay ghe trái cây về kín bến.</p></body></html>"
GARBLED = (
    "Sáng nay ghe trái cây về kín bến, giá cam sành và quýt đường tăng nhẹ so với tuần trước.\n".encode().decode("cp1252", "ignore") * 9
)
SITES = '[site."bao-bai-song.vn"]\ndrop = ["Đọc nhiều"]\n'


def record(text: object, number: int = 1) -> bytes:
    site = "bao-bai-song.vn" if number % 2 else "bao-ngon-gio.vn"
    return json.dumps({"id": number, "url": f"https://{site}/{number}.html", "text": text}, ensure_ascii=False).encode()


BAD = (
    b'{"text": "d\xe1\xbb\x9f dang', b'{"text": "\xff\xfe b\xe1\xba\xbfn"}', b"[1]", b'{"id": 7}', b'{"text": 5}', b'{"text": NaN}', b"ghe",
    record(HTML), record(GARBLED), record("kín bến " * 4000),
)  # fmt: skip
ODD = (b"", b" \t", record(None), record(""), record("Đọc nhiều\r"), record(["Sáng nay", "ghe về"]), b'\xef\xbb\xbf{"text": "gi\xc3\xb3"}')
OPTIONS = (
    ["--on-error", "skip"], ["--on-error", "quarantine", "bad"], ["--dropped", "dropped"], ["--labels"], ["--max-dropped", "0.2"],
    ["--max-record-size", "30K"], ["--on-null", "skip"], ["--on-null", "fail"], ["--encoding-errors", "skip"],
    ["--encoding-errors", "strict"], ["--join-lists"], ["--sites", "sites.toml", "--site-field", "url"], ["--site-memory", "auto"],
)  # fmt: skip


@pytest.fixture(scope="module")
def sent(cleaner: Cleaner) -> Iterator[list[object]]:
    """Let all runs share one worker, which has started, and cut inputs into blocks of three records; return what is sent to it."""
    found: list[object] = []
    with pytest.MonkeyPatch.context() as patch, parallel._pool(1, Cleaner.clean_text) as (submit, ready):
        ready.result()

        @contextmanager
        def started(*_: object) -> Iterator[object]:
            yield send, ready

        def send(work: Any, piece: Any) -> Any:
            found.append(piece)
            return submit(work, piece)

        patch.setattr(parallel, "_pool", started)
        patch.setattr(batches, "BATCH_RECORDS", 3)
        yield found


def outcome(jobs: str, words: list[str]) -> tuple[object, ...]:
    """Return all that a run leaves: status, standard output, messages and files."""
    out, said = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with redirect_stdout(out), redirect_stderr(said):
        status = main(["clean", "in.jsonl", "--summary", "--stats", "stats", "--jobs", jobs, *words])
    files = {name: Path(name).read_bytes() for name in ("bad", "dropped", "stats") if os.path.exists(name)}
    for name in files:
        os.unlink(name)
    stats = {name: value for name, value in json.loads(files.pop("stats", b"{}")).items() if "second" not in name}
    return status, out.buffer.getvalue(), said.getvalue(), stats, files


def inputs(pages: list[str]) -> st.SearchStrategy[list[bytes]]:
    good = st.builds(record, st.sampled_from(pages), st.integers(0, 5))
    return st.lists(st.one_of(good, good, good, st.sampled_from(ODD), st.sampled_from(BAD)), max_size=24)


def test_any_input_is_cleaned_as_by_one_process(sent, composed_pages, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sites.toml").write_text(SITES, encoding="utf-8")
    pages = sorted(composed_pages, key=len)[:6]
    some = [record(page, number) for number, page in enumerate(pages * 2)]
    policies = (["--on-error", "skip"], ["--on-error", "quarantine", "bad", "--dropped", "dropped", "--labels"], [])

    @given(inputs(pages), st.lists(st.sampled_from(OPTIONS), max_size=4, unique_by=lambda option: option[0]), st.sampled_from([b"\n", b""]))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
    @example([*some[:7], BAD[0], *some[7:]], policies[0], b"\n")
    @example([b"", *some[:7], *BAD, *some[7:]], policies[1], b"")
    @example([*some[:10], *ODD, *some[7:]], policies[2], b"")
    def as_by_one(lines: list[bytes], options: list[object], end: bytes) -> None:
        Path("in.jsonl").write_bytes(b"\n".join(lines) + end)
        words = [word for option in options for word in ([option] if isinstance(option, str) else option)]
        assert outcome("2", words) == outcome("1", words)

    as_by_one()
    assert len(sent) > 40
