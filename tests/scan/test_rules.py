"""Every rule of the scanner finds its thing, in whatever it is wrapped, and lets what only looks like it pass."""

import base64
import json

import pytest

from contract_test.scanner import leaks_in_line, leaks_in_text

JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"ana"}', b"0123456789abcdef0123")
)
FOUND = {  # put together here, so that no scanner of this repository stumbles over them
    "private-key": ["-----BEGIN " + "RSA PRIVATE KEY-----", "-----BEGIN " + "PRIVATE KEY-----"],
    "jwt": [JWT],
    "token": ["AKIA" + "IOSFODNN7EXAMPLE", "ghp_" + "a1B2" * 9, "xoxb-" + "123456789012-abcdef", "sk_live_" + "4eC39HqLyjWD",
              "glpat-" + "x1Y2z3A4b5C6d7E8f9G0", "npm_" + "a1B2" * 9],
    "webhook": ["https://hooks.slack.com/" + "services/T00000000/B00000000/abcdefgh"],
    "credentials-in-url": ["postgres://ana:" + "hunter2@db.internal/x", "redis://:" + "hunter2@10.0.0.1:6379"],
    "secret-parameter": ["https://x.test/a?access_token=" + "abcd1234"],
    "authorization": ["Authorization: Bearer " + "abc123def456ghi7", "Basic " + "YW5hOmh1bnRlcjI5OQ=="],
    "password": ["password=" + "hunter2", 'pwd: "' + 'hunter2"', "api_key = " + "abcd1234"],
    "password-hash": ["$2b$12$" + "abcdefghijklmnopqrstuv"],
    "mail": ["ana.garcia@" + "gmail.com", "write to bo@" + "firma.se today"],
    "phone": ["+49 151 " + "23456789", "+4915123456789", "(415) 555-" + "2671"],
    "card": ["4111 1111 " + "1111 1111", "378282246310005"],
    "account": ["DE89 3704 0044 " + "0532 0130 00"],
    "social-security": ["123-45-" + "6789"],
    "address": ["8.8." + "8.8", "2a00:1450:" + "4001:82a::200e"],
    "random": ["wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYzQ9x3Lk1Vb", "9f86d081884c7d659a2feaa0c55ad015" + "a3bf4f1b"],
}  # fmt: skip
PASSING = [
    "Hg ybfqh nxyq tiiywxc", "m-7839", "njzsbazlk@pxmm.test", "ana@example.com", "+9990927058640", "(999) 533-5966",
    "9996 9033 1662 1000", "CA00171938860000000000", "999-38-9564", "249.12.200.126", "2001:db8:49ee:1ba0::1", "127.0.0.1",
    "CKHNKHZJZEMY1XXXXXXX", "2c7b91e77c4f1a1a10a10a1a1a1a10a10a1a1a1a", "a61967e0-cf7e-4d6a-ac16-8f3a50589357",
    "2026-11-23T07:03:23.841560Z", "urn:contract:delivery.requested:v1", "application/cloudevents+json; charset=UTF-8",
    "resque:queue:transport", "The password must be changed", "a token was sent", "https://docs.x.test/guides/long-name-of-a-page",
    "1700000000000", "user@1.2.3", "password: ***", "bearer authentication required", "12:30:45", "InternalServerErrorException",
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in FOUND.items() for text in texts])
def test_a_rule_finds_its_thing(rule, text):
    wrapped = [
        text,
        f"before {text} after",
        json.dumps({"inner": text}),
        base64.b64encode(json.dumps({"inner": [text]}).encode()).decode(),
        base64.b64encode(json.dumps({"inner": text}).encode()).hex(),
    ]
    for each in wrapped:
        assert rule in [name for name, _ in leaks_in_text(each)], each
    assert rule in [leak.rule for leak in leaks_in_line(json.dumps({"a": [{text: 1}]}).encode())], "in a key"


@pytest.mark.parametrize("text", PASSING)
def test_what_only_looks_like_it_passes(text):
    assert leaks_in_text(text) == []


def test_a_leak_is_told_by_its_place_and_never_shown():
    line = json.dumps(
        {"data": {"a/b": ["x", {"mail": FOUND["mail"][0]}]}, FOUND["token"][0]: {"card": 4111111111111111}}
    )
    leaks = leaks_in_line(line.encode())
    assert [(leak.rule, leak.pointer) for leak in leaks] == [
        ("mail", "/data/a~1b/1/mail"),
        ("token", ""),
        ("card", "/*/card"),
    ]
    assert not any(secret in str(leaks) for secret in (FOUND["mail"][0], FOUND["token"][0], "4111"))


def test_a_key_that_stands_twice_hides_nothing():
    assert leaks_in_line(b'{"a": "ana@' + b'gmail.com", "a": "x"}')


def test_what_is_no_json_is_scanned_as_text():
    assert [leak.rule for leak in leaks_in_line(b"login failed for ana@" + b"gmail.com\xff")] == ["mail"]


@pytest.mark.parametrize(
    "unit", ["a", "a@", "+1 ", "eyJ-", "1 ", "A1", "x=", "://", "%41", "{", "$2b$", "a.", "1.", "::", "=-"]
)
def test_no_text_makes_it_work_for_long(unit):
    leaks_in_text(unit * (200_000 // len(unit)))  # the suite's time limit is the test


@pytest.mark.parametrize("around", ["{}", '"{}"', 'before "{}'])
def test_what_is_too_deep_is_told_or_text(around):
    deep = around.format('[{\\"a\\": ' * 700 if around.startswith('"') else '[{"a": ' * 700)
    leaks_in_line(deep.encode())
    found = leaks_in_line(json.dumps("[" * 900 + f'"{FOUND["token"][0]}"' + "]" * 900).encode())
    assert {leak.rule for leak in found} & {"token", "depth"}
