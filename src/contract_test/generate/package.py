"""Generation of a package of value objects: which files are written, stale, or removed."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from contract_test.data.contract import Catalog, Contract, Generation, usable_subject
from contract_test.data.errors import CatalogError
from contract_test.files.proof_cache import Engine, ProofCache, key_of
from contract_test.generate.general import GeneralTypes, general_types
from contract_test.generate.sharing import SHARED
from contract_test.generate.source import HEADER, comments, module_files, package_files, schema_file, write_files

GENERATING = Engine(
    ("generate", "compare", "data", "schema", "files"),
    ("datamodel-code-generator", "jinja2", "jsonschema-rs", "pydantic"),
    "**/*",
)
"""What decides what is written."""


@dataclass(frozen=True)
class Generated:
    """The files that a run wrote, removed, or found stale. A run that checks writes nothing."""

    written: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()
    stale: tuple[Path, ...] = ()
    general: GeneralTypes | None = None
    """The fields of the type `Json`; None if nothing had to be generated."""


def generate(catalog: Catalog, package: str, output: Path, *, again: bool = False) -> Generated:
    """Write the value objects of every contract below `output`/`package`.

    Unchanged contracts are skipped, unless everything is to be generated `again`: another version of this toolkit may
    write other code for them.
    """
    _refuse_clashes(catalog)
    folder = output / package
    written: list[Path] = []
    messages = folder / "messages"
    modules = None
    if again or not _is_up_to_date(catalog, messages):
        modules = module_files(catalog.contracts, _shared_names(messages), catalog.generation)
        written += write_files(messages, modules.files.items())
    written += write_files(folder, package_files(catalog, package).items())
    removed = []
    for path in _orphans(catalog, folder, modules.files if modules else None):
        path.unlink()
        removed.append(path)
    general = general_types(catalog.contracts, modules.plans) if modules else None
    return Generated(tuple(written), tuple(removed), general=general)


def check(catalog: Catalog, package: str, output: Path, cache: ProofCache | None = None) -> Generated:
    """Compare the files below `output`/`package` with what would be written.

    What would be written is generated again, unless the `cache` knows it of the same contracts, options and code.
    """
    _refuse_clashes(catalog)
    folder = output / package
    expected = {folder / name: _digest(text.encode()) for name, text in package_files(catalog, package).items()}
    made = _digests(catalog, _shared_names(folder / "messages"), cache or ProofCache(None))
    expected |= {folder / "messages" / name: digest for name, digest in made.items()}
    stale = [path for path, digest in expected.items() if not path.is_file() or _digest(path.read_bytes()) != digest]
    return Generated(stale=(*stale, *_orphans(catalog, folder, made)))


def _digests(catalog: Catalog, shared_names: Mapping[str, str], cache: ProofCache) -> dict[str, str]:
    """Return the digests of the modules and schemas that would be written, by name."""
    reached = _digest_of_each([each.resources for each in catalog.contracts])
    parts = [
        [each.subject, each.version, each.uri, each.sends_undeclared, digests]
        for each, digests in zip(catalog.contracts, reached, strict=True)
    ]
    options = [asdict(catalog.generation), dict(shared_names), sys.version]
    key = key_of("generated 1", json.dumps([parts, options]), engine=GENERATING)
    kept = cache.get(key)
    if kept is not None and all(isinstance(each, str) for each in kept.values()):
        return kept
    files = module_files(catalog.contracts, shared_names, catalog.generation).files
    found = {name: _digest(text.encode()) for name, text in files.items()}
    cache.put(key, found)
    return found


def _digest_of_each(resources: Iterable[Mapping[str, Any]]) -> list[list[list[str]]]:
    """Return the URIs and digests of the documents that each contract reaches, in order; shared ones are read once."""
    known: dict[int, str] = {}

    def digest_of(document: Any) -> str:
        if id(document) not in known:
            known[id(document)] = _digest(json.dumps(document).encode())
        return known[id(document)]

    return [[[uri, digest_of(document)] for uri, document in each.items()] for each in resources]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _is_unchanged(contract: Contract, folder: Path) -> bool:
    beside = folder / f"{contract.module_name}.json"
    there = beside.is_file() and beside.with_suffix(".py").is_file()
    return there and beside.read_text(encoding="utf-8") == schema_file(contract)


def _has_options(module: Path, generation: Generation) -> bool:
    """Return whether a module was written with the options of the catalog, or is not there yet."""
    return not module.is_file() or module.read_text(encoding="utf-8").startswith(f'{comments(generation)}"""')


def _is_up_to_date(catalog: Catalog, messages: Path) -> bool:
    """Return whether the schemas beside the modules are those of the contracts, and no others."""
    known = {contract.module_name for contract in catalog.contracts} | {SHARED}
    if any(path.stem not in known for path in messages.glob("*.json")):
        return False
    if not _has_options(messages / "__init__.py", catalog.generation):
        return False
    both = [(messages / f"{SHARED}{suffix}").is_file() for suffix in (".py", ".json")]
    return both[0] == both[1] and all(_is_unchanged(contract, messages) for contract in catalog.contracts)


def _shared_names(messages: Path) -> dict[str, str]:
    """Return the names that shared classes have already: they keep them, whatever is added."""
    try:
        names = json.loads((messages / f"{SHARED}.json").read_text(encoding="utf-8"))["names"]
    except (FileNotFoundError, LookupError, TypeError, ValueError):
        return {}
    return names if isinstance(names, dict) else {}


def _orphans(catalog: Catalog, folder: Path, files: Collection[str] | None) -> Iterator[Path]:
    """Yield the generated files of contracts that no longer exist, and a shared module that has become empty."""
    known = {contract.module_name for contract in catalog.contracts} | {"__init__"}
    if files is None or f"{SHARED}.py" in files:
        known.add(SHARED)
    for path in sorted((folder / "messages").glob("*.py")):
        if path.stem not in known and HEADER in path.read_text(encoding="utf-8"):
            yield path
            if path.with_suffix(".json").is_file():
                yield path.with_suffix(".json")


def _refuse_clashes(catalog: Catalog) -> None:
    by_name: dict[str, Contract] = {}
    for contract in catalog.contracts:
        wanted = usable_subject(contract.subject)
        if wanted != contract.subject:
            raise CatalogError(
                f"no class can be named after the subject {contract.subject!r}",
                place=str(contract.path.parent),
                advice=f"Rename it, for example to {wanted}.",
            )
        for name in (contract.class_name, contract.module_name):
            other = by_name.setdefault(name.lower(), contract)
            if other.subject != contract.subject:
                raise CatalogError(
                    f"{contract.subject!r} and {other.subject!r} would both become {name}",
                    place=str(contract.path.parent),
                    advice="Rename one of the two subjects.",
                )
