# SPDX-License-Identifier: AGPL-3.0-or-later
"""A bucket that speaks S3 as a mirror. ``obstore`` is imported here and nowhere else.

What always holds: headers are set with each object (``Cache-Control``, ``Content-Encoding: br``,
one media type), so that the bucket needs no rules but who may read and from which origins
(docs/operating/mirrors/). Up to ``ABREAST`` objects of a batch travel at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import obstore
from obstore import exceptions as vendor
from obstore.store import S3Store

from tamizdat.config import MirrorSettings
from tamizdat.mirrors.errors import (
    FullError,
    GoneError,
    MirrorError,
    MisconfiguredError,
    RefusedError,
    UnreachableError,
)
from tamizdat.mirrors.ports import Held, Outgoing, cache_lifetime

if TYPE_CHECKING:
    from obstore import Attributes
    from obstore.store import ClientConfig

ABREAST = 8
_PLACE = re.compile(r"s3://(?P<bucket>[A-Za-z0-9._-]+)(?:/(?P<prefix>[^\s]*))?")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_REFUSED = {
    "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken",
    "AllAccessDisabled", "AccountProblem", "NotSignedUp", "RequestTimeTooSkewed",
}  # fmt: skip
_FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "ServiceQuotaExceeded"}


class Credentials(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The file in ``secrets/``: TOML."""

    access_key_id: str
    secret_access_key: str


def open_target(mirror: MirrorSettings, secrets: Path, work: Path) -> BucketTarget:
    """The target of a mirror of this kind. ``work`` is not used."""
    found = _PLACE.fullmatch(mirror.target)
    if found is None:
        raise MisconfiguredError(
            f"the mirror “{mirror.name}” has the target “{mirror.target}”: write s3://bucket or "
            "s3://bucket/prefix"
        )
    keys = read_credentials(mirror, secrets)
    store = S3Store(
        found["bucket"],
        prefix=(found["prefix"] or "").strip("/") or None,
        endpoint=mirror.endpoint or None,
        region=mirror.region,
        access_key_id=keys.access_key_id,
        secret_access_key=keys.secret_access_key,
        client_options=_client(mirror.endpoint),
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=20)},
    )
    return BucketTarget(store, f"the bucket {mirror.target}")


def _client(endpoint: str) -> ClientConfig:
    return {
        "allow_http": endpoint.startswith("http://"),
        "connect_timeout": timedelta(seconds=10),
        "timeout": timedelta(seconds=120),
        "default_content_type": "application/octet-stream",
    }


def read_credentials(mirror: MirrorSettings, secrets: Path) -> Credentials:
    """Raises ``MisconfiguredError`` where the file is missing, open to others, or no such file."""
    path = secrets / (mirror.credentials or f"mirror-{mirror.name}")
    advice = (
        f'Write two lines into {path} (mode 600): access_key_id = "…" and secret_access_key = "…"'
    )
    try:
        if os.stat(path).st_mode & 0o077:  # noqa: PTH116
            raise MisconfiguredError(f"{path} can be read by others: chmod 600 {path}")
        return msgspec.toml.decode(path.read_bytes(), type=Credentials)
    except FileNotFoundError:
        raise MisconfiguredError(f"there are no keys for “{mirror.name}”. {advice}") from None
    except OSError as error:
        raise MisconfiguredError(f"{path} cannot be read ({error.strerror})") from error
    except msgspec.DecodeError:
        raise MisconfiguredError(f"{path} holds no keys. {advice}") from None  # Quotes no secret.


class BucketTarget:
    """Objects below a prefix of a bucket; ``place`` is what messages call it."""

    def __init__(self, store: S3Store, place: str) -> None:
        self._store = store
        self._place = place
        self._pool = ThreadPoolExecutor(ABREAST, thread_name_prefix="s3")

    def prepare(self) -> None:
        """A bucket is made by its owner; whether we may use it shows with the first file."""

    def put(self, files: Sequence[Outgoing]) -> None:
        # All are waited for: what is still on its way must not arrive after what follows it.
        running = [self._pool.submit(self._put, file) for file in files]
        errors = [error for one in running if (error := one.exception())]
        for error in errors:
            raise error

    def remove(self, names: Sequence[str]) -> None:
        for name in names:  # One by one: not every S3 knows the call for many.
            try:
                obstore.delete(self._store, name)
            except FileNotFoundError as error:
                self._unless_missing(error)
            except vendor.BaseError as error:
                raise self._error(error) from error

    def read(self, name: str, limit: int) -> bytes | None:
        try:
            data = bytearray()
            for chunk in obstore.get(self._store, name).stream(min_chunk_size=1):
                data += chunk
                if len(data) >= limit:
                    break
            return bytes(data[:limit])
        except FileNotFoundError as error:
            self._unless_missing(error)
            return None
        except vendor.BaseError as error:
            raise self._error(error) from error

    def names(self, folders: Iterable[str]) -> Iterator[Held]:
        try:
            for folder in folders:
                for page in obstore.list(self._store, folder):
                    for found in page:
                        yield Held(found["path"], found["size"])
        except FileNotFoundError as error:
            self._unless_missing(error)
        except vendor.BaseError as error:
            raise self._error(error) from error

    def close(self) -> None:
        self._pool.shutdown(wait=True)

    def _put(self, file: Outgoing) -> None:
        source: Path | bytes = file.source
        if isinstance(source, Path) and file.length <= 1 << 20:
            source = file.read()
        elif isinstance(source, Path) and not source.exists():
            raise FileNotFoundError(str(source))
        try:
            obstore.put(
                self._store, file.name, source, attributes=_headers(file.name), max_concurrency=2
            )
        except FileNotFoundError as error:
            self._unless_missing(error)
            raise self._error(error) from error
        except vendor.BaseError as error:
            raise self._error(error) from error

    def _unless_missing(self, error: Exception) -> None:
        """A missing file is none of these; a missing bucket is."""
        if "NoSuchBucket" in str(error):
            raise self._error(error) from error

    def _error(self, error: Exception) -> MirrorError:
        said = str(error)
        code = found[1] if (found := _CODE.search(said)) else ""
        status = found[1] if (found := _STATUS.search(said)) else ""
        what = f"{self._place} says {code or status or type(error).__name__}"
        if code == "NoSuchBucket":
            return GoneError(f"{self._place} is not there: make it, or mend its name")
        if code == "RequestTimeTooSkewed":
            return RefusedError(f"{what}: set this machine's clock right")
        if code in _FULL or status == "507":
            return FullError(f"{what}: free some of its space or raise its quota")
        if code in _REFUSED or status in ("401", "403"):
            return RefusedError(
                f"{what}: check the keys in secrets/ and what they may do (list, read, write, "
                "delete)"
            )
        if status in ("301", "307", "400", "404", "405"):
            return MisconfiguredError(f"{what}: check target, endpoint and region")
        return UnreachableError(f"{what or self._place} ({_first_line(said)})")


def _headers(name: str) -> Attributes:
    headers: Attributes = {
        "Content-Type": "application/octet-stream",
        "Cache-Control": cache_lifetime(name),
    }
    if name.endswith(".br"):
        headers["Content-Encoding"] = "br"
    return headers


def _first_line(said: str) -> str:
    return said.partition("\n")[0][:300]
