"""Quarantine files: messages that no contract accepts, scrubbed, with the reasons, a few for each reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contract_test.data.drift import Breach
from contract_test.data.errors import RecordingError
from contract_test.files.exact_json import exact_dumps, exact_loads
from contract_test.files.recordings import FORMAT
from contract_test.files.state import write_whole

Reasons = Sequence[tuple[Breach, str]]
"""Why no contract accepts a message: each breach, with an example that shows nothing of the message."""

MAX_PER_REASON = 3
MAX_PER_REASON_WITHOUT_CONTRACT = 50
"""Higher, because a first contract may have to be inferred from these messages."""
MAX_QUARANTINED = 300


class Quarantine:
    """The quarantine file of one channel: one JSON object a line, as in recordings, with `reasons`.

    Raises RecordingError, with the line, if the file exists and holds anything else.
    """

    def __init__(self, path: Path, channel: str) -> None:
        self.path, self._channel = path, channel
        self._lines = path.read_bytes().splitlines() if path.is_file() else []
        self._counts: Counter[tuple[Breach, ...]] = Counter()
        self._known = set()
        for number, line in enumerate(self._lines, start=1):
            try:
                value = exact_loads(line)
                self._counts[tuple(Breach(*reason[:3]) for reason in value["reasons"])] += 1
                self._known.add(exact_dumps(value | {"seen": {}}))
            except (ValueError, TypeError, LookupError):
                raise RecordingError(
                    "this line is not a quarantined message", place=f"{path}:{number}", advice="Delete the file."
                ) from None
        self._changed = False

    def has_room(self, reasons: Reasons, *, contract_known: bool) -> bool:
        """Return True if there is still room for a message rejected for these reasons."""
        maximum = MAX_PER_REASON if contract_known else MAX_PER_REASON_WITHOUT_CONTRACT
        return self._counts[_breaches(reasons)] < maximum and len(self._lines) < MAX_QUARANTINED

    def add(self, reasons: Reasons, scrubbed: dict[str, Any]) -> bool:
        """Add a scrubbed message. Return False if the file already has it."""
        rows = [[each.subject, each.pointer, each.rule, example] for each, example in reasons]
        row = {"format": FORMAT, "channel": self._channel, "reasons": rows, **scrubbed}
        row = {name: value for name, value in row.items() if value not in (None, {}, [])}
        known = exact_dumps(row | {"seen": {}})
        if known in self._known:
            return False
        self._known.add(known)
        self._counts[_breaches(reasons)] += 1
        self._lines.append(exact_dumps(row))
        self._changed = True
        return True

    def why(self, subject: str) -> str:
        """Return why messages of a subject, or of no known subject, are here. Return "" if there are none."""
        breaches = dict.fromkeys(breach for kind in self._counts for breach in kind)
        found = [each for each in breaches if each.subject.split(" v")[0] in (subject, f"channel {self._channel}")]
        return "; ".join(f"{each.subject} {each.pointer or '/'}: {each.rule}" for each in found[:MAX_PER_REASON])

    def write(self) -> None:
        """Write the file atomically, if anything was added."""
        if self._changed:
            write_whole(self.path, self._lines)
            self._changed = False


def _breaches(reasons: Reasons) -> tuple[Breach, ...]:
    return tuple(breach for breach, _ in reasons)
