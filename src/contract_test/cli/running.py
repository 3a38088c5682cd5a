"""What every command shares: options, exit codes, and how an error reads."""

from __future__ import annotations

import keyword
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from traceback import extract_tb, print_exc
from typing import Any, TypeVar

import click

from contract_test.data.durations import parse_duration
from contract_test.data.errors import ContractTestError, UnreachableError
from contract_test.data.texts import inert
from contract_test.files.settings import read_package
from contract_test.report.formats import FORMATS
from contract_test.report.inert import log_line

F = TypeVar("F", bound=Callable[..., Any])

CLEAN, FINDINGS, USAGE, COULD_NOT_RUN = 0, 1, 2, 3
DEFECT = 4
READER_GONE = 141
"""As a shell has it for a program that SIGPIPE ended."""

package_option = click.option(
    "--package", metavar="NAME", help="The package of value objects.  [default: as in pyproject.toml]"
)
contracts_option = click.option(
    "--contracts",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("contracts"),
    show_default=True,
    help="The contracts directory.",
)


def package_name(package: str) -> str:
    """Return a package's name as Python writes it. Raises click.BadParameter."""
    if package.isidentifier() and not keyword.iskeyword(package):
        return package
    name = package.replace("-", "_")
    hint = f" Python's name of it is {name!r}." if name.isidentifier() else ""
    raise click.BadParameter(f"{package!r} is not a package's name.{hint}", param_hint="--package")


def required_package(package: str | None, contracts: Path) -> str:
    """Return the package that an option names, or else the settings around the contracts. Raises click.UsageError."""
    name = package or read_package(contracts.resolve().parent)
    if name is None:
        raise click.UsageError("Name the package with --package NAME, or in [tool.contract-test] of pyproject.toml.")
    return package_name(name)


format_option = click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    help="How findings are written to stdout.",
)


def max_age_option(default: str | None) -> Callable[[F], F]:
    """Return the option `--max-age`, as a timedelta, or None."""

    def parsed(ctx: click.Context, param: click.Parameter, value: str | None) -> timedelta | None:
        del ctx, param
        age = None if value is None else parse_duration(value)
        if value is not None and age is None:
            raise click.BadParameter(f"{value!r} is not a time such as 90d or 12h.")
        return age

    text = "Warn of recordings whose newest message was sent longer ago: 90d, 12h."
    return click.option("--max-age", metavar="AGE", default=default, show_default=True, callback=parsed, help=text)


def run(group: click.Group) -> int:
    """Run the command line and give its exit code; an error is printed without a traceback."""
    try:
        code = group.main(standalone_mode=False)
    except click.exceptions.Abort:
        note("stopped")
        return COULD_NOT_RUN
    except click.ClickException as error:
        error.show()
        return USAGE
    except UnreachableError as error:
        note(inert(f"error: {error}"))
        return COULD_NOT_RUN
    except ContractTestError as error:
        note(inert(f"error: {error}"))
        return USAGE
    except OSError as error:  # a disk that is full, a directory that is none; a trace would not say more
        place = error.filename or ("standard output" if _of_stdout(error) else "a file")
        note(inert(f"error: {place}: {error.strerror or type(error).__name__}"))
        return COULD_NOT_RUN
    except Exception:  # noqa: BLE001 - a defect: exit code 1 would mean that there are findings
        print_exc()
        note("error: this is a bug in contract-test. Please report it, with the traceback and without personal data.")
        return DEFECT
    except SystemExit:  # click's own, where whoever read stdout has gone: `| head`
        return READER_GONE
    return code if isinstance(code, int) else CLEAN


def _of_stdout(error: OSError) -> bool:
    """Whether it was stdout that failed. What it still has to take is given up then: Python would fail on it again."""
    if extract_tb(error.__traceback__)[-1].name != click.echo.__name__:
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def quiet_decoding() -> None:
    """Silence what `decode` logs of single messages: it is counted and reported at the end."""
    import logging

    log = logging.getLogger("envelopes")
    before = log.level
    log.setLevel(logging.ERROR)
    click.get_current_context().call_on_close(lambda: log.setLevel(before))


def note(text: str) -> None:
    """Print a note for people: on stderr, because stdout is for data."""
    click.echo(inert(text), err=True)


def say(line: str) -> None:
    """Print one line for people on stdout. Nothing in it is a command for a terminal or a CI server."""
    click.echo(log_line(line))
