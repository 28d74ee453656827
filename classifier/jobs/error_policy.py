"""Error policy of a job: what becomes of bad records, and of inputs that cannot be used as a whole."""

from __future__ import annotations

import json

from classifier.errors import InputError
from classifier.formats.base import BadRecord
from classifier.formats.sources import Source
from classifier.io.encoding import to_utf8
from classifier.io.files import Sink

__all__ = ["ErrorPolicy"]


class ErrorPolicy:
    """Policy for bad records and files: fail, skip them, or quarantine them: records unchanged, files by name."""

    def __init__(self, skip: bool = False, quarantine: Sink | None = None, advice: str | None = "") -> None:
        """Fail, unless `skip` is set or there is a quarantine file.

        `advice` says how a job of several files can go on; None if the command has no --on-error.
        """
        self.tolerant, self.quarantine, self.advice = skip or quarantine is not None, quarantine, advice

    def into(self, quarantine: Sink) -> ErrorPolicy:
        """Return the same policy with another quarantine, if it has one."""
        return ErrorPolicy(self.tolerant, None if self.quarantine is None else quarantine, self.advice)

    def take(self, bad: BadRecord, name: str) -> None:
        """Quarantine or skip a bad record.

        Raises:
            InputError: the policy is to fail.
        """
        if self.quarantine is not None:
            self.quarantine.write(bad.raw + b"\n")
        elif not self.tolerant:
            option = "" if self.advice is None else ", or choose --on-error skip or quarantine FILE"
            raise InputError(f"{name}:{bad.line}: {bad.reason}; repair the record{option}")

    def take_file(self, source: Source, reason: str) -> None:
        """Quarantine a bad file by its name, or skip it; only where the policy is not to fail."""
        if self.quarantine is not None:
            entry = {"file": source.name, "reason": reason.removeprefix(f"{source.name}: ")}
            self.quarantine.write(to_utf8(json.dumps(entry, ensure_ascii=False) + "\n"))
