"""What a schema file reaches through `$ref`, with references that need neither `$id` nor the place of a file.

A file that several contracts refer to is followed once. What depends on who refers to it is followed with each of
them: dynamic references, pointers to places that no keyword leads to, and an `$id` that stands in two files. Even then,
references are found once in each file, and it is copied once for each choice of places in it that are led to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from contract_test.data.errors import SchemaError
from contract_test.files.schema_references import OncePerDocument, Reference, references
from contract_test.schema.cost import MAX_COST, Costs, patterns_in, width
from contract_test.schema.once import once_per_document
from contract_test.schema.walk import (
    SPECIFICATIONS,
    Node,
    References,
    draft_of,
    join,
    split_fragment,
    subschemas_once,
)

_DYNAMIC_REFERENCES = ("/$dynamicRef", "/$recursiveRef")
MAX_FILES_DEEP = 50
"""How many files that refer to each other are followed one by one; what is below is followed as a whole."""

MAX_PATTERN_CHARACTERS = 100_000
"""How many characters the different patterns of a file may have: compiling them costs far more than their text."""


class Files(Protocol):
    """Where schema files come from. All of it raises SchemaError."""

    def read(self, path: Path) -> Any:
        """Return the contents of a file."""

    def find(self, uri: str, place: str) -> Path:
        """Return the file of a URI that is referred to at a place."""

    def inner_uri(self, uri: str) -> str | None:
        """Return the URI to use for a `file://` URI, if it is that of a file below the directory."""


@dataclass(frozen=True)
class _Closure:
    """Some documents and all that they reach, by URI.

    `resources` are settled and `raw` are as they were read. `links` are the documents that each one refers to, in
    order, and `declared` the documents by every `$id` that is not their URI.
    """

    resources: dict[str, Any]
    raw: dict[str, Any]
    links: dict[str, tuple[str, ...]]
    declared: dict[str, str]
    dynamic: bool

    def in_order(self, uri: str) -> dict[str, Any]:
        """Return the settled documents, one of them first, then what it refers to, and so on."""
        found, pending = {uri: self.resources[uri]}, [uri]
        for document in pending:
            for other in self.links[document]:
                if other not in found:
                    found[other] = self.resources[other]
                    pending.append(other)
        return found


class Closures:
    """Follows the references of schema files."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._shared: dict[tuple[str, str], _Closure | SchemaError | None] = {}
        self._costs: defaultdict[str, dict[str, float]] = defaultdict(dict)
        self._depth = 0
        self._once = OncePerDocument()

    def of(self, uri: str, path: Path) -> dict[str, Any]:
        """Return the documents that a file reaches, by URI, its own first. Raises SchemaError."""
        draft = draft_of(self._files.read(path), place=str(path))
        known = self._shared.get((uri, draft))
        closure = known if isinstance(known, _Closure) else self._follow(uri, path, draft)[0]
        return closure.in_order(uri)

    def _follow(self, uri: str, path: Path, draft: str) -> tuple[_Closure, Mapping[str, float]]:
        """Return the closure of a file, and what it costs to apply its schemas, by location."""
        return self._from_parts(uri, path, draft) or follow_whole(self._files, uri, path, draft, self._once)

    def _part(self, uri: str, path: Path, draft: str) -> _Closure | None:
        """Return the closure of a file that another one refers to; None if it is part of a circle, or deep below."""
        key = uri, draft
        if key not in self._shared:
            if self._depth >= MAX_FILES_DEEP:
                return None
            self._shared[key] = None
            self._depth += 1
            try:
                closure, costs = self._follow(uri, path, draft)
            except SchemaError as error:
                self._shared[key] = error
            else:
                self._shared |= dict.fromkeys(((each, draft) for each in _circle(closure, uri)), closure)
                self._costs[draft] = {**costs, **self._costs[draft]}
            finally:
                self._depth -= 1
        found = self._shared[key]
        if isinstance(found, SchemaError):
            raise found.with_traceback(None)
        return found

    def _from_parts(self, uri: str, path: Path, draft: str) -> tuple[_Closure, Mapping[str, float]] | None:
        """Return what a file reaches by the closures of the files that it refers to, if they can be put together."""
        contents = self._files.read(path)
        _refuse_large(contents, uri, draft, str(path))
        declared, pointers = _declared(contents, uri, draft), _pointers(contents, uri, draft)
        found = list(references(contents, uri, draft))
        parts: dict[str, _Closure] = {}
        for pointer, _, at, target in found:
            document, fragment = split_fragment(join(at, target))
            if pointer.endswith(_DYNAMIC_REFERENCES) or document[:5].lower() == "file:" or document in SPECIFICATIONS:
                return None
            if document in declared:
                if fragment.startswith("/"):
                    return None
            elif document == uri:
                if _leads_off(fragment, pointers):
                    return None
            else:
                if document not in parts:
                    part = self._part(document, self._files.find(document, f"{path}:{pointer}"), draft)
                    if part is None or part.dynamic or uri in part.raw:
                        return None
                    parts[document] = part
                if _leads_off(fragment, _pointers(parts[document].raw[document], document, draft)):
                    return None
        raw, resources = {uri: contents}, dict[str, Any]()
        links = {uri: tuple(parts)}
        owners = dict.fromkeys(declared, uri)
        for part in parts.values():
            if not (_agree(raw, part.raw) and _agree(resources, part.resources) and _agree(owners, part.declared)):
                return None
            raw, resources = raw | part.raw, resources | part.resources
            links, owners = links | part.links, owners | part.declared
        if not owners.keys().isdisjoint(raw):
            return None
        lookup, costs = References(raw, uri, draft), self._costs[draft]
        mine = _refuse_endless({uri: contents}, lookup, {uri: str(path)}, costs)
        resources = {uri: _settled(contents, uri, lookup, str(path), found, dynamic=False), **resources}
        return _Closure(resources, raw, links, owners, dynamic=False), mine


