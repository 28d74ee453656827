"""The documentation, checked like code: its commands and examples run, its links, paths, names and figures are right."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import classifier
from classifier.labels import BORDERLINE
from classifier.lines import split_lines
from tests.docs.examples import blocks, commands, run_python, run_shell
from tests.slow import soak
from tests.slow.figures import FORMS, figures, told
from tests.support.paths import ROOT
from tests.test_rooms import CLASSIFIER, TRAINING

DOCS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "training" / "corpus" / "README.md",
]
TEXTS = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in DOCS}
README, CONTRIBUTING = TEXTS["README.md"], TEXTS["CONTRIBUTING.md"]
ARTICLES, ENGINES, FORMATS, RELIABILITY = (TEXTS[f"docs/{name}.md"] for name in ("ARTICLES", "ENGINES", "FORMATS", "RELIABILITY"))


def outside_the_sample() -> list[str]:
    """Return the lines of the README without the two blocks of the sample, and their fences."""
    return re.sub(r"```text\n.*?```\n", "", README, count=2, flags=re.DOTALL).splitlines()


def test_the_readme_stays_short():
    lines = outside_the_sample()
    assert len(lines) < 150
    assert not [line for line in lines if len(line) >= 120 and not line.startswith("|")]


def test_the_install_instructions_follow_the_sample():
    after = README.split("```text\n")[2].partition("```\n")[2]
    assert after.lstrip("\n").startswith("## Install\n")
    assert re.search(r"^## (.*)$", README, re.MULTILINE)[1] == "Install"
    for needed in ("pip install .", "git+", "PyPI", "make demo", "make test"):
        assert needed in after.partition("\n## Python")[0], needed


def test_the_install_table_names_every_extra():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = re.findall(r"^([a-z]+) = \[", project.partition("[project.optional-dependencies]")[2].partition("\n[")[0], re.MULTILINE)
    rows = README.partition("| extra |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z]+)`", rows)) == set(extras)


def test_the_sample_shows_what_the_shipped_model_does(cleaner, sample_page):
    messy, clean = blocks("text", README)[:2]
    assert messy == sample_page
    assert clean.rstrip("\n") == cleaner.clean_text(messy)
    assert clean in README[:6000]


@pytest.mark.parametrize("example", blocks("python", README))
def test_python_examples_run(tmp_path, sample_page, example):
    (tmp_path / "page.txt").write_text(sample_page, encoding="utf-8")
    done = run_python(example, tmp_path, {"PYTHONWARNINGS": "error"})
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert "Làng gốm bên sông đỏ lửa trở lại" in done.stdout


def test_every_document_with_python_examples_has_them_run():
    """Those of README.md and docs/ARTICLES.md here, docs/SITES.md in test_sites.py, docs/ENGINES.md in integrations/test_examples.py."""
    assert {name for name, text in TEXTS.items() if blocks("python", text)} == {
        "README.md",
        "docs/ARTICLES.md",
        "docs/ENGINES.md",
        "docs/SITES.md",
    }


@pytest.mark.parametrize("name", list(TEXTS))
def test_examples_use_the_name_of_the_distribution(name):
    """`classifier` is also the name of another package on PyPI; modules inside the package have no other name."""
    code = "".join(blocks("python", TEXTS[name]) + blocks("sh", TEXTS[name]))
    assert not re.search(r"\b(import|from|-m) classifier\b(?!\.integrations)", code)


def test_shell_examples_run(tmp_path, sample_page):
    (tmp_path / "page.txt").write_text(sample_page, encoding="utf-8")
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "1.txt").write_text(sample_page, encoding="utf-8")
    (tmp_path / "crawl.jsonl").write_text(json.dumps({"id": 1, "text": sample_page}) + "\n", encoding="utf-8")
    lines = commands(README)
    assert len(lines) >= 8
    done = run_shell(lines, tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout


def test_every_command_of_the_formats_page_runs(tmp_path, sample_page):
    for library in ("pyarrow", "fastwarc", "resiliparse", "zstandard"):
        pytest.importorskip(library)
    lay_out(tmp_path, sample_page)
    lines = commands(FORMATS)
    done = run_shell(lines, tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    outputs = re.findall(r"(?:--output |--stats |> )(?!jsonl)([\w./-]+)", "\n".join(lines))
    assert len(outputs) >= 10
    for output in outputs:
        assert (tmp_path / output).stat().st_size, output
    assert sorted(path.name for path in (tmp_path / "clean" / "2025").iterdir()) == ["a.txt", "b.jsonl.gz"]
    assert (tmp_path / "clean.jsonl").read_bytes() == (tmp_path / "filtered.jsonl").read_bytes()


def test_the_page_about_articles_runs_from_top_to_bottom(tmp_path, sample_page):
    for library in ("pyarrow", "fastwarc", "resiliparse", "zstandard", "pandas", "polars"):
        pytest.importorskip(library)
    lay_out(tmp_path, sample_page)
    done = run_shell(commands(ARTICLES), tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    for example in blocks("python", ARTICLES):
        shown = run_python(example, tmp_path)
        assert shown.returncode == 0, shown.stderr
        assert "Làng gốm bên sông" in shown.stdout or "Sau hai năm nguội lạnh" in shown.stdout
    assert (
        (tmp_path / "article.txt").read_text(encoding="utf-8").startswith("Title: Làng gốm bên sông đỏ lửa trở lại\nPublished: 2025-03-04T")
    )


def lay_out(folder: Path, page: str) -> None:
    """Write the input files of the commands in docs/FORMATS.md: the page in every format."""
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
        "crawl.json": b"[" + record.strip() + b"]", "nested.jsonl": json.dumps({"page": {"id": 1, "text": page}}).encode(),
        "lists.jsonl": json.dumps({"text": page.split("\n")}).encode(), "pages-of-html.jsonl": json.dumps({"text": html}).encode(),
        "crawl.csv": table.encode(), "crawl.tsv": table.replace(",", "\t").encode(), "crawl.warc.wet.gz": gzip.compress(
            wet.encode() + page.encode() + b"\r\n\r\n"), "crawl/2025/a.html": html.encode(), "crawl/2025/b.jsonl.gz": gzip.compress(record),
    }  # fmt: skip
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    parquet.write_table(pyarrow.table({"id": [1], "url": ["https://example.vn/1"], "text": [page]}), folder / "crawl.parquet")


def test_the_formats_page_quotes_the_recorded_figures():
    crawl, fineweb = figures("crawl"), figures("fineweb")
    assert "{megabytes} MB of JSON lines, {megabytes_packed} MB compressed,\n{records:,} records".format_map(crawl) in FORMATS
    row = "| {seconds} s | {megabytes_a_second} MB/s | {after_a_tenth_mb} MB | {last_tenth_mb} MB | {peak_mb} MB |"
    assert row.format_map(crawl) in FORMATS
    assert crawl["last_tenth_mb"] < 1.1 * crawl["after_a_tenth_mb"]
    for name, found in fineweb.items():
        ended, ends, both = (found[key] for key in ("enough lines end as sentences do", "few enough line ends", "both"))
        medians = (found["median share of ended lines"], found["median line ends for each word"])
        assert f"| {name} | {ended} | {ends} | {both} | {medians[0]} | {medians[1]} |" in FORMATS
    assert fineweb["after tinsach clean"]["both"] > 5 * fineweb["as scraped"]["both"]


def test_the_page_about_scale_quotes_the_recorded_figures():
    scale, found = TEXTS["docs/SCALE.md"], figures("scale-formats")
    alone = found.pop("clean_pages alone")
    for name, row in found.items():
        cells = [row[f"{what}_mb_a_second"] for what in ("text", "content", "file")]
        assert f"| {name} | {' | '.join(map(str, cells))} | {row['ms_a_page']} |" in scale
    assert f"| `clean_pages` alone, no file | {alone['text_mb_a_second']} | | | {alone['ms_a_page']} |" in scale
    assert f"`--jobs 2` takes {1 / figures('scale-jobs')['ratio_of_cpu_time'] - 1:.0%} more".replace("%", " %") in scale
    chaos = figures("chaos-remote")
    assert CHAOS.format_map(chaos) in scale
    assert not chaos["differences"]


CHAOS = (
    "{runs} runs, {starts} starts, {kills} kills;\n{failed by 500} requests answered with 500, {failed by reset} answers "
    "reset in the middle, {failed by lost} lost: {differences} differences."
)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_make_targets_in_the_docs_exist(text):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for code in re.findall(r"(?:`|^)make ([^`\n#]+)", text, re.MULTILINE):
        words = [word for word in code.split() if "=" not in word]
        assert set(words) <= targets, code


def test_the_readmes_engine_examples_are_those_that_run():
    """Each is part of an example in docs/ENGINES.md, which tests/classifier/integrations/test_examples.py runs."""
    table = README.partition("## Engines")[2].partition("\n## ")[0]
    examples = re.findall(r"^\| .* \| `[a-z]+` \| `(.*)` \|$", table, re.MULTILINE)
    assert len(examples) == 5
    for code in examples:
        assert code in "".join(blocks("python", ENGINES)), code


def test_every_make_target_is_explained():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r"^([a-z-]+):", text, re.MULTILINE) == re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE)


def anchor(heading: str) -> str:
    """Return the anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", DOCS, ids=TEXTS)
