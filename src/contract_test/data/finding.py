"""What a command that judges found, one place at a time."""

from __future__ import annotations

from dataclasses import dataclass

from contract_test.data.verdict import Verdict


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong (`error`), or could go wrong (`warning`): where, by which rule, and what to do.

    A comparison also says its `direction`, the versions that wrote and read (`writer`, `reader`), the whole `verdict`,
    and where its witness was `recorded`, if it was. `details` are lines for people.
    `line` counts from 1; it is 0 where the file is one value.
    """

    file: str
    pointer: str
    rule: str
    sentence: str
    advice: str
    severity: str = "error"
    direction: str = ""
    details: tuple[str, ...] = ()
    writer: str = ""
    reader: str = ""
    recorded: str = ""
    verdict: Verdict | None = None
    line: int = 0

    @property
    def place(self) -> str:
        """The file, the line where it has some, and the JSON pointer."""
        return ":".join(filter(None, (self.file, str(self.line or ""), self.pointer)))
