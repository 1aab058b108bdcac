# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reader in one file, opened from the disk in a real browser."""

from __future__ import annotations

import base64
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tamizdat.edition.bundle import Limits, print_bundles
from tamizdat.edition.signed import cohorts
from tamizdat.edition.signed.programs import single_file
from tamizdat.edition.signed.told import Mirror
from tests.browsers import lead_away, let_go, until
from tests.reader.copies import TEXTS, Change, Copy, Room, running

pytestmark = [
    pytest.mark.browser,
    pytest.mark.allow_hosts(["127.0.0.1", "::1"]),
    pytest.mark.xdist_group("reader-browser"),
]
PARTS = ("metadata", "targets", "shards", "objects")
TRUTH = "The bridge at Pier 9 was closed"


class Scene:
    """The file, two mirrors, and somebody who opened it."""

    def __init__(self, room: Room, servers: list[Copy], page: Any, folder: Path) -> None:
        self.room, self.servers, self.page = room, servers, page
        self.file = folder / "reader.html"
        self.file.write_bytes(single_file(room.desk.folder.path) or b"")
        self.zip = folder / "week.zip"

    def open(self, path: str = "") -> None:
        self.page.goto(self.file.as_uri() + (f"#{path}" if path else ""))

    def proof(self) -> str:
        self.page.wait_for_selector("#proof summary")
        return str(self.page.inner_text("#proof summary"))

    def text(self) -> str:
        return str(self.page.inner_text("#paper"))

    def bundle(self, compression: int, change: bytes = b"") -> None:
        """The signed folder in a ZIP, as a newsroom would mail it."""
        top = self.room.desk.folder.path
        with zipfile.ZipFile(self.zip, "w", compression) as archive:
            archive.writestr("week/index.html", "<p>Open the reader.</p>")
            for part in PARTS:
                for file in sorted((top / part).rglob("*")):
                    if file.is_file() and file.suffix != ".br":
                        data = file.read_bytes()
                        lied = change if part == "objects" and change else data
                        archive.writestr(f"week/{file.relative_to(top)}", lied)

    def take(self) -> None:
        self.page.set_input_files("#choose", self.zip)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Room, list[Copy]]]:
    with running(2) as found:
        folder = tmp_path_factory.mktemp("room")
        yield Room(folder, [server.url for server in found]).open_paper(), found


@pytest.fixture
def scene(browser: Any, servers: tuple[Room, list[Copy]], tmp_path: Path) -> Iterator[Scene]:
    room, found = servers
    for server in found:
        server.serve(room.desk.folder.path)
        server.down, server.change = False, lambda _path, data: data
        server.asked.clear()
    context = browser.new_context(locale="en-GB")
    yield Scene(room, found, context.new_page(), tmp_path)
    let_go(context)


def picture(page: Any) -> int:
    """The width of the article's picture, once it is shown."""
    width = "document.querySelector('#paper figure img')?.naturalWidth"
    return int(until(page, lambda: page.evaluate(width), "the picture is shown"))


def test_it_is_small(scene: Scene) -> None:
    size = scene.file.stat().st_size
    print(f"reader.html: {size} bytes")  # noqa: T201
    assert size <= 100_000


def test_the_front_page_an_article_and_its_picture_are_read_from_mirrors(scene: Scene) -> None:
    scene.open()
    assert "Verified" in scene.proof()
    assert "The Lantern" in scene.page.title()
    scene.page.click("text=The bridge is closed")
    scene.page.wait_for_selector(f"text={TRUTH}")
    assert picture(scene.page) == 640
    scene.page.click("#back")
    expect(scene.page.locator("#paper")).to_contain_text("Archive")
    expect(scene.page.locator("#paper")).not_to_contain_text(TRUTH)


def test_a_mirror_that_lies_gives_way_to_the_other(scene: Scene) -> None:
    scene.servers[0].change = lambda path, data: b"<p>Lie</p>" if "/objects/" in path else data
    scene.open(scene.room.path(2))
    scene.proof()
    assert "Мост у девятого причала" in scene.text()


