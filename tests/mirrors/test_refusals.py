# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a mirror refuses, and what we say of it: every error is one of ours and says what to do."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from obstore import exceptions as vendor

from tamizdat.config import MirrorSettings
from tamizdat.mirrors import kinds, rsync, s3
from tamizdat.mirrors.errors import (
    FullError,
    GoneError,
    MirrorError,
    MisconfiguredError,
    RefusedError,
    UnreachableError,
)
from tamizdat.mirrors.folder import MARKER, FolderTarget
from tamizdat.mirrors.ports import Outgoing
from tests.mirrors.conftest import Place, make_place, write_keys

FILE = Outgoing("metadata/current", b"one", 3)


def put(place: Place) -> None:
    with contextlib.closing(place.open()) as target:
        target.put([FILE])


@pytest.fixture
def bucket(request: pytest.FixtureRequest, tmp_path: Path, secrets: Path) -> Place:
    return make_place(request, "s3", tmp_path, secrets)


@pytest.fixture
def machine(request: pytest.FixtureRequest, tmp_path: Path, secrets: Path) -> Place:
    return make_place(request, "rsync", tmp_path, secrets)


def changed(place: Place, **settings: Any) -> Place:
    new = MirrorSettings(**{**_fields(place.settings), **settings})
    return Place(new, place.secrets, place.work, place.folder)


def _fields(settings: MirrorSettings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


# A bucket


@pytest.mark.parametrize(
    "keys", [{"secret": "another-secret"}, {"access": "SOMEBODYELSESKEY0001"}], ids=str
)
def test_keys_that_a_bucket_refuses_are_a_matter_for_a_person(
    keys: dict[str, str], bucket: Place, secrets: Path
) -> None:
    write_keys(secrets, **keys)
    with pytest.raises(RefusedError, match="check the keys in secrets/") as caught:
        put(bucket)
    assert caught.value.permanent


def test_a_bucket_that_is_missing_is_a_matter_for_a_person(bucket: Place) -> None:
    place = changed(bucket, target="s3://no-such-bucket")
    with pytest.raises(GoneError, match="s3://no-such-bucket is not there") as caught:
        put(place)
    assert caught.value.permanent
    with contextlib.closing(place.open()) as target:
        with pytest.raises(GoneError):
            target.read("metadata/current", 10)
        with pytest.raises(GoneError):
            list(target.names(["metadata"]))


def test_a_bucket_that_does_not_answer_may_come_back(bucket: Place) -> None:
    with _silent_port() as port, pytest.raises(UnreachableError) as caught:
        put(changed(bucket, endpoint=f"http://127.0.0.1:{port}"))
    assert not caught.value.permanent


def test_a_bucket_gets_its_headers_with_each_object(bucket: Place) -> None:
    import obstore

    with contextlib.closing(bucket.open()) as target:
        assert isinstance(target, s3.BucketTarget)
        names = ["metadata/current", "objects/aa/aa11", "objects/aa/aa11.br"]
        target.put([Outgoing(name, b"x", 1) for name in names])
        found = [obstore.head(target._store, name) for name in names]
        heads = [obstore.get(target._store, name).attributes for name in names]
    assert [head["size"] for head in found] == [1, 1, 1]
    assert heads[0]["Cache-Control"] == "public, max-age=60"
    assert heads[1]["Cache-Control"] == "public, max-age=31536000, immutable"
    assert heads[2]["Content-Encoding"] == "br"
    assert "Content-Encoding" not in heads[1]


@pytest.mark.parametrize("content", ["", "access_key_id = 1", "secret", None])
def test_keys_that_cannot_be_used_are_said_without_quoting_them(
    content: str | None, bucket: Place, secrets: Path
) -> None:
    file = secrets / "mirror-mirror"
    file.unlink()
    if content is not None:
        file.write_text(content)
        file.chmod(0o600)
    with pytest.raises(MisconfiguredError, match="access_key_id = "):
        put(bucket)


def test_keys_that_others_can_read_are_not_used(bucket: Place, secrets: Path) -> None:
    (secrets / "mirror-mirror").chmod(0o644)
    with pytest.raises(MisconfiguredError, match="chmod 600"):
        put(bucket)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("<Code>AccessDenied</Code>", RefusedError),
        ("<Code>ExpiredToken</Code>", RefusedError),
        ("<Code>RequestTimeTooSkewed</Code>", RefusedError),
        ("status code: 403 Forbidden", RefusedError),
        ("status code: 401 Unauthorized", RefusedError),
        ("<Code>NoSuchBucket</Code>", GoneError),
        ("<Code>QuotaExceeded</Code>", FullError),
        ("status code: 507 Insufficient Storage", FullError),
        ("status code: 301 Moved", MisconfiguredError),
        ("status code: 400 Bad Request", MisconfiguredError),
        ("<Code>SlowDown</Code> status code: 503", UnreachableError),
        ("status code: 500", UnreachableError),
        ("error sending request: connection reset", UnreachableError),
    ],
)
def test_every_answer_of_a_bucket_is_one_of_our_errors(
    said: str, error: type[MirrorError], bucket: Place
) -> None:
    with contextlib.closing(bucket.open()) as target:
        assert isinstance(target, s3.BucketTarget)
        for kind in (vendor.GenericError, vendor.PermissionDeniedError):
            assert type(target._error(kind(said))) is error


