"""The generated package: Python source for value objects, and the files it stands in."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from contract_test.data.contract import Catalog, Contract, Generation, Subject, class_name, snake_case
from contract_test.data.errors import ContractTestError, SchemaError
from contract_test.generate.classes import plan_module
from contract_test.generate.dialects import in_own_dialect
from contract_test.generate.docstrings import docstring
from contract_test.generate.plan import ModulePlan
from contract_test.generate.sharing import SHARED, Import, Shared, share
from contract_test.generate.writer import write_parts
from contract_test.schema.keywords import is_no_schema
from contract_test.schema.names import identifier, literal, unused
from contract_test.schema.walk import References
from envelopes.validation import compile_schema

HEADER = "Generated from contracts/ by `contract-test generate`: change the contract, not this file."

_TYPING = ("TYPE_CHECKING", "Annotated", "Literal", "TypeAlias")
_LONG_FORMS = ("Optional", "Union")
"""Imported with an underscore, because a class may have such a name."""
_RUNTIME = ("Boolean", "Day", "DecimalNumber", "DecimalText", "Deprecated", "Field", "FrozenMap", "Integer", "Json",
            "JsonDefault", "JsonEqual", "MappingValueObject", "Matching", "NotAnObject", "Number", "OneOf",
            "OpenValueObject", "RootValue", "Timestamp", "ValueObject", "contract_beside", "shared_beside")  # fmt: skip


@dataclass(frozen=True)
class Modules:
    """The generated modules of some contracts: their files by name, and the plans behind them."""

    files: Mapping[str, str]
    plans: tuple[ModulePlan, ...]
    """In the order of the contracts, before shared classes were moved."""


def module_files(
    contracts: Sequence[Contract], names: Mapping[str, str] | None = None, generation: Generation | None = None
) -> Modules:
    """Return the files of contracts by name: a module and a schema each, and the module of what they share.

    `names` are those that shared classes have already, by digest. Raises SchemaError.
    """
    for contract in contracts:
        refuse_unusable(contract)
    generation = generation or Generation()
    plans = [plan_contract(contract, f"M{place}c", generation) for place, contract in enumerate(contracts)]
    shared = share(contracts, plans, names or {})
    written = write_parts([*shared.plans, shared.plan], shared.aliases)
    files = {}
    for contract, plan, imports in zip(contracts, shared.plans, shared.imports, strict=True):
        contract_line = f"contract_beside({literal(contract.subject)}, {contract.version}, __file__)"
        files[f"{contract.module_name}.py"] = _module(contract.name, contract_line, plan, written, imports)
        files[f"{contract.module_name}.json"] = schema_file(contract)
    if shared.plan.parts:
        title = "Value objects that several messages have in common"
        files[f"{SHARED}.py"] = _module(title, "shared_beside(__file__)", shared.plan, written, ())
        files[f"{SHARED}.json"] = _shared_schemas(shared)
    return Modules(_checked(files, generation), tuple(plans))


def comments(generation: Generation) -> str:
    """Return the lines on top of a module: the header of the catalog, and the options that change what is written."""
    lines = [line for line in generation.header.splitlines() if line.isprintable()]
    lines += ["Generated with snake_case_field."] if generation.snake_case_field else []
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)


def _checked(files: Mapping[str, str], generation: Generation) -> dict[str, str]:
    """Return files with their comments. Raises ContractTestError if a text of a schema has become code."""
    found = {
        name: f"{comments(generation)}{text}" if name.endswith(".py") and text else text for name, text in files.items()
    }
    for name, source in found.items():
        if name.endswith(".py"):
            check_source(source)
    return found


def _shared_schemas(shared: Shared) -> str:
    resources = {uri: schema for owner in shared.owners for uri, schema in owner.resources.items()}
    document = {"uri": shared.owners[0].uri, "resources": resources, "names": dict(sorted(shared.names.items()))}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def refuse_unusable(contract: Contract) -> None:
    """Raise SchemaError if a contract's document is no schema that values can be checked with."""
    advice = "Run `contract-test lint` to see where."
    if is_no_schema(contract.schema, References(contract.resources, contract.uri).draft):
        raise SchemaError(
            "not a schema: it has no keyword that describes messages", place=str(contract.path), advice=advice
        )
    try:
        compile_schema(contract.resources, f"{contract.uri}#")
    except ValueError as error:
        sentence = str(error).partition("\n")[0][:200]
        raise SchemaError(f"not a valid schema: {sentence}", place=str(contract.path), advice=advice) from None


def schema_file(contract: Contract) -> str:
    """Return the compact schema file beside a module, with everything that the contract reaches."""
    document = {"uri": contract.uri, "resources": contract.resources}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def package_files(catalog: Catalog, package: str) -> dict[str, str]:
    """Return the package's own modules: the lazy names and the catalog at run time."""
    files = {"messages/__init__.py": _messages(catalog)}
    if package != "envelopes":
        files["__init__.py"] = _package(package)
        files["py.typed"] = ""
    return _checked(files, catalog.generation)


