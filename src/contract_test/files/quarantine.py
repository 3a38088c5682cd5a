"""Messages that no contract accepts, kept apart: scrubbed, with the reason, a few of each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from contract_test.data.drift import Breach
from contract_test.data.errors import RecordingError
from contract_test.files.exact_json import exact_dumps, exact_loads
from contract_test.files.recordings import FORMAT
from contract_test.files.state import write_whole
from contract_test.record.conformance import RejectedMessage

MAX_PER_REASON = 3
MAX_PER_REASON_WITHOUT_CONTRACT = 50
"""More, where no contract is known at all: a first one may have to be written from them."""
MAX_MESSAGES = 300


class Quarantine:
    """The quarantine file of one channel: one JSON object a line, as in recordings, with `reasons`."""

    def __init__(self, path: Path, channel: str) -> None:
        self._path, self._channel = path, channel
        self._lines = path.read_bytes().splitlines() if path.is_file() else []
        self._shown: Counter[tuple[Breach, ...]] = Counter()
        self._known = set()
        for number, line in enumerate(self._lines, start=1):
            try:
                value = exact_loads(line)
                self._shown[tuple(Breach(*reason[:3]) for reason in value["reasons"])] += 1
                self._known.add(exact_dumps(value | {"seen": {}}))
            except (ValueError, TypeError, LookupError):
                place = f"{path}:{number}"
                raise RecordingError("not a quarantined message", place=place, advice="Delete the file.") from None
        self._fresh = False

    def wants(self, rejected: RejectedMessage) -> bool:
        """Return whether there is room for one more of this kind."""
        most = MAX_PER_REASON_WITHOUT_CONTRACT if rejected.validator is None else MAX_PER_REASON
        return self._shown[_kind(rejected)] < most and len(self._lines) < MAX_MESSAGES

    def add(self, rejected: RejectedMessage, scrubbed: dict[str, Any]) -> bool:
        """Keep a scrubbed message; False where it is there already."""
        reasons = [[each.subject, each.pointer, each.rule, example] for each, example in rejected.reasons]
        row = {"format": FORMAT, "channel": self._channel, "reasons": reasons, **scrubbed}
        row = {name: value for name, value in row.items() if value not in (None, {}, [])}
        known = exact_dumps(row | {"seen": {}})
        if known in self._known:
            return False
        self._known.add(known)
        self._shown[_kind(rejected)] += 1
        self._lines.append(exact_dumps(row))
        self._fresh = True
        return True

    def why(self, subject: str) -> str:
        """Return why messages of a subject are here, or messages of which no subject is known.

        Empty where there are none.
        """
        breaches = dict.fromkeys(breach for kind in self._shown for breach in kind)
        found = [each for each in breaches if each.subject.split(" v")[0] in (subject, f"channel {self._channel}")]
        return "; ".join(f"{each.subject} {each.pointer or '/'}: {each.rule}" for each in found[:MAX_PER_REASON])

    def write(self) -> None:
        """Write what is new, at once."""
        if self._fresh:
            write_whole(self._path, self._lines)
            self._fresh = False


def _kind(rejected: RejectedMessage) -> tuple[Breach, ...]:
    return tuple(breach for breach, _ in rejected.reasons)
