"""Contracts whose classes need more than a name and a text: one for each kind of type."""

TEXT, TIME, INT = {"type": "string"}, {"type": "string", "format": "date-time"}, {"type": "integer"}


def obj(required=(), /, **properties):
    return {"type": "object", "properties": properties} | ({"required": list(required)} if required else {})


def tagged(tag, value, /, **properties):
    return obj((tag,), **{tag: {"const": value}}, **properties)


PLACE = {"$ref": "#/$defs/Place"}
EXPRESSION = {"$ref": "#/$defs/Expression"}
REFERENCE = {"$ref": "#/$defs/Reference"}
DEFINITIONS = {
    "Reference": {"type": "object", "required": ["$ref"], "patternProperties": {r"^\$ref$": TEXT}},
    "Place": obj(("zip",), zip=TEXT, since=TIME),
    "Node": obj((), label=TEXT, children={"$ref": "#/$defs/Nodes"}, by_name={"type": "object", "additionalProperties": {"$ref": "#/$defs/Node"}}),
    "Nodes": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
    "Expression": {"oneOf": [{"$ref": "#/$defs/Leaf"}, {"$ref": "#/$defs/All"}]},
    "Leaf": tagged("op", "literal", value=TEXT),
    "All": tagged("op", "all", parts={"type": "array", "items": EXPRESSION}),
    "Tags": {"type": "object", "additionalProperties": {"type": "array", "items": TEXT}},
    "Level": {"enum": ["low", "high"]},
    "Anywhere": PLACE | {"$dynamicAnchor": "place"},
    "Labelled": obj(("labels",), self=TEXT, labels={"type": "object", "additionalProperties": INT}),
    "Speed": {"allOf": [obj((), speed=INT)]},
    "Door": {"anyOf": [tagged("door", 1, left=INT) | {"title": "Left"}, tagged("door", True, right=INT) | {"title": "Right"}]},
}  # fmt: skip

MERGED = {"count": 5, "ratio": 1.5, "names": ["a"], "labels": {"a": 1}, "place": {"zip": "1"}, "at": "2026-01-01T00:00:00Z",
          "day": "2026-01-01", "level": "high", "maybe": None}  # fmt: skip

