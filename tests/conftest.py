"""Shared fixtures: the shipped cleaner, the sample page, and composed pages, which need no files in the repository."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import settings

import classifier
from classifier import parallel
from classifier.cleaner import Cleaner
from tests.support.paths import CASES

settings.register_profile("tinsach", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("tinsach")


@pytest.fixture(scope="session")
def cleaner() -> Cleaner:
    return classifier.load()


@pytest.fixture(scope="session")
def sample_page() -> str:
    return (CASES / "sample_page.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def composed_pages() -> list[str]:
    """Return thirty composed pages of all styles, as text; few are small, and none lacks its accents, which is noticed."""
    from training.composer.skeleton import strip_accents
    from training.learning.dataset import make_pages

    small = ("bare", "small")
    pages = [page for number, page in enumerate(make_pages(350, 5, folds=(0,))[0]) if page.layout not in small or number % 9 == 0]
    texts = ["\n".join(line.text for line in page.lines) for page in pages]
    return [text for text in texts if text != strip_accents(text)][:30]


@pytest.fixture
def started_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every pool wait for its workers: the calling process would be done with a small input before one has started."""
    start = parallel._pool

    @contextmanager
    def started(*args: Any) -> Iterator[Any]:
        with start(*args) as (submit, ready):
            ready.result()
            yield submit, ready

    monkeypatch.setattr(parallel, "_pool", started)
