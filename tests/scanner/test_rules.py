"""Every rule of the scanner finds its thing, in whatever it is wrapped, and lets what only looks like it pass."""

import base64
import json
from urllib.parse import quote

import pytest

from contract_test.scanner import Leak, leaks_in_line, leaks_in_text

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
    "credentials-in-url": ["postgres://ana:" + "hunter2@db.internal/x", "redis://:" + "hunter2@10.0.0.1:6379",
                           "https://" + "abcdefghij" * 2 + "@db.internal"],
    "secret-parameter": ["https://x.test/a?access_token=" + "abcd1234"],
    "authorization": ["Authorization: Bearer " + "abc123def456ghi7", "Basic " + "YW5hOmh1bnRlcjI5OQ==",
                      "token " + "abCdefghijkl"],
    "password": ["password=" + "hunter2", 'pwd: "' + 'hunter2"', "api_key = " + "abcd1234"],
    "session": ["Cookie: sid=1; session=" + "hcodvfeNNxciTstS", 'sessionId: "' + 'abcdef123456"'],
    "password-hash": ["$2b$12$" + "abcdefghijklmnopqrstuv"],
    "mail": ["ana.garcia@" + "gmail.com", "write to bo@" + "firma.se today", "ana@" + "example.se", "ana@" + "test.com"],
    "phone": ["+49 151 " + "23456789", "+4915123456789", "(415) 555-" + "2671", "+1 415 555 " + "0223", "0049 151 " + "23456789"],
    "card": ["4111 1111 " + "1111 1111", "378282246310005", "2223000048400011", "2720990000000007", "6011000990139424"],
    "account": ["DE89 3704 0044 " + "0532 0130 00", "GB82 WEST 1234 " + "5698 7654 32"],
    "social-security": ["123-45-" + "6789"],
    "address": ["8.8." + "8.8", "2a00:1450:" + "4001:82a::200e"],
    "random": ["aB3dE5gH7jK9mN2" + "pQ4sT6vX8", "k3v9x2m7q1w8z4b6" + "n5t0r3y9p2h7j1d8", "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYzQ9x3Lk1Vb", "9f86d081884c7d659a2feaa0c55ad015" + "a3bf4f1b"],
}  # fmt: skip
PASSING = [
    "Hg ybfqh nxyq tiiywxc", "m-7839", "njzsbazlk@pxmm.test", "ana@example.com", "+9990927058640", "(999) 533-5966",
    "9996 9033 1662 1000", "CA00171938860000000000", "999-38-9564", "249.12.200.126", "2001:db8:49ee:1ba0::1", "127.0.0.1",
    "CKHNKHZJZEMY1XXXXXXX", "2c7b91e77c4f1a1a10a10a1a1a1a10a10a1a1a1a", "a61967e0-cf7e-4d6a-ac16-8f3a50589357",
    "2026-11-23T07:03:23.841560Z", "urn:contract:delivery.requested:v1", "application/cloudevents+json; charset=UTF-8",
    "resque:queue:transport", "The password must be changed", "a token was sent", "https://docs.x.test/guides/long-name-of-a-page",
    "1700000000000", "user@1.2.3", "password: ***", "bearer authentication required", "12:30:45", "InternalServerErrorException",
    "ana@example.net", "ana@Example.ORG", "ana@a.example", "ana@a.invalid", "ana@a.localhost", "+1 415 555 0123", "+49 30 1230000",
    "00999 1234 5678", "1111 1111 1111 1117", "2199000000000007", "2820990000000006", "4111 1111 1111 1112",
    "GB81 WEST 1234 5698 7654 32", "000-12-3456", "666-12-3456", "123-00-4567", "123-45-0000", "10.1.2.3", "192.168.0.17",
    "password: null", "password=none", "secret: True", "token=false", "pwd: undefined", "secret=<redacted>", "token: masked",
    "session: reconnecting", "session=opened-by-the-user", "cookie=k3v9x2m7xxxxxxxx", "password: [hidden]", "password=empty", "token: ${}xx", "Bearer authenticationrequired", "Basic Authenticationrequired",
    "https://ana@x.test", "https://abcdefghijabcdefghi@x.test", "?key=null", "counter-000000000000000000000001",
    "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnop", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGH", "12345678901234567890123456789012",
    "xxx.xxxx@xxxxx.xxx", "DE99244757710465634148",
    "g1234567890123456789012345678901", "aBcDeFgHiJkLmNoPqRsTuVwX",
]  # fmt: skip

