# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where a copy of the edition is read from: a folder or a web server.

What always holds: never are more bytes kept than the limit, a server that trickles is given up,
and no redirect leads to another host. What comes back is not believed here: that is ``client``'s.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol, TypeVar, runtime_checkable
from urllib.parse import quote, urljoin, urlsplit
from weakref import WeakKeyDictionary

import urllib3

from tamizdat.edition.signed.errors import MissingError, TooLongError, UnreachableError

_MISSING: Final = (403, 404, 410)  # S3 says 403 of a file that is not there
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_HOPS = 3
_CHUNK = 16_384
_PART = 1 << 18
_HEAD_SECONDS = 30.0
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Fetcher(Protocol):
    """Reads one file of a copy; several threads may call it at once."""

    def fetch(self, name: str, limit: int) -> bytes:
        """The bytes of a file by its name in the folder.

        Raises ``MissingError`` where it is not there, ``TooLongError`` where it is longer than
        ``limit`` bytes, ``UnreachableError`` where the copy cannot be read.
        """


@runtime_checkable
class Streaming(Protocol):
    """A fetcher that hands files over in parts, so that large ones need no memory."""

    def stream(self, name: str, limit: int) -> Iterator[bytes]:
        """As ``fetch``, which may raise only once parts were handed over."""


class FolderFetcher:
    """A copy in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fetch(self, name: str, limit: int) -> bytes:
        return b"".join(self.stream(name, limit))

    def stream(self, name: str, limit: int) -> Iterator[bytes]:
        path, left = self.folder / name, limit
        try:
            if ".." in path.parts or not path.is_file():
                raise MissingError(f"{name} is not there")
            with path.open("rb") as file:
                while part := file.read(min(_PART, left + 1)):
                    if len(part) > left:
                        raise TooLongError(f"{name} is longer than {limit:,} bytes")
                    left -= len(part)
                    yield part
        except OSError as error:
            raise UnreachableError(f"{name} cannot be read: {error.strerror or error}") from error


@contextmanager
def _watched(sock: socket.socket | None, seconds: float) -> Iterator[None]:
    """The frame of an answer (its head, what stands between chunks, what trails them) must come
    within a time, too: a timeout of sockets alone begins anew with every byte."""
    watch = threading.Timer(seconds, _hang_up, (sock,))
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


# The sockets of answers: a connection that is not used again has forgotten its own by then.
_SOCKETS: WeakKeyDictionary[urllib3.BaseHTTPResponse, socket.socket] = WeakKeyDictionary()


def _answer(
    sock: socket.socket | None, get: Callable[[], urllib3.HTTPResponse]
) -> urllib3.HTTPResponse:
    with _watched(sock, _HEAD_SECONDS):
        response = get()
    if sock is not None:
        _SOCKETS[response] = sock
    return response


class _Http(urllib3.connection.HTTPConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3 has it
        return _answer(self.sock, super().getresponse)


class _Https(urllib3.connection.HTTPSConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3 has it
        return _answer(self.sock, super().getresponse)


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Https


_POOLS = {"http": _HttpPool, "https": _HttpsPool}


def _hang_up(sock: socket.socket | None) -> None:
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


class HttpFetcher:
    """A copy on a web server.

    ``timeout`` is in seconds: for a connection and for a silence. A server slower than ``rate``
    bytes a second, after ``timeout``, is given up as well. ``connections`` at most are open.
    """

    def __init__(
        self, url: str, *, timeout: float = 20.0, rate: int = 1_000, connections: int = 4
    ) -> None:
        self.url = url if url.endswith("/") else f"{url}/"
        self._timeout = timeout
        self._rate = rate
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            block=True,
            timeout=urllib3.Timeout(timeout),
            # Else an answer of 503 would be read to its end, which may never come, and its server
            # would say for how long we sleep.
            retries=urllib3.Retry(
                2, redirect=0, status=0, backoff_factor=0.2, respect_retry_after_header=False
            ),
        )
        self._pool.pool_classes_by_scheme = _POOLS

    def fetch(self, name: str, limit: int) -> bytes:
        return b"".join(self.stream(name, limit))

    def stream(self, name: str, limit: int) -> Iterator[bytes]:
        began = time.monotonic()
        try:
            response = self._open(name)
            try:
                yield from self._read(response, name, limit, began)
            except BaseException:
                _drop(response)  # What is left of the body is not wanted.
                raise
            response.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise UnreachableError(f"{self.url}{name} does not answer: {error}") from error

    def close(self) -> None:
        self._pool.clear()

    def _open(self, name: str) -> urllib3.BaseHTTPResponse:
        url = self.url + quote(name)
        headers = self._headers(name)
        for _ in range(_HOPS + 1):
            response = self._pool.request(
                "GET", url, preload_content=False, redirect=False, headers=headers
            )
            if response.status == 200:
                return response
            _drop(response)
            if response.status in _MISSING:
                raise MissingError(f"{name} is not there")
            if response.status not in _REDIRECTS:
                raise UnreachableError(f"{url} answers with status {response.status}")
            url = self._redirected(url, response.headers.get("Location", ""))
        raise UnreachableError(f"{self.url}{name} leads from redirect to redirect")

    def _headers(self, name: str) -> dict[str, str]:
        packed = name.endswith(".br")
        return {"User-Agent": "tamizdat", "Accept-Encoding": "br" if packed else "identity"}

    def _redirected(self, url: str, location: str) -> str:
        target = urljoin(url, location)
        old, new = urlsplit(url), urlsplit(target)
        safe = new.scheme == old.scheme or (old.scheme, new.scheme) == ("http", "https")
        if new.hostname != old.hostname or not safe:
            raise UnreachableError(f"{url} leads to another host, {new.hostname}: not followed")
        return target

    def _read(
        self, response: urllib3.BaseHTTPResponse, name: str, limit: int, began: float
    ) -> Iterator[bytes]:
        length = 0
        while chunk := self._chunk(response):
            length += len(chunk)
            if length > limit:
                raise TooLongError(f"{name} is longer than {limit:,} bytes: stopped")
            if time.monotonic() - began > self._timeout + length / self._rate:
                raise UnreachableError(f"{self.url}{name} comes too slowly: given up")
            yield chunk
        if response.length_remaining:
            raise UnreachableError(f"{self.url}{name} was cut off")

    def _chunk(self, response: urllib3.BaseHTTPResponse) -> bytes:
        """What comes next; empty at the end."""
        if not getattr(response, "chunked", False):
            return response.read1(_CHUNK, decode_content=False)
        with _watched(_SOCKETS.get(response), self._timeout):
            return response.read1(_CHUNK, decode_content=False)


def _drop(response: urllib3.BaseHTTPResponse) -> None:
    """End an answer whose rest is not wanted, and give its place in the pool back: the pool waits
    for ever where all places are taken."""
    response.close()
    response.release_conn()


def open_copy(where: str, *, connections: int = 4) -> FolderFetcher | HttpFetcher:
    """The copy at a URL or in a folder. Raises ``UnreachableError`` where there is no folder."""
    if where.startswith(("https://", "http://")):
        return HttpFetcher(where, connections=connections)
    folder = Path(where)
    if not folder.is_dir():
        raise UnreachableError(f"{where} is neither a folder nor the URL of a mirror")
    return FolderFetcher(folder)


def side_by_side(
    function: Callable[[_Item], _Result], items: Iterable[_Item], workers: int
) -> Iterator[_Result]:
    """The results of ``function``, in order, ``workers`` at a time; few are waiting to be taken.

    The first exception is raised in its turn; what had not begun by then is not begun.
    """
    if workers < 2:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[_Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
