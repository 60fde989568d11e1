"""Fetching images: from public addresses only, within bounds, and with a word on what went wrong."""

from collections.abc import Iterator

import pytest

from codex_control_plane_mcp.images import FetchFailed, ImageUnusable
from codex_control_plane_mcp.testing.image_host import ImageHost, Page, image_host
from codex_control_plane_mcp.worker.fetching import MOST_REDIRECTS, Bounds, fetch, is_public

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, the only loop that the product uses."""
    return "asyncio"


@pytest.fixture
def host() -> Iterator[ImageHost]:
    """A web host on loopback."""
    with image_host() as running:
        yield running


def bounds(host: ImageHost, *more: str) -> Bounds:
    """Return bounds that allow the host."""
    return Bounds(size=1000, seconds=20, hosts={host.name, *more})


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    """They may be fetched from."""
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff0e::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_addresses_of_a_network_are_not(address: str) -> None:
    """Private, loopback, link-local, multicast, and IPv6 that stands for them."""
    assert not is_public(address)


async def test_what_is_there_is_returned(host: ImageHost) -> None:
    """The host is asked by its name, over the address that was checked."""
    host.pages["/a?b=c"] = Page(b"content")
    assert await fetch(f"http://localhost:{host.port}/a?b=c", bounds(host, "localhost")) == b"content"
    assert host.asked == [f"localhost:{host.port}"]


async def test_a_private_host_is_not_connected_to(host: ImageHost) -> None:
    """The setting that would allow it is named."""
    with pytest.raises(FetchFailed, match="CODEX_MCP_IMAGE_HOSTS"):
        await fetch(host.address("/a"), Bounds(size=1000, seconds=20))
    assert host.asked == []


@pytest.mark.parametrize("written", ["0x7f000001", "2130706433", "127.1", "[::ffff:127.0.0.1]"])
async def test_no_way_of_writing_a_private_address_leads_there(host: ImageHost, written: str) -> None:
    """What counts is the address that is connected to."""
    with pytest.raises(FetchFailed):
        await fetch(f"http://{written}:{host.port}/a", Bounds(size=1000, seconds=20))
    assert host.asked == []


async def test_a_redirect_is_checked_like_any_address(host: ImageHost) -> None:
    """An allowed host may not lead to a private one."""
    host.pages["/a"] = Page(status=302, headers={"Location": f"http://localhost:{host.port}/b"})
    with pytest.raises(FetchFailed, match="private address"):
        await fetch(host.address("/a"), bounds(host))
    assert len(host.asked) == 1


async def test_redirects_are_followed(host: ImageHost) -> None:
    """Also relative ones."""
    host.pages["/a"] = Page(status=301, headers={"Location": "/b"})
    host.pages["/b"] = Page(b"content")
    assert await fetch(host.address("/a"), bounds(host)) == b"content"


async def test_redirects_have_an_end(host: ImageHost) -> None:
    """A circle is left."""
    host.pages["/a"] = Page(status=302, headers={"Location": "/a"})
    with pytest.raises(FetchFailed, match="redirects"):
        await fetch(host.address("/a"), bounds(host))
    assert len(host.asked) == MOST_REDIRECTS + 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://example.org/a"])
async def test_a_redirect_leads_to_the_web_only(host: ImageHost, location: str) -> None:
    """No other scheme is followed."""
    host.pages["/a"] = Page(status=302, headers={"Location": location})
    with pytest.raises(FetchFailed, match="neither http nor https"):
        await fetch(host.address("/a"), bounds(host))


async def test_no_more_is_read_than_the_bound(host: ImageHost) -> None:
    """Whatever length the host names, or none."""
    host.pages["/a"] = Page(b"x" * 1001)
    with pytest.raises(ImageUnusable, match="larger than 1000 bytes"):
        await fetch(host.address("/a"), bounds(host))


@pytest.mark.parametrize(("status", "passing"), [(404, False), (403, False), (503, True), (429, True)])
async def test_a_refusal_says_whether_it_may_pass(host: ImageHost, status: int, passing: bool) -> None:
    """A host in trouble is worth another try, a missing page is not."""
    host.pages["/a"] = Page(status=status)
    with pytest.raises(FetchFailed, match=str(status)) as failed:
        await fetch(host.address("/a"), bounds(host))
    assert failed.value.passing is passing


async def test_a_host_that_does_not_listen_may_come_back() -> None:
    """The port was free a moment ago."""
    with image_host() as gone:
        address = gone.address("/a")
    with pytest.raises(FetchFailed) as failed:
        await fetch(address, bounds(gone))
    assert failed.value.passing
