"""What a command that judges found, one place at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from contract_test.data.verdict import Verdict

_VERSION_FILE = re.compile(r"(?:^|/)([^/]+)/(recordings/)?v([1-9][0-9]*)\.jsonl?$")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong (`error`), or could go wrong (`warning`): where, by which rule, and what to do.

    A comparison also says its `direction`, the versions that wrote and read (`writer`, `reader`), the whole `verdict`,
    and where its witness was `recorded`, if it was. `details` are lines for people.
    `line` counts from 1; it is 0 where the file is one value. `accepted` says why and until when somebody accepted it:
    its severity is "accepted" then. `general_pointer` is for what is found in one message of many: the pointer without
    indexes and without keys of that message. `relative_file` is the file within the contracts directory. `key` is its
    id, where that cannot be read from the file's name.
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
    accepted: str = ""
    general_pointer: str = ""
    relative_file: str = ""
    key: str = ""

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
