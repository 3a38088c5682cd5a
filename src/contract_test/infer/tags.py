"""The field whose value determines which other fields an object has: found in a sample, by what it separates."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from contract_test.infer.evidence import LONG_NUMBER, MIN_MESSAGES, DeclaredFields, Masked, is_personal_name, kind_of
from contract_test.schema.walk import escape, unescape

MAX_ALTERNATIVES = 60
MIN_PER_ALTERNATIVE = 3
MAX_TAG_LENGTH = 64
MAX_TAG_NUMBER = 999
MAX_CHANCE = 0.01
MAX_TAG_DEPTH = 3
MAX_PLAN_DEPTH = 12
MIN_SHARE_NAMED = 0.5
_WORD = re.compile(r"[@#]?[^\W\d_][\w.:/#@-]*(?: [^\W\d_][\w.:/-]*)*!?")
_PERSON = re.compile(r"[A-Z][^\W\d_]+ (?:[A-Z][^\W\d_]*\.? )*[A-Z][^\W\d_]+")

Objects = Sequence[dict[str, Any]]
Path = tuple[str, ...]


@dataclass(frozen=True)
class Tag:
    """A path of names to a field, and the JSON type of its values: string, integer or boolean."""

    path: Path = ()
    kind: str = "string"

    def __bool__(self) -> bool:
        return bool(self.path)

    def text_in(self, value: Any) -> str | None:
        """Return the value of an object's tag as text, or None if it has no value of this type."""
        for step in self.path:
            value = value.get(step) if isinstance(value, dict) else None
        if self.kind == "integer" and isinstance(value, float) and value.is_integer():
            value = int(value)  # the same number for a schema
        if kind_of(value) != self.kind:
            return None
        return value if isinstance(value, str) else json.dumps(value)

    def constant(self, text: str) -> str | int:
        """Return the value that a text stands for."""
        return text if self.kind == "string" else json.loads(text)


@dataclass(frozen=True)
class Plan:
    """Where objects are counted apart: by the value of `tag` in them, and the plans of the places inside.

    `texts` are the values of the tag that are known, as texts.
    """

    tag: Tag = field(default_factory=Tag)
    texts: frozenset[str] = frozenset()
    branches: Mapping[str, Plan] = field(default_factory=dict)
    inside: Mapping[str, Plan] = field(default_factory=dict)

    def inside_of(self, step: str) -> Plan:
        """Return the plan for a field, or for `*`: any item, or any key of a map."""
        return self.inside.get(step, NO_PLAN)

    def branch(self, text: str) -> Plan:
        """Return the plan for the objects with this text."""
        return self.branches.get(text, NO_PLAN)

    def text_of(self, value: dict[str, Any]) -> str:
        """Return the text that an object belongs to; "" if it has none of those that are known."""
        text = self.tag.text_in(value)
        return str(text) if text is not None and text in self.texts else ""


NO_TAG = Tag()
NO_PLAN = Plan()
_TAG_KINDS = ("string", "integer", "boolean")


def plan_for(values: Sequence[Any], declared: DeclaredFields, place: str = "", depth: int = 0) -> Plan:
    """Return where a sample of values shows alternatives."""
    objects = [each for each in values if isinstance(each, dict)]
    items = [item for each in values if isinstance(each, list) for item in each[:MAX_ITEMS]]
    inside: dict[str, Plan] = {}
    if depth >= MAX_PLAN_DEPTH:
        return NO_PLAN
    if objects and place not in declared.maps:
        tag = _named(objects, declared, place) or discriminator(objects, declared, place)
        if tag:
            groups = split(objects, tag)
            texts = known_texts(groups, certain=_pointer(place, tag.path) in declared.tags)
            branches = {
                text: Plan(inside=_inside(groups[text], declared, place, depth))
                for text in texts
                if any(isinstance(child, dict | list) for each in groups[text] for child in each.values())
            }
            return Plan(tag, frozenset(texts), {text: each for text, each in branches.items() if each.inside})
        inside = _inside(objects, declared, place, depth)
    if items and any(isinstance(item, dict | list) for item in items):
        found = plan_for(items, declared, f"{place}/*", depth + 1)
        if found != NO_PLAN:
            inside["*"] = found
    return Plan(inside=inside) if inside else NO_PLAN


