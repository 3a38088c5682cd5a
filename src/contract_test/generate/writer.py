"""The source of classes, written by datamodel-code-generator from the plan of their modules.

The generator gets one schema, composed from the plan: its keys are ours, its types are names of `envelopes.generated`,
and it has no reference to a file or a URL. Text of a contract reaches it as escaped literals only.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from contract_test.generate.arguments import arguments_of, as_argument
from contract_test.generate.docstrings import docstring
from contract_test.generate.plan import RUNTIME, Attribute, ModulePlan, Named, Type, ValueClass
from contract_test.schema.names import literal

TEMPLATES = Path(__file__).parent / "templates"
MAX_OPERATORS = 100
"""A union of more types is `Union[A, B]` and not `A | B`: Python reads only so many nested operators."""
_PART = re.compile(r"^#: (\w+)\n", re.MULTILINE)


def write_parts(plans: Iterable[ModulePlan], imported: Mapping[str, str]) -> dict[str, str]:
    """Return the source of each class and named type of some modules, by key.

    `imported` are the names of classes that stand in none of these plans under their key.
    """
    parts = [part for plan in plans for part in plan.parts]
    parts += [ValueClass(key, name, "ValueObject", None, ()) for key, name in imported.items()]
    named = {part.key: part for part in parts if isinstance(part, Named)}
    arguments = {part.key: arguments_of(part, named) for part in parts if isinstance(part, ValueClass)}
    definitions = {part.key: _definition(part, arguments.get(part.key, [])) for part in parts}
    if not definitions:
        return {}
    by_key = {part.key: {"planned": _planned(part, arguments.get(part.key, []))} for part in parts}
    planned = defaultdict[str, dict[str, Any]](dict, by_key)
    in_place = {key: part for key, part in named.items() if not part.name}
    names = {part.key: part.name for part in parts if part.key not in in_place}
    parser = _parser_class()(json.dumps({"$defs": definitions}), planned, _Names(names, in_place))
    text = str(parser.parse(with_import=True, format_=False))
    pieces = _PART.split(text)[1:]
    written = zip(pieces[::2], pieces[1::2], strict=True)
    return {key: body.strip("\n") for key, body in written if key not in imported}


@dataclass(frozen=True)
class _Names:
    """What a reference to a class or type is written as."""

    names: Mapping[str, str]
    in_place: Mapping[str, Named]

    def written(self, key: str, type_hint: Callable[[], str]) -> str:
        """Return the name of a type, or the type itself with its marker where it has no name."""
        if key in self.in_place:
            marker = self.in_place[key].marker
            return f"Annotated[{type_hint()}, {marker}]" if marker else type_hint()
        # The generator makes a type of its own of an array inside a fixed array: it is written in place.
        return self.names[key] if key in self.names else type_hint()


def _definition(part: ValueClass | Named, arguments: Sequence[tuple[Attribute, Type]]) -> dict[str, Any]:
    if isinstance(part, Named):
        return part.type
    properties = {f"f{place}": attribute.type for place, attribute in enumerate(part.attributes)}
    properties |= {f"i{place}": type_ for place, (_, type_) in enumerate(arguments)}
    return {
        "type": "object",
        "customBasePath": f"{RUNTIME}.{part.base}",
        "properties": properties,
        "required": list(properties),
    }


@dataclass(frozen=True)
class _PlannedName:
    name: str
    marker: str

    def written(self, type_hint: str) -> str:
        """Return the type with its marker."""
        return f"Annotated[{type_hint}, {self.marker}]" if self.marker else type_hint


@dataclass(frozen=True)
class _PlannedClass:
    name: str
    docstring: str
    lines: list[str]
    attributes: dict[str, dict[str, Any]]
    arguments: dict[str, Attribute]

    @property
    def receiver(self) -> str:
        """The name of the first argument: a field may have the name `self`."""
        return "__self" if any(each.name == "self" for each in self.arguments.values()) else "self"

    def argument(self, field: Any) -> str:
        """Return an argument of the class as a type checker sees it."""
        argument = self.arguments[field.name]
        return f"{argument.name}: {as_argument(str(field.type_hint))}{'' if argument.required else ' = ...'}"


def _planned(part: ValueClass | Named, arguments: Sequence[tuple[Attribute, Type]]) -> _PlannedClass | _PlannedName:
    if isinstance(part, Named):
        return _PlannedName(part.name, part.marker)
    lines = ["__contract__ = CONTRACT"]
    if part.place is not None:
        lines.append(f"__pointer__ = {literal(part.place)}")
    if part.within is not None:
        lines.append(f"__within__ = {literal(part.within)}")
    if part.nullable:
        lines.append(f"__nullable__ = frozenset({literal(part.nullable)})")
    if part.decimals:
        lines.append("__as_written__ = True")
    if part.others:
        lines.append(f"__additional__ = {literal(dict(part.others))}")
    attributes = {
        f"f{place}": {
            "name": each.name,
            "value": _value(each),
            "docstring": docstring(each.text, "    ").lstrip() if each.text else "",
            "deprecated": each.deprecated,
        }
        for place, each in enumerate(part.attributes)
    }
    text = docstring(part.text or part.name, "    ").lstrip()
    given = {f"i{place}": argument for place, (argument, _) in enumerate(arguments)}
    return _PlannedClass(part.name, text, lines, attributes, given)


def _value(each: Attribute) -> str:
    """Return what is assigned to a field in the body of its class."""
    if each.additional:
        return " = FrozenMap()"
    arguments = []
    plain = "None"
    lazy = each.deprecated or (each.default is not None and not each.default.plain)
    if not each.required and not lazy:
        plain = literal(each.default.value if each.default else None)
        arguments.append(f"default={plain}")
    elif not each.required:
        text = json.dumps(each.default.value if each.default else None, ensure_ascii=False)
        checked = "" if each.default is None or each.default.plain else ", validate_default=True"
        arguments.append(f"default_factory=JsonDefault({literal(text)}){checked}")
    if each.json_name != each.name:
        arguments.append(f"validation_alias={literal(each.json_name)}")
    if not arguments:
        return ""
    return f" = {plain}" if arguments == [f"default={plain}"] else f" = Field({', '.join(arguments)})"


@cache
def _parser_class() -> type[Any]:
    from datamodel_code_generator import LiteralType, PythonVersion
    from datamodel_code_generator.model import pydantic_v2
    from datamodel_code_generator.model.pydantic_v2.types import DataTypeManager
    from datamodel_code_generator.parser.jsonschema import JsonSchemaParser

    class Types(DataTypeManager):
        """Writes immutable containers, and the names of the plan."""

        names: _Names

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            manager = self

            class Type(self.data_type):  # type: ignore[misc,name-defined] # built by the generator for these options
                @property
                def type_hint(self) -> str:
                    if len(self.data_types) > MAX_OPERATORS:
                        self.use_union_operator = False
                    hint = _with_own_names(super().type_hint)
                    if self.literals and hint.startswith("Literal["):
                        none = " | None" if hint.endswith("] | None") else ""
                        return f"Literal[{', '.join(map(literal, self.literals))}]{none}"
                    return _immutable(hint, is_list=self.is_list, is_dict=self.is_dict)

                def _get_wrapped_reference_type_hint(self, type_: str) -> str:
                    model = self.reference.source
                    return manager.names.written(type_, lambda: str(model.fields[0].type_hint))

            self.data_type = Type

    class Parser(JsonSchemaParser):
        """Reads the plan's schema, from a text and nothing else."""

        def __init__(self, source: str, planned: defaultdict[str, dict[str, Any]], names: _Names) -> None:
            super().__init__(
                source,
                data_type_manager_type=type("PlannedTypes", (Types,), {"names": names}),
                data_model_type=pydantic_v2.BaseModel,
                data_model_root_type=pydantic_v2.RootModel,
                data_model_field_type=pydantic_v2.DataModelField,
                custom_template_dir=TEMPLATES,
                extra_template_data=planned,
                custom_class_name_generator=_as_it_is,
                target_python_version=PythonVersion.PY_311,
                enum_field_as_literal=LiteralType.All,
                use_union_operator=True,
                use_standard_collections=True,
                use_tuple_for_fixed_items=True,
                strict_nullable=True,
                keep_model_order=True,
                allow_remote_refs=False,
            )

    return Parser


def _as_it_is(name: str) -> str:
    return name


def _with_own_names(hint: str) -> str:
    """Write `_Union[A, B]` and `_Optional[A]`, as modules import them: a class may be called `Union`."""
    if "Union[" not in hint and "Optional[" not in hint:
        return hint
    return _LONG_FORMS.sub(lambda found: f"_{found[0]}" if found["form"] else found[0], hint)


_LONG_FORMS = re.compile(r"""(?P<form>\b(?:Union|Optional)\[)|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""")


def _immutable(hint: str, *, is_list: bool, is_dict: bool) -> str:
    """Write `list[T]` as `tuple[T, ...]`, and `dict[str, T]` as `FrozenMap[str, T]`."""
    none = " | None" if hint.endswith("] | None") else ""
    container = hint.removesuffix(none)
    if is_list and container.startswith("list["):
        return f"tuple[{container[5:-1]}, ...]{none}"
    if is_dict and container.startswith("dict["):
        return f"FrozenMap[{container[5:]}{none}"
    return hint