def test_without_mirrors_it_says_what_can_be_done(scene: Scene) -> None:
    for server in scene.servers:
        server.down = True
    scene.open()
    scene.page.wait_for_selector("text=None of the paper’s copies could be reached.")
    assert "bundle" in scene.text()
    for server in scene.servers:
        server.down = False
    scene.page.click("button:has-text('Try again')")
    assert "Verified" in scene.proof()


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_bundle_is_read_without_a_network(scene: Scene, compression: int) -> None:
    for server in scene.servers:
        server.down = True
    scene.bundle(compression)
    scene.open()
    scene.page.wait_for_selector("text=None of the paper’s copies")
    asked = sum(len(server.asked) for server in scene.servers)
    scene.take()
    assert "Verified" in scene.proof()
    scene.page.click("text=The bridge is closed")
    scene.page.wait_for_selector(f"text={TRUTH}")
    assert picture(scene.page) == 640
    scene.page.click("#proof summary")
    expect(scene.page.get_by_text("the file that you opened")).to_be_visible()
    scene.page.wait_for_timeout(2_500)  # Long enough for it to ask mirrors, as it would.
    assert sum(len(server.asked) for server in scene.servers) == asked


@pytest.mark.parametrize("form", ["zip", "epub", "html"])
def test_the_newsrooms_own_bundle_is_read(scene: Scene, form: str) -> None:
    printed = print_bundles(scene.room.desk.folder.path, Limits(), scene.room.clock)
    scene.zip = scene.zip.with_suffix(f".{form}")
    scene.zip.write_bytes(next(one.data for one in printed if one.form == form))
    for server in scene.servers:
        server.down = True
    scene.open()
    scene.page.wait_for_selector("text=None of the paper’s copies")
    scene.take()
    assert "Verified" in scene.proof()
    scene.page.click("text=The bridge is closed")
    scene.page.wait_for_selector(f"text={TRUTH}")
    assert picture(scene.page) > 0


def test_a_bundle_is_dropped_on_it(scene: Scene) -> None:
    scene.bundle(zipfile.ZIP_STORED)
    scene.open()
    scene.proof()
    scene.page.evaluate(
        """async (data) => {
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], 'week.zip'));
          dispatchEvent(new DragEvent('drop', {dataTransfer: transfer, cancelable: true}));
        }""",
        base64.b64encode(scene.zip.read_bytes()).decode(),
    )
    source = scene.page.get_by_text("the file that you opened")
    expect(source).to_be_attached()
    scene.page.click("#proof summary")
    expect(source).to_be_visible()


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("altered", "What came is not the page that the newsroom signed."),
        ("not a zip", "This file is not a bundle of this newsroom."),
        ("another zip", "This file is not a bundle of this newsroom."),
    ],
)
def test_a_bundle_that_is_not_the_newsrooms_shows_nothing_of_itself(
    scene: Scene, what: str, said: str
) -> None:
    scene.open()
    scene.proof()
    if what == "altered":
        scene.bundle(zipfile.ZIP_STORED, change=b"<p>Never closed.</p>")
    elif what == "not a zip":
        scene.zip.write_bytes(b"PK\x05\x06" + b"\xff" * 40)
    else:
        with zipfile.ZipFile(scene.zip, "w") as archive:
            archive.writestr("index.html", "<p>Never closed.</p>")
    scene.take()
    expect(scene.page.locator(".message-of-reader")).to_contain_text(said)
    assert "Never closed" not in scene.text()


@pytest.mark.parametrize("cohort", ["north", "south"])
def test_a_reader_learns_the_new_mirrors_of_its_own_cohort_alone(scene: Scene, cohort: str) -> None:
    room = scene.room
    told = cohorts.cohort(cohorts.secret(room.folder / "secrets"), cohort)
    scene.file.write_bytes(single_file(room.desk.folder.path, told) or b"")
    with running(1) as (new,):
        new.serve(room.desk.folder.path)
        room.mirrors = (Mirror(new.url, "north"),)
        room.now += timedelta(minutes=1)
        assert room.paper.resign()
        with scene.page.expect_request_finished(
            lambda request: request.url.endswith("mirrors.json")
        ):
            scene.open()  # What the reader waits for goes first.
            scene.proof()
        scene.page.wait_for_timeout(500)
        for server in scene.servers:
            server.down = True
        scene.page.evaluate(f"location.hash = '{room.path(2)}'")
        own = cohort == "north"
        if own:
            scene.page.wait_for_function(_TRIED_AGAIN, arg="Мост у девятого причала", polling=300)
        else:
            scene.page.wait_for_selector("text=None of the paper’s copies")
        assert bool(new.asked) == own


# What it was told it takes in a moment later: until then there is a button to try again.
_TRIED_AGAIN = """(text) => {
  document.querySelector('.message-of-reader button')?.click();
  return document.querySelector('#paper').innerText.includes(text);
}"""


def test_scripts_of_a_page_do_not_run_and_links_elsewhere_tell_nothing(scene: Scene) -> None:
    links = '<p><a href="https://elsewhere.example/">Elsewhere</a></p>'
    scene.room.publish_story(8, body=f"{links}<p>Text</p>")
    scene.open(scene.room.path(8))
    scene.proof()
    link = scene.page.locator("text=Elsewhere")
    assert link.get_attribute("rel") == "noopener noreferrer"
    assert scene.page.locator("#paper script").count() == 0


