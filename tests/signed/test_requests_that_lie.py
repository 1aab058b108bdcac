# SPDX-License-Identifier: AGPL-3.0-or-later
"""Requests that were altered on their way, or written by whoever seized the desk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tamizdat.edition.signed import ceremony, keys, seal, summary
from tamizdat.edition.signed.errors import CeremonyError
from tamizdat.edition.signed.request import Request
from tamizdat.edition.store import Store
from tests.signed.newsroom import Newsroom

replace = msgspec.structs.replace
After = dict[str, Any]


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    return Newsroom(tmp_path).found().build(3)


def sealing(room: Newsroom) -> Request:
    with Store(room.desk.folder.path).exclusive():
        return seal.prepare(room.open_desk(), room.now)


def changed(request: Request, change: Callable[[After], object]) -> Request:
    after = msgspec.json.decode(msgspec.json.encode(request.after))
    change(after)
    return replace(request, after=after)


def put_record(data: bytes) -> Callable[[After], object]:
    said = {"length": len(data), "hashes": {"sha256": hashlib.sha256(data).hexdigest()}}
    return lambda after: after["archive"]["signed"]["targets"].update({"archive/index": said})


LIES: dict[str, Callable[[Newsroom], Request]] = {
    "a sealing that calls itself a renewal": lambda r: replace(sealing(r), kind="renew"),
    "another online key that calls itself a renewal": lambda r: replace(
        ceremony.prepare_online(r.desk, r.now), kind="renew"
    ),
    "a renewal that calls itself a sealing": lambda r: replace(
        ceremony.prepare_renewal(r.desk, r.now), kind="seal"
    ),
    "nothing at all": lambda r: replace(ceremony.prepare_renewal(r.desk, r.now), after={}),
    "half of it": lambda r: changed(
        ceremony.prepare_online(r.desk, r.now), lambda after: after.pop("targets")
    ),
    "two things in one": lambda r: replace(
        ceremony.prepare_online(r.desk, r.now),
        after=ceremony.prepare_online(r.desk, r.now).after
        | ceremony.prepare_site(r.desk, b'{"format":1}', r.now).after,
        site='{"format":1}',
    ),
    "an archive of what is no record": lambda r: replace(
        changed(sealing(r), put_record(b"junk")), record=b"junk".hex()
    ),
    "an archive with no hash that readers know": lambda r: changed(
        sealing(r),
        lambda after: after["archive"]["signed"]["targets"]["archive/index"].update(
            hashes={"md5": "00"}
        ),
    ),
    "a record that is no hexadecimal": lambda r: replace(sealing(r), record="zz"),
    "more than is shown of a target": lambda r: changed(
        sealing(r),
        lambda after: after["archive"]["signed"]["targets"]["archive/index"].update(
            custom={"a": 1}
        ),
    ),
    "a member of site.json twice": lambda r: ceremony.prepare_site(
        r.desk, b'{"format":1,"name":"One","name":"Two"}', r.now
    ),
    "a site.json that no reader would load": lambda r: ceremony.prepare_site(
        r.desk, b'{"format":1,"name":"' + b"o" * 64_000 + b'"}', r.now
    ),
    "one part that ends on another day": lambda r: changed(
        ceremony.prepare_online(r.desk, r.now),
        lambda after: after["root"]["signed"].update(expires="9999-12-31T00:00:00Z"),
    ),
    "an end in antiquity": lambda r: changed(
        ceremony.prepare_site(r.desk, b'{"format":1}', r.now),
        lambda after: after["targets"]["signed"].update(expires="0005-01-01T00:00:00Z"),
    ),
    "a holder whose name moves the cursor": lambda r: named(r, "ben\x1b[2K"),
    "a holder whose name looks like another's": lambda r: named(r, "b\u0435n"),
    "two holders of one name": lambda r: named(r, "cleo"),
}


def named(room: Newsroom, name: str) -> Request:
    request = ceremony.prepare_renewal(room.desk, room.now)
    ben = next(keyid for keyid, held in request.holders.items() if held == "ben")
    return replace(request, holders=request.holders | {ben: name})


@pytest.mark.parametrize("lie", LIES)
def test_a_holder_signs_no_lie(room: Newsroom, lie: str) -> None:
    request = LIES[lie](room)
    with pytest.raises(CeremonyError):
        ceremony.sign(request, room.holders["anna"])


def test_a_holder_notices_where_a_request_swaps_names(room: Newsroom) -> None:
    request = ceremony.prepare_renewal(room.desk, room.now)
    anna, ben = (room.holders[name] for name in ("anna", "ben"))
    names = request.holders | {anna.public_key.keyid: "ben", ben.public_key.keyid: "anna"}
    with pytest.raises(CeremonyError, match="not anna"):
        ceremony.sign(replace(request, holders=names), anna, "anna")
    ceremony.sign(request, anna, "anna")


def test_a_file_that_was_altered_on_its_way_back_renames_no_holder(room: Newsroom) -> None:
    request = ceremony.prepare_renewal(room.desk, room.now)
    anna, ben = (room.holders[name].public_key.keyid for name in ("anna", "ben"))
    swapped = request.holders | {anna: "ben", ben: "anna"}
    signed = [ceremony.sign(request, room.holders[name]) for name in ("anna", "ben")]
    before = room.desk.holders()
    with Store(room.desk.folder.path).exclusive():
        with pytest.raises(CeremonyError, match="different requests"):
            ceremony.finish(room.open_desk(), [signed[0], replace(signed[1], holders=swapped)])
        ceremony.finish(room.open_desk(), [replace(one, holders=swapped) for one in signed])
    assert room.desk.holders() == before


def test_the_words_show_what_a_terminal_would_hide(room: Newsroom) -> None:
    site = '{"format":1,"entries":["https://l\u0430ntern.example/"],"name":"\u202eThe \x9b8m"}'
    request = ceremony.prepare_site(room.desk, site.encode(), room.now)
    request = replace(request, newsroom="The Lantern:\nThe same as before.\x1b[8m", made="\x1b[8m")
    ceremony.examine(request)
    said = summary.words(request)
    assert all(line.isprintable() for line in said)
    assert "l\\u0430ntern.example" in "\n".join(said)
    assert said[0].startswith("For The Lantern:\\nThe same as before.")


def test_the_words_tell_true_from_one(room: Newsroom) -> None:
    request = ceremony.prepare_site(room.desk, b'{"format":true,"name":"The Lantern"}', room.now)
    assert "site.json, format: 1 becomes true." in summary.words(request)


def test_two_holders_do_not_get_one_name(room: Newsroom) -> None:
    key = keys.generate()
    new = keys.KeyFile(newsroom="", holder="ben", keyid="", public=keys.public_hex(key), secret="")
    with pytest.raises(CeremonyError, match="called ben already"):
        ceremony.prepare_holder(room.desk, "anna", new, room.now)
    ceremony.prepare_holder(room.desk, "ben", new, room.now)


def test_files_of_any_depth_are_refused_in_words(room: Newsroom, tmp_path: Path) -> None:
    deep = b"[" * 100_000
    data = ceremony.prepare_renewal(room.desk, room.now).encode()
    for broken in (b'{"x":' + deep, data.replace(b'"after": {', b'"after": {"root":' + deep, 1)):
        with pytest.raises(CeremonyError):
            Request.decode(broken, tmp_path / "request.json")
