"""A registry that is away, slow or wrong: each is a sentence with the subject and the version."""

import json
import socket
import threading
from base64 import b64encode

import pytest
from brokers.certificates import certificates
from brokers.registry_proxy import registry_proxy
from registry.conftest import DRAFT, order

from contract_test.files.catalog import load_catalog
from contract_test.files.lock import register

SUBJECT = "/subjects/orders-value"
VERSION_1 = f"{SUBJECT}/versions/1"


@pytest.fixture
def ordered(shop):
    """Two locked versions of one subject."""
    shop.subject("order.placed", order(), order("count"))
    register(load_catalog(shop.root), [])
    return shop


@pytest.fixture
def one_registered(stand_in):
    """A registry that has the first version."""
    stand_in.add("GET", "/subjects", 200, ["orders-value"])
    stand_in.add("GET", f"{SUBJECT}/versions", 200, [1])
    stand_in.add("GET", VERSION_1, 200, registered(order()))
    stand_in.add("GET", "/config/orders-value", 200, {"compatibilityLevel": "BACKWARD"})
    return stand_in


def registered(schema, **more):
    text = schema if isinstance(schema, str) else json.dumps(schema)
    return {"subject": "orders-value", "version": 1, "id": 7, "schemaType": "JSON", "schema": text} | more


def test_a_registry_that_is_away(type_in, ordered):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for command in ("plan", "push", "pull", "check"):
        result = type_in("registry", command, f"http://127.0.0.1:{port}")
        assert result.code == 3
        assert f"its subjects at http://127.0.0.1:{port}: the registry cannot be reached" in result.err
        assert result.out == ""


def test_a_registry_that_is_slow(type_in, ordered, one_registered):
    given_up = threading.Event()
    one_registered.answers.insert(0, lambda _, path, __: given_up.wait(200) and None if path == VERSION_1 else None)
    result = type_in("registry", "plan", one_registered.url, "--timeout", "4")  # the other answers have to be in time
    given_up.set()
    assert result.code == 3
    assert f"orders-value version 1 at {one_registered.url}: the registry did not answer within 4 seconds" in result.err


@pytest.mark.parametrize(
    ("status", "content", "media_type", "code", "sentence"),
    [
        (409, {"error_code": 409, "message": "narrowed"}, "application/json", 1, "the registry answers 409: narrowed"),
        (422, {"error_code": 42201, "message": "invalid"}, "application/json", 1, "the registry answers 422: invalid"),
        (500, {"error_code": 0, "message": "oops"}, "application/json", 1, "the registry answers 500: oops"),
        (500, b"<html>", "text/html", 1, "the registry answers 500"),
        (503, b"<html>", "text/html", 3, "order.placed v2 as orders-value at URL: the registry answers 503"),
        (
            401,
            {"message": "who?"},
            "application/json",
            3,
            "order.placed v2 as orders-value at URL: the registry answers 401",
        ),
        (200, b"<html>hi", "text/html", 3, "the registry answers 200 with text/html that is not JSON"),
        (200, {"id": "x"}, "application/json", 3, "the answer is not of Confluent's API"),
        (404, b"nope", "text/plain", 3, "the registry answers 404 with text/plain that is not JSON"),
    ],
)
def test_what_is_answered_to_a_new_version(
    status, content, media_type, code, sentence, type_in, ordered, one_registered
):
    one_registered.add("POST", f"{SUBJECT}/versions", status, content, media_type)

    result = type_in("registry", "push", one_registered.url)

    assert result.code == code
    output = result.out if code == 1 else result.err
    assert sentence.replace("URL", one_registered.url) in output
    if code == 1:
        assert "contracts/order.placed/v2.json" in output
    ids = load_catalog(ordered.root).subjects["order.placed"].schema_ids
    assert ids == {1: 7}, "what is done is written, so that the next run goes on"


def test_only_locked_versions_are_registered(type_in, ordered, one_registered):
    ordered.version("order.placed", 3, order("count", "coupon"))
    one_registered.add("POST", f"{SUBJECT}/versions", 200, {"id": 8})
    result = type_in("registry", "push", one_registered.url)
    assert result.code == 0, result.out + result.err
    assert one_registered.changes == [("POST", f"{SUBJECT}/versions")]
    assert "order.placed v3  as orders-value  not pushed: mode BACKWARD, not in contracts.lock" in result.out


