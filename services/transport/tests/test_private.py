"""Passwords and what messages say stay out of errors and logs, and clients cannot take the pages away."""

import asyncio
import itertools
import json
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from test_gateways import delivery

from envelopes import DecodeError
from transport.__main__ import _parser, main
from transport.gateways import Endpoint, GatewayError, PushGateway
from transport.http_server import MAX_CONNECTIONS, serving
from transport.jobs import Job, read_delivery
from transport.registry import ResqueRegistry

SECRET = "hunter2-is-a-secret"
SCHEMES = ("redis://", "rediss://", "redis+sentinel://", "unix://", "redis:/", "redis:", "", "REDIS://", "http://")
LOGINS = (
    "me:{}@", ":{}@", "{}@", "me:{}/x@", "me:/{}@", "me:#{}@", "me:?{}@", "me:x@{}@", "me:x:{}@", "me:x/{}:1@",
    "me: {}@", "me:[{}]@", "me:%zz{}@", "me:{}",
)  # fmt: skip
PLACES = ("127.0.0.1:1/0", "127.0.0.1:99999/0", "127.0.0.1:port/0", "127.0.0.1:1/first", "[::1/0", "", "/")


@pytest.mark.parametrize("option", ["--redis", "--gateway", "--metrics", "--batch", "command"])
def test_no_malformed_url_is_quoted(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    refused = 0
    for scheme, login, place in itertools.product(SCHEMES, LOGINS, PLACES):
        given = scheme + login.format(SECRET) + place
        try:
            _parser().parse_args(["--redis", "redis://x", *([] if option == "command" else [option]), given])
        except SystemExit:
            refused += 1
        assert SECRET not in capsys.readouterr().err, given
    assert refused > 600


@pytest.mark.parametrize(
    "arguments", [[f"--redsi=redis://:{SECRET}@host"], [f"--cluster={SECRET}"], ["status", f"redis://:{SECRET}@host"]]
)
def test_no_option_is_quoted(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--redis", "redis://x", *arguments])
    assert SECRET not in capsys.readouterr().err


def test_options_can_come_from_a_file_and_the_url_of_redis_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "options").write_text(f"--redis=redis://:{SECRET}@file\n")
    assert _parser().parse_args([f"@{tmp_path / 'options'}"]).redis == f"redis://:{SECRET}@file"
    monkeypatch.setenv("TRANSPORT_REDIS", f"redis://:{SECRET}@environment")
    assert _parser().parse_args([]).redis == f"redis://:{SECRET}@environment"


@pytest.mark.parametrize("status", [200, 302, 403, 404, 422, 500, 599])
@pytest.mark.parametrize("name", ["status", "code", "reason", "message"])
def test_a_gateway_s_own_texts_do_not_become_the_reason(status: int, name: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        body = {"error": {name: f"{SECRET}@example.com"}}
        return web.json_response(body, status=status, reason=SECRET, content_type="text/html")

    async def reason() -> str:
        route = web.post("/{path:.*}", answer)
        async with serving([route], "127.0.0.1", 0) as port, aiohttp.ClientSession() as session:
            with pytest.raises(GatewayError) as caught:
                await PushGateway(Endpoint(session, f"http://127.0.0.1:{port}", "x")).send(delivery(), "d-1234")
        return str(caught.value)

    text = asyncio.run(reason())
    assert str(status) in text
    assert SECRET not in text


def test_a_dead_letter_has_the_pointer_and_the_rule_and_beside_the_job_no_value() -> None:
    good = {"delivery_id": "d-1234", "kind": "push", "recipient": {"person_id": "p-ana001"}, "text": "hello",
            "enqueued_at": "2026-03-01T12:00:00Z", "caused_by": "l-0001"}  # fmt: skip
    broken = [{**good, name: [SECRET]} for name in (*good, "priority", "details")]
    jobs = [{"class": "DeliveryRequested", "args": [data]} for data in broken]
    jobs += [{"class": SECRET, "args": [good]}, {"class": "DeliveryRequested", "args": SECRET}]
    pointers = set()
    for job in jobs:
        raw = json.dumps(job).encode()
        with pytest.raises(DecodeError) as caught:
            read_delivery(raw, "transport")
        entry = json.loads(ResqueRegistry(None, ["q"], "t")._entry("q", Job("1", raw, error=caught.value)))  # type: ignore[arg-type]
        assert SECRET not in json.dumps({name: entry[name] for name in ("error", "exception", "pointer")})
        pointers.add(entry["pointer"])
    assert {"/kind", "/text", "/priority", "/args"} <= pointers
    unexpected = Job("1", b"{}", error=ValueError(SECRET))
    assert SECRET.encode() not in ResqueRegistry(None, ["q"], "t")._entry("q", unexpected)  # type: ignore[arg-type]


def test_every_answer_has_the_headers_that_protect_browsers() -> None:
    async def page(request: web.Request) -> web.Response:
        if request.query:
            raise ZeroDivisionError
        return web.Response(text="ok")

    async def ask(port: int, request: bytes) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return head.decode()

    async def heads() -> list[str]:
        lines = ("GET /healthz", "GET /healthz?error", "GET /nowhere", "POST /healthz")
        async with serving([web.get("/healthz", page)], "127.0.0.1", 0) as port:
            asked = [ask(port, f"{line} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) for line in lines]
            return [await each for each in [*asked, ask(port, b"no HTTP at all\r\n\r\n")]]

    found = asyncio.run(heads())
    assert [head.split()[1] for head in found] == ["200", "500", "404", "405", "400"]
    for head in found:
        assert "Content-Security-Policy: default-src 'none'" in head
        assert "X-Content-Type-Options: nosniff" in head
        assert "aiohttp" not in head


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\n"])
def test_idle_connections_do_not_take_the_pages_away(sent: bytes) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def walk() -> None:
        async with serving([web.get("/healthz", page)], "127.0.0.1", 0) as port, aiohttp.ClientSession() as session:
            clients = []
            for _ in range(3 * MAX_CONNECTIONS):
                clients.append(await asyncio.open_connection("127.0.0.1", port))
                clients[-1][1].write(sent)
            async with session.get(f"http://127.0.0.1:{port}/healthz") as response:
                assert await response.text() == "ok"
            await asyncio.wait_for(asyncio.gather(*map(_ended, clients[:MAX_CONNECTIONS])), 60)
            for _, writer in clients:
                writer.close()

    asyncio.run(walk())


async def _ended(client: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    """Return once the server has ended a connection."""
    with suppress(ConnectionError):
        await client[0].read()
