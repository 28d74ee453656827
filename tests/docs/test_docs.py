"""Docs are checked like code: every command and every example in them runs."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import classifier
from classifier.lines import split_lines
from tests.slow import soak
from tests.slow.figures import FORMS, figures, told
from tests.support.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = [
    ROOT / name
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "docs/ENGINES.md",
        "docs/FORMATS.md",
        "docs/RELIABILITY.md",
        "docs/RETRAINING.md",
        "docs/SITES.md",
        "training/corpus/README.md",
    )
]


FORMATS = (ROOT / "docs" / "FORMATS.md").read_text(encoding="utf-8")


def blocks(kind: str, text: str = README) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def shell(commands: list[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run commands in a folder, where `tinsach` is this checkout's, until one fails."""
    script = f'tinsach() {{ {shlex.quote(sys.executable)} -m classifier "$@"; }}\nset -eo pipefail\n' + "\n".join(commands)
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, env=environment)


def test_the_first_screen_shows_what_the_model_really_does(cleaner, sample_page):
    messy, clean = blocks("text")[:2]
    assert messy == sample_page
    assert clean.rstrip("\n") == cleaner.clean_text(messy)
    assert clean in README[:6000]


def test_python_examples_run(tmp_path, monkeypatch, capsys, sample_page):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.txt").write_text(sample_page, encoding="utf-8")
    examples = blocks("python")
    assert examples
    for example in examples:
        exec(compile(example, "README.md", "exec"), {})  # the example is the code under test
    assert capsys.readouterr().out


def test_shell_examples_run(tmp_path, sample_page):
    (tmp_path / "page.txt").write_text(sample_page, encoding="utf-8")
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "1.txt").write_text(sample_page, encoding="utf-8")
    (tmp_path / "crawl.jsonl").write_text(json.dumps({"id": 1, "text": sample_page}) + "\n", encoding="utf-8")
    commands = [line for block in blocks("sh") for line in block.splitlines() if "tinsach" in line and "pip" not in line]
    assert len(commands) >= 4
    done = shell(commands, tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout


def test_every_format_has_a_path_that_works(tmp_path, sample_page):
    """Every command of docs/FORMATS.md, in order, among the files that it speaks of."""
    for library in ("pyarrow", "fastwarc", "resiliparse", "zstandard"):
        pytest.importorskip(library)
    lay_out(tmp_path, sample_page)
    commands = [line for block in blocks("sh", FORMATS) for line in block.splitlines() if line and "pip" not in line]
    done = shell(commands, tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    outputs = re.findall(r"(?:--output |--stats |> )(?!jsonl)([\w./-]+)", "\n".join(commands))
    assert len(outputs) >= 10
    for output in outputs:
        assert (tmp_path / output).stat().st_size, output
    assert sorted(path.name for path in (tmp_path / "clean" / "2025").iterdir()) == ["a.txt", "b.jsonl.gz"]
    assert (tmp_path / "clean.jsonl").read_bytes() == (tmp_path / "filtered.jsonl").read_bytes()


def lay_out(folder: Path, page: str) -> None:
    """Write the page in every format that docs/FORMATS.md speaks of."""
    import gzip

    import pyarrow
    import zstandard
    from pyarrow import parquet

    record = json.dumps({"id": 1, "url": "https://example.vn/1", "text": page}, ensure_ascii=False).encode() + b"\n"
    html = '<meta charset="utf-8">' + "".join(f"<p>{line}</p>" for line in page.split("\n"))
    wet = f"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: https://example.vn/1\r\nContent-Length: {len(page.encode())}\r\n\r\n"
    table = '"id","body"\n"1","' + page.replace('"', '""') + '"\n'
    files = {
        "page.txt": page.encode(), "pages.txt": f"{page}\f{page}".encode(), "blocks.txt": f"{page}\n\n\n{page}".encode(),
        "crawl.jsonl": record, "crawl.jsonl.zst": zstandard.compress(record), "page.html": html.encode(),
        "crawl.csv": table.encode(), "crawl.tsv": table.replace(",", "\t").encode(), "crawl.warc.wet.gz": gzip.compress(
            wet.encode() + page.encode() + b"\r\n\r\n"), "crawl/2025/a.html": html.encode(), "crawl/2025/b.jsonl.gz": gzip.compress(record),
    }  # fmt: skip
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    parquet.write_table(pyarrow.table({"id": [1], "text": [page]}), folder / "crawl.parquet")


def test_the_formats_page_tells_the_recorded_figures():
    crawl, fineweb = figures("crawl"), figures("fineweb")
    assert "{megabytes} MB of JSON lines, {megabytes_packed} MB packed, {records:,} records".format_map(crawl) in FORMATS
    told = "| {seconds} s | {megabytes_a_second} MB/s | {after_a_tenth_mb} MB | {last_tenth_mb} MB | {peak_mb} MB |"
    assert told.format_map(crawl) in FORMATS
    assert crawl["last_tenth_mb"] < 1.1 * crawl["after_a_tenth_mb"]
    for name, row in fineweb.items():
        ended, ends, both = (row[key] for key in ("enough lines end as sentences do", "few enough line ends", "both"))
        medians = (row["median share of ended lines"], row["median line ends for each word"])
        assert f"| {name} | {ended} | {ends} | {both} | {medians[0]} | {medians[1]} |" in FORMATS
    assert fineweb["after tinsach clean"]["both"] > 5 * fineweb["as scraped"]["both"]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_in_the_docs_exist(path):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for line in re.findall(r"make ([a-z -]+[a-z])", path.read_text(encoding="utf-8")):
        named = [word for word in line.split() if word in targets]
        assert named or line.split()[0] not in ("test", "demo", "train", "check"), line
    for code in re.findall(r"`make ([^`]+)`", path.read_text(encoding="utf-8")):
        words = [word for word in code.split() if "=" not in word]
        assert set(words) <= targets, code


def test_the_readmes_engine_examples_are_those_that_run():
    """docs/ENGINES.md is run by tests/classifier/integrations/test_examples.py."""
    engines = (ROOT / "docs" / "ENGINES.md").read_text(encoding="utf-8")
    table = README.partition("## In other tools")[2].partition("\n## ")[0]
    examples = [code for row in re.findall(r"^\| .* \|$", table, re.MULTILINE) for code in re.findall(r"`([^`]+)`", row)]
    assert len(examples) == 12  # an extra and an example for each of five engines, a command for two
    for code in examples:
        assert code in engines, code


def test_every_make_target_is_explained():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r"^([a-z-]+):", text, re.MULTILINE) == re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE)


