"""One version as a comparison sees it: its schema in one piece, its recorded messages, and how it is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

from contract_test.data.contract import Catalog, Channel, Contract
from contract_test.data.errors import ContractTestError
from contract_test.files.recordings import read_recording
from contract_test.files.schemas import BASE, SchemaFiles
from contract_test.schema.bundle import Bundle, bundle, schema_around, value_at
from contract_test.use_cases.messages import data_of
from envelopes import ASSERTED_FORMATS, compile_schema


@dataclass(frozen=True)
class Recorded:
    """The data of a recorded message, and its file and line."""

    place: str
    data: Any


@dataclass(frozen=True, eq=False)
class Side:
    """A contract below `root`, which people know as `shown`: a directory, or `REF:directory`.

    `label` names the version to people: `v2`, `v2 at main`, `old.json`.
    """

    contract: Contract
    label: str
    root: Path
    shown: str
    channels: Mapping[str, Channel]

    @cached_property
    def bundle(self) -> Bundle:
        """The schema and all that it reaches, with the formats asserted that `decode` asserts."""
        return bundle(self.contract.resources, self.contract.uri, ASSERTED_FORMATS)

    @cached_property
    def validator(self) -> jsonschema_rs.Validator | None:
        """Reads a message as `decode` does; None where the schema is broken."""
        try:
            return compile_schema(self.contract.resources, f"{self.contract.uri}#")
        except ValueError:
            return None

    @cached_property
    def recorded(self) -> tuple[Recorded, ...]:
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
            found.append(Recorded(f"{self.shown_as(interaction.path)}:{interaction.line}", data))
        return tuple(found)

    @property
    def file(self) -> str:
        """The contract's file, as people know it."""
        return self.shown_as(self.contract.path)

    def shown_as(self, path: Path) -> str:
        """A path below the root, as people know it."""
        return (Path(self.shown) / path.relative_to(self.root)).as_posix()

    def place_of(self, pointer: str) -> tuple[str, str]:
        """The file and the JSON pointer of the schema around a place in the bundle."""
        uri, inside = self.bundle.file_of(pointer)
        uri = uri or self.contract.uri
        file = self.shown_as(self.root / unquote(uri.removeprefix(BASE))) if uri.startswith(BASE) else uri
        return file, schema_around(self.contract.resources[uri], inside)

    def declares(self, pointer: str, name: str) -> bool:
        """Whether the schema at a place in the bundle declares a property."""
        schema = value_at(self.bundle.schema, pointer)
        return isinstance(schema, dict) and name in schema.get("properties", {})


def side(catalog: Catalog, contract: Contract, *, ref: str = "") -> Side:
    """A version of a catalog; with `ref`, as it was at that ref."""
    label = f"v{contract.version}"
    if ref:
        return Side(contract, f"{label} at {ref}", catalog.root, ref, catalog.channels)
    return Side(contract, label, catalog.root, str(catalog.root), catalog.channels)


def side_of_file(path: Path, contracts: Path) -> Side:
    """One schema file. What it refers to is below the contracts directory, if it is there itself, else beside it."""
    root = contracts if contracts.is_dir() and path.is_relative_to(contracts) else path.parent
    files = SchemaFiles(root)
    resources = files.reach(path)
    contract = Contract(path.stem, 1, path, files.uri_of(path), files.read(path), resources)
    return Side(contract, str(path), root, str(root), {})
