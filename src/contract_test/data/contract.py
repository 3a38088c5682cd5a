"""Channels, subjects and their versions, as `contracts/` declares them."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from contract_test.data.durations import iso_duration
from envelopes.catalog import Channel

__all__ = [
    "About",
    "Catalog",
    "Channel",
    "Contract",
    "Generation",
    "Owner",
    "Subject",
    "class_name",
    "snake_case",
    "usable_subject",
]


@dataclass(frozen=True)
class About:
    """What the catalog tells people of a service, a channel or a subject. `links` are addresses by their titles."""

    owner: str = ""
    description: str = ""
    domain: str = ""
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Owner:
    """Who answers for something. `contacts` are addresses or names by what they are, such as `slack`."""

    name: str
    contacts: Mapping[str, str] = field(default_factory=dict)
    description: str = ""

    def __str__(self) -> str:
        contacts = ", ".join(f"{kind} {address}" for kind, address in self.contacts.items())
        return f"{self.name} ({contacts})" if contacts else self.name


@dataclass(frozen=True)
class Contract:
    """One subject at one version.

    `schema` is the parsed file; `resources` holds it and every schema that it reaches, by URI; `uri` is its own.
    `sends_undeclared` names the services that send fields that it does not declare, where it says
    `additionalProperties: true`. Others never do.
    """

    subject: str
    version: int
    path: Path
    uri: str
    schema: Any
    resources: Mapping[str, Any]
    sends_undeclared: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For people: `message.liked v2`."""
        return f"{self.subject} v{self.version}"

    @property
    def class_name(self) -> str:
        """The value object's name: `MessageLikedV2`."""
        return f"{class_name(self.subject)}V{self.version}"

    @property
    def module_name(self) -> str:
        """The generated module's name: `message_liked_v2`."""
        return f"{snake_case(self.subject)}_v{self.version}"

    @property
    def dataschema(self) -> str:
        """The URI that a message carries to name its contract: the schema's own `$id`, else a URN."""
        declared = self.schema.get("$id") if isinstance(self.schema, dict) else None
        return declared if isinstance(declared, str) else f"urn:contract:{self.subject}:v{self.version}"


@dataclass(frozen=True)
class Subject:
    """One message type: what the catalog says of it, and its contracts by version.

    `channel` is the first of its `channels`, where producers send it. Copies of its messages may be on the channels
    `retry` and `dead_letter`, where consumers put them.
    """

    name: str
    contracts: Mapping[int, Contract]
    channels: tuple[Channel, ...] = ()
    retry: tuple[Channel, ...] = ()
    dead_letter: tuple[Channel, ...] = ()
    type: str | None = None
    key: str | None = None
    id: str | None = None
    time: str | None = None
    version: str | None = None
    caused_by: str | None = None
    volatile: tuple[str, ...] = ()
    compatibility: str = "BACKWARD"
    schema_ids: Mapping[int, int] = field(default_factory=dict)
    sent_by: tuple[str, ...] = ()
    received_by: tuple[str, ...] = ()
    sends_undeclared: tuple[str, ...] = ()
    about: About = About()

    @property
    def channel(self) -> Channel | None:
        """The first channel where producers send it, or None."""
        return self.channels[0] if self.channels else None

    @property
    def all_channels(self) -> tuple[Channel, ...]:
        """Every channel that may hold a message of it, each once."""
        by_name = {each.name: each for each in (*self.channels, *self.retry, *self.dead_letter)}
        return tuple(by_name.values())

    @property
    def newest(self) -> Contract:
        """The contract of the highest version."""
        return self.contracts[max(self.contracts)]


@dataclass(frozen=True)
class Generation:
    """How value objects are written: `[generate]` in the catalog."""

    snake_case_field: bool = False
    header: str = ""
    """A text on top of every generated module, such as a copyright notice."""


@dataclass(frozen=True)
class Catalog:
    """Everything that a contracts directory declares.

    `retention` says how long a channel keeps its messages, by the name of the channel. `about_channels` and
    `about_services` tell people about those; not every service has to be there.
    """

    root: Path
    channels: Mapping[str, Channel]
    subjects: Mapping[str, Subject]
    generation: Generation = Generation()
    retention: Mapping[str, timedelta] = field(default_factory=dict)
    about_channels: Mapping[str, About] = field(default_factory=dict)
    about_services: Mapping[str, About] = field(default_factory=dict)
    owners: Mapping[str, Owner] = field(default_factory=dict)

    @cached_property
    def contracts(self) -> tuple[Contract, ...]:
        """Every version of every subject, in order."""
        return tuple(
            subject.contracts[version] for subject in self.subjects.values() for version in sorted(subject.contracts)
        )

    @cached_property
    def services(self) -> tuple[str, ...]:
        """The names of all services that send or receive something, or that the catalog tells about."""
        found = {name for subject in self.subjects.values() for name in (*subject.sent_by, *subject.received_by)}
        return tuple(sorted(found | self.about_services.keys()))

    def owner_of(self, service: str) -> Owner | None:
        """Return the owner of a service, or None if the catalog names none."""
        name = self.about_services[service].owner if service in self.about_services else ""
        return self.owners.get(name, Owner(name)) if name else None

    def owned(self, services: Iterable[str]) -> dict[str, str]:
        """Return the owners in words, with their contacts, of those services that have one, by service."""
        found = {service: self.owner_of(service) for service in services}
        return {service: str(owner) for service, owner in found.items() if owner is not None}

    def expires_after(self, channel: str) -> timedelta | None:
        """Return after which time messages on a channel are dropped, or None."""
        expiry = self.channels[channel].expires_after
        return iso_duration(expiry) if expiry is not None else None

    def sent_by(self, service: str) -> list[Subject]:
        """Return the subjects that a service produces."""
        return [subject for subject in self.subjects.values() if service in subject.sent_by]

    def received_by(self, service: str) -> list[Subject]:
        """Return the subjects that a service consumes."""
        return [subject for subject in self.subjects.values() if service in subject.received_by]


def class_name(text: str) -> str:
    """Return `message.liked` → `MessageLiked`."""
    return "".join(word[:1].upper() + word[1:] for word in _words(text))


def usable_subject(name: str) -> str:
    """Return a name for a subject that classes and modules can be called after: the same, or one to use instead.

    `none` → `none.sent`, `2fa.requested` → `message.2fa.requested`.
    """
    made = class_name(name)
    if not made.isidentifier():
        return f"message.{name}"
    return f"{name}.sent" if keyword.iskeyword(made) or made in _RESERVED else name


_RESERVED = frozenset(("CATALOG", "Catalog", "Channel", "Reader", "Subject"))
"""Names that every generated package has already."""


def snake_case(text: str) -> str:
    """Return `message.liked` → `message_liked`."""
    return "_".join(word.lower() for word in _words(text))


def _words(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in text).split()
