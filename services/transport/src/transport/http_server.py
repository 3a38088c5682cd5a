"""A small HTTP server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import web


class CannotListenError(Exception):
    """The address of the server is taken or is not one of this machine."""


@asynccontextmanager
async def serving(routes: Iterable[web.RouteDef], host: str, port: int) -> AsyncIterator[int]:
    """Serve until the block ends, and yield the port. Port 0 picks a free one."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise CannotListenError(
                f"cannot listen on {host}:{port}: {error.strerror}. Choose another address"
            ) from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
