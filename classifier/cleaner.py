"""Public API: `load` returns a `Cleaner`, which labels lines and extracts the article.

Every call goes through `core.pipeline.Pipeline`, so lines, text, whole pages and pushed chunks get the same labels. Does not
read or write files; see `jobs`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import islice, pairwise, repeat, starmap
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple, SupportsIndex, TypeVar

import numpy as np

from classifier.core.arrays import Ints
from classifier.core.model import Model
from classifier.core.model_file import default_path
from classifier.core.pipeline import BLOCK_CHARS, BLOCK_LINES, LOOKAHEAD, Decided, PageMemory, Pipeline
from classifier.errors import InputError, ModelError
from classifier.io.inspection import inspect_page
from classifier.io.notices import Notice, counted, warn_of, warned, without_warnings
from classifier.labels import DEFAULT_KEEP, LABELS, parse_keep
from classifier.lines import line_starts, not_text, page_batches, page_texts, split_lines, text_iterable
from classifier.parallel import checked_jobs, ordered_map
from classifier.record.article import Article, record_notices, record_of
from classifier.record.confidence import page_confidences
from classifier.results import LabelledLine, Labels, with_nothing_kept
from classifier.sites.memory import LearnedPages, SiteMemory
from classifier.sites.page_pass import PageLearner, PagePass
from classifier.sites.profile import SiteProfile
from classifier.sites.rule import site_name
from classifier.sites.rules import SiteRules
from classifier.stream import Stream
from classifier.version import __version__

__all__ = ["Cleaner", "Recipe", "load", "map_pages"]

PAGES_PER_BATCH = 64

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def load(
    model: str | Path | None = None,
    *,
    keep: str | Iterable[str] = DEFAULT_KEEP,
    threshold: float | None = None,
    rules: SiteRules | None = None,
    profile: SiteProfile | None = None,
) -> Cleaner:
    """Load a cleaner with the shipped model, or with another one.

    Args:
        model: path of another model: an `.npz` file, or its folder.
        keep: the labels to keep, as names or `Label`s; title and body by default.
        threshold: keep a line when the probabilities of the labels in `keep` sum to at least this value (0 to 1); by
            default, keep a line when its label is in `keep`.
        rules: site rules, which force or forbid labels; until `Cleaner.at` names a site, only rules for every site apply.
        profile: a profile of the pages' site: its rules, its memory and its weights, as far as it has them.

    Raises:
        ModelError: the model is missing, damaged, or made for another version, or not the one that the weights of `profile` change.
        InputError: a label in `keep` is unknown, `threshold` is not a probability, `rules` is not a `SiteRules` or `profile` not a
            `SiteProfile`, or both are given.

    >>> cleaner = load(keep="title,body,caption")
    >>> cleaner.lookahead
    48
    """
    if profile is None:
        return Cleaner(Model.load(model), keep=keep, threshold=threshold, rules=rules)
    if not isinstance(profile, SiteProfile):
        raise InputError(f"profile takes a SiteProfile, not {type(profile).__name__}; read one with SiteProfile.read(path)")
    if rules is not None:
        raise InputError("a site profile has its own rules; leave out rules, or make the profile with them")
    changed = Model.load(model, profile.delta)
    cleaner = Cleaner(changed, keep=keep, threshold=threshold, rules=profile.rules, site=profile.site, profile=profile)
    return cleaner.remembering(profile.memory, learn=False)


class Cleaner:
    """Labels the lines of news pages. Without a memory, calls share no state, and threads may share a cleaner."""

    lookahead: int = LOOKAHEAD
    """Upper bound of the look-ahead: a line is decided after at most this many further lines."""

    def __init__(
        self,
        model: Model,
        *,
        keep: str | Iterable[str] = DEFAULT_KEEP,
        threshold: float | None = None,
        rules: SiteRules | None = None,
        site: str | None = None,
        memory: SiteMemory | None = None,
        learn: bool = True,
        profile: SiteProfile | None = None,
    ) -> None:
        """Store a loaded model and its options; see `load`, `at` and `remembering`."""
        if threshold is not None and not (isinstance(threshold, Real) and 0 <= threshold <= 1):
            raise InputError(f"threshold {threshold!r} is not a probability; give a number from 0 to 1, or None")
        if rules is not None and not isinstance(rules, SiteRules):
            raise InputError(f"rules takes SiteRules, not {type(rules).__name__}; read them with SiteRules.read(path)")
        if memory is not None and not isinstance(memory, SiteMemory):
            raise InputError(f"memory takes a SiteMemory, not {type(memory).__name__}; make one, or SiteMemory.load(path)")
        if memory is not None and profile is not None and profile.memory not in (None, memory):
            raise InputError("the site profile has a memory of its own; use one of the two, or make the profile without a memory")
        if site is not None and not isinstance(site, str):
            raise InputError(f"site takes the name of a site, or a URL on it, not {type(site).__name__}")
        self.model = model
        self.keep = parse_keep(keep)
        self.threshold = threshold
        self.rules = rules
        self.memory = memory
        self.learn = learn
        self.profile = profile
        self.site = site_name(site or "") or None
        """The site whose rules apply; None for the rules of every site only."""

    def __repr__(self) -> str:
        path, manifest = self.model.path, self.model.manifest
        name = f"{manifest['name']} {manifest['version']}" if path in (None, default_path().resolve()) else str(path)
        keep = ",".join(label for label in LABELS if label in self.keep)
        shown: dict[str, object] = {"model": name, "keep": keep, "threshold": self.threshold}
        shown |= {name: value for name in ("rules", "site", "memory", "profile") if (value := getattr(self, name)) is not None}
        return f"Cleaner({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    def at(self, site: str | None) -> Cleaner:
        """Return a copy of this cleaner for the pages of one site; cheap, since the model is shared.

        A site is a host name, or any name used in the rules; a URL is reduced to its host. Case and a leading `www.` are
        ignored; `m.bao-bai-song.vn` and `bao-bai-song.vn` are different sites.

        >>> load().at("https://www.bao-bai-song.vn/thoi-su/1.html").site
        'bao-bai-song.vn'
        """
        return self._with(site=site)

    def remembering(self, memory: SiteMemory | None, *, learn: bool = True) -> Cleaner:
        """Return a copy of this cleaner with a memory of the lines of its site, which every call reads; cheap.

        With `learn`, every call updates it too: the lines of a page are added when the page ends, and a page abandoned midway
        adds none. Without, labels do not depend on the order of pages. With a memory, lines are decided when their page ends.

        Raises:
            InputError: `memory` is not a `SiteMemory`.
        """
        return self._with(memory=memory, learn=learn)

    @property
    def learns(self) -> bool:
        """Whether there is a memory that learns the pages that are labelled."""
        return self.memory is not None and self.learn

    def watched_by(self, model: Model) -> Cleaner:
        """Return a copy of this cleaner with a recording model of the same weights, and without a memory."""
        return self._with(model=model, memory=None, profile=None)

    def _with(self, **changes: Any) -> Cleaner:
        names = ("model", "keep", "threshold", "rules", "site", "memory", "learn", "profile")
        return Cleaner(**({name: getattr(self, name) for name in names} | changes))

    @property
    def recipe(self) -> Recipe:
        """Specification from which other processes and machines build the same cleaner; does not include a memory that learns.

        Raises:
            InputError: the model, or the memory, was not loaded from a file.
        """
        path = self.model.path
        if path is None:
            raise InputError("this model was not loaded from a file, so other processes cannot load it; use jobs=1, or load(model=path)")
        shipped = path == default_path().resolve()
        digest, keep = self.model.manifest["arrays_sha256"], tuple(sorted(label.value for label in self.keep))
        rules = self.rules if self.profile is None else None  # else it has them
        made = Recipe(None if shipped else str(path), digest, __version__, keep, self.threshold, rules, self.site, profile=self.profile)
        if self.memory is None or self.learns or (self.profile is not None and self.memory is self.profile.memory):
            return made
        if self.memory.path is None:
            raise InputError(
                "this site memory was not loaded from a file, so other processes cannot load it; save it, and SiteMemory.load(path)"
            )
        return made._replace(memory=str(self.memory.path), memory_digest=self.memory.digest)

    def _pipeline(self, memory: PageMemory | None = None) -> Pipeline:
        kept = [code for code, label in enumerate(LABELS) if label in self.keep]
        rules = None if self.rules is None else self.rules.at(self.site)
        if memory is None and self.memory is not None:
            memory = PagePass(self.memory, self.site, self.learn)
        return Pipeline(self.model, kept, self.threshold, rules, memory)

    # -- lines -----------------------------------------------------------------------------------------------------

    def label_lines(self, lines: Iterable[str], *, lookahead: SupportsIndex | None = None) -> Iterator[LabelledLine]:
        """Label the lines of one page lazily, reading at most `lookahead` (by default 48) lines beyond the one returned.

        Results do not depend on `lookahead`. A longer one is faster on long pages that arrive line by line: with 304 lines,
        about four times as fast. Lists and tuples are processed in large blocks anyway. A form feed is white space of its line.

        Warns:
            InputWarning: once the last line is returned, if the lines are not plain lines of Vietnamese text, or none is kept.

        Raises:
            InputError: `lines` is a string (split it, or call `clean_text`) or a frame of several columns, one of the lines is
                not a string, or `lookahead` is less than the model needs.
        """
        if isinstance(lines, (str, bytes)):
            raise InputError("label_lines takes an iterable of lines, not one string; pass split_lines(text), or call clean_text(text)")
        return self._label(text_iterable(lines, "label_lines"), self.stream(lookahead=lookahead))

    def _label(self, lines: Iterable[str], stream: Stream) -> Iterator[LabelledLine]:
        if isinstance(lines, (list, tuple)):
            last = max(0, len(lines) - 1) // BLOCK_LINES * BLOCK_LINES
            for start in range(0, last, BLOCK_LINES):
                yield from stream.feed_lines(lines[start : start + BLOCK_LINES])
            yield from stream.end_page(lines[last:])
            return
        source = iter(lines)
        while block := list(islice(source, stream.wanted)):
            yield from stream.feed_lines(block)
        yield from stream.end_page()

    def clean_lines(self, lines: Iterable[str], *, lookahead: SupportsIndex | None = None) -> Iterator[str]:
        """Return the kept lines of one page, unmodified, as lazily as `label_lines`."""
        return (line.text for line in self.label_lines(lines, lookahead=lookahead) if line.kept)

    def clean_text(self, text: str) -> str:
        """Return the kept lines of one page of text, joined by newlines (no newline at the end).

        A text with several pages, separated by form feeds, is for `clean_pages(split_pages(text))`.

        Raises:
            InputError: `text` is not a string.
        """
        if not isinstance(text, str):
            raise not_text(text, "the argument of clean_text")
        return "\n".join(self.clean_lines(split_lines(text)))

    def article(self, text: str, *, normalize: bool = False) -> Article:
        """Return the record of one page: title, paragraphs, captions, dates and authors, with their offsets in `text`.

        Lines that an extractor broke are joined, and copies inside the page are left out. Lines are sorted by their labels; `keep`
        and `threshold` do not matter. With `normalize` texts are in NFC, without invisible characters and runs of white space.

        Warns:
            InputWarning: the page is not plain lines of Vietnamese text, or has no article; see also `Article.flags`.

        Raises:
            InputError: `text` is not a string.
        """
        if not isinstance(text, str):
            raise not_text(text, "the argument of article")
        (record,) = self.articles([text], normalize=normalize)
        return record

    # -- pages -----------------------------------------------------------------------------------------------------

    def clean_pages(self, pages: Iterable[str], jobs: SupportsIndex = 1, *, memory: SiteMemory | None = None) -> Iterator[str]:
        """Clean many pages, in order, in batches that span pages; `jobs` > 1 uses that many processes, this one included (-1: all cores).

        Read-ahead is bounded, so `pages` may be endless. A `memory` of their site reads and counts the pages in this order;
        see `SiteMemory`.

        Warns:
            InputWarning: once all pages are cleaned, for each kind of notice about them; see `Labels.notices`.

        Raises:
            InputError: `pages` is one string or a frame of several columns, one of the pages is not a string, `jobs` is 0, or
                several processes are requested with a model that was not loaded from a file, or with a memory.
        """
        texts = page_texts(pages, "clean_pages")
        cleaner = self if memory is None else self.remembering(memory)
        return warned(map_pages(cleaner, Cleaner._clean_batch, page_batches(texts, BLOCK_LINES, PAGES_PER_BATCH), jobs))

    def articles(
        self, pages: Iterable[str], jobs: SupportsIndex = 1, *, normalize: bool = False, memory: SiteMemory | None = None
    ) -> Iterator[Article]:
        """Return the records of many pages, in order and as lazily as `clean_pages`; see `article` and `clean_pages`."""
        texts = page_texts(pages, "articles")
        cleaner = self if memory is None else self.remembering(memory)
        work = partial(Cleaner._record_batch, normalize=normalize)
        return warned(map_pages(cleaner, work, page_batches(texts, BLOCK_LINES, PAGES_PER_BATCH), jobs))

    def label_pages(self, pages: Iterable[str], *, memory: SiteMemory | None = None) -> Labels:
        """Label many pages at once, as columns instead of objects: the fastest call, meant for adapters.

        A `memory` of their site reads and counts the pages in this order; see `SiteMemory`.

        Warns:
            InputWarning: once for each kind of notice about the pages; `Labels.notices` holds those of each page.

        Raises:
            InputError: `pages` is one string or a frame of several columns, one of the pages is not a string, or `memory` is
                not a `SiteMemory`.
        """
        labels = self._label_pages(page_texts(pages, "label_pages"), memory)
        warn_of(counted(labels.notices))
        return labels

    def _label_pages(self, pages: Iterable[str], memory: SiteMemory | None = None) -> Labels:
        texts = list(pages)
        lines: list[str] = []
        offsets = [0]
        found: list[tuple[Notice, ...]] = []
        pipeline, parts = (self if memory is None else self.remembering(memory))._pipeline(), []
        for block in _blocks(texts):
            first = len(lines)
            for page in block:
                lines += split_lines(page)
                offsets.append(len(lines))
                found.append(inspect_page(page))
            parts.append(pipeline.advance(lines[first:], np.array(offsets[-len(block) :]) - first))
        done = Decided.joined(parts or [pipeline.advance([])])
        columns = (done.codes, done.probabilities, done.kept, done.keep_probabilities, done.guesses)
        bounds, sizes = np.array(offsets), np.fromiter(map(len, lines), np.int64, len(lines))
        starts = _line_starts(texts, lines, sizes, bounds)
        others = (done.caption_probabilities, done.title_probabilities)
        return with_nothing_kept(Labels(*columns, bounds, lines, starts, starts + sizes, tuple(found), *others))

    def learned_pages(self, pages: Iterable[str]) -> LearnedPages:
        """Return what pages of this cleaner's site add to a memory; see `SiteMemory.add`.

        Raises:
            InputError: as `label_pages`.
        """
        learner = PageLearner(self.site)
        lines: list[str] = []
        ends: list[int] = []
        for page in page_texts(pages, "learned_pages"):
            lines += split_lines(page)
            ends.append(len(lines))
        self._pipeline(learner).advance(lines, ends)
        return learner.learned

    def _clean_batch(self, pages: Sequence[str]) -> tuple[list[str], tuple[tuple[Notice, ...], ...]]:
        labels = self._label_pages(pages)
        return labels.texts(), labels.notices

    def _record_batch(self, pages: Sequence[str], normalize: bool) -> tuple[list[Article], tuple[tuple[Notice, ...], ...]]:
        return self.records_of(self._label_pages(pages), normalize)

    def records_of(self, labels: Labels, normalize: bool = False) -> tuple[list[Article], tuple[tuple[Notice, ...], ...]]:
        """Return the records of labelled pages, and the notices about them as records; for adapters, see `articles`."""
        known = self.model.manifest.get("confidence") is not None  # older models cannot tell
        confidences = page_confidences(self.model, labels, self.keep).tolist() if known else repeat(None)
        found = [(page, record_of(page, normalize, confidence)) for page, confidence in zip(labels.pages(), confidences)]
        return [record for _, record in found], tuple(starmap(record_notices, found))

    def stream(self, *, lookahead: SupportsIndex | None = None) -> Stream:
        """Return a push-style stream: feed it chunks of text or bytes, get labelled lines back.

        Raises:
            InputError: `lookahead` is less than the model needs; see `label_lines`.
        """
        return Stream(self._pipeline(), lookahead)


def _blocks(pages: list[str]) -> Iterator[list[str]]:
    """Yield pages in groups of at most BLOCK_CHARS characters, or of one page.

    What Python does for a group and what is done without its lock alternate then, so that threads do not wait for each other for long.
    """
    start, chars = 0, 0
    for stop, page in enumerate(pages):
        chars += len(page)
        if chars > BLOCK_CHARS and start < stop:
            yield pages[start:stop]
            start, chars = stop, len(page)
    if pages:
        yield pages[start:]


def _line_starts(pages: list[str], lines: list[str], sizes: Ints, offsets: Ints) -> Ints:
    """Return where each line of pages starts in its page (n,), from the lines' `sizes` (n,) and the `offsets` of pages; see `Labels`."""
    through = np.zeros(len(lines) + 1, np.int64)
    np.cumsum(sizes + 1, out=through[1:])
    starts = through[:-1] - through[offsets[:-1]].repeat(np.diff(offsets))
    for page, (first, stop) in zip(pages, pairwise(offsets.tolist())):
        if "\r" in page:  # its line ends may have two characters
            starts[first:stop] = line_starts(page, lines[first:stop])
    return starts


