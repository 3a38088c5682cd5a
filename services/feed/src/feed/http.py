"""The feed over HTTP: read-only JSON for apps, a live page, and health and metrics for those who run it."""

from __future__ import annotations

import asyncio
import errno
import re
import socket
import threading
import time
from base64 import b64encode
from collections.abc import AsyncIterable, Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from uvicorn.protocols.http.h11_impl import H11Protocol

from .errors import UnusableError
from .likes import Feed
from .store import UNAVAILABLE, Item

LIVE_EVERY = 0.3
"""Seconds between two looks at the store for a live page: other members write to it, too."""
MAX_LIVE_PAGES = 500
MAX_CONNECTIONS = 700
"""Beyond it, a new connection ends the one that has been idle for longest. Often 1,024 files may be open."""
MAX_SILENCE = 60
"""Seconds after which a loop that has not turned is dead."""

PAGE = Path(__file__).with_name("live.html").read_bytes()
_HASHES = [
    f"'sha256-{b64encode(sha256(part).digest()).decode()}'"
    for part in re.findall(b"<(?:style|script)>(.*?)</", PAGE, re.DOTALL)
]
HEADERS = {
    "content-security-policy": f"default-src 'none'; style-src {_HASHES[0]}; script-src {_HASHES[1]};"
    " connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Headers of every answer. Only the live page's own style and script run."""


class Likes(BaseModel):
    """How many people like a message."""

    message_id: str
    likes: int


async def refuse_nul(request: Request) -> None:
    """Answer 400 to an id with a NUL character, which PostgreSQL cannot hold."""
    if any("\0" in value for value in request.path_params.values()):
        raise HTTPException(400, "an id cannot contain a NUL character")


def make_app(feed: Feed, problem: Callable[[], str | None], silence: Callable[[], float] = lambda: 0) -> FastAPI:
    """Build the application. OpenAPI: `/openapi.json`.

    `problem` says what keeps the service from its work, or None; `silence` says for how many seconds its loop has not
    turned. The pages for those who run it are answered in the event loop, so that no query that hangs holds them up.
    """
    app = FastAPI(title="feed", version="1", dependencies=[Depends(refuse_nul)], docs_url=None, redoc_url=None)
    app.state.closing, app.state.live_pages = False, 0
    for unavailable in UNAVAILABLE:
        app.add_exception_handler(unavailable, lambda *_: Response("the database is unavailable; try again", 503))

    @app.get("/messages/{message_id}/likes")
    def likes(message_id: str) -> Likes:
        """Count the people who like a message; 0 for a message that nobody has heard of."""
        return Likes(message_id=message_id, likes=feed.likes(message_id))

    @app.get("/people/{person_id}/feed")
    def items(person_id: str, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> list[Item]:
        """Give a person's news feed, newest first."""
        return feed.items(person_id, limit)

    async def refuse_too_many() -> None:
        if app.state.live_pages >= MAX_LIVE_PAGES:
            raise HTTPException(503, "too many live pages are open; try again")

    few_enough = [Depends(refuse_too_many)]

    @app.get("/people/{person_id}/feed/live", response_class=EventSourceResponse, dependencies=few_enough)
    async def live(person_id: str) -> AsyncIterable[list[Item]]:
        """Send a person's news feed as server-sent events: as it is now, and whenever it has changed."""
        shown = None
        app.state.live_pages += 1
        try:
            while not app.state.closing:
                with suppress(*UNAVAILABLE):  # the database is away: what was shown stays
                    now = await run_in_threadpool(items, person_id)
                    if now != shown:
                        yield now
                    shown = now
                await asyncio.sleep(LIVE_EVERY)
        finally:
            app.state.live_pages -= 1

    @app.get("/", include_in_schema=False)
    def page() -> HTMLResponse:
        """The live page."""
        return HTMLResponse(PAGE)

    @app.get("/livez", responses={503: {"description": "Its loop does not turn."}})
    async def livez() -> Response:
        """Say whether the process and its loop turn."""
        dead = silence() > MAX_SILENCE
        return Response("the loop does not turn" if dead else "ok", 503 if dead else 200, media_type="text/plain")

    @app.get("/healthz", responses={503: {"description": "It does not work, and says why."}})
    async def healthz() -> Response:
        """Say whether the service does its work."""
        reason = problem()
        return Response(reason or "ok", 503 if reason else 200, media_type="text/plain")

    @app.get("/metrics")
    async def metrics() -> Response:
        """Give the figures, in Prometheus' text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app


class Connection(H11Protocol):
    """A client's connection. Those that send nothing make room for others."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in H11Protocol
        """End the connection that has been idle for longest, where there are too many."""
        super().connection_made(transport)
        self.opened_at = time.monotonic()
        connections: set[Any] = self.connections
        if len(connections) > MAX_CONNECTIONS:
            idlest = min(connections, key=lambda each: (each.is_busy, each.opened_at))
            connections.discard(idlest)
            idlest.transport.abort()

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - it says nothing of use
        """Answer what is no HTTP, with the headers of every answer."""
        lines = ["HTTP/1.1 400 Bad Request", *(f"{name}: {value}" for name, value in HEADERS.items())]
        self.transport.write("\r\n".join([*lines, "content-length: 0", "connection: close", "\r\n"]).encode())
        self.transport.close()


@contextmanager
def serve(app: FastAPI, address: str) -> Iterator[None]:
    """Answer on `HOST:PORT` in a thread, until the end of the block. Raises UnusableError where it cannot listen."""
    listener = listen(address)
    settings: Any = {"http": Connection, "ws": "none", "backlog": 128, "headers": list(HEADERS.items())}
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3, server_header=False, **settings)
    )
    thread = threading.Thread(target=server.run, args=([listener],), name="http", daemon=True)
    thread.start()
    try:
        yield
    finally:
        app.state.closing = True  # live pages end by themselves
        server.should_exit = True
        thread.join(5)


def listen(address: str) -> socket.socket:
    """Return a socket that listens on `HOST:PORT`."""
    host, colon, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(colon and port)), family=family, backlog=2048)
    except (OverflowError, ValueError):
        raise UnusableError("--http cannot be read. Give it a HOST:PORT, for example localhost:8080") from None
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "the port is taken" if taken else "the host or port cannot be used on this machine"
        raise UnusableError(f"--http: {reason}. Give it a HOST:PORT that is free here") from None
