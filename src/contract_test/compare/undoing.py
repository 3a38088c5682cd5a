"""Undoing some of the changes between two schemas in the newer one: patches, and the documents that they make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from contract_test.compare.documents import Document, UnusableSchemaError
from contract_test.compare.values import identity
from contract_test.data.verdict import ABSENT
from contract_test.schema.walk import escape

Path = tuple[str | int, ...]
OLDER = "x-older-version"
"""Where the older schema stands in the newer one, if something of it that was put back has references."""

# What is inside a list is changed before the list is, because an index must lead to the same element.
_ORDER = ("set", "add", "drop", "rename", "wrap")


@dataclass(frozen=True, slots=True)
class Patch:
    """One step that undoes a change at a path of a document ("" is the schema itself, else a resource's URI).

    "set" puts `value` there (`ABSENT` takes it away), "add" and "drop" change a list, "rename" gives a keyword the name
    `value`, and "wrap" adds an alternative to a schema without any.
    """

    document: str
    path: Path
    kind: Literal["set", "add", "drop", "rename", "wrap"]
    value: Any
    refers: bool = False
    """Whether `value` has references into the older schema."""


def undone(newer: Document, older: Document, patches: Iterable[Patch], side: str) -> Document:
    """Return the newer document with all patches, under a name of its own.

    Raises `UnusableSchemaError` where nothing can be proved of that.
    """
    documents: dict[str, Any] = {"": newer.schema}
    refers = False
    for patch in sorted(patches, key=lambda patch: _ORDER.index(patch.kind)):
        schema = documents.get(patch.document, newer.resources.get(patch.document))
        documents[patch.document] = _at(schema, patch.path, _STEPS[patch.kind], patch.value)
        refers = refers or patch.refers
    root = documents.pop("")
    if refers and isinstance(root, dict):
        root = {**root, OLDER: _referring(older, older.schema, all_of_them=True, newer=newer)}
    return Document(
        root,
        side,
        {**newer.resources, **documents},
        newer.equivalents,
        keep=False,
        apart=newer.apart or bool(documents),
    )


def portable(fragment: Any, older: Document, newer: Document) -> tuple[Any, bool]:
    """Return a part of the older schema as it can stand in the newer one, and whether it still refers to the older.

    A reference to what reads the same in both stays as it is.
    """
    if not older.plain or not newer.plain:
        return fragment, False
    moved = _referring(older, fragment, all_of_them=False, newer=newer)
    return moved, moved is not fragment


def _referring(older: Document, fragment: Any, *, all_of_them: bool, newer: Document) -> Any:
    """A fragment of the older schema whose references lead to the older schema's copy in the newer one."""
    if isinstance(fragment, list):
        items = [_referring(older, item, all_of_them=all_of_them, newer=newer) for item in fragment]
        return items if any(one is not other for one, other in zip(items, fragment, strict=True)) else fragment
    if not isinstance(fragment, dict):
        return fragment
    made = {name: _referring(older, member, all_of_them=all_of_them, newer=newer) for name, member in fragment.items()}
    ref = fragment.get("$ref")
    pointer = older.local(ref) if isinstance(ref, str) else None
    if pointer is not None and (all_of_them or not _reads_the_same(pointer, older, newer)):
        made["$ref"] = f"#/{OLDER}{ref.partition('#')[2]}"  # type: ignore[union-attr]
    return made if any(made[name] is not member for name, member in fragment.items()) else fragment


def _reads_the_same(pointer: str, older: Document, newer: Document) -> bool:
    try:
        newer.pointed(pointer)
    except UnusableSchemaError:
        return False
    number = older.fingerprint(pointer)
    return number is not None and number == newer.fingerprint(pointer)


def _at(value: Any, path: Path, step: Callable[[Any, str | int, Any], Any], new: Any) -> Any:
    """A copy of a value in which one step is taken at a path; what is not on the way is shared."""
    if not path:
        return step({"": value}, "", new)[""]
    name, *rest = path
    if not rest:
        return step(value, name, new)
    if isinstance(value, list):
        assert isinstance(name, int)
        return [*value[:name], _at(value[name], tuple(rest), step, new), *value[name + 1 :]]
    around = value if isinstance(value, dict) else {}
    return {**around, name: _at(around.get(name, {}), tuple(rest), step, new)}


def _set(around: Any, name: str | int, new: Any) -> Any:
    if isinstance(around, list):
        assert isinstance(name, int)
        return [*around[:name], True if new is ABSENT else new, *around[name + 1 :]]
    members = around if isinstance(around, dict) else {}
    if new is not ABSENT:
        return {**members, name: new}  # where there is one, it keeps its place
    return {other: member for other, member in members.items() if other != name}


def _add(around: Any, name: str | int, new: Any) -> Any:
    values = around.get(name, [])
    return {**around, name: [*values, new]}


def _drop(around: Any, name: str | int, new: Any) -> Any:
    unwanted = identity(new)
    return {**around, name: [value for value in around.get(name, []) if identity(value) != unwanted]}


def _rename(around: Any, name: str | int, new: Any) -> Any:
    return {(new if other == name else other): member for other, member in around.items()}


def _wrap(around: Any, name: str | int, new: Any) -> Any:
    if isinstance(around, list):
        assert isinstance(name, int)
        return [*around[:name], {"anyOf": [around[name], new]}, *around[name + 1 :]]
    return {**around, name: {"anyOf": [around[name], new]}}


_STEPS: Mapping[str, Callable[[Any, str | int, Any], Any]] = {
    "set": _set,
    "add": _add,
    "drop": _drop,
    "rename": _rename,
    "wrap": _wrap,
}


def pointer_to(document: str, path: Path) -> str:
    """Return the JSON pointer to a path; in a resource behind its URI, as `URI#/pointer`."""
    pointer = "".join(f"/{escape(str(step))}" for step in path)
    return f"{document}#{pointer}" if document else pointer
