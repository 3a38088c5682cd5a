"""What ordinary schemas hold is decided: formats in every draft, lengths of formats, tuples, content keywords."""

import pytest

from contract_test import compare
from envelopes.validation import ASSERTED_FORMATS, compile_schema

DRAFTS = {
    "04": "http://json-schema.org/draft-04/schema#",
    "06": "http://json-schema.org/draft-06/schema#",
    "07": "http://json-schema.org/draft-07/schema#",
    "2019-09": "https://json-schema.org/draft/2019-09/schema",
    "2020-12": "https://json-schema.org/draft/2020-12/schema",
}


def closed(writer, reader, **options):
    return compare(writer, reader, formats="assertion", content_model="closed-writer", **options)


def text(**keywords):
    return {"type": "string", **keywords}


@pytest.mark.parametrize("draft", DRAFTS.values(), ids=DRAFTS)
@pytest.mark.parametrize("name", sorted(ASSERTED_FORMATS))
def test_a_format_means_the_same_in_every_draft(name, draft):
    with_format = {"$schema": draft, "properties": {"id": text(format=name)}}
    without = {"$schema": draft, "properties": {"id": text()}}

    assert closed(with_format, {**with_format, "required": ["id"]}).status == "incompatible"
    assert [each.rule for each in closed(without, with_format).incompatibilities] == ["format-added"]
    assert not compile_schema({"u": with_format}, "u#").is_valid({"id": "no such thing!"})


@pytest.mark.parametrize(
    "written", [lambda uri: uri.rstrip("#"), lambda uri: uri.replace("://", "s://", 1).replace("ss:", "s:")]
)
@pytest.mark.parametrize("draft", DRAFTS.values(), ids=DRAFTS)
def test_a_draft_is_known_with_http_and_https_and_without_the_hash_sign(draft, written):
    schema = {"$schema": written(draft), "properties": {"n": {"type": "integer"}}}

    assert closed(schema, {**schema, "required": ["n"]}).status == "incompatible"
    assert closed({**schema, "required": ["n"]}, schema).status == "compatible"


@pytest.mark.parametrize("draft", DRAFTS.values(), ids=DRAFTS)
@pytest.mark.parametrize("keyword", [{"contentEncoding": "base64"}, {"contentMediaType": "application/json"}])
def test_content_keywords_are_annotations(keyword, draft):
    schema = {"$schema": draft, **text(**keyword)}

    assert closed({"$schema": draft, **text()}, schema).status == "compatible"
    assert compile_schema({"u": schema}, "u#").is_valid("{ not it")


@pytest.mark.parametrize(
    ("writer", "reader", "status"),
    [
        (text(format="email"), text(format="email", maxLength=100), "incompatible"),
        (text(format="email"), text(format="email", maxLength=317), "incompatible"),
        (text(format="email"), text(format="email", maxLength=318), "compatible"),
        (text(format="email"), text(format="email", minLength=3), "compatible"),
        (text(format="email"), text(format="email", minLength=70), "incompatible"),
        (text(format="email"), text(format="email", pattern="@example\\.com$"), "incompatible"),
        (
            text(format="email", pattern="@example\\.(com|org)$"),
            text(format="email", pattern="@example\\.com$"),
            "incompatible",
        ),
        (text(format="hostname"), text(format="hostname", maxLength=63), "incompatible"),
        (text(format="hostname"), text(maxLength=253), "compatible"),
        (text(format="hostname", pattern="\\.internal$"), text(format="hostname", maxLength=30), "incompatible"),
        (text(format="uri"), text(format="uri", maxLength=500), "incompatible"),
        (text(format="uri", pattern="^https?://"), text(format="uri", pattern="^https://"), "incompatible"),
        (text(format="uri", pattern="^https://"), text(format="uri", pattern="^https?://"), "compatible"),
        (text(format="ipv6"), text(maxLength=45), "compatible"),
    ],
)
def test_formats_with_lengths_and_patterns_are_decided(writer, reader, status):
    assert closed(writer, reader, budget=10).status == status


