"""What a command that judges found, one place at a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong (`error`), or could go wrong (`warning`): where, by which rule, and what to do."""

    file: str
    pointer: str
    rule: str
    sentence: str
    advice: str
    severity: str = "error"

    @property
    def place(self) -> str:
        """The file and the JSON pointer in it."""
        return f"{self.file}:{self.pointer}" if self.pointer else self.file
