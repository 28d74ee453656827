"""The model: two small sets of weights, checked before use, run in plain numpy.

*First pass*: TF-IDF of hashed n-grams plus line columns, through a multinomial logistic regression over `EVIDENCE`
(the labels, and six kinds of block heading). *Context pass*: a one-layer network over `context.py`'s rows. Both are trained in
scikit-learn (`training/train.py`) and stored as arrays beside a JSON manifest; nothing is pickled, nothing in the file is code.

All weights lie on the grid 2^-GRID and all features are small integers, so every sum is exact in float64, whatever the BLAS, the
machine or the batch: a line gets the same probability however it came in.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from classifier.arrays import Bools, Floats, Int16s, Ints
from classifier.context import CONTEXT_COLUMNS, EVIDENCE
from classifier.errors import ModelError
from classifier.features import LINE_COLUMNS, Described
from classifier.labels import LABELS
from classifier.ngrams import NGrams, Vocabulary

__all__ = ["FORMAT", "FORMAT_VERSION", "GRID", "Model", "default_path", "feature_digest", "gram_counts", "log_softmax", "on_grid", "shapes"]

FORMAT = "tinsach-line-model"
FORMAT_VERSION = 1
GRID = 32
STEM = "vi-news"
MAX_BYTES = 64 << 20  # of arrays; the shipped model has under 4 MB
HIDDEN_SPLIT = 1 << 10
HIDDEN_GRID = 1 << 26


def on_grid(weights: Floats) -> Floats:
    """Return the weights rounded to multiples of 2^-GRID."""
    return np.ldexp(np.rint(np.ldexp(np.asarray(weights, np.float64), GRID)), -GRID)


def feature_digest() -> str:
    """Return a digest of every feature name in order: a model only fits the code it was trained with."""
    names = json.dumps([list(LINE_COLUMNS), list(EVIDENCE), list(CONTEXT_COLUMNS)], ensure_ascii=False)
    return hashlib.sha256(names.encode()).hexdigest()


def shapes(vocabulary: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every array of a model."""
    return {
        "vocabulary": (vocabulary,),  # uint64 hashes
        "text": (vocabulary, len(EVIDENCE)),  # idf times coefficient
        "columns": (len(LINE_COLUMNS), len(EVIDENCE)),
        "bias": (len(EVIDENCE),),
        "hidden": (len(CONTEXT_COLUMNS), hidden),  # standardisation folded in
        "hidden_bias": (hidden,),
        "output": (hidden, len(LABELS)),  # temperature folded in
        "output_bias": (len(LABELS),),
    }


def default_path() -> Path:
    """Return where the shipped model lies: inside the package (a wheel), else beside it (a checkout)."""
    here = Path(__file__).resolve().parent
    for folder in (here / "models", here.parent / "models"):
        if (folder / f"{STEM}.npz").exists():
            return folder / f"{STEM}.npz"
    raise ModelError(f"no shipped model in {here / 'models'} or {here.parent / 'models'}; run `make train`, or pass a path to load()")


def gram_counts(grams: NGrams, vocabulary: Vocabulary, hidden: Bools | None = None) -> tuple[Ints, Ints, Floats]:
    """Return the columns of bigrams and unigrams (k,), and each line's scale (n,): 1 / sqrt(known n-grams).

    Entries that `hidden` (k,) marks count as unknown; training hides some.
    """
    bigrams, unigrams = vocabulary.columns(grams.bigrams), vocabulary.columns(grams.unigrams)
    if hidden is not None:
        unknown = np.int32(vocabulary.size)
        bigrams, unigrams = np.where(hidden, unknown, bigrams), np.where(hidden, unknown, unigrams)
    known = (bigrams < vocabulary.size).astype(np.int64) + (unigrams < vocabulary.size)
    return bigrams, unigrams, 1 / np.sqrt(np.maximum(np.add.reduceat(known, grams.starts), 1))


