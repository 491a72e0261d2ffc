"""One question to a server of the public net, and its answer, within limits of size and time.

A redirect is a new question: its address is checked like the first. No proxy of the environment is used, for it
would connect to what it likes.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import httpcore

from ledger import clock
from ledger.feed_addresses import AddressRefused, cleaned, place_of
from workers.jobs.feed.errors import BadAddress, BadAnswer, TooLarge, TooManyRedirects, Unreachable
from workers.jobs.feed.inflate import Inflater
from workers.jobs.feed.network import Allowance, Places, PublicNet, said

AGENT = "Waybill/0.1 (self-hosted console for background jobs; saves the newest picture of a feed)"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
REFUSALS = frozenset({429, 503})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """``size`` in bytes, as it travels and unpacked; ``seconds`` for all redirects together, ``silence`` for a step."""

    size: int
    seconds: float = 40
    silence: float = 10
    redirects: int = 5
    is_packed: bool = False


FEED = Limits(size=5_000_000, is_packed=True)
PICTURE = Limits(size=25_000_000, seconds=60)


@dataclass(frozen=True, slots=True)
class Answer:
    """``url`` is where the redirects ended. Names of headers are in lower case. Only a 200 has a ``body``."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_refusal(self) -> bool:
        return self.status in REFUSALS

    @property
    def type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def retry_at(self, now: int) -> int | None:
        """When the server wants to be asked again, if it says so."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdecimal():
            return now + min(int(text[:9]), 10**9) * clock.SECOND
        try:
            return int(parsedate_to_datetime(text).timestamp()) * clock.SECOND
        except (ValueError, TypeError, OverflowError):
            return None


def get(url: str, limits: Limits, allowed: Places = frozenset(), headers: Mapping[str, str] | None = None) -> Answer:
    """Whatever the server answers, after redirects. Raises a FeedError when it does not, or answers too much."""
    allowance = Allowance(limits.seconds, limits.size)
    address = checked(url, url)
    for _ in range(limits.redirects + 1):
        answer = _ask(address, limits, allowed, headers or {}, allowance)
        if answer.status not in REDIRECTS or "location" not in answer.headers:
            return answer
        address = checked(_joined(address, answer.headers["location"]), answer.headers["location"])
    raise TooManyRedirects(url, limits.redirects)


def checked(address: str, said_as: str) -> str:
    """Raises BadAddress."""
    try:
        return cleaned(address)
    except AddressRefused as refused:
        raise BadAddress(said_as, str(refused)) from refused


def _joined(address: str, location: str) -> str:
    try:
        return urljoin(address, location)
    except ValueError:
        return location


def _ask(url: str, limits: Limits, allowed: Places, headers: Mapping[str, str], allowance: Allowance) -> Answer:
    host, _port = place_of(url)
    question = {"headers": _headers(urlsplit(url).netloc, limits, headers), "extensions": _times(limits)}
    with _faults(host, allowance), httpcore.ConnectionPool(network_backend=PublicNet(allowed, allowance)) as pool:
        with pool.stream("GET", url, **question) as got:
            named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in got.headers}
            body = _body(got, named, host, limits) if got.status == 200 else b""
            return Answer(url, got.status, named, body)


def _headers(host: str, limits: Limits, more: Mapping[str, str]) -> dict[str, str]:
    packing = "gzip" if limits.is_packed else "identity"
    own = {"Host": host, "User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": packing, "Connection": "close"}
    return own | dict(more)


def _times(limits: Limits) -> dict:
    return {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), limits.silence)}


def _body(got: httpcore.Response, headers: Mapping[str, str], host: str, limits: Limits) -> bytes:
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limits.size:
        raise TooLarge(host, limits.size)
    body = Inflater(host, headers.get("content-encoding", ""), limits.size)
    for part in got.iter_stream():
        body.add(part)
    return body.body()


@contextmanager
def _faults(host: str, allowance: Allowance) -> Iterator[None]:
    """What httpcore raises, in our words."""
    try:
        yield
    except httpcore.TimeoutException as error:
        allowance.seconds(None)
        raise Unreachable(host, "it has fallen silent") from error
    except (httpcore.RemoteProtocolError, httpcore.LocalProtocolError) as error:
        raise BadAnswer(host, "it is not as HTTP wants it") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise Unreachable(host, said(error)) from error
