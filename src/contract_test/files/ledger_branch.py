"""A ledger on a branch of a git repository. Only git's objects and refs are touched, never the files checked out.

Every change is one commit on top of the newest one that is known. A push that another one came before is built again on
top of that, which never conflicts: entries are new files. All refs move at once or not at all, so nothing is torn by a
process that is killed.
"""

from __future__ import annotations

import random
import shlex
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from contract_test.data.deployment import Verification
from contract_test.data.errors import CatalogError, ContractTestError, HistoryError, UnreachableError
from contract_test.files.git import Objects, directory, run_git
from contract_test.files.ledger import DirectoryLedger, Ledger, checked_name

BRANCH = "contract-test-ledger"
_IDENTITY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "contract-test"), ("EMAIL", "contract-test@localhost"))
}
_EPOCH = {"GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000"}
_RACES = (
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "failed to update ref",
    "incorrect old value",
    "reference already exists",
    "unable to create",
    "stale info",
)
"""What git says where somebody else moved a ref first."""
_SECONDS = 120.0


class _FasterError(Exception):
    """Somebody else's commit came first."""


def open_ledger(place: Path | None, contracts: Path, branch: str = BRANCH, *, push: bool = False) -> Ledger:
    """Return the ledger at a place: a repository, whose branch holds it, or a plain directory.

    Without a place, it is in the repository around the contracts. Raises CatalogError where `push` has no remote, and
    NothingFoundError where there are no contracts.
    """
    if place is None:
        directory(contracts)
    repository = _repository(contracts if place is None else place, within=place is None)
    if repository is not None:
        checked_name("a branch", branch)
        return BranchLedger(repository, branch, push=push)
    if place is None:
        advice = "Name a repository or a directory with --ledger PATH."
        raise CatalogError(
            "the contracts are in no git repository, so it is not known where the ledger is", advice=advice
        )
    if push:
        advice = "Leave --push out, or name a git repository with --ledger PATH."
        raise CatalogError("only a ledger on a branch can be pushed", place=str(place), advice=advice)
    return DirectoryLedger(place)


def _repository(place: Path, *, within: bool) -> Path | None:
    """Return the repository at a place, or around it; a directory that is only a part of one is none."""
    folder = next((each for each in (place, *place.resolve().parents) if each.is_dir()), None)
    if folder is None or (not within and not place.is_dir()):
        return None
    try:
        if run_git(folder, "rev-parse", "--is-bare-repository").strip() == b"true":
            return folder
        top = Path(run_git(folder, "rev-parse", "--show-toplevel").decode().rstrip("\n"))
    except HistoryError:
        return None
    return top if within or top.resolve() == folder.resolve() else None


