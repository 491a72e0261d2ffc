"""The proxy of the fault suite: it passes everything, until it is told to fail in one of its ways."""

import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.proxy import Proxy


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        try:
            while data := self.request.recv(100_000):
                self.server.heard.append(data)
                self.request.sendall(data)
        except OSError:
            return


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True
    heard: list[bytes]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Echo) as listening:
        listening.heard = []
        threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True).start()
        yield listening
        listening.shutdown()


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with Proxy(server.server_address[1]) as made:
        yield made


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=2)


def say(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    return client.recv(len(data))


def is_cut(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except ConnectionError:
        return True


def is_silent(client: socket.socket) -> bool:
    client.settimeout(0.4)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    return False


def test_it_passes_both_ways(proxy: Proxy):
    with connect(proxy) as client:
        assert say(client, b"hello") == b"hello"


def test_it_delays(proxy: Proxy):
    with connect(proxy) as client:
        say(client, b"open")
        proxy.delay = 0.15
        began = time.monotonic()
        assert say(client, b"slow") == b"slow"
        assert 0.29 < time.monotonic() - began < 15


def test_it_cuts_what_is_open_and_serves_who_comes_again(proxy: Proxy):
    with connect(proxy) as client:
        say(client, b"open")
        proxy.cut()
        assert is_cut(client)
    with connect(proxy) as client:
        assert say(client, b"again") == b"again"


def test_it_cuts_after_so_many_bytes(proxy: Proxy, server: Server):
    proxy.cut_at = 10
    with connect(proxy) as client:
        assert say(client, b"12345") == b"12345"
        client.sendall(b"1234567")
        assert is_cut(client)
    assert b"".join(server.heard) == b"12345"


def test_it_cuts_when_something_was_said_that_the_server_still_hears(proxy: Proxy, server: Server):
    proxy.cut_when = b"COMMIT"
    with connect(proxy) as client:
        assert say(client, b"BEGIN") == b"BEGIN"
        client.sendall(b"COMMIT")
        assert is_cut(client)
    assert server.heard == [b"BEGIN", b"COMMIT"]
    with connect(proxy) as client:
        assert say(client, b"COMMIT") == b"COMMIT"  # once only


def test_it_cuts_when_something_was_said_that_the_server_never_hears(proxy: Proxy, server: Server):
    proxy.cut_when, proxy.cut_before = b"COMMIT", True
    with connect(proxy) as client:
        assert say(client, b"BEGIN") == b"BEGIN"
        client.sendall(b"COMMIT")
        assert is_cut(client)
    assert server.heard == [b"BEGIN"]


def test_a_connection_that_lost_something_stays_silent_after_the_healing_and_a_new_one_speaks(
    proxy: Proxy, server: Server
):
    with connect(proxy) as client:
        say(client, b"open")
        proxy.drop()
        client.sendall(b"lost")
        assert is_silent(client)
        proxy.heal()
        client.sendall(b"lost too")
        assert is_silent(client)
        with connect(proxy) as another:
            assert say(another, b"new") == b"new"
    assert server.heard == [b"open", b"new"]


def test_who_connects_in_a_black_hole_hears_nothing(proxy: Proxy):
    proxy.drop()
    with connect(proxy) as client:
        client.sendall(b"anybody?")
        assert is_silent(client)
