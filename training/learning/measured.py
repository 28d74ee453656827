"""Measurements of real pages: per line its label and the numbers that the context pass derives its rows from, and no words.

A file holds the pages of one style: line columns, first-pass evidence, positions, and which lines of a page are equal. The
first pass is trained on composed text alone, so its evidence on a real page is what it gives on any page at run time. It goes
stale when features, corpus or layouts change: each file carries the digest of the feature names, and the evidence that its first
pass gave for some held-out composed lines (`probe`), which a trained first pass must reproduce.

`python -m training.measure PAGES` writes the files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from classifier.core.arrays import Bools, Hashes, Int16s, Ints
from classifier.core.features import LINE_COLUMNS, LineFeatures
from classifier.core.history import scaled_evidence
from classifier.core.model_file import ZIP_FAULTS, feature_digest
from classifier.core.ngrams import NGrams
from classifier.errors import InputError
from classifier.labels import EVIDENCE, LABELS
from classifier.lines import is_blank
from classifier.review.labelled_page import BLANK_LABEL
from training.composer.augment import Line
from training.learning.dataset import Block, block_of
from training.learning.first_pass import FirstPass

__all__ = ["ROOT", "Measured", "MeasuredError", "load_measured", "measure", "probe", "write_measured"]

ROOT = Path(__file__).parent.parent / "measured"
PROBED = 512  # held-out composed lines whose evidence tells whether the first pass is the one that measured
WAY_OUT = "measure again with `make measure PAGES=dir`, dir being the gold pages"
# The arrays of a file: type and number of dimensions.
ARRAYS = {
    "pages": ("U", 1),  # publisher__n
    "lines": ("u4", 1),  # non-blank lines of each page
    "labels": ("u1", 1),
    "positions": ("u4", 1),  # raw line index within the page
    "sizes": ("u4", 1),  # visible characters
    "columns": ("u1", 2),  # (LINE_COLUMNS, n)
    "evidence": ("u1", 2),  # (EVIDENCE, n)
    "equals": ("u4", 2),  # (2, n): the first line of the page with the same text; with the same opening words
    "probe": ("u1", 2),  # (EVIDENCE, PROBED)
    "features_sha256": ("U", 0),
}


class MeasuredError(InputError):
    """A file of measurements is damaged or stale; the message names the file and the way out."""


class Measured(NamedTuple):
    """The measurements of the pages of one style."""

    pages: tuple[str, ...]  # publisher__n
    block: Block  # its hashes say only which lines of a page are equal
    evidence: Int16s  # (len(EVIDENCE), n)

    @property
    def publishers(self) -> list[str]:
        """The publisher of each page."""
        return [page.split("__")[0] for page in self.pages]


def measure(first: FirstPass, pages: Mapping[str, Sequence[Line]]) -> Measured:
    """Return the measurements of labelled pages, by name, by a first pass.

    Raises:
        InputError: a page has no labelled line.
    """
    block = block_of(pages.values())
    if block.starts.sum() < len(pages):
        empty = [name for name, lines in pages.items() if all(is_blank(line.text) or line.label == BLANK_LABEL for line in lines)]
        raise InputError(f"{empty[0]}: no line has text and a label, so there is nothing to learn from; label the page or remove it")
    evidence = scaled_evidence(first.log_probabilities(block.line_features).T)
    features = block.line_features._replace(hashes=_equal_lines(block), grams=_no_grams(len(block.labels)))
    return Measured(tuple(pages), block._replace(line_features=features), evidence)


def _equal_lines(block: Block) -> Hashes:
    """Return hashes (2, n) that are equal where those of the block are, within a page: the index of the first such line, plus 1."""
    page = np.cumsum(block.starts)
    equals = []
    for hashes in block.line_features.hashes:
        _, first, inverse = np.unique(np.stack((page.astype(np.uint64), hashes)), axis=1, return_index=True, return_inverse=True)
        equals.append(first[inverse.reshape(-1)] + 1)
    return np.array(equals).astype(np.uint64)


def _no_grams(lines: int) -> NGrams:
    """Return n-grams of lines that have none."""
    nothing = np.zeros(0, np.uint64)
    return NGrams(nothing, nothing, np.zeros(lines, np.intp), np.zeros(0, np.intp), np.zeros(lines, np.intp))


def probe(first: FirstPass, held_out: Block) -> Int16s:
    """Return the evidence of a first pass for the first PROBED held-out composed lines."""
    return scaled_evidence(first.log_probabilities(held_out.line_features).T[:, :PROBED])


def write_measured(measured: Mapping[str, Measured], probed: Int16s, folder: Path = ROOT) -> None:
    """Write one file per style; files of other styles are removed, since their first pass was another one."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.npz"):
        path.unlink()
    for style, (pages, block, evidence) in sorted(measured.items()):
        starts = np.flatnonzero(block.starts)
        np.savez_compressed(
            folder / f"{style}.npz",
            pages=np.array(pages),
            lines=np.diff(starts, append=len(block.labels)).astype(np.uint32),
            labels=block.labels.astype(np.uint8),
            positions=block.position.astype(np.uint32),
            sizes=block.line_features.size.astype(np.uint32),
            columns=block.line_features.columns.astype(np.uint8),
            evidence=evidence.astype(np.uint8),
            equals=(block.line_features.hashes - 1 - np.repeat(starts, np.diff(starts, append=len(block.labels))).astype(np.uint64)).astype(
                np.uint32
            ),
            probe=probed.astype(np.uint8),
            features_sha256=np.array(feature_digest()),
        )


