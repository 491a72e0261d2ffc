"""A TCP proxy on loopback that fails on demand: it passes, delays, swallows, cuts, or cuts after so many bytes."""

import asyncio
import contextlib
import threading
from dataclasses import dataclass, field
from typing import Self

from tests.processes import free_port

READ = 65_536


@dataclass
class Link:
    """One client's connection and ours to the server. A dead one says nothing more, not even that it ended."""

    writers: list[asyncio.StreamWriter]
    dead: bool = False
    sent: int = 0

    def cut(self) -> None:
        self.dead = True
        for writer in self.writers:
            writer.transport.abort()


@dataclass
class Proxy:
    """Stands in front of ``target``, a port; every method may be called from any thread."""

    target: int
    port: int = field(default_factory=free_port)
    delay: float = 0.0
    dropping: bool = False
    cut_at: int | None = None  # bytes a client may send on one connection
    cut_when: bytes | None = None  # what a client says last: it reaches the server, the answer does not come back
    cut_before: bool = False  # and now that does not reach the server either
    _links: list[Link] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        return self

    def __exit__(self, *_) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()

    def cut(self) -> None:
        """Ends every connection there is, at once and rudely."""
        self._do(self._cut())

    def drop(self) -> None:
        """Swallows all, silently. A connection that lost something never speaks again, not even after ``heal``."""
        self.dropping = True

    def heal(self) -> None:
        self.delay, self.dropping = 0.0, False
        self.cut_at, self.cut_when, self.cut_before = None, None, False

    def _do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _cut(self) -> None:
        for link in self._links:
            link.cut()
        self._links.clear()

    async def _close(self) -> None:
        self._server.close()
        await self._cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
            link = Link([writer, up_writer])
            self._links.append(link)
            await asyncio.gather(self._up(link, reader, up_writer), self._down(link, up_reader, writer))
        writer.close()

    async def _up(self, link: Link, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await self._read(link, source):
                link.sent += len(data)
                if self.cut_at is not None and link.sent > self.cut_at:
                    return link.cut()
                last = self.cut_when is not None and self.cut_when in data
                link.dead = link.dead or last  # from here on no answer comes back
                if last and self.cut_before:
                    self.cut_when = None
                    return link.cut()
                sink.write(data)
                await sink.drain()
                if last:
                    self.cut_when = None
                    await asyncio.sleep(0.1)  # the server gets it, and does it
                    return link.cut()
        await self._end(link, sink)

    async def _down(self, link: Link, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await self._read(link, source):
                if not link.dead:
                    sink.write(data)
                    await sink.drain()
        await self._end(link, sink)

    async def _read(self, link: Link, source: asyncio.StreamReader) -> bytes:
        while data := await source.read(READ):
            await asyncio.sleep(self.delay)
            link.dead = link.dead or self.dropping
            if not link.dead:
                break
        return data

    async def _end(self, link: Link, sink: asyncio.StreamWriter) -> None:
        if not (link.dead or self.dropping):
            sink.close()
