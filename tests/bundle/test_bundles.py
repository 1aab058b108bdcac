# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is in a bundle, and what a person finds who opens it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import html

from tamizdat.edition.bundle import Limits, NothingError, Printed, check, container
from tamizdat.edition.bundle.errors import BundleError
from tamizdat.edition.bundle.gather import FORMS, Plan
from tamizdat.edition.bundle.leaf import Leaf
from tests.bundle.conftest import printed
from tests.reader.copies import Room

HEADLINES = ("The bridge is closed", "Мост закрыт", "الجسر مغلق")


def page_of(bundle: Printed) -> html.HtmlElement:
    text = container.read(bundle.data)[1][container.HTML].decode()
    return html.document_fromstring(re.sub(r"^<!doctype html>\n", "", text))


@pytest.mark.parametrize("form", FORMS)
def test_a_bundle_is_proven_by_itself_and_by_the_newsrooms_root(
    form: str, bundles: Mapping[str, Printed], room: Room
) -> None:
    report = check(bundles[form].data, root=room.root, clock=room.clock)
    assert report.findings == []
    assert report.trusted
    assert report.form == form
    assert {headline for headline, _ in report.stories} == {*HEADLINES, "Headline 5"}
    assert report.pictures == 3
    assert not check(bundles[form].data, clock=room.clock).trusted


def test_the_same_edition_gives_the_same_bytes(bundles: Mapping[str, Printed], room: Room) -> None:
    again = printed(room.desk.folder.path, room)
    assert {form: one.data for form, one in again.items()} == {
        form: one.data for form, one in bundles.items()
    }


@pytest.mark.parametrize("form", ["zip", "html"])
def test_the_page_has_contents_stories_and_links_that_work_without_a_network(
    form: str, bundles: Mapping[str, Printed]
) -> None:
    page = page_of(bundles[form])
    assert [h.text for h in page.xpath("//article//h2[1]")] == [
        "Headline 5", *HEADLINES
    ]  # fmt: skip
    names = {element.get("id") for element in page.xpath("//*[@id]")}
    inner = [href for href in page.xpath("//a/@href") if href.startswith("#")]
    assert {href[1:] for href in inner} <= names
    assert all(
        href.startswith(("#", "https://", "http://", "mailto:")) for href in page.xpath("//a/@href")
    )
    assert not page.xpath("//script[not(@type='application/zip;base64')]")
    assert page.xpath("//article[@dir='rtl']/@lang") == ["ar"]
    shown = page.xpath("//article//img/@src")
    members = container.read(bundles[form].data)[1]
    if form == "zip":
        assert len(shown) == 3
        assert set(shown) <= set(members)
    else:
        assert len(shown) == 3
        assert all(src.startswith("data:image/png;base64,") for src in shown)


def test_no_withdrawn_story_is_in_a_bundle(bundles: Mapping[str, Printed], room: Room) -> None:
    for one in bundles.values():
        members = container.read(one.data)[1]
        plan = Plan.decode(members[f"{container.PROOFS[one.form]}bundle.json"])
        assert room.path(4) not in (*plan.stories, *plan.pages)
        assert not any(b"Headline 4" in data for data in members.values() if b"<article" in data)


def test_a_story_that_is_withdrawn_later_is_in_no_later_bundle(tmp_path: Path) -> None:
    room = Room(tmp_path, []).open_paper()
    before = printed(room.desk.folder.path, room)["html"]
    room.publish_story(5, withdrawn=True, version=2)
    after = printed(room.desk.folder.path, room)["html"]
    assert b"Headline 5" in before.data
    assert b"Headline 5" not in after.data
    assert check(before.data, root=room.root, clock=room.clock).ok, "an older bundle stays true"


def test_a_bundle_does_not_list_the_mirrors(bundles: Mapping[str, Printed], room: Room) -> None:
    assert any(room.desk.folder.path.rglob("*.mirrors.json"))
    for one in bundles.values():
        assert not any(n.endswith("mirrors.json") for n in container.read(one.data)[1])


def test_one_language_and_few_days_can_be_asked_for(room: Room) -> None:
    made = printed(room.desk.folder.path, room, Limits(7, ("ru",)))
    assert {one.stories for one in made.values()} == {1}
    assert check(made["epub"].data, clock=room.clock).stories == [(HEADLINES[1], room.path(2))]


def test_an_empty_week_is_said_and_makes_no_file(tmp_path: Path) -> None:
    room = Room(tmp_path, []).open_paper()
    room.now += timedelta(days=30)
    assert room.desk.signer.resign()
    with pytest.raises(NothingError, match="--days"):
        printed(room.desk.folder.path, room)
    with pytest.raises(NothingError, match="“de”"):
        printed(room.desk.folder.path, room, Limits(90, ("de",)))


def test_too_much_for_a_mail_loses_pictures_first_then_the_oldest_stories(room: Room) -> None:
    edition = room.desk.folder.path
    whole = printed(edition, room)["zip"]
    small = printed(edition, room, Limits(most=len(whole.data) - 1))["zip"]
    assert (small.pictures, small.pictures_left_out, small.left_out) == (0, True, 0)
    smaller = printed(edition, room, Limits(most=len(small.data) - 1))["zip"]
    assert smaller.left_out >= 1
    assert smaller.stories + smaller.left_out == 4
    for one in (small, smaller):
        assert check(one.data, root=room.root, clock=room.clock).findings == []
    with pytest.raises(BundleError, match="--max"):
        printed(edition, room, Limits(most=1_000))


def test_a_paper_without_keys_says_what_to_do(tmp_path: Path, room: Room) -> None:
    with pytest.raises(BundleError, match="keys init"):
        printed(tmp_path, room)


PAGE = (
    '<html lang="en" dir="ltr"><body><article><header><h1>A <em>bridge</em></h1></header>'
    '<div class="body" onclick="x()"><p>One <a href="/en/2026/1/1/x/#a">two</a> '
    '<a href="javascript:x()">three</a><script>x()</script></p><iframe src="/x"></iframe>'
    '<video><source src="/media/aa/b.mp4"></video></div>'
    '<section class="about"><h2>More</h2></section></article></body></html>'
)


def test_only_what_is_harmless_is_shown() -> None:
    leaf = Leaf("/en/x/", PAGE.encode())
    assert leaf.headline == "A bridge"
    shown = leaf.show(lambda path: f"#{path}", lambda path: "", lower=1)
    assert shown == (
        '<article><header><h2>A <em>bridge</em></h2></header><div class="body"><p>One '
        '<a href="#/en/2026/1/1/x/">two</a> <a>three</a></p>'
        '<a href="#/media/aa/b.mp4">#/media/aa/b.mp4</a></div></article>'
    )


def test_what_is_no_article_is_refused() -> None:
    with pytest.raises(BundleError):
        Leaf("/en/", b"<p>Nothing")