ISSUED = {  # a token of each issuer: what it begins with, and how many characters follow
    "Amazon": ("ASIA", "ABCD2345" * 2), "Anthropic": ("sk-ant-", "aB3_" * 5), "Atlassian": ("ATATT3", "xF=_-" * 4),
    "Databricks": ("dapi", "0a1b2c3d" * 4), "DigitalOcean": ("dop_v1_", "0a1b2c3d" * 5), "Docker": ("dckr_pat_", "aB3_-" * 4),
    "GitHub": ("github_pat_", "aB3_" * 5), "GitLab": ("gldt-", "aB3_-x" * 3), "Google": ("ya29.", "aB3_-" * 4),
    "HashiCorp": ("hvs.", "aB3_-" * 4), "Hugging Face": ("hf_", "aB3" * 10), "Linear": ("lin_api_", "aB3" * 10),
    "Mailgun": ("key-", "0a1b2c3d" * 4), "npm": ("npm_", "aB3" * 10), "OpenAI": ("sk-proj-", "aB3_-" * 4),
    "PyPI": ("pypi-", "aB3_-" * 8), "SendGrid": ("SG.", "aB3_" * 4 + "." + "aB3-" * 4), "Shopify": ("shpat_", "0a1B2c3d" * 4),
    "Slack": ("xoxp-", "12345-abcd"), "Slack app": ("xapp-", "1-A1B2-C3D4E"), "Square": ("sq0atp-", "aB3_-x" * 4),
    "Stripe": ("whsec_", "aB3cD4eF5g"), "Telegram": ("12345678:", "AA" + "aB3_-" * 6), "Twilio": ("AC", "0a1b2c3d" * 4),
}  # fmt: skip


@pytest.mark.parametrize("issuer", ISSUED)
def test_a_token_is_told_by_who_issues_it(issuer):
    token = "".join(ISSUED[issuer])
    for text in (token, f"use {token}, please"):
        assert ("token", f"a token of {issuer}") in leaks_in_text(text)


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in FOUND.items() for text in texts])
def test_a_rule_finds_its_thing(rule, text):
    wrapped = [
        text,
        f"before {text} after",
        f"q={text}",
        json.dumps({"inner": text}),
        base64.b64encode(json.dumps({"inner": [text]}).encode()).decode(),
        "q=" + base64.b64encode(json.dumps({"inner": [text]}).encode()).decode(),
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
        ("random", ""),
        ("card", "/*/card"),
    ]
    assert not any(secret in str(leaks) for secret in (FOUND["mail"][0], FOUND["token"][0], "4111"))


def test_a_signed_token_is_known_by_its_head():
    heads = {b'{"alg":"HS256"}': True, b'{"alg":"none"}': True, b'{"typ":"JWT"}': False, b'{"alg":HS256}': False}
    for head, found in heads.items():
        token = base64.urlsafe_b64encode(head).decode().rstrip("=") + ".e30.x1"
        assert ("jwt" in [rule for rule, _ in leaks_in_text(token)]) is found


def test_every_place_is_looked_into_and_told_as_a_pointer():
    mail, card = FOUND["mail"][0], 4111111111111111
    line = {"a~b": mail, "list": [True, None, [card, -float(card)]], "k" * 60: {mail: 1}, "k" * 61: mail}
    assert leaks_in_line(json.dumps(line).encode()) == [
        Leak("mail", "a mail address", "/a~0b"),
        Leak("card", "a payment card", "/list/2/0"),
        Leak("mail", "a mail address in a key", f"/{'k' * 60}"),
        Leak("mail", "a mail address", "/*"),
    ]
    assert leaks_in_line(json.dumps(mail).encode()) == [Leak("mail", "a mail address")]
    assert leaks_in_line(f"{mail} {mail}".encode()) == [Leak("mail", "a mail address")], "each is told once"


@pytest.mark.parametrize(
    "text", ['{"a": "ana\\u0040gmail.com"}', ' ["ana\\u0040gmail.com"]', '"ana\\u0040gmail.com"', '{"a": "ana\\u0040gmail.com", "a": 1}']
)  # fmt: skip
def test_json_inside_a_text_is_read_as_json(text):
    assert leaks_in_text(text) == [("mail", "a mail address")]
    assert leaks_in_line(json.dumps([text]).encode()) == [Leak("mail", "a mail address", "/0")]


@pytest.mark.parametrize("more", [">>>>>>", "??????", "\t\r\n", ""])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_read_in_both_alphabets(encode, more):
    coded = encode(f"ana@{'gmail.com'}{more}".encode()).decode()
    for text in (coded, coded.rstrip("="), f"v={coded};"):
        assert leaks_in_text(text) == [("mail", "a mail address")]


@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_is_coded_again_and_again_is_found(times):
    text = f"see {FOUND['mail'][0]}"
    for _ in range(times):
        text = base64.b64encode(text.encode()).decode()
    assert leaks_in_text(text) == [("mail", "a mail address")]
    assert leaks_in_text(f"before, {quote(text)} after") == [("mail", "a mail address")]
    assert leaks_in_text("%2b49151" + "23456789") == [("phone", "a phone number")]
    assert leaks_in_text("mail%3A%20" + quote(FOUND["mail"][0])) == [("mail", "a mail address")]


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
