"""Leaving publisher networks out: which pages are trained on, the command, and its section of the model card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from classifier.errors import InputError
from training import leave_out
from training.learning.dataset import make_pages
from training.learning.networks import NETWORKS, network_of
from training.learning.settings import Settings
from training.scoring import left_out
from training.scoring.left_out import left_out_section

SMALL = Settings(pages=40, vocabulary_size=400, networks=1, hidden=4, stacked_hidden=4, epochs=1)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Composed pages that stand in for gold pages of three publishers, two of them of one network."""
    folder = tmp_path_factory.mktemp("gold") / "pages"
    (folder / "plain").mkdir(parents=True)
    names = ("vnexpress__1", "ngoisao__1", "bai-song__1")
    for name, page in zip(names, make_pages(20, 31, folds=(0,))[0]):
        rows = "".join(f"{line.label}\t{line.text}\n" for line in page.lines)
        (folder / "plain" / f"{name}.tsv").write_text(rows, encoding="utf-8")
    (folder.parent / "kinds.tsv").write_text("vnexpress\tpress\nngoisao\tpress\nbai-song\tpublic\n", encoding="utf-8")
    return folder


def test_a_publisher_is_in_one_network():
    names = [name for network in NETWORKS for name in network]
    assert len(names) == len(set(names))
    assert network_of("vnexpress") == network_of("ngoisao") == 0
    assert network_of("bai-song") == len(NETWORKS)


def test_figures_by_style_and_kind(pages, tmp_path, monkeypatch, capsys):
    trained_on = []
    fit = leave_out.fit

    def watched(settings, **options):
        measured = options["measured"]
        options["measured"] = lambda *args: [trained_on.append(part.pages) or part for part in measured(*args)]
        return fit(settings, **options)

    monkeypatch.setattr(leave_out, "fit", watched)
    monkeypatch.setattr(leave_out, "SETTINGS", SMALL)
    monkeypatch.setattr(leave_out, "network_of", lambda publisher: int(publisher == "bai-song"))
    monkeypatch.setattr(leave_out, "NETWORKS", NETWORKS[:1])
    options = ["--kinds", str(pages.parent / "kinds.tsv"), "--jobs", "1", "--composed", "40", "--json", str(tmp_path / "left_out.json")]
    assert leave_out.main([str(pages), *options]) == 0
    assert trained_on == [("bai-song__1",), ("ngoisao__1", "vnexpress__1")]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:4] for line in lines] == [["plain", "press", "2", "pages"], ["plain", "public", "1", "pages"]]
    record = json.loads((tmp_path / "left_out.json").read_text())
    assert record["figures"]["plain public"]["pages"] == 1
    assert sum(lines for _, _, lines in record["reliability"]) > 100
    section = left_out_section(record["data_sha256"], tmp_path / "left_out.json")
    assert f"| plain press | 2 | {record['figures']['plain press']['article_f1']:.3f} |" in section
    assert left_out_section("0" * 64, tmp_path / "left_out.json") == ""


def test_a_broken_list_of_kinds_is_named_with_its_line(tmp_path, pages, capsys):
    (tmp_path / "kinds.tsv").write_text("a\tpress\nb press\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"kinds\.tsv:2: expected publisher"):
        leave_out.read_kinds(tmp_path / "kinds.tsv")
    assert leave_out.main([str(pages), "--kinds", str(tmp_path / "kinds.tsv")]) == 2
    assert "kinds.tsv:2" in capsys.readouterr().err


def test_the_cards_figures_are_of_the_shipped_data():
    record = json.loads(left_out.PATH.read_text(encoding="utf-8"))
    assert left_out_section(record["data_sha256"]) in (left_out.PATH.parent / "MODEL_CARD.md").read_text(encoding="utf-8")
