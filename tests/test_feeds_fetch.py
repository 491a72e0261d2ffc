"""Asking servers: only the public net is reached, whatever a name or a redirect says, and within every limit."""

import gzip
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ledger import clock
from ledger.feed_addresses import AddressRefused, cleaned, hosts_of, is_public, is_refused
from tests.feed_server import FeedServer, serving_feeds
from workers.jobs.feed import fetch
from workers.jobs.feed.errors import (
    BadAddress,
    BadAnswer,
    FeedError,
    HostRefused,
    TooLarge,
    TooManyRedirects,
    TooSlow,
    Unreachable,
)
from workers.jobs.feed.fetch import Answer, Limits

SHORT = Limits(size=100_000, seconds=2, silence=1, is_packed=True)


@pytest.fixture(scope="module", name="server")
def served() -> Iterator[FeedServer]:
    with serving_feeds() as server:
        yield server


def got(server: FeedServer, path: str, limits: Limits = SHORT, **headers: str) -> Answer:
    return fetch.get(server.url(path), limits, server.allowed, headers)


def pretend(monkeypatch, *answers: list[str]) -> list[str]:
    """Names lead to these addresses, at each question to the next list; the names that were asked."""
    real, left, asked = socket.getaddrinfo, list(answers), []

    def resolve(host, port, *args, **kwargs):
        if host.endswith(".example"):
            asked.append(host)
            found = left.pop(0) if len(left) > 1 else left[0]
            return [made for each in found for made in real(each, port, *args, **kwargs)]
        return real(host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


# Addresses

PUBLIC = ("8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1")
INSIDE = (
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.88.99.1", "198.18.0.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1",
    "2001:db8::1", "2001::1", "3fff::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:a00:1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808", "2002:7f00:1::1", "2002:a9fe:a9fe::1",
    "2001:4860::5efe:7f00:1", "no address",
)  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_public_net_is_public(address: str):
    assert is_public(address)


@pytest.mark.parametrize("address", INSIDE)
def test_loopback_private_special_and_wrapped_addresses_are_not_public(address: str):
    assert not is_public(address)


@pytest.mark.parametrize("text", [
    "file:///etc/passwd", "ftp://example.org/", "gopher://example.org/", "//example.org/", "example.org", "",
    "http://", "http:///feed", "http://ana:secret@example.org/", "http://example.org:99999/", "http://[::1/",
    "http://example.org/a b", "http://example.org/\r\nX: y", "http://" + "a" * 2000 + ".org/", "javascript:alert(1)",
    "http://a\\.example.org/", "http://[fe80::1%25eth0]/", "http://exa%6dple.org/", "http://a;b/",
])  # fmt: skip
def test_what_is_no_plain_address_of_the_web_is_refused(text: str):
    with pytest.raises(AddressRefused):
        cleaned(text)


def test_two_spellings_of_an_address_are_one():
    assert cleaned(" HTTPS://Example.ORG:443/a?tags=ü#top ") == cleaned("https://example.org./a?tags=%C3%BC")
    assert cleaned("https://bücher.example") == "https://xn--bcher-kva.example/"


def test_allowed_hosts_are_named_with_their_port_or_both_of_the_web():
    assert hosts_of("a.example, 10.0.0.7:8080") == {("a.example", 80), ("a.example", 443), ("10.0.0.7", 8080)}
    assert hosts_of("") == frozenset()
    for text in ("http://a", "a/b", "a:b", "u@a"):
        with pytest.raises(ValueError, match="is no host"):
            hosts_of(text)


def test_an_address_written_in_numbers_is_judged_without_asking_anybody():
    assert is_refused("http://127.0.0.1:8000/", frozenset())
    assert not is_refused("http://127.0.0.1:8000/", hosts_of("127.0.0.1:8000"))
    assert not is_refused("http://8.8.8.8/", frozenset())


# The guard


@pytest.mark.parametrize("host", [
    "127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0x7f.1", "2130706433", "0177.0.0.1",
    "127.1", "0", "169.254.169.254", "10.0.0.1", "[fe80::1]", "[64:ff9b::7f00:1]", "[fd00:ec2::254]",
])  # fmt: skip
def test_nothing_inside_is_ever_connected_to(server: FeedServer, host: str, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("a connection was made"))
    with pytest.raises(HostRefused):
        fetch.get(f"http://{host}:{server.port}/feed", SHORT)


@pytest.mark.parametrize("inside", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "192.168.0.1"])
def test_a_name_that_leads_inside_is_refused_even_if_it_leads_outside_too(monkeypatch, inside: str):
    pretend(monkeypatch, ["8.8.8.8", inside])
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("a connection was made"))
    with pytest.raises(HostRefused, match="evil.example is not on the public net"):
        fetch.get("http://evil.example/feed", SHORT)


