"""Which classes several modules share: those of one file, or of an entry of `$defs` that is the same everywhere.

A shared class is defined in `messages/shared.py`. Each module imports it under the name that it would have there, so
the import path of a class stays as it is when another contract begins or stops to use the same schema.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from contract_test.data.contract import Contract
from contract_test.generate import plan as p
from contract_test.generate.naming import definition_name, in_order, references_in
from contract_test.generate.plan import ModulePlan, Named, Type, ValueClass
from contract_test.schema.names import unused
from contract_test.schema.walk import Node, References, subschemas

SHARED = "shared"
"""The name of the module that holds shared classes."""
MAX_REACHED = 2000
"""A schema that reaches more others than this one by one is not compared with those of other contracts."""
_ANNOTATIONS = ("$comment", "examples", "$id", "id", "$schema")


@dataclass(frozen=True, order=True)
class Import:
    """A class of another module: its name there, and here."""

    module: str
    there: str
    here: str


@dataclass(frozen=True)
class Shared:
    """The plan of the shared module, and those of the contracts' modules without what is in it."""

    plan: ModulePlan
    plans: tuple[ModulePlan, ...]
    imports: tuple[tuple[Import, ...], ...]
    """For each module the classes that it uses of other modules."""
    aliases: Mapping[str, str]
    """The names of imported classes by key, where a module calls one by another name than its own."""
    names: Mapping[str, str]
    """The names of shared classes by digest."""
    owners: tuple[Contract, ...]
    """The contracts whose schemas the shared classes are checked with."""


_Uses = list[tuple[int, ValueClass]]


def share(contracts: Sequence[Contract], plans: Sequence[ModulePlan], known: Mapping[str, str]) -> Shared:
    """Move the classes that several contracts have in common to the shared module.

    `known` are the names that shared classes have already, by digest: they keep them.
    """
    found: dict[str, _Uses] = {}
    files = {contract.uri for contract in contracts}
    alone = len(contracts) < 2 and not known  # noqa: PLR2004 - it takes two to share
    for place, (contract, plan) in enumerate(() if alone else zip(contracts, plans, strict=True)):
        digester = _Digester(contract, files)
        for cls in plan.classes[:-1]:
            digest = digester.digest(cls)
            if digest is not None:
                found.setdefault(digest, []).append((place, cls))
    several = {
        digest: uses for digest, uses in found.items() if digest in known or len({place for place, _ in uses}) > 1
    }
    keys = _closed_under_use(plans, {cls.key for uses in several.values() for _, cls in uses})
    several = {digest: uses for digest, uses in several.items() if all(cls.key in keys for _, cls in uses)}
    names = {digest: known[digest] for digest in several if digest in known}
    taken = {*known.values()}
    for digest, uses in several.items():
        if digest not in names:
            names[digest] = unused(uses[0][1].name, taken, "")
            taken.add(names[digest])
    return _moved(contracts, plans, several, names, _borrowed(contracts, plans, keys))


def _borrowed(
    contracts: Sequence[Contract], plans: Sequence[ModulePlan], shared: set[str]
) -> dict[str, tuple[int, ValueClass]]:
    """Return by key the classes of schemas that stand in the file of another contract: its module has them."""
    places = {contract.uri: place for place, contract in enumerate(contracts)}
    known = [{cls.place: cls for cls in plan.classes if cls.key not in shared} for plan in plans]
    found: dict[str, tuple[int, ValueClass]] = {}
    uses: dict[int, set[int]] = {}
    for here, plan in enumerate(plans):
        for cls in plan.classes[:-1]:
            document, _, pointer = (cls.place or "").partition("#")
            there = places.get(document, here)
            owner = known[there].get(pointer)
            if (
                there == here
                or owner is None
                or cls.key in shared
                or cls.base != owner.base
                or not _reads_alike(contracts[here], contracts[there])
            ):
                continue
            if here not in _all_reached(uses, there):  # two modules cannot import each other
                uses.setdefault(here, set()).add(there)
                found[cls.key] = (there, owner)
    return found


def _reads_alike(one: Contract, other: Contract) -> bool:
    """Return whether a file without `$schema` means the same in both contracts."""
    return References(one.resources, one.uri).draft == References(other.resources, other.uri).draft


def _all_reached(uses: Mapping[int, set[int]], start: int) -> set[int]:
    found = {start}
    pending = [start]
    while pending:
        new = uses.get(pending.pop(), set()) - found
        found |= new
        pending += new
    return found


def _closed_under_use(plans: Sequence[ModulePlan], keys: set[str]) -> set[str]:
    """Leave out classes that use one which is not shared."""
    parts = {part.key: part for plan in plans for part in plan.parts}
    while True:
        left = {key for key in keys if all(_reaches(parts, used) <= keys for used in _uses(parts[key]))}
        if left == keys:
            return keys
        keys = left


def _uses(part: ValueClass | Named) -> list[str]:
    types = [part.type] if isinstance(part, Named) else [attribute.type for attribute in part.attributes]
    return [key for type_ in types for key in references_in(type_)]


def _reaches(parts: Mapping[str, ValueClass | Named], key: str) -> set[str]:
    """Return the classes that a type names, through unions and other named types."""
    part = parts[key]
    if isinstance(part, ValueClass):
        return {key}
    return {inner for used in _uses(part) for inner in _reaches(parts, used)}


