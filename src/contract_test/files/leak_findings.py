"""What the scanner finds in a line of a file, as findings that people can accept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

from contract_test.data.finding import Finding
from contract_test.data.interaction import Interaction
from contract_test.files.accepted import FILE as ACCEPTED
from contract_test.files.additions import toml_text
from contract_test.scanner import leaks_in_line
from contract_test.schema.declared import general_pointer
from envelopes.codecs import CODECS

LEAK = "leak-"
"""How the rules of all these findings begin."""
_NAMES_AROUND_DATA = frozenset[str]().union(
    (each.name for each in fields(Interaction)),
    *(codec.CONTEXT_NAMES for codec in CODECS.values()),
    ("list", "stream", "topic", "partition", "offset", "content-type", "data_base64"),
)


def leak_findings(line: bytes, path: Path, public: frozenset[str], number: int = 0) -> Iterator[Finding]:
    """Yield what the scanner finds in a line of a file, or in a whole file of JSON if `number` is 0.

    Texts in `public`, such as the names that contracts declare, are not looked at.
    """
    names = public | _NAMES_AROUND_DATA
    for leak in leaks_in_line(line, public):
        general = general_pointer(leak.pointer, names) if number else ""
        finding = Finding(
            str(path), leak.pointer, f"{LEAK}{leak.rule}", f"{leak.thing} is written here", "",
            line=number, general_pointer=general,
        )  # fmt: skip
        yield replace(finding, advice=f"{_cure(finding)} {acceptance_advice(finding)}")


def acceptance_advice(finding: Finding) -> str:
    """Return how to accept a finding of the scanner that is no secret."""
    entry = f"[[scan]] finding = {toml_text(finding.id)}"
    return f"If it is no secret, accept it in contracts/{ACCEPTED}, with reason = … and until = a date: {entry}"


def _cure(finding: Finding) -> str:
    if finding.line == 0:
        return "Remove it."
    if finding.pointer.startswith("/seen/"):
        return "The message was read here. Give the channel an address of words."
    return "Remove the line and record again. If the field has x-sensitivity: public, change that first."
