# SPDX-License-Identifier: AGPL-3.0-or-later
"""Small exports of invented newsrooms, made as the other systems make them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from tamizdat.importers import Left, Part, Result, Taken

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
PAGES = Path(__file__).parent / "pages"
_HEAD = """<?xml version="1.0" encoding="{encoding}"?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/{version}/excerpt/"
  xmlns:content="http://purl.org/rss/1.0/modules/content/"
  xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/{version}/">
<channel><title>Old Lantern</title><link>https://old.example</link><language>en-GB</language>
<wp:wxr_version>{version}</wp:wxr_version><wp:base_blog_url>https://old.example</wp:base_blog_url>
<wp:author><wp:author_login>ines</wp:author_login>
<wp:author_display_name><![CDATA[Ines Marrow]]></wp:author_display_name></wp:author>
<wp:category><wp:term_id>5</wp:term_id><wp:category_nicename>sea</wp:category_nicename>
<wp:category_parent></wp:category_parent><wp:cat_name><![CDATA[Sea]]></wp:cat_name></wp:category>
<wp:category><wp:term_id>6</wp:term_id><wp:category_nicename>ports</wp:category_nicename>
<wp:category_parent>sea</wp:category_parent><wp:cat_name><![CDATA[Ports]]></wp:cat_name></wp:category>
"""


def item(number: int, content: str = "<p>Words.</p>", **fields: str) -> str:
    """An ``<item>``. Names with ``__`` are ``prefix:name``; ``extra`` is raw XML."""
    extra = fields.pop("extra", "")
    values = {
        "title": f"Story {number}",
        "link": f"https://old.example/2015/01/story-{number}/",
        "dc__creator": "ines",
        "wp__post_id": str(number),
        "wp__post_date": "2015-01-02 10:00:00",
        "wp__post_date_gmt": "2015-01-02 09:00:00",
        "wp__post_name": f"story-{number}",
        "wp__status": "publish",
        "wp__post_parent": "0",
        "wp__post_type": "post",
        "wp__post_password": "",
    } | fields
    rows = "".join(
        f"<{name.replace('__', ':')}>{escape(value)}</{name.replace('__', ':')}>"
        for name, value in values.items()
    )
    return f"<item>{rows}<content:encoded><![CDATA[{content}]]></content:encoded>{extra}</item>\n"


def attachment(number: int, name: str, **fields: str) -> str:
    url = f"https://old.example/wp-content/uploads/2015/01/{name}"
    return item(
        number,
        "",
        wp__post_type="attachment",
        wp__status="inherit",
        wp__attachment_url=url,
        **fields,
    )


def meta(key: str, value: str) -> str:
    return (
        f"<wp:postmeta><wp:meta_key>{key}</wp:meta_key>"
        f"<wp:meta_value><![CDATA[{value}]]></wp:meta_value></wp:postmeta>"
    )


def wxr(*items: str, encoding: str = "UTF-8", version: str = "1.2", end: str = "") -> str:
    head = _HEAD.format(encoding=encoding, version=version)
    return head + "".join(items) + (end or "</channel></rss>\n")


def ghost(posts: list[dict[str, Any]], **tables: Any) -> str:
    """A Ghost export of version 4 with these posts."""
    full = [
        {
            "id": f"p{n}",
            "title": f"Post {n}",
            "slug": f"post-{n}",
            "type": "post",
            "status": "published",
            "visibility": "public",
            "published_at": "2021-05-06T07:08:09.000Z",
            "updated_at": "2021-05-07T07:08:09.000Z",
            "html": "<p>Words.</p>",
        }
        | post
        for n, post in enumerate(posts, 1)
    ]
    data = {"posts": full, "users": [{"id": "u1", "name": "Oda Kern", "slug": "oda"}], **tables}
    return json.dumps({"db": [{"meta": {"version": "4.48.0"}, "data": data}]})


def taken_of(results: Iterable[Result]) -> list[Taken]:
    return [r for r in results if isinstance(r, Taken)]


def left_of(results: Iterable[Result]) -> list[Left]:
    return [r for r in results if isinstance(r, Left)]


def count(results: Iterable[Result]) -> int:
    """How many items of the source the results account for."""
    total = 0
    for result in results:
        if isinstance(result, Taken | Part):
            total += 1
        elif not result.inside:
            total += result.count
    return total
