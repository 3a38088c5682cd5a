"""Messages nested deeper than anybody means: counted, quarantined, and never a crash."""

import pytest
from record.runs import copy_of_contracts, like, lines, run

from envelopes import DecodeError
from envelopes.messages import MessageLikedV1
from envelopes.validation import compile_schema, find_violation, find_violations


@pytest.fixture
def contracts(tmp_path):
    return copy_of_contracts(tmp_path)


def nested(levels: int, kind: str) -> str:
    left, right = {"objects": ('{"a":', "}"), "arrays": ("[", "]")}[kind]
    return left * levels + "1" + right * levels


def deep_like(number: int, levels: int, kind: str) -> str:
    """A like of so many levels, its envelope among them."""
    return like(number, extra=None).replace('"extra": null', f'"extra": {nested(levels - 2, kind)}')


@pytest.fixture(params=["objects", "arrays"])
def traffic(request, tmp_path):
    """One like that is nested as deep as may be, and five that are nested deeper."""
    path = tmp_path / "deep.jsonl"
    depths = (200, 201, 255, 990, 1030, 100_000)
    path.write_text("\n".join(deep_like(number, levels, request.param) for number, levels in enumerate(depths)))
    return path


def test_deep_messages_are_counted_and_kept_apart(contracts, traffic):
    for again in (False, True):
        code, said = run("record", traffic, "--channel", "activity", "--contracts", contracts)
        assert (code, "5 drifted" in said) == (1, True), said
        assert "expected one JSON text, found nested deeper than 200 levels" in said
        assert ("quarantined, scrubbed: 5 messages" in said) is not again
    assert len(lines(contracts, "message.liked", 1)) == 1
    code, said = run("show", "message.liked", "--contracts", contracts)
    assert (code, "1 message\n" in said) == (0, True)
    assert run("scan", "--contracts", contracts)[0] == 0


def test_deep_messages_are_drift(contracts, traffic):
    code, said = run("verify", traffic, "--channel", "activity", "--contracts", contracts)
    assert (code, "5 drifted" in said) == (1, True), said


@pytest.mark.parametrize("subject", ["message.liked", "message.loved"])
def test_a_schema_is_inferred_from_the_messages_that_can_be_read(contracts, traffic, subject):
    code, said = run("infer", traffic, "--subject", subject, "--contracts", contracts)
    assert code in (0, 2), said
    assert "5 unreadable" in said or said.startswith("error: "), said


def test_a_file_that_is_too_deep_is_told(tmp_path):
    path = tmp_path / "deep.jsonl"
    path.write_text('{"format":1,"channel":"c","payload":' + nested(990, "objects") + "}\n")
    assert run("show", path)[0] == 2
    assert "nested deeper" in run("show", path)[1]
    path.write_text(nested(100_000, "arrays"))
    assert run("scan", path)[0] in (0, 1)


@pytest.mark.parametrize("levels", [300, 990, 5000])
def test_values_that_no_validator_walks_break_the_contract_in_a_documented_way(levels):
    deep: object = 1
    for _ in range(levels):
        deep = [deep]
    validator = compile_schema({"urn:x": {"type": "object"}}, "urn:x#")
    assert find_violation(validator, deep).keyword == "depth"
    assert [each.keyword for each in find_violations(validator, deep)] == ["depth"]
    with pytest.raises(DecodeError):
        MessageLikedV1.from_value(deep)
    with pytest.raises(DecodeError, match="nested deeper than 200 levels"):
        MessageLikedV1.from_json(nested(min(levels, 1000), "arrays"))