# Another machine


def test_a_machine_that_refuses_our_key_is_a_matter_for_a_person(
    machine: Place, ssh_server: Any
) -> None:
    ssh_server.refuse()
    with pytest.raises(RefusedError, match=r"must have the \.pub in authorized_keys"):
        put(machine)


def test_a_machine_that_shows_another_key_gets_nothing(machine: Place) -> None:
    strange = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    with pytest.raises(RefusedError, match="another key than the settings' host_key"):
        put(changed(machine, host_key=strange))


def test_a_machine_that_is_down_may_come_back(machine: Place) -> None:
    with _silent_port() as port, pytest.raises(UnreachableError) as caught:
        put(changed(machine, port=port))
    assert not caught.value.permanent


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"host_key": ""}, "ssh-keyscan"),
        ({"credentials": "no-such-key"}, "ssh-keygen"),
        ({"target": "nowhere"}, "user@host:folder"),
        ({"target": "-oProxyCommand=x:y"}, "user@host:folder"),
    ],
    ids=str,
)
def test_a_machine_that_is_not_set_up_says_what_is_missing(
    settings: dict[str, Any], said: str, machine: Place
) -> None:
    with pytest.raises(MisconfiguredError, match=said):
        put(changed(machine, **settings))


def test_the_account_on_another_machine_can_do_nothing_but_write_its_folder(
    machine: Place, tmp_path: Path
) -> None:
    (tmp_path / "private").write_text("not for us")
    found: bytes | None = None
    with contextlib.closing(machine.open()) as target:
        with contextlib.suppress(MirrorError):
            found = target.read("../private", 100)
        with contextlib.suppress(MirrorError):
            target.put([Outgoing("../private", b"overwritten", 11)])
    assert found is None
    assert (tmp_path / "private").read_text() == "not for us"


@pytest.mark.parametrize(
    ("code", "said", "error"),
    [
        (11, "rsync: write failed: No space left on device (28)", FullError),
        (11, "mkstemp failed: Disk quota exceeded (122)", FullError),
        (23, "rsync: mkstemp failed: Permission denied (13)", RefusedError),
        (255, "friend@host: Permission denied (publickey).", RefusedError),
        (255, "Host key verification failed.", RefusedError),
        (127, "sh: rsync: not found", GoneError),
        (11, 'rsync: mkdir "/no/such" failed: No such file or directory (2)', GoneError),
        (255, "ssh: connect to host friend port 22: Connection timed out", UnreachableError),
        (30, "rsync error: timeout in data send/receive (code 30)", UnreachableError),
        (12, "connection unexpectedly closed", UnreachableError),
    ],
)
def test_every_end_of_rsync_is_one_of_our_errors(
    code: int, said: str, error: type[MirrorError], machine: Place
) -> None:
    with contextlib.closing(machine.open()) as target:
        assert isinstance(target, rsync.RsyncTarget)
        assert type(target._error(code, said)) is error


# A folder


def test_a_disk_that_is_not_mounted_is_not_filled_in_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "mirror"
    target = FolderTarget(folder)
    target.prepare()
    target.put([FILE])
    shutil.rmtree(folder)
    folder.mkdir()
    for call in (lambda: target.put([FILE]), lambda: target.read("metadata/current", 9)):
        with pytest.raises(GoneError, match=r"Is its disk mounted\?"):
            call()
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOSPC, FullError),
        (errno.EDQUOT, FullError),
        (errno.EACCES, RefusedError),
        (errno.EROFS, RefusedError),
        (errno.ENOTDIR, GoneError),
        (errno.EIO, UnreachableError),
    ],
)
def test_every_trouble_of_a_folder_is_one_of_our_errors(
    number: int, error: type[MirrorError], tmp_path: Path
) -> None:
    trouble = OSError(number, os.strerror(number))
    assert type(FolderTarget(tmp_path)._error(trouble)) is error


def test_a_disk_that_is_full_is_said_so(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("only Linux has /dev/full")
    target = FolderTarget(tmp_path)
    target.prepare()
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata/.current.new").symlink_to("/dev/full")
    with pytest.raises(FullError, match="free some of its disk"):
        target.put([FILE])
    assert not (tmp_path / "metadata/current").exists()


@pytest.mark.parametrize("name", ["../escape", "/etc/passwd", "objects/../../escape"])
def test_a_name_never_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    target = FolderTarget(tmp_path)
    target.prepare()
    with pytest.raises(MirrorError, match="no name of a file"):
        target.put([Outgoing(name, b"x", 1)])


def test_a_folder_is_named_by_its_whole_path(secrets: Path, tmp_path: Path) -> None:
    settings = MirrorSettings(name="mirror", kind="folder", target="mirror")
    with pytest.raises(MisconfiguredError, match="beginning with /"):
        kinds.open_target(settings, secrets, tmp_path)
    assert MARKER.startswith(".")


@contextlib.contextmanager
def _silent_port() -> Iterator[int]:
    """A port on which connections are cut as soon as they are there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        over = threading.Event()

        def cut() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    server.accept()[0].close()
                time.sleep(0.01)

        thread = threading.Thread(target=cut)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            thread.join()
