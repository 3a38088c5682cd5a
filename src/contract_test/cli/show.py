"""`contract-test show`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from contract_test.cli.running import CLEAN, contracts_option, note
from contract_test.data.contract import Catalog
from contract_test.data.errors import ContractTestError, NothingFoundError, RecordingError
from contract_test.data.interaction import Interaction
from contract_test.data.texts import counted
from contract_test.files.catalog import load_catalog
from contract_test.files.recordings import is_recording, read_recording, read_recording_file
from contract_test.recordings.provenance import causes, provenance_of
from contract_test.report.recording import Line, recording_lines

_STYLES = {"strong": "bold", "dim": "dim", "masked": "yellow", "": ""}


@click.command("show")
@click.argument("what", metavar="RECORDING|SUBJECT")
@contracts_option
@click.option(
    "--line",
    "lines",
    type=click.IntRange(1),
    multiple=True,
    help="Print only this line of the recording. You can repeat this option.",
)
def command(what: str, contracts: Path, lines: tuple[int, ...]) -> int:
    """Print recorded messages for people, with marks at the values that were masked.

    RECORDING is a file. For a SUBJECT, the recordings of all its versions are printed.
    """
    try:
        catalog = load_catalog(contracts)
    except ContractTestError:  # a recording can be read without its contract
        catalog = None
    every = _interactions(what, catalog)
    found = [each for each in every if not lines or each.line in lines]
    if every and not found:
        advice = f"The last line of a recording there is {max(each.line for each in every)}."
        raise NothingFoundError(f"no message in line {', '.join(map(str, lines))}", place=what, advice=advice)
    if not found:
        raise NothingFoundError("no recorded message", place=what, advice="Record some: contract-test record.")
    known = causes(catalog) if catalog is not None else {}
    for each in found:
        provenance = provenance_of(each, catalog)
        _print(recording_lines(provenance, known.get(provenance.cause) if provenance.cause else None))
    note(counted(len(found), "message"))
    return CLEAN


def _interactions(what: str, catalog: Catalog | None) -> list[Interaction]:
    subject = catalog.subjects.get(what) if catalog is not None and not Path(what).is_file() else None
    if subject is None:
        if what.endswith(".json"):
            lines = f"If it holds messages, make lines of it: jq -c . {what}, or jq -c '.[]' {what} for an array."
            advice = f"Name a SUBJECT, or a file such as contracts/<subject>/recordings/v1.jsonl. {lines}"
            raise RecordingError("a schema, or other JSON, and no recording", place=what, advice=advice)
        if catalog is not None and not Path(what).exists() and Path(what).name == what and not what.endswith(".jsonl"):
            known = ", ".join(catalog.subjects)
            raise RecordingError("no subject of the catalog, and no such file", place=what, advice=f"Known: {known}.")
        return _read_file(what)
    return [each for contract in subject.contracts.values() for each in read_recording(contract)]


def _read_file(name: str) -> list[Interaction]:
    try:
        return read_recording_file(Path(name))
    except RecordingError as error:
        is_unclear = not error.problem.startswith("not ") or "nested deeper" in error.problem
        if is_unclear or is_recording(name):
            raise
        advice = (
            f"To read them: jq . {name}. To record them: contract-test record {name}. "
            f"To describe them: contract-test infer {name} --subject NAME."
        )
        raise RecordingError("messages as they are, and no recording", place=name, advice=advice) from None


def _print(lines: Iterable[Line]) -> None:
    """In a pipe plain lines; on a terminal folded to its width, in colours unless NO_COLOR is set."""
    if not sys.stdout.isatty():
        for line in lines:
            click.echo("".join(text for text, _ in line))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, color_system=None if os.environ.get("NO_COLOR") else "auto")
    for line in lines:
        console.print(Text.assemble(*((text, _STYLES[style]) for text, style in line)), overflow="fold")