def _circle(closure: _Closure, uri: str) -> Iterator[str]:
    """Yield the documents of a closure from which one of them is reached again, and itself."""
    back: defaultdict[str, list[str]] = defaultdict(list)
    for document, others in closure.links.items():
        for other in others:
            back[other].append(document)
    seen, pending = {uri}, [uri]
    while pending:
        document = pending.pop()
        yield document
        for other in back[document]:
            if other not in seen:
                seen.add(other)
                pending.append(other)


def _agree(known: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two tables have the same value for each key that both have."""
    return all(known[key] is value or known[key] == value for key, value in other.items() if key in known)


def _leads_off(fragment: str, pointers: frozenset[str]) -> bool:
    """Return whether a fragment is a pointer to a place that no keyword leads to, such as `/components/schemas/A`."""
    return fragment.startswith("/") and unquote(fragment) not in pointers


@once_per_document
def _pointers(schema: Any, base: str, draft: str) -> frozenset[str]:
    return frozenset(pointer for pointer, _, _ in subschemas_once(schema, base, draft))


def _declared(schema: Any, base: str, draft: str) -> set[str]:
    """Return every URI that an `$id` gives to a part of a document, except its own."""
    return {split_fragment(at)[0] for _, _, at in subschemas_once(schema, base, draft)} - {base}


def follow_whole(
    files: Files, uri: str, path: Path, draft: str, once: OncePerDocument
) -> tuple[_Closure, Mapping[str, float]]:
    """Return what a file reaches, by following everything from it."""
    resources: dict[str, Any] = {uri: files.read(path)}
    places = {uri: str(path)}
    declared: dict[str, set[str]] = {}
    found: dict[str, list[Reference]] = {}
    links: defaultdict[str, dict[str, None]] = defaultdict(dict)
    seen: defaultdict[str, set[str]] = defaultdict(set)
    pointers: dict[str, frozenset[str]] = {}
    starts = {(uri, ""): None}
    pending = [*starts]
    for base, start in pending:
        if not start:
            if base not in SPECIFICATIONS:
                _refuse_large(resources[base], base, draft, places[base])
            resources[base] = _with_inner_uris(files, resources[base], base, draft, once)
            declared[base], found[base] = _declared(resources[base], base, draft), []
        for reference, document, fragment in once.targets(resources[base], base, draft, start):
            pointer = reference[0]
            if pointer in seen[base]:
                continue
            seen[base].add(pointer)
            found[base].append(reference)
            if document in declared[base] and document not in resources:
                document = base  # noqa: PLW2901 - an `$id` inside
            elif document not in resources:
                if document in SPECIFICATIONS:
                    resources[document] = SPECIFICATIONS.contents(document)
                else:
                    file = files.find(document, f"{places[base]}:{pointer}")
                    places[document] = str(file)
                    resources[document] = files.read(file)
            links[base][document] = None
            if document not in pointers:
                pointers[document] = _pointers(resources[document], document, draft)
            leads_off = fragment and fragment not in pointers[document]
            for each in ((document, ""), (document, fragment)) if leads_off else ((document, ""),):
                if each not in starts:
                    starts[each] = None
                    pending.append(each)
    own = {base: contents for base, contents in resources.items() if base not in SPECIFICATIONS}
    lookup = References(resources, uri, draft)
    costs = _refuse_endless(own, lookup, places, {})
    dynamic = any(pointer.endswith(_DYNAMIC_REFERENCES) for base in own for pointer, *_ in found[base])
    settled = dict(resources)
    for base, contents in own.items():
        made = partial(_settled, contents, base, lookup, places[base], found[base], dynamic=dynamic)
        if any(declared.values()) or dynamic:
            settled[base] = made()
        else:  # then a reference leads to the same place, whoever refers to its document
            others = frozenset((document, id(resources[document])) for document in links[base])
            settled[base] = once.get(contents, "settled", base, draft, others, frozenset(seen[base]), make=made)
    owners = {each: base for base, ids in declared.items() for each in ids}
    others_of = {base: tuple(links[base]) for base in resources}
    return _Closure(settled, resources, others_of, owners, dynamic), costs


def _with_inner_uris(files: Files, contents: Any, base: str, draft: str, once: OncePerDocument) -> Any:
    """Return a schema in which `file://` references to files below the directory are those files' URIs."""
    found = [(pointer, join(at, target)) for (pointer, _, at, target), *_ in once.targets(contents, base, draft, "")]
    uris = {pointer: files.inner_uri(uri) for pointer, uri in found if uri[:5].lower() == "file:"}
    if not uris:
        return contents
    contents = deepcopy(contents)
    for pointer, node, _, _ in list(references(contents, base, draft)):
        if uris.get(pointer) is not None:
            node[pointer.rpartition("/")[2]] = uris[pointer]
    return contents


def _refuse_large(schema: Any, base: str, draft: str, file: str) -> None:
    """Refuse lists of too many schemas, and too many patterns, before anything else looks at each of them."""
    patterns: set[str] = set()
    characters = 0
    for pointer, node, _ in subschemas_once(schema, base, draft):
        if width(node) > MAX_COST:
            raise _too_many(file, pointer)
        for pattern in patterns_in(node):
            if pattern not in patterns:
                patterns.add(pattern)
                characters += len(pattern)
            if characters > MAX_PATTERN_CHARACTERS:
                problem = f"the patterns up to here have more than {MAX_PATTERN_CHARACTERS:,} characters"
                advice = "Use shorter patterns, or an enum for a list of words."
                raise SchemaError(problem, place=f"{file}:{pointer}" if pointer else file, advice=advice)


def _too_many(file: str, pointer: str) -> SchemaError:
    place = f"{file}:{pointer}" if pointer else file
    return SchemaError("applies too many schemas to one value", place=place, advice="Refer to each schema once.")


def _refuse_endless(
    documents: Mapping[str, Any], references: References, places: Mapping[str, str], known: Mapping[str, float]
) -> Mapping[str, float]:
    """Return what it costs to apply the schemas of some documents, by location; `known` are those of others."""
    costs = Costs(references, known)
    for document, contents in documents.items():
        for pointer, node, base in subschemas_once(contents, document, references.draft):
            cost = costs.of(Node(node, base, references.inside_document(document, pointer)))
            if cost == float("inf"):
                place = f"{places[document]}:{pointer}" if pointer else places[document]
                advice = "Let the $ref stand below properties or items."
                raise SchemaError("applies itself to the same value for ever", place=place, advice=advice)
            if cost > MAX_COST:
                raise _too_many(places[document], pointer)
    return costs.counted


def _settled(
    schema: Any, base: str, references: References, place: str, found_references: list[Reference], *, dynamic: bool
) -> Any:
    """Copy a schema so that its references need neither `$id` nor the place of the file.

    If a reference of the contract is `dynamic`, what it leads to depends on the `$id`s around it: they all stay, with
    the references inside a file.
    """
    if not isinstance(schema, dict):
        return schema
    targets: dict[int, str] = {}
    for pointer, node, at, target in found_references:
        found = references.follow(Node(node, at, base), target)
        if found is None:
            advice = "Point it at a place that exists in that file."
            raise SchemaError(f"$ref {target[:100]!r} leads nowhere", place=f"{place}:{pointer}", advice=advice)
        document, fragment = split_fragment(found.location)
        if pointer.endswith("/$ref") and not (dynamic and document == base):
            targets[id(node)] = f"#{fragment}" if document == base else found.location
    identified = set() if dynamic else {id(node) for _, node, _ in subschemas_once(schema, base, references.draft)}

    def copy(value: Any) -> Any:
        if isinstance(value, list):
            return [copy(item) for item in value]
        if not isinstance(value, dict):
            return value
        made = {key: copy(item) for key, item in value.items()}
        if id(value) in targets:
            made["$ref"] = targets[id(value)]
        if id(value) in identified:
            for keyword in ("$id", "id"):
                if isinstance(made.get(keyword), str):
                    del made[keyword]
        return made

    return copy(schema)
