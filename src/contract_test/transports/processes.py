"""Child processes that end when the work that needed them ends, however it ends."""

import contextlib
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from contract_test.data.errors import ContractTestError

# Waits for its input to close, which the kernel does when the parent is gone, even by SIGKILL. Unlike the
# parent-death signal of Linux, this does not also fire when the thread that started the child ends.
_GUARD = ("/bin/sh", "-c", 'read -r _; kill -KILL "$1"; if [ -n "$2" ]; then rm -rf -- "$2"; fi', "guard")


class ChildFailedError(ContractTestError):
    """A child process ended, or stayed silent, before it was ready for work."""

    def __init__(self, name: str, what: str, output: str) -> None:
        self.name = name
        self.what = what
        self.output = output
        super().__init__(f"{name} {what}. The end of its output:\n{output or '(no output)'}")


class Child(Protocol):
    """What the code inside `running` may ask of the process."""

    pid: int

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    *,
    ready: Callable[[Child], bool],
    seconds_to_start: float,
    seconds_to_stop: float = 10,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Child]:
    """Run `command`, hand it over once `ready` says so, and end it by its own pid afterwards.

    Raises `ChildFailedError` with the end of the process's output when the process ends, or the time runs
    out, before it is ready. The child has a session of its own: an interrupt from the keyboard reaches the
    parent alone, which then ends the child in order. If the parent is killed, so is the child, and its
    `directory` is removed.
    """
    name = Path(command[0]).name
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(tempfile.TemporaryFile())
        process = subprocess.Popen(  # noqa: S603 - the caller names the program; nothing comes from a message
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        stack.callback(_end, process, seconds_to_stop)
        stack.enter_context(_guarded(process.pid, directory))  # ends first: a guard must not outlive the pid it holds
        deadline = time.monotonic() + seconds_to_start
        while not ready(process):
            if process.poll() is not None:
                raise ChildFailedError(name, f"ended with exit code {process.returncode}", _tail(output))
            if time.monotonic() > deadline:
                raise ChildFailedError(name, f"was not ready in {seconds_to_start:g} s", _tail(output))
            time.sleep(0.01)
        yield process


def free_port() -> int:
    """Name a loopback TCP port that nothing listens on now; another process may still take it first."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def _guarded(pid: int, directory: Path | None) -> Iterator[None]:
    """Have `pid` killed, and its directory removed, when this process is killed inside the block."""
    guard = subprocess.Popen(  # noqa: S603 - a constant script
        [*_GUARD, str(pid), str(directory or "")], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        yield
    finally:
        guard.kill()
        guard.communicate()


def _end(process: subprocess.Popen[bytes], seconds_to_stop: float) -> None:
    process.terminate()
    try:
        process.wait(seconds_to_stop)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tail(output: BinaryIO, size: int = 4000) -> str:
    """Return the end of what the process wrote, without moving the offset that it writes at."""
    start = max(0, os.fstat(output.fileno()).st_size - size)
    return os.pread(output.fileno(), size, start).decode(errors="replace").strip()
