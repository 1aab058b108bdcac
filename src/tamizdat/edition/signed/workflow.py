# SPDX-License-Identifier: AGPL-3.0-or-later
"""TUF's client workflow by python-tuf's own client, as this format uses it (edition-v1.md, 6, 7).

What always holds:

- What ``run`` returns was verified by ``tuf.ngclient`` from the given root and the files known
  before; nothing is remembered here, so what fails half-way leaves no trace.
- Age alone refuses nothing: it is reported. Everything else of TUF's workflow is as it is there.
- No download is longer than its role's limit, whatever signed metadata says.
- Metadata in which one key stands under two identifiers, or an identifier twice, is refused, and
  so is that of one role in the place of another (section 2).

What is not done here: memory between runs, indexes, objects.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from tuf.api import exceptions
from tuf.api.metadata import Metadata, Root, TargetFile, Targets
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from tamizdat.edition.signed import layout
from tamizdat.edition.signed.errors import (
    BadFormatError,
    MissingError,
    RollbackError,
    StaleError,
    TamperedError,
    TooLongError,
    UnknownSignerError,
    UnreachableError,
    VerifyError,
)

Get = Callable[[str, int], bytes]
TARGETS: Final = (layout.SITE, layout.RECENT, layout.BASE, layout.MIRRORS, layout.ARCHIVE)
ROLES: Final = ("timestamp", "snapshot", "targets", "live", "archive")
_LIMITS = {"root": layout.ROOT_LIMIT, "snapshot": layout.SNAPSHOT_LIMIT}
_NEVER = datetime.min.replace(tzinfo=UTC)
_CONFIG = UpdaterConfig(
    max_root_rotations=layout.MAX_ROOTS,
    max_delegations=8,
    root_max_length=layout.ROOT_LIMIT,
    timestamp_max_length=layout.TIMESTAMP_LIMIT,
    snapshot_max_length=layout.SNAPSHOT_LIMIT,
    targets_max_length=layout.TARGETS_LIMIT,
)


class Verified(msgspec.Struct, frozen=True):
    """The outcome of one run.

    ``roots``: the files of root by version, the given one first. ``files``: those of the other
    roles. ``targets``: what is signed for under the names of ``TARGETS``, where it is.
    """

    roots: Mapping[int, bytes]
    files: Mapping[str, bytes]
    targets: Mapping[str, TargetFile]

    @property
    def root_version(self) -> int:
        return max(self.roots)

    def metadata(self, role: str) -> Metadata[Any]:
        """The verified metadata of a role."""
        data = self.roots[self.root_version] if role == "root" else self.files[role]
        return Metadata.from_bytes(data)

    def names(self) -> dict[str, bytes]:
        """The verified files by their names in the folder."""
        named = {layout.metadata_name(Root.type, v): data for v, data in self.roots.items()}
        for role, data in self.files.items():
            version = self.metadata(role).signed.version
            timestamp = role == "timestamp"
            named[layout.TIMESTAMP if timestamp else layout.metadata_name(role, version)] = data
        return named

    def expired(self, now: datetime) -> tuple[str, ...]:
        """The roles whose metadata is past its time."""
        return tuple(r for r in ("root", *self.files) if self.metadata(r).signed.is_expired(now))

    def issued(self) -> datetime:
        """When the timestamp was signed. Raises ``BadFormatError``."""
        text = self.metadata("timestamp").signed.unrecognized_fields.get("issued")
        try:
            return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except (TypeError, ValueError) as error:
            raise BadFormatError("timestamp.json does not say when it was issued") from error


def run(get: Get, root: bytes, known: Verified | None) -> Verified:
    """Run the workflow. ``get`` is given names in the folder and limits, and raises as a
    ``Fetcher`` does; ``root`` is trusted. Raises ``VerifyError``."""
    with (
        tempfile.TemporaryDirectory(prefix="tamizdat-") as name,
        said_in_our_words(),
    ):
        folder = Path(name)
        if known is not None:
            _lay_out(folder, known)
        check_strictly("root.json", root)
        updater = Updater(name, "metadata/", fetcher=_Bridge(get), config=_CONFIG, bootstrap=root)
        # The format's section 7: what is only old is shown, with its date.
        updater._trusted_set.reference_time = _NEVER
        updater.refresh()
        found = {target: updater.get_targetinfo(target) for target in TARGETS}
        return _gather(folder, root, {t: info for t, info in found.items() if info is not None})


def version_of(root: bytes) -> int:
    """The version of a root file. Raises ``BadFormatError``."""
    with said_in_our_words():
        return Metadata[Root].from_bytes(root).signed.version


def check_strictly(name: str, data: bytes) -> None:
    """Refuse what readers could read in two ways. Raises ``BadFormatError``."""
    try:
        signed = _read(data)["signed"]
        delegations = signed.get("delegations") or {}
        for keys in (signed.get("keys") or {}, delegations.get("keys") or {}):
            values = [key["keyval"]["public"].lower() for key in keys.values()]
            if len(set(values)) < len(values):
                raise BadFormatError(f"{name} has one key under two identifiers")
    except BadFormatError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadFormatError(f"{name} is not signed metadata") from error
    _check_place(role_of(name), signed)


def role_of(name: str) -> str:
    """``archive`` of ``metadata/3.archive.json``."""
    return name.rpartition("/")[2].removesuffix(".json").rpartition(".")[2]


def _check_place(role: str, signed: dict[str, Any]) -> None:
    """The holders' keys sign both ``targets`` and ``archive``, and a signature does not say for
    which: what it delegates does. Raises ``BadFormatError``."""
    if signed.get("_type") != Targets.type:
        return  # Then TUF itself refuses it in any other place.
    delegates = bool((signed.get("delegations") or {}).get("roles"))
    if delegates != (role == Targets.type):
        raise BadFormatError(f"what is shown as {role}.json was signed for another role")


@contextmanager
def said_in_our_words() -> Iterator[None]:
    """Turn python-tuf's exceptions into ours."""
    try:
        yield
    except exceptions.ExpiredMetadataError as error:
        raise StaleError(str(error)) from error
    except exceptions.UnsignedMetadataError as error:
        raise UnknownSignerError(f"not signed by this newsroom: {error}") from error
    except exceptions.BadVersionNumberError as error:
        raise RollbackError(f"versions go back or do not belong together: {error}") from error
    except exceptions.LengthOrHashMismatchError as error:
        raise TamperedError(str(error)) from error
    except exceptions.DownloadLengthMismatchError as error:
        raise TooLongError(str(error)) from error
    except exceptions.DownloadHTTPError as error:
        raise MissingError(str(error)) from error
    except exceptions.DownloadError as error:
        raise _inner(error) from error
    except (exceptions.RepositoryError, ValueError, KeyError, TypeError) as error:
        raise BadFormatError(f"metadata cannot be read: {error}") from error