def _moved(
    contracts: Sequence[Contract],
    plans: Sequence[ModulePlan],
    several: Mapping[str, _Uses],
    names: Mapping[str, str],
    borrowed: Mapping[str, tuple[int, ValueClass]],
) -> Shared:
    kept = {cls.key: digest for digest, uses in several.items() for _, cls in uses}
    target = {key: several[digest][0][1].key for key, digest in kept.items()}
    parts: list[ValueClass | Named] = []
    owners: dict[int, Contract] = {}
    needed: dict[str, Named] = {}
    for digest, uses in several.items():
        place, cls = uses[0]
        owners[place] = contracts[place]
        needed |= _named_types(plans[place], cls)
        parts.append(replace(cls, name=names[digest], place=_absolute(contracts[place], cls)))
    copies = {key: f"{key}s" for key in needed}
    parts += [replace(each, key=copies[each.key], name="") for each in needed.values()]
    moved = in_order([_retargeted(part, target | copies) for part in parts])
    origin = {key: (Import(SHARED, names[digest], ""), target[key]) for key, digest in kept.items()}
    for key, (there, owner) in borrowed.items():
        origin[key] = (Import(contracts[there].module_name, owner.name, ""), owner.key)
    imports, left = [], []
    aliases: dict[str, str] = {}
    for plan in plans:
        taken = {part.key: part.name for part in plan.parts if part.key in origin}
        imports.append(tuple(sorted(replace(origin[key][0], here=here) for key, here in taken.items())))
        keys = {key: origin[key][1] if origin[key][0].there == here else f"{key}i" for key, here in taken.items()}
        aliases |= {keys[key]: here for key, here in taken.items() if keys[key] == f"{key}i"}
        own = (part for part in plan.parts if part.key not in taken)
        left.append(replace(plan, parts=tuple(_retargeted(part, keys) for part in own)))
    return Shared(ModulePlan(moved), tuple(left), tuple(imports), aliases, names, tuple(owners.values()))


def _named_types(plan: ModulePlan, cls: ValueClass) -> dict[str, Named]:
    parts = {part.key: part for part in plan.parts}
    found: dict[str, Named] = {}
    pending = _uses(cls)
    while pending:
        part = parts.get(pending.pop())
        if isinstance(part, Named) and part.key not in found:
            found[part.key] = part
            pending += _uses(part)
    return found


def _absolute(contract: Contract, cls: ValueClass) -> str | None:
    return cls.place if cls.place is None or "#" in cls.place else f"{contract.uri}#{cls.place}"


def _retargeted(part: ValueClass | Named, keys: Mapping[str, str]) -> ValueClass | Named:
    if isinstance(part, Named):
        return replace(part, type=_replaced(part.type, keys))
    attributes = tuple(replace(each, type=_replaced(each.type, keys)) for each in part.attributes)
    inherited = tuple(replace(each, type=_replaced(each.type, keys)) for each in part.inherited)
    return replace(part, attributes=attributes, inherited=inherited)


def _replaced(type_: Type, keys: Mapping[str, str]) -> Type:
    if "$ref" in type_:
        key = references_in(type_)[0]
        return p.reference(keys.get(key, key))
    return {
        word: _replaced(value, keys) if isinstance(value, dict)
        else [_replaced(each, keys) for each in value] if word in ("anyOf", "prefixItems") else value
        for word, value in type_.items()
    }  # fmt: skip


class _Digester:
    """Digests what a schema says, with everything that it refers to."""

    def __init__(self, contract: Contract, files: set[str]) -> None:
        self._files = files
        self._references = References(contract.resources, contract.uri)
        self._uri = contract.uri
        self._texts: dict[str, tuple[str, list[Node]]] = {}

    def digest(self, cls: ValueClass) -> str | None:
        """Return the digest of a class if it can be shared: of an entry of `$defs`, or of another file."""
        if cls.place is None:
            return None
        location = cls.place if "#" in cls.place else f"{self._uri}#{cls.place}"
        document, _, pointer = location.partition("#")
        if document in self._files and "/$defs/" not in pointer and "/definitions/" not in pointer:
            return None
        node = self._references.follow(self._references.root, location)
        if node is None:
            return None
        order: dict[str, Node] = {node.location: node}
        waiting = [node]
        said: list[tuple[str, list[Node]]] = []
        for each in waiting:  # it grows meanwhile
            said.append(self._said(each))
            new = {target.location: target for target in said[-1][1] if target.location not in order}
            order |= new
            waiting += new.values()
            if len(order) > MAX_REACHED:
                return None
        places = {location: place for place, location in enumerate(order)}
        texts = [f"{text} {[places[target.location] for target in targets]}" for text, targets in said]
        fields = [(each.name, each.json_name, each.required, repr(each.default)) for each in cls.attributes]
        name = definition_name(location) or location.rpartition("/")[2]
        whole = [name, cls.base, repr(fields), self._references.draft, *texts]
        return hashlib.sha256("\n".join(whole).encode()).hexdigest()[:16]

    def _said(self, node: Node) -> tuple[str, list[Node]]:
        """Return what a schema says without its references, and where these lead in their order."""
        if node.location not in self._texts:
            targets: list[Node] = []
            schema = json.loads(json.dumps(node.schema))
            for _, inner, base in subschemas(schema, node.base, self._references.draft):
                reference = inner.get("$ref")
                here = Node(inner, base, node.location)
                found = self._references.follow(here, reference) if isinstance(reference, str) else None
                for word, target in (("$ref", found), ("$dynamicRef", self._references.dynamic_target(here))):
                    if target is not None:
                        targets.append(target)
                        inner[word] = len(targets)
                for word in (*_ANNOTATIONS, "$defs", "definitions"):
                    inner.pop(word, None)
            self._texts[node.location] = (json.dumps(schema, sort_keys=True), targets)
        return self._texts[node.location]
