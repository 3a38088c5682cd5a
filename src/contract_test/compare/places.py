"""Where the subschemas of a document stand: what a reference leads to, with its pointer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from contract_test.compare.differences import Spot
from contract_test.compare.documents import Document, UnusableSchemaError
from contract_test.compare.undoing import Path


class Places:
    """The places of one document and its resources."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def target(self, spot: Spot) -> Spot | None:
        """Return what the `$ref` of a subschema stands for, None where it stands for nothing with a place."""
        place = self._document.in_subschema(spot.schema, spot.place)
        try:
            target = self._document.target(spot.schema["$ref"], place)
        except UnusableSchemaError:
            return None
        found = self._where.get(id(target.schema))
        return None if found is None else Spot(target.schema, *found, target.place)

    @cached_property
    def _where(self) -> dict[int, tuple[str, Path]]:
        return dict(self._objects())

    def _objects(self) -> Iterator[tuple[int, tuple[str, Path]]]:
        """Every object by its identity, with where it stands."""
        roots: Mapping[str, Any] = {"": self._document.schema, **self._document.resources}
        todo: list[tuple[Any, str, Path]] = [(schema, uri, ()) for uri, schema in roots.items()]
        while todo:
            value, uri, path = todo.pop()
            if isinstance(value, dict):
                yield id(value), (uri, path)
                todo += [(member, uri, (*path, name)) for name, member in value.items()]
            elif isinstance(value, list):
                todo += [(item, uri, (*path, at)) for at, item in enumerate(value)]