def test_a_name_that_changes_after_its_check_gains_nothing(monkeypatch):
    asked, connected = pretend(monkeypatch, ["8.8.8.8"], ["127.0.0.1"]), []

    def connect(place, *_, **__):
        connected.append(place)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable, match="connection refused"):
        fetch.get("http://rebinding.example/feed", SHORT)
    assert (asked, connected) == (["rebinding.example"], [("8.8.8.8", 80)])
    with pytest.raises(HostRefused):
        fetch.get("http://rebinding.example/feed", SHORT)


def test_this_machines_own_public_address_is_inside(server: FeedServer, monkeypatch):
    """As if 127.0.0.1 were public: the connection begins where it ends."""
    monkeypatch.setattr("workers.jobs.feed.network.is_public", lambda address: True)
    server.serve("/feed", "inside")
    before = server.asked["/feed"]
    with pytest.raises(HostRefused):
        fetch.get(server.url("/feed"), SHORT)
    assert server.asked["/feed"] == before


@pytest.mark.parametrize("location", [
    "http://localhost:{port}/secret", "http://[::1]:{port}/secret", "//0x7f.1:{port}/secret",
    "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://[::ffff:127.0.0.1]:{port}/secret",
])  # fmt: skip
def test_a_redirect_inside_is_refused(server: FeedServer, location: str):
    server.serve("/secret", "secret")
    server.redirect("/out", location.format(port=server.port))
    only_this = frozenset({("127.0.0.1", server.port)})
    with pytest.raises(HostRefused):
        fetch.get(server.url("/out"), SHORT, only_this)
    assert server.asked["/secret"] == 0


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://example.org/", "gopher://x/", "http://u:p@x/", "http://[/"]
)
def test_a_redirect_to_another_protocol_is_refused(server: FeedServer, location: str):
    server.redirect("/out", location)
    with pytest.raises(BadAddress):
        got(server, "/out")


def test_an_allowed_host_is_allowed_at_its_port_alone(server: FeedServer):
    with pytest.raises(HostRefused):
        fetch.get(server.url("/feed"), SHORT, frozenset({("127.0.0.1", server.port + 1)}))


