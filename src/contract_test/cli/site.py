"""`contract-test site`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path

import click

from contract_test.cli.ledger_options import ledger_options
from contract_test.cli.progress import with_progress
from contract_test.cli.running import CLEAN, note, package_name, package_option
from contract_test.data.errors import ContractTestError
from contract_test.data.texts import counted
from contract_test.files.ledger import Ledger
from contract_test.files.settings import read_package


@click.command("site")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where the pages are written. The directory must be empty, new, or of an earlier run.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the data behind the pages to stdout, as JSON.")
@click.option("--title", default="Contracts", show_default=True, metavar="TEXT", help="The name on each page.")
@click.option(
    "--results",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    metavar="PATH",
    help="A report of pytest --contracts, a result of verify, or a directory of them. May be repeated.",
)
@click.option(
    "--pairs",
    type=click.Choice(["near", "all"]),
    default="near",
    show_default=True,
    help="Which versions have a page together: each with the next one and with the newest, or all.",
)
@package_option
@ledger_options(writes=False, optional=True)
def command(
    output: Path | None,
    title: str,
    results: tuple[Path, ...],
    pairs: str,
    contracts: Path,
    package: str | None,
    ledger: Ledger | None,
    *,
    as_json: bool,
) -> int:
    """Write static pages of the contracts: who sends, who reads, what breaks.

    The pages open from disk and from any web server. They show the catalog, every version, the differences between
    versions, who reads which field, the findings of compat, and what the ledger holds. Only pages that changed are
    written. The exit code is 0 also if there are findings.
    """
    if output is None and not as_json:
        raise click.UsageError("Name a directory with --output DIR, or use --json.")
    from contract_test.site.facts import build_site
    from contract_test.site.parts import Output, Part, Sources

    package = package or read_package(contracts.resolve().parent)
    if package is not None:
        package_name(package)
    if output is not None and find_spec("jinja2") is None:
        advice = "Install contract-test[site]."
        raise ContractTestError("Jinja2 is not installed, which writes the pages", advice=advice)
    sources = Sources(contracts, _today(), ledger, results, package, "all" if pairs == "all" else "near")

    def progress(parts: Iterator[Part], count: int) -> Iterator[Part]:
        return with_progress(parts, count, "Subjects", lambda part: len(part.subjects))

    data, written = build_site(sources, None if output is None else Output(output, title), progress)
    if as_json:
        from contract_test.site.as_json import site_as_json

        click.echo(site_as_json(data))
    if output is not None and written is not None:
        removed = f", {written.removed} removed" if written.removed else ""
        files = f"{counted(written.files, 'file')} in {output}, {written.written} of them written{removed}"
        note(f"{files}: open {output / 'index.html'}")
    for each in data.notes:
        note(each)
    return CLEAN


def _today() -> date:
    """Return the day that acceptances are compared with. `SOURCE_DATE_EPOCH` sets it, as for reproducible builds."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    return (datetime.fromtimestamp(int(given), UTC) if given.isdecimal() else datetime.now(UTC)).date()
