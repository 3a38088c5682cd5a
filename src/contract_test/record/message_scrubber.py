"""Whole messages scrubbed: the data by its contract, and the context around it, headers and key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contract_test.data.contract import Catalog, Channel, Contract, Subject
from contract_test.data.interaction import Interaction, Tapped
from contract_test.files.exact_json import exact_loads
from contract_test.recordings.messages import at_path
from contract_test.schema.declared import field_names
from contract_test.scrub.masking import DataScrubber, prefixes_of
from contract_test.scrub.pseudonyms import Pseudonyms
from envelopes import Wire
from envelopes.codecs import CODECS, CodecError, Context
from envelopes.codecs.cloudevents import split_header
from envelopes.codecs.confluent import PREFIX as CONFLUENT_PREFIX
from envelopes.pointers import resolve_pointer

_NAMES = frozenset[str]().union(*(codec.CONTEXT_NAMES for codec in CODECS.values()))
_ARGUMENTS = ("args", "kwargs")
_REPEATED_DATA = {"argsrepr": "(...)", "kwargsrepr": "{...}"}
"""What replaces texts in which a client repeats the data in another notation."""
_MAX_SMALL_NUMBER = 1000
_EPOCH = range(10**9, 10**10)
_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,60}(; ?charset=[A-Za-z0-9-]{1,20})?")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]{8,40}([Zz]|[+-][0-9]{2}:[0-9]{2})")
_NO_CONTRACT = Contract("-", 1, Path("-"), "urn:-", schema={}, resources={"urn:-": {}})
MAX_BYTES_SHOWN = 200


class Scrubber:
    """Scrubs the messages of one channel. What the catalog itself says stays: names of fields, services, subjects."""

    def __init__(self, catalog: Catalog, channel: Channel, key: bytes) -> None:
        self._catalog, self._channel, self._codec = catalog, channel, CODECS[channel.codec]
        self.pseudonyms = Pseudonyms(key, {prefix for each in catalog.contracts for prefix in prefixes_of(each)})
        extensions = {each.caused_by for each in catalog.subjects.values() if each.caused_by}
        self._words = frozenset({word for each in catalog.contracts for word in field_names(each)} | extensions)
        self._has_layers = hasattr(self._codec, "unfold")
        self._said = frozenset(_said(catalog)) | getattr(self._codec, "CONTEXT_TEXTS", frozenset())
        if self._has_layers:
            self._said |= {channel.address}
            self._words |= frozenset(getattr(self._codec, "DATA_NAMES", ()))
        self._data_scrubbers: dict[str, DataScrubber] = {}

    def interaction(self, message: Tapped, contract: Contract, data: Any) -> Interaction:
        """Return what is kept of a valid message; `data` is its data as it was decoded."""
        wire = message.wire
        read, _ = self._codec.read(bytes(wire), wire.key, wire.headers, self._channel)
        payload, place = _document(wire, read), read.data_path
        if place[-1:] == ("data_base64",):  # recorded as the data that it says
            inner, place = at_path(payload, place[:-1]), (*place[:-1], "data")
            inner["data"] = data
            del inner["data_base64"]
        else:
            data = at_path(payload, place)
        made, masked = self._data_scrubber(contract).scrub(data)
        context = _Context(self, contract, self._repeated(contract, data, made))
        return Interaction(
            channel=self._channel.name,
            subject=contract.subject,
            version=contract.version,
            payload=context.around(payload, place, made),
            key=context.key(message),
            headers=context.headers(message),
            prefix=self._prefix(read, contract).hex(),
            codec=self._channel.codec if read.unfold else "",
            masked=masked,
            seen=message.seen,
        )

    def _prefix(self, read: Context, contract: Contract) -> bytes:
        """Return the bytes before the payload; instead of a GUID, which looks like a secret, the schema id if known."""
        subject = self._catalog.subjects.get(contract.subject)
        number = subject.schema_ids.get(contract.version) if subject else None
        is_guid = bool(read.prefix) and read.schema_id is None
        return CONFLUENT_PREFIX.pack(0, number) if is_guid and number is not None else read.prefix

    def rejected(self, message: Tapped, contract: Contract | None) -> dict[str, Any]:
        """Return what is shown of a message that no contract accepts: as an interaction's fields, or a text."""
        data_scrubber = self._data_scrubber(contract or _NO_CONTRACT)
        context = _Context(self, contract, {})
        around = {"key": context.key(message), "headers": context.headers(message), "seen": dict(message.seen)}
        try:
            read = self._framing(message.wire)
            payload, place = _document(message.wire, read), read.data_path
            data = at_path(payload, place)
            made, masked = data_scrubber.mask(data)
            return {"payload": context.around(payload, place, made), "masked": list(masked), **around}
        except (ValueError, TypeError, LookupError, RecursionError):  # not JSON, or not to be walked
            text = bytes(message.wire[:MAX_BYTES_SHOWN]).decode(errors="backslashreplace")
            return {"text": self.pseudonyms.text(text), "bytes": len(message.wire), **around}

    def _framing(self, wire: Wire) -> Context:
        """Return where the JSON of a message begins, and where its data is, as far as its codec reads it."""
        try:
            read, _ = self._codec.read(bytes(wire), wire.key, wire.headers, self._channel)
        except CodecError as error:
            return Context(data_path=error.data_path)
        return read

    def _data_scrubber(self, contract: Contract) -> DataScrubber:
        if contract.name not in self._data_scrubbers:
            subject = self._catalog.subjects.get(contract.subject)
            version = subject.version if subject else None
            chosen = (self._channel.type, version)  # the catalog decides which values these have
            kept = frozenset(pointer for pointer in chosen if pointer and pointer.startswith("/"))
            self._data_scrubbers[contract.name] = DataScrubber(contract, self.pseudonyms, self._words, kept)
        return self._data_scrubbers[contract.name]

    def _repeated(self, contract: Contract, data: Any, made: Any) -> dict[str, str]:
        """What the context repeats of the data, by the text before: key, id and cause stay the same as in the data."""
        subject: Subject = self._catalog.subjects[contract.subject]
        pointers = [each for each in (subject.key, subject.id, subject.caused_by) if each and each.startswith("/")]
        found = [(resolve_pointer(data, each), resolve_pointer(made, each)) for each in pointers]
        return {str(before): str(after) for before, after in found if isinstance(before, str | int)}

    def is_said(self, text: str) -> bool:
        """Return whether the catalog, or the codec itself, says a text."""
        return text in self._said

    def is_of_codec(self, name: str) -> bool:
        """Return whether a name is one that a codec of messages with layers puts around the data."""
        return self._has_layers and name in self._codec.CONTEXT_NAMES

    def anything(self, value: Any) -> Any:
        """Return a JSON value of which no contract says anything."""
        return self._data_scrubber(_NO_CONTRACT).mask(value)[0]

    def name(self, name: str) -> str:
        """Return the name of a field or an attribute, or what stands in for it."""
        is_known = name in _NAMES or name in self._codec.CONTEXT_NAMES or name in self._words
        return name if is_known else self.pseudonyms.text(name)


