"""The data behind the pages as JSON. docs/site.md describes it."""

from __future__ import annotations

from pydantic import TypeAdapter

from contract_test.site.data import SiteData

_DATA = TypeAdapter(SiteData)


def site_as_json(data: SiteData) -> str:
    """Return everything as JSON in ASCII, so that it does nothing to a terminal."""
    import json

    return json.dumps(_DATA.dump_python(data, mode="json"), indent=1)