def test_a_registry_that_git_does_not_know(type_in, ordered, one_registered):
    one_registered.answers.clear()
    foreign = order(title="other")
    one_registered.add("GET", "/subjects", 200, ["orders-value", "customers-value", "things-value", "orders-key"])
    one_registered.add("GET", f"{SUBJECT}/versions", 200, [1, 2, 3])
    one_registered.add("GET", VERSION_1, 200, registered(order()))
    one_registered.add("GET", f"{SUBJECT}/versions/2", 200, registered(foreign, id=9))
    one_registered.add("GET", f"{SUBJECT}/versions/3", 200, registered('{"type": ', id=10))
    for subject, kind in [("customers-value", "JSON"), ("things-value", "AVRO"), ("orders-key", "JSON")]:
        one_registered.add("GET", f"/subjects/{subject}/versions", 200, [4])
        one_registered.add("GET", f"/subjects/{subject}/versions/4", 200, registered(order(), schemaType=kind, id=11))
    one_registered.add("GET", "/config/orders-value", 200, {"compatibilityLevel": "NONE"})
    one_registered.add("GET", "/config", 200, {"compatibilityLevel": "FULL"})

    checked = type_in("registry", "check", one_registered.url)

    assert checked.code == 1
    assert "orders-value version 2, id 9, has no version in git with the same content" in checked.out
    assert "orders-value version 3 cannot be read: not JSON" in checked.out
    assert "subject 'customers-value' of the registry is in no catalog row" in checked.out
    assert "orders-value in the registry does not have it" in checked.out
    assert "things-value was left: AVRO" in checked.err
    assert "orders-key was left: it describes keys" in checked.err

    pushed = type_in("registry", "push", one_registered.url)
    assert (pushed.code, one_registered.changes) == (1, []), "nothing is put behind a version that git does not know"

    pulled = type_in("registry", "pull", one_registered.url, "--contracts", "new")
    assert pulled.code == 1
    assert "subject 'orders-value' version 3 cannot be used: not JSON" in pulled.out
    assert "as things-value     left: version 4, id 11, AVRO" in pulled.out
    new = type(ordered)(ordered.root.parent / "new")
    assert new.schemas() == {"orders/v1.json": order(), "orders/v2.json": foreign, "customers/v4.json": order()}
    whole = new.texts()
    assert 'compatibility = "FULL"' in whole["catalog.toml"]
    for left_by_a_kill in (["catalog.toml", "contracts.lock", "orders/v2.json"], ["contracts.lock"]):
        for path in left_by_a_kill:
            (new.root / path).unlink()
        type_in("registry", "pull", one_registered.url, "--contracts", "new")
        assert new.texts() == whole, "a second run finishes what the first one began"


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ({"$schema": DRAFT, "type": "nothing"}, "it is no valid JSON Schema"),
        ({"$schema": DRAFT, "$ref": "http://127.0.0.1:1/x.json"}, "finds no file"),
        ({"$schema": DRAFT, "$ref": "file:///etc/hostname"}, "finds no file"),
        ({"$schema": DRAFT, "$ref": "../../../etc/hostname"}, "finds no file"),
        ("[" * 100_000, "nested deeper than 200 levels"),
        ('{"description": "' + "x" * 5_000_000 + '"}', "larger than 5,000,000 bytes"),
        ('{"a": 1, "a": 2}', "stands twice"),
    ],
)
def test_a_schema_that_cannot_be_used_is_left(schema, sentence, type_in, shop, one_registered):
    one_registered.answers.pop(2)
    one_registered.add("GET", VERSION_1, 200, registered(schema))
    result = type_in("registry", "pull", one_registered.url)
    assert result.code == 1
    assert "subject 'orders-value' version 1 cannot be used" in result.out
    assert sentence in result.out
    assert shop.schemas() == {}


