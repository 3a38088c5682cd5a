"""The ledger: deployments and verifications as small JSON files, named by their content and never changed.

`deployments/<environment>/<service>/<time>-<digest>.json`, `verifications/<service>/<service version>/<digest>.json`.
They are kept on a branch of a git repository (`files.ledger_branch`) or in a plain directory.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote

from pydantic import TypeAdapter, ValidationError

from contract_test.data.deployment import Deployment, ServiceVersion, Verification
from contract_test.data.errors import CatalogError, RecordingError
from contract_test.files.state import write_whole

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@/ -]{0,127}")
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class _DeploymentFile:
    format: Literal[1]
    deployment: Deployment


@dataclass(frozen=True)
class _VerificationFile:
    format: Literal[1]
    verification: Verification


_DEPLOYMENT: TypeAdapter[_DeploymentFile] = TypeAdapter(_DeploymentFile)
_VERIFICATION: TypeAdapter[_VerificationFile] = TypeAdapter(_VerificationFile)


def checked_name(what: str, name: str) -> str:
    """Return a name that can be part of an entry's path. Raises CatalogError."""
    if _NAME.fullmatch(name) and ".." not in name:
        return name
    advice = "Use letters, digits and . _ + @ / - only, beginning with a letter or digit."
    raise CatalogError(f"{name[:60]!r} cannot be {what}", advice=advice)


class Ledger(ABC):
    """Entries by their paths. A subclass knows where they are kept."""

    place: str
    """What people know it as."""
    options: str
    """The options of a command that adds an entry to it."""

    @abstractmethod
    def paths(self, folder: str) -> list[str]:
        """Return the paths of all entries below a folder, in order."""

    @abstractmethod
    def contents(self, paths: Iterable[str]) -> Iterator[bytes]:
        """Yield what is in some entries, in their order."""

    @abstractmethod
    def add(self, entries: Mapping[str, bytes], subject: str) -> None:
        """Add entries. `subject` says in one line what they are. An entry that is there already stays the same."""

    @abstractmethod
    def remove(self, paths: Iterable[str], subject: str) -> None:
        """Remove entries."""

    def deployments(self, environment: str = "", service: str = "") -> list[Deployment]:
        """Return the deployments of an environment, and of one service there, by time; or all there are."""
        folder = "/".join(["deployments", *(_quoted(each) for each in (environment, service) if each)])
        found = [each for _, each in self.deployment_entries(folder)]
        return sorted(found, key=lambda each: (each.time, each.service, each.version))

    def deployment_entries(self, folder: str = "deployments") -> Iterator[tuple[str, Deployment]]:
        """Yield each deployment below a folder with its path."""
        paths = self.paths(folder)
        for path, content in zip(paths, self.contents(paths), strict=True):
            yield path, self._read(_DEPLOYMENT, path, content).deployment

    def verifications(self, of: ServiceVersion) -> list[Verification]:
        """Return what is known of one service version."""
        paths = self.paths(f"verifications/{_quoted(of.service)}/{_quoted(of.version)}")
        contents = zip(paths, self.contents(paths), strict=True)
        return [self._read(_VERIFICATION, path, content).verification for path, content in contents]

    def verification_paths(self) -> Iterator[tuple[str, ServiceVersion]]:
        """Yield the path of each verification, and what it is of."""
        for path in self.paths("verifications"):
            _, service, version, _ = path.split("/")
            yield path, ServiceVersion(unquote(service), unquote(version))

    def verified_versions(self, service: str) -> list[str]:
        """Return the versions of a service that have a verification."""
        paths = self.paths(f"verifications/{_quoted(service)}")
        return sorted({unquote(path.split("/")[2]) for path in paths})

    def record(self, deployment: Deployment) -> Deployment:
        """Add a deployment, and return it as it was added.

        It is never earlier than those that are known of this service there, because clocks run backwards.
        """
        known = self.deployments(deployment.environment, deployment.service)
        if known and known[-1].time >= deployment.time:
            deployment = Deployment(**{**vars(deployment), "time": known[-1].time + _TICK})
        content = _DEPLOYMENT.dump_json(_DeploymentFile(1, deployment), indent=1) + b"\n"
        time = deployment.time.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        where = f"deployments/{_quoted(deployment.environment)}/{_quoted(deployment.service)}"
        self.add({f"{where}/{time}-{_digest(content)}.json": content}, _subject_of(deployment))
        return deployment

    def publish(self, verification: Verification) -> str:
        """Add a verification, unless it is the same as the last one of its service version. Return its path."""
        of = ServiceVersion(verification.service, verification.version)
        content = _VERIFICATION.dump_json(_VerificationFile(1, verification), indent=1, exclude_defaults=True) + b"\n"
        path = f"verifications/{_quoted(of.service)}/{_quoted(of.version)}/{_digest(content)}.json"
        paths = self.paths(path.rpartition("/")[0])
        known = dict(zip(paths, self.verifications(of), strict=True))
        last = max(known, key=lambda each: known[each].time, default="")
        if last and replace(known[last], time=verification.time) == verification:
            path, content = last, next(self.contents([last]))
        self.add({path: content}, f"Verification of {of}")  # one that is known may have to be pushed
        return path

    def _read(self, adapter: TypeAdapter[Any], path: str, content: bytes) -> Any:
        try:
            return adapter.validate_json(content)
        except ValidationError as error:
            reason = str(error).splitlines()[2].strip()
            advice = "Entries are never edited. Restore it, or use a newer version of contract-test."
            raise RecordingError(
                f"not an entry of a ledger: {reason}", place=f"{self.place}:{path}", advice=advice
            ) from None


class DirectoryLedger(Ledger):
    """A ledger in a plain directory."""

    def __init__(self, root: Path) -> None:
        self._root, self.place, self.options = root, str(root), shlex.join(["--ledger", str(root.resolve())])

    def paths(self, folder: str) -> list[str]:
        """Return the paths of all entries below a folder, in order."""
        return sorted(each.relative_to(self._root).as_posix() for each in (self._root / folder).rglob("*.json"))

    def contents(self, paths: Iterable[str]) -> Iterator[bytes]:
        """Yield what is in some entries, in their order."""
        for path in paths:
            yield (self._root / path).read_bytes()

    def add(self, entries: Mapping[str, bytes], subject: str) -> None:
        """Add entries, each written at once."""
        del subject
        for path, content in entries.items():
            write_whole(self._root / path, [content.removesuffix(b"\n")])

    def remove(self, paths: Iterable[str], subject: str) -> None:
        """Remove entries."""
        del subject
        for path in paths:
            (self._root / path).unlink(missing_ok=True)


def now() -> datetime:
    """Return the time as entries have it."""
    return datetime.now(UTC)


def _quoted(name: str) -> str:
    return quote(name, safe="+@")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _subject_of(deployment: Deployment) -> str:
    of = ServiceVersion(deployment.service, deployment.version)
    return f"{of} {deployment.state} in {deployment.environment}"