# -- worker processes --------------------------------------------------------------------------------------------------


class Recipe(NamedTuple):
    """Picklable specification of a cleaner: equal recipes give equal results, in any process and on any machine.

    A process with another model or another release of tinsach raises an error instead: half a corpus cleaned differently
    would go unnoticed.
    """

    path: str | None  # file of the model's arrays; None for the shipped model, since each machine has its own copy
    arrays_sha256: str
    release: str  # of tinsach
    keep: tuple[str, ...]
    threshold: float | None
    rules: SiteRules | None = None
    site: str | None = None
    memory: str | None = None  # file of a memory that judges and does not learn
    memory_digest: str = ""
    profile: SiteProfile | None = None

    def cleaner(self) -> Cleaner:
        """Return the cleaner, loaded once per process.

        Raises:
            ModelError: this process has another model at that path, or another release of tinsach.
            InputError: this process has another memory at that path.
        """
        return _make(self)


@lru_cache(maxsize=8)
def _make(recipe: Recipe) -> Cleaner:
    cleaner = load(recipe.path, keep=recipe.keep, threshold=recipe.threshold, rules=recipe.rules, profile=recipe.profile).at(recipe.site)
    if (__version__, cleaner.model.manifest["arrays_sha256"]) != (recipe.release, recipe.arrays_sha256):
        where = recipe.path or "the shipped model"
        raise ModelError(f"{where}: not the same model or release; install tinsach {recipe.release} and the same model on every machine")
    if recipe.memory is None:
        return cleaner
    memory = SiteMemory.load(recipe.memory)
    if memory.digest != recipe.memory_digest:
        raise InputError(
            f"{recipe.memory}: not the same site memory; put the same file on every machine, and do not change it during a job"
        )
    return cleaner.remembering(memory, learn=False)


def map_pages(
    cleaner: Cleaner, work: Callable[[Cleaner, Piece], Result], pieces: Iterable[Piece], jobs: SupportsIndex, *, large: bool = False
) -> Generator[Result, None, None]:
    """Yield `work(cleaner, piece)` for all pieces, in order, computed in `jobs` processes; see `parallel.ordered_map`.

    This process is one of them, unless pieces are so `large`, as whole files are, that the others would wait for it.

    Raises:
        InputError: `jobs` is 0, or several processes are requested with a model that was not loaded from a file, or with a memory
            that learns, or that was not loaded from a file.
    """
    jobs = checked_jobs(jobs)
    here = partial(work, cleaner)
    if jobs == 1:
        return ordered_map(here, pieces, jobs)
    if cleaner.learns:
        raise InputError(
            "a site memory that learns takes pages one after the other, in one process; use jobs=1 (--jobs 1), or let it only judge: "
            "remembering(memory, learn=False)"
        )
    return ordered_map(partial(_work, cleaner.recipe, work), pieces, jobs, None if large else here)


def _work(recipe: Recipe, work: Callable[[Cleaner, Piece], Result], piece: Piece) -> Result:
    with without_warnings():  # the calling process reports what is noticed
        return work(recipe.cleaner(), piece)