def plan_contract(contract: Contract, prefix: str, generation: Generation | None = None) -> ModulePlan:
    """Return the plan of a contract's module."""
    resources = in_own_dialect(contract.resources, contract.uri)
    snake_case = generation is not None and generation.snake_case_field
    return plan_module(resources, contract.uri, contract.class_name, _reserved(), prefix, snake_case=snake_case)


@cache
def _reserved() -> frozenset[str]:
    from envelopes import ValueObject

    return frozenset((*dir(ValueObject), *_TYPING, *_RUNTIME, "CONTRACT", "annotations", "str", "tuple", "None"))


def _module(title: str, contract: str, plan: ModulePlan, written: Mapping[str, str], imports: Sequence[Import]) -> str:
    named = [part for part in plan.parts if part.name]
    body = "\n\n\n".join(written[part.key] for part in named)
    used = {node.id for node in ast.walk(ast.parse(f"{body}\nCONTRACT = {contract}")) if isinstance(node, ast.Name)}
    forms = (form for form in _LONG_FORMS if f"_{form}" in used)
    typing = ", ".join([*(name for name in _TYPING if name in used), *(f"{form} as _{form}" for form in forms)])
    runtime = "".join(f"    {name},\n" for name in _RUNTIME if name in used)
    lines = [_import(module, [each for each in imports if each.module == module]) for module in _modules_of(imports)]
    exported = sorted({"CONTRACT", *(each.here for each in imports), *(part.name for part in named)})
    return "\n".join((
        docstring(f"{title}\n\n{HEADER}", ""),
        "",
        "from __future__ import annotations",
        "",
        *(["from collections.abc import Mapping as _Mapping"] if "_Mapping" in used else []),
        *([f"from typing import {typing}", ""] if typing else []),
        f"from envelopes.generated import (\n{runtime})",
        "",
        *([*lines, ""] if imports else []),
        *(["__all__ = [", *(f"    {literal(name)}," for name in exported), "]", ""] if imports else []),
        f"CONTRACT = {contract}",
        "",
        "",
        body,
        "",
    ))  # fmt: skip


def _modules_of(imports: Sequence[Import]) -> list[str]:
    return sorted({each.module for each in imports})


def _import(module: str, names: Iterable[Import]) -> str:
    beside = "".join(f"    {each.there} as {each.here},\n" for each in names)
    return f"from .{module} import (\n{beside})"


def _messages(catalog: Catalog) -> str:
    imports, names = [], []
    for subject in catalog.subjects.values():
        for contract in subject.contracts.values():
            name = contract.class_name
            imports.append(f"    from .{contract.module_name} import {name} as {name}")
            names.append(name)
        newest = subject.newest
        imports.append(f"    from .{newest.module_name} import {newest.class_name} as {class_name(subject.name)}")
        names.append(class_name(subject.name))
    channels = "".join(
        f"        {_call('Channel', _channel_values(channel.__dict__), 8)},\n" for channel in catalog.channels.values()
    )
    subjects = "".join(
        f"        {_call('Subject', _subject_values(subject), 8)},\n" for subject in catalog.subjects.values()
    )
    readers = _readers(catalog, names)
    imported = (
        ("Catalog", "Channel", "Reader", "Subject", "reader_of") if readers else ("Catalog", "Channel", "Subject")
    )
    exported = "".join(f"    {literal(name)},\n" for name in sorted({*names, *readers, "CATALOG"}))
    return "\n".join((
        docstring(f"Value objects, one module a version; the bare name is the newest version.\n\n{HEADER}", ""),
        "",
        "from __future__ import annotations",
        "",
        "from typing import TYPE_CHECKING",
        "",
        f"from envelopes.generated import {', '.join(imported)}",
        "",
        "if TYPE_CHECKING:",
        *sorted(imports),
        "",
        f"__all__ = [\n{exported}]",
        "",
        f"CATALOG = Catalog(\n    __name__,\n    channels=[\n{channels}    ],\n    subjects=[\n{subjects}    ],\n)",
        "",
        *(line for each in readers.values() for line in each),
        "",
        "def __getattr__(name: str) -> object:",
        "    return CATALOG.load(name)",
        "",
    ))  # fmt: skip


def _readers(catalog: Catalog, taken: Iterable[str]) -> dict[str, list[str]]:
    """Return the functions that read one channel each, by name, with the lines that define them."""
    found: dict[str, list[str]] = {}
    for channel in catalog.channels.values():
        subjects = [subject for subject in catalog.subjects.values() if channel in subject.all_channels]
        classes = [each.class_name for subject in subjects for each in subject.contracts.values()]
        if classes:
            name = unused(identifier(f"decode_{snake_case(channel.name)}", "decode"), {*found, *taken})
            absent = ["None"] if channel.without_data == "allow" else []
            types = " | ".join([*classes, *absent])
            found[name] = [
                f"{name}: Reader[{types}] = reader_of(CATALOG, {literal(channel.name)})",
                docstring(f"Read one message of the channel {channel.name}.", ""),
                "",
            ]
    return found


