# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ghost's cards as HTML: what stands between paragraphs, in either of its editors.

What comes out is any HTML; ``canon`` makes it canonical. Unknown cards are noted, never lost
silently.
"""

from __future__ import annotations

import html as _html
from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt

Payload = dict[str, Any]
Note = Callable[[str], None]
_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_LEFT = {
    "email": "text that was only for the newsletter",
    "email-cta": "a call to act that was only for the newsletter",
    "signup": "a sign-up form",
    "paywall": "the mark where the paywall began",
    "product": "a product card",
    "nft": "a token card",
    "call-to-action": "a call to act",
}


def text(payload: Payload, *names: str) -> str:
    """The first of these values that is a text."""
    values = (payload.get(n) for n in names)
    return next((v for v in values if isinstance(v, str) and v.strip()), "")


def attribute(payload: Payload, *names: str) -> str:
    return _html.escape(text(payload, *names))


def caption(payload: Payload) -> str:
    words = text(payload, "caption", "fileCaption")
    return f"<figcaption>{words}</figcaption>" if words else ""


def markdown(source: str) -> str:
    return str(_MARKDOWN.render(source))


def render(name: str, payload: Payload, note: Note) -> str:
    """The card's HTML; empty where it has no place in a paper, which is noted."""
    maker = _MAKERS.get(name)
    if maker is not None:
        return maker(payload)
    note(f"{_LEFT.get(name, f'a card “{name}”, not known here,')} was left out")
    return ""


def _image(payload: Payload) -> str:
    img = f'<img src="{attribute(payload, "src")}" alt="{attribute(payload, "alt", "altText")}">'
    return f"<figure>{img}{caption(payload)}</figure>"


def _gallery(payload: Payload) -> str:
    images = [i for i in payload.get("images") or [] if isinstance(i, dict)]
    made = "".join(f'<img src="{attribute(i, "src")}" alt="{attribute(i, "alt")}">' for i in images)
    return f'<figure class="kg-gallery-card">{made}{caption(payload)}</figure>'


def _bookmark(payload: Payload) -> str:
    about = payload.get("metadata")
    meta = about if isinstance(about, dict) else {}
    title = attribute(meta, "title") or attribute(payload, "title")
    what = attribute(meta, "description") or attribute(payload, "description")
    return (
        f'<figure class="kg-bookmark-card"><a href="{attribute(payload, "url")}">'
        f'<div class="kg-bookmark-title">{title}</div>'
        f'<div class="kg-bookmark-description">{what}</div></a>{caption(payload)}</figure>'
    )


def _embed(payload: Payload) -> str:
    url = attribute(payload, "url")
    return f'<iframe src="{url}"></iframe>' if url else text(payload, "html")


def _code(payload: Payload) -> str:
    return f"<pre><code>{_html.escape(text(payload, 'code'))}</code></pre>{caption(payload)}"


def _callout(payload: Payload) -> str:
    emoji = _html.escape(text(payload, "calloutEmoji"))
    words = text(payload, "calloutText")
    return f"<blockquote><p>{emoji} {words}</p></blockquote>" if words else ""


def _toggle(payload: Payload) -> str:
    return f"<h3>{text(payload, 'heading')}</h3>{text(payload, 'content')}"


def _file(payload: Payload) -> str:
    title = attribute(payload, "fileTitle", "title", "fileName") or "File"
    words = text(payload, "fileCaption", "caption")
    return f'<p><a href="{attribute(payload, "src")}">{title}</a> {words}</p>'


def _audio(payload: Payload) -> str:
    return (
        f'<audio src="{attribute(payload, "src")}" title="{attribute(payload, "title")}"></audio>'
    )


def _video(payload: Payload) -> str:
    return f'<video src="{attribute(payload, "src")}"></video>{caption(payload)}'


def _button(payload: Payload) -> str:
    url = attribute(payload, "buttonUrl")
    return f'<p><a href="{url}">{attribute(payload, "buttonText")}</a></p>'


def _header(payload: Payload) -> str:
    below = text(payload, "subheading", "subheader")
    return f"<h2>{text(payload, 'heading', 'header')}</h2>{f'<p>{below}</p>' if below else ''}"


_MAKERS: dict[str, Callable[[Payload], str]] = {
    "image": _image,
    "gallery": _gallery,
    "bookmark": _bookmark,
    "embed": _embed,
    "html": lambda payload: text(payload, "html"),
    "markdown": lambda payload: markdown(text(payload, "markdown")),
    "card-markdown": lambda payload: markdown(text(payload, "markdown")),
    "hr": lambda payload: "<hr>",
    "horizontalrule": lambda payload: "<hr>",
    "code": _code,
    "codeblock": _code,
    "callout": _callout,
    "toggle": _toggle,
    "file": _file,
    "audio": _audio,
    "video": _video,
    "button": _button,
    "header": _header,
}
