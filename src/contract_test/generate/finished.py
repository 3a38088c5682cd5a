"""Planned classes and unions as they are written: names of fields, defaults, docstrings, markers."""

from __future__ import annotations

from contract_test.generate import plan as p
from contract_test.generate.alternatives import Position, Reader
from contract_test.generate.annotations import attribute_text, class_text, is_deprecated
from contract_test.generate.defaults import Defaults
from contract_test.generate.drafts import MAP, Choice, Draft, map_names
from contract_test.generate.naming import InAny, attribute_names
from contract_test.generate.objects import ObjectShape
from contract_test.generate.plan import Attribute, Type, ValueClass
from contract_test.schema.names import literal


class Finisher:
    """Finishes the classes of one module, once all names and all types are known."""

    def __init__(self, reader: Reader, taken: frozenset[str], defaults: Defaults, *, snake_case: bool) -> None:
        self._snake_case = snake_case
        self._reader, self._taken, self._defaults = reader, taken, defaults

    def value_class(self, draft: Draft) -> ValueClass:
        """Return a class whose fields have types."""
        shape = draft.shape
        python = self._python_names(draft)
        attributes = [
            self._attribute(name, position, python[name], draft.types[name], required=name in shape.required)
            for name, position in shape.fields.items()
        ]
        attributes.sort(key=lambda attribute: not attribute.required)
        nullable = tuple(
            python[name]
            for name, position in shape.fields.items()
            if name not in shape.required and self._may_be_null(position)
        )
        base, others = "ValueObject", self._maps_of(shape)
        if [name for name, _ in others] == [MAP] and draft.typed == p.JSON:
            base, others = "OpenValueObject", () if others == ((MAP, ()),) else others
        elif others:
            base = "MappingValueObject"
            for (name, _), type_ in zip(sorted(others), (draft.typed or p.JSON, p.JSON), strict=False):
                attributes.append(Attribute(name, name, p.map_of(type_), required=False, additional=True))
        text = class_text(draft.title) if draft.title else ""
        deprecated = draft.title is not None and is_deprecated([draft.title])
        return ValueClass(
            draft.key,
            draft.name,
            base,
            draft.place,
            tuple(attributes),
            nullable,
            others,
            text,
            deprecated,
            draft.within,
        )

    def _python_names(self, draft: Draft) -> dict[str, str]:
        taken = {name for name, _ in self._maps_of(draft.shape)}
        return attribute_names(draft.shape.fields, InAny((self._taken, taken)), snake_case=self._snake_case)

    def _maps_of(self, shape: ObjectShape) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return map_names(shape, InAny((self._taken, shape.fields)))

    def _attribute(self, json_name: str, position: Position, name: str, type_: Type, *, required: bool) -> Attribute:
        chains = [self._reader.chain((conjunction,)) for conjunction in position]
        default = None
        if not required:
            default = self._defaults.of(position, type_)
            if default is None or (default.value is None and not self._may_be_null(position)):
                default, type_ = None, p.or_none(type_)
        texts = {attribute_text(chain) for chain in chains}
        text = texts.pop() if len(texts) == 1 else ""
        return Attribute(name, json_name, type_, required, default, text, all(map(is_deprecated, chains)))

    def _may_be_null(self, position: Position) -> bool:
        return any("null" in each.types for each in self._reader.alternatives(position))

    def marker(self, choice: Choice) -> str:
        """Return what tells the members of a union apart at run time."""
        if choice.tag is None:
            forms = tuple(tuple(form.as_literals() for form in forms) for forms in choice.forms)
            return f"OneOf(forms={literal(forms)})"
        python = {self._python_names(draft)[choice.tag] for draft in choice.drafts}
        if choice.simple and len(python) == 1:
            return f"Field(discriminator={literal(python.pop())})"
        return f"OneOf({literal(choice.tag)})"
