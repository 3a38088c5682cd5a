"""What changed between two schemas: a list of single changes.

The two documents are walked side by side, through their references.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from contract_test.compare.differences import Change, Side, Spot
from contract_test.compare.documents import Document
from contract_test.compare.places import Places
from contract_test.compare.schema_pair import SchemaPair
from contract_test.compare.undoing import Path, portable
from contract_test.data.verdict import ABSENT

_MAX_STEPS = 24
_MAX_CHANGES = 20_000


PairKey = tuple[str, Path, str, Path, str]


@dataclass(frozen=True, slots=True)
class Way:
    """How the walk came to a pair: from which other one, and by which step into the value, if into a part of it."""

    writer: Spot
    reader: Spot
    above: PairKey | None
    step: Path


class Changes:
    """The walk over both documents. `newer` says which of the two the changes are undone in."""

    def __init__(self, writer: Document, reader: Document, newer: Side, *, formats: bool) -> None:
        self._documents = {"writer": writer, "reader": reader}
        self._newer = newer
        self._formats = formats
        self._found: dict[tuple[Any, ...], Change] = {}
        self._todo: deque[tuple[PairKey, Spot, Spot, str, str]] = deque()
        self._current: PairKey | None = None
        self.ways: dict[PairKey, Way] = {}
        self.pair_of: dict[Change, PairKey] = {}
        self._places = {"writer": Places(writer), "reader": Places(reader)}
        self._is_complete = writer.plain and reader.plain and writer.dialect == reader.dialect

    def all(self) -> list[Change]:
        """Return the changes, the shallowest first."""
        writer, reader = self._documents["writer"], self._documents["reader"]
        self.visit(Spot(writer.schema, "", (), writer.place), Spot(reader.schema, "", (), reader.place))
        while self._todo and len(self._found) < _MAX_CHANGES:
            self._current, writer_spot, reader_spot, alternative, rule = self._todo.popleft()
            self._look(writer_spot, reader_spot, alternative, rule)
        return list(self._found.values())

    @property
    def are_none(self) -> bool:
        """Return whether both schemas mean the same: every subschema was looked at, and nothing differs."""
        return not self.all() and self.are_all

    @property
    def are_all(self) -> bool:
        """Return whether every subschema was looked at: once all changes are undone, nothing differs."""
        return not self._todo and self._is_complete

    def visit(self, writer: Spot, reader: Spot, alternative: str = "", rule: str = "", step: Path = ()) -> None:
        """Look at a pair of subschemas later, of the same value, or of the part of it that `step` names."""
        writer, reader = self.followed(writer, "writer"), self.followed(reader, "reader")
        key = (writer.document, writer.path, reader.document, reader.path, rule)
        if key not in self.ways:
            self.ways[key] = Way(writer, reader, self._current, step)
            self._todo.append((key, writer, reader, alternative, rule))

    def followed(self, spot: Spot, side: Side) -> Spot:
        """Return a subschema that only refers to another one, as that one."""
        for _ in range(_MAX_STEPS):
            schema = spot.schema
            if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
                return spot
            if not spot.place.dialect.ref_stands_alone and schema.keys() & spot.place.dialect.keywords != {"$ref"}:
                return spot
            target = self._places[side].target(spot)
            if target is None:
                return spot
            spot = target
        return spot

    def _look(self, writer: Spot, reader: Spot, alternative: str, rule: str) -> None:
        """Find what differs in one pair of subschemas, its own keywords only."""
        here = SchemaPair(self, writer, reader, alternative, rule)
        if isinstance(writer.schema, bool) or isinstance(reader.schema, bool):
            if reader.schema is False and writer.schema is not False:
                here.whole("nothing-accepted", writer.schema, False)  # noqa: FBT003
                return
            if writer.schema is False or reader.schema is True:
                if writer.schema is not reader.schema:
                    here.whole("", writer.schema, reader.schema)
                return
        here.look()

    def keywords(self, writer: Spot, reader: Spot) -> list[str]:
        """Return the keywords that one of the two has, in the order in which they are written."""
        known = reader.place.dialect.keywords | writer.place.dialect.keywords
        if reader.place.dialect.number < 6:  # noqa: PLR2004 - drafts are named by number
            known = known | {"exclusiveMinimum", "exclusiveMaximum"}
        if not self._formats:
            known = known - {"format"}
        both = [spot.schema for spot in (reader, writer) if isinstance(spot.schema, dict)]
        return [keyword for keyword in dict.fromkeys(name for schema in both for name in schema) if keyword in known]

    def add(self, change: Change) -> None:
        """Keep a change, once."""
        key = (change.rule, change.writer_pointer, change.reader_pointer, repr(change.before), repr(change.after))
        if key not in self._found and self._current is not None:
            self._found[key] = change
            self.pair_of[change] = self._current

    def restored(self, fragment: Any) -> tuple[Any, bool]:
        """Return a part of the older schema as it can stand in the newer one, and whether it has references."""
        if fragment is ABSENT:
            return fragment, False
        older: Side = "writer" if self._newer == "reader" else "reader"
        return portable(fragment, self._documents[older], self._documents[self._newer])

    def references(self, writer: Spot, reader: Spot) -> tuple[Spot | None, Spot | None]:
        """Return what the `$ref`s beside other keywords stand for."""
        ours = self._places["writer"].target(writer) if isinstance(writer.get("$ref"), str) else None
        theirs = self._places["reader"].target(reader) if isinstance(reader.get("$ref"), str) else None
        self._is_complete = self._is_complete and ours is not None and theirs is not None
        return ours, theirs

    @property
    def newer(self) -> Side:
        """The side in which changes are undone."""
        return self._newer
