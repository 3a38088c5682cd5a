"""`contract-test readers`."""

from __future__ import annotations

from pathlib import Path

import click

from contract_test.cli.running import CLEAN, contracts_option, note
from contract_test.files.catalog import load_catalog
from contract_test.files.reader_files import FOLDER, read_readers
from contract_test.replay.observed_readers import tables
from contract_test.report.readers import FORMATS


@click.command("readers")
@click.argument("subject")
@contracts_option
@click.option(
    "--readers",
    "folders",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    multiple=True,
    help="Another folder with <service>.json files, in addition to contracts/readers/. The last one has priority.",
)
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True)
def command(subject: str, contracts: Path, folders: tuple[Path, ...], form: str) -> int:
    """Show which fields of SUBJECT each service reads.

    `pytest --contracts` writes the fields that a service reads to .contract-test/readers/<service>.json. Copy this file
    to contracts/readers/ to share it. "unknown" means that the service was not replayed with this content of the
    contract.
    """
    readers = read_readers(contracts / FOLDER, *folders)
    found = tables(load_catalog(contracts), subject, readers)
    click.echo(FORMATS[form](subject, found), nl=False)
    if not any(reader.subject == subject for reader in readers):
        note(f"no service's reads of {subject} are known: copy .contract-test/readers/*.json to {contracts / FOLDER}/")
    return CLEAN
