"""Smoke tests of `make soak` and `make worst-case`, so that the long checks work when they are needed."""

from __future__ import annotations

import json

from tests.slow import soak, worst_case


def test_a_short_soak(tmp_path, capsys):
    assert soak.main(["--lines", "5000", "--seed", "4", "--json", str(tmp_path / "soak.json")]) == 0, capsys.readouterr().out
    assert json.loads((tmp_path / "soak.json").read_text())["pages that differ"] == 0


def test_the_worst_cases_are_timed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(worst_case, "SIZE", 100_000)
    assert worst_case.main(["--rounds", "1", "--json", str(tmp_path / "ratios.json"), "'['"]) == 0, capsys.readouterr().out
    assert "label_pages" in json.loads((tmp_path / "ratios.json").read_text())["ratios"]["'[', one line"]
