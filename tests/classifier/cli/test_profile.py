"""`tinsach profile` and --site-profile: what goes in comes out, and what does not belong together is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import classifier
from classifier import SiteProfile
from classifier.cli import main
from tests.support.retrained import retrained_model

SITE = "bao-bai-song.vn"
RULES = '[[sites."bao-bai-song.vn"]]\nphrase = "tải ứng dụng"\nforce = "weather"\n'


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, sample_page) -> Path:
    """Return a folder with pages of a site, its rules, a model retrained on them, and profiles without and with its weights."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "pages").mkdir()
    for number, craft in enumerate(("gốm", "giấy", "lụa")):
        (folder / "pages" / f"{number}.txt").write_text(sample_page.replace("gốm", craft), encoding="utf-8")
    (folder / "sites.toml").write_text(RULES, encoding="utf-8")
    (folder / "blank.txt").write_text("\n", encoding="utf-8")
    retrained_model(folder / "new")
    assert main(["profile", str(folder / "pages"), "--site", SITE, "--output", str(folder / "site.json")]) == 0
    assert main(["profile", "--no-memory", "--retrained", str(folder / "new"), "--output", str(folder / "new.json")]) == 0
    return folder


@pytest.fixture
def folder(prepared, tmp_path, monkeypatch) -> Path:
    """Return a copy of that folder, as the current one."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def profile(*options: str) -> int:
    return main(["profile", *options, "--output", "site.json"])


def test_all_parts_in_one_file(folder, sample_page, capsys):
    assert profile("pages", "--site", SITE, "--sites", "sites.toml", "--retrained", "new") == 0
    told = capsys.readouterr().err
    assert f"site profile of {SITE}, " in told
    assert "a memory of 3 pages, 1 rule, weights of " in told
    read = SiteProfile.read("site.json")
    assert (read.site, read.memory.counted, read.memory.seen_on("Tổng biên tập: Đặng Vĩnh Khoa", SITE)) == (SITE, 3, 3)
    for command in ("clean", "label", "explain"):
        assert main([command, "pages/0.txt", "--site-profile", "site.json"]) == 0
        assert capsys.readouterr().out
    assert main(["clean", "pages", "--site-profile", "site.json", "--output-dir", "clean", "--jobs", "2"]) == 0
    want = classifier.load(profile=read).clean_text((folder / "pages" / "0.txt").read_text(encoding="utf-8"))
    assert Path("clean/0.txt").read_text(encoding="utf-8") == want + "\n"


def test_a_changed_profile_is_no_resumed_run(folder, capsys):
    command = ["clean", "pages", "--site-profile", "site.json", "--output-dir", "clean", "--resume", "--summary"]
    assert main(command) == 0
    assert main(command) == 0
    assert "cleaned 0 files, found 3 finished" in capsys.readouterr().err
    assert profile("pages", "--site", SITE, "--sites", "sites.toml") == 0
    assert main(command) == 0
    assert "cleaned 3 files, found 0 finished" in capsys.readouterr().err


def test_records_of_other_sites(folder, sample_page, capsys):
    assert profile("--no-memory", "--site", SITE, "--sites", "sites.toml") == 0
    sites = ("https://bao-bai-song.vn/1", "https://bao-khac.vn/1", None)
    records = [{"url": url, "text": sample_page} for url in sites]
    Path("crawl.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    command = ["clean", "crawl.jsonl", "--site-profile", "site.json", "--site-field", "url", "--keep", "weather"]
    capsys.readouterr()
    assert main(command) == 0
    told = capsys.readouterr()
    kept = ["Tải ứng dụng" in json.loads(line)["text"] for line in told.out.splitlines()]
    assert kept == [True, False, True]
    assert f"1 record has no site in 'url'; it is judged as a page of {SITE}" in told.err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["profile", "--no-memory"], "is empty; give --sites or --retrained"),
        (["profile", "pages", "--no-memory", "--sites", "sites.toml"], "leave out one of the two"),
        (["profile", "pages", "--sites", "sites.toml", "--output", "sites.toml"], "the same file as the input"),
        (["profile", "pages", "--retrained", "pages"], "cannot be read"),
        (["profile", "pages", "--retrained", str(classifier.load().model.path)], "the same model as the shipped one"),
        (["profile", "blank.txt"], "no page with a line in it"),
        (["clean", "pages/0.txt", "--site-profile", "none.json"], "none.json: No such file"),
        (["clean", "pages/0.txt", "--site-profile", "sites.toml"], "sites.toml: damaged, or not a site profile"),
        (["clean", "pages/0.txt", "--site-profile", "site.json", "--sites", "sites.toml"], "leave out --sites"),
        (["clean", "pages/0.txt", "--site-profile", "site.json", "--site-memory", "m.npz"], "has a memory of its own"),
        (["clean", "pages/0.txt", "--site-profile", "site.json", "--output", "site.json"], "the same file as the input"),
        (["clean", "pages/0.txt", "--site-profile", "new.json", "--model", "new"], "made for another model"),
    ],
)
def test_what_is_refused(folder, args, message, capsys):
    assert main(args) == 2
    assert message in capsys.readouterr().err
    assert not Path("m.npz").exists()
