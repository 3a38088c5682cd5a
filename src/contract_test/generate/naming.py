"""Names of fields, and the order of a module's classes."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from contract_test.generate.plan import Named, Type, ValueClass
from contract_test.schema.names import identifier, unused
from contract_test.schema.walk import unescape


@dataclass(frozen=True)
class InAny:
    """What is in any of several collections: of a module's names, a copy for each of its classes would be long."""

    parts: tuple[Container[str], ...]

    def __contains__(self, name: object) -> bool:
        return any(name in part for part in self.parts)


def attribute_names(fields: Iterable[str], taken: Container[str], *, snake_case: bool = False) -> dict[str, str]:
    """Return the Python names of fields by JSON name; one that can be kept as it is goes to no other field."""
    used, found = set[str](), dict.fromkeys(fields, "")
    not_free = InAny((used, taken))
    names = {name: identifier(_snake_case(name) if snake_case else name, "field") for name in found}
    for name in sorted(found, key=lambda name: names[name] != name):
        wanted = names[name]
        found[name] = unused(f"{wanted}_" if wanted in taken else wanted, not_free)
        used.add(found[name])
    return found


def _snake_case(name: str) -> str:
    """Return `orderId` → `order_id`, `HTTPStatus` → `http_status`."""
    return _WORD_BEGINS.sub("_", name).lower()


_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def definition_name(location: str) -> str:
    """Return the name of the entry of `$defs` or `definitions` that a location leads to, or nothing."""
    steps = unquote(location).split("/")
    return unescape(steps[-1]) if len(steps) > 1 and steps[-2] in ("$defs", "definitions") else ""


def file_name(location: str) -> str:
    """Return a name for the schema of a whole file: that of the file, or of the folder of a contract's version."""
    steps = unquote(location.partition("#")[0]).split("/")
    stem = steps[-1].removesuffix(".json")
    return steps[-2] if len(steps) > 1 and stem.removeprefix("v").isdecimal() else stem


def in_order(parts: list[ValueClass | Named], root: str = "") -> tuple[ValueClass | Named, ...]:
    """Return classes and named types, each after those that it uses, and the root last if there is one."""
    by_key = {each.key: each for each in parts}
    order: dict[str, None] = {}
    entered: set[str] = set()
    pending: list[tuple[str, Iterator[str]]] = []

    def enter(key: str) -> None:
        if key not in entered:
            entered.add(key)
            pending.append((key, iter(_uses(by_key[key]))))

    for key in [*([root] if root else []), *by_key]:
        enter(key)
        while pending:
            here, uses = pending[-1]
            following = next((each for each in uses if each not in entered), None)
            if following is None:
                order[here] = None
                pending.pop()
            else:
                enter(following)
    last = (by_key[root],) if root else ()
    return (*_types_after_what_they_name([by_key[key] for key in order if key != root]), *last)


def _types_after_what_they_name(parts: list[ValueClass | Named]) -> Iterator[ValueClass | Named]:
    """Yield parts in their order, except that a type waits for all that it names. A class may name what comes later."""
    missing = {each.key for each in parts}
    waiting: list[ValueClass | Named] = []
    for part in parts:
        waiting.append(part)
        while ready := next((each for each in waiting if _is_ready(each, missing)), None):
            waiting.remove(ready)
            missing.discard(ready.key)
            yield ready
    yield from waiting


def _is_ready(part: ValueClass | Named, missing: set[str]) -> bool:
    return isinstance(part, ValueClass) or missing.isdisjoint(_uses(part))


def _uses(each: ValueClass | Named) -> list[str]:
    types = [each.type] if isinstance(each, Named) else [attribute.type for attribute in each.attributes]
    return [key for type_ in types for key in references_in(type_)]


def references_in(type_: Type | Mapping[str, Any]) -> list[str]:
    """Return the keys of the classes and unions in a type."""
    if "$ref" in type_:
        return [str(type_["$ref"]).rpartition("/")[2]]
    inner = [
        type_.get("items"),
        type_.get("additionalProperties"),
        *type_.get("anyOf", ()),
        *type_.get("prefixItems", ()),
    ]
    return [key for each in inner if isinstance(each, dict) for key in references_in(each)]
