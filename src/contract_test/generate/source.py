"""The generated package: Python source for value objects, and the files it stands in."""

from __future__ import annotations

import ast
import json
import textwrap
from collections.abc import Iterable
from pathlib import Path

from contract_test.data.contract import Catalog, Contract, Subject, class_name
from contract_test.data.errors import ContractTestError, SchemaError
from contract_test.generate.classes import Attribute, ValueClass, value_classes
from contract_test.schema.keywords import is_no_schema
from contract_test.schema.names import literal
from contract_test.schema.walk import References
from envelopes.validation import compile_schema

HEADER = "Generated from contracts/ by `contract-test generate`: change the contract, not this file."

_TYPING = ("Annotated", "Literal")
_RUNTIME = ("Boolean", "Day", "Field", "FrozenMap", "Integer", "Json", "Number", "OpenValueObject", "RootValue",
            "Timestamp", "ValueObject", "contract_beside")  # fmt: skip
_WIDTH = 100


def module_files(contract: Contract) -> dict[str, str]:
    """Return the files of one contract by name: its module and the schema beside it. Raises SchemaError."""
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
    classes = _plan(contract)
    source = _module(contract, classes)
    check_source(source)
    return {f"{contract.module_name}.py": source, f"{contract.module_name}.json": schema_file(contract)}


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
    for name, source in files.items():
        if name.endswith(".py"):
            check_source(source)
    return files


def _plan(contract: Contract) -> tuple[ValueClass, ...]:
    from envelopes import ValueObject

    taken = frozenset((*dir(ValueObject), *_TYPING, *_RUNTIME, "CONTRACT", "annotations", "str", "tuple", "None"))
    return value_classes(contract.resources, contract.uri, contract.class_name, taken)


def _module(contract: Contract, classes: tuple[ValueClass, ...]) -> str:
    body = "\n\n\n".join(_class(made) for made in classes)
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    typing = ", ".join(name for name in _TYPING if name in used)
    runtime = "".join(f"    {name},\n" for name in _RUNTIME if name in used or name == "contract_beside")
    return "\n".join((
        _docstring(f"{contract.name}\n\n{HEADER}", ""),
        "",
        "from __future__ import annotations",
        "",
        *([f"from typing import {typing}", ""] if typing else []),
            f"from envelopes.generated import (\n{runtime})",
        "",
        f"CONTRACT = contract_beside({literal(contract.subject)}, {contract.version}, __file__)",
        "",
        "",
        body,
        "",
    ))  # fmt: skip


def _class(made: ValueClass) -> str:
    lines = [f"class {made.name}({made.base}):"]
    text = "\n\n".join(part for part in (made.title, made.description) if part) or made.name
    lines += [_docstring(text, "    "), "", "    __contract__ = CONTRACT"]
    if made.place is not None:
        lines.append(f"    __pointer__ = {literal(made.place)}")
    if made.nullable:
        lines.append(f"    __nullable__ = frozenset({literal(made.nullable)})")
    additional = next((each.name for each in made.attributes if each.additional), None)
    if additional is not None:
        lines.append(f"    __additional__ = {literal(additional)}")
    for each in made.attributes:
        lines += ["", f"    {each.name}: {each.type}{_value(each)}"]
        if each.description:
            lines.append(_docstring(each.description, "    "))
    return "\n".join(lines)


def _value(each: Attribute) -> str:
    alias = f"validation_alias={literal(each.json_name)}" if each.json_name != each.name else ""
    if each.additional:
        return " = FrozenMap()"
    if each.required:
        return f" = Field({alias})" if alias else ""
    return f" = Field(default={literal(each.default)}, {alias})" if alias else f" = {literal(each.default)}"


