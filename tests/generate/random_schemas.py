"""Random schemas of the kinds that teams write, and instances near them; everything from one seeded Random."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

NAMES = [
    "id",
    "name",
    "class",
    "first name",
    "from",
    "émile",
    "model_dump",
    "additional_properties",
    "copy",
    "x-y",
    "_a",
    "1st",
]
TEXTS = ["", "a", "ab", "b-1", "é", "x" * 12, "2026-03-01", "10.0.0.1", "true", "null", "1"]
NUMBERS = [0, 1, -1, 2, 3, 7, 10, 1.0, 0.5, -2.5, 1e3, 2**53, 2**70, 1e300]
SCALARS = [*TEXTS, *NUMBERS, True, False, None]


class Maker:
    """Makes schemas, and instances for them; `definitions` collects what `$ref`s lead to."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.definitions: dict[str, Any] = {}

    def root(self) -> dict[str, Any]:
        """A message's schema: an object, sometimes with definitions that refer to themselves."""
        schema = self.object(3)
        if self.random.random() < 0.15:
            schema = {"oneOf": [self.tagged(tag) for tag in ("push", "sms")]}
        if self.definitions:
            schema["$defs"] = self.definitions
        return schema

    def schema(self, depth: int) -> Any:
        kinds = [self.text, self.number, self.enum, self.const, self.nullable, self.types]
        if depth > 0:
            kinds += [
                self.object,
                self.object,
                self.array,
                self.array,
                self.any_of,
                self.all_of,
                self.conditional,
                self.map,
            ]
            kinds += [self.reference, self.negation, self.choice, self.choice, self.closed_choice, self.switch]
            kinds += [
                self.recursive,
                self.fixed,
                self.wrapped,
                self.pattern_map,
                self.referred_choice,
                self.referred_choice,
            ]
        if self.random.random() < 0.03:
            return True
        made = self.random.choice(kinds)(depth - 1)
        if self.random.random() < 0.15:
            made["default"] = self.random.choice([*SCALARS, [], {}, [1], {"id": "a"}])
        return made

    def choice(self, depth: int) -> dict[str, Any]:
        """Alternatives with a tag: texts, numbers or booleans, as a constant or a list, sometimes not required."""
        tags = self.random.sample(["push", "sms", 1, 2, 0, True, False, 1.0, "1"], self.random.randint(2, 3))
        branches = []
        for tag in tags:
            branch = self.object(min(depth, 1))
            branch["properties"]["kind"] = self.random.choice([{"const": tag}, {"enum": [tag]}, {"enum": [tag, "x"]}])
            if self.random.random() < 0.8:
                branch["required"] = [*branch.get("required", []), "kind"]
            else:
                branch["properties"]["kind"]["default"] = tag
            branches.append(branch if self.random.random() < 0.7 else self.defined(branch))
        if self.random.random() < 0.2:
            branches = [{"oneOf": branches[:2]}, *branches[2:]]
        made: dict[str, Any] = {self.random.choice(["oneOf", "anyOf"]): branches}
        return made | self.random.choice([{}, {"x-note": 1}, {"type": "object"}, {"title": "Way"}, {"readOnly": True}])

    def referred_choice(self, depth: int) -> dict[str, Any]:
        """References told apart by a field: by its constant, or by being there. Others may refer to the same schemas."""
        field = self.random.choice(["kind", "class", "first name"])
        tags = self.random.sample(["push", "sms", "mail", 1, 2, True], 3)
        by_constant = self.random.random() < 0.7
        branches = []
        for number, tag in enumerate(tags):
            own = {field: {"const": tag}} if by_constant else {f"only {number}": self.schema(0)}
            branch = self.object(min(depth, 1))
            branch["properties"] |= own
            branch["required"] = [*(name for name in branch.get("required", []) if name not in own), *own]
            branches.append(self.defined(branch))
        union: dict[str, Any] = {self.random.choice(["oneOf", "anyOf"]): branches}
        match self.random.randrange(6):
            case 0:
                return self.defined(union)
            case 1:
                return {"type": "object", "properties": {"one": branches[0], "any": union}, "required": ["any"]}
            case 2:
                return {"type": "array", "items": union}
            case 3:
                return {"type": "object", "properties": {"at": self.schema(0)}, "required": ["at"]} | union
            case 4:
                return {"allOf": [union, {"type": "object", "properties": {"at": self.schema(0)}}]}
        return union | self.random.choice([{}, {"discriminator": {"propertyName": field}}])

    def closed_choice(self, depth: int) -> dict[str, Any]:
        branches = [self.object(min(depth, 1)) | {"additionalProperties": False} for _ in range(2)]
        for branch in branches:
            branch.pop("patternProperties", None)
        return {"anyOf": branches}

    def switch(self, depth: int) -> dict[str, Any]:
        made = self.object(min(depth, 1))
        made["properties"]["kind"] = {"enum": ["a", "b", 3]}
        made["required"] = [*made.get("required", []), *self.random.choice([["kind"], []])]
        rules = [
            {"if": {"properties": {"kind": {"const": tag}}} | self.random.choice([{}, {"required": ["kind"]}]),
             "then": {"properties": {"extra": self.schema(0)}, "required": self.random.choice([[], ["extra"]])}}
            for tag in self.random.sample(["a", "b", 3], 2)
        ]  # fmt: skip
        if self.random.random() < 0.5:
            return made | rules[0] | self.random.choice([{}, {"else": self.object(0)}])
        return made | {"allOf": rules}

    def recursive(self, depth: int) -> dict[str, Any]:
        """A definition that refers to itself: in a list, in a map, in a union, or through another definition."""
        name = f"R{len(self.definitions)}"
        self.definitions[name] = {}
        here = {"$ref": f"#/$defs/{name}"}
        again = self.random.choice([
            {"type": "array", "items": here}, {"type": "object", "additionalProperties": here},
            {"anyOf": [here, {"type": "null"}]}, {"anyOf": [{"type": "string"}, here]}, {"allOf": [here]},
        ])  # fmt: skip
        made = self.object(min(depth, 1))
        made["properties"]["again"] = again
        self.definitions[name] = made
        return self.random.choice([here, again])

    def fixed(self, depth: int) -> dict[str, Any]:
        items = [self.schema(min(depth, 1)) for _ in range(self.random.randint(1, 3))]
        close = self.random.choice([{"items": False}, {"maxItems": len(items)}, {}])
        return {"type": "array", "prefixItems": items, "minItems": self.random.choice([0, len(items)])} | close

    def wrapped(self, depth: int) -> dict[str, Any]:
        return {"allOf": [self.reference(depth)], "title": "Wrapped"}

    def pattern_map(self, depth: int) -> dict[str, Any]:
        rest = self.random.choice([{}, {"additionalProperties": False}, {"additionalProperties": self.schema(0)}])
        return {"type": "object", "patternProperties": {"^[a-z]": self.schema(depth)}} | rest

    def defined(self, schema: dict[str, Any]) -> dict[str, Any]:
        name = f"B{len(self.definitions)}"
        self.definitions[name] = schema
        return {"$ref": f"#/$defs/{name}"}

    def text(self, _: int) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "string"}
        extra = self.random.choice(
            [{}, {"minLength": 1}, {"maxLength": 3}, {"pattern": "^[a-z]"}, {"format": "date"}, {"format": "ipv4"}]
        )
        return schema | extra

    def number(self, _: int) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": self.random.choice(["integer", "number"])}
        bounds = [
            {},
            {"minimum": 0},
            {"maximum": 7},
            {"exclusiveMinimum": 0},
            {"multipleOf": 2},
            {"minimum": -1, "maximum": 1},
        ]
        return schema | self.random.choice(bounds)

    def enum(self, _: int) -> dict[str, Any]:
        return {"enum": self.unique(self.random.randint(1, 4))}

    def const(self, _: int) -> dict[str, Any]:
        return {"const": self.random.choice([*SCALARS, [1, "a"], {"a": 1}])}

    def nullable(self, depth: int) -> dict[str, Any]:
        return {"anyOf": [self.schema(depth), {"type": "null"}]}

    def types(self, _: int) -> dict[str, Any]:
        count = self.random.randint(1, 3)
        return {
            "type": self.random.sample(["string", "integer", "number", "boolean", "null", "array", "object"], count)
        }

    def object(self, depth: int) -> dict[str, Any]:
        names = self.random.sample(NAMES, self.random.randint(1, 4))
        schema: dict[str, Any] = {"type": "object", "properties": {name: self.schema(depth) for name in names}}
        if self.random.random() < 0.7:
            schema["required"] = self.random.sample(names, self.random.randint(0, len(names)))
        more = self.random.random()
        if more < 0.2:
            schema["additionalProperties"] = self.random.choice([False, True, {"type": "string"}])
        elif more < 0.3:
            schema["patternProperties"] = {"^x-": self.schema(0)}
        elif more < 0.4:
            schema["dependentRequired"] = {names[0]: [self.random.choice(NAMES)]}
        elif more < 0.45:
            schema["minProperties"] = 2
        elif more < 0.5:
            schema["unevaluatedProperties"] = False
        return schema

    def tagged(self, tag: str) -> dict[str, Any]:
        branch = self.object(1)
        branch["properties"]["kind"] = {"const": tag}
        branch["required"] = [*branch.get("required", []), "kind"]
        return branch

    def map(self, depth: int) -> dict[str, Any]:
        schema = {"type": "object", "additionalProperties": self.schema(depth)}
        return schema | self.random.choice([{}, {"propertyNames": {"maxLength": 4}}, {"maxProperties": 2}])

    def array(self, depth: int) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "array"}
        if self.random.random() < 0.8:
            schema["items"] = self.schema(depth)
        if self.random.random() < 0.2:
            schema["prefixItems"] = [self.schema(depth), self.schema(0)]
        extras = [{}, {"minItems": 1}, {"maxItems": 2}, {"uniqueItems": True}, {"contains": self.schema(0)}]
        return schema | self.random.choice(extras)

    def any_of(self, depth: int) -> dict[str, Any]:
        return {self.random.choice(["anyOf", "oneOf"]): [self.schema(depth) for _ in range(self.random.randint(1, 3))]}

    def all_of(self, depth: int) -> dict[str, Any]:
        return {"allOf": [self.object(depth), self.random.choice([self.object, self.negation])(depth)]}

    def conditional(self, depth: int) -> dict[str, Any]:
        schema = self.object(depth)
        name = self.random.choice(list(schema["properties"]))
        schema["if"] = {"properties": {name: self.schema(0)}, "required": [name]}
        schema["then"] = {"required": [self.random.choice(NAMES)]}
        schema["else"] = self.object(0)
        return schema

    def negation(self, _: int) -> dict[str, Any]:
        return {"not": self.schema(0)}

    def reference(self, depth: int) -> dict[str, Any]:
        name = f"D{len(self.definitions)}"
        self.definitions[name] = {}
        self.definitions[name] = self.object(depth)
        if self.random.random() < 0.3:
            self.definitions[name]["properties"]["child"] = {"$ref": f"#/$defs/{name}"}
        return {"$ref": f"#/$defs/{name}"}

    def unique(self, count: int) -> list[Any]:
        chosen: list[Any] = []
        for value in self.random.sample(SCALARS, len(SCALARS)):
            if len(chosen) < count and not any(value == other and type(value) is type(other) for other in chosen):
                chosen.append(value)
        return chosen

    def instance(self, schema: Any, depth: int = 6) -> Any:
        """A value that the schema is likely to accept, made of declared names only."""
        if not isinstance(schema, dict) or depth == 0:
            return self.random.choice(SCALARS)
        if "$ref" in schema:
            return self.instance(self.definitions[schema["$ref"].rpartition("/")[2]], depth - 1)
        if "const" in schema:
            return copy.deepcopy(schema["const"])
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                made = self.instance(self.random.choice(schema[keyword]), depth - 1)
                beside = self.filled(schema, depth) if "properties" in schema else {}
                return beside | made if isinstance(made, dict) else made
        if "if" in schema and "properties" in schema:
            made = self.filled(schema, depth)
            return made | (self.filled(schema["then"], depth) if self.random.random() < 0.5 else {})
        if "allOf" in schema:
            parts = [self.instance(part, depth - 1) for part in schema["allOf"]]
            objects = [part for part in parts if isinstance(part, dict)]
            return {name: value for part in objects for name, value in part.items()} if objects else parts[0]
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = self.random.choice(kind)
        if kind == "object":
            return self.filled(schema, depth)
        if kind == "array":
            items = [self.instance(item, depth - 1) for item in schema.get("prefixItems", [])]
            items += [self.instance(schema.get("items", True), depth - 1) for _ in range(self.random.randint(0, 3))]
            return items
        if kind == "string":
            return self.random.choice(TEXTS)
        if kind in ("integer", "number"):
            return self.random.choice(NUMBERS)
        return {"boolean": self.random.choice([True, False]), "null": None}.get(kind, self.random.choice(SCALARS))

    def filled(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        required = schema.get("required", [])
        made = {
            name: self.instance(child, depth - 1)
            for name, child in schema.get("properties", {}).items()
            if name in required or self.random.random() < 0.6
        }
        extra = schema.get("additionalProperties")
        patterns = schema.get("patternProperties", {})
        if patterns and self.random.random() < 0.7:
            made[self.random.choice(["k", "x-1"])] = self.instance(
                self.random.choice(list(patterns.values())), depth - 1
            )
        if isinstance(extra, dict):
            made[self.random.choice(["k", "x-1", "long name"])] = self.instance(extra, depth - 1)
        for name, needed in schema.get("dependentRequired", {}).items():
            if name in made:
                made |= {other: self.random.choice(SCALARS) for other in needed if other not in made}
        return made

    def mutated(self, value: Any) -> Any:
        """The value with one thing changed, somewhere."""
        value = copy.deepcopy(value)
        if isinstance(value, dict) and value and self.random.random() < 0.8:
            name = self.random.choice(list(value))
            action = self.random.random()
            if action < 0.25:
                del value[name]
            elif action < 0.4:
                value[self.random.choice([*NAMES, "x-new", "other"])] = self.random.choice(SCALARS)
            else:
                value[name] = self.mutated(value[name])
            return value
        if isinstance(value, list) and value and self.random.random() < 0.8:
            place = self.random.randrange(len(value))
            if self.random.random() < 0.3:
                value.append(copy.deepcopy(value[place]))
            else:
                value[place] = self.mutated(value[place])
            return value
        return self.random.choice([*SCALARS, [], {}, [None], {"id": 1}])
