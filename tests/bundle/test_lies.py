# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bundles that somebody changed: every change is found, whatever it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamizdat.edition.bundle import Printed, check, container
from tamizdat.edition.bundle.errors import BundleError
from tamizdat.edition.bundle.gather import Form
from tests.bundle.conftest import printed
from tests.reader.copies import Room

Members = dict[str, bytes]
TRUTH, LIE = b"The bridge is closed", b"The bridge is opened"


def first(members: Members, part: str) -> str:
    return next(name for name in sorted(members) if part in name)


def put(part: str, change: Callable[[bytes], bytes]) -> Callable[[Members], None]:
    def apply(members: Members) -> None:
        name = first(members, part)
        members[name] = change(members[name])

    return apply


def drop(part: str) -> Callable[[Members], None]:
    return lambda members: members.__delitem__(first(members, part))


def add(name: str) -> Callable[[Members], None]:
    return lambda members: members.__setitem__(name, b"<p>Read me first.</p>")


def everywhere(members: Members) -> None:
    for name, data in members.items():
        members[name] = data.replace(TRUTH, LIE)


def swapped(members: Members) -> None:
    pages = [n for n in sorted(members) if "objects/" in n and b"<article" in members[n]][:2]
    members[pages[0]], members[pages[1]] = members[pages[1]], members[pages[0]]


def renamed(renderer: bytes) -> Callable[[bytes], bytes]:
    return lambda plan: plan.replace(b'"renderer":"1-', b'"renderer":"' + renderer)


CASES: list[tuple[Form, str, Callable[[Members], None]]] = [
    (
        "zip",
        "the page that is opened says another thing",
        put("index.html", lambda d: d.replace(TRUTH, LIE)),
    ),
    ("zip", "page and object say another thing", everywhere),
    ("zip", "two pages are swapped", swapped),
    ("zip", "a shard is gone", drop("shards/")),
    ("zip", "a shard is altered", put("shards/", lambda d: d[:-1] + bytes([d[-1] ^ 1]))),
    ("zip", "the timestamp is altered", put("timestamp", lambda d: d.replace(b"202", b"203", 1))),
    ("zip", "current is altered", put("metadata/current", lambda d: d + b"x")),
    ("zip", "site.json is altered", put("site.json", lambda d: d.replace(b"Lantern", b"Lentern"))),
    ("zip", "a page lies beside it", add("read-me-first.html")),
    ("zip", "an object lies beside it", add(f"objects/aa/{'a' * 64}")),
    ("zip", "metadata lies beside it", add("metadata/9.live.json")),
    ("zip", "a newer root lies beside it", add("metadata/2.root.json")),
    ("zip", "the page is gone", drop("index.html")),
    ("zip", "it says that another program made it", put("bundle.json", renamed(b"9-"))),
    (
        "zip",
        "a story is left out of the list",
        put("bundle.json", lambda d: d.replace(b"story-5", b"story-6")),
    ),
    (
        "zip",
        "a withdrawn story is listed",
        put("bundle.json", lambda d: d.replace(b"story-5", b"story-4")),
    ),
    ("epub", "a chapter says another thing", put("s2.xhtml", lambda d: d.replace(TRUTH, LIE))),
    ("epub", "chapter, contents and object say another thing", everywhere),
    ("epub", "a chapter is added", add("EPUB/s99.xhtml")),
    ("epub", "a picture is another one", put(".png", lambda d: d[:-1] + b"x")),
    (
        "epub",
        "the book's list is altered",
        put("book.opf", lambda d: d.replace(b"rtl", b"ltr") + b" "),
    ),
    ("epub", "the proof is gone", drop("META-INF/tamizdat/metadata/current")),
    ("html", "the page says another thing", put("index.html", lambda d: d.replace(TRUTH, LIE))),
    ("html", "page and proof say another thing", everywhere),
    (
        "html",
        "a picture is another one",
        put("index.html", lambda d: d.replace(b"base64,iVBOR", b"base64,iVBOQ", 1)),
    ),
    (
        "html",
        "a script was put in",
        put("index.html", lambda d: d.replace(b"</main>", b"<script>x()</script></main>")),
    ),
]


@pytest.mark.parametrize(("form", "lie", "change"), CASES, ids=[f"{f}: {n}" for f, n, _ in CASES])
def test_a_changed_bundle_is_found_out(
    form: Form,
    lie: str,
    change: Callable[[Members], None],
    bundles: Mapping[str, Printed],
    room: Room,
) -> None:
    members = dict(container.read(bundles[form].data)[1])
    before = dict(members)
    change(members)
    assert members != before, lie
    try:
        report = check(container.write(form, members, room.now), root=room.root, clock=room.clock)
    except BundleError:
        return
    assert report.findings, lie


def test_another_newsrooms_bundle_is_not_ours(tmp_path: Path, room: Room) -> None:
    other = Room(tmp_path, []).open_paper()
    for one in printed(other.desk.folder.path, other).values():
        report = check(one.data, root=room.root, clock=room.clock)
        assert [finding.kind for finding in report.findings]
        assert not report.stories


def test_a_bundle_in_a_bundle_is_not_believed(bundles: Mapping[str, Printed]) -> None:
    """A second proof in the page does not hide behind the first one."""
    data = bundles["html"].data
    block = b'<script type="application/zip;base64" id="tamizdat">AAAA</script>'
    with pytest.raises(BundleError):
        check(data.replace(b"<main>", b"<main>" + block))


@pytest.mark.parametrize("form", ["zip", "epub"])
def test_nothing_hides_between_the_members(form: str, bundles: Mapping[str, Printed]) -> None:
    """Some programs find members that the list at the end of a ZIP does not name."""
    data = bundles[form].data
    for changed in (data + b"<p>", data[:-2] + b"\x03\x00<p>"):
        with pytest.raises(BundleError):
            check(changed)


def test_age_is_said_and_is_no_fault(bundles: Mapping[str, Printed], room: Room) -> None:
    later = room.now.replace(year=room.now.year + 2)
    report = check(bundles["epub"].data, root=room.root, clock=lambda: later)
    assert report.ok
    assert "timestamp" in report.expired


@pytest.mark.parametrize("put_in", [b"A", b"=", b"=A", b"AA=A"])
def test_a_damaged_picture_is_said_so(put_in: bytes, bundles: Mapping[str, Printed]) -> None:
    data = bundles["html"].data
    at = data.index(b";base64,iVBOR") + len(b";base64,iVBOR")
    try:
        believed = check(data[:at] + put_in + data[at:]).ok
    except BundleError:
        believed = False
    assert not believed


@settings(max_examples=60, deadline=None)
@given(
    form=st.sampled_from(["zip", "epub", "html"]),
    place=st.integers(0, 2**24),
    put_in=st.binary(max_size=8),
    gone=st.integers(0, 40),
)
def test_whatever_bytes_are_changed_nothing_breaks_and_nothing_false_is_proven(
    form: str,
    place: int,
    put_in: bytes,
    gone: int,
    bundles: Mapping[str, Printed],
    room: Room,
) -> None:
    whole = bundles[form].data
    at = place % len(whole)
    changed = whole[:at] + put_in + whole[at + gone :]
    try:
        report = check(changed, root=room.root, clock=room.clock)
    except BundleError:
        return
    if report.ok:
        assert container.read(changed)[1] == container.read(whole)[1]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_file_is_a_bundle_or_refused(data: bytes) -> None:
    for start in (b"", b"PK\x03\x04", b'<script type="application/zip;base64" id="tamizdat">'):
        with pytest.raises(BundleError):
            check(start + data)
