"""`contract-test lint`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from contract_test.cli.running import CLEAN, FINDINGS, contracts_option, format_option, max_age_option, note
from contract_test.data.finding import Finding, Report
from contract_test.data.texts import counted
from contract_test.files.accepted import FILE, accepted_by, append_accepted, mark_accepted, read_accepted, with_accepted
from contract_test.files.catalog import load_catalog
from contract_test.files.catalog_schema import FILE as CATALOG_SCHEMA
from contract_test.files.catalog_schema import is_stale, schema_file_text
from contract_test.files.leak_findings import LEAK
from contract_test.files.positions import with_positions
from contract_test.lint.contracts import UNREADABLE, lint
from contract_test.lint.hints import zero_time_hint
from contract_test.report.formats import FORMATS


@click.command("lint")
@contracts_option
@format_option
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--against", metavar="REF", help="Compare the lock with the one at this git ref, such as origin/main.")
@click.option("--accepted", "list_accepted", is_flag=True, help=f"List what contracts/{FILE} accepts, and exit.")
@click.option("--baseline", is_flag=True, help=f"Add all present findings to contracts/{FILE}, and exit.")
@click.option("--reason", metavar="TEXT", help="With --baseline: why the findings are accepted.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="With --baseline: the last day on which errors are accepted, such as 2027-03-31.",
)
@click.option("--catalog-schema", is_flag=True, help="Print a JSON Schema of catalog.toml for editors, and exit.")
@max_age_option(None)
def command(
    contracts: Path,
    form: str,
    max_age: timedelta | None,
    against: str | None,
    reason: str | None,
    until: datetime | None,
    *,
    strict: bool,
    list_accepted: bool,
    baseline: bool,
    catalog_schema: bool,
) -> int:
    """Check that contracts/ is well-formed, locked and named properly.

    Errors are, for example, invalid schemas, registered versions that were changed, gaps between versions, and
    examples or recorded messages that break their contract. Warnings point out what readers in other languages may
    interpret differently. Each finding contains a fix. The exit code is 1 if there are errors.

    A finding can be accepted in contracts/accepted.toml, by the id that --format json shows:

    \b
        [[lint]]
        finding = "integer-unbounded:order.placed:v1:/properties/total"
        reason  = "amounts are checked by the shop"
        until   = 2027-03-31                  # errors need a last day

    What the scanner finds (leak-…) is accepted under [[scan]].
    """  # noqa: D301 - click ends its own wrapping at that character
    if catalog_schema:
        click.echo(schema_file_text(), nl=False)
        return CLEAN
    if list_accepted:
        return _list_accepted(contracts)
    findings = lint(contracts, max_age, against)
    if baseline:
        return _baseline(contracts, findings, reason, until)
    accepted, today = read_accepted(contracts), datetime.now(UTC).date()
    findings = mark_accepted(findings, accepted_by(accepted, "scan"), today)
    not_checked = (
        *(("recording-old:",) if max_age is None else ()),
        *(("registered-row-",) if against is None else ()),
    )
    entries = [each for each in accepted_by(accepted, "lint") if not each.finding.startswith(not_checked)]
    findings = with_accepted(findings, entries, today)
    if strict:
        findings = [
            replace(finding, severity="error") if finding.severity == "warning" else finding for finding in findings
        ]
    click.echo(FORMATS[form](Report("lint", with_positions(findings))), nl=False)
    if not any(each.rule in UNREADABLE for each in findings):
        _print_notes(contracts)
    count = {name: sum(each.severity == name for each in findings) for name in ("error", "warning", "accepted")}
    summary = f"{counted(count['error'], 'error')}, {counted(count['warning'], 'warning')}"
    note(summary + (f", {count['accepted']} accepted" if count["accepted"] else ""))
    return FINDINGS if count["error"] else CLEAN


def _print_notes(contracts: Path) -> None:
    from contract_test.generate.general import find_general_types  # pydantic and the generator's plans: only here

    catalog = load_catalog(contracts)
    if is_stale(contracts):
        note(
            f"hint: {contracts / CATALOG_SCHEMA} is of another version of contract-test. "
            f"Write it again: contract-test lint --catalog-schema > {contracts / CATALOG_SCHEMA}"
        )
    if hint := zero_time_hint(catalog):
        note(hint)
    for line in find_general_types(catalog).lines():
        note(line)


def _list_accepted(contracts: Path) -> int:
    today = datetime.now(UTC).date()
    entries = read_accepted(contracts)
    for entry in entries:
        until = f"until {entry.until}" if entry.until else "without a last day"
        over = "" if entry.holds_on(today) else " (over)"
        click.echo(f"{entry.command}  {entry.finding}  {until}{over}: {entry.reason}")
    note(f"{counted(len(entries), 'accepted finding')} in {contracts / FILE}")
    return CLEAN


def _baseline(contracts: Path, findings: list[Finding], reason: str | None, until: datetime | None) -> int:
    errors = sum(each.severity == "error" for each in findings)
    if not reason:
        raise click.UsageError('--baseline needs --reason TEXT, such as --reason "existed before we used lint".')
    if errors and until is None:
        raise click.UsageError(f"{counted(errors, 'error')} can only be accepted with a last day: --until DATE.")
    last = until.date() if until else None
    rows: dict[str, list[tuple[str, date | None]]] = {"lint": [], "scan": []}
    for each in findings:
        command = "scan" if each.rule.startswith(LEAK) else "lint"
        rows[command].append((each.id, last if each.severity == "error" else None))
    added = sum(append_accepted(contracts, command, entries, reason) for command, entries in rows.items())
    note(f"{counted(added, 'finding')} added to {contracts / FILE}")
    return CLEAN
