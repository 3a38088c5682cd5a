"""Whether somebody selected tests on the command line itself, so that a part of the run may be missing."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

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


def is_share(config: pytest.Config) -> bool:
    """Return True if the command line says that this run is one share of a whole."""
    return _PARTIAL in map(str, config.invocation_params.args)


def why_whole(config: pytest.Config, *, setting: bool) -> str:
    """Return what asks for a whole run: an option, a setting or the environment; an empty text if nothing does."""
    if config.getoption("--contracts-strict"):
        return "--contracts-strict is given"
    if setting:
        return "strict is set in pyproject.toml"
    return "CI is set" if os.environ.get("CI", "").lower() not in ("", "0", "false") else ""
