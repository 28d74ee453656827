"""Small line buffers for the tests of `history` and `context`, and access to their columns by name."""

from __future__ import annotations

import numpy as np

from classifier.core.context import CONTEXT_COLUMNS, NO_LINES, LineBuffer, context_rows
from classifier.core.features import extract_features
from classifier.core.history import HISTORY_COLUMNS, PageState, extract_history, scaled_evidence
from classifier.labels import EVIDENCE

PROSE = "Sáng 4/3, khói trắng lại bay lên từ cuối bãi, nơi ông Tấn tự tay xếp mẻ gốm đầu tiên vào chiếc lò bầu."


def stretch(pages: list[list[str]], sure: dict[int, str] | None = None) -> LineBuffer:
    """Return a buffer of whole pages; `sure` maps line numbers to their first-pass class, nav for all others."""
    lines = [line for page in pages for line in page]
    line_features = extract_features(lines)
    p = np.full((len(EVIDENCE), len(lines)), 1e-6)
    for number in range(len(lines)):
        p[EVIDENCE.index((sure or {}).get(number, "nav")), number] = 1
    evidence = scaled_evidence(np.log(p))
    page = np.concatenate([np.full(len(page), number) for number, page in enumerate(pages)])
    position = np.concatenate([np.arange(len(page)) for page in pages])
    starts = position == 0
    columns, _ = extract_history(line_features, evidence, np.zeros(len(lines), np.int64), starts, PageState.fresh())
    return NO_LINES.extended(line_features, evidence, columns, page, position)


def ran(lines: LineBuffer, name: str) -> list[int]:
    """Return a history column (one of HISTORY_COLUMNS) of each line."""
    return lines.own[-len(HISTORY_COLUMNS) + HISTORY_COLUMNS.index(name)].tolist()


def seen(lines: LineBuffer, name: str) -> list[int]:
    """Return a context column (one of CONTEXT_COLUMNS) of each line."""
    return context_rows(lines, 0, len(lines.page))[CONTEXT_COLUMNS.index(name)].tolist()