def _docstring(text: str, indent: str) -> str:
    """Return a docstring with the text, escaped so that it cannot become code."""
    lines = [line.strip() for line in text.strip().splitlines()]
    plain = all(line.isprintable() for line in lines) and not any(sign in text for sign in ('"', "\\"))
    if not plain or not lines:
        return f"{indent}{literal(' '.join(text.split()))}"
    paragraphs = "\n".join(lines).split("\n\n")
    wrapped = "\n\n".join(
        textwrap.fill(paragraph, _WIDTH - len(indent), break_long_words=False) for paragraph in paragraphs
    )
    if "\n" not in wrapped and len(wrapped) < _WIDTH - len(indent):
        return f'{indent}"""{wrapped}"""'
    return textwrap.indent(f'"""{wrapped}\n"""', indent, lambda line: bool(line.strip()))


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
    exported = "".join(f"    {literal(name)},\n" for name in sorted({*names, "CATALOG"}))
    return "\n".join((
        _docstring(f"Value objects, one module a version; the bare name is the newest version.\n\n{HEADER}", ""),
        "",
        "from __future__ import annotations",
        "",
        "from typing import TYPE_CHECKING",
        "",
        "from envelopes.generated import Catalog, Channel, Subject",
        "",
        "if TYPE_CHECKING:",
        *sorted(imports),
        "",
        f"__all__ = [\n{exported}]",
        "",
        f"CATALOG = Catalog(\n    __name__,\n    channels=[\n{channels}    ],\n    subjects=[\n{subjects}    ],\n)",
        "",
        "",
        "def __getattr__(name: str) -> object:",
        "    return CATALOG.load(name)",
        "",
    ))  # fmt: skip


def _package(package: str) -> str:
    return "\n".join((
        _docstring(f"Typed, immutable value objects for every message of {package}.\n\n{HEADER}", ""),
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
    defaults = {"mode": "structured", "without_data": "reject", "extensions": {}}
    return {name: value for name, value in values.items() if value is not None and defaults.get(name) != value}


def _subject_values(subject: Subject) -> dict[str, object]:
    values = {name: getattr(subject, name) for name in ("type", "key", "id", "time", "version")}
    contracts = subject.contracts
    return {
        "name": subject.name,
        "versions": {number: f"{each.module_name}:{each.class_name}" for number, each in contracts.items()},
        **({"channel": subject.channel.name} if subject.channel else {}),
        **{name: value for name, value in values.items() if value is not None},
        "dataschemas": {number: each.dataschema for number, each in contracts.items()},
        **({"schema_ids": dict(subject.schema_ids)} if subject.schema_ids else {}),
    }


def _call(name: str, values: dict[str, object], indent: int) -> str:
    inner = "".join(f"{' ' * (indent + 4)}{key}={literal(value)},\n" for key, value in values.items())
    return f"{name}(\n{inner}{' ' * indent})"


_ALLOWED_CALLS = frozenset(
    ("contract_beside", "Field", "FrozenMap", "frozenset", "Catalog", "Channel", "Subject", "coding_with")
)
_ALLOWED_NODES = (
    ast.Module, ast.Expr, ast.Constant, ast.ImportFrom, ast.Import, ast.alias, ast.ClassDef, ast.Assign, ast.AnnAssign,
    ast.Name, ast.Load, ast.Store, ast.Subscript, ast.Tuple, ast.List, ast.Dict, ast.BinOp, ast.BitOr, ast.Call,
    ast.keyword, ast.UnaryOp, ast.USub,
)  # fmt: skip
_ALLOWED_MODULES = frozenset(("__future__", "typing", "envelopes.generated"))
_GETATTR = ast.dump(ast.parse("def __getattr__(name: str) -> object:\n    return CATALOG.load(name)").body[0])


def check_source(source: str) -> None:
    """Check generated source with an allow-list: data, names and a few constructors.

    Raises ContractTestError for anything else, because text of a schema would have become code.
    """
    for statement in ast.parse(source).body:
        if ast.dump(statement) == _GETATTR:
            continue
        body = statement.body if isinstance(statement, ast.If) else [statement]
        allowed_test = (
            not isinstance(statement, ast.If) or ast.dump(statement.test) == "Name(id='TYPE_CHECKING', ctx=Load())"
        )
        for node in (node for part in body for node in ast.walk(part)):
            if not (allowed_test and isinstance(node, _ALLOWED_NODES) and _harmless(node)):
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
