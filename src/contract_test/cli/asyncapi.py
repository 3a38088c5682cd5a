"""`contract-test asyncapi`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from contract_test.asyncapi.comparison import check, diff, refusal
from contract_test.asyncapi.export import document_of
from contract_test.asyncapi.importing import propose, staged
from contract_test.cli.running import CLEAN, FINDINGS, contracts_option, format_option, note
from contract_test.data.contract import Catalog
from contract_test.data.errors import NothingFoundError
from contract_test.data.finding import Report
from contract_test.data.texts import counted
from contract_test.files.additions import schema_text, tables_text
from contract_test.files.catalog import load_catalog
from contract_test.files.yaml_documents import document_text
from contract_test.report.formats import FORMATS


@click.group("asyncapi")
def command() -> None:
    """Write contracts as an AsyncAPI document, read one, and compare."""


@command.command("export")
@click.option("--service", metavar="NAME", help="Only what this service sends and receives.")
@click.option("--bundle", is_flag=True, help="Put the schemas into the document. Otherwise, it refers to their files.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    required=True,
    metavar="FILE",
    help="Where the document is written: a .json, .yaml or .yml file, or - for stdout.",
)
@contracts_option
def export(service: str | None, output: Path, contracts: Path, *, bundle: bool) -> int:
    """Write the contracts as an AsyncAPI 3.0 document.

    The document has one operation for each subject that a service sends or receives. With --service, it describes that
    service alone.
    """
    catalog = load_catalog(contracts)
    to_stdout = str(output) == "-"
    document = document_of(catalog, Path() if to_stdout else output.parent, service=service, bundled=bundle)
    text = document_text(document, output)
    if to_stdout:
        click.echo(text, nl=False)
        return CLEAN
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")
    messages, operations = len(document["components"]["messages"]), len(document["operations"])
    note(f"{output}: {counted(messages, 'message')}, {counted(operations, 'operation')}")
    return CLEAN


@command.command("import")
@click.argument("path", metavar="FILE|DIR", type=click.Path(path_type=Path, exists=True))
@click.option("--write", is_flag=True, help="Write it. Otherwise, it is only shown.")
@click.option("--service", metavar="NAME", help="The service that the document describes.  [default: from its title]")
@contracts_option
@format_option
def import_(path: Path, service: str | None, contracts: Path, form: str, *, write: bool) -> int:
    """Read an AsyncAPI document, or all in a directory, into contracts.

    Prints the rows of catalog.toml and the version files that the document adds. What cannot be read is a finding with
    its place and a fix, and the exit code is 1 then. With --write, the rest is written nevertheless.
    """
    catalog = existing_or_none(contracts)
    proposal = propose(path, catalog, service)
    with staged(proposal, catalog):
        pass
    if write:
        for each in proposal.write(contracts):
            note(f"wrote {each}")
    elif form == "text":
        click.echo(tables_text(proposal.tables), nl=False)
        for name, schema in proposal.files.items():
            click.echo(f"\n# {contracts / name}\n{schema_text(schema)}", nl=False)
    findings = [refusal(each) for each in proposal.refused]
    click.echo(FORMATS[form](Report("asyncapi import", findings, (), proposal.notes)), nl=False)
    for line in proposal.notes:
        note(line)
    subjects = {subject for subject, _ in proposal.versions}
    note(f"{counted(len(subjects), 'subject')}, {counted(len(proposal.files), 'new file')}, {len(findings)} refused")
    return FINDINGS if findings else CLEAN


@command.command("check")
@click.argument("path", metavar="FILE|DIR", type=click.Path(path_type=Path, exists=True))
@click.option("--service", metavar="NAME", help="The service that the document describes.  [default: from its title]")
@contracts_option
@format_option
def check_(path: Path, service: str | None, contracts: Path, form: str) -> int:
    """Check whether an AsyncAPI document says what the contracts say.

    Compares each operation's messages with the contracts in both directions. A finding shows a message that one side
    may send and the other rejects.
    """
    return _reported(check(path, load_catalog(contracts), service), form)


@command.command("diff")
@click.argument("older", metavar="OLD", type=click.Path(path_type=Path, exists=True))
@click.argument("newer", metavar="NEW", type=click.Path(path_type=Path, exists=True))
@format_option
def diff_(older: Path, newer: Path, form: str) -> int:
    """Show what changed between two AsyncAPI documents, and whom it breaks.

    What a service receives must still be read, and what it sends must still be readable for others. A change that
    breaks the other direction only is a warning.
    """
    return _reported(diff(older, newer), form)


def _reported(report: Report, form: str) -> int:
    click.echo(FORMATS[form](report), nl=False)
    for line in report.notes:
        note(line)
    statuses = Counter(each.status for each in report.pairs)
    counts = ", ".join(f"{statuses[status]} {status}" for status in ("compatible", "incompatible", "unknown"))
    note(f"{counted(len(report.pairs), 'pair')} compared: {counts}; {counted(len(report.findings), 'finding')}")
    return FINDINGS if any(each.severity == "error" for each in report.findings) else CLEAN


def existing_or_none(contracts: Path) -> Catalog:
    """Return the catalog; an empty one if there are no contracts yet."""
    try:
        return load_catalog(contracts)
    except NothingFoundError:  # no directory, or no version in it
        return Catalog(contracts, {}, {})
