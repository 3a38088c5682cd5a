"""Walking a schema: where subschemas stand, and what a reference leads to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from typing import Any
from urllib.parse import quote, unquote, urldefrag, urljoin

from contract_test.data.errors import SchemaError
from contract_test.schema.once import once_per_document

DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema"
DRAFTS = {
    DRAFT_2020_12: "2020-12",
    "https://json-schema.org/draft/2019-09/schema": "2019-09",
    "http://json-schema.org/draft-07/schema": "draft-07",
    "http://json-schema.org/draft-06/schema": "draft-06",
    "http://json-schema.org/draft-04/schema": "draft-04",
}
"""The dialects that are read, by `$schema` without its fragment."""


class _Specifications:
    """The meta-schemas themselves, for schemas that refer to them; they come with a library, not from the network."""

    @cached_property
    def _registry(self) -> Any:
        from jsonschema_specifications import REGISTRY

        return REGISTRY

    def __contains__(self, uri: str) -> bool:
        return "json-schema.org/" in uri and (uri in self._registry or f"{uri}#" in self._registry)

    def contents(self, uri: str) -> Any:
        """The meta-schema at a URI."""
        return self._registry.contents(uri if uri in self._registry else f"{uri}#")


SPECIFICATIONS = _Specifications()


@cache
def keywords_of(draft: str) -> frozenset[str]:
    """Return every keyword of a dialect, as its meta-schema and the vocabularies that this is made of name them."""
    uri = next(uri for uri, name in DRAFTS.items() if name == draft)
    whole = SPECIFICATIONS.contents(uri)
    parts = [whole, *(SPECIFICATIONS.contents(urljoin(uri, each["$ref"])) for each in whole.get("allOf", ()))]
    return frozenset(name for part in parts for name in part["properties"])


_ONE = ("additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not",
        "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties")  # fmt: skip
_LISTS_OF_SCHEMAS = ("allOf", "anyOf", "items", "oneOf", "prefixItems")
_NAMED = ("$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties")
_RANKS = {keyword: rank for rank, keyword in enumerate(dict.fromkeys((*_ONE, *_LISTS_OF_SCHEMAS, *_NAMED)))}

_UNRESERVED = re.compile("[A-Za-z0-9_.$/-]*")
"""A JSON pointer that is the same as the fragment of a URI."""

_DYNAMIC = {"2020-12": ("$dynamicRef", "$dynamicAnchor"), "2019-09": ("$recursiveRef", "$recursiveAnchor")}

# Before draft 2019-09 nothing beside a `$ref` counts.
_REF_ALONE = frozenset(("draft-04", "draft-06", "draft-07"))


def draft_of(schema: Any, place: str = "") -> str:
    """Return the dialect that a schema declares; draft 2020-12 where it declares none.

    Raises SchemaError for another one.
    """
    declared = schema.get("$schema", DRAFT_2020_12) if isinstance(schema, dict) else DRAFT_2020_12
    draft = DRAFTS.get(declared.rstrip("#").replace("https://json-schema.org/draft-", "http://json-schema.org/draft-")
                       if isinstance(declared, str) else "")  # fmt: skip
    if draft is None:
        advice = (
            f"Use one of: {', '.join(DRAFTS)}. Or declare which draft it means in the table dialects of catalog.toml."
        )
        raise SchemaError(f"$schema is {str(declared)[:100]!r}, which is not known here", place=place, advice=advice)
    return draft


def escape(name: str) -> str:
    """Return one step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def unescape(step: str) -> str:
    """Return the name that one step of a JSON pointer stands for."""
    return step.replace("~1", "/").replace("~0", "~")


def without_fragment(uri: str) -> str:
    """Return a URI without its fragment."""
    return uri.partition("#")[0] if "#" in uri else uri


@lru_cache(maxsize=1024)
def _document_of(uri: str) -> str:
    return urldefrag(f"{uri}#").url


def split_fragment(uri: str) -> tuple[str, str]:
    """Return a URI without its fragment, and the fragment, as `urldefrag` does. Documents are few, fragments many."""
    document, mark, fragment = uri.partition("#")
    if not mark:
        return uri, ""
    if fragment.isprintable():
        return _document_of(document), fragment
    found = urldefrag(uri)
    return found.url, found.fragment


def _quoted(pointer: str) -> str:
    """Return a JSON pointer as the fragment of a URI."""
    return pointer if _UNRESERVED.fullmatch(pointer) else quote(pointer, safe="/~$")


def join(base: str, reference: str) -> str:
    """Return the absolute URI of a reference (RFC 3986).

    Unlike urllib's, for any scheme (`urn:` too) where it can be done.
    """
    if reference == "" or reference.startswith("#"):
        return without_fragment(base) + reference
    return urljoin(base, reference)