def log_softmax(scores: Floats) -> Floats:
    """Return scores (n, classes) as natural-log probabilities."""
    scores = scores - scores.max(axis=1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


class Model:
    """Weights ready to run; make one with `Model.load`."""

    def __init__(self, arrays: Mapping[str, Ints], manifest: Mapping[str, Any], path: Path | None = None) -> None:
        """Take checked arrays (see `shapes`), their manifest, and the file they came from, if from one."""
        self.manifest = dict(manifest)
        self.path = path
        self.vocabulary = Vocabulary(arrays["vocabulary"])
        self._text = np.concatenate((arrays["text"], np.zeros((1, len(EVIDENCE)))))  # last row: unknown n-grams
        self._columns, self._bias = arrays["columns"], arrays["bias"]
        self._hidden, self._hidden_bias = arrays["hidden"], arrays["hidden_bias"]
        self._output, self._output_bias = arrays["output"], arrays["output_bias"]

    @classmethod
    def load(cls, path: str | Path | None = None) -> Model:
        """Read and verify a model: an `.npz` file or the folder that holds `vi-news.npz`; the shipped one by default.

        Raises:
            ModelError: the file or its manifest is missing, damaged, or made for another version.
        """
        where = default_path() if path is None else Path(path)
        if where.is_dir():
            where = where / f"{STEM}.npz"
        manifest = _read_manifest(where.with_suffix(".json"))
        try:
            data = where.read_bytes()
        except OSError as error:
            raise ModelError(f"{where}: cannot read the model ({error.strerror}); run `make train` or pass another path") from error
        return cls(_read_arrays(where, data, manifest), manifest, where.resolve())

    def first_pass(self, described: Described) -> Floats:
        """Return natural-log probabilities (n, len(EVIDENCE)) from each line by itself."""
        grams = described.grams
        bigrams, unigrams, scale = gram_counts(grams, self.vocabulary)
        text = np.add.reduceat(self._text[bigrams] + self._text[unigrams], grams.starts, axis=0)
        numeric = described.columns.astype(np.float64) @ self._columns
        return log_softmax(text * scale[:, None] + numeric + self._bias)

    def context_pass(self, rows: Int16s) -> Floats:
        """Return log probabilities (n, len(LABELS)) from context rows (n, len(CONTEXT_COLUMNS))."""
        hidden = rows.astype(np.float64) @ self._hidden
        hidden += self._hidden_bias
        np.maximum(hidden, 0, out=hidden)
        # The second product is exact as well once its left side is cut into a coarse and a fine part.
        coarse = np.floor(hidden * HIDDEN_SPLIT) / HIDDEN_SPLIT
        fine = np.rint((hidden - coarse) * HIDDEN_GRID) / HIDDEN_GRID
        return log_softmax(coarse @ self._output + fine @ self._output + self._output_bias)


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path}: cannot read the manifest ({error.strerror}); a model is an .npz file and its .json beside it") from error
    except ValueError as error:
        raise ModelError(f"{path}: the manifest is not JSON; restore the file or run `make train`") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ModelError(f"{path}: not a tinsach model manifest (format {FORMAT!r} expected)")
    if manifest.get("format_version") != FORMAT_VERSION:
        found = manifest.get("format_version")
        raise ModelError(f"{path}: format version {found!r}, this tinsach reads {FORMAT_VERSION}; install its tinsach, or retrain")
    if manifest.get("labels") != [label.value for label in LABELS] or manifest.get("features_sha256") != feature_digest():
        raise ModelError(f"{path}: made for other labels or features than this tinsach has; retrain with `make train`")
    return manifest


def _read_arrays(path: Path, data: bytes, manifest: Mapping[str, Any]) -> dict[str, Ints]:
    if hashlib.sha256(data).hexdigest() != manifest.get("arrays_sha256"):
        raise ModelError(f"{path}: its SHA-256 differs from the manifest's; the file is damaged or belongs to another manifest")
    expected = shapes(int(manifest["vocabulary_size"]), int(manifest["hidden_size"]))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
                raise ModelError(f"{path}: its arrays would take over {MAX_BYTES >> 20} MB; not a tinsach model")
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise ModelError(f"{path}: not an array file ({error}); restore it or run `make train`") from error
    for name, shape in expected.items():
        dtype = np.uint64 if name == "vocabulary" else np.float64
        if name not in arrays or arrays[name].shape != shape or arrays[name].dtype != dtype:
            raise ModelError(f"{path}: array {name!r} is missing or not {shape} {np.dtype(dtype).name}; retrain with `make train`")
    return arrays
