"""One contract for each kind that value objects know, with messages that it accepts and messages that it rejects."""

from typing import Any, NamedTuple

DRAFT_04 = "http://json-schema.org/draft-04/schema#"
DRAFT_07 = "http://json-schema.org/draft-07/schema#"
DRAFT_2019 = "https://json-schema.org/draft/2019-09/schema"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"


class Kind(NamedTuple):
    """A contract, with JSON texts."""

    schema: dict[str, Any]
    valid: tuple[str, ...]
    invalid: tuple[str, ...]


def _tagged(*tags: Any, **more: Any) -> dict[str, Any]:
    """A field `pay` with one alternative for each tag: `a0` belongs to the first, `a1` to the second."""
    alternatives = [
        {
            "title": f"Pay{number}",
            "type": "object",
            "required": ["kind", f"a{number}"],
            "properties": {"kind": {"const": tag}, f"a{number}": {"type": "integer", "minimum": 0}},
        }
        for number, tag in enumerate(tags)
    ]
    return {"type": "object", "required": ["pay"], "properties": {"pay": {"oneOf": alternatives, **more}}}


KINDS = {
    "nested": Kind(
        {
            "type": "object",
            "required": ["id", "from"],
            "properties": {
                "id": {"type": "string", "pattern": "^n-[0-9]+$"},
                "from": {"$ref": "#/$defs/Address"},
                "via": {"type": "array", "items": {"$ref": "#/$defs/Address"}},
            },
            "$defs": {
                "Address": {
                    "type": "object",
                    "required": ["zip"],
                    "properties": {"zip": {"type": "string", "pattern": "^[0-9]{5}$"}, "line": {"type": ["string", "null"]}},
                }
            },
        },
        (
            '{"id":"n-1","from":{"zip":"12345"}}',
            '{"id":"n-1","from":{"zip":"12345","line":null},"via":[{"zip":"00000","line":"b"},{"zip":"00001"}]}',
        ),
        ('{"id":"n-1","from":{"zip":"1"}}', '{"id":"n","from":{"zip":"12345"}}', '{"id":"n-1"}', "[]", "null",
         '{"id":"n-1","from":{"zip":"12345"},"via":[{"zip":"00000"},{"zip":"x"}]}', '{"id":"n-1","from":null}'),
    ),
    "recursive": Kind(
        {
            "type": "object",
            "required": ["n"],
            "properties": {
                "n": {"type": "integer"},
                "kids": {"type": "array", "items": {"$ref": "#"}},
                "named": {"type": "object", "additionalProperties": {"$ref": "#"}},
                "twin": {"$ref": "#"},
            },
        },
        ('{"n":1}', '{"n":1,"kids":[{"n":2,"twin":{"n":3}}],"named":{"a":{"n":4,"kids":[]}}}'),
        ('{"n":1,"kids":[{"n":2,"twin":{"n":"3"}}]}', '{"n":1,"named":{"a":{}}}', '{"kids":[]}'),
    ),
    "maps": Kind(
        {
            "type": "object",
            "properties": {
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "counts": {"type": "object", "patternProperties": {"^c_": {"type": "integer", "minimum": 0}},
                           "additionalProperties": False},
                "stops": {"type": "object", "additionalProperties": {"$ref": "#/$defs/Stop"}},
                "deep": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": {"type": "number"}}},
                "free": {},
            },
            "patternProperties": {"^x_": {"type": "string"}},
            "$defs": {"Stop": {"type": "object", "required": ["in"], "properties": {"in": {"type": "string"}}}},
        },
        ("{}", '{"labels":{"a":"b","":"c"},"counts":{"c_1":1},"stops":{"s":{"in":"x"}},"deep":{"a":{"b":1.5}},"x_1":"y"}',
         '{"free":{"labels":{"class_":[{"a":null}]}},"x_free":"1"}', '{"labels":{},"deep":{"json_names":{}}}'),
        ('{"labels":{"a":1}}', '{"counts":{"d":1}}', '{"counts":{"c_1":-1}}', '{"stops":{"s":{}}}', '{"x_1":1}',
         '{"deep":{"a":{"b":"1"}}}'),
    ),
    "string_tags": Kind(
        _tagged("card", "iban"),
        ('{"pay":{"kind":"card","a0":1}}', '{"pay":{"kind":"iban","a1":2}}'),
        ('{"pay":{"kind":"card","a1":2}}', '{"pay":{"kind":"cash","a0":1}}', '{"pay":{"a0":1}}', '{"pay":{"kind":"iban","a1":-1}}'),
    ),
    "integer_tags": Kind(
        _tagged(1, 2),
        ('{"pay":{"kind":1,"a0":1}}', '{"pay":{"kind":2,"a1":2}}', '{"pay":{"kind":2.0,"a1":2}}'),
        ('{"pay":{"kind":1,"a1":2}}', '{"pay":{"kind":3,"a0":1}}', '{"pay":{"kind":true,"a0":1}}', '{"pay":{"kind":"1","a0":1}}'),
    ),
    "boolean_tags": Kind(
        _tagged(True, False, discriminator={"propertyName": "kind"}),
        ('{"pay":{"kind":true,"a0":1}}', '{"pay":{"kind":false,"a1":2}}'),
        ('{"pay":{"kind":true,"a1":2}}', '{"pay":{"kind":1,"a0":1}}', '{"pay":{"kind":0,"a1":1}}', '{"pay":{"kind":"true","a0":1}}'),
    ),
    "mixed_tags": Kind(
        _tagged(1, True, "one", 0),
        ('{"pay":{"kind":1,"a0":1}}', '{"pay":{"kind":true,"a1":2}}', '{"pay":{"kind":"one","a2":2}}', '{"pay":{"kind":0,"a3":2}}',
         '{"pay":{"kind":1.0,"a0":1}}'),
        ('{"pay":{"kind":true,"a0":2}}', '{"pay":{"kind":false,"a3":1}}', '{"pay":{"kind":"1","a0":1}}'),
    ),
    "null_tag": Kind(
        _tagged(1, None, "1"),
        ('{"pay":{"kind":1,"a0":1}}', '{"pay":{"kind":null,"a1":2}}', '{"pay":{"kind":"1","a2":2}}'),
        ('{"pay":{"kind":true,"a0":2}}', '{"pay":{"kind":null,"a0":1}}', '{"pay":{"a1":1}}'),
    ),
    "alias_tags": Kind(
        {
            "type": "object",
            "required": ["all"],
            "properties": {"all": {"type": "array", "items": {"$ref": "#/$defs/Shape"}}},
            "$defs": {
                "Shape": {"anyOf": [{"$ref": "#/$defs/Round"}, {"anyOf": [{"$ref": "#/$defs/Square"}, {"$ref": "#/$defs/Group"}]}]},
                "Round": {"type": "object", "required": ["class", "in"],
                          "properties": {"class": {"const": "round"}, "in": {"type": "integer"}}},
                "Square": {"type": "object", "required": ["class"],
                           "properties": {"class": {"enum": ["square", "rectangle"]}, "from": {"type": "string"}}},
                "Group": {"type": "object", "required": ["class", "in"],
                          "properties": {"class": {"const": "group"}, "in": {"type": "array", "items": {"$ref": "#/$defs/Shape"}}}},
            },
        },
        ('{"all":[]}', '{"all":[{"class":"round","in":1},{"class":"rectangle","from":"x"},{"class":"group","in":[{"class":"square"}]}]}'),
        ('{"all":[{"class":"round"}]}', '{"all":[{"class_":"square"}]}', '{"all":[{"class":"group","in":[{"class":"oval"}]}]}'),
    ),
    "untagged": Kind(
        {
            "type": "object",
            "properties": {
                "to": {
                    "oneOf": [
                        {"title": "ByMail", "type": "object", "required": ["mail"], "additionalProperties": False,
                         "properties": {"mail": {"type": "string"}, "name": {"type": "string"}}},
                        {"title": "ByPhone", "type": "object", "required": ["phone"], "additionalProperties": False,
                         "properties": {"phone": {"type": "string"}, "name": {"type": "string"}}},
                        {"type": "array", "items": {"type": "string"}},
                        {"type": "null"},
                    ]
                },
                "or": {"anyOf": [{"type": "integer"}, {"type": "string", "minLength": 2}]},
            },
        },
        ("{}", '{"to":{"mail":"m"}}', '{"to":{"phone":"p","name":"n"}}', '{"to":["a","b"]}', '{"to":null}', '{"or":1}', '{"or":"ab"}'),
        ('{"to":{"mail":"m","phone":"p"}}', '{"to":{}}', '{"to":[1]}', '{"or":"a"}', '{"or":true}'),
    ),
    "tuples": Kind(
        {
            "type": "object",
            "required": ["at"],
            "properties": {
                "at": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}], "items": False, "minItems": 2},
                "rest": {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
                "rings": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}, "uniqueItems": True},
            },
        },
        ('{"at":[1,2.5]}', '{"at":[0,-0.5],"rest":["a",1,2],"rings":[[1],[],[2,3]]}', '{"at":[0,0],"rest":[]}'),
        ('{"at":[1]}', '{"at":[1,2,3]}', '{"at":[1,2],"rest":["a","b"]}', '{"at":[1,2],"rings":[[1],[1]]}', '{"at":[1,"2"]}'),
    ),
    "decimals": Kind(
        {
            "type": "object",
            "required": ["price"],
            "properties": {
                "price": {"type": "number", "x-python-type": "decimal", "minimum": 0},
                "lines": {"type": "array", "items": {"type": "number", "x-python-type": "decimal"}},
                "tax": {"type": ["number", "null"], "x-python-type": "decimal", "multipleOf": 0.01},
            },
        },
        ('{"price":1.10}', '{"price":0,"lines":[1e2,0.30,100],"tax":null}', '{"price":12.5,"tax":0.25}'),
        ('{"price":-0.01}', '{"price":"1.10"}', '{"price":1,"tax":0.001}', '{"price":1,"lines":["1"]}'),
    ),
    "decimal_texts": Kind(
        {
            "type": "object",
            "required": ["price"],
            "properties": {
                "price": {"type": "string", "x-python-type": "decimal", "pattern": "^-?[0-9]+[.][0-9]{2}$"},
                "lines": {"type": "array", "items": {"type": "string", "x-python-type": "decimal", "format": "decimal"}},
                "tax": {"type": ["string", "null"], "x-python-type": "decimal"},
                "either": {"type": ["string", "number"], "x-python-type": "decimal"},
                "rates": {"type": "object", "additionalProperties": {"type": "string", "x-python-type": "decimal"}},
            },
        },
        ('{"price":"1.10"}', '{"price":"-0.00","lines":["1.10","+1","1e2","00.5","1E+9999999999999999999"],"tax":null,"either":1.10}',
         '{"price":"1.10","tax":"none","lines":["","NaN"," 1"],"either":"1.10","rates":{"a":".50"}}'),
        ('{"price":1.10}', '{"price":"1.1"}', '{"price":"1.10","lines":[1]}', '{"price":"1.10","tax":1}'),
    ),
    "times": Kind(
        {
            "type": "object",
            "required": ["at"],
            "properties": {
                "at": {"type": "string", "format": "date-time"},
                "day": {"type": "string", "format": "date"},
                "all": {"type": "array", "items": {"type": "string", "format": "date-time"}},
                "by": {"type": "object", "additionalProperties": {"type": "string", "format": "date"}},
                "clock": {"type": "string", "format": "time"},
                "id": {"type": "string", "format": "uuid"},
            },
        },
        (
            '{"at":"2026-03-01T12:00:00Z"}',
            '{"at":"2026-03-01T12:00:00.50+01:00","day":"2026-02-28","all":["1990-12-31T23:59:60Z","0000-01-01T00:00:00Z"]}',
            '{"at":"2026-03-01t12:00:00.123456789z","day":"0000-01-01","by":{"a":"9999-12-31"},"clock":"12:00:00Z"}',
            '{"at":"9999-12-31T23:59:59-23:59","id":"6f9619ff-8b86-d011-b42d-00cf4fc964ff"}',
        ),
        ('{"at":"yesterday"}', '{"at":1772366400}', '{"at":"2026-03-01T12:00:00"}', '{"at":"2026-03-01T12:00:00Z","day":"2026-02-30"}',
         '{"at":"2026-03-01T12:00:00Z","by":{"a":"2026"}}', '{"at":"2026-03-01T12:00:00Z","id":"6f9619ff8b86d011b42d00cf4fc964ff"}'),
    ),
    "defaults": Kind(
        {
            "type": "object",
            "properties": {
                "n": {"type": "number", "default": 1.5},
                "list": {"type": "array", "items": {"type": "string"}, "default": ["a"]},
                "o": {"type": "object", "properties": {"k": {"type": "string", "default": "v"}}, "default": {}},
                "m": {"type": "object", "additionalProperties": {"type": "integer"}, "default": {"a": 1}},
                "d": {"type": "string", "format": "date-time", "default": "2026-01-01T00:00:00Z"},
                "e": {"enum": [1, 2, None], "default": 2},
                "ns": {"type": ["string", "null"], "default": "x"},
                "b": {"type": "boolean", "default": False},
                "any": {"default": {"$ref": "#"}},
            },
        },
        ("{}", '{"n":1.5,"list":["a"],"o":{},"m":{"a":1},"d":"2026-01-01T00:00:00Z","e":2,"ns":"x","b":false,"any":5}',
         '{"ns":null,"e":null}', '{"o":{"k":"v"},"any":null}'),
        ('{"n":"1"}', '{"list":[1]}', '{"e":3}', '{"b":0}', '{"d":"x"}'),
    ),
    "aliases": Kind(
        {
            "type": "object",
            "required": ["class", "from"],
            "additionalProperties": False,
            "properties": {
                "class": {"enum": ["first", "second"]},
                "from": {"type": "object", "required": ["in"], "properties": {"in": {"type": "string"}, "is-it": {"type": "boolean"}}},
                "kebab-case": {"type": "integer"},
                "copy": {"type": "string"},
                "json": {"type": "string"},
                "model_dump": {"type": "string"},
                "_private": {"type": "string"},
                "@type": {"type": "string"},
                "class_": {"type": "string"},
                "schema": {"type": "string"},
                "a/b~c": {"type": "integer"},
                "ä ö": {"type": "string"},
                "": {"type": "string"},
                "$ref": {"type": "string"},
                "root": {"type": "string"},
                "self": {"type": "string"},
            },
        },
        ('{"class":"first","from":{"in":"x"}}',
         '{"class":"second","from":{"in":"x","is-it":true},"kebab-case":1,"copy":"c","json":"j","model_dump":"m","_private":"p"}',
         '{"class":"first","from":{"in":"x"},"@type":"t","class_":"u","schema":"s","a/b~c":5,"ä ö":"o","":"e","$ref":"#/x"}',
         '{"class":"first","from":{"in":"x"},"root":"r","self":"s"}'),
        ('{"class_":"first","from":{"in":"x"}}', '{"class":"first","from_":{"in":"x"}}', '{"class":"third","from":{"in":"x"}}',
         '{"class":"first","from":{"in":1}}', '{"class":"first","from":{"in":"x"},"a/b~c":"5"}'),
    ),
    "draft_04": Kind(
        {
            "$schema": DRAFT_04,
            "id": "http://example.test/four",
            "type": "object",
            "required": ["size"],
            "additionalProperties": False,
            "properties": {
                "size": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
                "top": {"type": "integer", "maximum": 9, "exclusiveMaximum": False},
                "pair": {"type": "array", "items": [{"type": "string"}, {"type": "integer"}], "additionalItems": False},
                "stop": {"$ref": "#/definitions/Address", "maxProperties": 0},
                "any": {"type": "array", "items": {}},
            },
            "dependencies": {"top": ["pair"], "pair": {"required": ["stop"]}},
            "definitions": {
                "Address": {"type": "object", "properties": {"next": {"$ref": "#/definitions/Address"}, "n": {"type": "string"}}}
            },
        },
        ('{"size":1}', '{"size":0.5,"stop":{"n":"a","next":{"next":{}}},"any":[1,null]}',
         '{"size":1,"top":9,"pair":["a",1],"stop":{}}'),
        ('{"size":0}', '{"size":1,"top":9}', '{"size":1,"pair":["a"]}', '{"size":1,"pair":["a",1,2],"stop":{}}',
         '{"size":1,"stop":{"next":{"n":1}}}', '{"size":1,"more":1}', '{"size":1,"top":10,"pair":[],"stop":{}}'),
    ),
    "draft_06": Kind(
        {
            "$schema": "http://json-schema.org/draft-06/schema#",
            "type": "object",
            "properties": {
                "a": {"const": 1},
                "list": {"type": "array", "contains": {"type": "string"}},
                "n": {"exclusiveMinimum": 3, "type": "number"},
                "no": False,
                "names": {"type": "object", "propertyNames": {"maxLength": 2}},
                "if": {"if": {"type": "string"}, "then": False},
            },
        },
        ("{}", '{"a":1.0,"list":[1,"a"],"n":3.5,"names":{"ab":1}}', '{"if":"text"}'),
        ('{"a":2}', '{"list":[1]}', '{"n":3}', '{"no":1}', '{"names":{"abc":1}}'),
    ),
    "draft_07": Kind(
        {
            "$schema": DRAFT_07,
            "$id": "http://example.test/seven.json",
            "type": "object",
            "properties": {
                "kind": {"enum": ["a", "b"]},
                "a": {"type": "integer"},
                "pair": {"type": "array", "items": [{"type": "string"}], "additionalItems": {"type": "integer"}},
                "blob": {"type": "string", "contentEncoding": "base64", "contentMediaType": "application/json"},
                "home": {"$ref": "#/definitions/Address"},
                "local": {"$ref": "#there"},
                "new": {"type": "array", "unevaluatedItems": False, "minContains": 5},
            },
            "if": {"properties": {"kind": {"const": "a"}}, "required": ["kind"]},
            "then": {"required": ["a"]},
            "else": {"not": {"required": ["a"]}},
            "dependencies": {"pair": ["kind"]},
            "definitions": {
                "Address": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}},
                "There": {"$id": "#there", "type": "integer"},
            },
        },
        ("{}", '{"kind":"a","a":1,"pair":["x",1,2]}', '{"kind":"b","blob":"!","home":{"city":"c"},"local":3}', '{"new":[1,2]}'),
        ('{"kind":"a"}', '{"kind":"b","a":1}', '{"pair":["x"]}', '{"kind":"b","pair":["x","y"]}', '{"home":{}}', '{"local":"3"}'),
    ),
    "draft_2019": Kind(
        {
            "$schema": DRAFT_2019,
            "type": "object",
            "properties": {
                "pair": {"type": "array", "items": [{"type": "string"}], "additionalItems": False},
                "two": {"type": "array", "contains": {"type": "integer"}, "minContains": 2, "maxContains": 3},
                "home": {"$ref": "#/$defs/Address", "required": ["zip"]},
                "there": {"$ref": "#there"},
            },
            "dependentRequired": {"pair": ["two"]},
            "dependentSchemas": {"home": {"required": ["two"]}},
            "unevaluatedProperties": False,
            "$defs": {
                "Address": {"type": "object", "properties": {"zip": {"type": "string"}}},
                "There": {"$anchor": "there", "type": "boolean"},
            },
        },
        ("{}", '{"pair":["a"],"two":[1,2,"c"]}', '{"home":{"zip":"1"},"two":[1,2],"there":true}'),
        ('{"pair":["a"]}', '{"two":[1]}', '{"home":{},"two":[1,2]}', '{"more":1}', '{"pair":["a",1],"two":[1,2]}', '{"there":1}'),
    ),
    "dynamic": Kind(
        {
            "$schema": DRAFT_2020,
            "$id": "https://example.test/strict-tree",
            "$dynamicAnchor": "node",
            "$ref": "tree",
            "unevaluatedProperties": False,
            "$defs": {
                "tree": {
                    "$id": "tree",
                    "$dynamicAnchor": "node",
                    "type": "object",
                    "required": ["data"],
                    "properties": {
                        "data": {"type": "integer"},
                        "children": {"type": "array", "items": {"$dynamicRef": "#node"}},
                        "loose": {"$ref": "#/$defs/loose"},
                    },
                    "$defs": {"loose": {"type": "object", "properties": {"back": {"$dynamicRef": "#node"}, "n": {"type": "string"}}}},
                }
            },
        },
        ('{"data":1}', '{"data":1,"children":[{"data":2,"children":[]}],"loose":{"back":{"data":3},"n":"x","more":1}}'),
        ('{"data":1,"children":[{"data":2,"daat":1}]}', '{"data":1,"x":1}', '{"data":1,"loose":{"back":{"data":3,"x":1}}}',
         '{"data":1,"children":[{}]}', '{"data":1,"loose":{"n":1}}'),
    ),
    "dynamic_list": Kind(
        {
            "$schema": DRAFT_2020,
            "$id": "https://example.test/strings",
            "$ref": "list",
            "$defs": {
                "foo": {"$dynamicAnchor": "items", "type": "string"},
                "list": {
                    "$id": "list",
                    "type": "array",
                    "items": {"$dynamicRef": "#items"},
                    "$defs": {"items": {"$dynamicAnchor": "items"}},
                },
            },
        },
        ("[]", '["foo","bar"]'),
        ('["foo",42]', "{}", "[[]]"),
    ),
    "dynamic_alone": Kind(
        {
            "type": "object",
            "$dynamicAnchor": "node",
            "properties": {"kids": {"type": "array", "items": {"$dynamicRef": "#node"}}, "n": {"type": "integer"}},
        },
        ("{}", '{"kids":[{"n":1},{"kids":[{}]}]}'),
        ('{"kids":[{"n":"1"}]}', '{"kids":[{"kids":[1]}]}'),
    ),
    "recursive_ref": Kind(
        {
            "$schema": DRAFT_2019,
            "$id": "https://example.test/strict-tree-2019",
            "$recursiveAnchor": True,
            "$ref": "tree-2019",
            "unevaluatedProperties": False,
            "$defs": {
                "tree": {
                    "$id": "tree-2019",
                    "$recursiveAnchor": True,
                    "type": "object",
                    "properties": {"data": {"type": "integer"}, "children": {"type": "array", "items": {"$recursiveRef": "#"}}},
                }
            },
        },
        ("{}", '{"data":1,"children":[{"data":2}]}'),
        ('{"data":1,"children":[{"data":2,"x":1}]}', '{"x":1}', '{"children":[{"data":"2"}]}'),
    ),
    "embedded_id": Kind(
        {
            "$schema": DRAFT_2020,
            "$id": "https://example.test/outer",
            "type": "object",
            "properties": {"in": {"$ref": "inner"}, "deep": {"$ref": "inner#/$defs/Address"}, "there": {"$ref": "inner#spot"}},
            "$defs": {
                "Address": {"type": "string"},
                "inner": {
                    "$id": "inner",
                    "type": "object",
                    "properties": {"home": {"$ref": "#/$defs/Address"}},
                    "$defs": {
                        "Address": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}},
                        "spot": {"$anchor": "spot", "type": "integer"},
                    },
                },
            },
        },
        ("{}", '{"in":{"home":{"city":"a"}},"deep":{"city":"b"},"there":1}'),
        ('{"in":{"home":"a"}}', '{"deep":{}}', '{"there":"1"}'),
    ),
    "long_numbers": Kind(
        {
            "type": "object",
            "properties": {
                "n": {"type": "number"},
                "i": {"type": "integer"},
                "free": {},
                "all": {"type": "array", "items": {"type": "number"}},
            },
        },
        ('{"n":1.0,"i":1.0,"free":[1.0]}', '{"i":123456789012345678901234567890,"n":-0.0}',
         '{"n":0.1000000000000000000001,"all":[1e400,5e-400]}', '{"free":{"a":[1e309]},"i":1e25}'),
        ('{"n":"1"}', '{"i":1.5}', '{"i":0.1000000000000000000001}', '{"i":"123456789012345678901234567890"}'),
    ),
    "enums": Kind(
        {
            "type": "object",
            "required": ["state"],
            "properties": {
                "state": {"$ref": "#/$defs/State"},
                "level": {"enum": [0, 10, 2.5]},
                "flag": {"enum": [True, "yes", None, 1]},
                "fixed": {"const": {"a": [1]}},
                "odd": {"enum": [[1, 2], {"a": 1}, "x"]},
            },
            "$defs": {"State": {"enum": ["new", "paid"]}},
        },
        ('{"state":"new"}', '{"state":"paid","level":10.0,"flag":null,"fixed":{"a":[1.0]},"odd":[1,2]}',
         '{"state":"new","level":2.5,"flag":true,"odd":{"a":1}}', '{"state":"new","flag":1,"odd":"x"}'),
        ('{"state":"old"}', '{"state":"new","level":1}', '{"state":"new","flag":0}', '{"state":"new","flag":false}',
         '{"state":"new","fixed":{"a":[2]}}', '{"state":"new","fixed":{"a":[true]}}', '{"state":"new","odd":[1]}'),
    ),
    "nullable": Kind(
        {
            "type": "object",
            "properties": {
                "a": {"type": ["string", "null"]},
                "b": {"anyOf": [{"$ref": "#/$defs/B"}, {"type": "null"}]},
                "c": {"type": "array", "items": {"type": ["integer", "null"]}},
                "d": {"type": "null"},
            },
            "$defs": {"B": {"type": "object", "properties": {"x": {"type": ["integer", "null"], "minimum": 0}}}},
        },
        ("{}", '{"a":null,"b":null,"c":[null,1],"d":null}', '{"b":{"x":null}}', '{"b":{}}', '{"a":"","b":{"x":0}}'),
        ('{"a":1}', '{"b":{"x":-1}}', '{"c":["1"]}', '{"d":0}'),
    ),
    "rules": Kind(
        {
            "type": "object",
            "minProperties": 1,
            "properties": {
                "a": {"type": "integer", "not": {"const": 3}},
                "b": {"type": "string", "maxLength": 2},
                "c": {"type": "array", "items": {"type": "integer"}, "contains": {"minimum": 5}},
            },
            "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
            "propertyNames": {"pattern": "^[a-z]$"},
            "unevaluatedProperties": {"type": "boolean"},
        },
        ('{"a":1}', '{"b":"ab","c":[1,6],"z":true}'),
        ("{}", '{"a":3}', '{"b":"abc"}', '{"a":1,"c":[1]}', '{"a":1,"zz":true}', '{"a":1,"z":1}', '{"c":[5]}'),
    ),
    "root_array": Kind(
        {
            "type": "array",
            "items": {"$ref": "#/$defs/Address"},
            "maxItems": 2,
            "$defs": {"Address": {"type": "object", "required": ["in"], "properties": {"in": {"type": "string"}}}},
        },
        ("[]", '[{"in":"a"},{"in":"b"}]'),
        ("[{}]", "{}", '[{"in":"a"},{"in":"b"},{"in":"c"}]', '[{"in_":"a"}]', '{"root":[]}'),
    ),
    "root_union": Kind(
        {
            "oneOf": [
                {"title": "Up", "type": "object", "required": ["t", "by"], "properties": {"t": {"const": "up"}, "by": {"type": "integer"}}},
                {"title": "Down", "type": "object", "required": ["t"], "properties": {"t": {"const": "down"}, "root": {"type": "string"}}},
            ]
        },
        ('{"t":"up","by":1}', '{"t":"down"}', '{"t":"down","root":"r"}'),
        ('{"t":"up"}', '{"t":"left"}', "[]", '{"root":{"t":"down"}}', '{"t":"down","root":1}'),
    ),
    "root_map": Kind(
        {"type": "object", "additionalProperties": {"type": "integer", "maximum": 9}, "minProperties": 1},
        ('{"a":1}', '{"root":2,"b":3}'),
        ("{}", '{"a":10}', '{"a":"1"}', '{"root":{"a":1}}'),
    ),
    "root_scalar": Kind(
        {"type": ["string", "integer", "null"], "maxLength": 3},
        ('"abc"', "5", "null", "5.0"),
        ('"abcd"', "1.5", "[]", "true", '{"root":1}'),
    ),
    "root_time": Kind(
        {"type": "string", "format": "date-time"},
        ('"2026-03-01T12:00:00Z"', '"2026-03-01T12:00:00.50+01:00"'),
        ('"2026"', "1", "null"),
    ),
    "root_any": Kind(
        {"description": "anything but a number", "not": {"type": "number"}},
        ("null", '{"a":[{"b":1}]}', "[]", '"x"', '{"root":1}'),
        ("1", "1.5"),
    ),
}  # fmt: skip
