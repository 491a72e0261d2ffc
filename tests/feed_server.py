"""A server of feeds and pictures on loopback: as real ones write them, and as nobody should."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Self

from PIL import Image

Answer = Callable[[BaseHTTPRequestHandler], None]


class FeedServer:
    """``said[path]`` answers; ``asked`` counts, ``headers[path]`` keeps what came with the last question."""

    def __init__(self, server: ThreadingHTTPServer):
        self.server, self.port = server, server.server_port
        self.said: dict[str, Answer] = {}
        self.asked: Counter[str] = Counter()
        self.headers: dict[str, dict[str, str]] = {}

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def allowed(self) -> frozenset[tuple[str, int]]:
        return frozenset({("127.0.0.1", self.port), ("localhost", self.port)})

    def url(self, path: str) -> str:
        return f"http://{self.place}{path}"

    def serve(self, path: str, body: bytes | str, media_type: str = "text/plain", status: int = 200, **headers) -> Self:
        data = body.encode() if isinstance(body, str) else body
        more = {name.replace("_", "-"): str(value) for name, value in headers.items()}

        def say(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in {"Content-Type": media_type, "Content-Length": str(len(data)), **more}.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(data)

        self.said[path] = say
        return self

    def redirect(self, path: str, location: str) -> None:
        self.serve(path, b"", status=302, Location=location)

    def stream(self, path: str, part: bytes, times: int, pause: Callable[[], object] = lambda: None, **headers) -> None:
        """``part`` again and again, as a body of unknown length."""

        def say(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.end_headers()
            for _ in range(times):
                handler.wfile.write(part)
                pause()

        self.said[path] = say

    def feed(self, *names: str, **headers) -> str:
        """An Atom feed of Flickr's shape with these pictures, the newest first, and the pictures; its address."""
        for name in names:
            self.serve(f"/{name}_b.jpg", jpeg(name), "image/jpeg")
        self.serve("/feed", atom(self.url(""), *names), "application/atom+xml; charset=utf-8", **headers)
        return self.url("/feed")


@contextmanager
def serving_feeds() -> Iterator[FeedServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served = server.feeds = FeedServer(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield served
    server.shutdown()
    server.server_close()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        feeds: FeedServer = self.server.feeds
        feeds.asked[self.path] += 1
        feeds.headers[self.path] = {name.lower(): value for name, value in self.headers.items()}
        say = feeds.said.get(self.path)
        try:
            self.send_error(404) if say is None else say(self)
        except OSError:  # the client has had enough
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def jpeg(name: str = "a", size: tuple[int, int] = (64, 48), **how) -> bytes:
    """A picture that differs by its name."""
    file = BytesIO()
    colour = tuple(hash_of(name)[:3])
    Image.new("RGB", size, colour).save(file, "JPEG", **how)
    return file.getvalue()


def hash_of(name: str) -> bytes:
    from hashlib import sha256

    return sha256(name.encode()).digest()


def atom(base: str, *names: str) -> str:
    """As https://www.flickr.com/services/feeds/photos_public.gne writes it; the first name is the newest."""
    entries = "".join(_entry(base, name, len(names) - place) for place, name in enumerate(names))
    return f"""<?xml version="1.0" encoding="utf-8" standalone="yes"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:flickr="urn:flickr:user" xmlns:media="http://search.yahoo.com/mrss/">
  <title>Uploads from everyone, tagged lighthouse</title>
  <link rel="self" href="{base}/feed" />
  <id>tag:flickr.com,2005:/photos/public/lighthouse</id>
  <updated>2026-11-0{max(1, len(names))}T10:00:00Z</updated>{entries}
</feed>"""


def _entry(base: str, name: str, day: int) -> str:
    return f"""
  <entry>
    <title>The lighthouse {name}</title>
    <link rel="alternate" type="text/html" href="https://www.flickr.com/photos/ana/{name}/"/>
    <id>tag:flickr.com,2005:/photo/{name}</id>
    <published>2026-11-0{day}T10:00:00Z</published>
    <updated>2026-11-0{day}T10:00:00Z</updated>
    <content type="html">&lt;p&gt;&lt;a href="https://flickr.com/"&gt;ana&lt;/a&gt; posted this&lt;/p&gt;</content>
    <author><name>Ana &amp; Ben</name><uri>https://www.flickr.com/people/ana/</uri></author>
    <link rel="license" type="text/html" href="https://creativecommons.org/licenses/by/2.0/deed.en" />
    <link rel="enclosure" type="image/jpeg" href="{base}/{name}_b.jpg" />
    <category term="lighthouse" scheme="https://www.flickr.com/photos/tags/" />
  </entry>"""
