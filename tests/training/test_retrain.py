"""Retraining: a user's pages as training data, the gate, the command and its report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import classifier
from classifier.core.arrays import log_softmax
from classifier.core.history import scaled_evidence
from classifier.core.model_file import STEM, read_model
from classifier.core.stacked import STACKED_CEILINGS
from classifier.errors import InputError
from training import retrain, train
from training.learning.context_pass import ContextPass, rows_of, stacked_rows_of
from training.learning.dataset import FOLDS, block_of, make_pages
from training.learning.export import export, write_manifest
from training.learning.fit import fit
from training.learning.settings import Settings
from training.retrain import RetrainingSettings
from training.retraining.comparison import Change, Comparison, Point, verdict
from training.retraining.report import retraining_page
from training.retraining.user_pages import Mixture, UserPage, added_folds, digest, ordered_names, read_user_pages, split
from training.scoring.gold import Gold
from training.scoring.judge import complete

SMALL = Settings(pages=60, vocabulary_size=800, networks=2, hidden=8, stacked_hidden=8, epochs=2)
MIXTURE = Mixture(copies=2, composed=4)
HOSTILE = "</td><script>alert(1)</script> \x1b & gốm"


def own_page(name: str, *rows: tuple[str, str], style: str = "plain") -> UserPage:
    labels, lines = zip(*rows)
    return UserPage(Gold(name, name.split("__")[0], labels, lines), style)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten labelled pages that stand in for a user's: composed ones, each with a line that no composed page has."""
    out = tmp_path_factory.mktemp("pages")
    for number, page in enumerate(make_pages(50, 33, folds=(0,))[0]):
        rows = [("nav", "Cổng làng nghề Vĩnh Hòa")] + [(line.label, line.text) for line in page.lines]
        (out / f"bai-song__{number}.tsv").write_text("".join(f"{label}\t{text}\n" for label, text in rows), encoding="utf-8")
    return out


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("base")
    trained = fit(SMALL, log=lambda *_, **__: None)
    complete(export(trained, out, SMALL), out, trained.held_out)
    return out


