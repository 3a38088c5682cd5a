"""What an AsyncAPI document adds to a contracts directory: rows of the catalog, and version files."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonschema_rs

from contract_test.asyncapi.documents import Documents, Located, Place
from contract_test.asyncapi.payloads import Payload, payload_of
from contract_test.asyncapi.reading import (
    MARK,
    Description,
    Message,
    Operation,
    codec_of,
    describe,
    exchange_of,
    protocol_of,
)
from contract_test.data.contract import Catalog
from contract_test.data.errors import CatalogError, ContractTestError, DocumentError, NothingFoundError
from contract_test.files.additions import Row, add_file, append_tables
from contract_test.files.catalog import PROTOCOLS, load_catalog
from contract_test.files.catalog_schema import begin_catalog
from contract_test.files.plugins import GROUPS
from contract_test.files.schemas import read_json
from contract_test.schema.walk import escape
from envelopes.plugins import names_of

_SUFFIXES = (".json", ".yaml", ".yml")
_MESSAGE_ROWS = ("type", "key", "id", "time", "version", "caused_by", "volatile", "compatibility", "sends_undeclared",
                 "schema_ids", "retry", "dead_letter", "owner", "domain", "links")  # fmt: skip
_CHANNEL_ROWS = ("mode", "type", "without_data", "delivery", "expires_after", "retention", "extensions",
                 "routing_keys", "owner", "domain", "links")  # fmt: skip
_VERSION_LINE = re.compile(rb"""^[ \t\r\f\v{]*+["']?asyncapi["']?\s*+:""", re.MULTILINE)
_OTHER_NAME = "Give one of them another name in the document."


@dataclass(frozen=True)
class Described:
    """An operation, with one subject and the versions of it that the operation names."""

    operation: Operation
    subject: str
    versions: tuple[int, ...]
    channel: str
    own: bool


@dataclass
class Proposal:
    """What would be written, what is refused, and what people should know.

    `tables` are rows for the catalog, and `files` schemas by their paths in the contracts directory. `versions` and
    `origins` tell where in the documents a version is, and the parts of its file by their JSON pointers. `services` are
    those that the documents describe.
    """

    tables: dict[tuple[str, str], dict[str, Row]] = field(default_factory=dict)
    files: dict[str, Any] = field(default_factory=dict)
    operations: list[Described] = field(default_factory=list)
    versions: dict[tuple[str, int], Place] = field(default_factory=dict)
    origins: dict[str, Mapping[str, Place]] = field(default_factory=dict)
    services: dict[str, Place] = field(default_factory=dict)
    refused: list[ContractTestError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def write(self, root: Path) -> list[Path]:
        """Write it, and return the files. Raises CatalogError before anything is written, if rows cannot be added."""
        written = begin_catalog(root) if self.tables else []
        written += [append_tables(root / "catalog.toml", self.tables)] if self.tables else []
        return written + [add_file(root / name, schema) for name, schema in self.files.items()]


def documents_in(path: Path) -> list[Path]:
    """Return a document's file, or every document in a directory. Raises NothingFoundError."""
    if not path.is_dir():
        return [path]
    files = sorted(each for each in path.rglob("*") if each.suffix in _SUFFIXES and each.is_file())
    found = [each for each in files if _VERSION_LINE.search(each.read_bytes())]
    if not found:
        advice = "Name a directory with .json, .yaml or .yml files that have a key `asyncapi`."
        raise NothingFoundError("no AsyncAPI document found", place=str(path), advice=advice)
    return found


def propose(path: Path, catalog: Catalog, service: str | None = None) -> Proposal:
    """Return what the documents at a path add to a catalog. References stay within the directory of the path."""
    proposal = Proposal()
    documents = Documents(path if path.is_dir() else path.parent)
    for each in documents_in(path):
        try:
            description = describe(documents, documents.whole(each), service)
            if not (description.messages or description.refused):
                advice = "Describe the messages, or leave this document out."
                raise description.whole.refused("the document has no messages", advice)
            try:
                _Additions(documents, description, catalog, proposal).add()
            except (AttributeError, KeyError, TypeError, ValueError):
                if not description.own:
                    raise
                advice = f"Export it again, or remove {MARK} to have its x- keys ignored."
                raise description.whole.refused("its x- keys are not as an export writes them", advice) from None
        except ContractTestError as error:
            proposal.refused.append(error)
    return proposal


class _Additions:
    """What one document adds to a catalog, and to what documents before it add."""

    def __init__(self, documents: Documents, description: Description, catalog: Catalog, proposal: Proposal) -> None:
        self._documents, self._description = documents, description
        self._catalog, self._proposal = catalog, proposal
        self._own = description.own
        self._channel_names: dict[str, str] = {}
        self._versions: dict[Place, tuple[str, int]] = {}

    def add(self) -> None:
        """Add channels, versions, subjects, and tables for people."""
        description, proposal = self._description, self._proposal
        proposal.notes += description.notes
        proposal.refused += description.refused
        if not self._own or description.whole.text("info", "x-service"):
            proposal.services.setdefault(description.service, description.whole.place)
        for name, channel in description.channels.items():
            self._add_channel(name, channel)
        for place, message in description.messages.items():
            try:
                payload = payload_of(self._documents, message, own=self._own, whole=description.whole)
                self._versions[place] = self._add_version(message, payload)
            except ContractTestError as error:
                proposal.refused.append(error)
        for place, (subject, _) in self._versions.items():
            self._add_subject(subject, description.messages[place].described, place)
        for operation in description.operations:
            self._add_operation(operation)
        if self._own:
            for section in ("services", "owners"):
                known = self._catalog.about_services if section == "services" else self._catalog.owners
                for rows in description.whole.get("info", f"x-{section}") or ():
                    table = {key: _row(key, value) for key, value in rows.items() if key != "name"}
                    if rows["name"] not in known:
                        proposal.tables.setdefault((section, rows["name"]), table)

    def _add_channel(self, name: str, channel: Located) -> None:
        address = self._description.addresses[name]
        protocol = protocol_of(self._documents, self._description, channel)
        routing_key = "" if self._own or protocol != "amqp" else address
        if routing_key:
            address = exchange_of(channel)
            if not address:
                problem = "it is a queue or names no exchange. Messages of AMQP are read from a named exchange"
                self._proposal.notes.append(f"{channel.place}: left out, because {problem}")
                return
        known = (*PROTOCOLS, *names_of(GROUPS["protocol"]))
        if protocol not in known or not address:
            called = f"uses {protocol}" if protocol else "has no protocol"
            problem = called if address else "has no address"
            read = ", ".join(known)
            self._proposal.notes.append(f"{channel.place}: left out, because it {problem}. Read are {read}")
            return
        places = self._description.on_channels[name]
        codec, mode = codec_of([self._description.messages[each] for each in places])
        rows: dict[str, Row] = {"protocol": protocol, "address": address, "codec": codec}
        if self._own:
            rows |= {"codec": channel.text("x-codec")} | _rows(channel, _CHANNEL_ROWS)
        elif mode != "structured":
            rows["mode"] = mode
        rows |= {"routing_keys": [routing_key]} if routing_key else {}
        rows |= {"description": channel.text("description")} if channel.text("description") else {}
        channels = {each.name: (each.protocol, each.address) for each in self._catalog.channels.values()}
        for (section, other), table in self._proposal.tables.items():
            if section == "channels":
                channels[other] = (str(table["protocol"]), str(table["address"]))
        same = [other for other, its in channels.items() if its == (protocol, address)]
        if name in channels and channels[name] != (protocol, address):
            problem = f"the channel {name!r} is known already, as {' '.join(channels[name])}"
            self._proposal.refused.append(channel.refused(problem, _OTHER_NAME))
            return
        self._channel_names[name] = name if name in channels or not same or self._own else same[0]
        if self._channel_names[name] not in channels:
            self._proposal.tables["channels", name] = rows

    def _add_version(self, message: Message, payload: Payload) -> tuple[str, int]:
        subject, schema, described = message.subject, payload.schema, message.described
        _check(schema, payload)
        known = self._catalog.subjects.get(subject)
        versions = {} if known is None else {number: each.schema for number, each in known.contracts.items()}
        before = {number: place for (name, number), place in self._proposal.versions.items() if name == subject}
        versions |= {number: self._proposal.files.get(f"{subject}/v{number}.json", schema) for number in before}
        number = message.version
        if number is None:
            same = [number for number, other in versions.items() if other == schema]
            number = same[0] if same else max(versions, default=0) + 1
            if not same and before:
                problem = f"another message is {subject!r}, at {next(iter(before.values()))}, and has another payload"
                raise described.refused(problem, _OTHER_NAME)
        elif number in versions and versions[number] != schema:
            problem = f"{subject} v{number} is known already, with another schema"
            raise described.refused(problem, "A version never changes: give the document's a new number.")
        for name, contents in payload.files.items():
            self._add_file(name, contents, described)
        if number not in versions:
            self._proposal.files[f"{subject}/v{number}.json"] = schema
        self._proposal.versions.setdefault((subject, number), described.place)
        self._proposal.origins.setdefault(f"{subject}/v{number}.json", payload.origins)
        return subject, number

    def _add_file(self, name: str, contents: Any, described: Located) -> None:
        path = self._catalog.root / name
        known = self._proposal.files.get(name, read_json(path) if path.is_file() else contents)
        if known != contents:
            raise described.refused(f"it refers to {name}, which is known with other contents", "Rename the file.")
        if not path.is_file():
            self._proposal.files[name] = contents

    def _add_subject(self, subject: str, described: Located, place: Place) -> None:
        if subject in self._catalog.subjects:
            note = f"{subject}: its row in the catalog stays as it is"
            self._proposal.notes += [] if note in self._proposal.notes else [note]
            return
        rows = self._proposal.tables.setdefault(("subjects", subject), {})
        on = [name for name, places in self._description.on_channels.items() if place in places]
        channels = [self._channel_names[each] for each in on if each in self._channel_names]
        if self._own:
            rows |= _rows(described, _MESSAGE_ROWS)
            aside = [*(described.get("x-retry") or ()), *(described.get("x-dead-letter") or ())]
            channels = described.get("x-channels") or [each for each in channels if each not in aside]
        if described.text("description"):
            rows["description"] = described.text("description")
        listed = rows.pop("channels", None) or rows.pop("channel", [])
        before = [listed] if isinstance(listed, str) else list(listed)  # type: ignore[arg-type] # a text or a list
        distinct = list(dict.fromkeys((*before, *channels)))
        if distinct:
            rows |= {"channel": distinct[0]} if len(distinct) == 1 else {"channels": distinct}
        for key in ("sent_by", "received_by"):
            services = described.get(f"x-{key.replace('_', '-')}") if self._own else None
            if services:
                rows[key] = services

    def _add_operation(self, operation: Operation) -> None:
        found = [self._versions[each] for each in operation.messages if each in self._versions]
        channel = self._channel_names.get(operation.channel, "")
        key = "sent_by" if operation.action == "send" else "received_by"
        for subject in dict.fromkeys(subject for subject, _ in found):
            numbers = tuple(number for name, number in found if name == subject)
            self._proposal.operations.append(Described(operation, subject, numbers, channel, self._own))
            rows = self._proposal.tables.get(("subjects", subject))
            if rows is not None:
                services = list(rows.get(key, ()))  # type: ignore[arg-type] # a list of texts
                rows[key] = services if operation.service in services else [*services, operation.service]


def _rows(described: Located, names: Sequence[str]) -> dict[str, Row]:
    """Return the rows of an exported document's `x-` keys."""
    found = {name: described.get(f"x-{name.replace('_', '-')}") for name in names}
    return {name: _row(name, value) for name, value in found.items() if value is not None}


def _row(name: str, value: Any) -> Row:
    return dict(value) if name in ("links", "contacts") else value


def _check(schema: Any, payload: Payload) -> None:
    """Refuse a schema that its meta-schema refuses, with the place in the document."""
    try:
        jsonschema_rs.meta.validate(schema)
    except jsonschema_rs.ValidationError as error:
        pointer = "".join(f"/{escape(str(step))}" for step in error.instance_path)
        place = origin_of(payload.origins, pointer)
        advice = "Correct the schema there."
        raise DocumentError(f"not a JSON Schema: {error.message[:200]}", place=str(place), advice=advice) from None
    except ValueError as error:
        advice = "Nest it less deeply, or correct it."
        raise DocumentError(f"not a JSON Schema: {error}", place=str(payload.origins[""]), advice=advice) from None


def origin_of(origins: Mapping[str, Place], pointer: str) -> Place:
    """Return where the part of a schema at a JSON pointer was in the document."""
    start = max((each for each in origins if f"{pointer}/".startswith(f"{each}/")), key=len)
    return Place(origins[start].path, origins[start].pointer + pointer.removeprefix(start))


@contextmanager
def staged(proposal: Proposal, catalog: Catalog) -> Iterator[Catalog]:
    """Give the catalog as it would be with a proposal, in a directory of its own.

    Versions that cannot be loaded are taken out of the proposal, and refused.
    """
    with TemporaryDirectory() as folder:
        for attempt in range(2):
            root = Path(folder, f"contracts-{attempt}")
            if catalog.root.is_dir():
                shutil.copytree(catalog.root, root, ignore=shutil.ignore_patterns("recordings", ".*"))
            proposal.write(root)
            if not (proposal.files or catalog.subjects):
                yield catalog
                return
            broken: list[ContractTestError] = []
            try:
                loaded = load_catalog(root, broken)
            except CatalogError as error:
                problem = f"its rows make no catalog: {error.place.rpartition('toml:')[2]}: {error.problem}"
                raise DocumentError(problem, place=_first_document(proposal), advice=error.advice) from None
            if not broken:
                yield loaded
                return
            for each in broken:
                _take_out(proposal, root, each)


def _take_out(proposal: Proposal, root: Path, error: ContractTestError) -> None:
    file, _, pointer = error.place.removeprefix(f"{root}/").partition(":")
    subject = file.rpartition("/")[0]
    proposal.files.pop(file, None)
    place = origin_of(proposal.origins.get(file, {"": Place(root / file)}), pointer)
    proposal.refused.append(DocumentError(error.problem, place=str(place), advice=error.advice))
    if not any(name.startswith(f"{subject}/v") for name in proposal.files):
        proposal.tables.pop(("subjects", subject), None)


def _first_document(proposal: Proposal) -> str:
    return str(next(iter(proposal.services.values()), ""))
