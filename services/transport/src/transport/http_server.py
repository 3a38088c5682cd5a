"""A small HTTP server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from typing import Any

from aiohttp import web

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Headers of every response."""
MAX_CONNECTIONS = 200
"""Beyond it, a new connection ends the oldest one, so that idle clients do not take the pages away."""


class CannotListenError(Exception):
    """The address of the server is taken or is not one of this machine."""


class _Unreadable(web.BaseRequest):
    """A request that is not HTTP. aiohttp answers it with 400, outside of the application."""

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        await _add_headers(self, response)


async def _add_headers(_: web.BaseRequest, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    response.headers["Server"] = "transport"


@asynccontextmanager
async def serving(routes: Iterable[web.RouteDef], host: str, port: int) -> AsyncIterator[int]:
    """Serve until the block ends, and yield the port. Port 0 picks a free one."""
    app = web.Application()
    app.add_routes(routes)
    app.on_response_prepare.append(_add_headers)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    protocols: Any = runner.server
    make_request = protocols.request_factory

    def read(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        if message.method == "UNKNOWN":  # aiohttp's word for what it could not parse
            return _Unreadable(message, payload, protocol, writer, task, asyncio.get_running_loop())
        request: web.BaseRequest = make_request(message, payload, protocol, writer, task)
        return request

    def connect() -> asyncio.Protocol:
        for connection in protocols.connections[:-MAX_CONNECTIONS]:
            if connection.transport is not None:
                connection.transport.abort()
        protocol: asyncio.Protocol = protocols()
        return protocol

    protocols.request_factory = read
    try:
        try:
            server = await asyncio.get_running_loop().create_server(connect, host, port, backlog=128)
        except OSError as error:
            raise CannotListenError(
                f"cannot listen on {host}:{port}: {error.strerror}. Choose another address"
            ) from error
        with closing(server):
            yield server.sockets[0].getsockname()[1]
    finally:
        await runner.cleanup()
