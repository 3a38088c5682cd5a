"""A proxy in front of a registry: it counts what changes something, and answers in its place where a test says so."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from brokers.certificates import Certificates

Answer = tuple[int, str, bytes]
JSON = "application/json"


class RegistryProxy:
    """A registry's address of its own. What is registered in a `group` of Apicurio's is seen nowhere else.

    `answers` are asked before the registry: each gets the method, the path and the body, and returns an answer or None.
    `requests` are what was asked, and `changes` those that change something, by method and path.
    """

    def __init__(self, target: str | None, group: str, certificates: Certificates | None = None) -> None:
        self.answers: list[Callable[[str, str, bytes], Answer | None]] = []
        self.requests: list[tuple[str, str]] = []
        self.seen_headers: list[dict[str, str]] = []
        self._target, self._group = target, group
        self._client = httpx.Client(timeout=60)
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, media_type, content = proxy.answer(self.command, self.path, body, dict(self.headers))
                self.send_response(status)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = serve  # noqa: N815 - http.server's names

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        scheme = "http"
        if certificates:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificates.both)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def changes(self) -> list[tuple[str, str]]:
        return [
            (method, path) for method, path in self.requests
            if method in ("PUT", "DELETE") or (method == "POST" and path.endswith("/versions"))
        ]  # fmt: skip

    def answer(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        self.requests.append((method, path.partition("?")[0]))
        self.seen_headers.append(headers)
        for each in self.answers:
            if (found := each(method, path, body)) is not None:
                return found
        if self._target is None:
            return 404, JSON, json.dumps({"error_code": 40401, "message": "not found"}).encode()
        sent = {"Content-Type": headers.get("Content-Type", JSON)}
        if self._group:
            sent["X-Registry-GroupId"] = self._group
        found = self._client.request(method, self._target + path, content=body, headers=sent)
        return found.status_code, found.headers.get("Content-Type", ""), found.content

    def add(self, method: str, path: str, status: int, content: Any, media_type: str = JSON) -> None:
        """Answer one request in place of the registry: with JSON, or with bytes as they are."""
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()

        def answer(asked: str, of: str, _: bytes) -> Answer | None:
            return (status, media_type, raw) if (asked, of.partition("?")[0]) == (method, path) else None

        self.answers.append(answer)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._client.close()


@contextmanager
def registry_proxy(target: str | None, group: str, certificates: Certificates | None = None) -> Iterator[RegistryProxy]:
    """Run a proxy in front of a registry, or one with answers of a test only."""
    proxy = RegistryProxy(target, group, certificates)
    try:
        yield proxy
    finally:
        proxy.close()
