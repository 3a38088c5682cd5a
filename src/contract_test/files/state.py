"""What a recorder remembers beside the recordings, out of git's sight: marks, quarantine, a lock."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from contract_test.data.errors import RecordingError, UnreachableError
from contract_test.data.reading import Mark

FOLDER = ".recorder"
_LEFT_BEHIND = 3600  # seconds: nobody writes a file for so long


class State:
    """The folder `.recorder` in a contracts directory; it hides itself from git.

    A source is known by a digest of its address: no host name is written.
    """

    def __init__(self, root: Path, channel: str) -> None:
        self.folder = root / FOLDER
        name = re.sub(r"[^\w.-]", "_", channel)[:100]
        self._marks = self.folder / f"{name}.marks.json"
        self.quarantine = self.folder / f"{name}.quarantine.jsonl"
        self._lock = self.folder / f"{name}.lock"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second recorder of this channel out. Raises UnreachableError where there is one."""
        from filelock import FileLock, Timeout

        hide(self.folder)
        lock = FileLock(self._lock)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            advice = "Wait for it, or stop it: two would overwrite each other's recordings."
            raise UnreachableError(
                "another recorder of this channel runs", place=str(self._lock), advice=advice
            ) from None
        try:
            yield
        finally:
            lock.release()

    def marks(self, source: str) -> Mapping[str, Mark]:
        """Return where an earlier run over this source came to; empty where there was none."""
        return self._all_marks().get(_digest(source), {})

    def write_marks(self, source: str, marks: Mapping[str, Mark]) -> None:
        """Remember where this run came to."""
        if marks:
            known = self._all_marks()
            known[_digest(source)] = {**known.get(_digest(source), {}), **marks}
            write_whole(self._marks, [json.dumps(known, indent=1, sort_keys=True).encode()])

    def _all_marks(self) -> dict[str, dict[str, Mark]]:
        try:
            known = json.loads(self._marks.read_bytes())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}


def hide(folder: Path) -> None:
    """Make a folder that git does not see."""
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")


def write_whole(path: Path, lines: Iterable[bytes]) -> None:
    """Write a file at once: a reader sees the old one or the new one, never a part, whatever ends this process.

    The new one is made in `.recorder` where there is one, so that what a killed process leaves behind is out of sight;
    it has a name of its own, so that two processes make two, and is removed by a later one.
    Raises RecordingError if the directory is a symbolic link: it may lead out of the repository.
    """
    if path.parent.is_symlink():
        advice = "Replace the link by a directory."
        raise RecordingError(
            "this directory is a symbolic link, so nothing is written", place=str(path.parent), advice=advice
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.parents[2] / FOLDER if len(path.parents) > 2 else path.parent  # noqa: PLR2004 - ROOT/SUBJECT/recordings/FILE
    folder = hidden if hidden.is_dir() else path.parent
    name = f".{_digest(str(path.absolute()))}"
    for left in folder.glob(f"{name}.*.tmp"):
        with contextlib.suppress(OSError):  # another process may remove it too
            if left.stat().st_mtime < time.time() - _LEFT_BEHIND:
                left.unlink()
    temporary = folder / f"{name}.{secrets.token_hex(8)}.tmp"
    try:
        with temporary.open("xb") as file:
            file.writelines(line + b"\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with contextlib.suppress(OSError):  # the name itself, where a directory can be synced
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
