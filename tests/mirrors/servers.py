# SPDX-License-Identifier: AGPL-3.0-or-later
"""Real servers for mirrors, on the loopback, with the very files of docs/operating/mirrors/."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port

DOCS = Path(__file__).parent.parent.parent / "docs" / "operating" / "mirrors"
ACCESS, SECRET = "LAMPLIGHTERACCESS001", "an-invented-secret-of-forty-characters-00"


def program(name: str, package: str) -> str:
    """The whole path of a program of Debian's."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        pytest.fail(f"this machine has no {name}: apt-get install {package} (make test does it)")
    return found


@contextlib.contextmanager
def running(command: list[str], port: int, log: Path, **environment: str) -> Iterator[None]:
    """A server that answers on a port; ended at the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **environment}
        )
    try:
        _wait(process, port, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    pytest.fail(f"{process.args!r} does not answer: {log.read_text(errors='replace')[-2000:]}")


@contextlib.contextmanager
def nginx(root: Path, work: Path) -> Iterator[str]:
    """The documented nginx.conf on ``root``; yields its URL."""
    port = free_port()
    site = (DOCS / "nginx.conf").read_text()
    site = site.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("/srv/mirror", str(root))
    work.mkdir(exist_ok=True)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {work}/{kind};" for kind in kinds)
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    (work / "nginx.conf").write_text(
        f"{user} daemon off; worker_processes 1; pid {work}/pid; error_log {work}/error.log;"
        f"events {{}} http {{ access_log off; {temporary} {site} }}"
    )
    command = [program("nginx", "nginx-light"), "-p", str(work), "-c", str(work / "nginx.conf")]
    with running([*command, "-e", f"{work}/error.log"], port, work / "log"):
        yield f"http://127.0.0.1:{port}/"


@contextlib.contextmanager
def caddy(root: Path, work: Path) -> Iterator[str]:
    """The documented Caddyfile on ``root``, without its certificate; yields its URL."""
    port = free_port()
    site = (DOCS / "Caddyfile").read_text()
    site = site.replace("\nmirror.example {", f"\nhttp://127.0.0.1:{port} {{")
    work.mkdir(exist_ok=True)
    site = site.replace("\n{\n", "\n{\n\tadmin off\n\tauto_https off\n", 1)
    (work / "Caddyfile").write_text(site.replace("/srv/mirror", str(root)))
    command = [program("caddy", "caddy"), "run", "--adapter", "caddyfile", "--config"]
    home = {"HOME": str(work), "XDG_DATA_HOME": str(work), "XDG_CONFIG_HOME": str(work)}
    with running([*command, str(work / "Caddyfile")], port, work / "log", **home):
        yield f"http://127.0.0.1:{port}/"


@contextlib.contextmanager
def s3(root: Path, work: Path) -> Iterator[str]:
    """rclone's S3 server: each folder in ``root`` is a bucket; yields its URL."""
    port = free_port()
    work.mkdir(exist_ok=True)
    rclone = Path(sys.executable).with_name("rclone")
    command = [str(rclone), "serve", "s3", "--auth-key", f"{ACCESS},{SECRET}"]
    command += ["--dir-cache-time", "1ms"]  # Buckets are made behind its back.
    command += ["--addr", f"127.0.0.1:{port}", "--config", str(work / "none.conf"), str(root)]
    with running(command, port, work / "log"):
        yield f"http://127.0.0.1:{port}"


class SshServer:
    """An SSH server whose account may write one folder by rsync, as documented."""

    def __init__(self, work: Path, port: int) -> None:
        self.work = work
        self.port = port
        self.user = getpass.getuser()
        self.key = work / "newsroom-key"

    @property
    def host_key(self) -> str:
        kind, key = (self.work / "host-key.pub").read_text().split()[:2]
        return f"{kind} {key}"

    def allow(self, folder: Path) -> None:
        """The documented line of authorized_keys, for this folder."""
        line = (DOCS / "authorized_keys").read_text()
        key = (self.work / "newsroom-key.pub").read_text().split()[1]
        line = line.replace("/srv/mirror", str(folder)).replace("AAAA…", key)
        (self.work / "authorized_keys").write_text(line)

    def refuse(self) -> None:
        (self.work / "authorized_keys").write_text("")


@contextlib.contextmanager
def ssh(work: Path) -> Iterator[SshServer]:
    """Debian's SSH server as our own user."""
    work.mkdir(mode=0o700, exist_ok=True)
    for name in ("host-key", "newsroom-key"):
        make = [program("ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", ""]
        subprocess.run([*make, "-f", str(work / name)], check=True)
    program("rsync", "rsync"), program("rrsync", "rsync")
    server = SshServer(work, free_port())
    server.refuse()
    (work / "sshd_config").write_text(
        f"Port {server.port}\nListenAddress 127.0.0.1\nHostKey {work}/host-key\n"
        f"AuthorizedKeysFile {work}/authorized_keys\nPidFile {work}/pid\nUsePAM no\n"
        "StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "PermitRootLogin yes\nLogLevel ERROR\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # Debian's sshd asks root for it.
    command = [program("sshd", "openssh-server"), "-D", "-e", "-f", str(work / "sshd_config")]
    with running(command, server.port, work / "log"):
        yield server
