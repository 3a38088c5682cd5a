"""The versions of a subject as the site shows them: the schema's fields, the value object, and recorded examples."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from contract_test.data.contract import Channel, Contract
from contract_test.data.errors import ContractTestError
from contract_test.files.recordings import read_recording
from contract_test.recordings.messages import data_of
from contract_test.site.data import Example, FieldRow, VersionData

MAX_EXAMPLES = 3
MAX_EXAMPLE_LENGTH = 20_000


def version_data(
    contract: Contract,
    rows: tuple[FieldRow, ...] | None,
    channels: dict[str, Channel],
    registered: Collection[tuple[str, int]],
    source: Callable[[Contract], str],
) -> VersionData:
    """Return everything about one version."""
    schema = contract.schema if isinstance(contract.schema, dict) else {}
    recorded, examples, notes = _recorded(contract, channels)
    if rows is None:
        notes = (*notes, "The schema has too many fields to list. Its schemas refer to each other in many ways.")
    title, description = (str(schema.get(name) or "") for name in ("title", "description"))
    return VersionData(
        contract.version,
        f"{contract.subject}/v{contract.version}.json",
        (contract.subject, contract.version) in registered,
        title,
        description,
        contract.schema,
        rows or (),
        contract.class_name,
        source(contract),
        recorded,
        examples,
        notes,
    )


def _recorded(contract: Contract, channels: dict[str, Channel]) -> tuple[int, tuple[Example, ...], tuple[str, ...]]:
    try:
        interactions = read_recording(contract)
    except ContractTestError as error:
        return 0, (), (f"The recording cannot be read: {error.problem}",)
    examples: list[Example] = []
    for each in interactions:
        channel = channels.get(each.channel)
        if channel is None or len(examples) == MAX_EXAMPLES:
            continue
        with suppress(LookupError, TypeError):
            data = json.dumps(data_of(each, channel), ensure_ascii=False, indent=2)
            place = f"{contract.subject}/recordings/v{contract.version}.jsonl:{each.line}"
            if len(data) <= MAX_EXAMPLE_LENGTH:
                examples.append(Example(place, data, each.masked))
    return len(interactions), tuple(examples), ()


def value_object_source(package: str | None) -> Callable[[Contract], str]:
    """Return a function that finds the source of a version's value object, or "".

    Nothing is imported but the package itself. A module counts if the schema beside it is the contract's.
    """
    folder = _messages_folder(package) if package else None

    def source(contract: Contract) -> str:
        if folder is None:
            return ""
        with suppress(OSError, ValueError):
            beside = json.loads((folder / f"{contract.module_name}.json").read_bytes())
            if isinstance(beside, dict) and beside.get("resources") == contract.resources:
                return (folder / f"{contract.module_name}.py").read_text(encoding="utf-8")
        return ""

    return source


def _messages_folder(package: str) -> Path | None:
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return None
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) / "messages" if places else None