def test_links_in_the_docs_lead_somewhere():
    for path in DOCS:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path}: {target}"


def test_the_label_table_is_complete():
    for label in classifier.LABELS:
        assert f"| `{label}` | {label.description} |" in README


def test_one_version():
    assert 'version = { attr = "classifier.version.__version__" }' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"## {classifier.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_sample_page_is_messy(cleaner, sample_page):
    dropped = {line.label for line in cleaner.label_lines(split_lines(sample_page)) if not line.kept}
    assert {"nav", "related", "most_read", "footer", "caption"} <= dropped


def test_the_reliability_page_tells_the_recorded_figures():
    page = (ROOT / "docs" / "RELIABILITY.md").read_text(encoding="utf-8")
    for name in FORMS:
        assert told(name) in page, "run `python -m tests.slow.figures`"


def test_the_reliability_page_names_tests_that_exist():
    page = (ROOT / "docs" / "RELIABILITY.md").read_text(encoding="utf-8")
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    for name in re.findall(r"`(test_\w+?)(?:\.\.\.)?`", page):
        assert re.search(rf"def {name}", code), name
    for path in re.findall(r"`(tests/[\w/]+\.py)`", page):
        assert (ROOT / path).exists(), path


def test_the_recorded_figures_keep_the_promises():
    assert figures("fuzz")["inputs"] >= 200_000
    assert figures("fuzz")["failures"] == figures("soak")["pages that differ"] == 0
    assert figures("soak")["lines"] >= 2_000_000
    assert figures("soak")["growth_mb"] * 1e6 <= soak.ALLOWED


def test_no_recorded_kind_is_over_the_limit():
    assert figures("worst-case")["over"] == 0
