"""A single difference between two schemas: where it stands on both sides, and how it is undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from contract_test.compare.documents import Place
from contract_test.compare.undoing import Patch, Path, pointer_to
from contract_test.data.verdict import ABSENT

Side = Literal["writer", "reader"]


@dataclass(frozen=True, slots=True)
class Spot:
    """A subschema of one side: where it is, and the place that its references are relative to."""

    schema: Any
    document: str
    path: Path
    place: Place

    @property
    def pointer(self) -> str:
        """The JSON pointer to it."""
        return pointer_to(self.document, self.path)

    def pointer_to(self, *path: str | int) -> str:
        """Return the pointer to something inside."""
        return pointer_to(self.document, (*self.path, *path))

    def inside(self, *path: str | int) -> Spot:
        """Return the subschema at a path."""
        schema = self.schema
        for step in path:
            schema = schema[step]
        return Spot(schema, self.document, (*self.path, *path), self.place)

    def get(self, keyword: str) -> Any:
        """Return the value of a keyword, `ABSENT` where it is not written."""
        return self.schema.get(keyword, ABSENT) if isinstance(self.schema, dict) else ABSENT


@dataclass(frozen=True, eq=False, slots=True)
class Change:
    """One difference: where it stands on both sides, what it is, and the patches that undo it in the newer schema.

    `rule` is "" where only a message that breaks shows what it means.
    """

    rule: str
    writer_pointer: str
    reader_pointer: str
    before: Any
    after: Any
    alternative: str
    patches: tuple[Patch, ...]
    writer_schema: Any = ABSENT
    """What the writer's schema says of the same value in another place, where it declares no such property."""


class Walk(Protocol):
    """What looks at pairs of subschemas, as one of these pairs needs it."""

    @property
    def newer(self) -> Side:
        """The side in which changes are undone."""

    def add(self, change: Change) -> None:
        """Keep a change, once."""

    def visit(self, writer: Spot, reader: Spot, alternative: str = "", rule: str = "", step: Path = ()) -> None:
        """Look at a pair of subschemas later, of the same value, or of the part of it that `step` names."""

    def keywords(self, writer: Spot, reader: Spot) -> list[str]:
        """Return the keywords that one of the two has, in the order in which they are written."""

    def restored(self, fragment: Any) -> tuple[Any, bool]:
        """Return a part of the older schema as it can stand in the newer one, and whether it has references."""

    def followed(self, spot: Spot, side: Side) -> Spot:
        """Return a subschema that only refers to another one, as that one."""

    def references(self, writer: Spot, reader: Spot) -> tuple[Spot | None, Spot | None]:
        """Return what the `$ref`s beside other keywords stand for."""
