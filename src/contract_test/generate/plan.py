"""The plan of a module: its classes and unions, with types as plain schemas, and still without any source text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Type = dict[str, Any]
"""A schema of our own for one annotation: built from the pieces below, never from a schema of a contract."""

RUNTIME = "envelopes.generated"


def runtime_type(name: str) -> Type:
    """Return the type of a name in `envelopes.generated`."""
    return {"customTypePath": f"{RUNTIME}.{name}"}


JSON = runtime_type("Json")
NOT_AN_OBJECT = runtime_type("NotAnObject")
TEXT: Type = {"type": "string"}
NOTHING: Type = {"type": "null"}


def reference(key: str) -> Type:
    """Return the type of a class or union of the plan."""
    return {"$ref": f"#/$defs/{key}"}


def array_of(items: Type) -> Type:
    """Return the type of an array of any length."""
    return {"type": "array", "items": items}


def fixed_array_of(items: list[Type]) -> Type:
    """Return the type of an array with one type for each item."""
    return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items), "items": False}


def map_of(values: Type) -> Type:
    """Return the type of an object whose names nobody declared."""
    return {"type": "object", "additionalProperties": values}


def one_of(members: list[Type]) -> Type:
    """Return the union of types, each once; `Json` if there are none."""
    flat = [inner for member in members for inner in (member["anyOf"] if set(member) == {"anyOf"} else [member])]
    unique = list({repr(member): member for member in flat}.values())
    return {"anyOf": unique} if len(unique) > 1 else unique[0] if unique else JSON


def or_none(type_: Type) -> Type:
    """Return a type that may be None, too."""
    return type_ if NOTHING in members_of(type_) or type_ == JSON else one_of([type_, NOTHING])


def members_of(type_: Type) -> list[Type]:
    """Return the members of a union, or the type itself."""
    return type_["anyOf"] if set(type_) == {"anyOf"} else [type_]


def resolved(type_: Type, named: Mapping[str, Type]) -> list[Type]:
    """Return the members of a type, with what names stand for in their place. `named` are types by key."""
    found: list[Type] = []
    pending = [*members_of(type_)]
    while pending:
        member = pending.pop(0)
        key = str(member.get("$ref", "")).rpartition("/")[2]
        if key in named:
            pending[:0] = members_of(named[key])
        else:
            found.append(member)
    return found


def is_container(type_: Type) -> bool:
    """Return whether a type is an array or a map."""
    return type_.get("type") in ("array", "object")


@dataclass(frozen=True)
class Default:
    """The value of an absent field: a JSON value, and whether Python source can hold it as it is."""

    value: Any
    plain: bool


@dataclass(frozen=True)
class Attribute:
    """One field of a class."""

    name: str
    json_name: str
    type: Type
    required: bool
    default: Default | None = None
    text: str = ""
    deprecated: bool = False
    additional: bool = False


@dataclass(frozen=True)
class ValueClass:
    """One class of a module. `place` is where its schema is (`/pointer` or `URI#pointer`), if it is at one place."""

    key: str
    name: str
    base: str
    place: str | None
    attributes: tuple[Attribute, ...]
    nullable: tuple[str, ...] = ()
    others: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The fields for additional names with the patterns of these names, if they are not those of the base class."""
    text: str = ""
    deprecated: bool = False
    within: str | None = None
    """Where the union is of which this class is an alternative, if its schema is not at one place."""
    inherited: tuple[Attribute, ...] = ()
    """The fields of a base class that is in the plan, too."""
    decimals: bool = False
    """Whether the module has a decimal: then numbers are read with their own text."""


@dataclass(frozen=True)
class Named:
    """A type with a name, or a union or literal that needs a marker at run time, such as its tag."""

    key: str
    name: str
    """Empty where the type is written in place."""
    type: Type
    marker: str = ""
    """`Field(discriminator="kind")`, `OneOf("kind")`, `OneOf()`, `JsonEqual`; built from literals only."""


def has_decimals(part: ValueClass | Named) -> bool:
    """Return whether a class or a type has numbers that are read with their own text."""
    types = [part.type] if isinstance(part, Named) else [attribute.type for attribute in part.attributes]
    return repr(runtime_type("DecimalNumber")) in repr(types)


@dataclass(frozen=True)
class General:
    """A field, item or value whose type is `Json`, and why. `pointer` leads there from the class."""

    owner: str
    pointer: str
    reason: str

    def __str__(self) -> str:
        return f"{self.owner}{self.pointer}: {self.reason}"


@dataclass(frozen=True)
class ModulePlan:
    """Everything that one contract's module holds, each class after those that it uses."""

    parts: tuple[ValueClass | Named, ...]
    general: tuple[General, ...] = field(default=(), compare=False)
    values: int = 0
    """How many fields, items and map values have a type, the general ones included."""
    untyped: tuple[General, ...] = field(default=(), compare=False)
    """Where objects are described without `type: object`, so that other values are allowed, too."""

    @property
    def classes(self) -> tuple[ValueClass, ...]:
        """The classes alone, the message's own last."""
        return tuple(part for part in self.parts if isinstance(part, ValueClass))