@pytest.fixture(scope="module")
def retrained(folder: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("retrained")
    retrain.retrain(read_user_pages(folder), base, out, RetrainingSettings(SMALL, MIXTURE), 1, log=lambda *_, **__: None)
    return out


# -- pages ---------------------------------------------------------------------------------------------------------------


def test_a_page_stays_on_one_side_whatever_extractor_read_it():
    pages = [own_page(f"a__{number}", ("body", "x"), style=style) for style in ("plain", "bs4") for number in range(10)]
    learn, test = split(pages, 0.3)
    assert (len(learn), len(test)) == (14, 6)
    assert not {page.key for page in learn} & {page.key for page in test}
    assert split(pages[::-1], 0.3)[1] == [page for page in pages[::-1] if page in test]
    with pytest.raises(InputError, match="at least two labelled pages"):
        split(pages[:1], 0.3)


def test_every_fault_names_file_and_line(tmp_path):
    (tmp_path / "a__1.tsv").write_text("nav\tTrang chủ\nnav\tThời sự\n", encoding="utf-8")
    (tmp_path / "a__2.tsv").write_text("-\t\n-\t\n", encoding="utf-8")
    (tmp_path / "a__3.tsv").write_text("-\t\n\nbody\tLửa còn thì nghề còn.\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_user_pages(tmp_path)
    first, second = str(caught.value).split("\n")
    assert first.startswith(f"{tmp_path / 'a__1.tsv'}:1: no line of the page is title or body")
    assert second.startswith(f"{tmp_path / 'a__2.tsv'}:1: blank lines only")
    (tmp_path / "a__1.tsv").write_text("nav\tTrang chủ\nbdoy\tx\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a__1\.tsv:2: 'bdoy' is no label"):
        read_user_pages(tmp_path)


def test_a_page_below_the_others_is_not_left_out_in_silence(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("a__1.tsv", "sub/a__2.tsv"):
        (tmp_path / name).write_text("body\tLửa còn thì nghề còn.\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"sub/a__2\.tsv:1: not read.*move it there"):
        read_user_pages(tmp_path)
    (tmp_path / "a__1.tsv").unlink()
    assert [page.key for page in read_user_pages(tmp_path)] == ["a__2"]


def test_a_fault_is_found_in_a_style_folder_named_like_its_parent(tmp_path):
    (tmp_path / "plain" / "plain").mkdir(parents=True)
    (tmp_path / "plain" / "plain" / "a__1.tsv").write_text("-\t\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"plain/plain/a__1\.tsv:1: blank lines only"):
        read_user_pages(tmp_path / "plain")


def test_pages_are_dealt_to_folds_once_and_copied(folder):
    pages = read_user_pages(folder)
    folds = added_folds(pages, MIXTURE, 20)
    assert len(folds) == FOLDS
    assert [[real for _, real in fold] for fold in folds] == [[True, False]] * FOLDS
    own = [fold[0][0] for fold in folds]
    assert sum(int(block.starts.sum()) for block in own) == MIXTURE.copies * len(pages)
    assert [int(fold[1][0].starts.sum()) for fold in folds] == [MIXTURE.composed * len(pages) // FOLDS] * FOLDS
    texts = [{bytes(column) for column in block.line_features.hashes.T} for block in own]
    names = ordered_names(pages)
    page = next(page for page in pages if page.key == names[0])
    lines = block_of([[*_as_lines(page)]]).line_features.hashes.T
    assert all(bytes(column) in texts[0] for column in lines)


def _as_lines(page: UserPage):
    from training.composer.augment import Line

    return (Line(label, text) for label, text in zip(page.gold.labels, page.gold.lines))


def test_the_digest_is_of_labels_and_lines():
    one, other = own_page("a__1", ("body", "x"), ("nav", "y")), own_page("a__1", ("body", "x"), ("body", "y"))
    assert digest([one]) == digest([one])
    assert digest([one]) != digest([other])


# -- fine-tuning --------------------------------------------------------------------------------------------------------


def test_learning_from_nothing_leaves_the_model_as_it_is(base):
    """With a learning rate of almost 0, unfolding a model file and folding it again gives the same weights."""
    arrays, manifest, _ = read_model(base)
    block = block_of(page.lines for page in make_pages(40, 9, folds=(1,))[0])
    model = classifier.load(base).model
    evidence = scaled_evidence(model.first_pass(block.line_features))
    found = log_softmax(model._context.scores(rows_of(block, evidence).T.astype(np.float32))).T
    stacked = ContextPass(STACKED_CEILINGS, 1, len(arrays["stacked_hidden_bias"]), SMALL.alpha, 1, SMALL.body_bias, 1, rate=1e-12)
    rows, temperature = stacked_rows_of(block, evidence, found), manifest["temperature"]
    stacked.fine_tune(rows, block.labels, np.ones(len(rows), np.float32), block.labels < 0, arrays, "stacked_", temperature)
    stacked.temperature_ = temperature
    again = stacked.arrays("stacked_")
    for name, grid in (("hidden", 2.0**-10), ("hidden_bias", 2.0**-8), ("output", 1e-5), ("output_bias", 1e-5)):
        assert np.abs(again[f"stacked_{name}"].astype(float) - arrays[f"stacked_{name}"]).max() < grid, name


def test_only_the_second_context_pass_changes(base, retrained):
    before, after = (read_model(folder)[0] for folder in (base, retrained))
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed == {"stacked_hidden", "stacked_hidden_bias", "stacked_output", "stacked_output_bias"}
    assert len(before) > len(changed)


# -- the gate ------------------------------------------------------------------------------------------------------------

GOOD = {"article_f1": 0.95, "strict_f1": 0.94, "line_f1": 0.9, "macro_f1": 0.8, "ece": 0.02}


class Known:
    """Stub for scores."""

    pages = ()

    def __init__(self, **other: float) -> None:
        self._figures = GOOD | other

    def summary(self) -> dict[str, float]:
        return self._figures


@pytest.mark.parametrize(
    ("own", "others", "complaint"),
    [
        ({"article_f1": 0.97}, {}, None),
        ({"article_f1": 0.95, "line_f1": 0.7}, {"macro_f1": 0.797, "ece": 0.023}, None),
        ({"article_f1": 0.949}, {}, "article F1 on your held-out pages fell from 0.9500 to 0.9490"),
        ({"article_f1": 0.97}, {"strict_f1": 0.936}, "on composed held-out pages strict_f1 0.9360 is below its floor 0.9370"),
        ({"article_f1": 0.97}, {"ece": 0.024}, "on composed held-out pages ece 0.0240 is above its ceiling 0.0230"),
    ],
)
def test_the_gate(own, others, complaint):
    found = {"own": Comparison(Known(), Known(**own)), "others": Comparison(Known(), Known(**others))}
    assert verdict(found) == ([complaint] if complaint else [])


# -- the command ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def models(base, tmp_path, monkeypatch) -> Path:
    held_out = make_pages(100, 20, folds=(0,))[0]
    monkeypatch.setattr(retrain, "compose_held_out", lambda: held_out)
    monkeypatch.setattr(retrain, "RetrainingSettings", lambda settings: RetrainingSettings(SMALL, MIXTURE))
    return Path(shutil.copytree(base, tmp_path / "models"))


def run(folder: Path, models: Path, *options: str) -> int:
    return retrain.main([str(folder), "--models", str(models), "--build", str(models.parent / "build"), "--jobs", "1", *options])


def test_a_better_model_replaces_the_old_one(folder, models, monkeypatch, capsys):
    monkeypatch.setattr(retrain, "CURVE", (3, 10))
    old = (models / f"{STEM}.npz").read_bytes()
    monkeypatch.setattr(retrain, "verdict", lambda found: [])
    assert run(folder, models) == 0
    printed = capsys.readouterr().out
    assert "7 training pages, 3 test pages" in printed
    assert "gate: holds" in printed
    build = models.parent / "build"
    assert (build / "before" / f"{STEM}.npz").read_bytes() == old
    assert (models / f"{STEM}.npz").read_bytes() == (build / "model" / f"{STEM}.npz").read_bytes() != old
    manifest = classifier.load(models).model.manifest
    train_pages, _ = split(read_user_pages(folder), retrain.TEST_SHARE)
    assert manifest["retrained"]["pages_sha256"] == digest(train_pages)
    assert "## Retrained" in (models / "MODEL_CARD.md").read_text(encoding="utf-8")
    report = (build / "report.html").read_text(encoding="utf-8")
    assert "Retrained with 7 pages" in report
    assert [f"<title>{size} pages" in report for size in (0, 3, 7)] == [True] * 3


def test_a_worse_model_does_not_unless_forced(folder, retrained, models, monkeypatch, capsys):
    monkeypatch.setattr(retrain, "retrain", lambda pages, start, out, *_: shutil.copytree(retrained, out, dirs_exist_ok=True))
    old = (models / f"{STEM}.npz").read_bytes()
    monkeypatch.setattr(retrain, "verdict", lambda found: ["line_f1 0.1000 is below its floor 0.8950"])
    assert run(folder, models, "--no-curve") == 1
    printed = capsys.readouterr()
    assert "gate: line_f1 0.1000" in printed.out
    assert "is unchanged" in printed.err
    assert (models / f"{STEM}.npz").read_bytes() == old
    assert "The old model stays" in (models.parent / "build" / "report.html").read_text(encoding="utf-8")
    assert run(folder, models, "--no-curve", "--force") == 0
    assert (models / f"{STEM}.npz").read_bytes() != old


def test_retraining_twice_gives_the_same_bytes(folder, base, retrained, tmp_path):
    retrain.retrain(read_user_pages(folder), base, tmp_path, RetrainingSettings(SMALL, MIXTURE), 2, log=lambda *_, **__: None)
    for name in (f"{STEM}.npz", f"{STEM}.json", "MODEL_CARD.md"):
        assert (tmp_path / name).read_bytes() == (retrained / name).read_bytes()


def test_mistakes_are_told_and_change_nothing(folder, models, capsys):
    assert run(folder.parent / "nowhere", models) == 2
    assert capsys.readouterr().err.endswith("nowhere: No such file or directory; check the path and its permissions\n")
    assert run(folder, models, "--test", str(folder)) == 2
    assert "bai-song__0: both a training page and a test page" in capsys.readouterr().err
    for build in (models, models.parent):
        assert retrain.main([str(folder), "--models", str(models), "--build", str(build)]) == 2
        assert "which is overwritten" in capsys.readouterr().err
    for wrong in ("--composed=0", "--jobs=-1"):
        with pytest.raises(SystemExit):
            run(folder, models, wrong)
        assert "is not a whole number of 1 or more" in capsys.readouterr().err
    (models / f"{STEM}.npz").unlink()
    assert run(folder, models) == 2
    assert STEM in capsys.readouterr().err
    assert not (models.parent / "build").exists()


def test_stopped_it_says_so_and_changes_nothing(folder, models, monkeypatch, capsys):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    old = (models / f"{STEM}.npz").read_bytes()
    monkeypatch.setattr(retrain, "retrain", stop)
    assert run(folder, models) == 130
    assert "retrain: stopped" in capsys.readouterr().err
    assert (models / f"{STEM}.npz").read_bytes() == old


def test_a_retrained_model_is_not_verified(models, monkeypatch, capsys):
    manifest = json.loads((models / f"{STEM}.json").read_text(encoding="utf-8")) | {"retrained": {"pages": 3}}
    write_manifest(manifest, models)
    monkeypatch.setattr(train, "MODELS", models)
    assert train.verify(1) == 1
    assert "git checkout models" in capsys.readouterr().out


# -- the report ----------------------------------------------------------------------------------------------------------


def test_the_report_tells_what_changed_and_keeps_text_text():
    changes = [
        Change("plain/a__1", 3, "body", "nav", "body", HOSTILE),
        Change("plain/a__1", 4, "nav", "nav", "related", "Trang chủ"),
        Change("plain/a__2", 1, "meta", "nav", "related", "Thu Hạnh"),
    ]
    page = retraining_page({}, ["line F1 fell"], [Point(0, 0.9, 0.95), Point(7, 0.97, 0.95)], changes, forced=False)
    for effect in ("fixed", "regressed", "still wrong"):
        assert effect in page
    assert "The gate does not hold: line F1 fell. The old model stays." in page
    assert "&lt;/td&gt;&lt;script&gt;alert(1)" in page
    assert page.count("<script") == 2  # of the page frame
    assert "\x1b" not in page
