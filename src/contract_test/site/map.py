"""The map: services and subjects as a graph, and where each box and arrow is drawn.

Graphviz gets numbers and sizes only, never a name. So the picture does not depend on fonts, and no name can act.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contract_test.data.errors import ContractTestError
from contract_test.data.texts import counted, printable
from contract_test.pages.links import channel_page, domain_page, service_page, subject_page
from contract_test.site.data import SiteData

MAX_NODES = 60
MAX_EDGES = 120
MAX_LABEL = 30
_FONT, _LINE, _MARGIN, _INCH = 14.0, 19.0, 12.0, 72.0
_WIDE = frozenset("MWmw@%&")


@dataclass(frozen=True)
class Node:
    """What is on a map: a service, a subject or a domain, with a second line that may have a page of its own."""

    label: str
    kind: str
    page: str
    detail: str = ""
    detail_page: str = ""


@dataclass(frozen=True)
class Graph:
    """Nodes by a key of ours, and arrows between them with what each means."""

    title: str
    nodes: Mapping[str, Node]
    edges: Mapping[tuple[str, str], str]
    note: str = ""


@dataclass(frozen=True)
class Box:
    """A node where it is drawn; `x` and `y` are its upper left corner. `label` and `detail` are short enough for it."""

    node: Node
    x: float
    y: float
    width: float
    height: float
    label: str
    detail: str


@dataclass(frozen=True)
class Arrow:
    """An edge as an SVG path, and its meaning."""

    path: str
    title: str


@dataclass(frozen=True)
class Picture:
    """A graph that was laid out."""

    title: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    note: str = ""


def whole_map(data: SiteData) -> Graph:
    """Return the map of everything, as detailed as can be read: with subjects, services only, or domains."""
    subjects = _with_subjects("Who sends what to whom", data, data.subjects)
    if len(subjects.nodes) <= MAX_NODES:
        return subjects
    if len(data.services) <= MAX_NODES // 2:
        return _services_only("Who sends to whom", data, data.subjects)
    return _domains(data)


def domain_map(data: SiteData, domain: str) -> Graph:
    """Return the map of a domain: its services, and those that they send to or receive from."""
    names = {name for name, each in data.services.items() if each.about.domain == domain}
    subjects = [name for name, each in data.subjects.items() if names & {*each.sent_by, *each.received_by}]
    title = f"Who sends what to whom in {domain}"
    graph = _with_subjects(title, data, subjects)
    return graph if len(graph.nodes) <= MAX_NODES else _services_only(title, data, subjects)


def service_map(data: SiteData, service: str) -> Graph:
    """Return the neighbourhood of a service: what it sends and to whom, and what it receives and from whom."""
    own = data.services[service]
    nodes, edges = {f"s:{service}": _service(service)}, dict[tuple[str, str], str]()
    left_out = 0
    for name in sorted({*own.sends, *own.receives}):
        subject = data.subjects[name]
        others = [
            *(subject.received_by if name in own.sends else ()),
            *(subject.sent_by if name in own.receives else ()),
        ]
        new = {f"s:{each}" for each in others} - nodes.keys()
        if len(nodes) + 1 + len(new) > MAX_NODES // 2:
            left_out += 1
            continue
        nodes[f"m:{name}"] = _subject(data, name)
        nodes |= {f"s:{each}": _service(each) for each in others}
        for sender in subject.sent_by if name in own.receives else [service]:
            edges[f"s:{sender}", f"m:{name}"] = f"{sender} sends {name}"
        for reader in subject.received_by if name in own.sends else [service]:
            edges[f"m:{name}", f"s:{reader}"] = f"{reader} receives {name}"
    note = f"{counted(left_out, 'subject')} more than the picture can hold: see the tables below." if left_out else ""
    return Graph(f"What {service} sends and receives", nodes, edges, note)


def _service(name: str) -> Node:
    return Node(name, "service", service_page(name))


def _subject(data: SiteData, name: str) -> Node:
    channel = next(iter(data.subjects[name].channels), "")
    return Node(
        name,
        "subject",
        subject_page(name),
        f"on {channel}" if channel else "",
        channel_page(channel) if channel else "",
    )


def _with_subjects(title: str, data: SiteData, subjects: Iterable[str]) -> Graph:
    nodes, edges = dict[str, Node](), dict[tuple[str, str], str]()
    for name in subjects:
        if len(nodes) > MAX_NODES:
            break
        nodes[f"m:{name}"] = _subject(data, name)
        for sender in data.subjects[name].sent_by:
            nodes[f"s:{sender}"] = _service(sender)
            edges[f"s:{sender}", f"m:{name}"] = f"{sender} sends {name}"
        for reader in data.subjects[name].received_by:
            nodes[f"s:{reader}"] = _service(reader)
            edges[f"m:{name}", f"s:{reader}"] = f"{reader} receives {name}"
    return Graph(title, nodes, edges)


def _services_only(title: str, data: SiteData, subjects: Iterable[str]) -> Graph:
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], str] = {}
    for name in subjects:
        for sender in data.subjects[name].sent_by:
            for reader in data.subjects[name].received_by:
                counts[sender, reader] += 1
                examples.setdefault((sender, reader), name)
    kept, note = _strongest(counts)
    names = dict.fromkeys(name for pair in kept for name in pair)
    if len(names) > MAX_NODES:
        return Graph(title, {}, {}, f"{len(names)} services are more than a picture can hold: choose one below.")
    edges = {
        (f"s:{sender}", f"s:{reader}"): f"{sender} sends {reader} {_what(count, examples[sender, reader])}"
        for (sender, reader), count in kept.items()
    }
    return Graph(title, {f"s:{name}": _service(name) for name in names}, edges, note)


def _what(count: int, example: str) -> str:
    return example if count == 1 else f"{count} subjects, such as {example}"


def _domains(data: SiteData) -> Graph:
    sizes = Counter(each.about.domain for each in data.services.values())
    domains = {name: each.about.domain for name, each in data.services.items()}
    counts: Counter[tuple[str, str]] = Counter()
    for subject in data.subjects.values():
        for pair in {(domains[a], domains[b]) for a in subject.sent_by for b in subject.received_by}:
            counts[pair] += pair[0] != pair[1]
    if set(sizes) == {""} or len(sizes) > MAX_NODES:
        note = f"{counted(len(data.services), 'service')} are more than a picture can hold. "
        note += "Choose one below, or give your services a domain in the catalog."
        return Graph("Who sends what to whom", {}, {}, note)
    kept, note = _strongest(+counts)
    nodes = {
        f"d:{name}": Node(name or "(no domain)", "domain", domain_page(name), counted(size, "service"))
        for name, size in sorted(sizes.items())
    }
    edges = {
        (f"d:{one}", f"d:{other}"): f"{one or '(no domain)'} sends {other or '(no domain)'} {counted(count, 'subject')}"
        for (one, other), count in kept.items()
    }
    return Graph("Which domain sends to which", nodes, edges, note)


def _strongest(counts: Counter[tuple[str, str]]) -> tuple[dict[tuple[str, str], int], str]:
    kept = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    note = (
        f"{len(kept) - MAX_EDGES} arrows that stand for the fewest subjects are left out."
        if len(kept) > MAX_EDGES
        else ""
    )
    return dict(sorted(kept[:MAX_EDGES])), note


def lay_out(graph: Graph) -> Picture | None:
    """Return the graph with a place for everything; None if there is nothing to draw."""
    if not graph.nodes:
        return None
    try:
        import pygraphviz
    except ImportError:
        advice = "Install contract-test[site]."
        raise ContractTestError("pygraphviz is not installed, which draws the map", advice=advice) from None
    keys = {key: f"n{number}" for number, key in enumerate(graph.nodes)}
    drawn = pygraphviz.AGraph(directed=True, rankdir="LR", nodesep="0.16", ranksep="0.7", splines="true", pad="0.1")
    boxes = {}
    for key, node in graph.nodes.items():
        label, detail = (_short(text) for text in (node.label, node.detail))
        width, height = max(map(text_width, (label, detail))) + 2 * _MARGIN, _LINE * (2 if detail else 1) + _MARGIN
        boxes[key] = (label, detail, round(width), round(height))
        size = {"width": f"{round(width) / _INCH:.4f}", "height": f"{round(height) / _INCH:.4f}"}
        drawn.add_node(keys[key], label="", shape="box", fixedsize="true", **size)
    for one, other in graph.edges:
        drawn.add_edge(keys[one], keys[other])
    drawn.layout(prog="dot")
    left, bottom, right, top = map(float, drawn.graph_attr["bb"].split(","))

    def point(text: str) -> tuple[float, float]:
        x, y = text.split(",")
        return float(x) - left + _MARGIN, top - float(y) + _MARGIN

    placed = []
    for key, (label, detail, width, height) in boxes.items():
        x, y = point(drawn.get_node(keys[key]).attr["pos"])
        corner = (round(x - width / 2, 1), round(y - height / 2, 1))
        placed.append(Box(graph.nodes[key], corner[0], corner[1], width, height, label, detail))
    arrows = tuple(
        Arrow(_path(drawn.get_edge(keys[one], keys[other]).attr["pos"], point), title)
        for (one, other), title in graph.edges.items()
    )
    extent = (round(right - left + 2 * _MARGIN), round(top - bottom + 2 * _MARGIN))
    return Picture(graph.title, extent[0], extent[1], tuple(placed), arrows, graph.note)


def _path(position: str, point: object) -> str:
    """Return Graphviz' spline as an SVG path: a start, then curves of three points; `e,` is the arrow's tip."""
    assert callable(point)
    parts = position.replace("\\\n", "").split()
    tips = [point(part[2:]) for part in parts if part.startswith("e,")]
    points = [point(part) for part in parts if part[0] not in "es"]
    texts = [f"{x:.1f} {y:.1f}" for x, y in points]
    end = "".join(f" L{x:.1f} {y:.1f}" for x, y in tips)
    return f"M{texts[0]} C{' '.join(texts[1:])}{end}"


def _short(text: str) -> str:
    text = " ".join(printable(text).split())
    return text if len(text) <= MAX_LABEL else f"{text[: MAX_LABEL - 1]}…"


def text_width(text: str) -> float:
    """Return how wide a text is at most, in pixels, in the font of the map."""
    return sum(map(_letter_width, text))


def _letter_width(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF" or unicodedata.category(letter) == "So":
        return _FONT * 1.25
    return _FONT * (0.95 if letter in _WIDE else 0.72 if letter.isupper() or ord(letter) > 0x24F else 0.6)  # noqa: PLR2004 - Latin letters end there