def go_on_in_another(scene: Scene) -> None:
    """The sitting ends, another begins."""
    lead_away(scene.page)
    scene.page.close()
    scene.page = scene.page.context.new_page()


def databases(page: Any) -> int:
    return int(page.evaluate("async () => (await indexedDB.databases()).length"))


def details(page: Any) -> Any:
    page.evaluate("document.querySelector('#proof').open = true")
    return page.locator("#proof")


@pytest.fixture
def aged(scene: Scene) -> Iterator[Scene]:
    """A mirror of a former edition, in which a story stood that was withdrawn since."""
    room, former = scene.room, scene.room.copy(f"former-{scene.file.parent.name}")
    room.publish_story(2, language="ru", withdrawn=True)
    for server in scene.servers:
        server.change = _as_in(former)
    yield scene
    room.publish_story(2, language="ru", headline="Мост закрыт", body=TEXTS["ru"][1])


def _as_in(former: Path) -> Change:
    def change(path: str, data: bytes) -> bytes:
        file = former / path[1:]
        return file.read_bytes() if file.is_file() else data

    return change


def test_an_older_edition_is_refused_in_the_next_sitting_too(aged: Scene) -> None:
    lie = aged.servers[0].change
    for server in aged.servers:
        server.change = lambda _path, data: data
    aged.open(aged.room.path(2))
    aged.proof()
    expect(details(aged.page)).to_contain_text("чтобы в следующий раз не принять более старый")
    go_on_in_another(aged)
    for server in aged.servers:
        server.change = lie
    aged.open(aged.room.path(2))
    aged.proof()  # What replaced it was proven by the memory's edition.
    assert "Мост у девятого причала" not in aged.text()


def test_who_notes_nothing_believes_an_older_edition_with_its_date(aged: Scene) -> None:
    lie = aged.servers[0].change
    for server in aged.servers:
        server.change = lambda _path, data: data
    aged.open(aged.room.path(2))
    aged.proof()
    assert databases(aged.page) == 1
    details(aged.page)
    aged.page.click("#proof button")
    expect(aged.page.locator("#proof")).to_contain_text("Ничего не отмечается")
    assert databases(aged.page) == 0
    go_on_in_another(aged)
    for server in aged.servers:
        server.change = lie
    aged.open(aged.room.path(2))
    aged.proof()
    assert "Мост у девятого причала" in aged.text()


def test_what_another_file_of_the_disk_wrote_is_not_believed(scene: Scene) -> None:
    scene.open()
    scene.proof()
    scene.page.evaluate(_PLANT)
    scene.page.reload()
    assert "Verified" in scene.proof()
    scene.page.click("text=The bridge is closed")
    scene.page.wait_for_selector(f"text={TRUTH}")


_PLANT = """async () => {
  const [{ name }] = await indexedDB.databases();
  const opened = await new Promise((done) => {
    const request = indexedDB.open(name);
    request.onsuccess = () => done(request.result);
  });
  const store = opened.transaction('verified', 'readwrite').objectStore('verified');
  const files = await new Promise((done) => {
    store.get('verified').onsuccess = (event) => done(event.target.result);
  });
  const kept = new Promise((done) => { store.transaction.oncomplete = done; });
  const said = JSON.parse(new TextDecoder().decode(files.get('timestamp')));
  said.signed.version += 1000;
  said.signed.meta['snapshot.json'].version += 1000;
  files.set('timestamp', new TextEncoder().encode(JSON.stringify(said)));
  store.put(files, 'verified');
  await kept;
  opened.close();
}"""


def test_it_keeps_nothing_on_the_device_but_which_edition_was_seen(scene: Scene) -> None:
    scene.open(scene.room.path(1))
    scene.proof()
    assert databases(scene.page) == 1
    kept = scene.page.evaluate(_KEPT)
    assert set(kept) == {
        *("root", "timestamp", "snapshot", "targets", "live", "archive"),
        *("target:live/recent", "target:live/base"),
    }


_KEPT = """async () => {
  const [{ name }] = await indexedDB.databases();
  const opened = await new Promise((done) => {
    const request = indexedDB.open(name);
    request.onsuccess = () => done(request.result);
  });
  const files = await new Promise((done) => {
    opened.transaction('verified').objectStore('verified').get('verified').onsuccess =
      (event) => done(event.target.result);
  });
  opened.close();
  return [...files.keys()];
}"""
