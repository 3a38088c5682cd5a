"""What a comparison says: a status, the message that proves it, and the reasons behind it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal

Status = Literal["compatible", "incompatible", "unknown"]


class _Absent(Enum):
    """The type of `ABSENT`: a value of its own, because `None` is a JSON value."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> Literal[False]:
        return False


ABSENT: Final = _Absent.ABSENT
"""Stands where there is no JSON value: no witness, a keyword that is not written."""


@dataclass(frozen=True, slots=True)
class Incompatibility:
    """One reason why a reader rejects what a writer may send.

    `rule` is an id of the rules table. The pointers are JSON Pointers into the two schemas as they were
    given; `before` and `after` are the writer's and the reader's value of what changed, or `ABSENT`.
    `witness` is a message that breaks at this place, `ABSENT` where the verdict's is all there is. `alternative` is
    what tells the alternative that the place is in from the others, such as `kind: "mail"`; empty outside of any.
    """

    rule: str
    writer_pointer: str
    reader_pointer: str
    before: Any
    after: Any
    sentence: str
    witness: Any = ABSENT
    alternative: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one comparison.

    "compatible" is proved. "incompatible" has a `witness` which the writer accepts and the reader rejects,
    and at least one incompatibility. "unknown" says why in `cause`, and is never to be read as green.
    """

    status: Status
    witness: Any = ABSENT
    incompatibilities: tuple[Incompatibility, ...] = ()
    cause: str = ""

    @property
    def has_witness(self) -> bool:
        """Whether `witness` holds a JSON value; `None` is one."""
        return self.witness is not ABSENT
