"""The Jinja2 environment of HTML pages, in which no value is taken for markup."""

from __future__ import annotations

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from contract_test.data.texts import is_web_address, percent, printable
from contract_test.pages import links

MAX_TEXT = 600


def page_environment(package: str) -> Environment:
    """Return the environment for the templates of a package, which may extend `page.html`.

    Every value is escaped for HTML, and what cannot be printed in a text is shown as an escape. `links` has the
    addresses of a site's pages.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("contract_test.pages")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    environment.filters |= {"percent": percent, "brief": brief}
    environment.tests["web_address"] = is_web_address
    environment.globals["links"] = links
    return environment


def brief(text: str, most: int = MAX_TEXT) -> str:
    """Return a text in one line, cut if it is very long."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"
