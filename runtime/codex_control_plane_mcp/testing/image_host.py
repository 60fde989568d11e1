"""A web host on loopback that serves what a test puts there, and an image to put there."""

import struct
import zlib
from collections.abc import Generator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of the host."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ImageHost:
    """A running host; `pages` may be changed at any time, `asked` holds the Host header of every request."""

    port: int
    pages: MutableMapping[str, Page]
    asked: list[str]

    @property
    def name(self) -> str:
        """Its name and port, as the setting `image_hosts` takes them."""
        return f"127.0.0.1:{self.port}"

    def address(self, path: str) -> str:
        """Return the address of a page."""
        return f"http://{self.name}{path}"


@contextmanager
def image_host() -> Generator[ImageHost]:
    """Give a host of its own."""
    pages: dict[str, Page] = {}
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Host"])
            page = pages.get(self.path, Page(status=404))
            self.send_response(page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield ImageHost(server.server_port, pages, asked)
        finally:
            server.shutdown()
            thread.join()


def png(grey: int) -> bytes:
    """Return a PNG of one pixel, black (0) to white (255)."""
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes([0, grey]))),
        (b"IEND", b""),
    )
    framed = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)
