"""`contract-test generate`."""

from __future__ import annotations

from pathlib import Path

import click

from contract_test.cli.running import CLEAN, FINDINGS, contracts_option, note, package_option, required_package
from contract_test.data.texts import counted
from contract_test.files.catalog import load_catalog
from contract_test.files.proof_cache import user_cache
from contract_test.generate.package import check as find_stale
from contract_test.generate.package import generate


@click.command("generate")
@contracts_option
@package_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("src"),
    show_default=True,
    help="The directory of the package.",
)
@click.option(
    "--all", "again", is_flag=True, help="Generate unchanged contracts, too. Use it after an upgrade of contract-test."
)
@click.option("--check", is_flag=True, help="Write nothing. Exit with 1 if the generated code is out of date.")
def command(contracts: Path, package: str | None, output: Path, *, check: bool, again: bool) -> int:
    """Write the value objects of every version of every subject.

    They are typed and immutable, and accept exactly what the contract accepts. Commit them, and run `generate --check`
    in CI to find out if they are out of date.
    """
    package = required_package(package, contracts)
    catalog = load_catalog(contracts)
    total = counted(len(catalog.contracts), "contract")
    if check:
        stale = find_stale(catalog, package, output, user_cache()).stale
        for path in stale:
            click.echo(f"{path}: stale. Run `contract-test generate --all` and commit the result")
        note(f"{total}, {counted(len(stale), 'stale file')}")
        return FINDINGS if stale else CLEAN
    done = generate(catalog, package, output, again=again)
    for path in done.written:
        click.echo(f"wrote {path}")
    for path in done.removed:
        click.echo(f"removed {path}")
    for line in done.general.lines() if done.general else ():
        note(line)
    note(f"{total}, {counted(len(done.written), 'file')} written, {len(done.removed)} removed")
    return CLEAN