def load_measured(first: FirstPass | None = None, held_out: Block | None = None, folder: Path = ROOT) -> list[Measured]:
    """Return the measurements of a folder, by file name, after checking that this first pass made them, if one is given.

    Raises:
        MeasuredError: there is no file, or one is damaged, or was measured with other features or another first pass.
    """
    if not any(folder.glob("*.npz")):
        raise MeasuredError(f"{folder}: holds no measurements; restore them with `git checkout training/measured`, or {WAY_OUT}")
    probed = probe(first, held_out) if first is not None and held_out is not None else None
    return [_read(path, probed) for path in sorted(folder.glob("*.npz"))]


def _read(path: Path, probed: Int16s | None) -> Measured:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except ZIP_FAULTS as error:
        raise MeasuredError(f"{path}: cannot be read ({error}); {WAY_OUT}") from error
    kinds = {
        name: (array.dtype.str.lstrip("<|")[:1] if array.dtype.kind == "U" else array.dtype.str[1:], array.ndim)
        for name, array in arrays.items()
    }
    if kinds != ARRAYS:
        raise MeasuredError(f"{path}: does not hold the arrays of a file of measurements; {WAY_OUT}")
    if str(arrays["features_sha256"]) != feature_digest():
        raise MeasuredError(f"{path}: measured with other features than those of this code; {WAY_OUT}")
    # Another machine rounds otherwise: one sixteenth is no sign of another first pass.
    if probed is not None and (arrays["probe"].shape != probed.shape or np.abs(arrays["probe"].astype(np.int16) - probed).max() > 1):
        raise MeasuredError(f"{path}: measured with another first pass: corpus, layouts or settings have changed since; {WAY_OUT}")
    n = len(arrays["labels"])
    starts: Bools = np.zeros(n, np.bool_)
    counts = arrays["lines"].astype(np.int64)
    shapes = {"positions": (n,), "sizes": (n,), "columns": (len(LINE_COLUMNS), n), "evidence": (len(EVIDENCE), n), "equals": (2, n)}
    wrong = [name for name, shape in shapes.items() if arrays[name].shape != shape]
    if wrong or counts.sum() != n or len(counts) != len(arrays["pages"]) or not counts.all() or arrays["labels"].max() >= len(LABELS):
        raise MeasuredError(f"{path}: its arrays do not fit together; {WAY_OUT}")
    at = np.append(0, counts.cumsum()[:-1])
    starts[at] = True
    position = arrays["positions"].astype(np.int64)
    blanks: Ints = position - np.append(-1, position[:-1]) - 1
    blanks[starts] = position[starts]
    hashes = arrays["equals"].astype(np.uint64) + np.repeat(at, counts).astype(np.uint64) + np.uint64(1)
    features = LineFeatures(arrays["columns"].astype(np.int16), hashes, arrays["sizes"].astype(np.int64), _no_grams(n))
    labels = arrays["labels"].astype(np.int64)
    return Measured(
        tuple(arrays["pages"].tolist()), Block(features, starts, position, blanks, labels, labels), arrays["evidence"].astype(np.int16)
    )
