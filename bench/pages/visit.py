"""Visits of pages as a browser makes them, and what they cost: time, processor time, bytes, requests."""

import http.client
import re
import time
from dataclasses import dataclass
from statistics import quantiles

from bench.usage import cpu_seconds

ENCODINGS = "gzip, deflate, br, zstd"
TIMEOUT = 120
#: What a first view fetches besides the page: style sheets, scripts, icons, pictures of the same site.
RESOURCE = re.compile(r'<(?:link\b[^>]*\brel="?(?:stylesheet|icon|shortcut icon)"?[^>]*\bhref|'
                      r'link\b[^>]*\bhref|script\b[^>]*\bsrc|img\b[^>]*\bsrc)="([^"]+)"')  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cost:
    """``p50`` and ``p95`` are milliseconds on the wire, ``cpu`` those of the server's own processor time."""

    p50: float
    p95: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Weight:
    """Of a first view with an empty cache: page, style, scripts, data; ``page_raw`` is the page alone."""

    page_raw: int
    page_sent: int
    all_sent: int
    requests: int


class Visitor:
    """One connection that is kept alive, as a browser's."""

    def __init__(self, port: int):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)

    def get(self, path: str, encodings: str = ENCODINGS) -> bytes:
        self._connection.request("GET", path, headers={"Accept-Encoding": encodings})
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}: {body[:300]!r}")
        return body

    def close(self) -> None:
        self._connection.close()


def cost(visitor: Visitor, paths: list[str], requests: int, pids: list[int]) -> Cost:
    """``paths`` together are one page: its HTML and the data that it asks for itself."""
    times, before = [], cpu_seconds(pids)
    for _ in range(requests):
        began = time.perf_counter()
        for path in paths:
            visitor.get(path)
        times.append((time.perf_counter() - began) * 1_000)
    cuts = quantiles(times, n=20)
    return Cost(cuts[9], cuts[18], (cpu_seconds(pids) - before) / requests * 1_000)


def weight(visitor: Visitor, paths: list[str]) -> Weight:
    html = visitor.get(paths[0], "identity").decode(errors="replace")
    sent = [len(visitor.get(path)) for path in [*paths, *resources_of(html)]]
    return Weight(len(html.encode()), sent[0], sum(sent), len(sent))


def resources_of(html: str) -> list[str]:
    """Addresses on the same site, each once."""
    found = dict.fromkeys(each.replace("&amp;", "&") for each in RESOURCE.findall(html))
    return [each for each in found if each.startswith("/") and not each.startswith("//")]
