"""What gateways are asked, byte for byte where their public documentation says so, and what their answers mean."""

import asyncio
import base64
import gzip
import json
import resource
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import encode_basic_auth, web
from transport_processes import free_port
from transport_support import resque

from envelopes.messages import DeliveryRequested
from transport.gateway_stub import GatewayStub
from transport.gateways import Credential, Endpoint, FailureKind, Gateway, GatewayError, PushGateway, SmsGateway
from transport.gateways._http import retry_after
from transport.http_server import serving


def delivery(**changes: Any) -> DeliveryRequested:
    return DeliveryRequested.from_value(json.loads(resque("d-1234", **changes))["args"][0])


class Seen:
    """One request, as a server saw it; `answer` is what it got."""

    def __init__(self, answer: web.Response | None = None) -> None:
        self.answer = answer

    async def see(self, request: web.Request) -> web.Response:
        self.path, self.headers, self.body = request.path, request.headers, await request.read()
        self.form = {name: str(value) for name, value in (await request.post()).items()}
        return self.answer or web.json_response({})


def send(make: type[PushGateway] | type[SmsGateway], message: DeliveryRequested, seen: Seen, **account: Any) -> None:
    async def walk() -> None:
        route = web.post("/{path:.*}", seen.see)
        async with serving([route], "127.0.0.1", 0) as port, aiohttp.ClientSession() as session:
            gateway: Gateway = make(Endpoint(session, f"http://127.0.0.1:{port}", **account))
            await gateway.send(message, key=message.delivery_id)

    asyncio.run(walk())


def test_a_push_has_the_shape_of_fcm_http_v1() -> None:
    seen = Seen()
    message = delivery(
        recipient={"person_id": "p-ana001", "device": "device-token"}, priority="high", details={"message_id": "m-1"}
    )
    send(PushGateway, message, seen, account="our-project", credential=Credential("oauth-token"))
    assert seen.path == "/v1/projects/our-project/messages:send"
    assert seen.headers["Authorization"] == "Bearer oauth-token"
    assert seen.headers["Content-Type"].startswith("application/json")
    assert seen.headers["Idempotency-Key"] == "d-1234"
    assert json.loads(seen.body) == {
        "message": {
            "token": "device-token",
            "notification": {"body": "Bo likes your message"},
            "data": {"message_id": "m-1", "delivery_id": "d-1234"},
            "android": {"priority": "HIGH"},
            "apns": {"headers": {"apns-priority": "10"}},
        }
    }


def test_a_push_without_a_device_goes_to_all_of_the_persons_devices() -> None:
    seen = Seen()
    send(PushGateway, delivery(), seen, account="our-project")
    assert json.loads(seen.body)["message"]["topic"] == "person-p-ana001"


@pytest.mark.parametrize(("sender", "field"), [("+15005550006", "From"), ("MG0123456789abcdef", "MessagingServiceSid")])
def test_an_sms_has_the_shape_of_twilios_messages_api(sender: str, field: str) -> None:
    seen = Seen(web.json_response({"sid": "SM1"}, status=201))
    send(
        SmsGateway,
        delivery(kind="sms", text="Grüße & mehr"),
        seen,
        account="AC42",
        credential=Credential("token"),
        sender=sender,
    )
    assert seen.path == "/2010-04-01/Accounts/AC42/Messages.json"
    assert seen.headers["Authorization"] == "Basic " + base64.b64encode(b"AC42:token").decode()
    assert seen.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert seen.headers["Idempotency-Key"] == "d-1234"
    assert seen.form == {"To": "+4915112345678", "Body": "Grüße & mehr", field: sender}