class _Context:
    """Scrubs what stands around one message's data. `repeated` are texts of the data, and what became of them."""

    def __init__(self, scrubber: Scrubber, contract: Contract | None, repeated: Mapping[str, str]) -> None:
        self._scrubber, self._contract, self._repeated = scrubber, contract, repeated

    def around(self, value: Any, place: tuple[str | int, ...], data: Any) -> Any:
        """Put scrubbed data back at its place, and scrub the rest."""
        if not place:
            return data
        if isinstance(value, list):
            return [self.around(value[0], place[1:], data)]
        return {
            self._scrubber.name(name): self.around(child, place[1:], data)
            if name == place[0]
            else self._attribute(name, child)
            for name, child in value.items()
        }

    def headers(self, message: Tapped) -> dict[str, str]:
        """CloudEvents' headers and the content's type; others are not kept."""
        made = {}
        for header, raw in message.wire.headers:
            value = raw.decode(errors="replace")
            prefix, name = split_header(header)
            if prefix:
                made[prefix + self._scrubber.name(name)] = str(self._attribute(name, value))
            elif header == "content-type":
                made[header] = str(self._attribute("datacontenttype", value))
        return made

    def key(self, message: Tapped) -> str | None:
        """A stream's key."""
        key = message.wire.key
        return None if key is None else str(self._attribute("key", key.decode(errors="backslashreplace")))

    def _attribute(self, name: str, value: Any) -> Any:
        is_of_codec = self._scrubber.is_of_codec(name)
        if is_of_codec and isinstance(value, dict) and name not in _ARGUMENTS:
            return {self._scrubber.name(inner): self._attribute(inner, child) for inner, child in value.items()}
        if is_of_codec and name in _REPEATED_DATA:
            return _REPEATED_DATA[name]
        if is_of_codec and isinstance(value, int | float) and (value < _MAX_SMALL_NUMBER or int(value) in _EPOCH):
            return value
        if not isinstance(value, str):
            return self._scrubber.anything(value)
        if value in self._repeated:
            return self._repeated[value]
        if self._scrubber.is_said(value):
            return value
        if name == "dataschema" and self._contract is not None:
            return self._contract.dataschema
        if name == "datacontenttype":
            return value if _MEDIA_TYPE.fullmatch(value) else "application/json"
        if ((name == "time" or is_of_codec) and _TIME.fullmatch(value)) or (name == "specversion" and value == "1.0"):
            return value
        return self._scrubber.anything(value)


def _document(wire: Wire, read: Context) -> Any:
    """Return the JSON of a message, with its numbers as they were written."""
    text = bytes(wire[read.json_start :])
    return exact_loads(text) if read.unfold is None else read.unfold(text)


def _said(catalog: Catalog) -> list[str]:
    texts = [contract.dataschema for contract in catalog.contracts]
    for subject in catalog.subjects.values():
        services = (*subject.sent_by, *subject.received_by)
        texts += [subject.name, *filter(None, [subject.type]), *services, *(f"/{each}" for each in services)]
    return texts
