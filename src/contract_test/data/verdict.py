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

    Attributes:
        rule: The id of the rule, as in the table of compatibility rules.
        writer_pointer: The JSON pointer of what changed in the writer's schema.
        reader_pointer: The JSON pointer of what changed in the reader's schema.
        before: The writer's value of what changed, or `ABSENT`.
        after: The reader's value of what changed, or `ABSENT`.
        sentence: An explanation for people.
        witness: A message that breaks for this reason. `ABSENT` if only the verdict has one.
        alternative: The alternative that contains the place, such as `kind: "mail"`. Empty outside of alternatives.
        together: Other changes for which the reader rejects the witness as well, one line each. Empty if undoing this
            change alone lets the witness through.
        rejected_at: The JSON pointer into the witness at which the reader rejects it for this reason, if it is known.

    """

    rule: str
    writer_pointer: str
    reader_pointer: str
    before: Any
    after: Any
    sentence: str
    witness: Any = ABSENT
    alternative: str = ""
    together: tuple[str, ...] = ()
    rejected_at: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one comparison.

    Attributes:
        status: "compatible" if there is a proof, "incompatible" if there is a witness, else "unknown".
        witness: A message that the writer accepts and the reader rejects, or `ABSENT`.
        incompatibilities: The reasons. An incompatible verdict has at least one.
        cause: Why the status is "unknown". Empty otherwise.
        unexplained: How many differences were not looked at for further reasons, and why. Empty if there are no more.

    """

    status: Status
    witness: Any = ABSENT
    incompatibilities: tuple[Incompatibility, ...] = ()
    cause: str = ""
    unexplained: str = ""

    @property
    def has_witness(self) -> bool:
        """Whether `witness` holds a JSON value; `None` is one."""
        return self.witness is not ABSENT


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """Two versions that were compared, and the result.

    Attributes:
        subject: The subject. Empty for two files.
        writer: The version that writes, such as "v1".
        reader: The version that reads.
        direction: "BACKWARD" or "FORWARD".
        status: "compatible", "migrated", "incompatible" or "unknown".
        note: What people should know of a compatible pair, such as who keeps it compatible.

    """

    subject: str
    writer: str
    reader: str
    direction: str
    status: str = "compatible"
    note: str = ""

    @property
    def id(self) -> str:
        """What findings refer to: `message.liked:v1>v2:backward`."""
        subject = f"{self.subject}:" if self.subject else ""
        return f"{subject}{self.writer}>{self.reader}:{self.direction.lower()}"
