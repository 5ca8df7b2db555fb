"""Kernels by forking: one preloaded process per core forks a kernel in milliseconds, where a fresh one imports for a second.

A build's processes:  main ─ fork server (imports ``preload`` once) ─ one worker per core (papermill, nbclient) ─ its mother ─
one kernel per chapter.  papermill and nbclient remain the engine; they are given a jupyter_client provisioner that asks the
mother for a process where the usual one would start a program.

No process outlives the build, however it ends: workers hold one end of a pipe, the lifeline, whose other end the main process
holds.  When that closes they end; their mothers notice and end their kernels.  A kernel belongs to a process group of its own,
so that Ctrl-C reaches the main process alone, and may allocate a bounded amount of memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.provisioning import LocalProvisioner

from analysis.book.run.forking import Context

MEMORY_VARIABLE = "MEMORY_WALL_MEMORY_BYTE"
"""Environment variable of a kernel: how much it may allocate."""
NICE_VARIABLE = "MEMORY_WALL_NICE"
"""Environment variable of a kernel: by how much it gives way to others."""
PROVISIONER = "memory-wall-fork"
PERSONAL = ("PYTHONSTARTUP", "COLUMNS", "LINES", "IPYTHONDIR", "MPLBACKEND")
"""Environment variables by which one person's settings would reach the pages."""
SELDOM = (50_000, 20, 20)
"""When Python looks for objects that hold each other and nobody else does: pages are trees of such, and as often as usual it takes
an eighth of a build."""
POLL_S = 0.005
END_S = 1.0
"""How long the end of a worker, which takes some milliseconds, is waited for."""


class Pool(ProcessPoolExecutor):
    """The local executor: workers forked from a preloaded process; ending it ends everything it started."""

    def __init__(self, jobs: int | None = None) -> None:
        context = Context.ready()
        theirs, self._lifeline = context.Pipe(duplex=False)
        self.jobs = jobs or cores()
        super().__init__(self.jobs, mp_context=context, initializer=start_worker, initargs=(theirs,))

    def drawers(self) -> contextlib.AbstractContextManager[Executor]:
        """Workers that draw charts while these run chapters: half as many, as each starts the renderer's engine for itself."""
        return Pool(self.jobs // 2) if self.jobs > 1 else contextlib.nullcontext(self)

    def end(self) -> None:
        """End workers, mothers and kernels at once; what they were doing is lost."""
        workers = list((self._processes or {}).values())  # the executor forgets them at its end
        self._lifeline.close()
        self.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.join(END_S)

    def __exit__(self, *_: object) -> None:
        self.end()


def cores() -> int:
    """How many processes can run side by side here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_mother: Mother | None = None


def start_worker(lifeline: Connection) -> None:
    """Make a worker ready: a mother of kernels of its own, deaf to Ctrl-C, gone when the lifeline is cut."""
    global _mother  # noqa: PLW0603 - one per process, as the process is the worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    end_with_parent()
    _mother = Mother.forked()
    end_with(lifeline)


def end_with(lifeline: Connection) -> None:
    """End this process when the other end of a pipe is closed."""
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv()
    os._exit(0)


def end_with_parent() -> None:
    """Ask Linux to end this process with the one that forked it; elsewhere the closing of a pipe has to do."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def mother() -> Mother:
    """The mother of this process; in a process that is not a worker one is made."""
    global _mother  # noqa: PLW0603 - as above
    if _mother is None or not _mother.is_mine():
        _mother = Mother.spawned()
    return _mother


@dataclass(frozen=True)
class Birth:
    """What a kernel is told: its connection file, its folder, its environment."""

    connection_file: str
    folder: str
    environment: Mapping[str, str]


class Mother:
    """A process that forks kernels, as the worker sees it."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._owner = pipe, os.getpid()

    def is_mine(self) -> bool:
        """Whether this process made it (rather than having inherited it by a fork)."""
        return self._owner == os.getpid()

    @classmethod
    def forked(cls) -> Mother:
        """Fork one from this process, which must have one thread."""
        ours, theirs = multiprocessing.Pipe()
        if os.fork() == 0:
            ours.close()
            serve(theirs)
        theirs.close()
        return cls(ours)

    @classmethod
    def spawned(cls) -> Mother:
        """Have one made by a fork server, for a process that may have threads."""
        context = Context.ready()
        ours, theirs = context.Pipe()
        context.Process(target=serve, args=(theirs,), daemon=True).start()
        theirs.close()
        return cls(ours)

    def bear(self, birth: Birth) -> Kernel:
        """A new kernel process."""
        self._pipe.send(birth)
        return Kernel(self._pipe.recv(), self)

    def status(self, pid: int) -> int | None:
        """The exit status of a kernel, None while it runs."""
        self._pipe.send(pid)
        found: int | None = self._pipe.recv()
        return found


def serve(pipe: Connection) -> None:
    """Fork a kernel for each ``Birth`` asked for, say how a kernel ended for each process id; end all when the worker is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    kernels: dict[int, int | None] = {}
    with contextlib.suppress(EOFError, OSError):
        while True:
            asked = pipe.recv()
            if isinstance(asked, Birth):
                answer: int | None = _fork_kernel(asked, pipe)
                kernels[int(answer or 0)] = None
            else:
                answer = kernels[asked] = _reaped(asked) if kernels[asked] is None else kernels[asked]
            pipe.send(answer)
    for pid in (pid for pid, status in kernels.items() if status is None):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    os._exit(0)


def _reaped(pid: int) -> int | None:
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 1
    return os.waitstatus_to_exitcode(status) if found else None


def _fork_kernel(birth: Birth, pipe: Connection) -> int:
    pid = os.fork()
    if pid:
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)  # in both processes, so that it is done whichever runs first
        return pid
    try:
        os.setpgid(0, 0)
        pipe.close()
        _run_kernel(birth)
    except BaseException as error:
        with contextlib.suppress(OSError), open(cause_file(birth.connection_file), "w", encoding="utf-8") as file:
            file.write(f"{type(error).__name__}: {error}")
    finally:
        os._exit(1)