def test_links_in_the_docs_have_targets(path):
    for link in re.findall(r"\]\(([^):]+)\)", path.read_text(encoding="utf-8")):
        name, _, place = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        if place:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert place in map(anchor, headings), link


@pytest.mark.parametrize("name", list(TEXTS))
def test_paths_in_the_docs_exist(name):
    for path in re.findall(r"`((?:classifier|training|tests|models|docs)/[\w./-]*)`", TEXTS[name]):
        assert (ROOT / path).exists(), path


def test_the_contributing_page_names_every_room():
    rooms = set(re.findall(r"`([a-z_]+)`", CONTRIBUTING))
    assert rooms >= {*CLASSIFIER, *TRAINING}


def test_the_borderline_cases_are_those_of_the_prompts():
    guide = " ".join(TEXTS["docs/RETRAINING.md"].partition("## The labels")[2].partition("\n## ")[0].split())
    assert guide.endswith("- " + " - ".join(BORDERLINE))


def test_the_label_table_is_complete():
    for label in classifier.LABELS:
        assert f"| `{label}` | {label.description} |" in README


def test_one_version():
    assert 'version = { attr = "classifier.version.__version__" }' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"## {classifier.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_sample_page_is_messy(cleaner, sample_page):
    dropped = {line.label for line in cleaner.label_lines(split_lines(sample_page)) if not line.kept}
    assert {"nav", "related", "most_read", "footer", "caption"} <= dropped