@pytest.mark.parametrize("name", ["../../../../tmp/x", "/etc/passwd", "..", "con\x1b[31m", "ü", ""])
def test_a_name_is_never_a_path(name, type_in, shop, stand_in, tmp_path):
    stand_in.add("GET", "/subjects", 200, [name])
    stand_in.answers.append(
        lambda _, path, __: (200, "application/json", b"[1]") if path.endswith("/versions") else None
    )
    stand_in.answers.append(
        lambda _, path, __: (200, "application/json", json.dumps(registered(order())).encode()) if "/versions/" in path else None
    )  # fmt: skip
    stand_in.add("GET", "/config", 200, {"compatibilityLevel": "NONE"})
    before = sorted(tmp_path.parent.glob("*"))
    result = type_in("registry", "pull", stand_in.url, "--naming", "record")
    assert result.code in (0, 1)
    assert "\x1b" not in result.out + result.err
    assert sorted(tmp_path.parent.glob("*")) == before
    assert {path.parent.parent for path in tmp_path.rglob("v1.json")} <= {shop.root}


def test_a_plan_warns_before_the_first_version_is_registered(type_in, ordered, stand_in):
    stand_in.add("GET", "/subjects", 200, [])
    stand_in.add("GET", "/config", 200, {"compatibilityLevel": "BACKWARD"})
    planned = type_in("registry", "plan", stand_in.url)
    assert planned.code == 0
    assert "warning: the mode of new subjects is BACKWARD, and not every registry can judge its draft" in planned.out
    for choice in (["--draft-07"], ["--set-mode", "NONE"]):
        assert "warning" not in type_in("registry", "plan", stand_in.url, *choice).out
    assert stand_in.changes == []


def test_an_answer_without_end_is_cut(type_in, shop, stand_in):
    stand_in.add("GET", "/subjects", 200, b'["' + b"x" * 10_100_000 + b'"]')
    result = type_in("registry", "pull", stand_in.url)
    assert result.code == 3
    assert "the registry's answer is larger than 10,000,000 bytes" in result.err


def test_a_url_with_credentials_is_refused_and_not_shown(type_in, ordered):
    for url in ("http://kim:hunter2@host:1", "http://host/?token=hunter2", "ftp://hunter2", "http://ho st:hunter2"):
        for command in ("plan", "push", "pull", "check"):
            result = type_in("registry", command, url)
            assert result.code == 2
            assert "hunter2" not in result.out + result.err
            assert "CONTRACT_TEST_REGISTRY_TOKEN" in result.err


@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_credentials_come_from_the_environment_and_are_never_shown(kind, type_in, ordered, monkeypatch, tmp_path):
    secret = "hunter2-ünique"
    if kind == "basic":
        monkeypatch.setenv("CONTRACT_TEST_REGISTRY_USER", "kim")
        monkeypatch.setenv("CONTRACT_TEST_REGISTRY_PASSWORD", secret)
        sent = f"Basic {b64encode(f'kim:{secret}'.encode()).decode()}"
    else:
        secret = "hunter2-token"
        monkeypatch.setenv("CONTRACT_TEST_REGISTRY_TOKEN", secret)
        sent = f"Bearer {secret}"
    made = certificates(tmp_path)
    with registry_proxy(None, "", made) as proxy:
        proxy.answers.append(
            lambda *_: None if proxy.seen_headers[-1].get("Authorization") == sent
            else (401, "application/json", json.dumps({"message": f"no entry for {secret}, {sent}"}).encode())
        )  # fmt: skip
        proxy.add("GET", "/subjects", 200, [])
        proxy.add("GET", "/config", 200, {"compatibilityLevel": "NONE"})
        proxy.add("POST", f"{SUBJECT}/versions", 500, {"message": f"cannot serve {sent} with {secret}"})

        strange = type_in("registry", "plan", proxy.url)
        assert (strange.code, "CERTIFICATE_VERIFY_FAILED" in strange.err) == (3, True)

        monkeypatch.setenv("CONTRACT_TEST_REGISTRY_CA", str(made.authority))
        planned = type_in("registry", "plan", proxy.url, "--format", "json")
        assert planned.code == 0
        pushed = type_in("registry", "push", proxy.url)
        assert (pushed.code, "cannot serve" in pushed.out) == (1, True)

        for name in ("USER", "PASSWORD", "TOKEN"):
            monkeypatch.delenv(f"CONTRACT_TEST_REGISTRY_{name}", raising=False)
        refused = type_in("registry", "plan", proxy.url)
        assert refused.code == 3
        assert "Set CONTRACT_TEST_REGISTRY_USER" in refused.err

    shown = "".join(each.out + each.err for each in (strange, planned, pushed))
    assert secret not in shown
    assert sent.partition(" ")[2] not in shown
    assert secret not in "".join(ordered.texts().values())