def cause_file(connection_file: str) -> str:
    """Where a kernel that could not begin leaves word why."""
    return f"{connection_file}.cause"


def _run_kernel(birth: Birth) -> None:
    from ipykernel.kernelapp import IPKernelApp
    from traitlets.config import Config

    end_with_parent()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _become(birth)
    os.mkdir(f"{birth.connection_file}.d")  # settings and start-up scripts of whoever builds stay out
    application = IPKernelApp.instance(
        config=Config(
            IPKernelApp={
                "connection_file": birth.connection_file,
                "exec_PYTHONSTARTUP": False,
                "log_level": 50,
                "ipython_dir": f"{birth.connection_file}.d",
            },
            HistoryManager={"enabled": False},
        )
    )
    application.initialize([])  # type: ignore[no-untyped-call]
    gc.set_threshold(*SELDOM)
    _trace(application.shell)
    _bound_memory()
    _bound_output(application.shell)
    application.start()  # type: ignore[no-untyped-call]
    os._exit(0)


def _become(birth: Birth) -> None:
    os.environ.clear()
    os.environ.update({name: value for name, value in birth.environment.items() if name not in PERSONAL})
    os.nice(int(os.environ.get(NICE_VARIABLE, "0")))
    time.tzset()
    os.chdir(birth.folder)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)


def _trace(shell: Any) -> None:
    from analysis.book.run import tracing

    if tracing.TRACE_VARIABLE in os.environ:
        from pathlib import Path

        tracer = tracing.Tracer(Path(os.environ["MEMORY_WALL_DATA"]))
        shell.events.register("post_run_cell", tracer.write)
        sys.addaudithook(tracer)


def _bound_memory() -> None:
    """A chapter that eats memory gets a MemoryError, and the machine goes on."""
    more = int(os.environ.get(MEMORY_VARIABLE, "0"))
    if more and os.path.exists("/proc/self/statm"):
        with open("/proc/self/statm", encoding="ascii") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        bound = now + more if most == resource.RLIM_INFINITY else min(now + more, most)
        resource.setrlimit(resource.RLIMIT_AS, (bound, bound))


