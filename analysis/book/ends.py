"""What a build says when the system ends one of its processes, or refuses it memory, files or processes."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor

from analysis.errors import SiteError

ENDS = (BrokenExecutor, EOFError, MemoryError)
"""What Python raises when a process that was waited for is no more, or when there is no memory."""
REFUSED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)
FILES = 256
"""So many files one process of a build has open at most, with room to spare."""
SPACE_BYTE = 16 * 2**30
"""Address space that suffices each process; most of it is reserved and never used."""


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Say what happened and what to do, in place of a traceback."""
    try:
        yield
    except ENDS as error:
        what = "there was not enough memory" if isinstance(error, MemoryError) else "one of its processes was ended"
        raise SiteError(
            f"nothing was published: {what}, by the system for want of memory or by somebody. {todo()}"
        ) from None
    except RuntimeError as error:
        if "start new thread" not in str(error):
            raise
        raise SiteError(f"nothing was published: the system starts no more threads. {todo()}") from None


def todo() -> str:
    """What to do about it: what limits this shell sets, if it does, or fewer processes."""
    found = [
        *_limited(resource.RLIMIT_AS, "ulimit -v", SPACE_BYTE, 2**10),
        *_limited(resource.RLIMIT_NOFILE, "ulimit -n", FILES, 1),
    ]
    return " ".join([*found, "Build again; where it happens again, with fewer processes side by side: --jobs 1."])


def _limited(which: int, command: str, enough: int, unit: int) -> Iterator[str]:
    soft, _ = resource.getrlimit(which)
    if soft != resource.RLIM_INFINITY and soft < enough:
        yield f"This shell allows a process {soft // unit} ({command}); {enough // unit} is enough: {command} {enough // unit}."


def hint(error: OSError) -> str:
    """What to do about an error of the system, with a blank before it; empty where that is plain from the error."""
    return f". {todo()}" if error.errno in REFUSED else ""


def raise_limits() -> None:
    """Allow this process and those it starts the open files that a build needs, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES and os.name == "posix":
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(
                resource.RLIMIT_NOFILE, (FILES if hard == resource.RLIM_INFINITY else min(hard, FILES), hard)
            )
