"""Contracts that are expensive to explain, and random messages near them."""

import json

from contract_test.files.catalog import load_catalog
from contract_test.generate.package import generate

KINDS = ("a", "b", "c")
TREE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "oneOf": [
                *(
                    {
                        "type": "object",
                        "required": ["kind"],
                        "properties": {
                            "child": {"$ref": "#/$defs/node"},
                            "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                            "kind": {"const": kind},
                        },
                    }
                    for kind in KINDS
                ),
                {"type": "integer"},
            ]
        }
    },
}
UNTAGGED = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "anyOf": [
                {"type": "object", "required": ["child"], "properties": {"child": {"$ref": "#/$defs/node"}, name: True}}
                for name in ("x", "y")
            ]
            + [{"type": "integer"}]
        }
    },
}
STACKED = {
    "$ref": "#/$defs/n0",
    "$defs": {f"n{level}": {"allOf": [{"$ref": f"#/$defs/n{level + 1}"}] * 2} for level in range(12)}
    | {"n12": {"type": "object", "properties": {"id": {"type": "string"}}}},
}
WIDE = {
    "oneOf": [
        {"type": "object", "properties": {"kind": {"const": f"k{number}"}, "n": {"type": "integer"}}, "required": ["n"]}
        for number in range(300)
    ]
}
CONDITIONAL = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "if": {"properties": {"kind": {"const": "a"}}},
            "then": {"properties": {"child": {"$ref": "#/$defs/node"}}, "required": ["kind"]},
            "else": {"anyOf": [{"properties": {"child": {"$ref": "#/$defs/node"}}}, {"required": ["n"]}]},
            "additionalProperties": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "string", "pattern": "^(a|aa)+$"}]},
        }
    },
}
SCHEMAS = {"tree": TREE, "untagged": UNTAGGED, "stacked": STACKED, "wide": WIDE, "conditional": CONDITIONAL}
CODECS = ("json", "cloudevents", "resque", "confluent", "celery", "sidekiq", "msgpack")
SEEDS = [
    b'{"kind": "a", "child": {"kind": "b", "child": 7}}',
    b'{"specversion": "1.0", "id": "1", "source": "/s", "type": "tree", "time": "2026-03-01T12:00:00Z", "data": {"kind": "a"}}',
    b'{"class": "tree", "args": [{"kind": "a", "child": 1}]}',
    b'{"class": "tree", "jid": "j", "args": [{"kind": "a"}, 1.50]}',
    b'{"class": "x::JobWrapper", "args": [{"job_class": "tree", "arguments": [1, {"kind": "a"}]}]}',
    (
        b'{"body": "W1sxLjUwXSwge30sIG51bGxd", "content-type": "application/json", "content-encoding": "utf-8", '
        b'"headers": {"task": "tree", "id": "1"}, "properties": {"body_encoding": "base64"}}'
    ),
    b"\x82\xa4kind\xa1a\xa5child\x81\xa1b\x93\x01\xcb?\xf8\0\0\0\0\0\0\xc0",
    b"\x81\x01\xc4\x01a",
    b'\x00\x00\x00\x00\x07{"n": 1.5e3, "at": "9999-12-31T23:59:59-23:59"}',
    b"1e9999999999999999999",
    b"[1234567890123456789012345678901234567890.5, -0.0, 5e-324, 1E400]",
    '{"text": "\u2028\U0001f600 \\ud800", "": null, "a~/b": [[], {}]}'.encode(),
]
PIECES = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b":",
    b"\\",
    b"\\u",
    b"e99999999999999999999",
    b"-",
    b"00",
    b"null",
    b"\xff",
    b"\xef\xbb\xbf",
    b"1" * 5000,
]


def write_hostile_contracts(folder):
    """Write the contracts, each on a channel of every codec, and a package of them. Return the folder of the contracts."""
    catalog = ""
    for codec in CODECS:
        catalog += f'[channels.{codec}]\nprotocol = "kafka"\naddress = "{codec}"\ncodec = "{codec}"\n'
    for name, schema in SCHEMAS.items():
        for codec in CODECS:
            subject = f"{name}.{codec}"
            (folder / "contracts" / subject).mkdir(parents=True)
            (folder / "contracts" / subject / "v1.json").write_text(json.dumps(schema))
            catalog += f'[subjects."{subject}"]\nchannel = "{codec}"\ntype = "{name}"\n'
    (folder / "contracts" / "catalog.toml").write_text(catalog)
    generate(load_catalog(folder / "contracts"), "hostile_messages", folder)
    return folder / "contracts"


def mutated(rng):
    """A seed with a few pieces cut out, put in, repeated or nested."""
    raw = bytearray(rng.choice(SEEDS))
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(raw) + 1)
        match rng.randrange(5):
            case 0:
                del raw[at : at + rng.randrange(9)]
            case 1:
                raw[at:at] = rng.choice(PIECES)
            case 2:
                raw[at:at] = raw[: rng.randrange(len(raw) + 1)]
            case 3:
                raw = bytearray(b'{"kind": "a", "child": ' * (depth := rng.randrange(300)) + raw + b"}" * depth)
            case 4 if raw:
                raw[at % len(raw)] = rng.randrange(256)
    return bytes(raw[:100_000])