def fcm(status: int, canonical: str, code: str) -> dict[str, Any]:
    """An error as FCM HTTP v1 writes it; the message quotes the payload, as a message may."""
    details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}]
    return {"error": {"code": status, "message": "Bo likes", "status": canonical, "details": details}}


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "reason", "wait"),
    [
        (404, fcm(404, "NOT_FOUND", "UNREGISTERED"), {}, FailureKind.REFUSED, "404 UNREGISTERED", None),
        (403, fcm(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"), {}, FailureKind.REFUSED, "403 SENDER_ID_MISMATCH", None),
        (403, {"error": {"status": "PERMISSION_DENIED"}}, {}, FailureKind.BLOCKED, "403 PERMISSION_DENIED", None),
        (429, fcm(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), {}, FailureKind.OVERLOADED, "429 QUOTA_EXCEEDED", 60.0),
        (429, {"error": {"status": "RESOURCE_EXHAUSTED", "details": [{"reason": "RATE_LIMIT_EXCEEDED"}]}}, {},
         FailureKind.OVERLOADED, "429 RESOURCE_EXHAUSTED", 60.0),
        (400, {"code": 21610, "message": "Bo likes", "status": 400}, {}, FailureKind.REFUSED, "400 21610", None),
        (400, {"code": 21211, "message": "not valid", "status": 400}, {}, FailureKind.REFUSED, "400 21211", None),
        (429, {"code": 20429, "status": 429}, {"Retry-After": "7"}, FailureKind.OVERLOADED, "429 20429", 7.0),
        (429, {"error": {"details": [1, {}]}}, {"Retry-After": "0"}, FailureKind.OVERLOADED, "429 Too Many Requests", 0.0),
        (503, {"error": {"status": "UNAVAILABLE"}}, {"Retry-After": "30"}, FailureKind.OVERLOADED, "503 UNAVAILABLE", 30.0),
        (503, "down", {}, FailureKind.FAILED, "503 Service Unavailable", None),
        (500, {"error": {"status": "INTERNAL"}}, {}, FailureKind.FAILED, "500 INTERNAL", None),
        (401, {"error": {"status": "UNAUTHENTICATED"}}, {}, FailureKind.BLOCKED, "401 UNAUTHENTICATED", None),
        (401, {"code": 20003, "status": 401}, {}, FailureKind.BLOCKED, "401 20003", None),
        (403, {"code": 21408, "status": 403}, {}, FailureKind.REFUSED, "403 21408", None),
        (301, "", {"Location": "/accepted"}, FailureKind.BLOCKED, "301 Moved Permanently", None),
        (302, "", {}, FailureKind.BLOCKED, "302 Found", None),
        (304, "", {}, FailureKind.BLOCKED, "304 Not Modified", None),
        (200, "<html>log in", {"Content-Type": "text/html"}, FailureKind.BLOCKED, "200 OK", None),
        (404, "<html>nginx", {}, FailureKind.BLOCKED, "404 Not Found", None),
        (404, {"code": 20404, "status": 404}, {}, FailureKind.BLOCKED, "404 20404", None),
        (404, {"error": {"code": 404, "status": "NOT_FOUND"}}, {}, FailureKind.BLOCKED, "404 NOT_FOUND", None),
        (405, "", {}, FailureKind.BLOCKED, "405 Method Not Allowed", None),
        (407, "", {}, FailureKind.BLOCKED, "407 Proxy Authentication Required", None),
        (421, "", {}, FailureKind.BLOCKED, "421 Misdirected Request", None),
        (425, "", {}, FailureKind.BLOCKED, "425 Too Early", None),
        (410, {"reason": "Unregistered"}, {}, FailureKind.REFUSED, "410 Unregistered", None),
        (400, "<html>nginx", {}, FailureKind.FAILED, "400 Bad Request", None),
        (413, "", {}, FailureKind.FAILED, "413 Request Entity Too Large", None),
        (408, [], {}, FailureKind.FAILED, "408 Request Timeout", None),
    ],
)  # fmt: skip
def test_an_answer_is_the_trouble_that_it_means(
    status: int, body: Any, headers: dict[str, str], kind: FailureKind, reason: str, wait: float | None
) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    with pytest.raises(GatewayError) as caught:
        send(PushGateway, delivery(), Seen(web.Response(text=text, status=status, headers=headers)), account="p")
    assert (caught.value.kind, caught.value.reason, caught.value.retry_after) == (kind, reason, wait)
    assert "Bo likes" not in str(caught.value)


def test_a_gateway_that_is_not_there_has_failed() -> None:
    async def walk() -> None:
        async with aiohttp.ClientSession() as session:
            endpoint = Endpoint(session, f"http://127.0.0.1:{free_port()}", "p")
            await PushGateway(endpoint).send(delivery(), "key")

    with pytest.raises(GatewayError) as caught:
        asyncio.run(walk())
    assert caught.value.kind is FailureKind.FAILED


def test_retry_after_is_read_as_delay_or_date() -> None:
    now = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    assert retry_after("120") == 120
    assert retry_after("Sun, 01 Mar 2026 12:00:30 GMT", now) == 30
    assert retry_after("9" * 400) == retry_after("Fri, 01 Mar 2999 12:00:30 GMT", now) == 3600
    assert retry_after("Sun, 01 Mar 2026 12:00:30 -0000", now) is retry_after("²") is None
    assert retry_after("Sun, 01 Mar 2026 11:00:00 GMT", now) == 0
    assert retry_after("soon") is None
    assert retry_after(None) is None


PUSH, SMS = "/v1/projects/p/messages:send", "/2010-04-01/Accounts/a/Messages.json"
WELL = {"To": "+4915112345678", "From": "+15005550006", "Body": "x"}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (PUSH, {"json": {"message": {"notification": {"body": "to nobody"}}}}, 400, "INVALID_ARGUMENT"),
        (PUSH, {"json": {"message": {"topic": "t", "data": {"number": 1}}}}, 400, "INVALID_ARGUMENT"),
        (PUSH, {"json": {"message": {"topic": "t", "data": {"much": "x" * 4100}}}}, 400, "INVALID_ARGUMENT"),
        (PUSH, {"json": {"message": {"topic": "t", "android": {"priority": "high!"}}}}, 400, "INVALID_ARGUMENT"),
        (PUSH, {"data": {"message": "no JSON"}}, 400, "INVALID_ARGUMENT"),
        (PUSH, {"json": {"message": {"token": "unregistered-1"}}}, 404, "UNREGISTERED"),
        (PUSH, {"json": {"message": {"topic": "t"}}, "headers": {"Authorization": ""}}, 401, "THIRD_PARTY_AUTH_ERROR"),
        (SMS, {"data": WELL | {"To": "0151"}}, 400, 21211),
        (SMS, {"data": WELL | {"To": "+15005550004"}}, 400, 21610),
        (SMS, {"data": WELL | {"From": ""}}, 400, 21603),
        (SMS, {"data": WELL | {"Body": "x" * 1601}}, 400, 21617),
        (SMS, {"json": WELL}, 400, 21211),
        (SMS.replace("/a/", "/b/"), {"data": WELL}, 401, 20003),
    ],
)  # fmt: skip
def test_the_stub_refuses_what_the_documentation_does_not_allow(
    path: str, body: dict[str, Any], status: int, code: str | int
) -> None:
    stub = GatewayStub()
    own = "Bearer token" if path == PUSH else encode_basic_auth("a", "token")
    headers = {"Idempotency-Key": "k", "Authorization": own} | body.pop("headers", {})

    async def walk() -> tuple[int, Any]:
        async with stub.serving() as url, aiohttp.ClientSession(headers=headers) as session:
            answer = await session.post(url + path, **body)
            return answer.status, await answer.json()

    seen, answer = asyncio.run(walk())
    assert seen == status
    assert (answer["error"]["details"][0]["errorCode"] if path == PUSH else answer["code"]) == code
    assert stub.ledger == {}


