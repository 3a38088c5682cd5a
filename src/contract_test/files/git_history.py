"""The contracts directory as it was at a git ref. Only git's objects are read: nothing is checked out."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contract_test.data.errors import (
    ContractTestError,
    HistoryError,
    NoContractsYetError,
)
from contract_test.files.git import contents_of, directory, run_git
from contract_test.files.lock import FILE as LOCK
from contract_test.files.schemas import with_inner_uris

_FILES = ("100644", "100755")
_WILDCARD = re.compile(r"[*?\[\]\\]")
READ = (".json", ".jsonl", ".toml", ".lock")


@contextmanager
def contracts_at(ref: str, root: Path, wanted: Callable[[Path], bool] = lambda _: True) -> Iterator[Path]:
    """Yield a temporary copy of the directory `root` as it was at `ref`: its schemas, catalog and recordings.

    `wanted` is asked for each file, by its path in the directory.

    Raises NoContractsYetError where the ref has no such directory, HistoryError where `root` is in no git repository,
    the ref is unknown, or the directory was moved since, and UnreachableError where git is not installed.
    """
    place = directory(root)
    prefix = run_git(place, "rev-parse", "--show-prefix").decode().rstrip("\n").rstrip("/")
    commit = commit_of(root, ref)
    if prefix and not run_git(place, "ls-tree", "-d", "--full-tree", commit, "--", prefix):
        blobs = {}
    else:
        blobs = dict(_blobs(place, f"{commit}:{prefix}"))
    if not any(path.endswith(".json") for path in blobs):
        _refuse_moved(place, prefix, commit, ref)
        advice = "A first version breaks nobody and needs no comparison."
        raise NoContractsYetError(f"there are no contracts at {ref!r}", place=str(root), advice=advice)
    blobs = {path: blob for path, blob in blobs.items() if wanted(Path(path))}
    with tempfile.TemporaryDirectory(prefix="contracts-") as folder:
        for path, contents in zip(blobs, contents_of(place, list(blobs.values())), strict=True):
            target = Path(folder) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(with_inner_uris(contents, root) if path.endswith(".json") else contents)
        yield Path(folder)


def commit_of(root: Path, ref: str) -> str:
    """Return the commit that a ref names: a branch, a remote branch, a tag, FETCH_HEAD or a commit's own name.

    CI systems check out one commit without a local branch, so that `main` is also looked for as `origin/main`.
    Raises HistoryError that says what to fetch, and NoContractsYetError for the object id of zeros, which git and CI
    systems give as the commit before the first push of a branch.
    """
    place = directory(root)
    if re.fullmatch("0{40}(0{24})?", ref):
        advice = "A first version breaks nobody and needs no comparison."
        raise NoContractsYetError("there was no commit before", place=str(root), advice=advice)
    for name in (ref, *(f"refs/remotes/{remote}/{ref}" for remote in _remotes(place))):
        try:
            found = run_git(place, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        except HistoryError:
            continue
        return found.decode().strip()
    remote = next(iter(_remotes(place)), None)
    if remote is None:
        advice = "See `git branch --all` and `git tag`. There is no remote for git fetch to bring it from."
    else:
        branch = ref.removeprefix(f"{remote}/")
        advice = f"Fetch it first: git fetch --depth=1 {remote} +{branch}:refs/remotes/{remote}/{branch}"
    raise HistoryError(f"git knows no ref {ref!r} here", place=str(root), advice=advice)


def merge_base(root: Path, ref: str) -> str:
    """Return the commit at which HEAD left `ref`; the ref's own commit where a shallow clone does not hold it.

    Raises HistoryError where the ref is unknown.
    """
    commit = commit_of(root, ref)
    try:
        return run_git(directory(root), "merge-base", "HEAD", commit).decode().strip()
    except HistoryError:
        return commit


def registered_file(root: Path, digest: str, path: Path) -> Any:
    """Return the JSON content of a file as it was when a digest came into the lock, to show what changed since.

    None where git does not know it.
    """
    try:
        place = directory(root)
        commit = run_git(place, "log", "-1", "--format=%H", f"-S{digest}", "--", LOCK).decode().strip() or "HEAD"
        name = path.resolve().relative_to(place).as_posix()
        return json.loads(run_git(place, "show", f"{commit}:./{name}"))
    except (ContractTestError, ValueError):
        return None


def commits_that_may_hold(root: Path, digest: str, subject: str, most: int) -> list[str]:
    """Return commits in which a version may have the content of a digest, the likely ones first, `most` of each kind.

    First those whose lock gained or lost the digest, then those that changed the subject, then any schema; of every
    branch that git knows here.
    """
    place = directory(root)
    log = ("log", "--all", f"--max-count={most}", "--format=%H")
    by_lock = run_git(place, *log, f"-S{digest}", "--", LOCK).decode().split()
    below = [run_git(place, *log, "--", spec).decode().split() for spec in (f":(literal){subject}", ":(glob)**/*.json")]
    return list(dict.fromkeys((*by_lock, *(commit for commits in below for commit in commits))))


def is_shallow(root: Path) -> bool:
    """Return True if the clone holds only the newest commits. Raises HistoryError where `root` is in no repository."""
    return run_git(directory(root), "rev-parse", "--is-shallow-repository").strip() == b"true"


def fetches_no_tags(root: Path) -> bool:
    """Return True if the repository was cloned with `--no-tags`."""
    found = run_git(directory(root), "config", "--list", "--name-only")
    return any(name.endswith(".tagopt") for name in found.decode(errors="replace").lower().split())


def tags_of(root: Path, commit: str) -> list[str]:
    """Return the tags of a commit and of all commits before it."""
    found = run_git(directory(root), "tag", "--merged", commit, "--format=%(refname:strip=2)")
    return found.decode(errors="replace").splitlines()


def is_recording(path: Path) -> bool:
    """Return True for a file below a folder `recordings`. `path` is relative to the contracts directory."""
    return "recordings" in path.parts[:-1]


def is_no_recording(path: Path) -> bool:
    """Return the opposite of `is_recording`."""
    return not is_recording(path)


def pathspecs(root: Path, paths: Iterable[Path], patterns: Iterable[tuple[Path, str]] = ()) -> list[str]:
    """Return files and directories as git names them, with glob patterns below folders.

    Raises HistoryError where one of the files is outside the repository around `root`.
    """
    top = Path(run_git(directory(root), "rev-parse", "--show-toplevel").decode().rstrip("\n")).resolve()
    found = []
    for path in paths:
        place = Path(os.path.realpath(path))
        if place == top:
            found.append(":(top)")
        elif place.is_relative_to(top):
            found.append(f":(top,literal){place.relative_to(top).as_posix()}")
        elif place.exists():
            advice = "Keep all parts of the package in one repository."
            raise HistoryError("lies outside the git repository of the contracts", place=str(path), advice=advice)
    for folder, pattern in patterns:
        place = folder.resolve()
        if place.is_relative_to(top):
            inside = _WILDCARD.sub(r"\\\g<0>", place.relative_to(top).as_posix())
            found.append(f":(top,glob){inside}/{pattern}".replace("(top,glob)./", "(top,glob)"))
    return found


def commits_since(root: Path, start: str | None, end: str, specs: Sequence[str]) -> list[str]:
    """Return the commits after `start`, up to `end`, that changed something of `pathspecs`; the newest first.

    Without a `start`, all of them. Every commit of every merged branch is counted, and a merge that itself changes
    something, so that the number rises with each change.
    """
    return _commits(root, start, end, specs)


def schema_commits_since(root: Path, start: str, end: str) -> list[str]:
    """Return the commits that changed more of the contracts than recordings; the newest first."""
    return _commits(root, start, end, [".", ":(exclude,glob)**/recordings/**"])


def schema_commits(root: Path) -> list[str]:
    """Return the commits that changed more of the contracts than recordings, up to HEAD; the newest first."""
    return _commits(root, None, "HEAD", [".", ":(exclude,glob)**/recordings/**"])


def _commits(root: Path, start: str | None, end: str, paths: Sequence[str]) -> list[str]:
    reach = [end] if start is None else [end, f"^{start}"]
    options = ("--full-history", "--simplify-merges", "--topo-order")
    return run_git(directory(root), "rev-list", *options, *reach, "--", *paths).decode().split()


def added_versions(root: Path) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Return the commits that added schema files up to HEAD, the newest first: commit, time, title and files.

    Raises HistoryError where `root` is in no git repository.
    """
    options = ("--diff-filter=A", "--no-renames", "--name-only", "-z", "--format=%x01%H%x00%cI%x00%s", "--relative")
    try:
        found = run_git(directory(root), "log", *options, "--", ":(glob)**/v*.json").decode(errors="replace")
    except HistoryError:
        run_git(directory(root), "rev-parse", "--git-dir")
        return []  # a repository without a commit
    commits = []
    for entry in found.split("\1")[1:]:
        commit, time, title, *files = entry.split("\0")
        commits.append((commit, time, title, tuple(file.strip("\n") for file in files if file.strip("\n"))))
    return commits