CONTRACTS = {
    "maps": obj(("places",), places={"type": "object", "additionalProperties": PLACE},
                listed={"type": "object", "patternProperties": {"^p-": {"type": "array", "items": PLACE}}, "additionalProperties": False}),
    "trees": obj((), root={"$ref": "#/$defs/Node"}, itself={"anyOf": [{"$ref": "#"}, {"type": "null"}]}, when=EXPRESSION),
    "unions": obj(
        ("door",),
        door={"$ref": "#/$defs/Door", "x-note": "unknown keywords change nothing", "readOnly": True},
        event={"oneOf": [{"oneOf": [tagged("t", "a") | {"title": "Ann"}, tagged("t", "b") | {"title": "Bob"}]}, tagged("t", "c") | {"title": "Cid"}],
               "discriminator": {"propertyName": "t"}, "type": "object"},
        defaulted={"oneOf": [obj((), kind={"const": "card", "default": "card"}, number=INT) | {"title": "Card"}, tagged("kind", "iban") | {"title": "Iban"}]},
        switch=obj(("mode",), mode={"enum": ["fast", "slow"]}) | {
            "if": {"properties": {"mode": {"const": "fast"}}}, "then": obj(("speed",), speed=INT), "else": obj((), reason=TEXT)},
    ),
    "alike": obj(
        ("closed", "open"),
        closed={"anyOf": [obj(("zip",), zip=TEXT, since=TIME) | {"additionalProperties": False, "title": "Street"},
                          obj(("box",), box=INT) | {"additionalProperties": False, "title": "Box"}]},
        open={"anyOf": [obj(("a",), id=INT, a=TEXT), obj(("b",), id=INT, b=TEXT)]},
    ),
    "patterns": obj(
        (), open={"type": "object", "patternProperties": {"^p-": PLACE}}, extended=obj((), name=TEXT) | {"patternProperties": {"^x-": {}}},
        typed=obj((), name=TEXT) | {"patternProperties": {"^n-": INT}, "additionalProperties": False},
        paths={"type": "object", "patternProperties": {"^/": PLACE, "^x-": {}}, "additionalProperties": False},
        lines={"type": "object", "patternProperties": {"^.*$": INT}},
        listed={"type": "object", "patternProperties": {"^(left|right)$": INT}, "additionalProperties": False},
        needed={"type": "object", "required": ["a"], "additionalProperties": INT},
    ),
    "presence": obj(
        (), either={"oneOf": [REFERENCE, obj(("name",), name=TEXT, size=INT) | {"title": "Item", "patternProperties": {"^x-": {}}, "additionalProperties": False}]},
        exclusive={"oneOf": [obj(("$ref",), **{"$ref": TEXT}) | {"title": "Link"}, obj((), name=TEXT, **{"$ref": TEXT}) | {"title": "Named"}]},
        binding={"type": "object", "properties": {"v": {"enum": ["1", "2"]}}, "allOf": [
            {"if": {"not": {"required": ["v"]}}, "then": obj((), speed=INT) | {"title": "Newest"}}]},
        conditional={"if": {"type": "object", "required": ["$ref"]}, "then": REFERENCE, "else": PLACE},
        mixed={"oneOf": [REFERENCE, obj(("note",), note=TEXT, **{"$ref": INT}) | {"title": "Note"}, tagged("t", "a", n=INT) | {"title": "Ann", "additionalProperties": False},
                         tagged("t", "b", n=TEXT) | {"title": "Bob", "additionalProperties": False}]},
    ),
    "wrapped": obj((), plain=PLACE, titled={"title": "Billing", "allOf": [PLACE]}, typed={"type": "object"} | PLACE,
                   defaulted={"allOf": [PLACE], "default": {"zip": "1"}}),
    "named": obj(("maybe", "either", "empty", "loose"), maybe={"anyOf": [{"$ref": "#/$defs/Level"}, {"type": "null"}]},
                 either={"anyOf": [{"$ref": "#/$defs/Level"}, INT, {"$ref": "#/$defs/Tags"}]}, level={"$ref": "#/$defs/Level"},
                 tags={"$ref": "#/$defs/Tags"}, rule={"anyOf": [EXPRESSION, INT]}, empty=obj() | {"additionalProperties": False, "title": "Empty"},
                 loose={"title": "Loose", "properties": {"zip": TEXT}}),
    "listed": obj(("level", "size", "mixed", "point"), level={"$ref": "#/$defs/Level"}, size={"enum": [1, 2, None]},
                  mixed={"enum": ["x", 7, False]}, point={"type": "array", "prefixItems": [INT, TEXT], "items": False, "minItems": 2},
                  price={"type": "number", "x-python-type": "decimal"},
                  fee={"type": "string", "x-python-type": "decimal", "pattern": "^[0-9]+([.][0-9]{2})?$"}, old=TEXT | {"deprecated": True}),
    "defaults": obj((), count=INT | {"default": 3}, ratio={"type": "number", "default": 0}, names={"type": "array", "items": TEXT, "default": ["a"]},
                    place=PLACE | {"default": {"zip": "1"}}, at=TIME | {"default": "2026-01-01T00:00:00Z"},
                    maybe={"type": ["string", "null"], "default": "x"}, size={"enum": [1, 2], "default": 2},
                    labels={"type": "object", "additionalProperties": INT, "default": {"a": 1}},
                    wrong={"type": "array", "items": TEXT, "default": [1]}, many={"type": "array", "items": INT, "maxItems": 1, "default": [1, 2]},
                    level={"$ref": "#/$defs/Level", "default": "low"}, tags={"$ref": "#/$defs/Tags", "default": {"a": ["b"]}},
                    fee={"type": "array", "items": {"type": "string", "x-python-type": "decimal"}, "default": ["1.10"]},
                    rule={"anyOf": [EXPRESSION, INT], "default": {"op": "literal", "value": "v"}},
                    form={"oneOf": [REFERENCE, PLACE], "default": {"zip": "1"}}, soon=TIME | {"default": "soon"}),
    "crowd": obj(("one",), one={"oneOf": [tagged("kind", f"k{number}", note=TEXT) | {"title": f"Kind{number}"} for number in range(101)]}),
    "relabelled": {"$ref": "#/$defs/Labelled"},
    "merged": obj(("all", "any"), all={"allOf": [
        obj((), count=INT, ratio={"type": "number"}, names={"type": "array", "items": TEXT}, labels={"type": "object", "additionalProperties": INT},
            place=PLACE, at=TIME, day=TEXT | {"format": "date"}, level={"$ref": "#/$defs/Level"}, maybe={"type": ["integer", "null"]}),
        {"properties": {name: {"default": value} for name, value in MERGED.items()}}]},
        any={"anyOf": [obj(("a",), count=INT | {"default": 3}, other=INT | {"default": 1}, a=TEXT), obj(("b",), count=INT | {"default": 3}, other=INT, b=TEXT)]}),
    "dependent": obj((), place={"$dynamicRef": "#place"}, several={"type": "array", "items": {"$dynamicRef": "#place"}},
        closed=obj((), how={"enum": ["post", "visit"]}) | {"title": "Closed", "unevaluatedProperties": False, "dependentSchemas": {"how": {
            "$ref": "#/$defs/Speed", "properties": {"style": TEXT}, "if": {"required": ["style"]}, "then": {"properties": {"style": {"minLength": 1}}}}}},
        chosen=obj(("how",), how={"enum": ["post", "visit"]}) | {"title": "Chosen", "unevaluatedProperties": False, "allOf": [
            {"if": obj(("how",), how={"const": "post"}), "then": obj((), sent=TIME)},
            {"if": obj(("how", "sent"), how={"const": "post"}, sent={"pattern": "Z$"}), "then": obj((), zone=TEXT)}]},
        open=obj((), how=TEXT) | {"title": "Open", "dependentSchemas": {"how": {
            "$ref": "#/$defs/Speed", "patternProperties": {"^x-": INT}, "if": {"not": {"type": "object"}}, "then": obj((), never=INT)}}}),
}  # fmt: skip

