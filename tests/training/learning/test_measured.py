"""Measurements of real pages: what a file holds, that it says no words, and that stale or damaged files are refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from classifier.core.features import LINE_COLUMNS
from classifier.core.history import scaled_evidence
from classifier.errors import InputError
from classifier.labels import EVIDENCE, LABELS
from training import train
from training.composer.augment import Line
from training.learning.context_pass import rows_of
from training.learning.dataset import block_of, make_pages
from training.learning.first_pass import FirstPass
from training.learning.measured import ROOT, Measured, MeasuredError, load_measured, measure, probe, write_measured
from training.learning.settings import Settings

PAGES = {
    "báo__1": [
        Line("nav", "Trang chủ"),
        Line("-", ""),
        Line("title", "Làng gốm bên sông đỏ lửa trở lại"),
        Line("body", "Sáng 4/3, khói trắng lại bay lên từ cuối bãi."),
        Line("nav", "Trang chủ"),
    ],
    "báo__2": [Line("nav", "Trang chủ"), Line("footer", "Tổng biên tập: Đặng Vĩnh Khoa")],
}


@pytest.fixture(scope="module")
def composed():
    held_out, one, two = (block_of(page.lines for page in fold) for fold in make_pages(40, 3, folds=(0, 1, 2)))
    first, other = (FirstPass(800, 8, 0.1, tol=1e-2).fit(blocks) for blocks in ([one], [two]))
    return held_out, first, other


@pytest.fixture
def folder(composed, tmp_path) -> Path:
    held_out, first, _ = composed
    write_measured({"plain": measure(first, PAGES)}, probe(first, held_out), tmp_path)
    return tmp_path


def test_a_file_gives_the_rows_that_the_pages_give(composed, folder):
    held_out, first, _ = composed
    (measured,) = load_measured(first, held_out, folder)
    block = block_of(PAGES.values())
    assert measured.pages == tuple(PAGES)
    assert measured.publishers == ["báo", "báo"]
    assert measured.block.labels.tolist() == block.labels.tolist()
    evidence = scaled_evidence(first.log_probabilities(block.line_features).T)
    assert np.array_equal(rows_of(measured.block, measured.evidence), rows_of(block, evidence))


def test_a_page_without_a_labelled_line_is_named(composed):
    _, first, _ = composed
    with pytest.raises(InputError, match="báo__3: no line has text"):
        measure(first, PAGES | {"báo__3": [Line("-", ""), Line("body", " ")]})


def test_stale_files_are_refused(composed, folder):
    held_out, _, other = composed
    with pytest.raises(MeasuredError, match=r"plain\.npz: measured with another first pass.*make measure"):
        load_measured(other, held_out, folder)
    assert load_measured(folder=folder)
    with pytest.raises(MeasuredError, match="holds no measurements"):
        load_measured(folder=folder / "none")


def test_training_refuses_stale_measurements_and_names_the_way_out(monkeypatch, capsys):
    def stale(*_: object) -> list[Measured]:
        raise MeasuredError("plain.npz: measured with another first pass; measure again with `make measure PAGES=dir`")

    monkeypatch.setattr(train, "load_measured", stale)
    monkeypatch.setattr(train, "SETTINGS", Settings(pages=20, vocabulary_size=200, networks=1, hidden=2, stacked_hidden=2, epochs=1))
    assert train.main(["--out", "nowhere", "--jobs", "1"]) == 2
    assert capsys.readouterr().err == "train: plain.npz: measured with another first pass; measure again with `make measure PAGES=dir`\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features_sha256": np.array("0")}, "other features"),
        ({"labels": np.full(6, len(LABELS), np.uint8)}, "do not fit together"),
        ({"sizes": np.zeros(5, np.uint32)}, "do not fit together"),
        ({"text": np.array("Trang chủ")}, "does not hold the arrays"),
        ({"labels": np.zeros(6)}, "does not hold the arrays"),
    ],
)
def test_damaged_files_are_refused(composed, folder, change, message):
    held_out, first, _ = composed
    path = folder / "plain.npz"
    with np.load(path) as file:
        arrays = dict(file)
    np.savez_compressed(path, **(arrays | change))
    with pytest.raises(MeasuredError, match=message):
        load_measured(first, held_out, folder)
    path.write_bytes(b"PK")
    with pytest.raises(MeasuredError, match="cannot be read"):
        load_measured(first, held_out, folder)


def test_a_file_holds_numbers_that_words_cannot_be_made_of():
    """Columns count and classify characters, evidence rates labels, and `equals` are indices: no text, hash or n-gram."""
    paths = sorted(ROOT.glob("*.npz"))
    assert paths
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        n = len(arrays["labels"])
        lines = np.repeat(arrays["lines"], arrays["lines"])
        assert {name for name, array in arrays.items() if array.dtype.kind == "U"} == {"pages", "features_sha256"}
        assert all(re.fullmatch(r"[a-z0-9_]+__[a-z0-9]+", page) for page in arrays["pages"].tolist())
        assert arrays["columns"].shape == (len(LINE_COLUMNS), n)
        assert arrays["evidence"].shape == (len(EVIDENCE), n)
        assert arrays["columns"].max() <= 128
        assert arrays["evidence"].max() <= 96
        assert (arrays["equals"] < lines).all()
