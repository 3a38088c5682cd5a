"""A proxy in front of a Redis that answers with errors, cuts connections, or leads to another server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import hiredis


class RedisProxy:
    """One address for clients, whatever server is behind it; it runs in a thread of its own."""

    def __init__(self, port: int) -> None:
        self.target = port
        """The port of the server to which new connections lead."""
        self.error: str | None = None
        """The answer to every command, for example `MISCONF`; None to pass commands on."""
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        serving = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Abort every connection."""
        for writer in list(self._writers):
            self._loop.call_soon_threadsafe(writer.transport.abort)

    def close(self) -> None:
        """Stop."""
        self._loop.call_soon_threadsafe(self._server.close)
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(OSError):
            back, forth = await asyncio.open_connection("127.0.0.1", self.target)
            self._writers.add(forth)
            await asyncio.gather(self._pass_commands(reader, writer, forth), self._pass_replies(back, writer))
            self._writers.discard(forth)
        self._writers.discard(writer)
        writer.close()

    async def _pass_commands(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, forth: asyncio.StreamWriter
    ) -> None:
        commands = hiredis.Reader()
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                commands.feed(data)
                while (command := commands.gets()) is not False:
                    if self.error:
                        writer.write(f"-{self.error} by the proxy\r\n".encode())
                    else:
                        forth.write(hiredis.pack_command(tuple(command)))
        forth.close()

    @staticmethod
    async def _pass_replies(back: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await back.read(1 << 16):
                writer.write(data)
        writer.close()


@contextmanager
def redis_proxy(port: int) -> Iterator[RedisProxy]:
    """Run a proxy in front of the Redis on a port of this machine."""
    proxy = RedisProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
