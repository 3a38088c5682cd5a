"""Which entries of `$defs` the alternatives of a position are: each of them is one type, wherever it is used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contract_test.generate.alternatives import Alternative, Reader, values_of
from contract_test.generate.naming import definition_name
from contract_test.schema.walk import Node

_Key = tuple[frozenset[str], frozenset[str]]


@dataclass(frozen=True)
class Part:
    """An entry of `$defs`, and the alternatives that it stands for."""

    entry: Node
    alternatives: tuple[Alternative, ...]


def whole_entry(reader: Reader, alternatives: Sequence[Alternative]) -> Node | None:
    """Return the entry of `$defs` that some alternatives are, null aside."""
    valued = _valued(alternatives)
    wanted = set(map(_key, valued))
    for node in reversed(valued[0].path) if valued else ():
        if (
            definition_name(node.location)
            and all(node in each.path for each in valued)
            and _keys_of(reader, node) == wanted
        ):
            return node
    return None


def parts_in(reader: Reader, alternatives: Sequence[Alternative], besides: Node | None) -> list[Part]:
    """Return the entries of `$defs` that some of the alternatives are, if all others have other JSON types.

    `besides` is the entry that the alternatives are together.
    """
    found: list[Part] = []
    left = list(alternatives)
    tried = {besides}
    for node in dict.fromkeys(node for each in alternatives for node in each.path):
        if node in tried or not definition_name(node.location):
            continue
        tried.add(node)
        wanted = _keys_of(reader, node)
        group = [each for each in left if _key(each) in wanted and node in each.path]
        others = [each for each in left if each not in group]
        if group and _valued(others) and set(map(_key, group)) == wanted and _are_apart(group, others):
            found.append(Part(node, tuple(group)))
            left = others
    return found


def _keys_of(reader: Reader, entry: Node) -> set[_Key]:
    return set(map(_key, _valued(reader.alternatives(((entry,),)))))


def _valued(alternatives: Iterable[Alternative]) -> list[Alternative]:
    return [each for each in alternatives if each.types != {"null"}]


def _key(alternative: Alternative) -> _Key:
    return alternative.places, alternative.types


def _are_apart(group: list[Alternative], others: list[Alternative]) -> bool:
    """Return whether no JSON type belongs to both sides, but for listed values."""
    return _kinds(group).isdisjoint(_kinds(others)) or all(values_of(each.nodes) for each in (*group, *others))


def _kinds(alternatives: list[Alternative]) -> set[str]:
    return {"number" if kind == "integer" else kind for each in alternatives for kind in each.types - {"null"}}