def _package(package: str) -> str:
    return "\n".join((
        docstring(f"Typed, immutable value objects for every message of {package}.\n\n{HEADER}", ""),
        "",
        "from envelopes.generated import coding_with",
        "",
        "from .messages import CATALOG",
        "",
        '__all__ = ["decode", "encode"]',
        "",
        "decode, encode = coding_with(CATALOG)",
        "",
    ))  # fmt: skip


def _channel_values(values: dict[str, object]) -> dict[str, object]:
    defaults = {"mode": "structured", "without_data": "reject", "extensions": {}, "routing_keys": ()}
    return {name: value for name, value in values.items() if value is not None and defaults.get(name) != value}


def _subject_values(subject: Subject) -> dict[str, object]:
    values = {name: getattr(subject, name) for name in ("type", "key", "id", "time", "version")}
    contracts = subject.contracts
    return {
        "name": subject.name,
        "versions": {number: f"{each.module_name}:{each.class_name}" for number, each in contracts.items()},
        **_channel_names(subject),
        **{name: value for name, value in values.items() if value is not None},
        "dataschemas": {number: each.dataschema for number, each in contracts.items()},
        **({"schema_ids": dict(subject.schema_ids)} if subject.schema_ids else {}),
    }


def _channel_names(subject: Subject) -> dict[str, object]:
    """Return the names of a subject's channels: of the first, and of all if there are more."""
    channels, retry, dead_letter = (
        tuple(each.name for each in some) for some in (subject.channels, subject.retry, subject.dead_letter)
    )
    return {
        **({"channel": channels[0]} if channels else {}),
        **({"channels": channels} if len(channels) > 1 else {}),
        **({"retry": retry} if retry else {}),
        **({"dead_letter": dead_letter} if dead_letter else {}),
    }


def _call(name: str, values: dict[str, object], indent: int) -> str:
    inner = "".join(f"{' ' * (indent + 4)}{key}={literal(value)},\n" for key, value in values.items())
    return f"{name}(\n{inner}{' ' * indent})"


_ALLOWED_CALLS = frozenset(
    (
        "contract_beside",
        "shared_beside",
        "Field",
        "FrozenMap",
        "JsonDefault",
        "Matching",
        "OneOf",
        "frozenset",
        "Catalog",
        "Channel",
        "Subject",
        "coding_with",
        "reader_of",
    )
)
_ALLOWED_NODES = (
    ast.Module, ast.Expr, ast.Constant, ast.ImportFrom, ast.Import, ast.alias, ast.ClassDef, ast.Assign, ast.AnnAssign,
    ast.Name, ast.Load, ast.Store, ast.Subscript, ast.Tuple, ast.List, ast.Dict, ast.BinOp, ast.BitOr, ast.Call,
    ast.keyword, ast.UnaryOp, ast.USub, ast.If, ast.FunctionDef, ast.arguments, ast.arg,
)  # fmt: skip
_ALLOWED_MODULES = frozenset(("__future__", "collections.abc", "typing", "envelopes.generated"))
_GETATTR = ast.dump(ast.parse("def __getattr__(name: str) -> object:\n    return CATALOG.load(name)").body[0])


def check_source(source: str) -> None:
    """Check generated source with an allow-list: data, names and a few constructors.

    Raises ContractTestError for anything else, because text of a schema would have become code.
    """
    for statement in ast.parse(source).body:
        if ast.dump(statement) == _GETATTR:
            continue
        for node in ast.walk(statement):
            if not (isinstance(node, _ALLOWED_NODES) and _harmless(node)):
                raise ContractTestError(
                    f"the generated code contains {ast.unparse(node)[:80]!r}",
                    advice="This is a bug in contract-test. Please report it with the schema.",
                )


def _harmless(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name in _ALLOWED_CALLS
        case ast.Call():
            return False
        case ast.ImportFrom(module=module, level=level):
            return level == 1 or module in _ALLOWED_MODULES
        case ast.Import(names=names):
            return all(name.name in _ALLOWED_MODULES for name in names)
        case ast.If(test=test, orelse=orelse):
            return ast.dump(test) == "Name(id='TYPE_CHECKING', ctx=Load())" and not orelse
        case ast.FunctionDef(name=name, body=body, decorator_list=decorators):
            return name == "__init__" and list(map(ast.unparse, body)) == ["..."] and not decorators
        case ast.ClassDef(decorator_list=decorators, keywords=keywords):
            return not decorators and not keywords
    return True


def write_files(folder: Path, files: Iterable[tuple[str, str]]) -> list[Path]:
    """Write the files that differ from what is there. Return the paths that were written."""
    written = []
    for name, text in files:
        path = folder / name
        if path.is_file() and path.read_bytes() == text.encode():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        written.append(path)
    return written
