"""Which addresses a feed may have, as everybody must agree on: the form that takes one, the job that asks it. Pure."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import quote, urlsplit, urlunsplit

from ledger.errors import N_

PORTS = {"http": 80, "https": 443}
LONGEST = 2000
HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]*:[0-9a-f:.]*")
#: Global by the registries, and still nobody's public web: 6to4 relays, protocol assignments, examples, and the
#: address by which Azure's machines reach their host.
SPECIAL = tuple(
    map(ip_network, ("192.88.99.0/24", "192.0.0.0/24", "168.63.129.16/32", "2001::/23", "2001:db8::/32", "3fff::/20"))
)
UNICAST = ip_network("2000::/3")  # all of IPv6 that is given out
NAT64 = ip_network("64:ff9b::/96")
TUNNEL = ip_network("2002::/16")  # 6to4
ISATAP = {0x00005EFE, 0x02005EFE}


class AddressRefused(ValueError):
    """A text is no address of a feed; raised by ``cleaned``. ``sentence`` may be translated."""

    def __init__(self, sentence: str):
        self.sentence = sentence
        super().__init__(sentence)


def cleaned(text: str) -> str:
    """The address, written in one way: two spellings of it are one feed. Raises AddressRefused."""
    text = text.strip()
    if not text.isprintable() or " " in text:
        raise AddressRefused(N_("An address has no spaces and no control characters."))
    try:
        parts = urlsplit(text)
        host, port = host_of(parts.hostname or ""), parts.port
    except ValueError:
        raise AddressRefused(N_("This is no address. Write it like https://example.org/feed.xml.")) from None
    if parts.scheme not in PORTS:
        raise AddressRefused(N_("Write the whole address, beginning with https:// or http://."))
    if not HOST.fullmatch(host):
        raise AddressRefused(N_("This address names no host."))
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(N_("An address with a name or a password in it would be shown to everybody."))
    place = f"[{host}]" if ":" in host else host
    place += f":{port}" if port not in (None, PORTS[parts.scheme]) else ""
    address = urlunsplit((parts.scheme, place, _escaped(parts.path) or "/", _escaped(parts.query), ""))
    if len(address) > LONGEST:
        raise AddressRefused(N_("This address is too long."))
    return address


def _escaped(part: str) -> str:
    return quote(part, safe="/%:@!$&'()*+,;=?-._~[]")


def host_of(name: str) -> str:
    """A host's name in lower case and ASCII. Raises ValueError."""
    name = name.rstrip(".").lower()
    return name if name.isascii() else name.encode("idna").decode()


def place_of(address: str) -> tuple[str, int]:
    """The host and the port of an address that ``cleaned`` has written."""
    parts = urlsplit(address)
    return parts.hostname or "", parts.port or PORTS[parts.scheme]


def hosts_of(text: str) -> frozenset[tuple[str, int]]:
    """``a:8080, b`` as places; without a port, the two of the web. Raises ValueError."""
    found: set[tuple[str, int]] = set()
    for each in filter(None, (part.strip() for part in text.split(","))):
        try:
            parts = urlsplit(f"//{each}")
            host, ports = host_of(parts.hostname or ""), [parts.port] if parts.port else PORTS.values()
        except ValueError:
            host = ""
        if not host or parts.path or parts.username is not None:
            raise ValueError(f"{each!r} is no host, like intranet.example or 10.0.0.7:8080")
        found.update((host, port) for port in ports)
    return frozenset(found)


def is_public(text: str) -> bool:
    """Whether an IP address belongs to the public net, and so does every address that it has inside."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return all(_is_public(each) for each in unwrapped(address))


def unwrapped(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """What is reached by it: the IPv4 address of a mapped or translated one; itself and that one for a tunnel's."""
    if address.version == 4:
        return [address]
    if address.scope_id is not None:
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    number = int(address)
    inside = IPv4Address(number & 0xFFFFFFFF)
    if address in NAT64:
        return [inside]
    if address in TUNNEL:
        return [address, IPv4Address(number >> 80 & 0xFFFFFFFF)]
    if number >> 32 & 0xFFFFFFFF in ISATAP:
        return [address, inside]
    return [address]


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if address.version == 6 and (address.scope_id is not None or address not in UNICAST):
        return False
    refused = (
        address.is_private, address.is_loopback, address.is_link_local, address.is_multicast, address.is_reserved,
        address.is_unspecified,
    )  # fmt: skip
    return address.is_global and not any(refused) and not any(address in net for net in SPECIAL)


def is_refused(address: str, allowed: frozenset[tuple[str, int]]) -> bool:
    """Whether the host is written as an address that is not public: known without asking anybody."""
    host, port = place_of(address)
    try:
        ip_address(host)
    except ValueError:
        return False
    return (host, port) not in allowed and not is_public(host)
