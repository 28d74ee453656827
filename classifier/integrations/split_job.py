"""Task of a distributed job: clean one split, and commit its outputs together with their statistics.

Outputs depend on the split alone, have a name of their own and appear whole; the commit is written last. So a task may run twice, be
killed or be overtaken by its copy on another machine, and nothing is lost or doubled. Statistics are part of the commit, and not an
accumulator of the engine, which counts a repeated task again.

    OUT/part-00000.jsonl                cleaned records
    OUT/_quarantine/part-00000.jsonl    bad records unchanged; files and records that are too long, by name
    OUT/_tinsach/done/part-00000.json   the commit
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, NamedTuple

from classifier.errors import InputError
from classifier.formats.base import Options
from classifier.integrations.site_memory import AnyRecipe
from classifier.integrations.splits import Split, SplitSource
from classifier.integrations.storage import Folder, Output, file_system, folder_at
from classifier.integrations.threads import one_thread
from classifier.io.encoding import Decoding
from classifier.jobs.inputs import file_fault
from classifier.jobs.job import BAD_FILES, ErrorPolicy, Job, Outcome
from classifier.jobs.stats import Stats

__all__ = ["DONE", "FAIL", "ON_ERROR", "QUARANTINE", "FolderJob", "clean_split"]

DONE, QUARANTINE = "_tinsach/done", "_quarantine"
FAIL, SKIP, INTO_QUARANTINE = ON_ERROR = ("fail", "skip", "quarantine")


class FolderJob(NamedTuple):
    """What a task has to know besides its split."""

    source: str  # a folder, a file or an address
    target: str  # a folder or an address
    format: str  # jsonl or parquet
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
    folder, (system, _) = folder_at(job.target), file_system(job.source)
    source = SplitSource.of(split, job.format, system)
    with one_thread():
        try:
            part, outcome, sha256 = _cleaned(job, source, folder)
        except InputError as error:
            reason = file_fault(error, source)
            if reason is None or job.on_error == FAIL:
                raise
            part, outcome, sha256 = _left_out(job, split, folder, reason), _of_bad_file(reason), ""
    commit = {"on_error": job.on_error, "bytes": part, "sha256": sha256, "outcome": outcome.as_json()}
    folder.write(f"{DONE}/{split.part}.json", json.dumps(commit).encode())


def _cleaned(job: FolderJob, source: SplitSource, folder: Folder) -> tuple[int, Outcome, str]:
    """Clean a split into its part; return the part's size, what was counted, and the part's digest."""
    split = source.split
    with folder.output(f"{split.part}.{job.format}") as out, folder.output(f"{QUARANTINE}/{split.part}.jsonl", always=False) as bad:
        cleaning = Job(job.recipe.cleaner(), _options(job, split), _policy(job, bad))
        cleaning.clean(source, out)
    if not bad.bytes:
        folder.delete(f"{QUARANTINE}/{split.part}.jsonl")  # of an earlier run with another policy
    return out.bytes, cleaning.outcome, out.sha256


def _options(job: FolderJob, split: Split) -> Options:
    """Return the options; the first bytes of a file tell its encoding, and those of a later split are taken for the same."""
    return job.options._replace(decoding=Decoding("utf-8")) if split.start else job.options


def _policy(job: FolderJob, bad: Output) -> ErrorPolicy:
    return ErrorPolicy(job.on_error == SKIP, bad if job.on_error == INTO_QUARANTINE else None)


def _left_out(job: FolderJob, split: Split, folder: Folder, reason: str) -> int:
    """Put a split that cannot be used into the quarantine, by name, in place of what was written of it; return the part's size: 0."""
    folder.delete(f"{split.part}.{job.format}")  # of an earlier run
    entry: dict[str, Any] = {"file": split.path, "from": split.start, "to": split.end, "reason": reason}
    if job.on_error == INTO_QUARANTINE:
        folder.write(f"{QUARANTINE}/{split.part}.jsonl", json.dumps(entry, ensure_ascii=False).encode() + b"\n")
    return 0


def _of_bad_file(reason: str) -> Outcome:
    return Outcome(Counter({BAD_FILES: 1}), Stats(), {BAD_FILES: [reason]})