MAX_ITEMS = 200


def _inside(objects: Objects, declared: DeclaredFields, place: str, depth: int) -> dict[str, Plan]:
    children: dict[str, list[Any]] = {}
    for each in objects:
        for name, child in each.items():
            if isinstance(child, dict | list):
                children.setdefault(name, []).append(child)
    if place in declared.maps or len(children) > MAX_FIELDS:
        children = {"*": [child for each in children.values() for child in each[:MAX_ITEMS]][:MAX_SAMPLE]}
    found = {
        name: plan_for(each, declared, f"{place}/{name if name == '*' else escape(name)}", depth + 1)
        for name, each in children.items()
    }
    return {name: each for name, each in found.items() if each != NO_PLAN}


MAX_FIELDS = 500
MAX_SAMPLE = 2_000


def _pointer(place: str, tag: Path) -> str:
    return place + "".join(f"/{escape(step)}" for step in tag)


def _named(objects: Objects, declared: DeclaredFields, place: str) -> Tag:
    """Return the tag of the objects at a place that the user named, or none."""
    for pointer in sorted(declared.tags):
        if pointer.startswith(f"{place}/"):
            path = tuple(map(unescape, pointer[len(place) + 1 :].split("/")))
            counts = {kind: sum(Tag(path, kind).text_in(each) is not None for each in objects) for kind in _TAG_KINDS}
            kind = max(counts, key=lambda kind: counts[kind])
            if "*" not in path and counts[kind]:
                return Tag(path, kind)
    return NO_TAG


def known_texts(groups: Mapping[str, Objects], *, certain: bool) -> list[str]:
    """Return the texts that are alternatives of their own: those that were seen often enough."""
    least = 1 if certain else MIN_PER_ALTERNATIVE
    return [text for text, objects in groups.items() if text and len(objects) >= least]


