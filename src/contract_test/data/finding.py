"""What a command that judges found, one place at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from contract_test.data.verdict import ABSENT, ComparedPair, Verdict

_VERSION_FILE = re.compile(r"(?:^|/)([^/]+)/(recordings/)?v([1-9][0-9]*)\.jsonl?$")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A line and a column of a text file. Both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class OtherChange:
    """A change that rejects the same message as the one of a finding: its rule, its place, and what changed."""

    rule: str
    place: str
    change: str


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong (`error`), or could go wrong (`warning`): where, by which rule, and what to do.

    Attributes:
        file: The file, as people know it.
        pointer: The JSON pointer in it. In a TOML file: a table, and maybe a key: `[subjects."a.b"].key`.
        rule: The id of the rule.
        sentence: What is wrong, or what changed.
        advice: What to do.
        severity: "error", "warning" or "accepted".
        direction: The direction of a comparison, such as "BACKWARD".
        explanation: What the rule means, in one sentence.
        details: More lines for people. They follow `affected`.
        affected: Who breaks, or is concerned otherwise, one line each.
        subject: The subject that was compared. Empty for two files, and outside of comparisons.
        writer: The version that wrote, such as "v1".
        reader: The version that reads.
        witness: A message that the writer may send and the reader rejects for this reason, or `ABSENT`.
        rejected: Where and why the reader rejects the witness: `/id: expected string, found null`.
        rejected_at: The JSON pointer into the witness at which the reader rejects it.
        recorded: The file and line at which the witness was recorded. Empty if it was generated.
        together: Other changes that reject the same message.
        verdict: The result of the whole comparison.
        line: The line of a file that holds one value in each line. It counts from 1, and is 0 for other files.
        accepted: Why and until when somebody accepted it. Its severity is "accepted" then.
        general_pointer: For what is found in one message of many: the pointer without indexes and without keys of
            that message.
        relative_file: The file within the contracts directory.
        file_pointer: The JSON pointer into the file, if `pointer` leads into a message.
        position: Where the pointer leads to in the file, if that is known.
        key: The id, if it cannot be read from the file's name.
        breaks: The names of the services that break.

    """

    file: str
    pointer: str
    rule: str
    sentence: str
    advice: str
    severity: str = "error"
    direction: str = ""
    explanation: str = ""
    details: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()
    subject: str = ""
    writer: str = ""
    reader: str = ""
    witness: Any = ABSENT
    rejected: str = ""
    rejected_at: str | None = None
    recorded: str = ""
    together: tuple[OtherChange, ...] = ()
    verdict: Verdict | None = None
    line: int = 0
    accepted: str = ""
    general_pointer: str = ""
    relative_file: str = ""
    file_pointer: str | None = None
    position: Position | None = None
    key: str = ""
    breaks: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Return the name of this finding in `contracts/accepted.toml`.

        It is made of the rule, the subject with its version or versions, the direction and the pointer. It never
        depends on texts, witnesses, messages, line numbers or the folder of the contracts.
        """
        if self.key:
            return self.key
        known = _VERSION_FILE.search(self.file.replace("\\", "/"))
        if known is None:
            where = [self.relative_file or self.file.replace("\\", "/").rpartition("/")[2]]
        elif self.writer and self.reader:
            where = [known[1], f"{self.writer}>{self.reader}", self.direction.lower()]
        else:
            where = [known[1], f"v{known[3]}{' recording' if known[2] else ''}"]
        return ":".join((self.rule, *where, self.general_pointer or self.pointer))

    def within(self, root: Path) -> Finding:
        """Return this finding with the path of its file within the contracts directory, if it is there."""
        path = Path(self.file)
        return replace(self, relative_file=path.relative_to(root).as_posix()) if path.is_relative_to(root) else self

    @property
    def place(self) -> str:
        """The file, the line where it has some, and the JSON pointer."""
        return ":".join(filter(None, (self.file, str(self.line or ""), self.pointer)))

    @property
    def pair(self) -> str:
        """The id of the pair that was compared, as in `ComparedPair.id`. Empty outside of comparisons."""
        return ComparedPair(self.subject, self.writer, self.reader, self.direction).id if self.direction else ""


@dataclass(frozen=True)
class Report:
    """Everything that one run of a command found.

    Attributes:
        command: The command, such as "compat".
        findings: What is wrong.
        pairs: What was compared, the compatible pairs, too.
        notes: What was not looked at, one sentence each.
        site: The address of a site that `contract-test site` wrote, if pages of it are linked to.

    """

    command: str
    findings: Sequence[Finding] = ()
    pairs: Sequence[ComparedPair] = ()
    notes: Sequence[str] = ()
    site: str = ""
