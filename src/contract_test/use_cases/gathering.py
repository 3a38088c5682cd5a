"""Gathering: what became of each replayed message, put together as the result of the run."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import TypeAdapter

from contract_test.data.contract import Catalog
from contract_test.data.result import Operation, Played, Run
from contract_test.use_cases.readers import readers_of

_PLAYED = TypeAdapter(Played)


def as_text(played: Played) -> str:
    """For a report that crosses from one process to another."""
    return _PLAYED.dump_json(played).decode()


def from_text(text: str) -> Played:
    """The other way."""
    return _PLAYED.validate_json(text)


class Gathering:
    """One `Played` an item; what is told again of an item, such as a failure in its teardown, takes its place."""

    def __init__(self) -> None:
        self._played: dict[str, Played] = {}

    def add(self, played: Played) -> None:
        """Take in what became of an item; of several phases a failure counts."""
        known = self._played.get(played.item)
        if known is None or known.failure is None:
            self._played[played.item] = played

    def run(self, service: str, catalog: Catalog, problems: Iterable[str] = (), notes: Iterable[str] = ()) -> Run:
        """The result."""
        grouped: dict[tuple[str, int, str], list[Played]] = {}
        for each in self._played.values():
            grouped.setdefault((each.subject, each.version, each.operation), []).append(each)
        operations = []
        for (name, version, _), played in sorted(grouped.items()):
            subject = catalog.subjects[name]
            operations.append(
                Operation(name, version, played[0].operation, tuple(played), subject.sent_by, subject.received_by)
            )
        readers = readers_of(service, catalog, self._played.values())
        return Run(service, tuple(operations), readers=readers, problems=tuple(problems), notes=tuple(notes))
