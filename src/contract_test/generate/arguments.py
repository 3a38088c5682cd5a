"""The arguments of a class as a type checker sees them: a dict may be given where a field is a map."""

from __future__ import annotations

import re
from collections.abc import Mapping

from contract_test.generate import plan as p
from contract_test.generate.drafts import MAP
from contract_test.generate.naming import references_in
from contract_test.generate.plan import Attribute, Named, Type, ValueClass

_FROZEN_MAPS = re.compile(r"""\bFrozenMap\[|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""")


def arguments_of(part: ValueClass, named: Mapping[str, Named]) -> list[tuple[Attribute, Type]]:
    """Return the arguments of a class with their types, or nothing if no field is a map. `named` are types by key."""
    attributes = [*part.inherited, *part.attributes, *open_map(part)]
    types = [_in_full(each.type, named) for each in attributes]
    return list(zip(attributes, types, strict=True)) if any(map(_has_map, types)) else []


def open_map(part: ValueClass) -> tuple[Attribute, ...]:
    """Return the field that a class has from `OpenValueObject`."""
    is_open = part.base == "OpenValueObject"
    return (Attribute(MAP, MAP, p.map_of(p.JSON), required=False, additional=True),) if is_open else ()


def as_argument(hint: str) -> str:
    """Write `FrozenMap[str, T]` as `_Mapping[str, T]`."""
    return _FROZEN_MAPS.sub(lambda found: "_Mapping[" if found[0].startswith("FrozenMap") else found[0], hint)


def _in_full(type_: Type, named: Mapping[str, Named]) -> Type:
    """Return a type with what a name stands for in the place of the name, where this has a map or no name."""
    if "$ref" in type_:
        part = named.get(references_in(type_)[0])
        inner = _in_full(part.type, named) if part else type_
        return inner if part and (not part.name or _has_map(inner)) else type_
    made = dict(type_)
    for word in ("items", "additionalProperties"):
        if isinstance(made.get(word), dict):
            made[word] = _in_full(made[word], named)
    if "prefixItems" in made:
        made["prefixItems"] = [_in_full(each, named) for each in made["prefixItems"]]
    return p.one_of([_in_full(each, named) for each in made["anyOf"]]) if "anyOf" in made else made


def _has_map(type_: Type) -> bool:
    inner = [type_.get("items"), *type_.get("prefixItems", ()), *type_.get("anyOf", ())]
    return type_.get("type") == "object" or any(_has_map(each) for each in inner if isinstance(each, dict))
