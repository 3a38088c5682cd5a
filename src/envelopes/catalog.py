"""The catalog at run time: which subject travels on which channel, in which codec, as which class."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any

from ._dataschemas import DataschemaFamily, family_of
from ._errors import UnknownNameError
from ._values import ValueObject


@dataclass(frozen=True)
class Channel:
    """A named address on a transport, with its codec.

    An address with `*`, such as `orders.*`, stands for every address that it matches.

    `mode` is how that codec writes, `type` a JSON pointer to the type in the data. `without_data` tells whether
    messages without data (tombstones, events without data) are read ("allow") or rejected. `extensions` declares the
    types of CloudEvents extensions: "string", "integer" or "boolean". An AMQP channel has the name of its exchange as
    address, and the `routing_keys` of its messages, or patterns of them as queues are bound with.
    """

    name: str
    protocol: str
    address: str
    codec: str
    mode: str = "structured"
    type: str | None = None
    expires_after: str | None = None
    delivery: str | None = None
    without_data: str = "reject"
    extensions: Mapping[str, str] = field(default_factory=dict)
    routing_keys: tuple[str, ...] = ()

    @property
    def is_pattern(self) -> bool:
        """True if its address stands for several."""
        return "*" in self.address

    def matches(self, address: str) -> bool:
        """Return True if this is its address, or one of those that its address stands for."""
        return address_matches(self.address, address)


def address_matches(pattern: str, address: str) -> bool:
    """Return True if an address is of the form of a pattern, in which each `*` stands for any text."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), address, re.DOTALL) is not None


@dataclass(frozen=True)
class Subject:
    """One message type. `versions` names the module and class of each version; pointers lead into the data.

    `type` is the subject's name on the wire where it has another one there. `channel` is the first of its `channels`,
    and `retry` and `dead_letter` are those where consumers put copies of its messages.
    """

    name: str
    versions: Mapping[int, str]
    channel: str | None = None
    type: str | None = None
    key: str | None = None
    id: str | None = None
    time: str | None = None
    version: str | None = None
    dataschemas: Mapping[int, str] = field(default_factory=dict)
    schema_ids: Mapping[int, int] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    retry: tuple[str, ...] = ()
    dead_letter: tuple[str, ...] = ()

    @cached_property
    def all_channels(self) -> tuple[str | None, ...]:
        """The name of every channel that may hold a message of it, each once; None if it has no channel."""
        return tuple(dict.fromkeys((self.channel, *self.channels, *self.retry, *self.dead_letter)))

    @cached_property
    def dataschema_family(self) -> DataschemaFamily | None:
        """How this subject's URIs are numbered, so that a later one can be told from any other text."""
        return family_of(self.dataschemas)

    @cached_property
    def by_dataschema(self) -> Mapping[str, int]:
        """The versions by the URI that names them on the wire."""
        return {uri: version for version, uri in self.dataschemas.items()}


class Catalog:
    """The channels and subjects of one generated package. A class is imported when it is first needed."""

    def __init__(self, package: str, channels: Iterable[Channel], subjects: Iterable[Subject]) -> None:
        self.package = package
        self.channels = {channel.name: channel for channel in channels}
        self.subjects = {subject.name: subject for subject in subjects}
        self.by_type: dict[tuple[str | None, str | int | None], Subject] = {}
        self.declared: dict[tuple[str | None, str | None, str | None], tuple[Subject, int]] = {}
        """The subject and version of a message that names both, by channel, type and `dataschema`."""
        self.by_channel: dict[str | None, list[Subject]] = {}
        self.decoders: dict[str, Any] = {}
        """What reads the messages of each channel, prepared when it is first needed."""
        self.writers: dict[tuple[type[Any], str | None, str | None], Any] = {}
        """What writes the messages of each class, by the channel that they were read from and the channel asked for."""
        self._places: dict[str, str] = {}
        for subject in self.subjects.values():
            for channel in subject.all_channels:
                self._add(channel, subject)
            for version in sorted(subject.versions):
                place = subject.versions[version]
                name = place.partition(":")[2]
                self._places[name] = self._places[name.removesuffix(f"V{version}")] = place
        self._loaded: dict[tuple[str, int], type[ValueObject]] = {}

    def _add(self, channel: str | None, subject: Subject) -> None:
        """Let messages of a subject be found on a channel."""
        self.by_channel.setdefault(channel, []).append(subject)
        for name in (subject.name, subject.type, *subject.schema_ids.values()):
            if name is not None:
                self.by_type[channel, name] = subject
                if isinstance(name, str):
                    for uri, version in subject.by_dataschema.items():
                        self.declared[channel, name, uri] = subject, version

    def load(self, name: str) -> type[ValueObject]:
        """Import the class of that name, for the package's `__getattr__`. Raises AttributeError."""
        if name not in self._places:
            raise AttributeError(f"module {self.package!r} has no attribute {name!r}")
        module, _, actual = self._places[name].partition(":")
        cls: type[ValueObject] = getattr(import_module(f"{self.package}.{module}"), actual)
        setattr(sys.modules[self.package], name, cls)
        return cls

    def value_object(self, subject: str, version: int) -> type[ValueObject]:
        """Return the class of one version. Raises UnknownNameError."""
        loaded = self._loaded.get((subject, version))
        if loaded is None:
            versions = self.subject(subject).versions
            if version not in versions:
                known = tuple(f"v{number}" for number in sorted(versions))
                raise UnknownNameError(f"version of {subject}", f"v{version}", known)
            loaded = self._loaded[subject, version] = self.load(versions[version].partition(":")[2])
        return loaded

    def subject(self, name: str) -> Subject:
        """Return a subject by its name. Raises UnknownNameError."""
        if name not in self.subjects:
            raise UnknownNameError("subject", name, tuple(self.subjects))
        return self.subjects[name]

    def channel(self, name: str) -> Channel:
        """Return a channel by its name. Raises UnknownNameError."""
        if name not in self.channels:
            raise UnknownNameError("channel", name, tuple(self.channels))
        return self.channels[name]
