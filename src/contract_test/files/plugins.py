"""Codecs and protocols of installed packages, as a catalog names them."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from contract_test.data.errors import CatalogError
from envelopes import plugins
from envelopes.codecs import CODECS

GROUPS = {"protocol": plugins.TRANSPORTS, "codec": plugins.CODECS}
"""The groups of entry points by the keys of a channel."""


def is_plugin(key: str, name: Any, builtin: tuple[str, ...], place: str) -> bool:
    """Return True if an installed package brings a codec or a protocol. Raises CatalogError if it cannot be used."""
    try:
        if not isinstance(name, str) or plugins.entry_point(GROUPS[key], name, builtin) is None:
            return False
        if key == "codec":
            CODECS[name]
    except plugins.PluginError as error:
        raise CatalogError(error.problem, place=place, advice=error.advice) from None
    return True


def check_package(codec: str, place: str) -> None:
    """Raise CatalogError if the package that a codec needs is not installed."""
    package = getattr(CODECS[codec], "REQUIRES", None)
    if package is not None and find_spec(package) is None:
        problem = f"the codec {codec} needs the package {package}, which is not installed"
        raise CatalogError(problem, place=place, advice=f"Install contract-test[{package}].")
