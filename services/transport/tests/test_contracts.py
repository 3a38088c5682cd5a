"""Every delivery request that may come, at the gateways: `pytest --contracts`."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from transport_support import gateways_at

from envelopes.messages import DeliveryRequested
from transport.gateway_stub import GatewayStub
from transport.gateways import Gateway, GatewayError
from transport.worker import deliver


@dataclass
class Street:
    """The worker's gateways, and the stub behind them with what it was asked: path, key, body."""

    runner: asyncio.Runner
    gateways: dict[str, Gateway] = field(default_factory=dict)
    seen: list[tuple[str, str, Any]] = field(default_factory=list)

    async def note(self, request: web.Request, key: str) -> None:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.seen.append((request.path, key, form or await request.json()))

    def deliver(self, message: DeliveryRequested) -> None:
        self.seen.clear()
        self.runner.run(deliver(message, self.gateways))


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    with asyncio.Runner() as runner:
        here = Street(runner)
        serving = GatewayStub(before=here.note).serving()
        url = runner.run(serving.__aenter__())
        session = runner.run(open_session())
        here.gateways = gateways_at(url, session)
        yield here
        runner.run(session.close())
        runner.run(serving.__aexit__(None, None, None))


async def open_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession()


@pytest.mark.consumes("delivery.requested")
def test_a_gateway_is_asked_for_what_the_message_says(message: DeliveryRequested, street: Street) -> None:
    to = message.recipient
    if message.kind == "sms" and to.phone is None:
        with pytest.raises(GatewayError, match="needs /recipient/phone"):
            street.deliver(message)
        return
    street.deliver(message)
    ((path, key, body),) = street.seen
    assert key == message.delivery_id
    if message.kind == "sms":
        assert path.endswith("/Messages.json")
        assert body == {"To": to.phone, "Body": message.text, "From": "+15005550006"}
        return
    assert path.endswith("/messages:send")
    push = body["message"]
    assert push.get("token", push.get("topic")) == (to.device or f"person-{to.person_id}")
    assert push["notification"] == {"body": message.text}
    assert push["data"] == dict(message.details or {}) | {"delivery_id": message.delivery_id}
    assert push["android"]["priority"] == ("HIGH" if message.priority == "high" else "NORMAL")


@pytest.fixture
def gateway() -> GatewayStub:
    return GatewayStub()


@pytest.fixture
def contract_state(gateway: GatewayStub) -> Callable[[], object]:
    """What people got: each delivery once, however often its job comes back."""
    return lambda: sorted((row.delivery_id, row.kind) for row in gateway.ledger.values())


@pytest.mark.consumes("delivery.requested")
@pytest.mark.usefixtures("contract_state")
def test_a_job_that_comes_back_is_delivered_once(
    message: DeliveryRequested, gateway: GatewayStub, acknowledge: Callable[[], None]
) -> None:
    async def work() -> None:
        async with gateway.serving() as url, aiohttp.ClientSession() as session:
            with suppress(GatewayError):  # of an SMS without a number, which the contract allows
                await deliver(message, gateways_at(url, session))
            acknowledge()

    asyncio.run(work())
