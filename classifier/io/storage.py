"""Opened remote storage: fsspec file systems by URL, with retries, and errors in one form.

What fails in passing (a reset, a time-out, a 500) is repeated with back-off, beyond what the library of the backend repeats by itself.
Errors are OSErrors that name the address, without secrets. Credentials are found by the library of the backend alone.
"""

from __future__ import annotations

import asyncio
import errno
import re
import time
from collections.abc import Callable
from concurrent import futures
from contextlib import suppress
from typing import Any, TypeVar

from classifier.errors import InputError, require_library
from classifier.io.urls import is_http, protocol_of, shown

__all__ = ["OBJECT_STORES", "cancel_requests", "open_storage", "os_error", "retried"]

WAITS = (1.0, 2.0, 4.0)  # seconds before each new attempt
CANCELLING = 10.0  # seconds for what is under way to end when the process is interrupted; it takes some milliseconds
OBJECT_STORES = ("s3", "s3a", "gs", "gcs")  # an upload appears when it is closed, and can be discarded; the first folder is a bucket
_FOR_GOOD = (FileNotFoundError, PermissionError, FileExistsError, IsADirectoryError, NotADirectoryError)
_ERRNO_FOR_GOOD = {errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.ENAMETOOLONG, errno.EMSGSIZE, errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_IN_PASSING = re.compile(r"Timeout|Connection|Disconnected|Payload|Incomplete|Closed|HTTPClient|Streaming|TooManyRequests")
_LONGEST = 200  # characters of a library's message that are shown

Result = TypeVar("Result")


def open_storage(url: str) -> tuple[Any, str]:
    """Return the file system of a URL and the path there, without remembered listings.

    Raises:
        InputError, OSError: there is no such storage, a library is missing, or it cannot be reached.
    """
    with require_library("remote", shown(url)):
        import fsspec
    protocol = protocol_of(url)
    if protocol in ("file", "local"):
        raise InputError(f"{shown(url)}: a file of this machine; name its path, without {protocol}://")
    try:
        storage, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise InputError(f"{shown(url)}: {error}; install that package (pip), and run it again") from (error.__cause__ or error)
    except ValueError as error:
        raise InputError(f"{shown(url)}: {shown(str(error))}; see docs/SCALE.md for what can be addressed") from error
    except OSError as error:  # HDFS connects here
        raise os_error(error, url) from error
    storage.invalidate_cache()  # others write there too: worker processes, for example
    return storage, path


def cancel_requests() -> None:
    """Cancel what is under way, so that an interrupted process can end without complaints about it."""
    from fsspec import asyn

    async def cancel() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CANCELLING)

    if asyn.loop[0] is not None:
        with suppress(futures.TimeoutError):  # then it ends with complaints
            asyncio.run_coroutine_threadsafe(cancel(), asyn.loop[0]).result(CANCELLING)


# -- errors ----------------------------------------------------------------------------------------------------------------------


def retried(action: Callable[[], Result], url: str) -> Result:
    """Return what an action returns, repeated if it fails in passing.

    Raises:
        OSError: it has failed for good.
    """
    for wait in (*WAITS, None):
        try:
            return action()
        except Exception as found:  # a backend lets through what its libraries raise
            error = _reason(found) if is_http(url) else found
            if wait is None or not _may_pass(error):
                raise os_error(error, url) from error
        time.sleep(wait)
    raise AssertionError  # unreachable: the last attempt returns or raises


def _reason(error: Exception) -> Exception:
    """Return the error behind one of fsspec's HTTP files, which says of every failure that there is no such file."""
    return error.__cause__ if isinstance(error, FileNotFoundError) and isinstance(error.__cause__, Exception) else error


def _may_pass(error: Exception) -> bool:
    """Return whether the same request may succeed a little later."""
    status = getattr(error, "status", None) or getattr(error, "code", None)
    if isinstance(status, int):  # of HTTP
        return status in (408, 425, 429) or status >= 500
    if isinstance(error, OSError):
        changed = type(error).__name__ == "FileExpired"  # s3fs, of an object that was replaced
        return not isinstance(error, _FOR_GOOD) and not changed and error.errno not in _ERRNO_FOR_GOOD
    return isinstance(error, TimeoutError) or _IN_PASSING.search(type(error).__name__) is not None


def os_error(error: Exception, url: str) -> Exception:
    """Return the OSError that says what went wrong at an address; an exception that is a bug is returned as it is."""
    if type(error).__module__ == "builtins" and not isinstance(error, (OSError, ValueError, NotImplementedError)):
        return error
    if isinstance(error, InputError) or (isinstance(error, OSError) and error.filename == shown(url)):
        return error
    return OSError(*_diagnosis(error, url), shown(url))


def _diagnosis(error: Exception, url: str) -> tuple[int, str]:
    """Return the error number and the description of an error."""
    status, name = getattr(error, "status", None), type(error).__name__
    said = f"HTTP status {status}" if isinstance(status, int) else " ".join(shown(str(error)).split())[:_LONGEST] or name
    if isinstance(error, FileNotFoundError) or status in (404, 410):
        return errno.ENOENT, _missing(url)
    if isinstance(error, PermissionError) or status in (401, 403):
        return errno.EACCES, f"no permission ({said})"
    if "Credential" in name or "Auth" in name or "Token" in name:
        return errno.EACCES, f"no usable credentials ({said})"
    if name == "FileExpired":
        return errno.ESTALE, "has changed while it was read"
    if _may_pass(error):
        return errno.ETIMEDOUT, f"the storage fails again and again ({said})"
    known = error.errno if isinstance(error, OSError) and error.errno != errno.EIO else None  # EIO is about disks
    return known or errno.EINVAL, said


def _missing(url: str) -> str:
    if protocol_of(url) not in OBJECT_STORES:
        return "there is no such file"
    bucket = url.partition("://")[2].partition("/")[0]
    with suppress(Exception):  # only to say which of the two is missing
        if not open_storage(url)[0].exists(bucket):
            return f"there is no bucket {bucket}"
    return "there is no such object"
