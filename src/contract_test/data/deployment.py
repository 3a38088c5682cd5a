"""What the ledger holds: which version of a service was deployed where and when, and what each version proved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Literal

from contract_test.data.result import OperationKind, PinnedContract, Upcast, digest_of_contracts


@dataclass(frozen=True, order=True)
class ServiceVersion:
    """A commit or tag of a service's repository."""

    service: str
    version: str

    def __str__(self) -> str:
        return f"{self.service} {self.short}"

    @property
    def short(self) -> str:
        """The version as people read it: of a commit's name, the first twelve digits."""
        is_commit = len(self.version) >= 40 and set(self.version) <= set("0123456789abcdef")  # noqa: PLR2004 - SHA-1
        return self.version[:12] if is_commit else self.version


@dataclass(frozen=True)
class Deployment:
    """One change of what runs in an environment.

    A version that is "deployed" replaces the versions before it, unless it runs `beside` them: then a rollout began.
    """

    service: str
    version: str
    environment: str
    time: datetime
    state: Literal["deployed", "undeployed"] = "deployed"
    beside: bool = False


@dataclass(frozen=True)
class FailedMessage:
    """A recorded message that a service failed on: its place, the check, why, and why that is accepted."""

    place: str
    check: str
    sentence: str
    accepted: str = ""


@dataclass(frozen=True)
class VerifiedOperation:
    """What a run proved of one operation on one version.

    `recorded` counts the recorded messages that passed, `made` the variations, generated messages and deliveries.
    `failed` counts messages, and `failures` shows some of them. `sent` are the versions that were emitted. `unwatched`
    is True if the service decodes with other code, and `unnoticed` are the fields that could be broken in every message
    without a test that failed.
    """

    subject: str
    version: int
    operation: OperationKind
    recorded: int = 0
    made: int = 0
    failed: int = 0
    failures: tuple[FailedMessage, ...] = ()
    sent: tuple[int, ...] = ()
    unwatched: bool = False
    unnoticed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verification:
    """What one run of `pytest --contracts` proved of one service version against one content of the contracts.

    `partial` says how much was run, if it was not all of it. `problems` concern the run as a whole.
    """

    service: str
    version: str
    time: datetime
    contracts: tuple[PinnedContract, ...] = ()
    operations: tuple[VerifiedOperation, ...] = ()
    partial: str = ""
    dirty: bool = False
    problems: tuple[str, ...] = ()
    branch: str = ""
    upcasts: tuple[Upcast, ...] = ()

    @cached_property
    def digest(self) -> str:
        """The digest of the contracts that it is about."""
        return digest_of_contracts(self.contracts)

    def operation(self, kind: OperationKind, subject: str, version: int) -> VerifiedOperation | None:
        """Return what was proved of an operation, or None if it did not run."""
        return self._by_key.get((kind, subject, version))

    @cached_property
    def _by_key(self) -> dict[tuple[OperationKind, str, int], VerifiedOperation]:
        return {(each.operation, each.subject, each.version): each for each in self.operations}

    def known(self, subject: str) -> Mapping[int, str]:
        """Return the digests of the versions of a subject that its package holds, by version."""
        return self._digests.get(subject, {})

    @cached_property
    def _digests(self) -> dict[str, dict[int, str]]:
        found: dict[str, dict[int, str]] = {}
        for each in self.contracts:
            found.setdefault(each.subject, {})[each.version] = each.digest
        return found

    def upcast(self, subject: str, version: int) -> Upcast | None:
        """Return how messages of a version are brought to the newest one, or None if they stay as they are."""
        return next((each for each in self.upcasts if (each.subject, each.version) == (subject, version)), None)

    @cached_property
    def sends(self) -> frozenset[str]:
        """The subjects that it sends."""
        return frozenset(each.subject for each in self.contracts if each.sends)

    @cached_property
    def receives(self) -> frozenset[str]:
        """The subjects that it receives."""
        return frozenset(each.subject for each in self.contracts if each.receives)


def combined(verifications: Iterable[Verification]) -> Verification | None:
    """Return what several runs of one service version proved together; None if there is no usable run.

    A run of changed files, or of nothing, proves nothing of the commit. Of several contents of the contracts, the one
    that was verified last counts. Of two runs of one operation, the later one counts.
    """
    found = sorted(
        (each for each in verifications if not each.dirty and (each.contracts or each.operations)),
        key=lambda each: each.time,
    )
    if not found:
        return None
    newest = found[-1]
    same = [each for each in found if each.digest == newest.digest]
    operations = {key: each for run in same for key, each in run._by_key.items()}  # noqa: SLF001 - of its own class
    whole = next((each for each in reversed(same) if not each.partial), newest)
    return replace(newest, operations=tuple(operations.values()), partial=whole.partial, problems=whole.problems)
