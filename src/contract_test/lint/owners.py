"""Checks of what the catalog tells people: owners, links, and services."""

from __future__ import annotations

from collections.abc import Iterator

from contract_test.data.contract import About, Catalog
from contract_test.data.finding import Finding
from contract_test.data.texts import is_web_address
from contract_test.files.additions import toml_text


def check_owners(catalog: Catalog) -> Iterator[Finding]:
    """Yield owners without a table, links that no page can have, and services that nobody uses."""
    file = str(catalog.root / "catalog.toml")
    for section, name, about in _described(catalog):
        place = f"[{section}.{toml_text(name) if section == 'subjects' else name}]"
        if about.owner and about.owner not in catalog.owners:
            known = f"Known: {', '.join(catalog.owners)}. " if catalog.owners else ""
            sentence = f"{about.owner!r} has no table, so nobody knows how to reach them"
            advice = f"{known}Add [owners.{about.owner}] with contacts, or correct the name."
            yield Finding(file, f"{place}.owner", "owner-unknown", sentence, advice, "warning")
        for title, address in about.links.items():
            if not is_web_address(address):
                sentence = f"the link {title!r} leads to {address[:60]!r}"
                advice = "Write an address that begins with https://, http:// or mailto:."
                yield Finding(file, f"{place}.links", "link-invalid", sentence, advice)
    used = {name for subject in catalog.subjects.values() for name in (*subject.sent_by, *subject.received_by)}
    for name in catalog.about_services.keys() - used:
        sentence = f"no subject is sent or received by {name!r}"
        advice = "Add the service to sent_by or received_by of a subject, correct the name, or remove the table."
        yield Finding(file, f"[services.{name}]", "service-unused", sentence, advice, "warning")


def _described(catalog: Catalog) -> Iterator[tuple[str, str, About]]:
    yield from (("services", name, about) for name, about in catalog.about_services.items())
    yield from (("channels", name, about) for name, about in catalog.about_channels.items())
    yield from (("subjects", name, subject.about) for name, subject in catalog.subjects.items())
