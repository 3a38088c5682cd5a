"""`decode` and `encode`: bytes ⇄ envelopes, through the channel's codec and the subject's contract."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol

from . import _json
from ._catalog import Catalog, Channel, Subject
from ._contract import excerpt
from ._envelope import Envelope, Wire
from ._errors import DecodeError, EncodeError, UnknownNameError, Violation
from ._values import ValueObject
from .codecs import CODECS, Malformed, Parts
from .types import read_timestamp

log = logging.getLogger("envelopes")

_VERSION = re.compile(r"(?:^|[:/._-])v?([0-9]{1,9})(?:\.json)?#?$")


def decode(wire: bytes, *, channel: str, catalog: Catalog | None = None) -> Envelope[Any]:
    """Read one message from a channel; on a stream give `Wire(value, key, headers)`.

    `catalog` is that of a generated package, by default this one's. Raises DecodeError where the codec or the
    contract does not accept the bytes, UnknownNameError for an unknown channel.
    """
    catalog = catalog or _own_catalog()
    road = catalog.channel(channel)
    raw = wire if type(wire) is bytes else bytes(wire)
    try:
        if isinstance(wire, Wire):
            parts, data = CODECS[road.codec].read(raw, wire.key, wire.headers)
        else:
            parts, data = CODECS[road.codec].read(raw, None, ())
        declared = catalog.declared.get((channel, parts.type, parts.dataschema))
        subject, version = declared or (_subject(catalog, road, parts, data), None)
    except Malformed as error:
        violation = Violation(error.pointer, road.codec, error.expected, error.found)
        raise DecodeError(f"channel {channel}", None, violation, raw) from None
    if version is None:
        version = _declared_version(subject, parts, data)
        if version is None:
            version = _matching_version(catalog, subject, data)
    known = version if version in subject.versions else _known_version(subject, version, raw)
    value = catalog.value_object(subject.name, known).from_value(data, raw)
    envelope: Envelope[Any] = object.__new__(Envelope)
    # Not through the frozen class's __init__, which sets one field at a time: this is the hot path of every reader.
    _set_fields(
        envelope,
        {
            "data": value,
            "id": parts.id if parts.id is not None else _text(at(data, subject.id)),
            "source": parts.source,
            "type": subject.name,
            "time": parts.time if parts.time is not None else _time(at(data, subject.time)),
            "version": version,
            "dataschema": parts.dataschema,
            "key": parts.key,
            "extensions": parts.extensions,
            "newer": version != known,
        },
    )
    return envelope


def encode(message: Envelope[Any] | ValueObject, *, source: str | None = None, catalog: Catalog | None = None) -> Wire:
    """Write one message for its subject's channel.

    What the envelope leaves open is filled in: key, id and time from the data where the catalog points there, else a
    new id and the time now; `source` says who sends. Raises EncodeError where the contract does not accept the value,
    UnknownNameError where the catalog gives its subject no channel, TypeError for anything that is no value object.
    """
    catalog = catalog or _own_catalog()
    envelope = message if isinstance(message, Envelope) else Envelope(message)
    contract = getattr(type(envelope.data), "__contract__", None)
    if contract is None:
        kind = type(envelope.data).__name__
        raise TypeError(
            f"encode takes a value object, or an envelope with one, and got {kind}: build it from its class"
        )
    subject = catalog.subject(contract.subject)
    if subject.channel is None:
        raise UnknownNameError("channel of subject", subject.name, tuple(catalog.channels))
    road = catalog.channel(subject.channel)
    raw, data = envelope.data._check(EncodeError)  # noqa: SLF001 - to_json, without parsing its text again
    parts = Parts(
        type=subject.type or subject.name,
        id=envelope.id or _text(at(data, subject.id)) or str(uuid.uuid4()),
        source=envelope.source or source or f"/{catalog.package.partition('.')[0]}",
        time=envelope.time or _time(at(data, subject.time)) or datetime.now(UTC),
        dataschema=subject.dataschemas.get(contract.version),
        schema_id=subject.schema_ids.get(contract.version),
        key=envelope.key if envelope.key is not None else _text(at(data, subject.key)),
        extensions=envelope.extensions,
    )
    try:
        return CODECS[road.codec].write(parts, raw, road.mode)
    except Malformed as error:
        violation = Violation(error.pointer, road.codec, error.expected, error.found)
        raise EncodeError(contract.subject, contract.version, violation) from None


class Decode(Protocol):
    """`decode` with a catalog of its own."""

    def __call__(self, wire: bytes, *, channel: str) -> Envelope[Any]:
        """As `envelopes.decode`."""
        ...


class Encode(Protocol):
    """`encode` with a catalog of its own."""

    def __call__(self, message: Envelope[Any] | ValueObject, *, source: str | None = None) -> Wire:
        """As `envelopes.encode`."""
        ...


def coding_with(catalog: Catalog) -> tuple[Decode, Encode]:
    """`decode` and `encode` for the messages of a generated package."""

    def decode_(wire: bytes, *, channel: str) -> Envelope[Any]:
        return decode(wire, channel=channel, catalog=catalog)

    def encode_(message: Envelope[Any] | ValueObject, *, source: str | None = None) -> Wire:
        return encode(message, source=source, catalog=catalog)

    for made, own in ((decode_, decode), (encode_, encode)):
        made.__name__ = made.__qualname__ = own.__name__
        made.__doc__ = own.__doc__
    return decode_, encode_


def at(data: Any, pointer: str | None) -> Any:
    """Return the value at a JSON pointer (RFC 6901) in a parsed JSON value, or None where there is none."""
    if pointer is None:
        return None
    if isinstance(data, dict) and pointer[1:] in data and pointer.count("/") == 1:
        return data[pointer[1:]]
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(data, dict):
            data = data.get(name)
        elif isinstance(data, list) and name.isdigit() and int(name) < len(data):
            data = data[int(name)]
        else:
            return None
    return data


_set_fields: Callable[[Envelope[Any], dict[str, Any]], None] = Envelope.__dict__["__dict__"].__set__


@cache
def _own_catalog() -> Catalog:
    from .messages import CATALOG

    return CATALOG


def _subject(catalog: Catalog, road: Channel, parts: Parts, data: Any) -> Subject:
    named = parts.type if parts.type is not None else parts.schema_id
    if named is None and road.type is not None:
        named = _text(at(data, road.type))
    subject = None if named is None else catalog.by_type.get((road.name, named))
    here = catalog.by_channel.get(road.name, [])
    if subject is not None:
        return subject
    if len(here) == 1 and not isinstance(named, str):
        return here[0]
    known = ", ".join(each.type or each.name for each in here) or "none: the catalog names no subject for it"
    raise Malformed(
        road.type or "", f"a type of channel {road.name} ({known})", "no type" if named is None else excerpt(named)
    )


def _declared_version(subject: Subject, parts: Parts, data: Any) -> int | None:
    if parts.dataschema is not None and (match := _VERSION.search(parts.dataschema)):
        return int(match[1])  # one that the catalog knows is found in `Catalog.declared`
    if parts.schema_id is not None:
        return next((version for version, number in subject.schema_ids.items() if number == parts.schema_id), None)
    if subject.version is None:
        return None
    version = at(data, subject.version)
    if isinstance(version, str) and (match := _VERSION.search(version)):
        return int(match[1])
    return version if isinstance(version, int) and not isinstance(version, bool) else None


def _matching_version(catalog: Catalog, subject: Subject, data: Any) -> int:
    if len(subject.versions) == 1:
        return next(iter(subject.versions))
    newest_first = sorted(subject.versions, reverse=True)
    for version in newest_first:
        if catalog.value_object(subject.name, version).__contract__.validator.is_valid(data):
            return version
    return newest_first[0]


def _known_version(subject: Subject, version: int, raw: bytes) -> int:
    newest = max(subject.versions)
    if version < newest:
        known = ", ".join(f"v{number}" for number in sorted(subject.versions))
        raise DecodeError(subject.name, version, Violation("", "version", f"one of {known}", f"v{version}"), raw)
    log.warning("%s v%d is newer than this package knows: read as v%d", subject.name, version, newest)
    return newest


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return _json.dumps(value).decode()


def _time(value: Any) -> datetime | None:
    try:
        return read_timestamp(value) if isinstance(value, str) else None
    except ValueError:
        return None
