"""What a command that judges found, one place at a time."""

from __future__ import annotations

from dataclasses import dataclass

from contract_test.data.verdict import Verdict


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong (`error`), or could go wrong (`warning`): where, by which rule, and what to do.

    A comparison also says its `direction`, the versions that wrote and read (`writer`, `reader`), the whole `verdict`,
    and where its witness was `recorded`, if it was. `details` are lines for people.
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

    @property
    def place(self) -> str:
        """The file and the JSON pointer in it."""
        return f"{self.file}:{self.pointer}" if self.pointer else self.file