class BranchLedger(Ledger):
    """The ledger on `branch` of a repository. With `push`, every change goes to the first remote at once."""

    def __init__(self, repository: Path, branch: str, *, push: bool) -> None:
        self._where, self._branch = repository, branch
        self.place = f"{repository}@{branch}"
        self._local = f"refs/heads/{branch}"
        remotes = sorted(run_git(repository, "remote").decode().split(), key=lambda name: name != "origin")
        self._remote = remotes[0] if remotes else ""
        self._tracking = f"refs/remotes/{self._remote}/{branch}"
        self._known: tuple[dict[str, str], list[str]] | None = None
        self._objects: Objects | None = None
        self._push = push
        options = ["--ledger", str(repository.resolve())]
        options += ["--ledger-branch", branch] if branch != BRANCH else []
        self.options = shlex.join([*options, *(["--push"] if remotes else [])])
        if push and not self._remote:
            raise CatalogError(
                "there is no remote to push to", place=str(repository), advice="git remote add origin URL"
            )

    def fetch(self) -> None:
        """Bring what others added. A remote without the branch has nothing yet. Raises UnreachableError."""
        if not self._remote:
            return
        shallow = run_git(self._where, "rev-parse", "--is-shallow-repository").strip() == b"true"
        refspec = f"+refs/heads/{self._branch}:{self._tracking}"
        options = ("--quiet", "--no-tags", *(("--depth=1",) if shallow else ()))
        try:
            run_git(self._where, "fetch", *options, self._remote, refspec, environment={})
        except HistoryError as error:
            if "couldn't find remote ref" in error.problem:
                return
            if not any(word in error.problem for word in _RACES):
                advice = "Check the remote and the token: see `git fetch`."
                raise UnreachableError(error.problem, place=error.place, advice=advice) from None
        self._known = None

    def paths(self, folder: str) -> list[str]:
        """Return the paths of all entries below a folder, in order."""
        paths = self._entries()[1]
        return paths[bisect_left(paths, f"{folder}/") : bisect_left(paths, f"{folder}0")]  # 0 comes after /

    def contents(self, paths: Iterable[str]) -> Iterator[bytes]:
        """Yield what is in some entries, in their order."""
        blobs = self._entries()[0]
        self._objects = self._objects or Objects(self._where)
        return map(self._objects.read, [blobs[path] for path in paths])

    def publish(self, verification: Verification) -> str:
        """Add a verification, unless it is the same as the last one of its service version. Return its path."""
        if self._push:
            self.fetch()
        return super().publish(verification)

    def add(self, entries: Mapping[str, bytes], subject: str) -> None:
        """Commit entries, and push them if that was asked for; again and again while others are faster."""
        blobs = {
            path: run_git(self._where, "hash-object", "-w", "--stdin", stdin=content).decode().strip()
            for path, content in entries.items()
        }
        self._change(lambda base: self._commit(base, {**self._pending(base), **blobs}, subject))

    def remove(self, paths: Iterable[str], subject: str) -> None:
        """Commit the removal of entries, in a commit of its own."""
        gone = dict.fromkeys(paths, "")
        self._change(lambda base: self._commit(self._commit(base, self._pending(base), "Entries"), gone, subject))

    def _change(self, made: Callable[[str], str]) -> None:
        """Move the branch to a commit that is made on top of the newest one, until nobody was faster."""
        deadline, wait = time.monotonic() + _SECONDS, 0.05
        while True:
            try:
                self._try(made)
            except _FasterError as error:
                if time.monotonic() > deadline:
                    raise UnreachableError(
                        f"others pushed to {self._branch} first, again and again: {error}",
                        place=str(self._where),
                        advice="Run the command again.",
                    ) from None
                time.sleep(random.uniform(0, wait))  # noqa: S311 - so that those that met do not meet again
                wait = min(2 * wait, 2.0)
            else:
                self._known = None
                return

    def _try(self, made: Callable[[str], str]) -> None:
        local = self._commit_at(self._local)
        if self._push:
            self.fetch()
        base = self._commit_at(self._tracking) if self._push else local or self._commit_at(self._tracking)
        commit = made(base or self._root())
        try:
            if self._push:
                target = f"{commit}:{self._local}"
                run_git(self._where, "push", "--quiet", "--no-verify", self._remote, target, environment=_IDENTITY)
                run_git(self._where, "update-ref", self._tracking, commit)
            run_git(self._where, "update-ref", self._local, commit, local or "0" * len(commit))
        except HistoryError as error:
            if any(word in error.problem for word in _RACES):
                raise _FasterError(error.problem) from None
            advice = "The job needs a token that may write to this branch, and no other."
            raise UnreachableError(error.problem, place=error.place, advice=advice) from None

    def _commit(self, base: str, entries: Mapping[str, str], subject: str) -> str:
        """Return a commit with more entries, or without those that have no blob; the base itself if nothing changes."""
        with tempfile.TemporaryDirectory(prefix="ledger-") as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder, "index")), **_IDENTITY}
            run_git(self._where, "read-tree", base, environment=index)
            lines = [f"{'100644' if blob else '0'} {blob or '0' * 40}\t{path}\0" for path, blob in entries.items()]
            run_git(self._where, "update-index", "-z", "--index-info", stdin="".join(lines), environment=index)
            tree = run_git(self._where, "write-tree", environment=index).decode().strip()
        if tree == run_git(self._where, "rev-parse", f"{base}^{{tree}}").decode().strip():
            return base
        done = run_git(self._where, "commit-tree", tree, "-p", base, stdin=f"{subject}\n", environment=_IDENTITY)
        return done.decode().strip()

    def _root(self) -> str:
        """Return the first commit of every ledger: it is empty and the same everywhere, so that two first ones meet."""
        tree = run_git(self._where, "mktree").decode().strip()
        made = run_git(self._where, "commit-tree", tree, stdin="Ledger\n", environment={**_IDENTITY, **_EPOCH})
        return made.decode().strip()

    def _pending(self, base: str) -> dict[str, str]:
        """Return the entries of the local branch that were never pushed, by path."""
        local = self._commit_at(self._local)
        if local is None or local == base:
            return {}
        found: dict[str, str] = {}
        for commit in run_git(self._where, "rev-list", "--reverse", local, f"^{base}").decode().split():
            changes = run_git(self._where, "diff-tree", "-r", "-z", "--no-commit-id", commit).decode().split("\0")
            for about, path in zip(changes[::2], changes[1::2], strict=False):
                _, _, _, blob, kind = about.split(" ")
                if kind == "A":
                    found[path] = blob
        return found

    def _commit_at(self, ref: str) -> str | None:
        try:
            return run_git(self._where, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").decode().strip()
        except ContractTestError:
            return None

    def _entries(self) -> tuple[dict[str, str], list[str]]:
        """Every entry that is known here, fetched or added and not pushed yet: its object by path, and all paths."""
        if self._known is None:
            blobs: dict[str, str] = {}
            tips = [self._commit_at(ref) for ref in (self._tracking, self._local)]
            for tip in dict.fromkeys(filter(None, tips)):
                for entry in run_git(self._where, "ls-tree", "-r", "-z", "--full-tree", tip).decode().split("\0"):
                    about, _, path = entry.partition("\t")
                    if path.endswith(".json"):
                        blobs[path] = about.split(" ")[2]
            self._known = blobs, sorted(blobs)
        return self._known
