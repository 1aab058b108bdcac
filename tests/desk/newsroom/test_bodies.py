# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from html import escape
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamizdat.desk.newsroom.bodies import (
    blocks_from_html,
    files_in,
    html_from_blocks,
    photos_in,
)
from tamizdat.desk.newsroom.models import Article, Attachment, Photo
from tamizdat.edition.body import clean
from tamizdat.edition.story import ni_uri

pytestmark = pytest.mark.django_db
SHA = "ab" * 32
NI = ni_uri(SHA)

words = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=30
).filter(lambda text: bool(clean(f"<p>{escape(text)}</p>")))


def tagged(tag: str) -> Callable[[str], str]:
    return lambda text: f"<{tag}>{text}</{tag}>"


plain = words.map(escape)
phrases = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.sampled_from(["em", "strong", "s", "sub", "sup", "code"]).flatmap(
            lambda tag: inner.map(tagged(tag))
        ),
        inner.map(lambda text: f'<a href="https://elsewhere.example/?a=1&amp;b=2">{text}</a>'),
        st.tuples(inner, inner).map("<br>".join),
    ),
    max_leaves=5,
)
items = st.lists(phrases.map(tagged("li")), min_size=1, max_size=3).map("".join)
lists = st.sampled_from(["ul", "ol"]).flatmap(lambda tag: items.map(tagged(tag)))
paragraphs = phrases.map(tagged("p"))
pull = st.tuples(paragraphs, st.one_of(st.just(""), plain.map(tagged("cite")))).map(
    lambda parts: f'<blockquote class="pull">{"".join(parts)}</blockquote>'
)
figure = st.just('<figure class="photo" data-photo="urn:photo:1"></figure>')
gallery = st.tuples(
    st.lists(figure, min_size=1, max_size=3).map("".join),
    st.one_of(st.just(""), plain.map(lambda text: f'<p class="caption">{text}</p>')),
).map(lambda parts: f'<div class="gallery">{"".join(parts)}</div>')
player = st.tuples(
    st.sampled_from(["audio", "video"]),
    st.one_of(st.just(""), plain.map(tagged("figcaption"))),
).map(
    lambda parts: (
        f'<figure class="{parts[0]}" data-media="{NI}"><{parts[0]} controls preload="none" '
        f'src="/media/ab/{SHA}.pdf"></{parts[0]}>{parts[1]}</figure>'
    )
)
document = plain.map(
    lambda title: (
        f'<p class="document" data-media="{NI}"><a href="/media/ab/{SHA}.pdf">{title}</a> '
        "<small>PDF, 1.2 MB</small></p>"
    )
)
box = plain.map(
    lambda title: (
        f'<aside class="box" data-stories="urn:story:1"><h2>{title}</h2>'
        '<ul><li><a href="/en/2026/11/22/one/">One &amp; only</a></li></ul></aside>'
    )
)
card = st.tuples(plain, st.one_of(st.just(""), plain.map(lambda t: f" <span>{t}</span>"))).map(
    lambda parts: (
        '<aside class="link"><a href="https://elsewhere.example/x" '
        f'rel="external noopener noreferrer"><strong>{parts[0]}</strong>{parts[1]} '
        "<small>elsewhere.example</small></a></aside>"
    )
)


@st.composite
def tables(draw: st.DrawFn) -> str:
    width = draw(st.integers(1, 3))
    cells = st.lists(st.one_of(st.just(""), plain), min_size=width, max_size=width)
    labelled = draw(st.booleans())

    def row(texts: list[str]) -> str:
        first = f'<th scope="row">{texts[0]}</th>' if labelled else f"<td>{texts[0]}</td>"
        return f"<tr>{first}{''.join(f'<td>{t}</td>' for t in texts[1:])}</tr>"

    head = "".join(f'<th scope="col">{text}</th>' for text in draw(cells))
    above = draw(st.one_of(st.just(""), plain.map(tagged("caption"))))
    above += f"<thead><tr>{head}</tr></thead>" if draw(st.booleans()) else ""
    rows = "".join(row(texts) for texts in draw(st.lists(cells, min_size=1, max_size=3)))
    return f'<figure class="table"><table>{above}<tbody>{rows}</tbody></table></figure>'


bodies = st.lists(
    st.one_of(
        paragraphs,
        lists,
        phrases.map(tagged("h2")),
        phrases.map(tagged("h3")),
        paragraphs.map(tagged("blockquote")),
        pull,
        figure,
        gallery,
        player,
        document,
        box,
        card,
        tables(),
    ),
    max_size=6,
).map("\n".join)