def uncommitted(root: Path, specs: Sequence[str]) -> list[str]:
    """Return the changed, deleted, untracked and ignored files of `pathspecs`, as git names them.

    Ignored files that no package holds, such as hidden ones, are left out.
    """
    options = ("--porcelain=v1", "-z", "--untracked-files=all", "--ignored=matching", "--no-renames")
    found = run_git(directory(root), "status", *options, "--", *specs).decode(errors="replace")
    entries = [(entry[:2], entry[3:]) for entry in found.split("\0") if entry]
    return [name for state, name in entries if state != "!!" or _is_packaged(name)]


def _is_packaged(ignored: str) -> bool:
    """Return True for an ignored directory, or a file of a kind that a package holds."""
    parts = Path(ignored).parts
    if any(part.startswith(".") or part == "__pycache__" for part in parts):
        return False
    return ignored.endswith(("/", ".py", *READ))


def _remotes(place: Path) -> list[str]:
    names = run_git(place, "remote").decode().split()
    return sorted(names, key=lambda name: name != "origin")


def _refuse_moved(place: Path, prefix: str, commit: str, ref: str) -> None:
    """Raise HistoryError where the ref has contracts in a directory that is gone here: they were moved, not begun."""
    top = Path(run_git(place, "rev-parse", "--show-toplevel").decode().rstrip("\n"))
    for name in run_git(place, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit).decode().split("\0"):
        folder, _, file = name.rpartition("/")
        if file == "catalog.toml" and folder != prefix and not (top / name).exists():
            problem = f"at {ref!r} the contracts are in {folder or '.'!r}, which is gone here"
            advice = "Move the directory in a change of its own that changes no contract, then compare against that."
            raise HistoryError(problem, place=prefix, advice=advice)


def _blobs(place: Path, tree: str) -> Iterator[tuple[str, str]]:
    """Path in the tree → object id. Links and submodules are no files and are left out."""
    for entry in run_git(place, "ls-tree", "-r", "-z", "--full-tree", tree).split(b"\0"):
        about, _, name = entry.partition(b"\t")
        if not name:
            continue
        mode, _, identity = about.decode().split(" ")
        path = os.fsdecode(name)
        if mode in _FILES and path.endswith(READ) and ".." not in Path(path).parts:
            yield path, identity