@pytest.mark.parametrize("draft", ["04", "06", "07", "2020-12"])
def test_integers_are_decided_in_every_draft(draft):
    writer = {"$schema": DRAFTS[draft], "properties": {"n": {"type": "integer"}}}
    reader = {"$schema": DRAFTS[draft], "properties": {"n": {"type": "integer", "minimum": 1}}}

    assert closed(writer, reader).status == "incompatible"
    assert closed(reader, writer).status == "compatible"


@pytest.mark.parametrize(
    ("writer", "reader", "status"),
    [
        ({"patternProperties": {"^.*$": text()}}, {"patternProperties": {"^.*$": text(minLength=1)}}, "incompatible"),
        ({"patternProperties": {"^.*$": text(minLength=1)}}, {"patternProperties": {"^.*$": text()}}, "compatible"),
        ({"patternProperties": {"^.*$": text()}}, {"additionalProperties": text()}, "compatible"),
        ({"additionalProperties": text()}, {"patternProperties": {"^.*$": text()}}, "compatible"),
        ({"patternProperties": {"^.*$": text()}, "additionalProperties": False}, {"additionalProperties": text()},
         "compatible"),
    ],
)  # fmt: skip
def test_a_pattern_for_every_name_is_decided(writer, reader, status):
    assert closed({"type": "object", **writer}, {"type": "object", **reader}).status == status


@pytest.mark.parametrize("least", [{"minItems": 3}, {}], ids=["minItems", "any length"])
@pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
def test_tuples_that_a_constant_tells_apart_are_decided(keyword, least):
    def tuples(leaf):
        alternatives = [
            {
                "type": "array",
                "prefixItems": [
                    {"type": "integer"},
                    {"const": f"kind{number}"},
                    {"type": "object", "properties": {"a": leaf if number == 3 else text()}, "required": ["a"]},
                ],
                "items": False,
                **least,
            }
            for number in range(14)
        ]
        return {"type": "array", "items": {keyword: alternatives}}

    broken = closed(tuples({"type": "integer"}), tuples(text()), budget=20)
    assert [each.reader_pointer for each in broken.incompatibilities] == [
        f"/items/{keyword}/3/prefixItems/2/properties/a/type"
    ]
    assert closed(tuples({"type": "integer"}), tuples({"type": "number"}), budget=20).status == "compatible"


def test_two_versions_of_a_shared_file_have_resources_of_their_own():
    schema = {"type": "object", "properties": {"a": {"$ref": "urn:shared"}, "b": {"$ref": "#/$defs/b"}},
              "$defs": {"b": {"$ref": "urn:shared"}}}  # fmt: skip

    verdict = closed(schema, schema, resources=({"urn:shared": text()}, {"urn:shared": {"type": "integer"}}))

    assert verdict.status == "incompatible"
    assert [each.reader_pointer for each in verdict.incompatibilities] == ["urn:shared#/type"]
    assert closed(schema, schema, resources={"urn:shared": text()}).status == "compatible"


def events(kinds, **data):
    """A message that its own `type` tells apart, which only the object around the alternatives requires."""
    alternatives = [
        {
            "properties": {
                "type": {"const": f"https://example.org/{kind}.json"},
                "data": {"$ref": f"#/definitions/{kind}"},
            },
            "required": ["data"],
        }
        for kind in kinds
    ]
    definitions = {
        kind: {"type": "object", "properties": {f"{kind}_id": {"type": "string"}, "by": data.get(kind, {})}}
        for kind in kinds
    }
    return {
        "$schema": DRAFTS["07"],
        "type": "object",
        "properties": {"id": {"type": "string", "format": "uuid"}, "type": {"type": "string"}, "data": {}},
        "oneOf": alternatives,
        "required": ["id", "type"],
        "definitions": definitions,
    }


KINDS = [f"kind{number}" for number in range(14)]


