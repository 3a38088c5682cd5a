"""The Jinja2 environment of HTML pages, in which no value is taken for markup."""

from __future__ import annotations

from collections.abc import Callable

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from contract_test.data.texts import percent


def page_environment(package: str, printable: Callable[[str], str]) -> Environment:
    """Return the environment for the templates of a package, which may include `stylesheet.css`.

    Every value is escaped for HTML, and each text is first made `printable`.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("contract_test.pages")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    environment.filters["percent"] = percent
    return environment
