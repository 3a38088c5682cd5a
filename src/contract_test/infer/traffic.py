"""The messages on a channel, decoded: of which types there are how many, and those of one type as often as needed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain, islice
from random import Random
from typing import Any

from contract_test.data.contract import Catalog, Channel, Subject
from contract_test.data.errors import CatalogError, NothingFoundError
from contract_test.data.interaction import Interaction, Tapped
from contract_test.data.texts import counted
from contract_test.files.recordings import wire_of
from contract_test.infer.evidence import Masked, looks_like_data
from contract_test.infer.message_store import MessageStore, Stored
from contract_test.schema.walk import escape
from envelopes import Wire
from envelopes.codecs import CODECS, CodecError
from envelopes.plugins import PluginError
from envelopes.pointers import resolve_pointer

MAX_MESSAGES_TO_GUESS_FROM = 100
_ANY_CHANNEL = Channel("-", "amqp", "-", "-")
"""Of the protocol that has the most names for CloudEvents' headers."""
_GUESSES = ("cloudevents", "sidekiq", "resque", "celery", "confluent", "json", "msgpack")
"""The codecs in the order in which they are tried. `json` reads most messages of those before it."""

Watch = Callable[[Iterator[Stored], int], Iterator[Stored]]

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_$:-]*(?:[./][A-Za-z][A-Za-z0-9_$:-]*)*(?:[./][0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Sample:
    """One message: its data, the same data with masked values marked, and its envelope attributes."""

    data: Any
    marked: Any
    type: str | None
    dataschema: str | None
    key: str | None


@dataclass
class Traffic:
    """The messages that were read from a channel. `unreadable` counts those that the codec rejected, by reason."""

    codec: str
    type_at: str | None = None
    types: Counter[str | None] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    looks_like_jobs: bool = True
    _store: MessageStore = field(default_factory=MessageStore)
    _type_of: list[str | None] = field(default_factory=list)
    watch: Watch = lambda items, _total: items

    @property
    def read(self) -> int:
        """The number of messages that were read."""
        return sum(self.types.values())

    @property
    def is_sampled(self) -> bool:
        """Whether only a part of the messages fitted into memory."""
        return self._store.held < self._store.read

    @property
    def seen(self) -> Messages:
        """All messages that could be read."""
        return Messages(self, None, self.read)

    def take(self, wire: Wire, masked: Sequence[str] = ()) -> None:
        """Add a message."""
        try:
            sample = self.decoded(wire, ())
        except CodecError as error:
            self.unreadable[_reason(error)] += 1
            return
        data = sample.data
        self.looks_like_jobs &= (
            isinstance(data, dict) and data.keys() == {"class", "args"} and isinstance(data["args"], list)
        )
        self.types[sample.type] += 1
        self._type_of.append(sample.type)
        self._store.add(wire, masked)

    def decoded(self, wire: Wire, masked: Sequence[str]) -> Sample:
        """Return a message's data. Raises CodecError."""
        parts, data = CODECS[self.codec].read(bytes(wire), wire.key, wire.headers, _ANY_CHANNEL)
        kind = parts.type
        if kind is None and self.type_at is not None:
            found = resolve_pointer(data, self.type_at)
            kind = found if isinstance(found, str) else None
        return Sample(data, _mark(data, frozenset(masked), ""), kind, parts.dataschema, _text(parts.key))

    def of_type(self, kind: str) -> Messages:
        """Return the messages of one type."""
        return Messages(self, kind, self.types[kind])

    def stored(self, kind: str | None, chosen: frozenset[int] | None = None) -> Iterator[Stored]:
        """Yield the messages as they were read: those of one type, or all if it is None; the chosen ones of them."""
        for each in self.watch(iter(self._store), self._store.held):
            if (kind is None or self._type_of[each.number] == kind) and (chosen is None or each.number in chosen):
                yield each

    def numbers(self, kind: str | None) -> list[tuple[int, int]]:
        """Return the numbers of the messages of one type, or of all, each with its size in bytes."""
        return [(number, size) for number, size in self._store.sizes() if kind in (None, self._type_of[number])]


@dataclass(frozen=True)
class Messages:
    """Messages that can be read again and again: each time they are decoded anew, and none stays in memory."""

    traffic: Traffic
    kind: str | None
    read: int
    is_wanted: Callable[[Sample], bool] = lambda _: True

    def __iter__(self) -> Iterator[Sample]:
        """Yield each message."""
        return self._chosen(None)

    def _chosen(self, numbers: frozenset[int] | None) -> Iterator[Sample]:
        for each in self.traffic.stored(self.kind, numbers):
            sample = self.traffic.decoded(each.wire, each.masked)
            if self.is_wanted(sample):
                yield sample

    def filtered(self, is_wanted: Callable[[Sample], bool]) -> Messages:
        """Return some of these messages. `read` counts all of them."""
        before = self.is_wanted
        return Messages(self.traffic, self.kind, self.read, lambda sample: before(sample) and is_wanted(sample))

    @property
    def marked(self) -> Marked:
        """The data of the messages, with masked values marked."""
        return Marked(self)

    def sample(self, most: int, most_bytes: int) -> list[Any]:
        """Return the marked data of some messages, chosen from all of them at random."""
        numbers = self.traffic.numbers(self.kind)
        Random(0).shuffle(numbers)  # noqa: S311 - the same sample each time
        sizes = accumulate(size for _, size in numbers)
        fitting = sum(size <= most_bytes for size in sizes)
        chosen = frozenset(number for number, _ in numbers[: max(1, min(most, fitting))])
        return [each.marked for each in self._chosen(chosen)]


@dataclass(frozen=True)
class Marked:
    """The data of messages, with masked values marked."""

    messages: Messages

    def __iter__(self) -> Iterator[Any]:
        """Yield the data of each message."""
        return (each.marked for each in self.messages)

    def sample(self, most: int, most_bytes: int) -> list[Any]:
        """Return some, chosen from all of them at random."""
        return self.messages.sample(most, most_bytes)


@dataclass(frozen=True)
class Pairs:
    """The data of messages, as it is marked and plain."""

    messages: Messages

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """Yield both for each message."""
        return ((each.marked, each.data) for each in self.messages)


def read_traffic(messages: Iterable[Tapped], codec: str | None, type_at: str | None = None) -> Traffic:
    """Decode messages with the given codec, or with the one that most of the first ones are in.

    `type_at` is a JSON pointer to the type in the data, for codecs that carry none.
    """
    wires = (message.wire for message in messages)
    first = list(islice(wires, MAX_MESSAGES_TO_GUESS_FROM))
    traffic = Traffic(codec or _guess(first), type_at)
    for wire in chain(first, wires):
        traffic.take(wire)
    return traffic


def read_interactions(
    interactions: Sequence[Interaction], catalog: Catalog | None, type_at: str | None = None
) -> Traffic:
    """Decode recorded messages and mark the masked values in them."""
    channels = catalog.channels if catalog is not None else {}
    wires = [wire_of(each) for each in interactions]
    known = next((channels[each.channel] for each in interactions if each.channel in channels), None)
    codec = known.codec if known else _guess(wires[:MAX_MESSAGES_TO_GUESS_FROM])
    traffic = Traffic(codec, type_at or (known.type if known else None))
    for each, wire in zip(interactions, wires, strict=True):
        traffic.take(wire, each.masked)
    return traffic


def of_type(traffic: Traffic, subject: str, known: Subject | None, wanted: str | None) -> tuple[Messages, str | None]:
    """Return the messages of one subject, and the type name that it has on the wire.

    Raises NothingFoundError if there are none, and CatalogError if the messages have several types and none was chosen.
    """
    types = Counter({name: count for name, count in traffic.types.items() if name is not None})
    listed = _listed(types)
    names = [wanted] if wanted else [known.type, subject] if known else [subject]
    chosen = next((name for name in names if name is not None and name in types), None)
    if chosen is None and wanted:
        raise NothingFoundError(f"no message is of type {wanted!r}", advice=f"There are: {listed or 'no types'}.")
    if chosen is None and len(types) > 1:
        raise CatalogError(f"the messages are of several types: {listed}", advice="Choose one with --type NAME.")
    if not traffic.read:
        reasons = "; ".join(f"{reason} ({count})" for reason, count in traffic.unreadable.most_common(3))
        raise NothingFoundError(f"no message could be read: {reasons}", advice="Name another codec with --codec.")
    chosen = chosen or next(iter(types), None)
    return traffic.seen if chosen is None else traffic.of_type(chosen), chosen


def is_type_name(name: str) -> bool:
    """Return True if a type may be shown: it is a name of words, and no data."""
    return _TYPE.fullmatch(name) is not None and not looks_like_data(name)


def _listed(types: Counter[str]) -> str:
    """List types, without those that look like data."""
    names = {name: count for name, count in types.most_common() if is_type_name(name)}
    shown = [f"{name!r} ({count})" for name, count in names.items()]
    others = len(types) - len(names)
    return ", ".join([*shown, *([f"{counted(others, 'other')} that may be data"] if others else [])])


def _reason(error: CodecError) -> str:
    """Return why a message could not be read, without anything of the message."""
    if error.expected == "one JSON text":  # then `found` is the place alone
        deep = "nested deeper" in error.found
        advice = ". Cut a deep field out with jq -c 'del(.NAME)'" if deep else ""
        return f"no JSON: {error.found}{advice}"
    return f"{error.pointer or '/'}: expected {error.expected}"


def _guess(wires: Sequence[Wire]) -> str:
    for name in _GUESSES:
        readable = sum(_reads(name, wire) for wire in wires)
        if readable * 2 > len(wires):
            return name
    return "json"


def _reads(codec: str, wire: Wire) -> bool:
    try:
        context, _ = CODECS[codec].read(bytes(wire), wire.key, wire.headers, _ANY_CHANNEL)
    except (CodecError, PluginError):
        return False
    if codec != "sidekiq" or "jid" in context.frame:
        return True
    return context.id is not None and not _reads("resque", wire)  # a job of Resque in ActiveJob's wrapper


def _text(key: str | bytes | None) -> str | None:
    return key.decode(errors="backslashreplace") if isinstance(key, bytes) else key


def _mark(value: Any, masked: frozenset[str], pointer: str) -> Any:
    if not masked:
        return value
    if isinstance(value, dict):
        return {name: _mark(child, masked, f"{pointer}/{escape(name)}") for name, child in value.items()}
    if isinstance(value, list):
        return [_mark(child, masked, f"{pointer}/{index}") for index, child in enumerate(value)]
    return Masked(value) if isinstance(value, str) and pointer in masked else value
