"""Reading `contracts/`: the catalog and every schema it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from contract_test.data.compatibility_modes import MODES
from contract_test.data.contract import About, Catalog, Channel, Contract, Generation, Owner, Subject
from contract_test.data.durations import iso_duration
from contract_test.data.errors import CatalogError, ContractTestError, NothingFoundError, SchemaError
from contract_test.files.additions import toml_text
from contract_test.files.plugins import GROUPS, check_package, is_plugin
from contract_test.files.schemas import SchemaFiles
from contract_test.files.toml import read_toml
from envelopes.codecs import CODECS

PROTOCOLS = ("kafka", "redis-list", "redis-stream", "amqp", "files")
DELIVERIES = ("exactly-once", "at-least-once", "at-most-once")

_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
_VERSION = re.compile(r"v([1-9][0-9]{0,5})\.json")
_POINTER = re.compile(r"(/([^~/]|~[01])*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_EXTENSION = re.compile(r"[a-z0-9]{1,20}")

_TRUTH = "true or false"
_TEXT, _LIST, _TEXT_OR_LIST, _IDS, _TYPES, _POINTER_TEXT, _POINTER_OR_EXTENSION = (
    "a text",
    "a list of texts",
    "a text or a list of texts",
    "a table of version = id",
    'a table of extension = "string", "integer" or "boolean"',
    "a JSON pointer, such as /id",
    "a JSON pointer into the data, such as /caused_by, or a CloudEvents extension's name",
)
_DURATION = "a duration, such as P7D or PT2H"
_NAMED_TEXTS = "a table of name = text"

_ABOUT_KEYS: dict[str, str | tuple[str, ...]] = {
    "owner": _TEXT,
    "description": _TEXT,
    "domain": _TEXT,
    "links": _NAMED_TEXTS,
}
_OWNER_KEYS: dict[str, str | tuple[str, ...]] = {"description": _TEXT, "contacts": _NAMED_TEXTS}

_CHANNEL_KEYS: dict[str, str | tuple[str, ...]] = {
    "protocol": PROTOCOLS,
    "address": _TEXT,
    "codec": tuple(CODECS),
    "mode": ("structured", "binary"),
    "type": _POINTER_TEXT,
    "expires_after": _TEXT,
    "retention": _DURATION,
    "delivery": DELIVERIES,
    "without_data": ("reject", "allow"),
    "extensions": _TYPES,
    "routing_keys": _LIST,
    **_ABOUT_KEYS,
}
_SUBJECT_KEYS: dict[str, str | tuple[str, ...]] = {
    "channel": _TEXT,
    "channels": _LIST,
    "retry": _TEXT_OR_LIST,
    "dead_letter": _TEXT_OR_LIST,
    "type": _TEXT,
    "key": _POINTER_OR_EXTENSION,
    "id": _POINTER_TEXT,
    "time": _POINTER_TEXT,
    "version": _POINTER_TEXT,
    "caused_by": _POINTER_OR_EXTENSION,
    "volatile": _LIST,
    "compatibility": MODES,
    "schema_ids": _IDS,
    "sent_by": _LIST,
    "received_by": _LIST,
    "sends_undeclared": _LIST,
    **_ABOUT_KEYS,
}

_GENERATE_KEYS: dict[str, str | tuple[str, ...]] = {"snake_case_field": _TRUTH, "header": _TEXT}

TABLES = {
    "channels": _CHANNEL_KEYS,
    "subjects": _SUBJECT_KEYS,
    "services": _ABOUT_KEYS,
    "owners": _OWNER_KEYS,
    "generate": _GENERATE_KEYS,
}
"""The keys of the tables of each section. Each takes one of some texts, or what is said in words."""


def load_catalog(
    root: Path, broken: list[ContractTestError] | None = None, *, schemas_when_asked: bool = False
) -> Catalog:
    """Read a contracts directory. A directory without a catalog holds subjects without channels.

    Raises CatalogError or SchemaError with the place, NothingFoundError where there is no contract at all. Where a list
    `broken` is given, schemas that cannot be used are left out, and their errors are put there. With
    `schemas_when_asked`, a schema is read, and its error raised, when its contract is asked for.
    """
    if not root.is_dir():
        raise NothingFoundError(
            "there is no such directory",
            place=str(root),
            advice="Name one with --contracts DIR, or run `contract-test init`.",
        )
    document = read_toml(root / "catalog.toml")
    _only(document, ("channels", "dialects", "generate", "owners", "services", "subjects"), str(root / "catalog.toml"))
    generation = document.get("generate", {})
    _check_table(generation, _GENERATE_KEYS, f"{root / 'catalog.toml'}:[generate]")
    channel_tables = _tables(root, document, "channels")
    channels = {name: _channel(root, name, table) for name, table in channel_tables}
    about_channels = {name: _about(table) for name, table in channel_tables}
    about_services, owners = _services(root, document), _owners(root, document)
    retention = {name: iso_duration(table["retention"]) for name, table in channel_tables if "retention" in table}
    tables = dict(_tables(root, document, "subjects"))
    files = SchemaFiles(root)
    read = _Unread if schemas_when_asked else _contracts
    found = {folder.name: read(files, folder, broken) for folder in _subject_folders(root)}
    for name, table in tables.items():
        dotted = _dotted(name, table)
        if dotted != name:
            raise CatalogError(
                f"[subjects.{dotted}] is a table in a table, and no subject",
                place=str(root / "catalog.toml"),
                advice=f'Quote a name with dots: [subjects."{dotted}"].',
            )
        if name not in found:
            raise CatalogError(
                f"subject {name!r} has no version",
                place=str(root / "catalog.toml"),
                advice=f"Write {root / name}/v1.json.",
            )
    subjects = {
        name: _subject(root, name, tables.get(name, {}), channels, contracts)
        for name, contracts in found.items()
        if contracts
    }
    if not subjects and not broken:
        advice = "A contract is a file <subject>/v1.json; `contract-test init` writes a first one."
        raise NothingFoundError("no contracts found", place=str(root), advice=advice)
    order = [name for name in tables if name in subjects] + sorted(name for name in subjects if name not in tables)
    kept = {name: time for name, time in retention.items() if time is not None}
    in_order = {name: subjects[name] for name in order}
    return Catalog(root, channels, in_order, Generation(**generation), kept, about_channels, about_services, owners)


def _about(table: Mapping[str, Any]) -> About:
    return About(**{key: value for key, value in table.items() if key in _ABOUT_KEYS})


def _services(root: Path, document: Mapping[str, Any]) -> dict[str, About]:
    tables = dict(_tables(root, document, "services"))
    for name, table in tables.items():
        _check_keys(table, _ABOUT_KEYS, _place_of_table(root, "services", name))
    return {name: _about(table) for name, table in tables.items()}


def _owners(root: Path, document: Mapping[str, Any]) -> dict[str, Owner]:
    tables = dict(_tables(root, document, "owners"))
    for name, table in tables.items():
        _check_keys(table, _OWNER_KEYS, _place_of_table(root, "owners", name))
    return {name: Owner(name, **table) for name, table in tables.items()}


def _place_of_table(root: Path, section: str, name: str) -> str:
    key = name if _BARE_KEY.fullmatch(name) else toml_text(name)
    return f"{root / 'catalog.toml'}:[{section}.{key}]"


def _dotted(name: str, table: Mapping[str, Any]) -> str:
    """The name that was meant where its dots were read as tables: TOML wants quotes around it."""
    for key, value in table.items():
        if isinstance(value, dict) and key not in _SUBJECT_KEYS:
            return _dotted(f"{name}.{key}", value)
    return name


def _subject_folders(root: Path) -> list[Path]:
    return sorted(
        folder for folder in root.iterdir()
        if folder.is_dir() and any(_VERSION.fullmatch(path.name) for path in folder.glob("v*.json"))
    )  # fmt: skip


def _contracts(files: SchemaFiles, folder: Path, broken: list[ContractTestError] | None) -> Mapping[int, Contract]:
    unread, contracts = _Unread(files, folder, broken), {}
    for version in unread:
        try:
            contracts[version] = unread[version]
        except SchemaError as error:
            if broken is None:
                raise
            broken.append(error)
    return contracts


class _Unread(Mapping[int, Contract]):
    """The contracts of a subject, each read from its file when it is asked for."""

    sends_undeclared: tuple[str, ...] = ()

    def __init__(self, files: SchemaFiles, folder: Path, _: list[ContractTestError] | None) -> None:
        if not _SUBJECT.fullmatch(folder.name):
            advice = "Use letters, digits, dots, hyphens and underscores, beginning with a letter or digit."
            raise CatalogError(f"{folder.name[:60]!r} cannot be a subject's name", place=str(folder), advice=advice)
        self._files, self._subject = files, folder.name
        matches = [(_VERSION.fullmatch(path.name), path) for path in folder.glob("v*.json")]
        self._paths = dict(sorted((int(match[1]), path) for match, path in matches if match))
        self._read: dict[int, Contract] = {}

    def __getitem__(self, version: int) -> Contract:
        if version not in self._read:
            path, files = self._paths[version], self._files
            resources = files.reach(path)
            self._read[version] = Contract(
                self._subject, version, path, files.uri_of(path), files.read(path), resources, self.sends_undeclared
            )
        return self._read[version]

    def __iter__(self) -> Iterator[int]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def _channel(root: Path, name: str, table: Mapping[str, Any]) -> Channel:
    place = f"{root / 'catalog.toml'}:[channels.{name}]"
    _check_keys(table, _CHANNEL_KEYS, place)
    for required in ("protocol", "address", "codec"):
        if required not in table:
            raise CatalogError(
                f"{required} is missing", place=place, advice=f"Add {required} = {_wanted(_CHANNEL_KEYS[required])}."
            )
    check_package(table["codec"], _of_key(place, "codec"))
    values = {key: value for key, value in table.items() if key not in ("retention", *_ABOUT_KEYS)}
    routing_keys = tuple(values.pop("routing_keys", ()))
    _check_routing_keys(table, routing_keys, place)
    return Channel(name, **values, routing_keys=routing_keys)


def _check_routing_keys(table: Mapping[str, Any], routing_keys: tuple[str, ...], place: str) -> None:
    """Raise CatalogError if an AMQP channel does not say which messages of which exchange it has."""
    if table["protocol"] != "amqp":
        if routing_keys:
            problem = f"routing_keys are of the protocol amqp, and this channel's is {table['protocol']}"
            raise CatalogError(problem, place=place, advice="Take them out.")
    elif "*" in table["address"]:
        advice = "Give each exchange a channel. Patterns go into routing_keys."
        raise CatalogError("address is not the name of one exchange", place=place, advice=advice)
    elif not routing_keys:
        advice = (
            'Add routing_keys = ["orders.#"]: patterns for a topic exchange, the keys themselves for a direct one, '
            '["#"] for a fanout exchange.'
        )
        raise CatalogError("routing_keys is missing", place=place, advice=advice)


def _subject(
    root: Path, name: str, table: Mapping[str, Any], channels: Mapping[str, Channel], contracts: Mapping[int, Contract]
) -> Subject:
    place = f'{root / "catalog.toml"}:[subjects."{name}"]'
    _check_keys(table, _SUBJECT_KEYS, place)
    values = {key: value for key, value in table.items() if key not in _ABOUT_KEYS}
    values["about"] = _about(table)
    values |= _subject_channels(values, channels, place)
    for key in ("volatile", "sent_by", "received_by", "sends_undeclared"):
        values[key] = tuple(values.get(key, ()))
    unknown = [service for service in values["sends_undeclared"] if service not in values["sent_by"]]
    if unknown:
        problem = f"sends_undeclared names {unknown[0]!r}, which is not in sent_by"
        raise CatalogError(problem, place=place, advice="Name services that send the subject.")
    if isinstance(contracts, _Unread):
        contracts.sends_undeclared = values["sends_undeclared"]
    elif values["sends_undeclared"]:
        contracts = {
            version: replace(contract, sends_undeclared=values["sends_undeclared"])
            for version, contract in contracts.items()
        }
    ids = {int(version): number for version, number in values.get("schema_ids", {}).items()}
    return Subject(name, contracts, **(values | {"schema_ids": ids}))


def _subject_channels(
    values: dict[str, Any], channels: Mapping[str, Channel], place: str
) -> dict[str, tuple[Channel, ...]]:
    """Take the names of channels out of a subject's table, and return the channels. Raises CatalogError."""
    if "channel" in values and "channels" in values:
        problem = "channel and channels are both there"
        raise CatalogError(problem, place=place, advice="List every channel in channels, and take channel out.")
    named = {key: values.pop(key, ()) for key in ("channels", "retry", "dead_letter")}
    named["channels"] = named["channels"] or values.pop("channel", ())
    found, seen = {}, dict[str, str]()
    for key, value in named.items():
        names = [value] if isinstance(value, str) else list(value)
        for name in names:
            if name not in channels:
                known = ", ".join(channels) or "none"
                problem = f"no channel {name!r} (known: {known})"
                raise CatalogError(problem, place=place, advice="Declare it, or correct the name.")
            if name in seen:
                problem = f"the channel {name!r} is in {seen[name]} and in {key}"
                raise CatalogError(problem, place=place, advice="Name each channel once.")
            seen[name] = key
        found[key] = tuple(channels[name] for name in names)
    if not found["channels"] and seen:
        problem = f"{' and '.join(dict.fromkeys(seen.values()))} without a channel that producers send to"
        raise CatalogError(problem, place=place, advice='Add channel = "NAME".')
    return found


