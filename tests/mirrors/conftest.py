# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every kind of mirror, real: a folder, S3 by rclone's server, rsync over Debian's SSH server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tamizdat.config import MirrorSettings
from tamizdat.mirrors import kinds
from tamizdat.mirrors.ports import Target
from tests.fakes.mirrors import MemoryTarget
from tests.mirrors import servers
from tests.mirrors.paper import Paper, page

KINDS = ("memory", "folder", "s3", "rsync")


@dataclass(frozen=True)
class Place:
    """A mirror that is there: its settings, our secrets, and the folder in which its files lie
    (none for the fake)."""

    settings: MirrorSettings
    secrets: Path
    work: Path
    folder: Path | None

    def open(self) -> Target:
        if self.settings.name == "memory":
            return MemoryTarget()
        return kinds.open_target(self.settings, self.secrets, self.work)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    root = tmp_path_factory.mktemp("s3")
    with servers.s3(root, tmp_path_factory.mktemp("s3-work")) as url:
        yield url, root


@pytest.fixture(scope="session")
def ssh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.SshServer]:
    with servers.ssh(tmp_path_factory.mktemp("ssh")) as server:
        yield server


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    made = tmp_path / "secrets"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path, secrets: Path) -> Place:
    return make_place(request, str(request.param), tmp_path, secrets)


def make_place(request: pytest.FixtureRequest, kind: str, tmp_path: Path, secrets: Path) -> Place:
    """A mirror of a kind, empty."""
    folder = tmp_path / "mirror"
    work = tmp_path / "sending"
    if kind == "s3":
        url, root = request.getfixturevalue("s3_server")
        folder = root / tmp_path.name.lower().replace("_", "-")[-50:].strip("-")
        folder.mkdir()
        write_keys(secrets)
        settings = MirrorSettings(
            name="mirror", kind="s3", target=f"s3://{folder.name}/paper", endpoint=url
        )
        return Place(settings, secrets, work, folder / "paper")
    if kind == "rsync":
        server = request.getfixturevalue("ssh_server")
        folder.mkdir()
        server.allow(folder)
        (secrets / "mirror-mirror").write_bytes(server.key.read_bytes())
        (secrets / "mirror-mirror").chmod(0o600)
        settings = MirrorSettings(
            name="mirror",
            kind="rsync",
            target=f"{server.user}@127.0.0.1:",
            port=server.port,
            host_key=server.host_key,
        )
        return Place(settings, secrets, work, folder)
    if kind == "memory":
        return Place(MirrorSettings(name="memory"), secrets, work, None)
    settings = MirrorSettings(name="mirror", kind="folder", target=str(folder))
    return Place(settings, secrets, work, folder)


def write_keys(secrets: Path, access: str = servers.ACCESS, secret: str = servers.SECRET) -> None:
    path = secrets / "mirror-mirror"
    path.write_text(f'access_key_id = "{access}"\nsecret_access_key = "{secret}"\n')
    path.chmod(0o600)


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    """Forty stories and a photo, signed."""
    made = Paper(tmp_path / "edition")
    pages: dict[str, bytes | None] = {f"/en/{n}/": page(f"Story {n}") for n in range(40)}
    made.publish({**pages, "/media/lamp.jpg": os.urandom(5000)})
    return made
