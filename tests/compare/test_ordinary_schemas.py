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
