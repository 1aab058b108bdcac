# SPDX-License-Identifier: AGPL-3.0-or-later
"""An entry that is a plain web server: the paper's tree, and the worker by a command."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tamizdat.cli import cli
from tamizdat.edition.paper import page_renderer
from tests.browsers import open_details
from tests.edition.papers import edition
from tests.reader.copies import Copy, Room, running

pytestmark = [
    pytest.mark.browser,
    pytest.mark.allow_hosts(["127.0.0.1", "::1"]),
    pytest.mark.xdist_group("reader-browser"),
]
TRUTH = "The bridge at Pier 9 was closed"
LIE = b"<!doctype html><title>Lie</title><p>The bridge was never closed.</p>"


class Planted(Room):
    """A newsroom that keeps plain files too."""

    @property
    def paper(self) -> Any:
        desk = self.open_desk()
        return edition(
            desk.folder.path,
            media=self.media,
            signer=desk.signer,
            clock=self.clock,
            renderer=page_renderer,
            brotli=True,
            tree=True,
        )


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nobody's requests are written down."""


@pytest.fixture
def entry(tmp_path: Path) -> Iterator[tuple[Room, Path, str, Copy]]:
    """A paper, the folder and the address of an entry of plain files, and a mirror elsewhere."""
    with running(1) as (mirror,):
        room = Planted(tmp_path / "room", [mirror.url]).open_paper()
        mirror.serve(room.desk.folder.path)
        folder = tmp_path / "entry"
        shutil.copytree(room.desk.folder.path / "tree", folder)
        paper = str(room.desk.folder.path)
        done = CliRunner().invoke(cli, ["edition", "reader", paper, "--entry", str(folder)])
        assert done.exit_code == 0, done.output
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield room, folder, f"http://127.0.0.1:{server.server_address[1]}", mirror
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_worker_of_plain_files_verifies_what_its_own_server_sends(
    entry: tuple[Room, Path, str, Copy], browser: Any
) -> None:
    room, folder, address, mirror = entry
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(address + room.path(1))
    page.wait_for_selector("text=was not verified")
    page.reload()
    page.wait_for_selector("text=Verified: this page is exactly")
    altered = folder / room.path(5).strip("/") / "index.html"
    altered.write_bytes(LIE)
    page.goto(address + room.path(5))
    assert "Headline 5" in page.inner_text("body")
    open_details(page, ".proof")
    assert f"the mirror {mirror.url.split('/')[2]}" in page.inner_text(".proof dl")
    room.publish_story(1, headline="The bridge is open again", body="<p>It opened at noon.</p>")
    page.goto(address + room.path(1))
    page.reload()
    page.wait_for_selector("text=It opened at noon.")
    mirror.down = True
    page.goto(address + room.path(5))
    assert "Headline 5" in page.inner_text("body"), "what was read is kept"