def children(node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the subschemas directly inside a schema, with their JSON pointers relative to it."""
    here = [keyword for keyword in node if keyword in _RANKS]
    for keyword in sorted(here, key=_RANKS.__getitem__) if len(here) > 1 else here:
        value = node[keyword]
        if isinstance(value, list):
            if keyword in _LISTS_OF_SCHEMAS:
                for position, child in enumerate(value):
                    yield f"/{keyword}/{position}", child
        elif isinstance(value, dict) and keyword in _NAMED:
            for name, child in value.items():
                yield f"/{keyword}/{escape(name)}", child
        elif isinstance(value, dict | bool) and keyword in _ONE:
            yield f"/{keyword}", value


def subschemas(schema: Any, base: str, draft: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield every schema object in a document, itself first: JSON pointer, the object, and its base URI."""
    pending: list[tuple[str, Any, str]] = [("", schema, base)]
    while pending:
        pointer, node, at = pending.pop()
        if not isinstance(node, dict):
            continue
        declared = node.get("id" if draft == "draft-04" else "$id")
        if isinstance(declared, str) and not ("$ref" in node and draft in _REF_ALONE):
            at = join(at, declared)
        yield pointer, node, at
        pending.extend((pointer + step, child, at) for step, child in children(node))


@once_per_document
def subschemas_once(schema: Any, base: str, draft: str) -> tuple[tuple[str, dict[str, Any], str], ...]:
    """Return what `subschemas` yields, for a document that is walked again and again."""
    return tuple(subschemas(schema, base, draft))


@dataclass(frozen=True)
class Node:
    """A schema where it stands: `location` is `URI#pointer` in the document that holds it, and names it."""

    schema: Any = field(compare=False)
    base: str
    location: str


@dataclass(frozen=True)
class _Named:
    """The schemas of one document: by the URIs that lead to them, their base URIs by identity, drafts by location.

    A URI leads to a node for certain, or if no document before has it. `dynamic` are the anchors of dynamic references.
    """

    nodes: list[tuple[str, Node, bool]]
    bases: dict[int, str]
    drafts: dict[str, str]
    dynamic: list[str]


def _named(schema: Any, document: str, draft: str) -> _Named:
    if isinstance(schema, dict) and "$schema" in schema:
        draft = draft_of(schema)
    nodes = [(document, Node(schema, document, f"{document}#"), False)]
    bases, drafts, dynamic = dict[int, str](), dict[str, str](), list[str]()
    for pointer, node, base in subschemas(schema, document, draft):
        here = Node(node, base, f"{document}#{_quoted(pointer)}")
        bases[id(node)] = base
        drafts[here.location] = draft
        if pointer == "" or "$id" in node or "id" in node:
            own = split_fragment(base)[0]
            if pointer == "" or not str(node.get("$id", node.get("id"))).startswith("#"):
                nodes.append((document if pointer == "" else own, here, True))
            nodes.append((own, here, False))
            if "#" in base.rstrip("#"):  # only a fragment names a place, and no base: draft-07's anchors
                nodes.append((base, here, True))
        nodes += [
            (f"{split_fragment(base)[0]}#{node[keyword]}", here, True)
            for keyword in ("$anchor", "$dynamicAnchor")
            if isinstance(node.get(keyword), str)
        ]
        dynamic += [f"{each} {node[each]}" for each in ("$dynamicAnchor", "$recursiveAnchor") if each in node]
    return _Named(nodes, bases, drafts, dynamic)


_named_once = once_per_document(_named)


class References:
    """Follows `$ref`s among the resources of one contract, and never elsewhere."""

    def __init__(self, resources: Mapping[str, Any], uri: str, draft: str | None = None) -> None:
        self.uri = uri
        self.draft = draft or draft_of(resources[uri])
        self._drafts: dict[str, str] = {}
        self._known: dict[str, Node] = {}
        self._bases: dict[int, str] = {}
        self._dynamic: Counter[str] = Counter()
        for document, schema in resources.items():
            named = (_named if document == uri else _named_once)(schema, document, self.draft)
            for name, node, is_its_own in named.nodes:
                if is_its_own or name not in self._known:
                    self._known[name] = node
            self._bases |= named.bases
            self._drafts |= named.drafts
            self._dynamic.update(named.dynamic)

    @property
    def root(self) -> Node:
        """The contract's own schema."""
        return self._known[self.uri]

    def alone(self, node: Node) -> bool:
        """Return whether nothing beside this schema's `$ref` counts, as before draft 2019-09."""
        return "$ref" in node.schema and self._drafts.get(node.location, self.draft) in _REF_ALONE

    def inside(self, node: Node, *steps: str | int) -> Node:
        """Return the subschema at a path below a node."""
        child, location = node.schema, node.location
        for step in steps:
            child = child[step]
            text = str(step)
            location += "/" + (text if text.isalnum() and text.isascii() else quote(escape(text), safe="~$"))
        return Node(child, self._bases.get(id(child), node.base), location)

    def inside_document(self, uri: str, pointer: str) -> str:
        """Return the location of a JSON pointer in a document."""
        return f"{uri}#{_quoted(pointer)}"

    def dynamic_target(self, node: Node) -> Node | None:
        """Return what a `$dynamicRef` or `$recursiveRef` leads to if it leads there from everywhere, or None."""
        draft = self._drafts.get(node.location, self.draft)
        keyword, anchor = _DYNAMIC.get(draft, ("", ""))
        reference = node.schema.get(keyword)
        target = self.follow(node, reference) if isinstance(reference, str) else None
        if target is None or not isinstance(target.schema, dict):
            return target
        name = target.schema.get(anchor)
        dynamic = name is True or (isinstance(name, str) and str(reference).endswith(f"#{name}"))
        return None if dynamic and self._dynamic[f"{anchor} {name}"] > 1 else target

    def follow(self, node: Node, reference: str) -> Node | None:
        """Return what a `$ref` in a node leads to, or None where that is nowhere."""
        target = join(node.base, reference)
        if target in self._known:
            return self._known[target]
        document, _, fragment = target.partition("#")
        found = self._known.get(document)
        if found is None or (fragment and not fragment.startswith("/")):
            return None
        if not fragment:
            return found
        for step in unquote(fragment).split("/")[1:]:
            name: str | int = unescape(step)
            if isinstance(found.schema, list) and isinstance(name, str) and name.isdigit():
                name = int(name)
            try:
                found = self.inside(found, name)
            except (KeyError, IndexError, TypeError):
                return None
        return found