USE = """
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal, assert_never, assert_type

from {package}.messages import Alike, Crowd, Defaults, Dependent, Listed, Maps, Merged, Named, Patterns, Presence, Relabelled, Trees, Unions, Wrapped
from {package}.messages.alike_v1 import Box, Street
from {package}.messages.crowd_v1 import Kind100
from {package}.messages.dependent_v1 import ChosenPost as ByPost, Place as Somewhere
from {package}.messages.listed_v1 import Level
from envelopes import FrozenMap
from {package}.messages.named_v1 import Empty, Expression, Loose, Tags
from {package}.messages.maps_v1 import Place
from {package}.messages.patterns_v1 import Extended, Typed
from {package}.messages.presence_v1 import Ann, Bob, Item, Link, Mixed, Named as Other, Place as At, Reference
from {package}.messages.trees_v1 import All, Expression as Rule, Leaf, Node
from {package}.messages.unions_v1 import Ann as First, Bob as Second, Card, Cid, Iban, Left, Right


def maps(value: Maps) -> None:
    assert_type(value.places["a"].since, datetime | None)
    if value.listed is not None:
        assert_type(value.listed["p-1"], tuple[Place, ...])


def dicts(zipped: Place) -> None:
    made = Maps(places={{"a": zipped}}, listed={{"p-1": (zipped,)}})
    assert_type(made.places, FrozenMap[str, Place])
    Maps(places={{"a": 1}})  # error
    Relabelled(labels={{"a": 1}}, self="x")
    Relabelled(labels={{"a": "1"}})  # error
    Maps()  # error
    Maps(places={{}}, other=1)  # error
    Named(maybe=None, either={{"a": ("b",)}}, empty=Empty(), loose=Loose(), tags={{"a": ("b",)}})
    Defaults(labels={{"a": 1}}, count=2)
    Defaults(labels={{"a": "1"}})  # error
    Extended(name="x", additional_properties={{"x-a": 1}})
    Typed(name="x", additional_properties={{"n-a": 1}})
    Typed(name="x", additional_properties={{"n-a": "1"}})  # error


def crowd(value: Crowd) -> None:
    assert_type(value.one.note, str | None)
    if isinstance(value.one, Kind100):
        assert_type(value.one.kind, Literal["k100"])
    Crowd(one="k100")  # error


def dependent(value: Dependent) -> None:
    assert_type(value.several, tuple[Somewhere, ...] | None)
    if value.place is not None and value.closed is not None:
        assert_type(value.place.since, datetime | None)
        assert_type(value.closed.speed, int | None)
        assert_type(value.closed.style, str | None)
    if isinstance(value.chosen, ByPost):
        assert_type(value.chosen.sent, datetime | None)
        assert_type(value.chosen.zone, str | None)
    elif value.chosen is not None:
        print(value.chosen.zone)  # error


def trees(value: Trees) -> None:
    if value.root and value.root.children and value.root.by_name:
        assert_type(value.root.children[0], Node)
        assert_type(value.root.by_name["x"], Node)
    assert_type(value.itself, Trees | None)
    Trees(when=All(op="all", parts=(Leaf(op="literal", value="x"),)))


def count(expression: Rule) -> int:
    match expression:
        case Leaf():
            return 1
        case All(parts=parts):
            return sum(map(count, parts or ()))
        case _:
            assert_never(expression)


def unions(value: Unions) -> None:
    match value.door:
        case Left(left=left):
            assert_type(left, int | None)
        case Right():
            pass
        case _:
            assert_never(value.door)
    assert_type(value.event, First | Second | Cid | None)
    assert_type(value.defaulted, Card | Iban | None)


def alike(value: Alike) -> None:
    match value.closed:
        case Street(since=since):
            assert_type(since, datetime | None)
        case Box(box=box):
            assert_type(box, int)
        case _:
            assert_never(value.closed)
    assert_type(value.open.id, int | None)


def patterns(value: Patterns) -> None:
    if value.open and value.extended and value.typed and value.paths and value.lines and value.listed and value.needed:
        assert_type(value.open["p-1"].zip, str)
        assert_type(value.extended.name, str | None)
        assert_type(value.typed.additional_properties["n-1"], int)
        assert_type(value.paths.additional_properties["/a"].zip, str)
        assert_type(value.lines["a"], int)
        assert_type(value.listed.left, int | None)
        assert_type(value.needed.a, int)


def presence(value: Presence) -> None:
    assert_type(value.either, Reference | Item | None)
    assert_type(value.conditional, Reference | At | None)
    assert_type(value.exclusive, Link | Other | None)
    match value.mixed:
        case Ann(n=n):
            assert_type(n, int | None)
        case Bob() | Mixed() | None:
            pass
        case _:
            assert_never(value.mixed)


def wrapped(value: Wrapped) -> None:
    Wrapped(titled=value.plain, typed=value.plain)


def named(value: Named) -> None:
    maybe: Level | None = value.maybe
    either: Level | int | Tags = value.either
    assert_type(value.tags, Tags | None)
    assert_type(value.rule, Expression | int | None)
    if isinstance(value.loose, Loose):
        assert_type(value.loose.zip, str | None)
    Named(maybe=maybe, either=either, empty=Empty(), loose=5)
    Named(maybe=maybe, either=FrozenMap({{"a": ("b",)}}), empty=Empty(), loose=Loose())
    Named(maybe=maybe, either=1.5, empty=Empty(), loose=5)  # error


def listed(value: Listed) -> None:
    level: Level = "low"
    assert_type(value.size, Literal[1, 2] | None)
    assert_type(value.mixed, Literal["x", 7, False])
    assert_type(value.point, tuple[int, str])
    assert_type(value.price, Decimal | None)
    assert_type(value.fee, Decimal | None)
    Listed(level=level, size=1, mixed=False, point=(1, "a"), price=Decimal("1.10"), fee=Decimal("1.10"), old="text")
    Listed(level="lower", size=1, mixed=False, point=(1, "a"))  # error
    Listed(level="low", size=3, mixed=False, point=(1, "a"))  # error
    Listed(level="low", size=1, mixed=False, point=(1, "a", 2))  # error


def defaults(value: Defaults) -> None:
    assert_type(value.count, int)
    assert_type(value.ratio, float)
    assert_type(value.names, tuple[str, ...])
    assert_type(value.maybe, str | None)
    assert_type(value.at, datetime)
    assert_type(value.many, tuple[int, ...])
    assert_type(value.tags, Tags)
    assert_type(value.fee, tuple[Decimal, ...])
    assert_type(value.soon, datetime | None)
    labels: Mapping[str, int] = value.labels
    assert_type(value.wrong, tuple[str, ...] | None)


def merged(value: Merged) -> None:
    assert_type(value.all.count, int)
    assert_type(value.all.names, tuple[str, ...])
    assert_type(value.all.place.zip, str)
    assert_type(value.all.maybe, int | None)
    assert_type(value.any.count, int)
    assert_type(value.any.other, int | None)
"""
