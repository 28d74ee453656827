"""Shared fixtures: one Chromium for all browser tests, and the folder of their screenshots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import Chromium, find
from tests.support.paths import ROOT

ARTIFACTS = ROOT / "build" / "artifacts"


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    if not find():
        pytest.fail("Chromium is not installed; make test-browser installs it")
    with Chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Return the folder of screenshots, which CI keeps."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    return ARTIFACTS
