"""Finding copies: a producer's test that emits what was recorded, without the service having done anything."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from contract_test.data.errors import UnplayableError
from contract_test.recordings.messages import Message
from contract_test.replay.cases import Case, Replay
from contract_test.replay.effect_matching import tolerance_of
from contract_test.replay.emitted import Sent, read_emitted
from contract_test.replay.field_access import FieldAccess, watch_of
from contract_test.replay.test_files import TestFiles
from contract_test.schema.match import equal

CHECK = "copy-emitted"


class RecordedMessage:
    """The message that a producer's test got as `recorded`: what was read of it, and whether the service ran."""

    def __init__(self, message: Message, tests: TestFiles) -> None:
        self._tests, self._watch = tests, FieldAccess(tests)
        self._before: Any = None
        self.service_ran = False
        self.data = self._watch.over(message.envelope.data)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look inside for code of the service, up to the first function of it that is called."""
        if self.service_ran:
            yield
            return
        self._before = sys.getprofile()
        sys.setprofile(self._see)
        try:
            yield
        finally:
            if not self.service_ran:
                sys.setprofile(self._before)

    def _see(self, frame: FrameType, event: str, argument: object) -> None:
        del argument
        if event == "call" and self._tests.is_service(frame.f_code.co_filename):
            self.service_ran = True
            sys.setprofile(self._before)

    def is_copied(self, emitted: Iterable[Any], case: Case, replay: Replay) -> bool:
        """Return whether the test emitted this very message, or one that it made of the whole of it."""
        if self.service_ran:
            return False
        values = [each.value if isinstance(each, Sent) else each for each in emitted]
        if any(watch_of(value) is self._watch for value in values):
            return True
        tolerance = tolerance_of(case.subject, case.version)
        return self._watch.handed_over and any(
            equal(case.message.data, read_emitted(value, case.subject, case.message, replay.runtime).data, tolerance)
            for value in values
        )


def copied(case: Case) -> UnplayableError:
    """Return the error for a test that emits a copy."""
    what = "code that sends this message" if case.cause is None else "code that gets `cause`"
    return UnplayableError(
        "the test emitted a copy of `recorded`, and no code of the service ran, so nothing of it was tested",
        check=CHECK,
        advice=f"Call the {what}, and give `emits` what it sends.",
    )