def test_the_reliability_page_quotes_the_recorded_figures():
    for name in FORMS:
        assert told(name) in RELIABILITY, "run `python -m tests.slow.figures`"


def test_the_reliability_page_names_tests_that_exist():
    """In a row, a name in backquotes belongs to the file named before it; an ellipsis stands for the rest of a name."""
    sources: dict[str, str] = {}  # by file name; the first mention of a file gives its path
    checked = 0
    for row in re.findall(r"^\| .* \|$", RELIABILITY, re.MULTILINE):
        source = None
        for name in re.findall(r"`([^`]+)`", row.split(" | ")[1]):
            if name.startswith("tests/"):
                sources[Path(name).name] = (ROOT / name).read_text(encoding="utf-8")
            if name.endswith(".py"):
                source = sources[Path(name).name]
            elif source and not name.startswith("make "):
                assert re.search(rf"def {re.escape(name).replace(re.escape('...'), '[a-z_]*')}\(", source), name
                checked += 1
    assert checked > 30


def test_the_recorded_figures_keep_the_promises():
    assert figures("fuzz")["inputs"] >= 200_000
    assert figures("fuzz")["failures"] == figures("soak")["pages that differ"] == 0
    assert figures("soak")["lines"] >= 2_000_000
    assert figures("soak")["growth_mb"] * 1e6 <= soak.ALLOWED


def test_no_recorded_kind_is_over_the_limit():
    assert figures("worst-case")["over"] == 0