def _tables(root: Path, document: Mapping[str, Any], section: str) -> list[tuple[str, Mapping[str, Any]]]:
    tables = document.get(section, {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        place = f"{root / 'catalog.toml'}:[{section}]"
        raise CatalogError(
            f"{section} is not a table of tables", place=place, advice=f"Write [{section}.NAME] headers."
        )
    return list(tables.items())


def _only(table: Mapping[str, Any], known: Mapping[str, Any] | tuple[str, ...], place: str) -> None:
    for key in table:
        if key not in known:
            raise CatalogError(
                f"{key!r} is not known here", place=_of_key(place, key), advice=f"Known: {', '.join(known)}."
            )


def _check_table(table: Any, known: Mapping[str, str | tuple[str, ...]], place: str) -> None:
    if not isinstance(table, dict):
        raise CatalogError("it is not a table", place=place, advice=f"Write a table with {', '.join(known)}.")
    _check_keys(table, known, place)


def _check_keys(table: Mapping[str, Any], known: Mapping[str, str | tuple[str, ...]], place: str) -> None:
    _only(table, known, place)
    for key, value in table.items():
        wanted = known[key]
        if isinstance(wanted, tuple):
            is_installed = key in GROUPS and is_plugin(key, value, wanted, _of_key(place, key))
            right = is_installed or value in wanted
        elif wanted == _TRUTH:
            right = isinstance(value, bool)
        elif wanted == _LIST:
            right = isinstance(value, list) and all(isinstance(item, str) for item in value)
        elif wanted == _TEXT_OR_LIST:
            right = bool(value) and (
                isinstance(value, str)
                or (isinstance(value, list) and all(isinstance(item, str) and item for item in value))
            )
        elif wanted == _IDS:
            right = isinstance(value, dict) and all(
                name.isascii() and name.isdigit() and type(number) is int and 0 <= number < 2**32
                for name, number in value.items()
            )
        elif wanted == _TYPES:
            right = isinstance(value, dict) and all(
                _EXTENSION.fullmatch(name) and kind in ("string", "integer", "boolean") for name, kind in value.items()
            )
        elif wanted == _NAMED_TEXTS:
            right = isinstance(value, dict) and all(isinstance(text, str) and text for text in value.values())
        elif wanted == _POINTER_TEXT:
            right = isinstance(value, str) and _POINTER.fullmatch(value) is not None
        elif wanted == _POINTER_OR_EXTENSION:
            right = isinstance(value, str) and bool(_POINTER.fullmatch(value) or _EXTENSION.fullmatch(value))
        elif wanted == _DURATION:
            right = isinstance(value, str) and iso_duration(value) is not None
        else:
            right = isinstance(value, str) and value != ""
        if not right:
            raise CatalogError(f"{key} is {value!r}", place=_of_key(place, key), advice=f"It takes {_wanted(wanted)}.")


def _of_key(place: str, key: str) -> str:
    """The place of a key in a table, or in the file."""
    name = key if _BARE_KEY.fullmatch(key) else toml_text(key)
    return f"{place}.{name}" if place.endswith("]") else f"{place}:{name}"


def _wanted(wanted: str | tuple[str, ...]) -> str:
    return wanted if isinstance(wanted, str) else "one of " + ", ".join(f'"{value}"' for value in wanted)
