"""Look-ahead at the start of a pattern, said with patterns that are regular.

`^(?=A)(?!B)C` is *matches ^A, does not match ^B, matches ^C*: what password and exclusion rules are mostly made of.
"""

from __future__ import annotations

from contract_test.compare import nodes
from contract_test.compare.nodes import Node, Pool
from contract_test.compare.values import TYPES


def pattern_node(pool: Pool, regex: str) -> Node:
    """Return the strings that a pattern matches; a pattern without leading look-ahead is one node."""
    if not regex.startswith(("^(?=", "^(?!")) or _has_bare_choice(regex):
        return pool.make(nodes.Pattern, regex)
    parts: list[Node] = []
    no_string = pool.make(nodes.TypeIs, frozenset(TYPES) - {"string"})  # of which a pattern says nothing
    rest = regex[1:]
    while rest.startswith(("(?=", "(?!")):
        end = _closing(rest)
        ahead: Node = pool.make(nodes.Pattern, f"^(?:{rest[3:end]})")
        parts.append(ahead if rest[2] == "=" else pool.any_of([no_string, pool.negation(ahead)]))
        rest = rest[end + 1 :]
        if rest[:1] in ("*", "+", "?", "{"):
            return pool.make(nodes.Pattern, regex)
    if rest not in ("", ".*", ".*$"):
        parts.append(pool.make(nodes.Pattern, "^" + rest))
    elif rest == ".*$":
        parts.append(pool.make(nodes.Pattern, "^.*$"))
    return pool.all_of(parts)


def _depths(regex: str) -> list[int]:
    """How many groups are open before each character; -1 where it is escaped or inside a set."""
    depths, depth, in_set, at = [], 0, False, 0
    while at < len(regex):
        char = regex[at]
        if char == "\\":
            depths += [-1, -1]
            at += 2
            continue
        if in_set:
            in_set = char != "]"
            depths.append(-1)
        elif char == "[":
            in_set = True
            depths.append(-1)
        else:
            depths.append(depth)
            depth += {"(": 1, ")": -1}.get(char, 0)
        at += 1
    return depths[: len(regex)]


def _closing(regex: str) -> int:
    """Where the group that opens at 0 closes."""
    return next(
        (at for at, depth in enumerate(_depths(regex)) if at and depth == 1 and regex[at] == ")"),
        len(regex) - 1,
    )


def _has_bare_choice(regex: str) -> bool:
    return any(depth == 0 and regex[at] == "|" for at, depth in enumerate(_depths(regex)))
