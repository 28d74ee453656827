"""Training, evaluation and gate, with models small enough to train in seconds."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import classifier
from classifier.core.arrays import log_softmax
from classifier.core.history import scaled_evidence
from classifier.core.model import Model
from classifier.core.model_file import read_model
from training import gate, train
from training.composer.skeleton import SkeletonError
from training.evaluate import main as evaluate_main
from training.evaluate import report
from training.learning.context_pass import rows_of, stacked_rows_of
from training.learning.dataset import block_of, make_pages
from training.learning.export import MODELS, data_digest, export
from training.learning.first_pass import FirstPass
from training.learning.fit import Trained, fit
from training.learning.settings import SETTINGS, Settings
from training.scoring import floors
from training.scoring.gold import Gold, read_gold
from training.scoring.scores import Scores, evaluate, f1, visible

SMALL = Settings(pages=60, vocabulary_size=800, networks=2, hidden=8, stacked_hidden=8, epochs=2)


@pytest.fixture(scope="module")
def trained() -> Trained:
    return fit(SMALL, log=lambda *_, **__: None)


@pytest.fixture(scope="module")
def exported(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    export(trained, folder, SMALL)
    return folder


def test_numpy_runtime_equals_the_scikit_learn_pipeline(trained, exported):
    pages = [page.lines for fold in make_pages(60, 9) for page in fold]
    block = block_of(pages)
    assert len(block.labels) >= 5000
    model = Model.load(exported)
    by_numpy, by_sklearn = model.first_pass(block.line_features).T, trained.first.log_probabilities(block.line_features)
    assert np.abs(np.exp(by_numpy) - np.exp(by_sklearn)).max() < 1e-5
    evidence = scaled_evidence(by_numpy.T)
    assert np.abs(evidence - scaled_evidence(by_sklearn.T)).max() <= 1  # a sixteenth, where the two lie on both sides of a half
    rows = rows_of(block, evidence)
    found, by_context = trained.context.log_probabilities(rows), log_softmax(model._context.scores(rows.T.astype(np.float32))).T
    assert np.abs(np.exp(by_context) - np.exp(found)).max() < 1e-5
    rows = stacked_rows_of(block, evidence, by_context)
    found, by_stacked = trained.stacked.log_probabilities(rows), log_softmax(model._stacked.scores(rows.T.astype(np.float32))).T
    assert np.abs(np.exp(by_stacked) - np.exp(found)).max() < 1e-5


def test_the_first_pass_of_a_model_file_is_that_of_the_runtime(exported):
    """Evidence, with and without hidden n-grams, and the arrays written from it again."""
    arrays = read_model(exported)[0]
    first, block = FirstPass.of(arrays), block_of(page.lines for page in make_pages(40, 9, folds=(1,))[0])
    found = first.log_probabilities(block.line_features)
    assert np.abs(np.exp(found) - np.exp(Model.load(exported).first_pass(block.line_features).T)).max() < 1e-5
    hidden = np.ones(len(block.line_features.grams.bigrams), np.bool_)
    assert np.abs(np.exp(first.log_probabilities(block.line_features, hidden)) - np.exp(found)).max() > 0.1
    for name, array in first.arrays().items():
        assert array.dtype == arrays[name].dtype, name
        assert np.array_equal(array, arrays[name]), name


def test_the_pipeline_decides_what_whole_pages_say(exported):
    """Blocks, look-ahead and buffers change nothing: features computed at once over whole pages give the same labels."""
    pages = [page.lines for page in make_pages(40, 4, folds=(1,))[0]]
    model = Model.load(exported)
    block = block_of(pages)
    evidence = scaled_evidence(model.first_pass(block.line_features))
    found = log_softmax(model._context.scores(rows_of(block, evidence).T.astype(np.float32))).T
    at_once = log_softmax(model._stacked.scores(stacked_rows_of(block, evidence, found).T.astype(np.float32))).argmax(axis=0)
    columns = classifier.load(exported).label_pages("\n".join(line.text for line in page) + "\n" for page in pages)
    assert columns.codes[columns.codes >= 0].tolist() == at_once.tolist()


def test_training_twice_gives_the_same_bytes(trained, exported, tmp_path):
    again = fit(SMALL, jobs=2, log=lambda *_, **__: None)
    export(again, tmp_path, SMALL)
    for name in ("vi-news.npz", "vi-news.json"):
        assert (tmp_path / name).read_bytes() == (exported / name).read_bytes()


def test_the_first_pass_alone_shows_whether_a_model_is_that_of_the_data(trained, exported, monkeypatch, capsys):
    monkeypatch.setattr(train, "SETTINGS", SMALL)
    monkeypatch.setattr(train, "MODELS", exported)
    monkeypatch.setattr(train, "load_measured", lambda *_: [])  # the shipped measurements are of the shipped first pass
    assert train.main(["--verify-first-pass"]) == 0
    assert capsys.readouterr().out.endswith("the first pass differs by at most 0.00e+00\n")
    monkeypatch.setattr(train, "SETTINGS", SMALL._replace(seed=SMALL.seed + 1))
    assert train.main(["--verify-first-pass"]) == 1


def test_the_shipped_model_was_made_from_this_data():
    manifest = json.loads((MODELS / "vi-news.json").read_text(encoding="utf-8"))
    assert manifest["training_data_sha256"] == data_digest()
    assert manifest["settings"] == json.loads(json.dumps(SETTINGS._asdict()))
    assert manifest["version"] == classifier.__version__


def test_the_card_tells_the_manifests_figures():
    manifest = json.loads((MODELS / "vi-news.json").read_text(encoding="utf-8"))
    card = (MODELS / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert manifest["arrays_sha256"] in card
    assert f"| {manifest['scores']['article_f1']:.3f} | {manifest['scores']['strict_f1']:.3f} |" in card


# -- metrics, worked out by hand -----------------------------------------------------------------------------------------


def test_f1_and_visible():
    assert f1(0, 3, 0) == 0
    assert f1(3, 1, 2) == pytest.approx(2 / (1 / (3 / 4) + 1 / (3 / 5)))
    assert visible("  * [Kinh tế](/a b) !") == len("*[Kinhtế]!")


class Fixed:
    """Stub for a cleaner with fixed answers."""

    def __init__(self, codes: list[int], keep: list[float]) -> None:
        self._codes, self._keep = np.array(codes), np.array(keep)
        self.model = SimpleNamespace(manifest={})

    def label_pages(self, pages):
        offsets = np.cumsum([0, *(page.count("\n") for page in pages)])
        none = np.zeros(len(self._codes))
        return classifier.Labels(self._codes, none, none > 0, self._keep, self._codes, offsets, [], self._codes, self._codes)


def test_measures_on_a_page_worked_out_by_hand():
    page = Gold("báo__1", "báo", ["title", "body", "caption", "nav", "-", "related"], ["abcd", "abcdef", "abc", "ab", "", "abcde"])
    found = evaluate(Fixed([0, 4, 1, 1, -1, 5], [0.95, 0.35, 0.95, 0.55, 0, 0.05]), [page])
    # kept: title (4, right), caption (3, ignored by article F1), nav (2, wrong); missed: body (6)
    assert found.article == pytest.approx(2 * 4 / (2 * 4 + 2 + 6))
    assert found.strict == pytest.approx(2 * 4 / (2 * 4 + 5 + 6))
    assert found.line == pytest.approx(2 * 1 / (2 * 1 + 2 + 1))
    assert found.macro == pytest.approx((1 + 0 + 0 + 0 + 1) / 5)
    assert found.pages[0].errors == [(6, "body", "nav", "abcdef"), (2, "nav", "body", "ab")]
    # bins: .05 (0 of 1 kept), .35 (1 of 1), .55 (0 of 1), .95 twice (1 of 2)
    assert found.ece == pytest.approx((0.05 + 0.65 + 0.55 + 2 * 0.45) / 5)
    assert "body as nav 1" in report("x", found, 5)


def test_publishers_count_alike_however_many_pages_they_have():
    pages = [Gold("a__1", "a", ["body"], ["ab"]), Gold("a__2", "a", ["body"], ["ab"]), Gold("b__1", "b", ["body"], ["ab"])]
    found = evaluate(Fixed([1, 4, 4], [1, 0, 0]), pages)
    assert found.article == pytest.approx((0.5 + 0) / 2)


def test_gold_folders(tmp_path):
    with pytest.raises(SkeletonError, match="no publisher__n"):
        read_gold(tmp_path)
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a__1.tsv").write_text("body\tMột dòng\n", encoding="utf-8")
    assert list(read_gold(tmp_path)) == ["plain"]
    assert read_gold(tmp_path / "plain")["plain"][0].publisher == "a"


def test_evaluate_command(tmp_path, capsys, composed_pages):
    (tmp_path / "a__1.tsv").write_text("title\tLàng gốm đỏ lửa\nnav\tTrang chủ\n", encoding="utf-8")
    assert evaluate_main([str(tmp_path)]) == 0
    assert "article_f1" in capsys.readouterr().out
    assert evaluate_main([str(tmp_path / "nowhere")]) == 2
    (tmp_path / "a__1.tsv").write_text("titel\tx\n", encoding="utf-8")
    assert evaluate_main([str(tmp_path)]) == 2
    assert "a__1.tsv:1" in capsys.readouterr().err


# -- gate ----------------------------------------------------------------------------------------------------------------

GOOD = {"article_f1": 0.95, "strict_f1": 0.94, "line_f1": 0.9, "macro_f1": 0.8, "ece": 0.02}


def test_gate_limits():
    assert floors.check(GOOD, floors.limits(GOOD)) == []
    assert floors.check(GOOD | {"line_f1": 0.88}, floors.limits(GOOD)) == ["line_f1 0.8800 is below its floor 0.8950"]
    assert floors.check(GOOD | {"ece": 0.03}, floors.limits(GOOD)) == ["ece 0.0300 is above its ceiling 0.0250"]


def test_lower_floors_are_told_apart():
    old = floors.limits(GOOD)
    assert floors.lowered(old, old) == []
    assert floors.lowered(old, floors.limits(GOOD | {"macro_f1": 0.7, "ece": 0.01})) == ["macro_f1"]
    assert floors.lowered(old, floors.limits(GOOD | {"ece": 0.03, "line_f1": 0.99})) == ["ece"]


def test_gate_command(tmp_path, monkeypatch, capsys):
    floors = tmp_path / "floors.json"
    figures = dict(GOOD)
    monkeypatch.setattr(gate, "held_out_pages", list)
    monkeypatch.setattr(gate, "evaluate", lambda *_: type("S", (), {"summary": lambda self: figures})())
    assert gate.main(["--floors", str(floors)]) == 1  # nothing pinned yet
    assert gate.main(["--floors", str(floors), "--update"]) == 0
    assert gate.main(["--floors", str(floors)]) == 0
    figures["line_f1"] = 0.5
    assert gate.main(["--floors", str(floors)]) == 1
    assert gate.main(["--floors", str(floors), "--update"]) == 1
    assert "--allow-lower" in capsys.readouterr().err
    assert gate.main(["--floors", str(floors), "--update", "--allow-lower"]) == 0
    assert json.loads(floors.read_text())["floors"]["line_f1"] == 0.495


def test_scores_need_no_page_of_every_label():
    empty = Scores([], {("nav", "nav"): 1}, [])
    assert empty.macro == 1
