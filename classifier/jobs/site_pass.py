"""First of two passes over the inputs of a job: what a site memory learns of all pages, before any of them is cleaned.

Pages are labelled in batches, in as many processes as the job has, and added to one memory of fixed size. What it holds does not
depend on their order, so the second pass, in which the memory only judges, does not depend on order or processes either.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from classifier.cleaner import Cleaner, map_pages
from classifier.errors import InputError
from classifier.formats.base import Options
from classifier.formats.sources import Source
from classifier.jobs.batches import Batch, batches_of, learned_by_site, sites_of
from classifier.jobs.inputs import is_file
from classifier.jobs.job import ErrorPolicy, Job
from classifier.jobs.labelling import pages_of
from classifier.sites.memory import LearnedPages, SiteMemory

__all__ = ["learn_sites", "site_field_of", "with_folder_sites"]

_PAGES = ("text", "html")  # formats without fields
_RECORD_FIELD, _WARC_FIELD = "url", "WARC-Target-URI"


def learn_sites(
    cleaner: Cleaner, sources: Sequence[Source], options: Options, faults: ErrorPolicy, processes: int, pages: int
) -> SiteMemory:
    """Return a memory of all pages of the inputs, each of its own site.

    Bad records and files are left out, without a word, if the policy is to go on without them: the second pass reports them.

    Raises:
        InputError: an input can be read only once, or is bad and the policy is to fail.
    """
    for source in sources:
        if not is_file(source):
            raise InputError(
                f"{source.name}: --site-memory auto reads every input twice, and this one can be read only once; save it to a file, "
                "or learn in the order of the pages with --site-memory FILE"
            )
    memory = SiteMemory(pages)
    job = Job(cleaner, options, ErrorPolicy(skip=faults.tolerant, advice=faults.advice), processes=processes)
    for learned in map_pages(cleaner, _learn_batch, _batches(job, sources), processes):
        for pages_of_site in learned:
            memory.add(pages_of_site)
    return memory


def _batches(job: Job, sources: Sequence[Source]) -> Iterator[Batch]:
    for batch in batches_of(page for source in sources for page in pages_of(job, source, last=False)):
        yield Batch([page.text for page in batch], sites=sites_of(batch))


def _learn_batch(cleaner: Cleaner, batch: Batch) -> list[LearnedPages]:
    return learned_by_site(cleaner, batch.texts, batch.sites)


# -- sites without being told ----------------------------------------------------------------------------------------------


def site_field_of(sources: Sequence[Source]) -> str | None:
    """Return the field that holds the URL of a record, by the formats of the inputs; None if none has fields.

    Raises:
        InputError: they have different ones.
    """
    fields = {_WARC_FIELD if source.format == "warc" else _RECORD_FIELD for source in sources if source.format not in _PAGES}
    if len(fields) > 1:
        raise InputError(f"records keep their URL in {_RECORD_FIELD!r} and WARC in {_WARC_FIELD!r}; clean WARC in a run of its own")
    return next(iter(fields), None)


def with_folder_sites(sources: Sequence[Source]) -> list[Source]:
    """Return the inputs with the site of their pages that name none: the first folder below the one that found the file, or its own."""
    return [source._replace(site=_folder_of(source)) for source in sources]


def _folder_of(source: Source) -> str:
    below = PurePath(source.place).parts
    return below[0] if len(below) > 1 else PurePath(os.path.realpath(source.path)).parent.name
