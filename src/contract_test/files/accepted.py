"""`contracts/accepted.toml`: findings that somebody accepted, with the reason and, for errors, a date.

Every command that returns findings can use it. The command has a row in `COMMANDS`, reads its entries, and marks its
findings before it renders them:

    accepted = accepted_by(read_accepted(root), "compat")
    findings = with_accepted(findings, accepted, datetime.now(UTC).date())

A finding is recognized by `Finding.id`. So the id must stay the same as long as the finding does: set `general_pointer`
if `pointer` leads into one message of many. An accepted finding has the severity "accepted". It counts neither as an
error nor as a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from contract_test.data.errors import CatalogError
from contract_test.data.finding import Finding
from contract_test.files.additions import toml_text
from contract_test.files.toml import read_toml

FILE = "accepted.toml"
COMMANDS = ("lint", "scan", "compat", "replay", "gate", "registry")
_HEADING = (
    "# Findings that were accepted, by command. Each has the finding's id and a reason;\n"
    "# an error also needs the last day on which it is accepted: until = 2027-03-31\n"
)


@dataclass(frozen=True)
class Acceptance:
    """One entry: the command that found it, the finding's id, why it is accepted, and the last day of that.

    `place` is the file and the entry in it.
    """

    command: str
    finding: str
    reason: str
    until: date | None
    place: str

    def holds_on(self, today: date) -> bool:
        """Return True up to and including the last day."""
        return self.until is None or today <= self.until


def read_accepted(root: Path) -> list[Acceptance]:
    """Return the entries of a contracts directory; none where there is no file. Raises CatalogError with the entry."""
    path = root / FILE
    found = []
    for command, entries in read_toml(path).items():
        if command not in COMMANDS:
            advice = f"Write one of: {', '.join(f'[[{name}]]' for name in COMMANDS)}."
            raise CatalogError(
                f"{command!r} is no command whose findings can be accepted", place=str(path), advice=advice
            )
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            advice = f"Write two brackets: [[{command}]]."
            raise CatalogError(f"[{command}] is not a list of entries", place=str(path), advice=advice)
        for number, entry in enumerate(entries, start=1):
            found.append(_acceptance(command, entry, f"{path}:[[{command}]] {number}"))
    return found


def accepted_by(accepted: Iterable[Acceptance], *commands: str) -> list[Acceptance]:
    """Return the entries of some commands."""
    return [each for each in accepted if each.command in commands]


def _acceptance(command: str, entry: dict[str, Any], place: str) -> Acceptance:
    for key in ("finding", "reason"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            what = "the finding's id, as `--format json` prints it" if key == "finding" else "why it is accepted"
            raise CatalogError(f"{key} is missing", place=place, advice=f'Add {key} = "…": {what}.')
    if unknown := sorted(set(entry) - {"finding", "reason", "until"}):
        raise CatalogError(f"{unknown[0]!r} is not known here", place=place, advice="Known: finding, reason, until.")
    until = entry.get("until")
    if until is not None and type(until) is not date:
        raise CatalogError(
            f"until is {until!r}", place=place, advice="Write a date without quotes: until = 2027-03-31."
        )
    return Acceptance(command, entry["finding"], entry["reason"], until, place)


def with_accepted(findings: Iterable[Finding], accepted: Sequence[Acceptance], today: date) -> list[Finding]:
    """Return the findings with those marked that were accepted, and a warning for each entry whose finding is gone.

    `accepted` holds the entries of the command that judges. An error without a date, or after its last day, stays an
    error and says so.
    """
    marked = mark_accepted(findings, accepted, today)
    found = {each.id for each in marked}
    return [*marked, *(_unused(entry) for entry in accepted if entry.finding not in found)]


def mark_accepted(findings: Iterable[Finding], accepted: Sequence[Acceptance], today: date) -> list[Finding]:
    """Return the findings with those marked that were accepted. Use it if not everything was looked at."""
    entries = {each.finding: each for each in accepted}
    return [_marked(finding, entries[finding.id], today) if finding.id in entries else finding for finding in findings]


def _marked(finding: Finding, entry: Acceptance, today: date) -> Finding:
    if finding.severity == "error" and entry.until is None:
        detail = f"It cannot be accepted without a last day: add until = YYYY-MM-DD at {entry.place}."
        return replace(finding, details=(*finding.details, detail))
    if not entry.holds_on(today):
        detail = f"It was accepted until {entry.until}: {entry.reason}"
        return replace(finding, details=(*finding.details, detail))
    until = f"until {entry.until}: " if entry.until else ""
    return replace(finding, severity="accepted", accepted=f"{until}{entry.reason}")


def _unused(entry: Acceptance) -> Finding:
    file, _, place = entry.place.partition(":")
    sentence = f"{entry.finding} is accepted here, but it is not found any more"
    return Finding(file, place, "acceptance-unused", sentence, "Delete the entry.", "warning")


def append_accepted(root: Path, command: str, findings: Iterable[tuple[str, date | None]], reason: str) -> int:
    """Add an entry for each finding's id that has none yet, with its last day; return how many were added.

    The file's text is kept as it is. Raises CatalogError where the file cannot be read.
    """
    known = {each.finding for each in read_accepted(root) if each.command == command}
    path = root / FILE
    before = path.read_text(encoding="utf-8") if path.exists() else _HEADING
    added = []
    for finding, until in findings:
        if finding not in known:
            known.add(finding)
            rows = [f"finding = {toml_text(finding)}", f"reason = {toml_text(reason)}"]
            rows += [f"until = {until.isoformat()}"] if until else []
            added.append(f"\n[[{command}]]\n" + "\n".join(rows) + "\n")
    if added:
        path.write_text(
            before + ("" if before.endswith("\n") or not before else "\n") + "".join(added), encoding="utf-8"
        )
    return len(added)
