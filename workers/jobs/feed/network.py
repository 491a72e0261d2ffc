"""Connections to the public net alone: the address that a socket connects to is the very one that was checked.

A host whose names lead to several addresses is refused if one of them is not public. Nothing is remembered between
two connections, so a name that is changed after its check gains nothing.
"""

import socket
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from ledger.feed_addresses import is_public
from workers.jobs.feed.errors import HostRefused, TooLarge, TooSlow, Unreachable

HEADERS_BYTES = 200_000  # what may come beside the bodies

Places = frozenset[tuple[str, int]]


class Allowance:
    """What all the answers to one question may take together: seconds, and bytes as they travel."""

    def __init__(self, seconds: float, size: int):
        self.total, self.size = seconds, size
        self.host = ""
        self._deadline = time.monotonic() + seconds
        self._left = size + HEADERS_BYTES

    def seconds(self, most: float | None) -> float:
        """What a step may take that takes ``most`` at most. Raises TooSlow when nothing is left."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TooSlow(self.host, self.total)
        return left if most is None else min(left, most)

    def take(self, count: int) -> None:
        """Raises TooLarge."""
        self._left -= count
        if self._left < 0:
            raise TooLarge(self.host, self.size)


class PublicNet(httpcore.NetworkBackend):
    """Where httpcore gets its connections. ``allowed`` places are connected to whatever their address."""

    def __init__(self, allowed: Places, allowance: Allowance):
        self._allowed, self._allowance = allowed, allowance
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Raises HostRefused, Unreachable, TooSlow."""
        self._allowance.host = host
        is_allowed = (host.lower(), port) in self._allowed
        fault: Exception | None = None
        for address in checked(host, port, is_allowed):
            try:
                made = self._sockets.connect_tcp(address, port, self._allowance.seconds(timeout))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                fault = error
                continue
            if not is_allowed and _is_this_machine(made):
                made.close()
                raise HostRefused(host)
            return Measured(made, self._allowance)
        raise Unreachable(host, said(fault)) from fault

    def connect_unix_socket(self, path: str, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        raise HostRefused(path)


def checked(host: str, port: int, is_allowed: bool) -> list[str]:
    """The addresses of a host. Raises HostRefused unless all are public, or it is allowed; Unreachable."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(host, "its name is not known") from error
    addresses = list(dict.fromkeys(sockaddr[0] for *_, sockaddr in found))
    if not is_allowed and not all(map(is_public, addresses)):
        raise HostRefused(host)
    return addresses


def _is_this_machine(stream: httpcore.NetworkStream) -> bool:
    """This machine's own public address is inside, too."""
    return stream.get_extra_info("client_addr")[0] == stream.get_extra_info("server_addr")[0]


def said(fault: BaseException | None) -> str:
    if isinstance(fault, httpcore.TimeoutException):
        return "it does not answer"
    cause = fault.__cause__ if isinstance(getattr(fault, "__cause__", None), OSError) else fault
    return (getattr(cause, "strerror", None) or str(cause) or type(cause).__name__).lower()


class Measured(httpcore.NetworkStream):
    """A connection that counts what comes in, and ends when its time is over."""

    def __init__(self, stream: httpcore.NetworkStream, allowance: Allowance):
        self._stream, self._allowance = stream, allowance

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._stream.read(max_bytes, self._allowance.seconds(timeout))
        self._allowance.take(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._allowance.seconds(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, ssl_context, server_hostname: str | None = None, timeout: float | None = None) -> "Measured":
        seconds = self._allowance.seconds(timeout)
        return Measured(self._stream.start_tls(ssl_context, server_hostname, seconds), self._allowance)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
