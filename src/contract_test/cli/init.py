"""`contract-test init`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from contract_test.cli.running import CLEAN, FINDINGS, note, package_name
from contract_test.data.contract import Catalog, snake_case
from contract_test.data.errors import ContractTestError
from contract_test.data.texts import inert
from contract_test.files.catalog import load_catalog
from contract_test.files.installed import check_package, installed_contracts, is_installed, runtime_catalog
from contract_test.files.settings import PYPROJECT, read_package
from contract_test.start.init import (
    ScaffoldResult,
    project_name,
    scaffold_contracts,
    scaffold_service,
    services_of,
)

_EXISTING_PACKAGES = sys.stdlib_module_names | {"envelopes", "contract_test"}
_PROJECT_FILES = (PYPROJECT, "setup.cfg", "setup.py", "pytest.toml", "pytest.ini", ".pytest.ini", "tox.ini", "Pipfile")
_NO_PROJECT = ("readme", "license", "changelog")


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--service", metavar="NAME", help="The name of this service in the catalog.")
@click.option("--package", metavar="NAME", help="The package of value objects.")
@click.option(
    "--contracts",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Use the contracts in this directory instead of those in the package.",
)
@click.option(
    "--scheduled-recording",
    is_flag=True,
    help="In a contracts repository: also write the jobs that record staging every night.",
)
def command(
    folder: Path, service: str | None, package: str | None, contracts: Path | None, *, scheduled_recording: bool
) -> int:
    """Create a contracts repository, or the settings and tests of a service.

    In an empty folder, this creates a contracts repository with an example that generates, tests and packages, and with
    CI jobs for GitHub Actions and GitLab. In a service's repository, it writes the settings, and a test for each
    subject that the service sends or receives. Existing files are not changed.
    """
    if package is not None:
        package_name(package)
    if service is None and contracts is None and _is_for_contracts(folder):
        if package in _EXISTING_PACKAGES and package not in _generated(folder):
            raise click.BadParameter(
                f"There is a package {package!r} already, and yours would hide it.", param_hint="--package"
            )
        package = package or _package_of(folder)
        _print_result(scaffold_contracts(folder, package, scheduled_recording=scheduled_recording))
        note(f"next, in {inert(str(folder.resolve()))}:")
        note("  pip install 'pip>=25.1'")
        note("  pip install --group dev --editable .")
        note("  pytest")
        note("then describe your own messages in contracts/ (see README.md)")
        if scheduled_recording:
            note(
                "for the scheduled recording, store its secrets in your CI system (see docs/recording-on-a-schedule.md)"
            )
        return CLEAN
    if scheduled_recording:
        raise click.UsageError("--scheduled-recording is for a contracts repository: run it there, without --service.")
    if service is None and not any((folder / name).is_file() for name in _PROJECT_FILES):
        advice = "in a service's repo give --service NAME; a repo of contracts begins in an empty folder."
        raise click.UsageError(f"{inert(str(folder.resolve()))} is neither empty nor a Python project: {advice}")
    if package is None and contracts is not None and len(beside := _generated(contracts.resolve().parent)) == 1:
        (package,) = beside
    package = package or read_package(folder.resolve())
    if package is None:
        problem = "Name the package of value objects and contracts, which your contracts repository builds"
        raise click.UsageError(f"{problem}: --package NAME.")
    catalog = load_catalog(contracts or installed_contracts(package))
    service = service or _service_of(folder, catalog)
    result = scaffold_service(folder, service, package, catalog, contracts)
    _print_result(result)
    if result.missing:
        note("these operations have no test yet. Add to it:")
        click.echo(result.missing, nl=False)
        return FINDINGS
    if not is_installed(package):
        note(f"next: install {package!r}, the package of value objects")
    elif contracts is not None:
        _check_package(service, package, catalog)
    warned = "; the new tests fail until they call this service's code"
    note(f"next: `python -m pytest --contracts`{warned if result.has_tests else ''}")
    return CLEAN


def _check_package(service: str, package: str, catalog: Catalog) -> None:
    """Print a note if the value objects of a package do not belong to the contracts."""
    try:
        check_package((*catalog.received_by(service), *catalog.sent_by(service)), runtime_catalog(package))
    except ContractTestError as error:
        note(inert(str(error)))


def _is_for_contracts(folder: Path) -> bool:
    """Return True if a folder is a contracts repository, or has no files of another project."""
    if (folder / "contracts" / "catalog.toml").is_file():
        return not (folder / PYPROJECT).is_file() or any(_generated(folder))
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return all(name.startswith(".") or name.lower().startswith(_NO_PROJECT) for name in names)


def _generated(folder: Path) -> list[str]:
    """Return the names of the packages of value objects below a folder."""
    return [path.parents[1].name for path in sorted((folder / "src").glob("*/messages/__init__.py"))]


def _package_of(folder: Path) -> str:
    """Return the name of the package that is generated already, or one from the folder's name."""
    for there in _generated(folder):
        return there
    name = snake_case(folder.resolve().name)
    name = name if name.endswith(("envelopes", "contracts", "messages")) else f"{name}_envelopes"
    if not name.isidentifier() or not name.isascii():
        raise click.UsageError("The folder's name is not a valid package name. Choose one with --package NAME.")
    return name


def _service_of(folder: Path, catalog: Catalog) -> str:
    services = services_of(catalog)
    name = project_name(folder)
    if name in services:
        return name
    problem = f"Name this service with --service NAME. The catalog at {catalog.root} has: {', '.join(services)}."
    raise click.UsageError(inert(f"{problem} For another package add --package NAME."))


def _print_result(result: ScaffoldResult) -> None:
    for path in result.written:
        click.echo(f"wrote {inert(str(path))}")
    for path in result.kept:
        note(f"kept {inert(str(path))}")