def test_no_proxy_of_the_environment_is_used(server: FeedServer, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server.serve("/direct", "yes")
    assert got(server, "/direct").body == b"yes"


# Answers


def test_an_encrypted_connection_is_checked_by_the_hosts_name(tmp_path, monkeypatch):
    """It goes to the checked address, and the certificate has to be the name's."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    files = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*make.split(), *files], check=True, capture_output=True)
    monkeypatch.setattr("certifi.where", lambda: str(certificate))
    with serving_feeds() as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.server.socket = context.wrap_socket(server.server.socket, server_side=True)
        server.serve("/feed", "secret")
        answer = fetch.get(f"https://localhost:{server.port}/feed", SHORT, server.allowed)
        assert answer.body == b"secret" and server.headers["/feed"]["host"] == f"localhost:{server.port}"
        with pytest.raises(Unreachable, match="certificate"):
            fetch.get(f"https://127.0.0.1:{server.port}/feed", SHORT, server.allowed)


def test_an_answer_is_read_with_its_headers_and_says_who_asks(server: FeedServer):
    server.serve("/plain", "hello", "text/xml; charset=utf-8", ETag='"7"')
    answer = got(server, "/plain", **{"If-None-Match": '"6"'})
    assert (answer.status, answer.body, answer.type, answer.headers["etag"]) == (200, b"hello", "text/xml", '"7"')
    sent = server.headers["/plain"]
    assert sent["user-agent"].startswith("Waybill/") and sent["if-none-match"] == '"6"'
    assert sent["host"] == server.place


def test_redirects_are_followed_to_their_end_but_not_without_end(server: FeedServer):
    server.serve("/end", "here")
    server.redirect("/one", "two")
    server.redirect("/two", server.url("/end"))
    assert (got(server, "/one").url, got(server, "/one").body) == (server.url("/end"), b"here")
    server.redirect("/loop", "/loop")
    with pytest.raises(TooManyRedirects):
        got(server, "/loop")
    assert server.asked["/loop"] == SHORT.redirects + 1


def test_a_packed_answer_is_unpacked(server: FeedServer):
    server.serve("/packed", gzip.compress(b"hello"), Content_Encoding="gzip")
    assert got(server, "/packed").body == b"hello"
    server.serve("/cut", gzip.compress(b"hello" * 99)[:-9], Content_Encoding="gzip")
    server.serve("/odd", b"x", Content_Encoding="br")
    server.serve("/wrong", b"not packed", Content_Encoding="gzip")
    for path in ("/cut", "/odd", "/wrong"):
        with pytest.raises(BadAnswer):
            got(server, path)


def test_a_body_that_unfolds_beyond_the_limit_is_not_unfolded(server: FeedServer):
    server.serve("/bomb", gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")
    with pytest.raises(TooLarge):
        got(server, "/bomb")


def test_a_gigabyte_is_read_no_further_than_the_limit(server: FeedServer):
    server.stream("/endless", bytes(65_536), 16_384)
    began = time.monotonic()
    with pytest.raises(TooLarge, match="larger than 25 MB"):
        got(server, "/endless", fetch.PICTURE)
    assert time.monotonic() - began < 10
    server.serve("/said", b"", Content_Length=10**12)
    with pytest.raises(TooLarge):
        got(server, "/said")


def test_endless_headers_and_what_is_no_http_are_refused():
    for said in (
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 300_000,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
    ):
        with one_answer(said) as port, pytest.raises(FeedError):
            fetch.get(f"http://127.0.0.1:{port}/", SHORT, frozenset({("127.0.0.1", port)}))


def one_answer(said: bytes):
    from contextlib import contextmanager

    @contextmanager
    def answering():
        with socket.create_server(("127.0.0.1", 0)) as listening:

            def answer() -> None:
                connection, _ = listening.accept()
                with connection:
                    try:
                        connection.recv(65_536)
                        connection.sendall(said)
                    except OSError:
                        pass

            thread = threading.Thread(target=answer, daemon=True)
            thread.start()
            yield listening.getsockname()[1]
            thread.join(5)

    return answering()


def test_a_slow_drip_ends_when_its_time_is_over(server: FeedServer):
    quick = replace(SHORT, seconds=0.6, silence=0.4)
    server.stream("/drip", b"x", 100, lambda: time.sleep(0.05))
    began = time.monotonic()
    with pytest.raises(TooSlow, match="within 0.6 seconds"):
        got(server, "/drip", quick)
    assert time.monotonic() - began < 2
    silent = threading.Event()
    server.stream("/silent", b"x", 1, lambda: silent.wait(5), Content_Length="2")
    with pytest.raises(Unreachable, match="fallen silent"):
        got(server, "/silent", replace(quick, seconds=30))
    silent.set()


def test_a_server_that_is_not_there_is_said_to_be_so():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(Unreachable, match="connection refused"):
        fetch.get(f"http://127.0.0.1:{port}/", SHORT, frozenset({("127.0.0.1", port)}))


@pytest.mark.parametrize("text, seconds", [
    ("120", 120), ("Thu, 01 Jan 1970 00:05:00 GMT", 300), ("soon", None), ("", None), ("9" * 50, 999_999_999),
])  # fmt: skip
def test_when_a_server_wants_to_be_asked_again_is_understood(text: str, seconds: int | None):
    answer = Answer("http://x/", 429, {"retry-after": text}, b"")
    assert answer.retry_at(0) == (None if seconds is None else seconds * clock.SECOND)
