"""Groups failed messages by what is wrong with them, so that a hundred equal failures are reported once."""

from __future__ import annotations

from dataclasses import dataclass

from contract_test.data.result import Failure, MessageResult, Operation, Run
from contract_test.data.texts import counted

_UNKNOWN = Failure("handler-failed", "failed")


@dataclass(frozen=True)
class Kind:
    """The messages of one operation that fail the same check at the same place, in the order of their lines."""

    operation: Operation
    failure: Failure
    messages: tuple[MessageResult, ...]

    @property
    def title(self) -> str:
        """What fails: `message.liked v2 consumes: 3 of 15 messages, field-unknown`."""
        each = self.operation
        count, total = len(self.messages), len(each.played)
        name = f"{each.subject} v{each.version} {each.operation}"
        return f"{name}: {count} of {counted(total, 'message')}, {self.failure.check}"

    @property
    def reason(self) -> str:
        """Why, with the place in the message."""
        where = f"{self.failure.pointer}: " if self.failure.pointer else ""
        return f"{where}{self.failure.sentence}"

    @property
    def example(self) -> str:
        """The message to look at first, and how many there are besides."""
        first, more = self.messages[0], len(self.messages) - 1
        change = f", {first.change}" if first.change else ""
        return f"{first.place or first.item}{change}" + (f" and {more} more" if more else "")

    @property
    def made(self) -> str:
        """The data of that message, where nobody recorded it: no file holds it."""
        first = self.messages[0]
        return first.message if first.origin in ("variation", "generated") else ""

    @property
    def accepted(self) -> str:
        """Until when and why all of these failures are accepted, or an empty text."""
        return self.messages[0].accepted if all(each.accepted for each in self.messages) else ""

    @property
    def affected(self) -> str:
        """Who is concerned."""
        return self.operation.concerned


def kinds(run: Run) -> list[Kind]:
    """Return the ways in which messages of a run failed, the most frequent first.

    In parallel runs too, in one order.
    """
    found = [kind for operation in run.operations for kind in _of(operation)]
    return sorted(found, key=lambda kind: (-len(kind.messages), kind.title, kind.reason))


def _of(operation: Operation) -> list[Kind]:
    grouped: dict[tuple[str, str, str], list[MessageResult]] = {}
    for each in sorted(operation.failed, key=_order):
        failure = each.failure or _UNKNOWN
        sentence = "" if failure.mismatches else failure.sentence  # it quotes values, another one in each message
        grouped.setdefault((failure.check, failure.pointer, sentence), []).append(each)
    return [Kind(operation, group[0].failure or _UNKNOWN, tuple(group)) for group in grouped.values()]


def _order(played: MessageResult) -> tuple[bool, str, int, str]:
    """What was recorded comes before what was made of it."""
    path, _, line = played.place.rpartition(":")
    return played.origin != "recorded", path, int(line) if line.isdecimal() else 0, played.item
