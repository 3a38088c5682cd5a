"""The feed over HTTP: read-only JSON for apps, a live page, `/healthz` and `/metrics` for those who run it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from .likes import Feed
from .store import UNAVAILABLE, Item

LIVE_EVERY = 0.3
"""Seconds between two looks at the store for a live page: other members write to it, too."""
MAX_CLIENTS = 500


class Likes(BaseModel):
    """How many people like a message."""

    message_id: str
    likes: int


def refuse_nul(request: Request) -> None:
    """Answer 400 to an id with a NUL character, which PostgreSQL cannot hold."""
    if any("\0" in value for value in request.path_params.values()):
        raise HTTPException(400, "an id cannot contain a NUL character")


def make_app(feed: Feed, problem: Callable[[], str | None]) -> FastAPI:
    """Build the application; `problem` says what keeps the service from its work, or None. OpenAPI: `/openapi.json`."""
    app = FastAPI(title="feed", version="1", dependencies=[Depends(refuse_nul)])
    app.state.closing = False
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

    @app.get("/people/{person_id}/feed/live", response_class=EventSourceResponse)
    async def live(person_id: str) -> AsyncIterable[list[Item]]:
        """Send a person's news feed as server-sent events: as it is now, and whenever it has changed."""
        shown = None
        while not app.state.closing:
            with suppress(*UNAVAILABLE):  # the database is away: what was shown stays
                now = await run_in_threadpool(items, person_id)
                if now != shown:
                    yield now
                shown = now
            await asyncio.sleep(LIVE_EVERY)

    @app.get("/", include_in_schema=False)
    def page() -> HTMLResponse:
        """The live page."""
        return HTMLResponse(Path(__file__).with_name("live.html").read_bytes())

    @app.get("/healthz", responses={503: {"description": "It does not work, and says why."}})
    def healthz() -> Response:
        """Say whether the service does its work."""
        reason = problem()
        return Response(reason or "ok", 503 if reason else 200, media_type="text/plain")

    @app.get("/metrics")
    def metrics() -> Response:
        """Give the figures, in Prometheus' text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app


@contextmanager
def serve(app: FastAPI, address: str) -> Iterator[None]:
    """Answer on `HOST:PORT` in a thread, until the end of the block."""
    host, _, port = address.rpartition(":")
    config = uvicorn.Config(
        app, host=host or "127.0.0.1", port=int(port), log_level="warning",
        limit_concurrency=MAX_CLIENTS, timeout_graceful_shutdown=3,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="http", daemon=True)
    thread.start()
    try:
        yield
    finally:
        app.state.closing = True  # live pages end by themselves
        server.should_exit = True
        thread.join(5)
