"""`contract-test matrix`."""

from __future__ import annotations

from pathlib import Path

import click

from contract_test.cli.ledger_options import ledger_options
from contract_test.cli.running import CLEAN, FINDINGS, note
from contract_test.data.errors import CatalogError
from contract_test.files.catalog import load_catalog
from contract_test.files.ledger import Ledger
from contract_test.gate.matrix import first_bad, matrix_of
from contract_test.gate.opening import evidences_of
from contract_test.report.gate import matrix_as_json, matrix_as_text


@click.command("matrix")
@click.argument("subject")
@click.option(
    "--last",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    metavar="K",
    help="So many versions of a service.",
)
@click.option(
    "--first-bad", "bisect", is_flag=True, help="Name the commit of the contracts since which each reader breaks."
)
@ledger_options(writes=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(subject: str, last: int, contracts: Path, ledger: Ledger, form: str, *, bisect: bool) -> int:
    """Show which verified versions of the writers and readers of SUBJECT get along.

    The exit code is 1 if a pair breaks or is unknown.
    """
    catalog = load_catalog(contracts, schemas_when_asked=True)
    if subject not in catalog.subjects:
        raise CatalogError(
            f"no subject {subject!r}", place=str(contracts), advice=f"Known: {', '.join(catalog.subjects)}."
        )
    evidences, found = evidences_of(catalog, ledger), catalog.subjects[subject]
    cells = matrix_of(found, ledger, evidences, last)
    readers = list(dict.fromkeys(each.reader for each in cells)) if bisect else []
    turns = [turn for each in readers if (turn := first_bad(found, each, evidences)) is not None]
    click.echo(matrix_as_json(cells, turns) if form == "json" else matrix_as_text(cells, turns), nl=False)
    if not cells:
        note(f"no verified versions on both sides of {subject} in {ledger.place}")
    return FINDINGS if not cells or any(each.evidence.status != "yes" for each in cells) else CLEAN
