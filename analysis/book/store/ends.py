"""What a build says when the system ends one of its processes, or refuses it memory, files or processes."""

from __future__ import annotations

import contextlib
import errno
import resource
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass

from analysis.errors import SiteError

ENDS = (BrokenExecutor, EOFError, MemoryError)
"""What Python raises when a process that was waited for is no more, or when there is no memory."""
REFUSED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)


@dataclass(frozen=True)
class Limit:
    """What a shell may limit for each process: what of, the command that sets it and its unit, what a build needs, what is enough."""

    which: int
    what: str
    command: str
    unit: int
    least: int
    enough: int

    def told(self, least: int) -> str:
        """What to do where less than so much is allowed; empty where more is."""
        allowed, _ = resource.getrlimit(self.which)
        if allowed == resource.RLIM_INFINITY or allowed >= least:
            return ""
        enough = f"{self.command} {self.enough // self.unit}"
        return f"This shell allows a process {allowed // self.unit} {self.what}; allow it more with {enough}."


FILES = Limit(resource.RLIMIT_NOFILE, "open files", "ulimit -n", 1, 128, 256)
SPACE = Limit(resource.RLIMIT_AS, "KiB of address space", "ulimit -v", 2**10, 4 * 2**30, 16 * 2**30)
"""Most of it is reserved and never used."""


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
    found = [limit.told(limit.enough) for limit in (SPACE, FILES)]
    return " ".join(
        [*filter(None, found), "Build again; where it happens again, with fewer processes side by side: --jobs 1."]
    )


def hint(error: OSError) -> str:
    """What to do about an error of the system, with a blank before it; empty where that is plain from the error."""
    return f". {todo()}" if error.errno in REFUSED else ""


def require_room() -> None:
    """Take the open files that a build needs as far as the system lets it; raises SiteError where this shell allows too little."""
    soft, hard = resource.getrlimit(FILES.which)
    if soft != resource.RLIM_INFINITY and soft < FILES.enough:
        with contextlib.suppress(OSError, ValueError):
            most = FILES.enough if hard == resource.RLIM_INFINITY else min(hard, FILES.enough)
            resource.setrlimit(FILES.which, (most, hard))
    if found := [said for limit in (SPACE, FILES) if (said := limit.told(limit.least))]:
        raise SiteError(f"nothing was published: there is not enough room to build. {' '.join(found)}")
