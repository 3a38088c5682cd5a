"""The key behind the pseudonyms: from the environment, or from a file that git does not see."""

from __future__ import annotations

import math
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from contract_test.data.errors import CatalogError

VARIABLE = "CONTRACT_TEST_SCRUB_KEY"
FILE = ".scrub-key"
MIN_BITS, MIN_DIFFERENT_CHARACTERS = 128, 8
NEW_KEY = 'Use a random one, such as that of: python -c "import secrets; print(secrets.token_hex(32))"'
_OPEN_TO_OTHERS = 0o077
_GIT_SECONDS = 20
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
_KINDS = (("[0-9]", 10), ("[a-f]", 6), ("[g-z]", 20), ("[A-F]", 6), ("[G-Z]", 20), ("[^0-9A-Za-z]", 8))


class KeyProblem(NamedTuple):
    """Something that is wrong with the key in the file, and what to do about it."""

    sentence: str
    advice: str


def scrub_key(root: Path) -> tuple[bytes, str]:
    """Return the key, and a notice for people.

    Without one, a random key is made and kept beside the contracts. Raises CatalogError for a key that can be guessed,
    and for a file that others can read: other users, or those who have the git repository.
    """
    given, path = os.environ.get(VARIABLE), root / FILE
    if path.exists():
        _hide_from_git(root)
        for problem in key_problems(root):
            raise CatalogError(problem.sentence, place=str(path), advice=problem.advice)
    if given:
        if is_weak(given):
            raise CatalogError(_WEAK, place=VARIABLE, advice=NEW_KEY)
        return given.encode(), f"scrub key from {VARIABLE}"
    if path.exists():
        return _key_in(path).encode(), f"scrub key from {path}"
    _hide_from_git(root)
    for problem in _git_problems(root):
        raise CatalogError(problem.sentence, place=str(path), advice=problem.advice)
    key = secrets.token_hex(32)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(f"{key}\n")
    return key.encode(), f"new scrub key in {path}: it is hidden from git; give it to others who record ({VARIABLE})"


def key_problems(root: Path) -> Iterator[KeyProblem]:
    """Yield what is wrong with the file of the key; nothing if there is no such file."""
    path = root / FILE
    if not path.exists():
        return
    yield from _git_problems(root)
    if os.name == "posix" and path.stat().st_mode & _OPEN_TO_OTHERS:
        yield KeyProblem("other users can read the scrub key", f"Run: chmod 600 {path}")
    key = _key_in(path)
    if not key:
        yield KeyProblem("the scrub key is empty", "Delete the file: a new key is made.")
    elif is_weak(key):
        yield KeyProblem(_WEAK, "Delete the file: a new key is made. Record again, because the pseudonyms change.")


_WEAK = f"the scrub key can be guessed: it has less than {MIN_BITS} bits"


def is_weak(key: str) -> bool:
    """Return True if a key has less than 128 bits, even if all its characters are random."""
    alphabet = sum(size for pattern, size in _KINDS if re.search(pattern, key))
    return len(set(key)) < MIN_DIFFERENT_CHARACTERS or len(key) * math.log2(alphabet) < MIN_BITS


def _key_in(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        advice = "Make it readable for you, or delete it: a new key is made."
        raise CatalogError(f"the scrub key cannot be read: {reason}", place=str(path), advice=advice) from None


def _git_problems(root: Path) -> Iterator[KeyProblem]:
    tracked = _asked_of_git(root, "ls-files", "--error-unmatch", "--", FILE)
    if tracked == 0:
        advice = (
            f"Run `git rm --cached {root / FILE}` and delete the file. Everybody who has the repository knows this key."
        )
        yield KeyProblem("git tracks the scrub key", advice)
    elif tracked == 1 and _asked_of_git(root, "check-ignore", "--quiet", "--no-index", "--", FILE) == 1:
        yield KeyProblem("git does not ignore the scrub key", f"Add {FILE} to {root / '.gitignore'}, as the last line.")


def _asked_of_git(root: Path, *words: str) -> int | None:
    """Return git's exit code; None if git is not installed. 128 is a directory outside of a repository."""
    environment = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(root), *words]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, and a directory that the user named
            command, env=environment, capture_output=True, check=False, timeout=_GIT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.returncode


def _hide_from_git(root: Path) -> None:
    """Add the file to `.gitignore`, unless git ignores it already. Outside of a repository, there may be one later."""
    ignore = root / ".gitignore"
    known = ignore.is_file() and FILE in ignore.read_text(encoding="utf-8", errors="replace").split()
    answer = _asked_of_git(root, "check-ignore", "--quiet", "--no-index", "--", FILE)
    if answer == 0 or (answer != 1 and known):
        return
    before = ignore.read_bytes() if ignore.is_file() else b""
    with ignore.open("ab") as file:
        file.write(b"" if before.endswith(b"\n") or not before else b"\n")
        file.write(f"{FILE}\n".encode())
