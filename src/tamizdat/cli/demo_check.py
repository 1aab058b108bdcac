# SPDX-License-Identifier: AGPL-3.0-or-later
"""Asks desk and paper by HTTP whether they answer as they should. On this machine only."""

from __future__ import annotations

import http.client
from pathlib import Path


class CheckError(Exception):
    """Something did not answer as it should; the message says what."""


def check_paper(host: str, port: int, tree: Path) -> None:
    """Front, an article, feed, sitemap and the page for what is not there."""
    article = _an_article(tree)
    for path, status, kind in (
        ("/en/", 200, "text/html"),
        ("/ru/", 200, "text/html"),
        (article, 200, "text/html"),
        ("/en/feed.xml", 200, "xml"),
        ("/sitemap.xml", 200, "xml"),
        ("/en/there-is-no-such-page/", 404, "text/html"),
    ):
        _expect(host, port, path, status, kind)


def check_desk(host: str, port: int) -> None:
    """The page where staff log in."""
    _expect(host, port, "/desk/login/", 200, "text/html")


def _expect(host: str, port: int, path: str, status: int, kind: str) -> None:
    connection = http.client.HTTPConnection(host, port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except OSError as error:
        raise CheckError(f"http://{host}:{port}{path} does not answer ({error})") from error
    finally:
        connection.close()
    found = answer.headers.get("Content-Type", "")
    if answer.status != status or kind not in found or not body:
        raise CheckError(
            f"http://{host}:{port}{path} should give {status} {kind}, "
            f"and gave {answer.status} {found} with {len(body)} bytes"
        )


def _an_article(tree: Path) -> str:
    """The address of the newest article among the plain files."""
    found = sorted(tree.glob("en/[0-9][0-9][0-9][0-9]/*/*/*/index.html"))
    if not found:
        raise CheckError(f"no article was built in {tree}")
    return "/" + found[-1].parent.relative_to(tree).as_posix() + "/"
