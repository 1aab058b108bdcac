# SPDX-License-Identifier: AGPL-3.0-or-later
"""What editors and readers can count on when a paper is built and stories are published."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from tamizdat.edition import BusyError, Edition, FolderSource, StoreError, Story, StoryError
from tamizdat.edition.catalogue import NAME
from tamizdat.edition.site import Site
from tamizdat.edition.store import Store
from tamizdat.edition.story import encode
from tests.edition.papers import (
    NOW,
    SITE,
    Files,
    Stories,
    built,
    edition,
    make_story,
    tree_of,
    uri_of,
    whole,
)


def text(paper: Edition, path: str) -> str:
    found = paper.read(path)
    assert found is not None, path
    return found.data.decode()


def test_before_the_first_build_there_is_nothing(quick: Path) -> None:
    paper = edition(quick)
    assert paper.number == 0
    assert paper.read("/en/") is None
    assert paper.needs_build(SITE)
    assert paper.related(make_story(1), SITE) == []
    with pytest.raises(StoreError, match="edition build"):
        paper.publish([make_story(1)], SITE)
    assert paper.number == 0


def test_a_published_story_is_where_readers_look(quick: Path) -> None:
    paper = built(quick, [make_story(n) for n in range(5)])
    story = make_story(7, published=NOW, headline="Ferry sails again", topics=("ferries", "ice"))
    report = paper.publish([story], SITE)
    assert (report.edition, report.stories, report.full) == (2, 1, False)
    places = ["/en/", "/", "/en/harbour/", "/en/2026/11/"]
    places += ["/en/topics/ice/", "/en/people/anna-brandt/"]
    places += ["/en/feed.xml", "/en/feed.json", "/en/harbour/feed.xml", "/news-sitemap.xml"]
    places += ["/fragments/en/latest.html", story.path]
    assert [p for p in places if "Ferry sails again" not in text(paper, p)] == []
    assert story.path in text(paper, "/sitemaps/2026-11.xml")
    assert "2026-11" in text(paper, "/sitemap.xml")
    assert "ice" in text(paper, "/en/topics/")


def test_a_withdrawn_story_leaves_a_tombstone_and_nothing_else(quick: Path) -> None:
    stories = [make_story(1), make_story(2, related=[uri_of(1)], topics=())]
    paper = built(quick, stories)
    assert "Headline 1" in text(paper, stories[1].path)
    paper.publish([make_story(1, withdrawn=True, version=2)], SITE)
    tombstone = paper.read(stories[0].path)
    assert tombstone is not None
    assert tombstone.status == 410
    shown = [path for path, (*_, data) in whole(quick).items() if b"Headline 1" in data]
    assert shown == [stories[0].path]


def test_a_former_address_leads_to_the_story(quick: Path) -> None:
    paper = built(quick, [make_story(1)])
    old = make_story(1).path
    addresses = [old, "https://old.example/2019/alt-page.html?x=1", "/old-page", "/?p=7", "/"]
    moved = make_story(1, slug="новый-адрес", former=addresses, version=2)
    paper.publish([moved], SITE)
    for path in (old, "/2019/alt-page.html", "/old-page/", "/old-page"):
        found = paper.read(path)
        assert found is not None
        assert (found.status, found.location) == (301, moved.path)
    assert paper.read("/").status == 200  # type: ignore[union-attr]  # it is there


def test_a_redirect_never_hides_a_page_and_comes_back_after_it(quick: Path) -> None:
    taken = make_story(2).path
    paper = built(quick, [make_story(1, former=[taken, "/en/about/", "/en/topics/"])])
    assert paper.read(taken).status == 301  # type: ignore[union-attr]  # it is there
    assert paper.read("/en/about/").status == 200  # type: ignore[union-attr]  # it is there
    paper.publish([make_story(2)], SITE)
    assert paper.read(taken).status == 200  # type: ignore[union-attr]  # it is there
    withheld = msgspec.structs.replace(make_story(2, version=2), pub_status="withheld")
    paper.publish([withheld], SITE)
    assert paper.read(taken).status == 301  # type: ignore[union-attr]  # it is there


def test_two_stories_at_one_address_are_named(quick: Path) -> None:
    paper = built(quick, [make_story(1, slug="same", published=NOW)])
    with pytest.raises(StoryError, match="urn:lantern:1 and urn:lantern:2"):
        paper.publish([make_story(2, slug="same", published=NOW)], SITE)
    other = make_story(2, slug="same", published=NOW + timedelta(minutes=1))
    report = edition(quick).build(Stories([make_story(1, slug="same", published=NOW), other]), SITE)
    assert "urn:lantern:1 has it" in report.problems[0]
    assert "urn:lantern:2 is left out" in report.problems[0]


def test_an_embargoed_story_is_never_published(quick: Path) -> None:
    paper = built(quick, [make_story(1)])
    later = (NOW + timedelta(hours=1)).isoformat()
    story = msgspec.structs.replace(make_story(2), embargoed_until=later)
    with pytest.raises(StoryError, match="embargo"):
        paper.publish([story], SITE)
    report = edition(quick).build(Stories([make_story(1), story]), SITE)
    assert "embargo" in report.problems[0]
    assert paper.read(story.path) is None


def test_a_story_in_an_unknown_language_is_refused_by_name(quick: Path) -> None:
    paper = built(quick, [make_story(1)])
    with pytest.raises(StoryError, match="urn:lantern:2"):
        paper.publish([make_story(2, language="fr")], SITE)


def test_a_broken_story_stops_no_build_and_keeps_its_last_version(quick: Path) -> None:
    built(quick, [make_story(n) for n in range(4)])
    broken = [make_story(0), make_story(1, body="unrenderable", version=2)]
    broken += [make_story(2, language="xx", version=2), make_story(9, body="unrenderable")]
    broken += [make_story(3, related=[uri_of(9), uri_of(1)], version=2)]
    source = Stories(broken)
    source._raw.append(b'{"uri": 7}')
    report = edition(quick).build(source, SITE)
    assert report.stories == 4
    assert len(report.problems) == 4
    assert sum("last published version stays" in p for p in report.problems) == 2
    paper = edition(quick)
    assert "Text of 1." in text(paper, make_story(1).path)
    assert paper.read(make_story(9).path) is None
    assert not [p for p, (*_, d) in whole(quick).items() if uri_of(9).encode() + b'"' in d]


def test_of_many_versions_the_newest_is_published(quick: Path) -> None:
    versions = [make_story(1, headline=f"version {v}", version=v) for v in (2, 10, 9)]
    report = edition(quick).build(Stories([*versions, make_story(2)]), SITE)
    assert (report.stories, report.problems) == (2, [])
    assert "version 10" in text(edition(quick), versions[0].path)
    edition(quick).publish([versions[0]], SITE)
    assert "version 10" in text(edition(quick), versions[0].path)


def test_photos_come_and_go_with_the_stories_that_show_them(quick: Path) -> None:
    media = Files(quick / "media")
    one, two = media.add(b"one"), media.add(b"two")
    paper = built(quick / "p", [make_story(1, photos=[one])], media=media)
    assert paper.read(f"/media/{one[:2]}/{one}.avif").data == b"one"  # type: ignore[union-attr]  # it is there
    paper.publish([make_story(2, photos=[one, two])], SITE)
    paper.publish([make_story(1, withdrawn=True, version=2)], SITE)
    assert paper.read(f"/media/{one[:2]}/{one}.avif") is not None
    paper.publish([make_story(2, photos=[two], version=2)], SITE)
    assert paper.read(f"/media/{one[:2]}/{one}.avif") is None
    found = paper.read(f"/media/{two[:2]}/{two}.avif")
    assert found is not None
    assert found.media_type == "image/avif"


def test_a_missing_photo_stops_the_story_but_not_a_build(quick: Path) -> None:
    media = Files(quick / "media")
    lost = "ab" * 32
    paper = built(quick / "p", [make_story(1)], media=media)
    with pytest.raises(StoryError, match=r"urn:lantern:2.*missing.*Upload it again"):
        paper.publish([make_story(2, photos=[lost])], SITE)
    report = paper.build(Stories([make_story(1), make_story(2, photos=[lost])]), SITE)
    assert "urn:lantern:2" in report.problems[0]
    assert "missing" in report.problems[0]
    assert paper.read(make_story(2).path) is not None


def test_a_photo_lost_at_the_source_stays_in_the_paper(quick: Path) -> None:
    media = Files(quick / "media")
    photo = media.add(b"the quay")
    stories = [make_story(1, photos=[photo])]
    paper = built(quick / "p", stories, media=media)
    (media.folder / photo).unlink()
    assert paper.build(Stories(stories), SITE).problems == []
    assert paper.read(f"/media/{photo[:2]}/{photo}.avif") is not None


def test_a_damaged_photo_is_refused(quick: Path) -> None:
    media = Files(quick / "media")
    photo = media.add(b"the quay")
    (media.folder / photo).write_bytes(b"another")
    paper = built(quick / "p", [make_story(1)], media=media)
    with pytest.raises(StoreError, match="damaged"):
        paper.publish([make_story(2, photos=[photo])], SITE)


def test_publishing_again_changes_nothing(quick: Path) -> None:
    paper = built(quick, [make_story(n) for n in range(3)])
    assert paper.publish([make_story(5)], SITE).edition == 2
    report = paper.publish([make_story(5)], SITE)
    assert (report.edition, report.files, report.removed) == (2, 0, 0)
    assert paper.refresh(SITE).edition == 2


def test_only_a_changed_furniture_needs_a_build(quick: Path) -> None:
    paper = built(quick, [make_story(1)])
    assert not paper.needs_build(SITE)
    assert not paper.needs_build(msgspec.structs.replace(SITE, front_stories=3))
    assert paper.needs_build(msgspec.structs.replace(SITE, accent="#123456"))
    assert paper.needs_build(msgspec.structs.replace(SITE, timezone="Asia/Tbilisi"))
    (quick / NAME).unlink()
    assert paper.needs_build(SITE)
    assert paper.build(Stories([make_story(1)]), SITE).edition == 2
    assert not paper.needs_build(SITE)


def test_a_damaged_catalogue_is_built_anew(quick: Path) -> None:
    paper = built(quick, [make_story(1)])
    (quick / NAME).write_bytes(b"no database at all" * 100)
    assert paper.needs_build(SITE)
    assert paper.read("/en/") is not None
    paper.build(Stories([make_story(1)]), SITE)
    assert paper.publish([make_story(2)], SITE).edition == 3


def test_news_is_forgotten_after_two_days(quick: Path) -> None:
    built(quick, [make_story(1, published=NOW, headline="fresh")])
    assert "fresh" in text(edition(quick), "/news-sitemap.xml")
    later = edition(quick, clock=lambda: NOW + timedelta(days=3))
    later.refresh(SITE)
    assert "fresh" not in text(later, "/news-sitemap.xml")


def test_every_version_of_the_privacy_policy_keeps_its_address(quick: Path) -> None:
    paper = built(quick, [])
    assert "New." in text(paper, "/en/privacy/")
    assert "Old." in text(paper, "/en/privacy/v1/")
    assert "New." in text(paper, "/en/privacy/v2/")


def test_stories_are_read_from_a_folder(quick: Path) -> None:
    (quick / "in/deep").mkdir(parents=True)
    (quick / "in/deep/a.json").write_bytes(encode(make_story(1)))
    lines = encode(make_story(2)) + b"\n\n" + encode(make_story(3))
    (quick / "in/b.jsonl").write_bytes(lines)
    source = FolderSource(quick / "in")
    assert source.count() == 3
    assert edition(quick / "p").build(source, SITE).stories == 3
    with pytest.raises(StoreError, match="not a folder"):
        FolderSource(quick / "nowhere")


def test_progress_is_told_to_the_end(quick: Path) -> None:
    told: list[tuple[int, int]] = []
    stories = [make_story(n) for n in range(450)]
    edition(quick).build(Stories(stories), SITE, progress=lambda d, t: told.append((d, t)))
    assert told == sorted(told)
    assert told[-1] == (450, 450)


@pytest.mark.parametrize("kind", ["publish", "build"])
def test_a_second_builder_is_told_to_wait(quick: Path, kind: str) -> None:
    paper = built(quick, [make_story(1)])
    before = whole(quick)
    work = {
        "publish": lambda: paper.publish([make_story(2)], SITE),
        "build": lambda: paper.build(Stories([]), SITE),
    }[kind]
    with Store(quick).exclusive(), pytest.raises(BusyError, match="try again"):
        work()
    assert whole(quick) == before


def test_two_builders_at_once_do_not_mix(quick: Path) -> None:
    paper = built(quick, [make_story(n) for n in range(20)])
    results: list[object] = []

    def publish(number: int) -> None:
        try:
            edition(quick).publish([make_story(number)], SITE)
        except BusyError as error:
            results.append(error)
        else:
            results.append(number)

    threads = [threading.Thread(target=publish, args=(n,)) for n in range(100, 106)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = sorted(r for r in results if isinstance(r, int))
    assert len(results) == 6
    assert paper.number == 1 + len(done)
    stories = [make_story(n) for n in [*range(20), *done]]
    built(quick / "once", stories)
    assert whole(quick).keys() == whole(quick / "once").keys()


FULL = """
import resource, signal, sys
from pathlib import Path
from tests.edition.papers import *
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
from tamizdat.edition import StoreError
try:
    if sys.argv[3] == "publish":
        edition(Path(sys.argv[1])).publish([make_story(9, body="x" * 200_000)], SITE)
    else:
        stories = [make_story(n, body="y" * 9_000) for n in range(40)]
        edition(Path(sys.argv[1])).build(Stories(stories), SITE)
