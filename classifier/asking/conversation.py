"""Asking pages of a model: one conversation for each part without an answer; a wrong answer is sent back with its faults.

Answers are saved as they come, so a run that was stopped goes on where it was, and no part is asked again once it is answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from classifier.asking.answer import read_answer
from classifier.asking.endpoint import Endpoint
from classifier.asking.folder import AskedPage
from classifier.asking.prompt import Part, prompt_of
from classifier.io.encoding import to_utf8
from classifier.io.files import atomic_write

__all__ = ["ATTEMPTS", "Planned", "ask_part", "planned"]

ATTEMPTS = 3  # answers to a part, the first one included
_MOST_COMPLAINTS = 20  # sent back at once


class Planned(NamedTuple):
    """The parts of a page that are to be asked."""

    page: AskedPage
    parts: tuple[Part, ...]

    @property
    def characters(self) -> int:
        """Number of characters of the prompts."""
        return sum(len(prompt_of(self.page.lines, part)) for part in self.parts)


def planned(page: AskedPage) -> Planned:
    """Return the parts of a page without an answer; none if there is one answer for the whole page."""
    answers = page.answers
    if page.file("answer") in answers:
        return Planned(page, ())
    return Planned(page, tuple(part for part in page.parts if page.file("answer", part) not in answers))


def ask_part(endpoint: Endpoint, page: AskedPage, part: Part) -> list[str]:
    """Ask a part until its answer is complete, save the answer, and return no complaints; else save the last one as `rejected`.

    Raises:
        InputError: the server gave no answer; see `Endpoint.ask`.
        OSError: the answer cannot be saved.
    """
    messages = [{"role": "user", "content": prompt_of(page.lines, part)}]
    rejected, text, complaints = page.file("rejected", part), "", list[str]()
    for _ in range(ATTEMPTS):
        text = endpoint.ask(messages)
        complaints = _faults(part, text, "answer")
        if not complaints:
            _save(page.file("answer", part), text)
            rejected.unlink(missing_ok=True)
            return []
        messages += [{"role": "assistant", "content": text}] if text else []
        messages.append({"role": "user", "content": _again(complaints)})
    _save(rejected, text)
    return _faults(part, text, str(rejected))


def _faults(part: Part, text: str, name: str) -> list[str]:
    return read_answer([(name, text)], part.lines, part.span).complaints


def _again(complaints: Sequence[str]) -> str:
    shown = "\n".join(f"- {complaint}" for complaint in complaints[:_MOST_COMPLAINTS])
    return f"Your answer cannot be used:\n{shown}\nGive the whole answer again, in the same format: a row for every line asked for."


def _save(path: Path, text: str) -> None:
    with atomic_write(path) as out:
        out.write(to_utf8(text))
