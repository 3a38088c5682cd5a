"""Results of comparisons and of generation on disk, by the content that they are of: in the user's cache, not in git.

An entry that is damaged, or that another version of this code made, is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import contract_test
import envelopes

FOLDER = "CONTRACT_TEST_CACHE"
"""The environment variable that names another folder. If it is empty, nothing is kept."""
FILE = "proofs-1.sqlite"
MAX_BYTES = 256 * 2**20
_KEYS_AT_ONCE = 500
_SECONDS_TO_WAIT = 1.0


@dataclass(frozen=True)
class Engine:
    """The code that a result is of: rooms of contract_test, which of their files, and other packages."""

    rooms: tuple[str, ...]
    packages: tuple[str, ...]
    files: str = "*.py"


COMPARING = Engine(("compare", "compat", "data", "schema"), ("jsonschema-rs", "jsonschema"))


class ProofCache:
    """What was proved, by a key. A folder that cannot be used keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / FILE
        self._database: sqlite3.Connection | None = None

    def get(self, key: str) -> dict[str, Any] | None:
        """Return what is known under a key."""
        return self.get_all([key]).get(key)

    def get_all(self, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return what is known under some keys, by key."""
        found: dict[str, dict[str, Any]] = {}
        asked = list(dict.fromkeys(keys))
        for start in range(0, len(asked), _KEYS_AT_ONCE):
            part = asked[start : start + _KEYS_AT_ONCE]
            rows = self._run(f"SELECT key, value, digest FROM proofs WHERE key IN ({','.join('?' * len(part))})", part)  # noqa: S608 - only question marks
            for key, text, digest in rows:
                with suppress(TypeError, ValueError, RecursionError):
                    value = json.loads(text)
                    if isinstance(value, dict) and digest == _digest(key, text):
                        found[key] = value
        return found

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep what was proved."""
        with suppress(ValueError, RecursionError):
            text = json.dumps(value)
            self._run("INSERT OR REPLACE INTO proofs VALUES (?, ?, ?)", (key, text, _digest(key, text)))

    def _run(self, statement: str, values: Iterable[str]) -> list[tuple[Any, ...]]:
        if self._path is None:
            return []
        try:
            if self._database is None:
                self._database = _opened(self._path)
            return self._database.execute(statement, tuple(values)).fetchall()
        except sqlite3.OperationalError:  # locked by another process, full, read-only: do without
            self._close()
        except sqlite3.DatabaseError:  # damaged: the next run begins anew
            path = self._path
            self._close()
            with suppress(OSError):
                path.unlink(missing_ok=True)
        except (OSError, sqlite3.Error):
            self._close()
        return []

    def _close(self) -> None:
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
        self._database = self._path = None


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and path.stat().st_size > MAX_BYTES:
        path.unlink()
    database = sqlite3.connect(path, timeout=_SECONDS_TO_WAIT, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = OFF")  # what a power failure damages is not used
    database.execute("CREATE TABLE IF NOT EXISTS proofs (key TEXT PRIMARY KEY, value TEXT, digest TEXT) WITHOUT ROWID")
    return database


def user_cache() -> ProofCache:
    """Return the cache of this user."""
    given = os.environ.get(FOLDER)
    if given is not None:
        return ProofCache(Path(given) if given else None)
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # a user without a home
        return ProofCache(None)
    return ProofCache(base / "contract-test")


def key_of(*parts: str, engine: Engine | None = None) -> str:
    """Return the key of a result: what it is about, and the version of its code, which is what compares by default."""
    return hashlib.sha256(json.dumps([_digest_of(engine or COMPARING), *parts]).encode()).hexdigest()


@cache
def _digest_of(engine: Engine) -> str:
    """Return a digest of code, so that another version of it never answers for this one."""
    found = hashlib.sha256(json.dumps([[name, version(name)] for name in engine.packages]).encode())
    rooms = [Path(contract_test.__file__).parent / room for room in engine.rooms]
    for room in (*rooms, Path(envelopes.__file__).parent):
        for path in sorted(path for path in room.glob(engine.files) if path.is_file() and path.suffix != ".pyc"):
            found.update(path.read_bytes())
    return found.hexdigest()


def _digest(key: str, text: str) -> str:
    return hashlib.sha256(f"{key}{text}".encode()).hexdigest()
