"""Where swarm may send requests by itself: what settings name, but never a machine's own metadata.

A server that answers on a link-local address hands out the credentials of the machine it runs on
(169.254.169.254 of the clouds), so no setting opens those. Loopback is for the services beside
swarm: it is reached where the URL itself says so, not by a name that happens to lead there.
"""

import ipaddress
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from swarm.errors import ConfigError

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "fd00:ec2::254")))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def addresses_of(host: str, port: int) -> list[str]:
    """What the system resolves a name to; empty where it does not."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(entry[4][0]) for entry in found]


def check_url(url: str, key: str) -> None:
    """Refuse a URL that cannot be right whatever its name resolves to. Raises `ConfigError`, which
    names the setting, `key`."""
    host, _ = _place(url, key)
    literal = _literal(host)
    if literal is not None:
        _check(literal, host, key)


def check_reached(
    url: str, key: str, resolve: Callable[[str, int], list[str]] = addresses_of
) -> list[str]:
    """The addresses that a URL leads to now; each may be asked. Raises `ConfigError`. A name that
    does not resolve leads nowhere."""
    host, port = _place(url, key)
    found = resolve(host, port)
    for text in found:
        _check(ipaddress.ip_address(text.partition("%")[0]), host, key)
    return found


def _place(url: str, key: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in _PORTS:
        raise ConfigError(f"{key}: `{url[:200]}` has to be like http://host:8080.")
    return host, port or _PORTS[parts.scheme]


def _check(address: _Address, host: str, key: str) -> None:
    plain = _plain(address)
    if plain.is_loopback and not _says_loopback(host):
        raise ConfigError(
            f"{key}: `{host}` leads to this machine ({plain}); write 127.0.0.1 or localhost if "
            "that is meant."
        )
    if plain.is_link_local or plain in _METADATA or plain.is_unspecified or plain.is_multicast:
        raise ConfigError(
            f"{key}: `{host}` leads to {plain}, where no orchestrator is: link-local and metadata "
            "addresses are never asked."
        )


def _plain(address: _Address) -> _Address:
    """The IPv4 address that some IPv6 addresses only wrap."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _says_loopback(host: str) -> bool:
    literal = _literal(host)
    if literal is not None:
        return _plain(literal).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def _literal(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
