"""Fetching an image that a task names by its address, from nowhere but the public internet (contract §3).

The address of a host is looked up once, checked, and then connected to: what a name means later does not
matter. The same holds for every redirect. Hosts that the setting `image_hosts` names are exempt.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx2

from codex_control_plane_mcp.images import FetchFailed, ImageUnusable

MOST_REDIRECTS: Final = 5

_PORTS: Final = {"http": 80, "https": 443}
_EMBEDDING: Final = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")))
"""IPv6 networks whose addresses stand for IPv4 ones, which may be private."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of an answer is taken, how long it may last, and which hosts may have private addresses."""

    size: int
    seconds: float
    hosts: Collection[str] = ()


async def fetch(address: str, bounds: Bounds) -> bytes:
    """Return what is at an http or https address. Raises FetchFailed, and ImageUnusable for too much."""
    try:
        async with (
            asyncio.timeout(bounds.seconds),
            httpx2.AsyncClient(trust_env=False, timeout=bounds.seconds) as client,
        ):
            for _ in range(MOST_REDIRECTS + 1):
                found = await _answer(client, urlsplit(address), bounds)
                if isinstance(found, bytes):
                    return found
                address = urljoin(address, found)
    except TimeoutError as late:
        raise FetchFailed(f"was not there within {bounds.seconds:g} s", passing=True) from late
    except httpx2.InvalidURL as fault:
        raise FetchFailed("has no usable address") from fault
    except httpx2.HTTPError as fault:
        raise FetchFailed(f"could not be fetched ({type(fault).__name__})", passing=True) from fault
    raise FetchFailed(f"is more than {MOST_REDIRECTS} redirects away")


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public internet, and stands for no other."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _EMBEDDING)


async def _answer(client: httpx2.AsyncClient, parts: SplitResult, bounds: Bounds) -> bytes | str:
    """Return the content, or the address that a redirect leads to."""
    if parts.scheme not in _PORTS or not parts.hostname:
        raise FetchFailed("leads to an address that is neither http nor https")
    checked = await _checked_address(parts, bounds.hosts)
    # The connection goes to the checked address; the certificate is that of the name all the same.
    url = httpx2.URL(parts.geturl()).copy_with(host=checked, username=None, password=None)
    host = parts.netloc.rpartition("@")[2]
    async with client.stream(
        "GET",
        url,
        headers={"Host": host, "Accept": "image/*", "Accept-Encoding": "identity"},
        extensions={"sni_hostname": parts.hostname},
    ) as answer:
        if answer.has_redirect_location:
            return answer.headers["location"]
        if answer.status_code != HTTPStatus.OK:
            passing = answer.status_code == HTTPStatus.TOO_MANY_REQUESTS or answer.is_server_error
            raise FetchFailed(f"was refused with HTTP status {answer.status_code}", passing=passing)
        return await _content(answer, bounds.size)


async def _content(answer: httpx2.Response, limit: int) -> bytes:
    content = bytearray()
    async for part in answer.aiter_raw():
        content += part
        if len(content) > limit:
            raise ImageUnusable(f"is larger than {limit} bytes")
    return bytes(content)


async def _checked_address(parts: SplitResult, hosts: Collection[str]) -> str:
    """Return an IP address of a host that may be connected to."""
    host = parts.hostname or ""
    try:
        port = parts.port or _PORTS[parts.scheme]
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError) as fault:
        raise FetchFailed("is on a host that is not known", passing=isinstance(fault, OSError)) from fault
    addresses = [str(entry[4][0]) for entry in found]
    exempt = host in hosts or f"{host}:{port}" in hosts
    if not exempt and not all(map(is_public, addresses)):
        raise FetchFailed("is on a host with a private address; CODEX_MCP_IMAGE_HOSTS may allow it")
    return addresses[0]
