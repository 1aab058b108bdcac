# SPDX-License-Identifier: AGPL-3.0-or-later
"""A small signed paper as readers get it, and servers of its copies, honest and not."""

from __future__ import annotations

import contextlib
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import msgspec

from tamizdat.edition.paper import page_renderer
from tamizdat.edition.serve import Answer, Request, Server
from tamizdat.edition.signed import ceremony
from tamizdat.edition.signed.told import Mirror, site_json
from tamizdat.edition.site import Language, Section
from tamizdat.edition.story import Rendition, Story, ni_uri
from tests.edition.papers import SITE, Stories, edition, make_story
from tests.signed.newsroom import Newsroom

LANGUAGES = (
    *SITE.languages,
    Language(
        code="ar",
        name="الفانوس",
        sections=(Section(slug="harbour", title="الميناء"),),
    ),
)
PAPER = msgspec.structs.replace(SITE, languages=LANGUAGES)
TEXT = "<p>The bridge at Pier 9 was closed before dawn.</p>" * 40
TEXTS = {
    "en": ("The bridge is closed", TEXT),
    "ru": ("Мост закрыт", "<p>Мост у девятого причала закрыли до рассвета.</p>" * 40),
    "ar": ("الجسر مغلق", "<p>أُغلق الجسر عند الرصيف التاسع قبل الفجر.</p>" * 40),
}


def png(width: int, height: int, colour: int) -> bytes:
    """A picture of one colour with a pattern that does not compress to nothing."""
    rows = b"".join(
        b"\0" + bytes((x * y * colour + x) % 251 for x in range(width * 3)) for y in range(height)
    )

    def chunk(name: bytes, data: bytes) -> bytes:
        whole = name + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + packed + chunk(b"IEND", b"")


class Room(Newsroom):
    """A newsroom with the theme and the clock of this machine; three languages, pictures."""

    def __init__(self, folder: Path, seeds: list[str]) -> None:
        super().__init__(folder)
        self.seeds = seeds
        self.now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)

    @property
    def paper(self):  # type: ignore[no-untyped-def]  # as in the base
        desk = self.open_desk()
        return edition(
            desk.folder.path,
            media=self.media,
            signer=desk.signer,
            clock=self.clock,
            renderer=page_renderer,
            brotli=True,
        )

    def open_paper(self) -> Room:
        """Keys, a first edition with a story in each language, one picture a story."""
        seeds = [Mirror.at(url) for url in self.seeds]
        site = site_json("The Lantern", PAPER, [], seeds)
        self.root = ceremony.found(self.desk, self.holders, site, self.now)
        for number, language in enumerate(("en", "ru", "ar"), start=1):
            self.tell(number, language)
        self.stories[4] = make_story(4, published=self.now, withdrawn=True)
        self.stories[5] = make_story(5, published=self.now, former=["/old-address/"])
        self.build_all()
        return self

    def tell(self, number: int, language: str, **changes: object) -> Story:
        headline, body = TEXTS[language]
        figure = f'<figure class="photo" data-photo="urn:photo:{number}"></figure>'
        given = {"headline": headline, "body": figure + body, **changes}
        story = make_story(
            number,
            language=language,
            published=self.now - timedelta(hours=number),
            **given,  # type: ignore[arg-type]  # its options
        )
        story.associations = [*story.associations, self.picture(number)]
        self.stories[number] = story
        return story

    def picture(self, number: int) -> Story:
        renditions = [
            Rendition(
                name=f"w{width}",
                href=ni_uri(self.media.add(png(width, width // 2, number))),
                content_type="image/png",
                width=width,
                height=width // 2,
            )
            for width in (320, 640)
        ]
        return Story(uri=f"urn:photo:{number}", rel="photo", renditions=renditions)

    def build_all(self) -> None:
        report = self.paper.build(Stories(self.stories.values()), PAPER)
        assert not report.problems, report.problems

    def publish_story(self, number: int, **changes: object) -> None:
        """Publish a story, or the next version of it."""
        self.now += timedelta(minutes=1)
        before = self.stories.get(number)
        published = datetime.fromisoformat(before.first_created or "") if before else self.now
        self.stories[number] = make_story(number, published=published, **changes)  # type: ignore[arg-type]  # its options
        report = self.paper.publish([self.stories[number]], PAPER)
        assert not report.problems, report.problems

    def path(self, number: int) -> str:
        return self.stories[number].path


Change = Callable[[str, bytes], bytes]


class Copy(ThreadingHTTPServer):
    """Serves an edition. ``change`` alters what is sent, ``down`` answers nothing at all,
    ``silent`` takes connections and says nothing, ``wall`` is after how many bytes a connection
    freezes (0: never), ``asked`` are the paths that were asked for."""

    daemon_threads = True
    request_queue_size = 128  # Whom the kernel turns away comes again a second later.

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.edition: Server | None = None
        self.change: Change = lambda _path, data: data
        self.down = self.silent = False
        self.wall = 0
        self.asked: list[str] = []
        self.ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_address[1]}/"

    def serve(self, folder: Path) -> None:
        self.edition = Server(folder)


class _Handler(BaseHTTPRequestHandler):
    server: Copy
    protocol_version = "HTTP/1.1"
    sent = 0

    def do_GET(self) -> None:
        server = self.server
        server.asked.append(self.path)
        if server.silent:
            server.ended.wait(60)
        if server.silent or server.down or server.edition is None:
            self.close_connection = True
            return
        path = unquote(self.path).partition("?")[0]
        part = self.headers.get("range", "")
        answer = server.edition.answer(Request("GET", path, False, "", part))
        body = answer.body
        if answer.file:
            body = Path(answer.file).read_bytes()[answer.start : answer.end]
        body = server.change(path, body)
        with contextlib.suppress(ConnectionError):  # The reader asked another meanwhile.
            self._send(answer, body)

    def _send(self, answer: Answer, body: bytes) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name.decode(), value.decode("latin-1"))
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self._write(body)

    def _write(self, body: bytes) -> None:
        """The body, as far as this connection may carry it."""
        wall = self.server.wall
        left = wall - self.sent if wall else len(body)
        self.sent += len(body)
        self.wfile.write(body[: max(0, left)])
        if left < len(body):
            self.wfile.flush()
            self.server.ended.wait(60)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody's requests are written down."""


@contextmanager
def running(count: int) -> Iterator[list[Copy]]:
    """So many servers, serving nothing yet."""
    servers = [Copy() for _ in range(count)]
    threads = [threading.Thread(target=one.serve_forever, daemon=True) for one in servers]
    for thread in threads:
        thread.start()
    try:
        yield servers
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.ended.set()
            server.shutdown()
            server.server_close()
            thread.join()
