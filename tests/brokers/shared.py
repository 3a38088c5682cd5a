"""A server that is started once for a run of pytest, and shared by its workers.

The program that runs it, beside the tests, is a module of this folder: it calls `tell` once its server answers, and
ends when `is_unused` says that the last worker has gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_SECONDS = 240
_USERS, _STATE, _LOG = "users", "state.json", "log"


class ServerOfRun:
    """The server that a program runs for all workers of one run, which find it by a folder of theirs."""

    def __init__(self, program: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._program, self._folder = program, folder
        self._users = (folder / _USERS).open("w")
        fcntl.flock(self._users, fcntl.LOCK_SH)  # until this process ends
        with contextlib.suppress(FileExistsError), (folder / "started").open("x"):
            log = (folder / _LOG).open("w")
            self._helper = subprocess.Popen(
                [sys.executable, program, folder],
                env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def state(self) -> dict[str, Any]:
        """Wait until the server answers, and return what its program told of it, or why there is none: `missing`."""
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(FileNotFoundError, ValueError):
                state: dict[str, Any] = json.loads((self._folder / _STATE).read_text())
                if "failed" not in state:
                    return state
                break
            time.sleep(0.1)
        raise AssertionError(f"{self._program} started no server:\n{(self._folder / _LOG).read_text()[-3000:]}")


def tell(folder: Path, state: dict[str, str]) -> None:
    """Write for the workers where the server is, why there is none (`missing`), or that it did not start (`failed`)."""
    partial = folder / "state.partial"
    partial.write_text(json.dumps(state))
    partial.rename(folder / _STATE)


def is_unused(folder: Path) -> bool:
    """Return True once the last worker has gone."""
    with (folder / _USERS).open() as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
