"""Task of a distributed job: clean one split, and commit its outputs together with their statistics.

Outputs depend on the split alone, have a name of their own and appear whole; the commit is written last. So a task may run twice, be
killed or be overtaken by its copy on another machine, and nothing is lost or doubled. Statistics are part of the commit, and not an
accumulator of the engine, which counts a repeated task again.

    OUT/part-00000.jsonl                cleaned records
    OUT/_quarantine/part-00000.jsonl    bad records unchanged; files and records that are too long, by name
    OUT/_tinsach/done/part-00000.json   the commit
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from contextlib import ExitStack
from typing import Any, NamedTuple

from classifier.errors import InputError
from classifier.formats.base import Options
from classifier.integrations.site_memory import AnyRecipe
from classifier.integrations.splits import Split, SplitSource
from classifier.integrations.threads import one_thread
from classifier.io.addresses import join, make_parent, remove
from classifier.io.encoding import Decoding
from classifier.io.files import Sink, atomic_write, write_file
from classifier.io.urls import shown
from classifier.jobs.inputs import file_fault
from classifier.jobs.job import BAD_FILES, ErrorPolicy, Job, Outcome
from classifier.jobs.stats import Stats

__all__ = ["DONE", "FAIL", "ON_ERROR", "QUARANTINE", "FolderJob", "clean_split"]

DONE, QUARANTINE = "_tinsach/done", "_quarantine"
FAIL, SKIP, INTO_QUARANTINE = ON_ERROR = ("fail", "skip", "quarantine")


class FolderJob(NamedTuple):
    """What a task has to know besides its split."""

    source: str  # a folder, a file or a URL of one
    target: str  # a folder or a URL
    format: str  # jsonl or parquet; empty: that of the file names
    text_field: str
    site_field: str | None  # None without a site memory
    recipe: AnyRecipe
    on_error: str  # one of ON_ERROR
    max_record_size: int  # bytes

    @property
    def options(self) -> Options:
        """The options of the readers and writers."""
        return Options(Decoding(), "\f", self.text_field, site_field=self.site_field, max_record=self.max_record_size)


def clean_split(job: FolderJob, split: Split) -> None:
    """Clean a split, and write its outputs and its commit.

    Raises:
        InputError: a record or the file is bad, and the policy is to fail.
    """
    source = SplitSource.of(split, job.format)
    with one_thread():
        try:
            part, outcome, sha256 = _cleaned(job, source)
        except InputError as error:
            reason = file_fault(error, source)
            if reason is None or job.on_error == FAIL:
                raise
            part, outcome, sha256 = _left_out(job, split, reason), _of_bad_file(reason), ""
    commit = {"on_error": job.on_error, "bytes": part, "sha256": sha256, "outcome": outcome.as_json()}
    write_file(join(job.target, f"{DONE}/{split.part}.json"), json.dumps(commit).encode())


def _cleaned(job: FolderJob, source: SplitSource) -> tuple[int, Outcome, str]:
    """Clean a split into its part; return the part's size, what was counted, and the part's digest."""
    split = source.split
    with ExitStack() as stack:
        out, bad = (_Output(address, stack) for address in _outputs(job, split))
        cleaning = Job(job.recipe.cleaner(), _options(job, split), _policy(job, bad))
        out.write(b"")  # a part is there even if it is empty
        cleaning.clean(source, out)
    if not bad.bytes:
        remove(bad.address)  # of an earlier run with another policy
    return out.bytes, cleaning.outcome, out.digest.hexdigest()


def _outputs(job: FolderJob, split: Split) -> tuple[str, str]:
    """Return the addresses of a part and of its quarantine."""
    return join(job.target, f"{split.part}.{job.format}"), join(job.target, f"{QUARANTINE}/{split.part}.jsonl")


class _Output(Sink):
    """Atomic output that is opened by its first write, and keeps the size and the digest of what was written."""

    def __init__(self, address: str, stack: ExitStack) -> None:
        self.address, self._stack = address, stack
        self.bytes, self.digest = 0, hashlib.sha256()
        self._sink: Sink | None = None

    def write(self, data: bytes) -> None:
        """See `Sink`."""
        if self._sink is None:
            make_parent(self.address)
            self._sink = self._stack.enter_context(atomic_write(self.address))
        self.bytes += len(data)
        self.digest.update(data)
        self._sink.write(data)


def _options(job: FolderJob, split: Split) -> Options:
    """Return the options; the first bytes of a file tell its encoding, and those of a later split are taken for the same."""
    return job.options._replace(decoding=Decoding("utf-8")) if split.start else job.options


def _policy(job: FolderJob, bad: Sink) -> ErrorPolicy:
    return ErrorPolicy(job.on_error == SKIP, bad if job.on_error == INTO_QUARANTINE else None)


def _left_out(job: FolderJob, split: Split, reason: str) -> int:
    """Put a split that cannot be used into the quarantine, by name, in place of what was written of it; return the part's size: 0."""
    part, quarantine = _outputs(job, split)
    remove(part)  # of an earlier run
    entry: dict[str, Any] = {"file": shown(split.path), "from": split.start, "to": split.end, "reason": reason}
    if job.on_error == INTO_QUARANTINE:
        write_file(quarantine, json.dumps(entry, ensure_ascii=False).encode() + b"\n")
    return 0


def _of_bad_file(reason: str) -> Outcome:
    return Outcome(Counter({BAD_FILES: 1}), Stats(), {BAD_FILES: [reason]})