async def stream(request: web.Request, *, compressed: bool) -> web.StreamResponse:
    """A 200 whose body is 64 MiB, or 200 GiB after decompression, or never ends."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    if compressed:
        response.headers["Content-Encoding"] = "gzip"
    await response.prepare(request)
    chunk = gzip.compress(bytes(1 << 26)) if compressed else bytes(1 << 20)
    with suppress(ConnectionError):
        while True:
            await response.write(chunk)
    return response


@pytest.mark.parametrize("compressed", [False, True])
def test_a_body_without_an_end_is_cut_and_the_status_counts(*, compressed: bool) -> None:
    async def walk() -> None:
        route = web.post("/{path:.*}", partial(stream, compressed=compressed))
        async with serving([route], "127.0.0.1", 0) as port, aiohttp.ClientSession() as session:
            await PushGateway(Endpoint(session, f"http://127.0.0.1:{port}", "p")).send(delivery(), "key")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    asyncio.run(walk())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024, "in KiB"


@pytest.mark.parametrize("source", ["file", "command"])
def test_a_rejected_credential_is_read_again(tmp_path: Path, source: str) -> None:
    token = tmp_path / "token"
    token.write_text("old\n")
    credential = Credential(file=token) if source == "file" else Credential(command=f"cat {token}")

    async def check(request: web.Request) -> web.Response:
        return web.json_response({}, status=200 if request.headers["Authorization"] == "Bearer new" else 401)

    async def walk() -> None:
        async with serving([web.post("/{path:.*}", check)], "127.0.0.1", 0) as port, aiohttp.ClientSession() as session:
            gateway = PushGateway(Endpoint(session, f"http://127.0.0.1:{port}", "p", credential))
            with pytest.raises(GatewayError, match="401"):
                await gateway.send(delivery(), "key")
            token.write_text("new\n")
            await gateway.send(delivery(), "key")

    asyncio.run(walk())


def test_a_rejected_credential_is_read_again_soon_after_the_machine_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (token := tmp_path / "token").write_text("old")
    monkeypatch.setattr("transport.gateways._credential.time.monotonic", lambda: 10.0)
    credential = Credential(file=token)
    assert asyncio.run(credential.get()) == "old"
    token.write_text("new")
    assert asyncio.run(credential.get()) == "old"
    credential.expire()
    assert asyncio.run(credential.get()) == "new"


def test_many_requests_at_once_run_the_command_once(tmp_path: Path) -> None:
    command = f"sh -c 'echo run >> {tmp_path}/runs; echo token'"

    async def walk() -> list[str]:
        credential = Credential(command=command)
        return await asyncio.gather(*(credential.get() for _ in range(20)))

    assert set(asyncio.run(walk())) == {"token"}
    assert (tmp_path / "runs").read_text() == "run\n"
