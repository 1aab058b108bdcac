# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page for letters comes and goes with the drops, and may send to these alone."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tamizdat.edition.paper import page_renderer
from tamizdat.edition.serve import make_app
from tamizdat.edition.site import Letters, Site
from tests.edition.papers import SITE, Stories, built, make_story, whole
from tests.edition.test_serve import ask

RECIPIENT = "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef"


def with_drops(*drops: str) -> Site:
    return msgspec.structs.replace(SITE, letters=Letters(drops=drops, recipient=RECIPIENT))


def rule(app: object, path: str, name: str, **headers: str) -> str:
    policy = ask(app, path, **headers).headers["content-security-policy"]  # type: ignore[arg-type]  # an app
    return next(one for one in policy.split("; ") if one.startswith(f"{name} "))


def test_the_page_comes_and_goes_with_the_drops(quick: Path) -> None:
    stories = [make_story(1), make_story(2, language="ru")]
    paper = built(quick, stories, with_drops("https://near.example"), renderer=page_renderer)
    app = make_app(quick)
    assert ask(app, "/en/write/").status == ask(app, "/ru/write/").status == 200
    assert ask(app, "/assets/forms.js").status == ask(app, "/assets/x25519.js").status == 200
    assert b'href="/en/write/"' in ask(app, make_story(1).path).body
    paper.build(Stories(stories), SITE)
    assert ask(app, "/en/write/").status == 404
    assert b"/en/write/" not in ask(app, make_story(1).path).body
    assert [path for path in whole(quick) if "forms.js" in path] == []


def test_another_drop_rewrites_the_page_for_letters_and_no_story(quick: Path) -> None:
    paper = built(quick, [make_story(1)], with_drops("https://a.example"), renderer=page_renderer)
    before = whole(quick)
    paper.publish([], with_drops("https://b.example"))
    changed = {path for path, found in whole(quick).items() if before.get(path) != found}
    assert {path for path in changed if "write" in path} == {"/en/write/", "/ru/write/"}
    assert make_story(1).path not in changed
    assert b"https://b.example/v1/message" in whole(quick)["/ru/write/"][3]


def test_only_the_page_for_letters_may_send_to_the_drops_by_its_headers_too(quick: Path) -> None:
    drops = ("https://near.example", "http://abcdef.onion")
    built(quick, [make_story(1)], with_drops(*drops), renderer=page_renderer)
    app = make_app(quick)
    for name in ("connect-src", "form-action"):
        assert rule(app, "/en/write/", name) == f"{name} 'self' {' '.join(drops)}"
        assert rule(app, "/en/write/", name, accept_encoding="br").endswith(drops[-1])
        for path in ("/en/", make_story(1).path, "/en/about/", "/nothing/", "/assets/forms.js"):
            assert rule(app, path, name) == f"{name} 'self'"
    tag = ask(app, "/en/write/").headers["etag"]
    again = ask(app, "/en/write/", if_none_match=tag)
    assert again.status == 304
    assert drops[0] in again.headers["content-security-policy"]