except StoreError as error:
    print(error)
    sys.exit(3)
"""


@pytest.mark.parametrize(("limit", "kind"), [(150_000, "publish"), (60_000, "build")])
def test_a_full_disk_leaves_the_last_paper_whole(quick: Path, limit: int, kind: str) -> None:
    paper = built(quick, [make_story(n) for n in range(5)], tree=True)
    before, laid_out = whole(quick), tree_of(quick)
    command = [sys.executable, "-c", FULL, str(quick), str(limit), kind]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "the last paper is whole" in done.stdout
    assert whole(quick) == before
    assert tree_of(quick) == laid_out
    assert paper.publish([make_story(8)], SITE).edition == 2
    built(quick / "once", [make_story(n) for n in [0, 1, 2, 3, 4, 8]])
    assert whole(quick).keys() == whole(quick / "once").keys()


def test_what_a_killed_builder_left_is_removed_in_time(quick: Path) -> None:
    paper = built(quick, [make_story(n) for n in range(5)])
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
            store = Store(quick)
            (quick / "unfinished").touch()
            store.put(b"left behind")
            store.put(b"left behind", "index")
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    paths = [Store(quick).name(Store.digest(b"left behind"), k) for k in ("objects", "index")]
    assert all(map(os.path.exists, paths))
    for number in range(10, 14):
        paper.publish([make_story(number)], SITE)
    assert not any(map(os.path.exists, paths))


def test_the_last_but_one_edition_stays_readable(quick: Path) -> None:
    from tamizdat.edition.index import Index

    paper = built(quick, [make_story(n) for n in range(100)])
    roots: list[str] = []
    for number in range(200, 212):
        paper.publish([make_story(number), make_story(number - 200, version=2)], SITE)
        pointer = Store(quick).pointer()
        assert pointer is not None
        roots.append(pointer.root)
        for root in roots[-2:]:
            for entry in Index(Store(quick)).walk(root):
                assert Store(quick).digest(Store(quick).get(entry.sha256)) == entry.sha256
    with pytest.raises(FileNotFoundError):
        list(Index(Store(quick)).walk(roots[0]))


def test_nothing_that_no_paper_needs_stays(quick: Path) -> None:
    """After many editions the folder holds no more than two of them."""
    paper = built(quick, [make_story(n) for n in range(30)])
    for version in range(2, 22):
        paper.publish([make_story(3, version=version, headline=f"now {version}")], SITE)
    paper.build(Stories([make_story(n) for n in range(30)]), SITE)
    paper.publish([make_story(99)], SITE)
    paper.publish([make_story(98)], SITE)
    objects = {f.name for f in (quick / "objects").rglob("*") if f.is_file()}
    assert len(objects) < len(whole(quick)) + 30
    assert len(list(quick.glob("stories-*.jsonl"))) == 1


def test_the_tree_is_the_paper_as_files(quick: Path) -> None:
    paper = built(quick, [make_story(n) for n in range(70)], tree=True)
    paper.publish([make_story(80), make_story(1, withdrawn=True, version=2)], SITE)
    moved = make_story(2, slug="elsewhere", former=[make_story(2).path], version=2)
    paper.publish([moved], SITE)
    found = tree_of(quick)
    assert found["index.html"] == found["en/index.html"]
    assert "withdrawn" in found[f"{make_story(1).path[1:]}index.html"].decode()
    assert moved.path in found[f"{make_story(2).path[1:]}index.html"].decode()
    assert len(found) == len(whole(quick))


def test_a_lost_tree_grows_again(quick: Path) -> None:
    paper = built(quick, [make_story(n) for n in range(10)], tree=True)
    (quick / "tree.json").unlink()
    (quick / "tree/en/stray.html").write_text("not of this paper")
    (quick / "tree/en/index.html").unlink()
    paper.publish([make_story(11)], SITE)
    assert len(tree_of(quick)) == len(whole(quick))


def test_compressed_files_lie_beside_the_others(quick: Path) -> None:
    import brotli

    built(quick, [make_story(1)], tree=True, brotli=True)
    tree = tree_of(quick)
    assert brotli.decompress(tree["en/index.html.br"]) == tree["en/index.html"]


@pytest.mark.parametrize("small", [100])
def test_files_written_do_not_grow_with_the_archive(quick: Path, small: int) -> None:
    """One story more, the same number of files, in an archive thirty times as large."""
    counts = []
    for size in (small, small * 30):
        step = timedelta(hours=6)
        stories = [
            make_story(n, published=NOW - step * (size - n), topics=("ferries", f"t{n % 7}"))
            for n in range(size)
        ]
        paper = built(quick / str(size), stories)
        fresh = make_story(
            size + 1,
            published=NOW,
            topics=("ferries",),
            related=[uri_of(size - 1), uri_of(size - 2)],
        )
        published = paper.publish([fresh], SITE)
        corrected = paper.publish([_again(stories[-3], "Corrected")], SITE)
        withdrawn = paper.publish([_again(stories[-5], "x", withdrawn=True)], SITE)
        counts.append([r.files + r.removed for r in (published, corrected, withdrawn)])
    assert counts[0] == counts[1]
    assert max(counts[0]) < 40


def _again(story: Story, headline: str, *, withdrawn: bool = False) -> Story:
    return msgspec.structs.replace(
        story,
        version="2",
        headlines=[msgspec.structs.replace(story.headlines[0], value=headline)],
        pub_status="canceled" if withdrawn else "usable",
    )


def test_a_right_to_left_paper_has_its_addresses(quick: Path) -> None:
    from tamizdat.edition.site import Language

    site = Site(address="https://x.example", languages=(Language(code="ar", name="الفنار"),))
    story = make_story(1, language="ar", slug="الميناء مفتوح", section="أخبار")
    paper = built(quick, [story], site)
    assert story.path.endswith("/الميناء-مفتوح/")
    assert text(paper, story.path)
    assert text(paper, "/ar/أخبار/")
