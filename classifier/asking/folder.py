"""Asked pages: the files of a page in the folder of `tinsach ask`, and the labelled page that its answers make.

`NAME.page.txt` holds the lines, as they were when the prompts were written, `NAME.prompt.txt` the prompt, `NAME.answer.txt` the
answer, and `NAME.tsv` the labelled page. If a page is asked in parts, these are `NAME.prompt-1.txt` and so on; the answers may be
in one file or in several, since line numbers count through the page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from classifier.asking.answer import Answer, read_answer
from classifier.asking.prompt import Part, parts_of, prompt_of
from classifier.errors import InputError
from classifier.io.encoding import to_utf8
from classifier.io.files import atomic_write
from classifier.lines import is_blank, split_lines
from classifier.review.labelled_page import BLANK_LABEL, parse_page

__all__ = ["PAGE", "AskedPage", "find_asked", "lay_out"]

PAGE = ".page.txt"
_ANSWER = re.compile(r"(.*)\.answer(?:-(\d+))?\.txt")


class AskedPage(NamedTuple):
    """A page for which there are prompts, and perhaps answers."""

    base: Path  # of its files, without suffixes
    lines: tuple[str, ...]

    @property
    def parts(self) -> list[Part]:
        """The parts of the page, one for each prompt."""
        return parts_of(self.lines)

    def file(self, kind: str, part: Part | None = None) -> Path:
        """Return the path of a file of the page or of a part: `prompt`, `answer` or `rejected`."""
        number = f"-{part.number}" if part and part.total > 1 else ""
        return self.base.with_name(f"{self.base.name}.{kind}{number}.txt")

    @property
    def labelled(self) -> Path:
        """The path of the labelled page."""
        return self.base.with_name(f"{self.base.name}.tsv")

    @property
    def answers(self) -> list[Path]:
        """The answer files of the page, by number."""
        found = [(match, path) for path in self.base.parent.iterdir() if (match := _ANSWER.fullmatch(path.name))]
        return [path for match, path in sorted(found, key=lambda one: int(one[0][2] or 0)) if match[1] == self.base.name]

    def read(self, paths: Sequence[Path], part: Part | None = None) -> Answer:
        """Return the answer in some files, for the whole page or one of its parts.

        Raises:
            InputError, OSError: a file is not UTF-8, or cannot be read.
        """
        texts = [(str(path), text_of(path)) for path in paths]
        if part:
            return read_answer(texts, part.lines, part.span)
        return read_answer(texts, [line for each in self.parts for line in each.lines], (1, len(self.lines)))

    def write(self, answer: Answer, path: Path) -> None:
        """Write a complete answer as a labelled page of two columns.

        There are no probabilities: `tinsach review` takes those that the model gives to the labels, so that pages and lines on which
        the model disagrees with the answer come first.

        Raises:
            InputError: the lines cannot be written as a labelled page.
            OSError: the file cannot be written.
        """
        rows = [f"{answer.labels.get(number, BLANK_LABEL)}\t{line}\n" for number, line in enumerate(self.lines, 1)]
        data = to_utf8("".join(rows))
        if parse_page(data, str(path)).lines != list(self.lines):
            raise InputError(f"{path}: lines of the page look like part of the format; label it with tinsach label --output-dir")
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as out:
            out.write(data)


def text_of(path: Path) -> str:
    """Return the text of a file in UTF-8.

    Raises:
        InputError, OSError: it is not UTF-8, or cannot be read.
    """
    data = path.read_bytes()
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}:{number}: not UTF-8; save the file as UTF-8") from error


def lay_out(lines: Sequence[str], base: Path) -> AskedPage:
    """Write the lines and the prompts of a page, and return it; files that are there already, with the same lines, stay as they are.

    Raises:
        InputError: the page has no text, or other lines than those that were asked before.
        OSError: a file cannot be written.
    """
    page = AskedPage(base, tuple(lines))
    if all(map(is_blank, lines)):
        raise InputError("no text in it; remove it from the pages")
    copy, data = page.file("page"), to_utf8("".join(f"{line}\n" for line in lines))
    base.parent.mkdir(parents=True, exist_ok=True)
    if copy.exists() and copy.read_bytes() != data:
        raise InputError(f"the page has changed since {copy} was written; name another --output-dir, or remove {base}.*")
    files = {copy: data} | {page.file("prompt", part): to_utf8(prompt_of(page.lines, part)) for part in page.parts}
    for path, content in files.items():
        if not path.exists() or path.read_bytes() != content:
            with atomic_write(path) as out:
                out.write(content)
    return page


def find_asked(names: Sequence[str]) -> list[AskedPage]:
    """Return the asked pages of folders and answer files, by path.

    Raises:
        InputError: a folder holds none, or a file is not an answer beside its page.
    """
    bases: dict[Path, None] = {}
    for name in names:
        found = _in_folder(Path(name)) if Path(name).is_dir() else [_of_answer(Path(name))]
        bases.update(dict.fromkeys(found))
    return [AskedPage(base, tuple(split_lines(text_of(base.with_name(base.name + PAGE))))) for base in bases]


def _in_folder(folder: Path) -> list[Path]:
    """Return the bases of all asked pages in and below a folder, hidden files and folders left out."""
    paths = sorted(path for path in folder.rglob(f"*{PAGE}") if not any(part[0] == "." for part in path.relative_to(folder).parts))
    bases = [path.with_name(path.name.removesuffix(PAGE)) for path in paths]
    answers = sorted(path for path in folder.rglob("*.txt") if _ANSWER.fullmatch(path.name))
    if stray := [path for path in answers if _base(path) not in bases]:
        raise InputError(f"{stray[0]}: an answer without its page; put it beside its {_base(stray[0]).name}{PAGE}")
    if not bases:
        raise InputError(f"{folder}: no page in it that was asked; tinsach ask PAGES --output-dir {folder} writes the prompts")
    return bases


def _of_answer(path: Path) -> Path:
    """Return the base of the page of an answer file."""
    if not _ANSWER.fullmatch(path.name):
        raise InputError(f"{path}: not the name of an answer; save answers as NAME.answer.txt, beside NAME{PAGE}, or name their folder")
    base = _base(path)
    for needed in (path, base.with_name(base.name + PAGE)):
        if not needed.is_file():
            raise InputError(f"{needed}: no such file; answers are read beside the files that tinsach ask wrote")
    return base


def _base(answer: Path) -> Path:
    match = _ANSWER.fullmatch(answer.name)
    return answer.with_name(match[1] if match else answer.name)
