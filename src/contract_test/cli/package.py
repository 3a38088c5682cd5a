"""`contract-test package`."""

from __future__ import annotations

from pathlib import Path

import click

from contract_test.cli.running import CLEAN, contracts_option, note, package_option, required_package
from contract_test.data.errors import HistoryError, UnreachableError
from contract_test.data.texts import inert
from contract_test.files.catalog import load_catalog
from contract_test.package.build import build, check_committed, check_ready, inputs
from contract_test.package.metadata import read_project
from contract_test.package.version import derive_version

_OWN_PACKAGES = ("envelopes", "contract_test")


@click.command("package")
@contracts_option
@package_option
@click.option(
    "--source",
    type=click.Path(path_type=Path, file_okay=False),
    help="The directory of the package.  [default: src, beside the contracts]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("dist"),
    show_default=True,
    help="Where the wheels and sdists are written.",
)
@click.option("--version", metavar="X.Y.Z", help="Use this version instead of the one that is derived from git.")
@click.option("--tag-prefix", metavar="TEXT", default="v", show_default=True, help="How release tags begin.")
@click.option("--show-version", is_flag=True, help="Print the version, and build nothing.")
def command(
    contracts: Path, package: str | None, source: Path | None, out: Path, version: str | None, tag_prefix: str, *,
    show_version: bool,
) -> int:  # fmt: skip
    """Build the package that services install, with a version of its own for each change.

    Writes a wheel and an sdist with value objects and contracts, and a second distribution, NAME-recordings, with the
    recordings. Services install the first one in production, and NAME[recordings] in their tests.

    The version is derived from git. It rises with every commit that changes the package, beginning at the newest
    release tag, such as v1.2.0: a breaking change raises the first number, a new version or subject the second one, and
    other changes the third one.
    """
    package = required_package(package, contracts)
    if package in _OWN_PACKAGES:
        raise click.UsageError(f"{package} comes with contract-test. Name the package of your own value objects.")
    catalog = load_catalog(contracts)
    home = contracts.resolve().parent
    project, folder = read_project(home, package), (source or home / "src") / package
    check_ready(catalog, folder)
    if version is None:
        try:
            check_committed(catalog, project, folder)
            derived = derive_version(contracts, inputs(catalog, project, folder), tag_prefix)
        except (HistoryError, UnreachableError) as error:
            advice = f"{error.advice} Or name a version with --version."
            raise type(error)(error.problem, place=error.place, advice=advice) from None
        version = str(derived)
        for reason in derived.reasons[:5]:
            note(inert(f"{version}: {reason}"))
    else:
        version = _checked(version)
    if show_version:
        click.echo(version)
        return CLEAN
    for path in build(catalog, project, folder, version, out):
        click.echo(str(path))
    return CLEAN


def _checked(version: str) -> str:
    from packaging.version import InvalidVersion, Version

    try:
        parsed = Version(version)
    except InvalidVersion:
        raise click.BadParameter(f"{version!r} is not a version such as 1.2.0.", param_hint="--version") from None
    if parsed.local:
        problem = f"{version!r} has a local part, +{parsed.local}, which indexes refuse."
        raise click.BadParameter(problem, param_hint="--version")
    return str(parsed)
