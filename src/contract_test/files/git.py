"""Running git: fixed words, no shell, and no network but for what is asked for."""

from __future__ import annotations

import os
import subprocess
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from contract_test.data.errors import HistoryError, NothingFoundError, UnreachableError

_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
NO_NETWORK: Mapping[str, str] = {"GIT_NO_LAZY_FETCH": "1"}


def run_git(
    place: Path, *arguments: str, stdin: str | bytes = "", environment: Mapping[str, str] = NO_NETWORK
) -> bytes:
    """Run git in a directory, whatever repository the environment of a hook names. Raises HistoryError.

    Only `fetch` and `push` use the network.
    """
    try:
        done = subprocess.run(  # noqa: S603 - fixed words; what is given stands behind --end-of-options or on stdin
            ["git", *arguments],  # noqa: S607 - git from the PATH, as for everybody
            cwd=place,
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            check=False,
            env=_environment(environment),
        )
    except FileNotFoundError:
        raise UnreachableError("git is not installed", advice="Install git.") from None
    if done.returncode:
        lines = [line.strip().removeprefix("fatal: ") for line in done.stderr.decode(errors="replace").splitlines()]
        refused = [line for line in lines if line.startswith("! [")]  # by a remote, below the line that names it
        reason = next(filter(None, refused or lines), "")
        advice = "Run it in the git repository that holds the contracts."
        raise HistoryError(
            f"git {arguments[0]} failed: {reason or 'it gives no reason'}", place=str(place), advice=advice
        )
    return done.stdout


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    return {**inherited, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", **more}


def directory(root: Path) -> Path:
    """Return a directory as git is run in it. Raises NothingFoundError where there is none."""
    place = root.resolve()
    if not place.is_dir():
        raise NothingFoundError("there is no such directory", place=str(root), advice="Name one with --contracts DIR.")
    return place


def contents_of(place: Path, identities: Sequence[str]) -> Iterator[bytes]:
    """Yield what git holds under each object id, in one call."""
    output = run_git(place, "cat-file", "--batch", stdin="".join(f"{identity}\n" for identity in identities))
    start = 0
    for identity in identities:
        end = output.index(b"\n", start)
        head = output[start:end].split(b" ")
        if len(head) != 3:  # noqa: PLR2004 - id, type and size; "missing" has no size
            raise HistoryError(f"git lacks the object {identity}", advice="Fetch it: git fetch --refetch.")
        yield output[end + 1 : end + 1 + int(head[2])]
        start = end + 1 + int(head[2]) + 1


class Objects:
    """The objects of a repository, one after the other, from one process of git that ends with this object."""

    def __init__(self, place: Path) -> None:
        process = subprocess.Popen(
            ["git", "cat-file", "--batch"],  # noqa: S607 - git from the PATH, as for everybody
            cwd=place,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(NO_NETWORK),
        )
        assert process.stdin is not None, "it is a pipe"
        assert process.stdout is not None, "it is a pipe"
        self._asked: IO[bytes] = process.stdin
        self._told: IO[bytes] = process.stdout
        weakref.finalize(self, _end, process)

    def read(self, identity: str) -> bytes:
        """Return what is in an object. Raises HistoryError where git lacks it."""
        self._asked.write(f"{identity}\n".encode())
        self._asked.flush()
        head = self._told.readline().split(b" ")
        if len(head) != 3:  # noqa: PLR2004 - id, type and size; "missing" has no size
            raise HistoryError(f"git lacks the object {identity}", advice="Fetch it: git fetch --refetch.")
        return self._told.read(int(head[2]) + 1)[:-1]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.communicate()
