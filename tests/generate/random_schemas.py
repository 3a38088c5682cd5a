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
            kinds += [self.reference, self.negation]
        if self.random.random() < 0.03:
            return True
        return self.random.choice(kinds)(depth - 1)

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
                return self.instance(self.random.choice(schema[keyword]), depth - 1)
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
