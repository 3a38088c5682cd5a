"""The references in schema documents, found once however many contracts lead to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import unquote

from contract_test.schema.bundle import value_at
from contract_test.schema.walk import join, split_fragment, subschemas, subschemas_once

_Made = TypeVar("_Made")
Reference = tuple[str, dict[str, Any], str, str]
"""Its JSON pointer, the object it stands in, the base URI there, and what it says."""
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


def references(schema: Any, base: str, draft: str, start: str = "") -> Iterator[Reference]:
    """Yield every reference in a schema.

    `start` is a pointer to a schema that may be below names that are no keywords, such as `components/schemas`.
    """
    seen: set[int] = set()
    if start:
        found = subschemas(value_at(schema, start), _base_of(schema, base, draft), draft)
    for pointer, node, at in found if start else subschemas_once(schema, base, draft):
        if id(node) not in seen:
            seen.add(id(node))
            for keyword in _REFERENCES:
                if isinstance(node.get(keyword), str):
                    yield f"{start}{pointer}/{keyword}", node, at, node[keyword]


def _base_of(schema: Any, base: str, draft: str) -> str:
    """Return the base URI of a whole document."""
    return next((at for _, _, at in subschemas_once(schema, base, draft)), base)


class OncePerDocument:
    """What was made of documents, by what it was made for. It lives as long as the files that were read."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], tuple[Any, Any]] = {}

    def get(self, document: Any, *of: Any, make: Callable[[], _Made]) -> _Made:
        """Return what `make` returns for a document, which nobody changes, and some values that can be hashed."""
        key = id(document), *of
        if key not in self._kept:
            self._kept[key] = document, make()  # the document stays, so that its id is not another's
        made: _Made = self._kept[key][1]
        return made

    def targets(self, document: Any, base: str, draft: str, start: str) -> tuple[tuple[Reference, str, str], ...]:
        """Return the references in a document, from a pointer on, each with the document and pointer that it names."""

        def found() -> tuple[tuple[Reference, str, str], ...]:
            made = []
            for reference in references(document, base, draft, start):
                target, fragment = split_fragment(join(reference[2], reference[3]))
                made.append((reference, target, unquote(fragment) if fragment.startswith("/") else ""))
            return tuple(made)

        return self.get(document, "targets", base, draft, start, make=found)
