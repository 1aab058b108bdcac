# SPDX-License-Identifier: AGPL-3.0-or-later
"""A ``Letterbox`` over HTTPS: logs in by signature, lists, fetches, removes.

What always holds: nothing goes over the net in clear but to an onion service or this machine; no
redirect is followed; an answer is cut off at its cap; every wait ends, also where a drop sends a
byte a minute (``LONGEST``).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec
import urllib3
import urllib3.connection
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tamizdat.drop.batches import MOST_BATCH, Batch, is_name
from tamizdat.drop.client import host_of, login_message
from tamizdat.drop.errors import LetterboxError
from tamizdat.drop.spool import MOST_LISTED

LONGEST = 900.0  # seconds for a whole answer: 16 MiB at 18 kB/s
_TIMEOUT = urllib3.Timeout(connect=15.0, read=60.0)
_MOST_JSON = 1024 * 1024
_CHUNK = 1 << 16
_BATCHES = "/v1/collect/batches"
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
# Status codes after which asking again the same way is of no use.
_REFUSED = (400, 403, 405)


class HttpsLetterbox:
    """``url`` is the drop's base; ``key`` the desk's collector key. Connects when it is used."""

    def __init__(self, url: str, key: Ed25519PrivateKey) -> None:
        self._url = url.rstrip("/")
        self._host = host_of(url)
        secure = urlsplit(url).scheme == "https"
        if not (secure or self._host in _LOCAL or self._host.endswith(".onion")):
            raise LetterboxError(
                f"{url} would be collected from in clear: it must begin with https://",
                permanent=True,
            )
        self._key = key
        self._token = ""
        self._hashes: dict[str, str] = {}
        self._line = _Line()
        self._pool = self._line.pool()

    def batches(self) -> list[Batch]:
        raw = self._asked("GET", _BATCHES, most=_MOST_JSON)
        try:
            found = [Batch(**item) for item in msgspec.json.decode(raw, type=list[dict[str, Any]])]
        except (msgspec.DecodeError, TypeError) as error:
            raise self._error("lists its batches in no way that is known here") from error
        if len(found) > MOST_LISTED or not all(_sound(batch) for batch in found):
            raise self._error("lists batches that make no sense")
        self._hashes = {batch.name: batch.sha256 for batch in found}
        return found

    def read(self, name: str) -> bytes:
        data = self._asked("GET", self._batch(name), most=MOST_BATCH)
        wanted = self._hashes.get(name)
        if wanted is not None and hashlib.sha256(data).hexdigest() != wanted:
            raise self._error(f"sent {name} cut off or altered")
        return data

    def remove(self, name: str, sha256: str) -> None:
        self._asked("DELETE", self._batch(name), headers={"If-Match": f'"{sha256}"'}, most=_CHUNK)

    def close(self) -> None:
        self._token = ""
        self._pool.clear()

    def _batch(self, name: str) -> str:
        if not is_name(name):
            raise self._error(f"has no batch named “{name[:100]}”", permanent=True)
        return f"{_BATCHES}/{name}"

    def _asked(
        self, method: str, path: str, *, most: int, headers: dict[str, str] | None = None
    ) -> bytes:
        """The answer's body, after logging in where that is needed; once again where it is lost."""
        for again in (True, False):
            if not self._token:
                self._token = self._logged_in()
            bearer = {"Authorization": f"Bearer {self._token}", **(headers or {})}
            status, body = self._request(method, path, headers=bearer, most=most)
            if status != 401 or not again:
                break
            self._token = ""
        self._check(status, path)
        return body

    def _logged_in(self) -> str:
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
        nonce = self._told("/v1/collect/session", {"key": public}, "nonce")
        signature = self._key.sign(login_message(self._host, nonce)).hex()
        return self._told(f"/v1/collect/session/{nonce}", {"signature": signature}, "token")

    def _told(self, path: str, question: dict[str, str], member: str) -> str:
        status, body = self._request(
            "POST", path, body=json.dumps(question).encode(), most=_MOST_JSON
        )
        self._check(status, "/v1/collect/session")
        try:
            found = json.loads(body)[member]
        except (ValueError, KeyError, TypeError, RecursionError):
            found = None
        if not isinstance(found, str) or not found.isalnum() or len(found) > 128:
            raise self._error("answers the log-in in no way that is known here")
        return found

    def _request(
        self,
        method: str,
        path: str,
        *,
        most: int,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> tuple[int, bytes]:
        try:
            with self._line.limited(LONGEST):
                answer = self._pool.request(
                    method,
                    self._url + path,
                    headers={"Accept-Encoding": "identity", **(headers or {})},
                    body=body,
                    redirect=False,
                    preload_content=False,
                )
                try:
                    return answer.status, self._capped(answer, most)
                finally:
                    answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._error(f"cannot be reached: {error}") from error

    def _capped(self, answer: urllib3.BaseHTTPResponse, most: int) -> bytes:
        found = bytearray()
        while chunk := answer.read(_CHUNK, decode_content=False):
            found += chunk
            if len(found) > most:
                answer.close()
                raise self._error(f"sends more than the {most:,} bytes that an answer may have")
        return bytes(found)

    def _check(self, status: int, path: str) -> None:
        if status in (401, 403):
            raise self._error(
                "does not know this desk's key: make its drop.toml anew (tamizdat drop init), and "
                "see that “hosts” names the host by which the desk calls it",
                permanent=True,
            )
        if status not in (200, 204, 206):
            raise self._error(f"answers {status} to {path}", permanent=status in _REFUSED)

    def _error(self, what: str, *, permanent: bool = False) -> LetterboxError:
        return LetterboxError(f"the drop {self._url} {what}", permanent=permanent)


def _sound(batch: Batch) -> bool:
    return (
        isinstance(batch.name, str)
        and is_name(batch.name)
        and isinstance(batch.length, int)
        and 0 < batch.length <= MOST_BATCH
        and isinstance(batch.sha256, str)
    )


class _Line:
    """The newest connection, known beside urllib3 so that it can be cut off: its own timeouts begin
    anew with each byte. Held weakly: urllib3 opens and closes it."""

    def __init__(self) -> None:
        self._sockets: list[Callable[[], socket.socket | None]] = []

    def pool(self) -> urllib3.PoolManager:
        """One whose newest connection is known here."""
        know = self._know

        class Plain(urllib3.connection.HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return know(self, super()._new_conn())

        class Secure(urllib3.connection.HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return know(self, super()._new_conn())

        class PlainPool(urllib3.HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(urllib3.HTTPSConnectionPool):
            ConnectionCls = Secure

        made = urllib3.PoolManager(timeout=_TIMEOUT, retries=False, maxsize=1)
        made.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
        return made

    def _know(self, line: urllib3.connection.HTTPConnection, raw: socket.socket) -> socket.socket:
        """``raw`` until TLS has taken it over, then the one in its place."""
        known = weakref.ref(line)
        self._sockets = [weakref.ref(raw), lambda: getattr(known(), "sock", None)]
        return raw

    @contextlib.contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """Cut the connection off where what is done takes longer."""
        clock = threading.Timer(seconds, self._cut)
        clock.daemon = True
        clock.start()
        try:
            yield
        finally:
            clock.cancel()

    def _cut(self) -> None:
        for known in self._sockets:
            found = known()
            if found is not None:
                with contextlib.suppress(OSError):  # It has ended by itself.
                    # Not the method of a TLS socket: that one is not for two threads.
                    socket.socket.shutdown(found, socket.SHUT_RDWR)
