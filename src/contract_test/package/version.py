"""The version of the package, derived from git: it rises with every change, as semantic versioning asks.

The base is the newest release tag, such as `v1.4.0`, among HEAD and the commits before it. A breaking change since then
raises the first number, a new version or subject the second one, and everything else the third one. The third number
also counts commits, so that each commit that changes something has a version of its own, which sorts after all earlier
ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from contract_test.compat.parallel import compare_pairs
from contract_test.compat.plan import Plan, plan_between
from contract_test.data.contract import Catalog
from contract_test.data.errors import (
    CatalogError,
    HistoryError,
    NoContractsYetError,
    NothingFoundError,
    SchemaError,
)
from contract_test.data.texts import listed
from contract_test.files.catalog import load_catalog
from contract_test.files.git_history import (
    commits_since,
    contracts_at,
    fetches_no_tags,
    is_no_recording,
    is_shallow,
    schema_commits_since,
    tags_of,
)
from contract_test.files.lock import FILE as LOCK
from contract_test.files.lock import changed_versions, read_lock, unregistered
from contract_test.files.reader_files import FOLDER
from contract_test.files.toml import read_toml

SECONDS_PER_PAIR = 5.0
_NUMBERS = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")

Numbers = tuple[int, int, int]


class Change(IntEnum):
    """How much the contracts changed since a release."""

    NONE, OTHER, ADDED, BREAKING = range(4)


@dataclass(frozen=True)
class DerivedVersion:
    """A version, and why it is that one, for people."""

    numbers: Numbers
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(map(str, self.numbers))


def derive_version(root: Path, specs: Sequence[str], tag_prefix: str = "v") -> DerivedVersion:
    """Return the version of HEAD.

    Args:
        root: The contracts directory.
        specs: Everything whose content goes into the package, the contracts included, as `pathspecs` returns it.
        tag_prefix: What stands before the numbers in the name of a release tag.

    Raises:
        HistoryError: The clone lacks commits or tags, or a release tag is lower than a version before it.

    """
    if is_shallow(root):
        raise HistoryError(
            "the clone is shallow, so the last release is not known",
            place=str(root),
            advice="Fetch all commits and tags: git fetch --unshallow --tags. "
            "For actions/checkout, set fetch-depth: 0. For GitLab CI, set GIT_DEPTH: 0.",
        )
    releases = _releases(root, "HEAD", tag_prefix)
    if not releases and fetches_no_tags(root):
        advice = "Fetch them: git fetch --tags."
        raise HistoryError("the clone has no tags, so the last release is not known", place=str(root), advice=advice)
    if releases:
        _check_tag(root, specs, tag_prefix, releases)
    return _derive(root, specs, "HEAD", max(releases, default=None), tag_prefix)


def next_numbers(base: Numbers, change: Change, commits: int) -> Numbers:
    """Return the version after so many commits since `base`.

    Below 1.0.0, a breaking change raises the second number, and every other change the third (semver.org, item 4).
    """
    major, minor, patch = base
    if change is Change.BREAKING:
        return (major + 1, 0, commits - 1) if major else (0, minor + 1, commits - 1)
    if change is Change.ADDED and major:
        return major, minor + 1, commits - 1
    return major, minor, patch + commits


def _derive(
    root: Path, specs: Sequence[str], end: str, base: tuple[Numbers, str] | None, tag_prefix: str
) -> DerivedVersion:
    if base is None:
        count = len(commits_since(root, None, end, specs))
        return DerivedVersion((0, 0, count), (f"there is no release tag such as {tag_prefix}1.0.0 yet",))
    numbers, tag = base
    count = len(commits_since(root, tag, end, specs))
    if not count:
        return DerivedVersion(numbers, (f"nothing changed since {tag}",))
    change, reasons = _largest_change(root, tag, end)
    if not reasons:
        reasons = (f"changes since {tag}, none of them breaking",)
    return DerivedVersion(next_numbers(numbers, max(change, Change.OTHER), count), reasons)


def _releases(root: Path, commit: str, tag_prefix: str) -> list[tuple[Numbers, str]]:
    found = []
    for tag in tags_of(root, commit):
        match = _NUMBERS.fullmatch(tag.removeprefix(tag_prefix)) if tag.startswith(tag_prefix) else None
        if match:
            found.append(((int(match[1]), int(match[2]), int(match[3])), tag))
    return found


def _check_tag(root: Path, specs: Sequence[str], tag_prefix: str, releases: Sequence[tuple[Numbers, str]]) -> None:
    """Raise HistoryError where the newest tag is lower than the version that its commit had without it."""
    numbers, tag = max(releases)
    earlier = max((each for each in _releases(root, f"refs/tags/{tag}", tag_prefix) if each[1] != tag), default=None)
    if earlier is not None:
        highest = next_numbers(earlier[0], Change.BREAKING, len(commits_since(root, earlier[1], tag, specs)) or 1)
        if numbers >= highest:
            return
    derived = _derive(root, specs, f"refs/tags/{tag}", earlier, tag_prefix)
    if numbers < derived.numbers:
        raise HistoryError(
            f"the release tag {tag} is lower than {derived}, the version of its commit: {derived.reasons[0]}",
            place=str(root),
            advice=f"Add a tag that is not lower: git tag {tag_prefix}{derived} {tag}",
        )


def _largest_change(root: Path, tag: str, end: str) -> tuple[Change, tuple[str, ...]]:
    """Return the largest change among all commits since a tag, so that no version is lower than one before it."""
    largest: tuple[Change, tuple[str, ...]] = Change.NONE, ()
    judged: list[_Registered] = []
    try:
        with contracts_at(f"refs/tags/{tag}", root, is_no_recording) as folder:
            before = load_catalog(folder)
            released = _registered(folder)
            for commit in schema_commits_since(root, tag, end):
                state = _registered_at(root, commit)
                if state is None or any(state.adds_nothing_to(each, released) for each in judged):
                    continue
                found = _change(root, tag, before, commit)
                if found[0] is not Change.NONE:
                    judged.append(state)
                largest = max(largest, found, key=lambda each: each[0])
                if largest[0] is Change.BREAKING:
                    break
    except NoContractsYetError:
        return Change.ADDED, (f"there were no contracts at {tag}",)
    except (CatalogError, SchemaError) as error:
        return Change.BREAKING, (f"counts as breaking, because the contracts at {tag} are unusable: {error.problem}",)
    return largest


@dataclass(frozen=True)
class _Registered:
    """What decides which versions of a commit are compared, and how: its lock, catalog and observed readers."""

    lock: Mapping[tuple[str, int], str]
    catalog: Mapping[str, Any]
    readers: Mapping[str, bytes]

    def adds_nothing_to(self, later: _Registered, released: _Registered) -> bool:
        """Return True if all comparisons of this commit with a release are among those of a later commit.

        The later one then has every version of this one, under the same rules, and only higher ones besides.
        """
        if not released.lock.items() <= self.lock.items() <= later.lock.items() or self.readers != later.readers:
            return False
        for section in ("channels", "subjects"):
            rules = later.catalog.get(section, {})
            if any(rules.get(name) != rule for name, rule in self.catalog.get(section, {}).items()):
                return False
        newest: dict[str, int] = {}
        for name, version in self.lock:
            newest[name] = max(version, newest.get(name, 0))
        return all(version > newest.get(name, 0) for name, version in later.lock.keys() - self.lock.keys())


def _registered_at(root: Path, commit: str) -> _Registered | None:
    """Return what was registered at a commit; None where there is nothing, or what cannot be read."""

    def wanted(path: Path) -> bool:
        return path.name in (LOCK, "catalog.toml") or path.parts[0] == FOLDER

    try:
        with contracts_at(commit, root, wanted) as folder:
            return _registered(folder)
    except (CatalogError, NothingFoundError):
        return None


def _registered(folder: Path) -> _Registered:
    readers = {path.name: path.read_bytes() for path in (folder / FOLDER).glob("*.json")}
    return _Registered(read_lock(folder), read_toml(folder / "catalog.toml"), readers)


def _change(root: Path, tag: str, before: Catalog, commit: str) -> tuple[Change, tuple[str, ...]]:
    """Return how much the contracts of a commit differ from those of a tag, and what differs.

    Nothing is built from a commit whose contracts cannot be read or are not registered, so it counts as no change.
    What the comparison leaves undecided counts as breaking. Upcasters are not tried: the result must not depend on
    what is installed.
    """
    with ExitStack() as stack:
        try:
            catalog = load_catalog(stack.enter_context(contracts_at(commit, root, is_no_recording)))
            if unregistered(catalog) or changed_versions(catalog):
                return Change.NONE, ()
        except (CatalogError, SchemaError, NothingFoundError):
            return Change.NONE, ()
        breaking = _breaking(before, catalog, plan_between(before, catalog, tag))
    if breaking:
        return Change.BREAKING, breaking
    names = {(each.subject, each.version) for each in before.contracts}
    added = [each.name for each in catalog.contracts if (each.subject, each.version) not in names]
    return (Change.ADDED, (f"new since {tag}: {listed(added)}",)) if added else (Change.OTHER, ())


def _breaking(before: Catalog, after: Catalog, plan: Plan) -> tuple[str, ...]:
    here = f"{after.root.as_posix()}/"
    found = [f"{each.place.removeprefix(here)}: {each.sentence}" for each in plan.findings if each.severity == "error"]
    old, new = read_lock(before.root), read_lock(after.root)
    found += [f"{name} v{version} was registered again" for name, version in old.keys() & new.keys()
              if old[name, version] != new[name, version]]  # fmt: skip
    for name in plan.not_compared:
        if name in before.subjects and name in after.subjects:
            versions = [
                {number: contract.resources for number, contract in each.subjects[name].contracts.items()}
                for each in (before, after)
            ]
            if versions[0] != versions[1]:
                found.append(f"{name} changed and counts as breaking, because its mode is NONE")
    for pair, outcome in zip(plan.pairs, compare_pairs(plan.pairs, "closed-writer", SECONDS_PER_PAIR), strict=True):
        if outcome.status in ("incompatible", "unknown"):
            counted = ", which counts as breaking" if outcome.status == "unknown" else ""
            name = pair.subject.name if pair.subject else ""
            found.append(f"{name} {pair.writer.label} → {pair.reader.label}: {outcome.status}{counted}")
    return tuple(found)
