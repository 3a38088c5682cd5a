"""Whether somebody selected tests on the command line itself, so that a part of the run may be missing."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from contract_test.data.texts import counted

_KEYWORD = re.compile(r"-[lqsvx]*k")
_LAST_FAILED = {"--lf", "--last-failed"}
_PARTIAL = "--contracts-partial"


def narrowed(config: pytest.Config) -> bool:
    """Return True if somebody selected tests on the command line itself: with -k, --lf, a node id or a file.

    What `addopts`, `testpaths` and `PYTEST_ADDOPTS` select does not count, nor do `-m` and `--deselect`.
    """
    given = [str(argument) for argument in config.invocation_params.args]
    if config.getoption("keyword", "") and any(map(_KEYWORD.match, given)):
        return True
    if _LAST_FAILED.intersection(given):
        return True
    return names_tests(config)


def names_tests(config: pytest.Config) -> bool:
    """Return True if the command line names a file or a node id."""
    given = {str(argument) for argument in config.invocation_params.args}
    start, chosen = config.invocation_params.dir, given.intersection(map(str, config.args))
    return any("::" in argument or Path(start, argument).is_file() for argument in chosen)


def advice_without_contracts(config: pytest.Config, left_out: int, has_others: bool) -> str:  # noqa: FBT001 - as it was noted
    """Return what to type where somebody asked for contract tests without `--contracts`, or an empty text."""
    if config.getoption("--no-contracts") or (has_others and not names_tests(config)):
        return ""
    command = shlex.join(["pytest", "--contracts", *map(str, config.invocation_params.args)])
    return f"{counted(left_out, 'contract test')} left out, because contract tests run with --contracts: {command}"


def is_asked_for(config: pytest.Config) -> bool:
    """Return True if `--contracts` is on the command line itself, and not only in the settings of pytest."""
    return "--contracts" in map(str, config.invocation_params.args)


def is_share(config: pytest.Config) -> bool:
    """Return True if the command line says that this run is one share of a whole."""
    return _PARTIAL in map(str, config.invocation_params.args)


def why_whole(config: pytest.Config) -> str:
    """Return what asks for a whole run: an option or the environment; an empty text if nothing does."""
    if config.getoption("--contracts-strict"):
        return "--contracts-strict is given"
    return "CI is set" if os.environ.get("CI", "").lower() not in ("", "0", "false") else ""
