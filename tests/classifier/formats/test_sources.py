"""Folders and patterns as inputs, outputs that mirror their tree, and statistics."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from classifier.cli import main
from classifier.errors import InputError
from classifier.formats.names import output_name
from classifier.formats.sources import Source, find_sources, refuse_same_file
from classifier.labels import LABELS
from classifier.lines import split_lines

TREE = ("a.txt", "sub/a.txt", "sub/c.txt.gz", "sub/deep/b.jsonl")
SKIPPED = (".hidden.txt", ".git/d.txt", "sub/picture.jpg", "README")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (*TREE, *SKIPPED):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"")
    return tmp_path / "in"


def places(*names: str, form: str | None = None, into: str = "out") -> list[str]:
    return [source.target for source in find_sources(names, form, into)]


def test_a_folder_means_its_files_of_known_formats(tree):
    assert places(str(tree)) == list(TREE)
    assert places(f"{tree}/sub/") == ["a.txt", "c.txt.gz", "deep/b.jsonl"]
    assert places(str(tree), form="text") == ["README", "a.txt", "sub/a.txt", "sub/c.txt.gz", "sub/picture.jpg", "sub/deep/b.jsonl"]
    assert places(str(tree), into=str(tree / "sub")) == ["a.txt"]  # the outputs of the last run are skipped
    with pytest.raises(InputError, match=r"there is no file in it"):
        places(_empty(tree))


def _empty(tree: Path) -> str:
    (tree / "sub" / "empty").mkdir()
    return str(tree / "sub" / "empty")


def test_patterns(tree, monkeypatch):
    assert places(f"{tree}/**/*.txt") == ["a.txt", "sub/a.txt"]
    assert places(f"{tree}/s*/*.txt*") == ["sub/a.txt", "sub/c.txt.gz"]
    assert places(f"{tree}/sub/?.txt") == ["a.txt"]
    monkeypatch.chdir(tree)
    assert places("**/*.jsonl") == ["sub/deep/b.jsonl"]
    assert [source.path for source in find_sources(["*.txt"], None)] == ["a.txt"]
    Path("odd[1].txt").touch()  # an existing file takes precedence over a pattern
    assert places("odd[1].txt") == ["odd[1].txt"]
    with pytest.raises(FileNotFoundError, match="no file matches"):
        places("*.none")


def test_an_unreadable_folder_is_an_error(tree, monkeypatch):
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError):
        places(str(tree))


def test_the_tree_is_mirrored_and_resumed(tmp_path, composed_pages, cleaner, capsys):
    pages = dict(zip(("a.txt", "sub/a.txt", "sub/deep/er/a.txt"), composed_pages))
    for name, page in pages.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(page, encoding="utf-8")
    command = ["clean", str(tmp_path / "in"), "--output-dir", str(tmp_path / "out"), "--resume", "--summary"]
    assert main(command) == 0
    for name, page in pages.items():
        assert (tmp_path / "out" / name).read_text(encoding="utf-8").rstrip("\n") == cleaner.clean_text(page)
    (tmp_path / "out" / "sub" / "a.txt").unlink()
    (tmp_path / "out" / "sub" / ".tinsach-tmp-1-00").touch()
    capsys.readouterr()
    assert main(command) == 0
    assert "cleaned 1 file, found 2 finished" in capsys.readouterr().err
    assert not list((tmp_path / "out").rglob(".tinsach-tmp-*"))
    assert main([*command[:2], "--output-dir", str(tmp_path / "in")]) == 2
    assert "the same file as the input" in capsys.readouterr().err


def test_statistics(tmp_path, composed_pages, cleaner, capsysbinary):
    crawl, stats = tmp_path / "crawl.jsonl", tmp_path / "stats.json"
    pages = [*composed_pages[:4], ""]
    crawl.write_text("".join(json.dumps({"text": page}) + "\n" for page in pages) + "bad\n", encoding="utf-8")
    assert main(["clean", str(crawl), "--stats", str(stats), "--on-error", "skip"]) == 1
    as_records = json.loads(stats.read_text())
    (tmp_path / "pages.txt").write_text("\f".join(pages), encoding="utf-8")
    assert main(["clean", str(tmp_path / "pages.txt"), "--stats", str(stats)]) == 0
    as_text = json.loads(stats.read_text())
    lines = [line for page in pages for line in cleaner.label_lines(split_lines(page)) if line.label]
    chars, dropped = (sum(len(line.text) for line in lines if not line.kept or all_) for all_ in (True, False))
    for report in (as_records, as_text):
        assert (report["files"], report["pages"], report["characters"], report["characters_dropped"]) == (1, 5, chars, dropped)
        assert report["bytes"] == sum(len(line.text.encode()) for line in lines)
        assert report["share_dropped"] == pytest.approx(dropped / chars, abs=1e-6)
        assert sum(report["lines"].values()) == len(lines)
        assert list(report["labels"]) == list(LABELS)
        assert report["pages_per_second"] > 0
    assert as_records["labels"] == as_text["labels"]
    assert (as_records["records"], as_records["bad"]) == (6, 1)
    capsysbinary.readouterr()


def test_names_of_outputs():
    assert output_name("sub/crawl.jsonl.gz", "jsonl") == "sub/crawl.jsonl.gz"
    assert output_name("page", "text") == "page"


def test_a_name_through_a_missing_folder_is_the_same_file(tmp_path):
    (tmp_path / "page.txt").touch()
    with pytest.raises(InputError, match="the same file as the input"):
        refuse_same_file([Source(str(tmp_path / "page.txt"), "text")], [tmp_path / "missing" / ".." / "page.txt"])
