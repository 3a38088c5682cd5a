"""Collects the outcome of each replayed message into the result of the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter

from contract_test.data.contract import Catalog
from contract_test.data.result import MessageResult, Operation, Run, Strength, Survivor
from contract_test.replay.observed_readers import readers_of

T = TypeVar("T")


@dataclass(frozen=True)
class ItemReport:
    """What became of one message; or, with `lines`, of many of one recording, alike in all but the line.

    Beside each line stands the line of what was given: for a producer that of the cause.
    """

    played: MessageResult
    lines: tuple[tuple[int, int], ...] = ()

    def each(self) -> Iterator[MessageResult]:
        """Yield one `MessageResult` a message."""
        if not self.lines:
            yield self.played
            return
        path, given = self.played.place.rpartition(":")[0], self.played.given
        for line, given_line in self.lines:
            place = _changed(given, place=f"{given.place.rpartition(':')[0]}:{given_line}") if given else None
            yield _changed(self.played, item=f"{self.played.item}:{line}", place=f"{path}:{line}", given=place)


def _changed(original: T, **changes: Any) -> T:
    """Return a copy with some fields changed, as `dataclasses.replace` does, for very many copies."""
    made = object.__new__(type(original))
    made.__dict__.update(original.__dict__, **changes)
    return made


_ITEM_REPORTS = TypeAdapter(list[ItemReport])


def as_text(item_reports: list[ItemReport]) -> str:
    """Return item reports as text, which crosses from one process to another."""
    return _ITEM_REPORTS.dump_json(item_reports).decode()


def from_text(text: str) -> list[ItemReport]:
    """Return the item reports of such a text."""
    return _ITEM_REPORTS.validate_json(text)


def as_json(item_reports: list[ItemReport]) -> Any:
    """Return item reports as plain JSON, for a file."""
    return _ITEM_REPORTS.dump_python(item_reports, mode="json", exclude_defaults=True)


def from_json(value: Any) -> list[ItemReport]:
    """Return the item reports of such JSON."""
    return _ITEM_REPORTS.validate_python(value, strict=False)


class ResultCollector:
    """One `MessageResult` for each item; a later report of an item, such as a failure in its teardown, replaces it."""

    def __init__(self) -> None:
        self._played: dict[str, MessageResult] = {}
        self.item_reports: list[ItemReport] = []
        """All that was added, as it came."""

    def add(self, item_reports: Iterable[ItemReport]) -> None:
        """Take in what became of an item; of several phases a failure counts."""
        item_reports = list(item_reports)
        self.item_reports += item_reports
        for played in (played for each in item_reports for played in each.each()):
            known = self._played.get(played.item)
            if known is None or known.failure is None:
                self._played[played.item] = played

    @property
    def played(self) -> list[MessageResult]:
        """What became of each item so far."""
        return list(self._played.values())

    def run(self, service: str, catalog: Catalog) -> Run:
        """Return the result, but for what concerns the run as a whole."""
        grouped: dict[tuple[str, int, str], list[MessageResult]] = {}
        for each in self._played.values():
            grouped.setdefault((each.subject, each.version, each.operation), []).append(each)
        operations = []
        for (name, version, _), played in sorted(grouped.items()):
            subject = catalog.subjects[name]
            operations.append(
                Operation(
                    name,
                    version,
                    played[0].operation,
                    tuple(played),
                    subject.sent_by,
                    subject.received_by,
                    _strength(played),
                    catalog.owned((*subject.sent_by, *subject.received_by)),
                )
            )
        readers = readers_of(service, catalog, self._played.values())
        return Run(service, tuple(operations), readers=readers)


def _strength(played: Sequence[MessageResult]) -> Strength | None:
    """Of all tests of an operation together: one that notices is enough. None where nothing was broken on purpose."""
    broken = [
        ((each.place, fault.pointer, fault.change), each.item, fault.noticed)
        for each in played
        for fault in each.faults
    ]
    if not broken:
        return None
    noticed = {key for key, _, seen in broken if seen}
    left = {key: item for key, item, _ in reversed(broken) if key not in noticed}
    survivors = tuple(Survivor(item, pointer, change) for (_, pointer, change), item in sorted(left.items()))
    return Strength(len(noticed), len(noticed) + len(left), survivors)