def test_alternatives_are_told_apart_by_a_property_that_is_required_around_them():
    old, new = events(KINDS, kind3={"type": "string"}), events(KINDS, kind3={"type": "integer"})

    assert closed(old, events([*KINDS, "more"], kind3={"type": "string"})).status == "compatible"
    (reason,) = closed(old, new).incompatibilities
    assert (reason.rule, reason.reader_pointer) == ("type-changed", "/definitions/kind3/properties/by/type")
    (reason,) = closed(old, events(KINDS[1:], kind3={"type": "string"})).incompatibilities
    assert reason.rule == "alternative-removed"


def test_definitions_may_repeat_the_dialect():
    """As bundled schemas do: each definition was a file of its own."""

    def bundled(kinds, **data):
        schema = events(kinds, **data)
        definitions = {name: {"$schema": DRAFTS["07"], **each} for name, each in schema["definitions"].items()}
        return {**schema, "definitions": definitions}

    old = bundled(KINDS, kind3={"type": "string"})

    assert closed(old, bundled([*KINDS, "more"], kind3={"type": "string"})).status == "compatible"
    (reason,) = closed(old, bundled(KINDS, kind3={"type": "integer"})).incompatibilities
    assert reason.reader_pointer == "/definitions/kind3/properties/by/type"


@pytest.mark.parametrize("name", ["List<A>", "Map<string,(A|null)>", "A[]", "a b"])
def test_references_may_hold_characters_that_a_uri_escapes(name):
    def listing(of):
        return {
            "$schema": DRAFTS["07"],
            "properties": {"list": {"$ref": f"#/definitions/{name}"}, "raw": {"const": {"$ref": f"#/{name}"}}},
            "definitions": {name: {"type": "array", "items": of}},
        }

    verdict = closed(listing({"type": "string"}), listing({"type": "integer"}))

    assert verdict.incompatibilities[0].reader_pointer == f"/definitions/{name}/items/type"
    assert closed(listing({"type": "string"}), listing({"type": ["string", "null"]})).status == "compatible"


def test_a_large_schema_whose_alternatives_are_only_reordered_is_the_same():
    def manifest(turn):
        def either(number):
            options = [{"type": "array", "items": {"$ref": f"#/$defs/d{number}"}}, {"type": "string", "maxLength": 9}]
            return {"anyOf": options[::turn], "description": "x" * 60 * (turn + 2)}

        members = {f"d{at}": {"type": "object", "properties": {"p": either((at * 7) % 90)}} for at in range(90)}
        options = [{"$ref": f"#/$defs/d{at}"} for at in range(8)]
        return {"$schema": DRAFTS["2020-12"], "oneOf": options[::turn], "$defs": members}

    assert closed(manifest(1), manifest(-1)).status == "compatible"


@pytest.mark.parametrize("pattern", ["^(.*)$", "^.*$"])
def test_a_pattern_that_only_excludes_line_breaks_is_broken_by_a_line_break_that_every_validator_sees(pattern):
    """Validators differ in whether `$` stands before a line break at the end, too, so the witness has another one."""
    verdict = closed({"properties": {"v": text()}}, {"properties": {"v": text(pattern=pattern)}})

    assert verdict.status == "incompatible"
    assert verdict.incompatibilities[0].rule == "pattern-added"
    assert "\n" in verdict.witness["v"]
    assert not verdict.witness["v"].endswith("\n")


def test_many_definitions_with_ids_of_their_own_are_compared():
    """The references between them are looked up in one registry, not in one made for each of them."""

    def schema(version, last):
        uri = f"http://example.com/{version}/"
        return {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$id": f"{uri}root",
            "type": "object",
            "properties": {f"d{at}": {"$ref": f"{uri}d{at}"} for at in range(150)},
            "definitions": {
                f"d{at}": {
                    "$id": f"{uri}d{at}",
                    "type": "object",
                    "properties": {
                        **{f"p{other}": {"type": "string", "minLength": 1} for other in range(10)},
                        "last": last,
                    },
                }
                for at in range(150)
            },
        }

    verdict = compare(writer=schema(1, {"type": "string"}), reader=schema(2, {"type": ["string", "null"]}), budget=10)

    assert verdict.status == "compatible"