LARGEST_OUTPUT_BYTE = 1_000_000
"""How much a cell may put out besides what is published as figures, tables and numbers: more makes a page nobody can open."""


class OutputError(Exception):
    """A cell prints without end."""


def _bound_output(shell: Any) -> None:
    """A cell that prints more than a page can hold is stopped where it prints, and nothing is kept of a print without end."""
    left = [LARGEST_OUTPUT_BYTE]
    shell.events.register("pre_run_cell", lambda *_: left.__setitem__(0, LARGEST_OUTPUT_BYTE))
    for stream in (sys.stdout, sys.stderr):
        stream.write = partial(_written, stream.write, left)  # type: ignore[method-assign]


def _written(write: Callable[[str], int], left: list[int], text: str) -> int:
    left[0] -= len(text)
    if left[0] < 0:
        raise OutputError(too_much(LARGEST_OUTPUT_BYTE - left[0]))
    return write(text)


def too_much(byte: int) -> str:
    """What is said of a cell that puts out so much."""
    return (
        f"the cell put out {byte:,} bytes or more, and at most {LARGEST_OUTPUT_BYTE:,} go onto a page; "
        "print less, or publish a table (show_table)"
    )


class Kernel:
    """A kernel process with the face of ``subprocess.Popen``, as far as jupyter_client looks at it."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, mother: Mother) -> None:
        self.pid, self._mother = pid, mother

    def poll(self) -> int | None:
        """The exit status, None while it runs."""
        return self._mother.status(self.pid)

    def wait(self) -> int:
        """Wait for its end."""
        while (status := self.poll()) is None:
            time.sleep(POLL_S)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class ForkProvisioner(LocalProvisioner):  # type: ignore[misc]
    """jupyter_client's way to a process: asked of the mother instead of started as a program."""

    process: Kernel | None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """A kernel for the connection file that the manager wrote."""
        birth = Birth(self.parent.connection_file, str(kwargs.get("cwd") or os.getcwd()), dict(kwargs["env"]))
        self.process = kernel = mother().bear(birth)
        self.pid = self.pgid = kernel.pid
        self.cwd = kwargs.get("cwd")
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        """End it, and look whether it is gone before the manager does, which would look again a tenth of a second later."""
        process = self.process
        await super().kill(restart=restart)
        if process:
            process.wait()

    async def wait(self) -> int | None:
        """Wait for its end, looking twenty times as often as the usual provisioner."""
        status: int = self.process.wait() if self.process else 0
        self.process = None
        return status


class Client(AsyncKernelClient):  # type: ignore[misc]
    """A client that does not wait a fifth of a second for messages that are not coming."""

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        from queue import Empty

        end = time.monotonic() + (timeout or 60)
        while time.monotonic() < end:
            self.kernel_info()
            with contextlib.suppress(Empty):
                message = await self.shell_channel.get_msg(timeout=1)
                if message["msg_type"] == "kernel_info_reply":
                    await self.iopub_channel.get_msg(timeout=0.2)  # it is connected, or we ask again
                    self._handle_kernel_info_reply(message)
                    return
            if not await self._async_is_alive():
                raise RuntimeError("the kernel died before it was ready")
        raise RuntimeError(f"the kernel was not ready within {timeout} s")

    wait_for_ready = _async_wait_for_ready


def configuration(folder: str) -> Any:
    """The kernel manager's settings: forked kernels, local sockets in ``folder`` (absolute and short), nothing encrypted."""
    from importlib.metadata import EntryPoint

    from jupyter_client.provisioning import KernelProvisionerFactory
    from traitlets.config import Config

    factory = KernelProvisionerFactory.instance()
    factory.provisioners[PROVISIONER] = EntryPoint(
        PROVISIONER, "analysis.book.run.kernels:ForkProvisioner", factory.GROUP_NAME
    )
    factory.default_provisioner_name = PROVISIONER
    manager = {
        "transport": "ipc", "ip": f"{folder}/k", "connection_file": f"{folder}/kernel.json",
        "client_class": "analysis.book.run.kernels.Client", "transport_encryption": "disabled",
    }  # fmt: skip
    return Config({"AsyncKernelManager": manager, "KernelManager": manager})
