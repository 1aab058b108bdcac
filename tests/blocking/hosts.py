# SPDX-License-Identifier: AGPL-3.0-or-later
"""Honest hosts by their names: Debian's nginx with TLS and HTTP/2, before an entry and mirrors.

A mirror is the documented nginx.conf on the edition's folder; the entry is our own server of the
paper behind nginx. Each host has a certificate of its own: with HTTP/2 a browser may ask one host
on the connection to another whose certificate has both names, past the censor.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.blocking.certificates import Authority, Certificate
from tests.mirrors.servers import DOCS, program, running
from tests.ports import free_port

_PROXY = """
server {{
    listen {listen}; server_name {host}; {tls}
    location / {{
        proxy_pass http://127.0.0.1:{port};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Accept-Encoding $http_accept_encoding;
    }}
}}
"""


@contextlib.contextmanager
def hosts(
    work: Path,
    authority: Authority,
    mirrors: Mapping[str, Path],
    entries: Mapping[str, int],
    *,
    http2: bool = True,
    requests: int = 1_000,
) -> Iterator[int]:
    """``mirrors`` are folders by host, ``entries`` ports of servers by host; a connection is good
    for so many ``requests``. Yields the port on which all of them are answered for."""
    port = free_port()
    listen = f"127.0.0.1:{port} ssl{' http2' if http2 else ''}"
    most = f"keepalive_requests {requests};"
    tls = {host: _tls(authority.certify(host)) + most for host in (*mirrors, *entries)}
    sites = [_mirror(host, folder, listen, tls[host]) for host, folder in mirrors.items()]
    sites += [
        _PROXY.format(listen=listen, host=host, port=to, tls=tls[host])
        for host, to in entries.items()
    ]
    work.mkdir(exist_ok=True)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {work}/{kind};" for kind in kinds)
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    configuration = work / "nginx.conf"
    configuration.write_text(
        f"{user} daemon off; worker_processes 1; pid {work}/pid; error_log {work}/error.log;"
        f"events {{}} http {{ access_log off; {temporary} {''.join(sites)} }}"
    )
    command = [program("nginx", "nginx-light"), "-p", str(work), "-c", str(configuration)]
    with running([*command, "-e", f"{work}/error.log"], port, work / "log"):
        yield port


def _tls(certificate: Certificate) -> str:
    return f"ssl_certificate {certificate.file}; ssl_certificate_key {certificate.file};"


def _mirror(host: str, folder: Path, listen: str, tls: str) -> str:
    site = (DOCS / "nginx.conf").read_text()
    site = site.replace("listen 80;", f"listen {listen}; {tls}")
    site = site.replace("/srv/mirror", str(folder))
    return site.replace("server_name mirror.example;", f"server_name {host};")


@contextlib.contextmanager
def paper(folder: Path, work: Path) -> Iterator[int]:
    """Our own server of the paper in an edition's folder; yields its port."""
    port = free_port()
    command = [sys.executable, "-m", "tamizdat", "edition", "serve", str(folder)]
    with running([*command, "--port", str(port)], port, work / "paper.log"):
        yield port
