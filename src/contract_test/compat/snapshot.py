"""One version as a comparison sees it: its schema in one piece, its recorded messages, and how it is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from contract_test.data.contract import Catalog, Channel, Contract, Subject
from contract_test.data.errors import ContractTestError
from contract_test.data.result import Reader
from contract_test.files.recordings import read_recording
from contract_test.files.schemas import SchemaFiles
from contract_test.recordings.messages import data_of
from contract_test.replay.observed_readers import readers_by_service
from contract_test.schema.bundle import Bundle, bundle, follow, schema_around, value_at
from envelopes.validation import ASSERTED_FORMATS, CompiledSchema, compile_schema


@dataclass(frozen=True)
class RecordedMessage:
    """The data of a recorded message, and its file and line."""

    place: str
    data: Any


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A contract among `files`, whose directory people know as `shown`: a path, or `REF:path`.

    `label` names the version to people: `v2`, `v2 at main`, `old.json`. `readers` say which services read what of it,
    and `newest_read` which version of the subject each of them was replayed with last.
    """

    contract: Contract
    label: str
    files: SchemaFiles
    shown: str
    channels: Mapping[str, Channel]
    readers: tuple[Reader, ...] = ()
    newest_read: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def bundle(self) -> Bundle:
        """The schema and all that it reaches, with the formats asserted that `decode` asserts."""
        return bundle(self.contract.resources, self.contract.uri, ASSERTED_FORMATS)

    @cached_property
    def validator(self) -> CompiledSchema | None:
        """Reads a message as `decode` does; None where the schema is broken."""
        resources = self.bundle.resources or {self.contract.uri: self.bundle.schema}  # one document compiles faster
        try:
            return compile_schema(resources, f"{self.contract.uri}#")
        except ValueError:
            return None

    @cached_property
    def recorded(self) -> tuple[RecordedMessage, ...]:
        """The recorded messages of this version; what cannot be read is `lint`'s to say."""
        try:
            interactions = read_recording(self.contract)
        except ContractTestError:
            return ()
        found = []
        for interaction in interactions:
            channel = self.channels.get(interaction.channel)
            if channel is None or interaction.path is None:
                continue
            try:
                data = data_of(interaction, channel)
            except (LookupError, TypeError):
                continue
            found.append(RecordedMessage(f"{self.shown_as(interaction.path)}:{interaction.line}", data))
        return tuple(found)

    def __getstate__(self) -> dict[str, Any]:
        """What another process is given: all but the compiled validator, which each compiles for itself."""
        return {name: value for name, value in self.__dict__.items() if name != "validator"}

    @property
    def file(self) -> str:
        """The contract's file, as people know it."""
        return self.shown_as(self.contract.path)

    def shown_as(self, path: Path) -> str:
        """Return a path below the root, as people know it."""
        return (Path(self.shown) / path.relative_to(self.files.root)).as_posix()

    def place_of(self, pointer: str, *, exactly: bool = False) -> tuple[str, str]:
        """Return the file and the JSON pointer of the schema around a place in the bundle, or exactly of it."""
        uri, inside = self.bundle.file_of(pointer)
        uri, inside = follow(self.contract.resources, uri or self.contract.uri, inside)
        path = self.files.path_of(uri)
        if not exactly:
            inside = schema_around(self.contract.resources[uri], inside)
        return self.shown_as(path) if path else uri, inside

    def declares(self, pointer: str, name: str) -> bool:
        """Return whether the schema at a place in the bundle declares a property."""
        schema = value_at(self.bundle.schema, pointer)
        return isinstance(schema, dict) and name in schema.get("properties", {})


@dataclass(frozen=True)
class Pair:
    """What `writer` sends must be readable by `reader`; `subject` is None for two files."""

    writer: Snapshot
    reader: Snapshot
    direction: str
    subject: Subject | None = None

    @property
    def newer(self) -> Snapshot:
        """The side that is new: where something can still be changed."""
        return self.reader if self.direction == "BACKWARD" else self.writer

    @property
    def older(self) -> Snapshot:
        """The other side."""
        return self.writer if self.direction == "BACKWARD" else self.reader


def snapshots_of(
    catalog: Catalog, readers: Sequence[Reader] = (), ref: str = "", shown: str = ""
) -> dict[str, dict[int, Snapshot]]:
    """Return every version of a catalog, by subject and number; with `ref`, as it was at that ref."""
    files = SchemaFiles(catalog.root)
    shown = shown or str(catalog.root)
    return {
        subject.name: {
            version: Snapshot(
                contract,
                f"v{version} at {ref}" if ref else f"v{version}",
                files,
                shown,
                catalog.channels,
                tuple(readers_by_service(contract, readers).values()) if readers else (),
                _newest_read(subject, readers),
            )
            for version, contract in sorted(subject.contracts.items())
        }
        for subject in catalog.subjects.values()
    }


def _newest_read(subject: Subject, readers: Sequence[Reader]) -> dict[str, int]:
    """The newest version of a subject that each service was replayed with."""
    newest: dict[str, int] = {}
    for each in readers:
        if each.subject == subject.name and each.version in subject.contracts and each.messages:
            newest[each.service] = max(each.version, newest.get(each.service, 0))
    return newest


def snapshot_of_file(path: Path, contracts: Path) -> Snapshot:
    """Return one schema file.

    What it refers to is below the contracts directory, if it is there itself, else beside it.
    """
    root = contracts if contracts.is_dir() and path.is_relative_to(contracts) else path.parent
    files = SchemaFiles(root)
    resources = files.reach(path)
    contract = Contract(path.stem, 1, path, files.uri_of(path), files.read(path), resources)
    return Snapshot(contract, str(path), files, str(root), {})
