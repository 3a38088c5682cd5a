"""The data behind the pages: plain frozen objects. `site --json` writes them, and docs/site.md describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from contract_test.data.contract import About, Owner

FORMAT = 1
VerdictStatus = Literal["compatible", "migrated", "incompatible", "unknown"]


@dataclass(frozen=True)
class Break:
    """One reason for which a reader rejects what a writer sends; `breaks` names services. `witness` is JSON text."""

    rule: str
    pointer: str
    sentence: str
    advice: str
    witness: str = ""
    witness_from: str = ""
    rejected: str = ""
    rejected_at: str = ""
    affected: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Direction:
    """What one of two versions sends, read by the other: a verdict with its reasons."""

    writer: int
    reader: int
    status: VerdictStatus
    note: str = ""
    reasons: tuple[Break, ...] = ()

    @property
    def breaks(self) -> tuple[str, ...]:
        """The services that break, each once."""
        return tuple(dict.fromkeys(name for each in self.reasons for name in each.breaks))


@dataclass(frozen=True)
class FieldChange:
    """What became of one field between two versions; `before` and `after` are empty where there is no such field."""

    pointer: str
    change: Literal["added", "removed", "changed"]
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class VersionPair:
    """Two versions of a subject: what changed, and the verdict in both directions."""

    older: int
    newer: int
    changes: tuple[FieldChange, ...]
    backward: Direction
    """The newer version reads what the older one wrote."""
    forward: Direction
    """The older version reads what the newer one writes."""


@dataclass(frozen=True)
class FieldRow:
    """A field of one version as people read it."""

    pointer: str
    type: str
    constraint: str
    meaning: str
    required: bool


@dataclass(frozen=True)
class Example:
    """A recorded message: its data as JSON text, and the pointers of the values that were masked."""

    place: str
    data: str
    masked: tuple[str, ...] = ()


@dataclass(frozen=True)
class VersionData:
    """One version: its schema, its fields, its value object's source ("" if it is not generated), and examples."""

    version: int
    file: str
    registered: bool
    title: str
    description: str
    schema: Any
    fields: tuple[FieldRow, ...]
    class_name: str
    python: str
    recorded: int
    examples: tuple[Example, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FieldReading:
    """What a service does with a field of one version: `words` are "reads, in 3 of 4", "never reads" or "unknown"."""

    service: str
    version: int
    words: str

    @property
    def sentence(self) -> str:
        """The same for people, after the name of the service."""
        if self.words == "unknown":
            return "not known, because it was not replayed"
        return f"{self.words.replace(',', ' it', 1)} recorded messages" if " of " in self.words else f"{self.words} it"

    @property
    def is_read(self) -> bool:
        """True if it was seen that the service reads it."""
        return self.words.startswith("reads")


@dataclass(frozen=True)
class FieldData:
    """A field of a subject over all versions: where it is, who reads it, and what would break without it."""

    pointer: str
    versions: tuple[int, ...]
    newest: FieldRow
    readings: tuple[FieldReading, ...]
    breaks: tuple[str, ...]
    """Services that would break without it: they read it, or it is required and nothing is known of them."""
    if_removed: tuple[str, ...]
    """What would happen if the next version had no such field, a sentence each."""


@dataclass(frozen=True)
class SubjectData:
    """A subject: what the catalog says of it, and all of its versions."""

    name: str
    about: About
    channels: tuple[str, ...]
    retry: tuple[str, ...]
    dead_letter: tuple[str, ...]
    compatibility: str
    key: str
    sent_by: tuple[str, ...]
    received_by: tuple[str, ...]
    versions: tuple[VersionData, ...]
    pairs: tuple[VersionPair, ...]
    fields: tuple[FieldData, ...]

    @property
    def newest(self) -> VersionData:
        """The newest version."""
        return self.versions[-1]


@dataclass(frozen=True)
class DeployedVersion:
    """A version of a service that runs in an environment."""

    environment: str
    version: str
    since: str


@dataclass(frozen=True)
class OperationResult:
    """What the last verification showed of one operation. Strength and coverage are known from a report only."""

    subject: str
    version: int
    operation: str
    recorded: int
    failed: int
    unnoticed: tuple[str, ...] = ()
    strength: str = ""
    coverage: str = ""


@dataclass(frozen=True)
class LastVerification:
    """The newest verification of a service."""

    version: str
    time: str
    branch: str
    partial: str
    problems: tuple[str, ...]
    operations: tuple[OperationResult, ...]


@dataclass(frozen=True)
class ServiceData:
    """A service: what it sends and receives, where it runs, and what it proved last."""

    name: str
    about: About
    sends: tuple[str, ...]
    receives: tuple[str, ...]
    deployed: tuple[DeployedVersion, ...] = ()
    verification: LastVerification | None = None


@dataclass(frozen=True)
class Seen:
    """What `contract-test verify` counted on a channel."""

    read: int
    drifted: int
    versions: Mapping[str, int]
    breaches: tuple[str, ...]
    undeclared: tuple[str, ...]


@dataclass(frozen=True)
class ChannelData:
    """A channel: how messages travel, what is on it, and what was last seen there."""

    name: str
    about: About
    protocol: str
    address: str
    codec: str
    delivery: str
    retention: str
    expires_after: str
    subjects: tuple[str, ...]
    seen: Seen | None = None


@dataclass(frozen=True)
class ChangelogEntry:
    """A commit that added versions: `added` holds subjects and versions, `broke` says whom each of them broke."""

    commit: str
    date: str
    title: str
    added: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class FindingData:
    """A finding of `compat`: "error", "warning" or "accepted"."""

    id: str
    severity: str
    subject: str
    writer: int
    reader: int
    rule: str
    pointer: str
    sentence: str
    advice: str
    accepted: str
    breaks: tuple[str, ...]
    owners: tuple[str, ...]


@dataclass(frozen=True)
class SiteData:
    """Everything that is known of the contracts. `notes` say what could not be known."""

    subjects: Mapping[str, SubjectData]
    services: Mapping[str, ServiceData]
    channels: Mapping[str, ChannelData]
    owners: Mapping[str, Owner]
    changelog: tuple[ChangelogEntry, ...] = ()
    findings: tuple[FindingData, ...] = ()
    notes: tuple[str, ...] = ()
    format: int = field(default=FORMAT, kw_only=True)
