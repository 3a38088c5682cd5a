"""The pages: from the facts to HTML. Nothing here reads, compares or decides."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files

from contract_test.data.contract import Owner
from contract_test.pages import links
from contract_test.site.data import ChangelogEntry, ServiceData, SiteData, VersionPair
from contract_test.site.layout import Layout, Page, packed
from contract_test.site.map import domain_map, lay_out, service_map, whole_map
from contract_test.site.search import Entry, entries_of, index_files

MAX_SUBJECTS_LISTED = 500
MAX_SUBJECTS_ON_START = 60
_SERVICE_COLUMNS = ("service", "sends", "receives", "runs", "domain", "owner")


@dataclass(frozen=True)
class _Effect:
    """What one added version did; without a `pair` it is the first."""

    subject: str
    version: int
    pair: VersionPair | None

    @property
    def status(self) -> str:
        """The worse of both directions."""
        both = [self.pair.backward.status, self.pair.forward.status] if self.pair else []
        return next((each for each in ("incompatible", "unknown") if each in both), "compatible")

    @property
    def breaks(self) -> tuple[str, ...]:
        """The services that break."""
        return tuple(dict.fromkeys((*self.pair.backward.breaks, *self.pair.forward.breaks))) if self.pair else ()


def shared_pages(data: SiteData, layout: Layout, fields: Iterable[Entry]) -> Iterator[Page]:
    """Yield every page but those of the subjects. `fields` are theirs in the search index."""
    yield from _SharedPages(layout, data).all()
    yield from index_files([*entries_of(data), *fields]).items()


class _SharedPages:
    """Everything but the pages of subjects."""

    def __init__(self, layout: Layout, data: SiteData) -> None:
        self._layout, self._data, self._rows = layout, data, layout.rows

    def all(self) -> Iterator[Page]:
        yield from _scripts_and_styles()
        rows = ((each.name, self._rows.subject("", each)) for each in self._data.subjects.values())
        self._subjects = packed(rows)
        yield self._start()
        yield from self._lists()
        yield from self._domains()
        for service in self._data.services.values():
            yield self._service(service)
        yield from self._channels()
        yield from self._people()

    def _start(self) -> Page:
        data, graph = self._data, whole_map(self._data)
        domains = Counter(each.about.domain for each in data.services.values())
        firsts = [part[0][0] for part in self._subjects if part]
        parts = [(name, links.numbered("subjects", number)) for number, name in enumerate(firsts, start=1)]
        return self._layout.page(
            "index.html", "index.html", "Who sends, who reads, what breaks", graph=graph, picture=lay_out(graph),
            subjects=list(data.subjects.values()), services=list(data.services.values()), channels=data.channels,
            domains=sorted(domains.items()) if set(domains) != {""} else [], notes=data.notes,
            parts=parts if len(data.subjects) > MAX_SUBJECTS_ON_START else (),
            open=sum(each.severity == "error" for each in data.findings),
        )  # fmt: skip

    def _lists(self) -> Iterator[Page]:
        data, rows, listing = self._data, self._rows, self._layout.listing
        columns: tuple[str, ...] = ("subject", "versions", "sent by", "received by", "channel", "owner")
        yield from listing("subjects", "Subjects", self._subjects, columns)
        services = packed((each.name, rows.service("", each)) for each in data.services.values())
        yield from listing("services", "Services", services, _SERVICE_COLUMNS)
        channels = packed((each.name, rows.channel("", each)) for each in data.channels.values())
        columns = ("channel", "protocol", "address", "subjects", "delivery", "owner")
        yield from listing("channels", "Channels", channels, columns)
        commits = packed((each.date, rows.commit("", each, self._effects(each))) for each in data.changelog)
        columns, empty = (
            ("date", "commit", "what it added, and whom it broke"),
            "No commit that adds a version is known.",
        )
        yield from listing("changelog", "Changelog", commits, columns, notes=data.notes, empty=empty)
        order = {"error": 0, "warning": 1}
        found = sorted(data.findings, key=lambda each: order.get(each.severity, 2))
        findings = packed((each.subject, rows.finding("", each)) for each in found)
        empty = "compat finds nothing between the versions."
        yield from listing("findings", "Findings", findings, ("state", "finding", "breaks", "owners"), empty=empty)
        owned = Counter(each.about.owner for some in self._described for each in some.values())
        people = packed((each.name, rows.owner("", each, owned[each.name])) for each in self._owners)
        empty = 'The catalog names no owners: add [owners.NAME], and owner = "NAME".'
        yield from listing("people", "People", people, ("owner", "contacts", "owns"), empty=empty)

    @property
    def _described(self) -> tuple[dict[str, ServiceData], ...]:
        data = self._data
        return data.services, data.channels, data.subjects  # type: ignore[return-value]  # what counts is their `about`

    @property
    def _owners(self) -> list[Owner]:
        """Everybody who has a table, or owns something."""
        named = {each.about.owner for some in self._described for each in some.values()} - {""}
        return [self._data.owners.get(name, Owner(name)) for name in sorted(named | self._data.owners.keys())]

    def _effects(self, entry: ChangelogEntry) -> list[_Effect]:
        found = []
        for name, version in entry.added:
            subject = self._data.subjects[name]
            earlier = max((each.version for each in subject.versions if each.version < version), default=0)
            pairs = (each for each in subject.pairs if (each.older, each.newer) == (earlier, version))
            found.append(_Effect(name, version, next(pairs, None)))
        return found

    def _domains(self) -> Iterator[Page]:
        by_domain: dict[str, list[ServiceData]] = defaultdict(list)
        for each in self._data.services.values():
            by_domain[each.about.domain].append(each)
        if set(by_domain) == {""}:
            return
        for domain, services in sorted(by_domain.items()):
            graph, name = domain_map(self._data, domain), links.domain_page(domain).removesuffix(".html")
            rows = packed((each.name, self._rows.service("../", each)) for each in services)
            heading, crumbs = domain or "(no domain)", [("Map", "index.html")]
            picture, note = lay_out(graph), graph.note
            yield from self._layout.listing(
                name, heading, rows, _SERVICE_COLUMNS, crumbs, picture=picture, map_note=note
            )

    def _service(self, service: ServiceData) -> Page:
        graph, subjects = service_map(self._data, service.name), self._data.subjects
        sends, receives = (
            [subjects[name] for name in names[:MAX_SUBJECTS_LISTED]] for names in (service.sends, service.receives)
        )
        left_out = len(service.sends) + len(service.receives) - len(sends) - len(receives)
        return self._layout.page(
            links.service_page(service.name), "service.html", service.name, [("Services", "services.html")],
            service=service, graph=graph, picture=lay_out(graph) if len(graph.nodes) > 1 else None,
            sends=sends, receives=receives, left_out=left_out,
        )  # fmt: skip

    def _channels(self) -> Iterator[Page]:
        for each in self._data.channels.values():
            subjects = [self._data.subjects[name] for name in each.subjects[:MAX_SUBJECTS_LISTED]]
            left_out = len(each.subjects) - len(subjects)
            yield self._layout.page(
                links.channel_page(each.name), "channel.html", each.name, [("Channels", "channels.html")],
                channel=each, subjects=subjects, left_out=left_out,
            )  # fmt: skip

    def _people(self) -> Iterator[Page]:
        for owner in self._owners:
            services, channels, subjects = (
                [key for key, each in some.items() if each.about.owner == owner.name] for some in self._described
            )
            findings = [each for each in self._data.findings if {*each.breaks} & {*services}]
            yield self._layout.page(
                links.owner_page(owner.name), "person.html", owner.name, [("People", "people.html")],
                owner=owner, services=services, channels=channels, subjects=subjects, findings=findings,
            )  # fmt: skip


def _scripts_and_styles() -> Iterator[Page]:
    shared = files("contract_test.pages").joinpath("templates", "stylesheet.css").read_text(encoding="utf-8")
    own = files("contract_test.site").joinpath("templates")
    yield "site.css", shared + own.joinpath("site.css").read_text(encoding="utf-8")
    yield "search.js", own.joinpath("search.js").read_text(encoding="utf-8")