@pytest.fixture
def known(article: Article) -> SimpleNamespace:
    """One photo, one file and one published story, by the names the bodies above use."""
    photo = Photo.objects.create(title="One", uri="urn:photo:1", file="none", width=1, height=1)
    file = Attachment.objects.create(
        title="The report", sha256=SHA, media_type="application/pdf", file_size=1_200_000
    )
    Article.objects.filter(pk=article.pk).update(
        live=True,
        path="/en/2026/11/22/one/",
        headline="One & only",
        story_uri="urn:story:1",
    )
    return SimpleNamespace(
        maps={
            "photos": {photo.uri: photo},
            "files": {NI: file},
            "stories": {"urn:story:1": article.pk},
        },
        photo=photo,
        file=file,
    )


def item(value: Any) -> dict[str, Any]:
    return {"type": "item", "value": value, "id": "00000000-0000-4000-8000-000000000000"}


def stream(raw: list[dict[str, Any]]) -> Any:
    block = Article._meta.get_field("body").stream_block
    return block.to_python(raw)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150
)
@given(html=bodies)
def test_a_canonical_body_comes_back_as_it_was(known: SimpleNamespace, html: str) -> None:
    canonical = clean(html)
    losses: list[str] = []
    blocks = blocks_from_html(canonical, **known.maps, on_loss=losses.append)
    assert html_from_blocks(stream(blocks)) == canonical
    assert not losses


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100
)
@given(html=st.one_of(st.text(max_size=300), bodies))
def test_whatever_comes_in_only_canonical_html_goes_out(known: SimpleNamespace, html: str) -> None:
    out = html_from_blocks(stream(blocks_from_html(html)))
    assert clean(out) == out


def test_what_an_editor_typed_into_fields_is_never_markup(known: SimpleNamespace) -> None:
    evil = '"><script>alert(1)</script>'
    raw = [
        {"type": "heading", "value": {"level": "h2", "text": evil}},
        {"type": "pull_quote", "value": {"text": "<p>Words.</p>", "attribution": evil}},
        {"type": "link", "value": {"url": "javascript:alert(1)", "title": evil}},
        {"type": "table", "value": {"data": [[evil]], "table_caption": evil}},
        {"type": "document", "value": {"file": known.file.pk, "title": evil}},
    ]
    html = html_from_blocks(stream(raw))
    assert "<script" not in html
    assert "javascript" not in html
    assert "&lt;script&gt;" in html


def test_rich_text_as_the_editor_stores_it_becomes_canonical() -> None:
    raw = [{"type": "text", "value": '<p data-block-key="x1"><b>A</b> and <i>b</i><br/>c</p>'}]
    assert html_from_blocks(stream(raw)) == "<p><strong>A</strong> and <em>b</em><br>c</p>"


def test_a_photo_that_was_deleted_breaks_nothing() -> None:
    raw = [
        {"type": "photo", "value": {"photo": 999_999}},
        {"type": "text", "value": "<p>After.</p>"},
    ]
    assert html_from_blocks(stream(raw)) == "<p>After.</p>"


def test_a_box_never_leads_to_an_unpublished_story(article: Article) -> None:
    value = {"title": "Read also", "stories": [item(article.pk)]}
    assert html_from_blocks(stream([{"type": "box", "value": value}])) == ""


def test_what_cannot_be_taken_is_told() -> None:
    losses: list[str] = []
    blocks_from_html(
        '<figure class="photo" data-photo="urn:unknown"></figure>'
        '<table><tr><td><a href="https://elsewhere.example/">x</a></td></tr></table>',
        on_loss=losses.append,
    )
    assert losses == [
        "A photo is not known: urn:unknown",
        "Links in a table were turned into plain text.",
    ]


def test_a_caption_that_differs_here_is_kept_and_one_that_does_not_is_not_copied(
    known: SimpleNamespace,
) -> None:
    known.photo.caption = "Boats."
    own, other = (
        blocks_from_html(
            f'<figure class="photo" data-photo="urn:photo:1"><figcaption>{text} <small>L. Orr'
            "</small></figcaption></figure>",
            **known.maps,
        )[0]["value"]["caption"]
        for text in ("Boats.", "Лодки.")
    )
    assert (own, other) == ("", "Лодки.")


def test_photos_and_files_of_a_text_are_found_in_order(known: SimpleNamespace) -> None:
    photo = {"photo": known.photo.pk, "caption": "Here", "alt": ""}
    raw = [
        {"type": "photo", "value": photo},
        {"type": "gallery", "value": {"photos": [item(photo)]}},
        {"type": "document", "value": {"file": known.file.pk}},
    ]
    body = stream(raw)
    assert [caption for _, caption, _ in photos_in(body)] == ["Here", "Here"]
    assert list(files_in(body)) == [known.file]
