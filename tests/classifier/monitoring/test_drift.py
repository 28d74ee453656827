"""Drift detection: what raises an alarm, how it is described, and the command as a cron job runs it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import classifier
from classifier.cleaner import Cleaner
from classifier.core.model import Model
from classifier.core.sealed_json import sealed
from classifier.errors import InputError, ModelError
from classifier.io.files import atomic_write
from classifier.labels import LABELS
from classifier.monitoring.baseline_file import read_baseline, training_profile, write_baseline
from classifier.monitoring.drift import FEWEST_PAGES, MOVED, Shift, compare
from classifier.monitoring.profile import SIGNALS, Measures, Profile, measure, profile_of
from tests.support import tiny_model
from tests.support.paths import ROOT
from tests.support.processes import running
from tests.support.text import unaccented

SHIPPED_PAGES = json.loads((ROOT / "models" / "vi-news.json").read_text(encoding="utf-8"))["profile"]["pages"]
ENGLISH = "The council said on Monday that new rules would apply to every workshop along the river from next spring"


def measures_of(cleaner: Cleaner, pages: list[str]) -> Measures:
    return measure(cleaner, cleaner.label_pages(pages))


def moved(shifts: list[Shift]) -> set[str]:
    return {shift.signal for shift in shifts if shift.state == "moved"}


def in_english(page: str) -> str:
    words = ENGLISH.split()
    return "\n".join(
        " ".join(words[(place + i) % len(words)] for i in range(len(line.split()))) for place, line in enumerate(page.split("\n"))
    )


def one_word_a_line(page: str) -> str:
    return "\n".join(page.split())


# Changes that must raise an alarm, and a signal that must move: against the training profile, and against a baseline of such pages.
CHANGES: dict[str, tuple[Callable[[str], str], str | None, str]] = {
    "another language": (in_english, "words", "words"),
    "without accents": (unaccented, None, "words"),  # a fifth of their words is unseen; the oddest pages of the training profile have more
    "blank": (lambda page: "\n" * 40, "length", "length"),
    "empty": (lambda page: "", "length", "article"),
    "broken encoding": (lambda page: page.encode().decode("latin-1"), "words", "words"),
    "one word a line": (one_word_a_line, "length", "length"),
    "two hundred links more": (lambda page: page + f"\n{ENGLISH}\n[Chợ gốm cuối tuần hút khách](/cho-gom.htm)" * 200, "length", "length"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_real_changes_alarm(cleaner, composed_pages, name):
    change, against_training, against_own = CHANGES[name]
    pages = measures_of(cleaner, [change(page) for page in composed_pages[15:]])
    own = profile_of(measures_of(cleaner, composed_pages[:15]))
    assert against_training is None or against_training in moved(compare(training_profile(cleaner), pages))
    assert against_own in moved(compare(own, pages))


def test_pages_like_those_of_the_baseline_do_not_alarm(cleaner, composed_pages):
    assert moved(compare(training_profile(cleaner), measures_of(cleaner, composed_pages))) == set()
    own = profile_of(measures_of(cleaner, composed_pages[::2]))
    assert moved(compare(own, measures_of(cleaner, composed_pages[1::2]))) == set()


@cache
def profile_by_hand() -> Profile:
    """Return a profile of 50 similar pages: half body, half nav, high confidence, 10 % unknown words, about 20 lines."""
    count = 50
    spread = np.linspace(0.08, 0.12, count)
    table = {name: np.zeros((count, SIGNALS[name])) for name in ("labels", "confidence", "keeping")}
    names = [label.value for label in LABELS]
    table["labels"][:, [names.index("body"), names.index("nav")]] = 0.5
    table["confidence"][:, -1] = 1
    table["keeping"][:, [0, -1]] = 0.5
    lengths = np.arange(count) // 5 + 15
    return profile_of(Measures(*table.values(), spread, spread, lengths, lengths * 50))


def measured(count: int, body: float = 0.5, sure: float = 1.0, words: float = 0.1, lines: int = 20) -> Measures:
    names = [label.value for label in LABELS]
    labels, confidence, keeping = (np.zeros((count, SIGNALS[name])) for name in ("labels", "confidence", "keeping"))
    labels[:, [names.index("body"), names.index("nav")]] = body, 1 - body
    confidence[:, [0, -1]] = 1 - sure, sure
    keeping[:, [0, -1]] = 0.5
    spread = np.resize(np.linspace(0.08, 0.12, 10), count)
    lengths = np.resize(np.arange(10) - 5, count)
    return Measures(labels, confidence, keeping, spread + words - 0.1, spread, lengths + lines, 50 * (lengths + lines))


def shift_of(measures: Measures, signal: str) -> Shift:
    return next(shift for shift in compare(profile_by_hand(), measures) if shift.signal == signal)


def test_what_moved_is_said_in_words():
    assert shift_of(measured(20), "confidence") == Shift("confidence", 0.0, MOVED, "stable", "", "")
    fell = shift_of(measured(20, sure=0.7), "confidence")
    assert fell.state == "moved"
    assert fell.words == "confidence fell: 30% of the lines have a probability below 0.4, 0% in the baseline"
    assert "does not know" in fell.meaning
    labels = shift_of(measured(20, body=0.1), "labels")
    assert labels.words.startswith("label shares moved: of the lines body 10%, 50% in the baseline; nav 90%, 50% in the baseline")
    words = shift_of(measured(20, words=0.4), "words")
    assert words.words == "unknown words rose: the median page has 40.0% unknown words, 10.0% in the baseline"
    length = shift_of(measured(20, lines=8), "length")
    assert length.words == "page length fell: the median page has 8 lines, 20 in the baseline"
    assert length.meaning == "cut or empty pages, or lines joined"


def test_a_small_movement_is_told_and_does_not_alarm():
    small = shift_of(measured(200, body=0.33), "labels")
    assert small.state == "shifted"
    assert 0.1 < small.distance < MOVED
    assert "body 33%" in small.words


def test_a_scalar_whose_middle_stays_is_said_to_scatter():
    measures = measured(20)
    length = np.where(np.arange(20) % 2, 1, 39)
    length[:2] = 20
    shift = shift_of(measures._replace(length=length), "length")
    assert shift.state == "moved"
    assert shift.words == "page length scattered: 90% of the pages lie in the baseline's outer bins, 20% of its own"


def test_few_pages_may_differ_more():
    limits = [shift_of(measured(count), "words").limit for count in (5, 20, 80)]
    assert limits == sorted(limits, reverse=True)


def test_pages_without_lines_alarm_by_their_length_and_say_nothing_of_labels(cleaner):
    shifts = compare(training_profile(cleaner), measures_of(cleaner, ["\n\n"] * 6))
    assert {shift.signal for shift in shifts if shift.state == "unknown"} == {"labels", "confidence", "keeping", "words", "repetition"}
    assert moved(shifts) == {"length", "article"}


@pytest.mark.parametrize("count", [0, 1, FEWEST_PAGES - 1])
def test_few_pages_are_too_few(count):
    with pytest.raises(InputError, match="too few to tell drift from chance"):
        compare(profile_by_hand(), measured(count))


# -- baselines -----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def baseline(cleaner: Cleaner, composed_pages, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("baseline") / "baseline.json"
    with atomic_write(path) as out:
        write_baseline(out, cleaner, profile_of(measures_of(cleaner, composed_pages)))
    return path


def test_a_baseline_goes_through_its_file_unchanged(cleaner, composed_pages, baseline):
    want = profile_of(measures_of(cleaner, composed_pages))
    assert read_baseline(str(baseline), cleaner).as_json() == want.as_json()
    assert baseline.stat().st_size < 6000


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"[]",
        lambda data: b"\xff\xfe{}",
        lambda data: data[:-30],
        lambda data: re.sub(rb'"pages": (\d+)', rb'"pages": 1\1', data, count=1),
        lambda data: data + b"\n",
        lambda data: b'{"format": "tinsach-baseline", "format_version": 1}\n',
        lambda data: b"[" * 100_000,
        lambda data: data * 30,
    ],
)
def test_a_damaged_baseline_is_refused(cleaner, baseline, tmp_path, damage):
    path = tmp_path / "hỏng.json"
    path.write_bytes(damage(baseline.read_bytes()))
    with pytest.raises(InputError, match=r"hỏng\.json: .*--write-baseline"):
        read_baseline(str(path), cleaner)


def resealed(baseline: Path, path: Path, **changes: object) -> str:
    path.write_bytes(sealed(json.loads(baseline.read_bytes()) | changes))
    return str(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "tinsach-line-model"}, "not a baseline"),
        ({"format_version": 2}, "format version 2"),
        ({"profile": {"pages": 1}}, "not a profile"),
        ({"profile": None}, "not a profile"),
        ({"measured_with": None}, "measured with another model"),
        ({"measured_with": {"model": "0" * 64}}, "measured with another model"),
    ],
)
def test_a_sealed_baseline_of_another_kind_is_refused(cleaner, baseline, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        read_baseline(resealed(baseline, tmp_path / "b.json", **changes), cleaner)


def test_a_baseline_of_another_choice_of_labels_is_refused(baseline):
    for other in ({"keep": "title,body,caption"}, {"threshold": 0.5}):
        with pytest.raises(InputError, match=f"another {next(iter(other))}"):
            read_baseline(str(baseline), classifier.load(**other))


def test_a_baseline_takes_ten_pages(cleaner, composed_pages, tmp_path):
    with pytest.raises(InputError, match="9 pages are too few for a baseline"), atomic_write(tmp_path / "b.json") as out:
        write_baseline(out, cleaner, profile_of(measures_of(cleaner, composed_pages[:9])))
    assert os.listdir(tmp_path) == []


def test_models_without_a_profile_load_and_say_what_to_do(tmp_path):
    cleaner = Cleaner(Model.load(tiny_model.tiny(tmp_path)))
    with pytest.raises(ModelError, match=r"no training profile; retrain it with this tinsach, .*--baseline"):
        training_profile(cleaner)


def test_a_broken_training_profile_is_named(tmp_path):
    path = tiny_model.tiny(tmp_path)
    tiny_model.seal(path, profile={"pages": "nhiều"})
    with pytest.raises(InputError, match=r"the training profile: not a profile .*--baseline"):
        training_profile(Cleaner(Model.load(path)))


def test_the_training_profile_knows_the_default_choice_only():
    with pytest.raises(InputError, match="--keep"):
        training_profile(classifier.load(keep="body"))


# -- the command ---------------------------------------------------------------------------------------------------------------


def run(*args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "classifier", "drift", *args], input=stdin, capture_output=True, cwd=ROOT, timeout=60)


def put(folder: Path, pages: list[str]) -> Path:
    folder.mkdir()
    for number, page in enumerate(pages):
        (folder / f"{number:02}.txt").write_text(page, encoding="utf-8")
    return folder


def test_a_week_of_cron(composed_pages, tmp_path):
    """Monday writes a baseline, Tuesday is stable, and on Wednesday the accents are lost."""
    monday, tuesday = put(tmp_path / "monday", composed_pages[::2]), put(tmp_path / "tuesday", composed_pages[1::2])
    wednesday = put(tmp_path / "wednesday", [unaccented(page) for page in composed_pages[1::2]])
    baseline = str(tmp_path / "baseline.json")
    written = run(str(monday), "--write-baseline", baseline)
    assert (written.returncode, written.stderr) == (0, b"")
    assert written.stdout.decode() == f"wrote {baseline}: the profile of 15 pages\n"
    quiet = run(str(tuesday), "--baseline", baseline)
    assert (quiet.returncode, quiet.stderr) == (0, b"")
    assert quiet.stdout.decode().splitlines()[-1] == "nothing moved"
    loud = run(str(wednesday), "--baseline", baseline, "-n", "3")
    assert loud.returncode == 1
    assert b" pages have letters without their accents: " in loud.stderr
    said = loud.stdout.decode()
    assert "unknown words rose: the median page has" in said
    assert "lost accents" in said
    first = said.partition("label first:\n")[2].splitlines()
    assert len(first) == 3
    assert all(line.startswith(f"  {wednesday}") and "lines uncertain" in line for line in first)
    assert run(str(wednesday), "--baseline", baseline, "-n", "3").stdout == loud.stdout


def test_against_the_training_profile_it_says_how_rough_it_is(composed_pages, tmp_path):
    done = run(str(put(tmp_path / "pages", composed_pages[:6])))
    assert done.returncode == 0
    said = done.stdout.decode()
    assert said.startswith(f"6 pages against the training profile of {SHIPPED_PAGES} pages\n")
    assert said.endswith("--write-baseline FILE\n")
    assert "label first" not in said


def test_json(composed_pages, tmp_path):
    folder = put(tmp_path / "pages", [in_english(page) for page in composed_pages[:6]])
    done = run(str(folder), "--json", "-n", "2")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert (found["pages"], found["baseline"], found["baseline_pages"]) == (6, None, SHIPPED_PAGES)
    assert "words" in found["moved"]
    assert [shift["signal"] for shift in found["signals"]] == list(SIGNALS)
    assert len(found["label_first"]) == 2
    assert json.loads(run(str(folder), "--json", "-n", "0").stdout)["label_first"] == []


def test_records_and_standard_input_are_pages_too(composed_pages, tmp_path):
    records = tmp_path / "crawl.jsonl"
    records.write_text("".join(json.dumps({"text": page}) + "\n" for page in composed_pages[:6]), encoding="utf-8")
    piped = run(stdin="\f".join(composed_pages[:6]).encode())
    assert (piped.returncode, run(str(records)).returncode) == (0, 0)
    assert piped.stdout == run(str(records)).stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["no-such-folder"], "no-such-folder: No such file"),
        (["tests/cases/sample_page.txt"], "1 page is too few to tell drift from chance; name 5 or more"),
        (["/dev/null"], "1 page is too few"),
        (["tests/cases", "--baseline", "nowhere.json"], "nowhere.json"),
        (["tests/cases", "--baseline", "README.md"], "README.md: not a baseline"),
        (["tests/cases", "--baseline", "a", "--write-baseline", "b"], "one after the other"),
        (["tests/cases/sample_page.txt", "--write-baseline", "tests"], "tests: a folder"),
        (["tests/cases/sample_page.txt", "--write-baseline", "tests/cases/sample_page.txt"], "the same file as the input"),
        (["tests/cases", "-n", "-1"], "-n -1"),
        (["tests/cases", "--keep", "body"], "--keep"),
        (["/dev/null", "--write-baseline", "/dev/full"], "no page has a line"),
    ],
)
def test_mistakes_get_one_line_and_exit_2(args, message):
    done = run(*args)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


def test_an_empty_folder_is_a_mistake(tmp_path):
    done = run(str(tmp_path))
    assert done.returncode == 2
    assert b"there is no file in it" in done.stderr


def test_a_refused_baseline_leaves_the_old_one(composed_pages, tmp_path):
    folder, path = put(tmp_path / "pages", composed_pages[:3]), tmp_path / "baseline.json"
    path.write_text("the old one")
    done = run(str(folder), "--write-baseline", str(path))
    assert done.returncode == 2
    assert b"3 pages are too few for a baseline" in done.stderr
    assert path.read_text() == "the old one"
    assert sorted(os.listdir(tmp_path)) == ["baseline.json", "pages"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_leaves_nothing(tmp_path, number):
    """Stopped while it waits for input; nothing is written before the input ends."""
    command = [sys.executable, "-m", "classifier", "drift", "-", "--write-baseline", str(tmp_path / "b.json")]
    with running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write("Trang chủ\n".encode() * 20_000)  # more than a pipe holds: the process reads once this returns
        process.stdin.flush()
        assert process.poll() is None
        process.send_signal(number)
        out, error = process.communicate(timeout=60)
        assert process.returncode in (-number, 128 + number)
        assert (out, error) == (b"", b"")
    assert os.listdir(tmp_path) == []
