"""Generation: a Hypothesis strategy for the messages of a contract, so that what fails shrinks to what matters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from contract_test.replay.variations.edits import Edit, edited, located
from contract_test.replay.variations.samples import Samples
from contract_test.schema.fields import Fields
from contract_test.schema.shape import Shape
from contract_test.schema.sources import Position
from contract_test.schema.walk import escape

_SAFE = 2**53 - 1
MAX_TEXT_LENGTH = 30
MAX_ITEMS = 4
MAX_DEPTH = 8
_SOLVED = 8
# Few characters of every kind: all of Unicode would first have to be listed, which takes seconds.
_TEXT = "0aA-_.:/@+ 1bBzZ9'\"\\\n\t\0éß漢\N{ROCKET}\u0301\u05d0\u202e"
_PRINTABLE = "".join(map(chr, range(32, 127)))
_NAMES = st.text("abyz019", min_size=1, max_size=8)


def messages(fields: Fields, recorded: Sequence[Any], is_valid: Callable[[Any], bool]) -> st.SearchStrategy[Any]:
    """Return valid messages: recorded ones with some of their fields generated anew, and ones that are all new."""
    maker = _Maker(fields)
    places = [place for place in fields.places if place.name is not None]

    @st.composite
    def changed(draw: st.DrawFn) -> Any:
        data = draw(st.sampled_from(list(recorded)))
        for _ in range(draw(st.integers(0, 3))):
            place = draw(st.sampled_from(places))
            for parent in located(data, place.parent):
                value = draw(maker.strategy(place.position))
                other = edited(data, Edit(f"{parent}/{escape(place.name or '')}", "", (value,)))
                data = other if is_valid(other) else data
        return data

    anew = maker.strategy(fields.root)
    if places and recorded:
        return (changed() | anew).filter(is_valid)
    solved = Samples(fields).of(
        fields.root, _SOLVED
    )  # a contract that names no field, or of which nothing is recorded: only a search knows how to fill it
    return (st.sampled_from(solved) | anew if solved else anew).filter(is_valid)


class _Maker:
    def __init__(self, fields: Fields) -> None:
        self._fields, self._samples = fields, Samples(fields)
        self._made: dict[Position, st.SearchStrategy[Any]] = {}

    def strategy(self, position: Position, depth: int = 0) -> st.SearchStrategy[Any]:
        """Values for one position, valid where they stand."""
        if position not in self._made:
            if depth >= MAX_DEPTH:
                return st.sampled_from(self._samples.of(position, 2) or [None])
            self._made[position] = st.deferred(lambda: self._strategy(position, depth))
        return self._made[position]

    def _strategy(self, position: Position, depth: int) -> st.SearchStrategy[Any]:
        return self._open(position, depth).filter(lambda value: self._samples.allows(position, value))

    def _open(self, position: Position, depth: int) -> st.SearchStrategy[Any]:
        constant = [schema["const"] for schema in self._fields.schemas(position) if "const" in schema]
        choices = self._fields.choices(position) or constant[:1]
        if choices:
            shape = self._fields.shapes.shape(position)
            return st.sampled_from([*choices, None] if "null" in shape.types and not constant else choices)
        shape = self._fields.shapes.shape(position)
        types = shape.types - {"integer"} if "number" in shape.types else shape.types
        made = [self._of_type(name, position, shape, depth) for name in sorted(types)]
        return st.one_of(made) if made else st.nothing()

    def _of_type(self, name: str, position: Position, shape: Shape, depth: int) -> st.SearchStrategy[Any]:
        def keyword(word: str) -> Any:
            return self._fields.keyword(position, word)

        match name:
            case "null":
                return st.none()
            case "boolean":
                return st.booleans()
            case "integer":
                return st.integers(_whole(keyword("minimum"), -_SAFE), _whole(keyword("maximum"), _SAFE))
            case "number":
                return st.integers(_whole(keyword("minimum"), -_SAFE), _whole(keyword("maximum"), _SAFE)) | st.floats(
                    keyword("minimum"), keyword("maximum"), allow_nan=False, allow_infinity=False
                )
            case "string":
                return self._text(position, keyword)
            case "array":
                least = keyword("minItems") or 0
                most = keyword("maxItems")
                high = max(least, min(least + MAX_ITEMS, most if isinstance(most, int) else least + MAX_ITEMS))
                items = self.strategy(shape.items, depth + 1) if shape.items else st.none() | st.booleans()
                return st.lists(items, min_size=least, max_size=high)
            case _:
                return self._object(shape, depth)

    def _text(self, position: Position, keyword: Callable[[str], Any]) -> st.SearchStrategy[str]:
        pattern, least = keyword("pattern"), keyword("minLength") or 0
        most = keyword("maxLength")
        if keyword("format") is None and isinstance(pattern, str):
            try:
                made = st.from_regex(re.compile(pattern, re.ASCII), alphabet=_PRINTABLE)
                made.validate()
            except (re.error, InvalidArgument):
                pass  # not in Python's words: the search for samples knows more
            else:
                return made
        elif keyword("format") is None:
            return st.text(_TEXT, min_size=least, max_size=max(least, min(most or MAX_TEXT_LENGTH, MAX_TEXT_LENGTH)))
        known = [value for value in self._samples.of(position, 12) if isinstance(value, str)]
        return st.sampled_from(known) if known else st.nothing()

    def _object(self, shape: Shape, depth: int) -> st.SearchStrategy[Any]:
        if shape.tag:
            return st.one_of([self.strategy(branch, depth + 1) for _, branch in shape.branches])
        named = {field.name: (field.required, self.strategy(field.position, depth + 1)) for field in shape.fields}
        fixed = st.fixed_dictionaries(
            {name: strategy for name, (required, strategy) in named.items() if required},
            optional={name: strategy for name, (required, strategy) in named.items() if not required},
        )
        if shape.additional is None:
            return fixed
        more = st.dictionaries(_NAMES, self.strategy(shape.additional, depth + 1), max_size=3)
        return st.builds(lambda extra, known: extra | known, more, fixed)


def _whole(bound: Any, otherwise: int) -> int:
    return int(bound) if isinstance(bound, int | float) else otherwise