class _Bridge(FetcherInterface):
    """python-tuf's port on ours."""

    def __init__(self, get: Get) -> None:
        self._get = get

    def _fetch(self, url: str) -> Iterator[bytes]:
        limit = layout.TIMESTAMP_LIMIT if url == layout.TIMESTAMP else _LIMITS.get(role_of(url))
        try:
            data = self._get(url, limit or layout.TARGETS_LIMIT)
        except MissingError as error:
            raise exceptions.DownloadHTTPError(str(error), 404) from error
        check_strictly(url, data)
        return iter([data])


def _lay_out(folder: Path, known: Verified) -> None:
    (folder / "root_history").mkdir()
    for version, data in known.roots.items():
        (folder / "root_history" / f"{version}.root.json").write_bytes(data)
    for role, data in known.files.items():
        with suppress(BadFormatError):  # A memory of what would be refused today is none.
            check_strictly(f"{role}.json", data)
            (folder / f"{role}.json").write_bytes(data)


def _gather(folder: Path, root: bytes, targets: dict[str, TargetFile]) -> Verified:
    first = version_of(root)
    last = version_of((folder / "root.json").read_bytes())
    history = folder / "root_history"
    return Verified(
        {v: (history / f"{v}.root.json").read_bytes() for v in range(first, last + 1)},
        {r: path.read_bytes() for r in ROLES if (path := folder / f"{r}.json").exists()},
        targets,
    )


def _inner(error: Exception) -> VerifyError:
    """What of ours lies under an exception of python-tuf's."""
    cause = error.__cause__
    return cause if isinstance(cause, VerifyError) else UnreachableError(str(error))


def _read(data: bytes) -> Any:
    """JSON in which numbers are whole and such that every language has them."""
    return json.loads(
        data.decode(),
        object_pairs_hook=_no_pair_twice,
        parse_int=_whole,
        parse_float=_no_number,
        parse_constant=_no_number,
    )


def _whole(digits: str) -> int:
    number = int(digits)
    return number if abs(number) < 1 << 53 else _no_number(digits)


def _no_number(digits: str) -> int:
    raise BadFormatError(
        f"signed metadata has a number that is not whole or too large: {digits[:20]}"
    )


def _no_pair_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise BadFormatError("signed metadata has a member twice")
    return made