def split(objects: Iterable[dict[str, Any]], tag: Tag) -> dict[str, list[dict[str, Any]]]:
    """Group objects by the value of their tag, as text; "" is for those without one."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for each in objects:
        groups.setdefault(tag.text_in(each) or "", []).append(each)
    return groups


def discriminator(objects: Objects, declared: DeclaredFields, place: str) -> Tag:
    """Return the field whose value determines which other fields there are, or none if no field does.

    It does if some field is always or never present among the objects of each value, and that would be rare with
    values assigned at random. Of several fields the one that explains most is taken, then the nearest.
    What a field inside an inner object explains there is not counted for other fields.
    A number or a boolean also has to have alternatives of which each has a field that another lacks: that
    `errors` comes with a `count` above 0 makes no tag of the count.
    """
    shares = _presence(objects)
    varying = {path: share for path, share in shares.items() if share < 1}
    if not varying or len(objects) < MIN_MESSAGES:
        return NO_TAG
    settled: dict[Tag, set[Path]] = {}
    for tag in sorted(_candidates(objects), key=lambda each: len(each.path)):
        groups = split(objects, tag)
        if _separates(groups, declared, tag, _pointer(place, tag.path)):
            found = _settled(varying, groups, tag.path)
            if tag.kind == "string" or _are_alternatives(groups.values(), found):
                settled[tag] = found
    local = {path for tag, paths in settled.items() for path in paths if _is_local(path, tag.path)}
    counts = {tag: len(paths - local) for tag, paths in settled.items()}
    return max(counts, key=lambda tag: counts[tag]) if any(counts.values()) else NO_TAG


def _are_alternatives(groups: Iterable[Objects], settled: Collection[Path]) -> bool:
    """Return True if most groups differ in their fields, and two of them have a field each that the other lacks."""
    shapes = [
        frozenset((path, _type(value)) for each in group for path, value in _paths(each) if path in settled)
        for group in groups
    ]
    different = list(dict.fromkeys(shapes))
    return len(different) * 2 > len(shapes) and any(
        one - other and other - one for number, one in enumerate(different) for other in different[:number]
    )


def _candidates(objects: Objects) -> Iterator[Tag]:
    """Yield the fields that have a text, a whole number or a boolean in every object, of one type in all."""
    pending: list[Path] = [(name,) for name in objects[0]]
    while pending:
        path = pending.pop()
        first: Any = objects[0]
        for step in path:
            first = first[step]
        tag = Tag(path, kind_of(first))
        if tag.kind in _TAG_KINDS:
            if len(str(first)) <= MAX_TAG_LENGTH and all(tag.text_in(each) is not None for each in objects):
                yield tag
        elif isinstance(first, dict) and len(path) < MAX_TAG_DEPTH and len(first) <= MAX_FIELDS:
            pending += [(*path, name) for name in first]


def _separates(groups: Mapping[str, Objects], declared: DeclaredFields, tag: Tag, pointer: str) -> bool:
    """Return True if the values may be shown: each was seen several times, and none looks like data."""
    return (
        1 < len(groups) <= MAX_ALTERNATIVES
        and all(len(group) >= MIN_PER_ALTERNATIVE for group in groups.values())
        and (pointer in declared.enums or all(may_be_shown(text, tag.kind) for text in groups))
    )


def may_be_shown(text: str, kind: str = "string") -> bool:
    """Return True if the value of a tag may be shown. Numbers have to be small, as those of codes are."""
    if kind == "integer":
        return abs(int(text)) <= MAX_TAG_NUMBER
    return kind == "boolean" or is_tag_text(text)


def is_tag_text(text: str) -> bool:
    """Return True if a text may be shown as that of a tag: a few words, no name of a person, no number of anything."""
    return (
        not isinstance(text, Masked)
        and len(text) <= MAX_TAG_LENGTH
        and _WORD.fullmatch(text) is not None
        and not LONG_NUMBER.search(text)
        and _PERSON.fullmatch(text) is None
        and not is_personal_name(text)
    )


def _settled(varying: Mapping[Path, float], groups: Mapping[str, Objects], tag: Path) -> set[Path]:
    """Return the fields that each text of a tag settles: all objects with it have the field, or none has."""
    shares = [_presence(group) for group in groups.values()]
    return {
        path
        for path, share in varying.items()
        if path != tag[: len(path)]
        and all(each.get(path, 1) == 1 for each in shares)
        and _chance(share, groups.values()) < MAX_CHANCE
    }


def _is_local(path: Path, tag: Path) -> bool:
    """Return True if a tag and what it explains are in the same inner object: then it is the tag of that object."""
    return len(tag) > 1 and path[: len(tag) - 1] == tag[:-1]


def _chance(share: float, groups: Iterable[Objects]) -> float:
    """Return how probable it is that in each group all objects or none have a field that this share of all has."""
    return prod(share ** len(group) + (1 - share) ** len(group) for group in groups)


def _presence(objects: Objects) -> dict[Path, float]:
    """The fields, and the fields of fields, with the share of the objects that have them, all of one type."""
    kinds: dict[Path, Counter[str]] = {}
    for each in objects:
        for path, value in _paths(each):
            kinds.setdefault(path, Counter())[_type(value)] += 1
    shares = {}
    for path, counts in kinds.items():
        null = counts.pop("null", 0)
        shares[path] = (max(counts.values(), default=0) + null) / len(objects)
    return shares


def _paths(value: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    for name, child in value.items():
        yield (name,), child
        if isinstance(child, dict) and len(child) <= MAX_FIELDS:
            yield from (((name, inner), grandchild) for inner, grandchild in child.items())


def _type(value: Any) -> str:
    kind = kind_of(value)
    return "number" if kind == "integer" else kind


def set_tag(schema: dict[str, Any], path: Path, rule: dict[str, Any], *, required: bool) -> None:
    """Put the rule for a tag into the schema of an alternative."""
    for end, step in enumerate(path):
        if required:
            schema["required"] = [step, *(name for name in schema.get("required", ()) if name != step)]
        last = end == len(path) - 1
        properties = schema.get("properties", {})
        inner = rule if last else dict(properties.get(step, {}))
        if not last:
            inner["type"] = "object"
        schema["properties"] = {step: inner} | {name: each for name, each in properties.items() if name != step}
        schema = inner
