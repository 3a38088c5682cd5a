"""The contracts directory as it was at a git ref. Only git's objects are read: nothing is checked out."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contract_test.data.errors import HistoryError, NothingFoundError, UnreachableError

_FILES = ("100644", "100755")
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
_READ = (".json", ".jsonl", ".toml", ".lock")


@contextmanager
def contracts_at(ref: str, root: Path) -> Iterator[Path]:
    """A temporary copy of the directory `root` as it was at `ref`: its schemas, catalog and recordings.

    Raises HistoryError where `root` is in no git repository or the ref is unknown, NothingFoundError where the ref has
    no such directory, UnreachableError where git is not installed.
    """
    place = root.resolve()
    if not place.is_dir():
        raise NothingFoundError("there is no such directory", place=str(root), advice="Name one with --contracts DIR.")
    prefix = _git(place, "rev-parse", "--show-prefix").decode().rstrip("\n")
    commit = _commit(place, ref)
    try:
        blobs = dict(_blobs(place, f"{commit}:{prefix.rstrip('/')}"))
    except HistoryError:
        blobs = {}
    if not blobs:
        raise NothingFoundError(
            f"there are no contracts at {ref!r}",
            place=str(root),
            advice="Name a ref that has this directory; a first version breaks nobody and needs no comparison.",
        )
    with tempfile.TemporaryDirectory(prefix="contracts-") as folder:
        for path, contents in zip(blobs, _contents(place, list(blobs.values())), strict=True):
            target = Path(folder) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(contents)
        yield Path(folder)


def _commit(place: Path, ref: str) -> str:
    try:
        found = _git(place, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    except HistoryError:
        advice = "See `git branch --all` and `git tag`. In CI fetch it first: git fetch origin main."
        raise HistoryError(f"git knows no ref {ref!r} here", advice=advice) from None
    return found.decode().strip()


def _blobs(place: Path, tree: str) -> Iterator[tuple[str, str]]:
    """Path in the tree → object id. Links and submodules are no files and are left out."""
    for entry in _git(place, "ls-tree", "-r", "-z", "--full-tree", tree).split(b"\0"):
        about, _, name = entry.partition(b"\t")
        if not name:
            continue
        mode, _, identity = about.decode().split(" ")
        path = os.fsdecode(name)
        if mode in _FILES and path.endswith(_READ) and ".." not in Path(path).parts:
            yield path, identity


def _contents(place: Path, identities: list[str]) -> Iterator[bytes]:
    """What git holds under each object id, in one call."""
    output = _git(place, "cat-file", "--batch", stdin="".join(f"{identity}\n" for identity in identities))
    start = 0
    for identity in identities:
        end = output.index(b"\n", start)
        head = output[start:end].split(b" ")
        if len(head) != 3:  # noqa: PLR2004 - id, type and size; "missing" has no size
            raise HistoryError(f"git lacks the object {identity}", advice="Fetch it: git fetch --refetch.")
        yield output[end + 1 : end + 1 + int(head[2])]
        start = end + 1 + int(head[2]) + 1


def _git(place: Path, *arguments: str, stdin: str = "") -> bytes:
    """Run git in a directory, whatever repository the environment of a hook names, and never over the network."""
    environment = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    environment |= {"GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603 - fixed words; what is given stands behind --end-of-options or on stdin
            ["git", *arguments],  # noqa: S607 - git from the PATH, as for everybody
            cwd=place,
            input=stdin.encode(),
            capture_output=True,
            check=False,
            env=environment,
        )
    except FileNotFoundError:
        advice = "Install git, or compare two files: contract-test compat OLD.json NEW.json."
        raise UnreachableError("git is not installed", advice=advice) from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0].removeprefix("fatal: ")
        advice = "Run it in the git repository that holds the contracts."
        raise HistoryError(
            f"git {arguments[0]} failed: {said or 'it gives no reason'}", place=str(place), advice=advice
        )
    return done.stdout
