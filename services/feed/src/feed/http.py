"""The feed over HTTP: read-only JSON for apps, `/healthz` and `/metrics` for those who run it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import uvicorn
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from .feed import Feed, as_time


class Likes(BaseModel):
    """How many people like a message."""

    message_id: str
    likes: int


class Item(BaseModel):
    """One line of a person's news feed: everybody else's likes of one message, collapsed."""

    message_id: str
    line: str
    newest: str
    others: int
    at: datetime
    text: str | None
    likes: int


def make_app(feed: Feed, trouble: Callable[[], str | None]) -> FastAPI:
    """Build the application; `trouble` says what keeps the service from its work, or None. OpenAPI: `/openapi.json`."""
    app = FastAPI(title="feed", version="1")

    @app.get("/messages/{message_id}/likes")
    def likes(message_id: str) -> Likes:
        """Count the people who like a message; 0 for a message that nobody has heard of."""
        return Likes(message_id=message_id, likes=feed.likes(message_id))

    @app.get("/people/{person_id}/feed")
    def items(person_id: str, limit: int = 50) -> list[Item]:
        """Give a person's news feed, newest first."""
        return [
            Item(**item._asdict() | {"at": as_time(item.at)}, line=item.line)
            for item in feed.items(person_id, min(limit, 500))
        ]

    @app.get("/healthz", responses={503: {"description": "It does not work, and says why."}})
    def healthz() -> Response:
        """Say whether the service does its work."""
        reason = trouble()
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
    server = uvicorn.Server(uvicorn.Config(app, host=host or "127.0.0.1", port=int(port), log_level="warning"))
    thread = threading.Thread(target=server.run, name="http", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(5)
