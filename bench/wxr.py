# SPDX-License-Identifier: AGPL-3.0-or-later
"""An invented export of a WordPress site (WXR 1.2), of any number of posts.

What always holds: equal parameters give equal bytes; memory does not grow with the posts. Posts
have what makes importing slow or hard: block comments, shortcodes, captions, links, lists,
quotations, categories, tags, authors, comments.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from xml.sax.saxutils import escape

from bench.archive import FIRST, SPAN
from bench.words import Words

AUTHORS, CATEGORIES, TAGS = 24, 12, 300
PLACES = 900_000
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:wp="http://wordpress.org/export/1.2/">
<channel>
<title>The Old Meridian</title>
<link>https://old.meridian.example</link>
<description>What we were before</description>
<pubDate>Sun, 22 Nov 2026 10:00:00 +0000</pubDate>
<language>en</language>
<wp:wxr_version>1.2</wp:wxr_version>
<wp:base_site_url>https://old.meridian.example</wp:base_site_url>
<wp:base_blog_url>https://old.meridian.example</wp:base_blog_url>
"""


def write(file: Path, posts: int, seed: int = 1) -> None:
    """Write an export of this many posts."""
    words = Words.invent("en", seed)
    with file.open("w", encoding="utf-8") as out:
        out.write(_HEAD)
        out.writelines(_terms(words))
        for number in range(posts):
            out.write(_post(words, number, posts, seed))
        out.write("</channel>\n</rss>\n")


def _terms(words: Words) -> Iterator[str]:
    for number in range(AUTHORS):
        yield (
            f"<wp:author><wp:author_id>{number + 1}</wp:author_id>"
            f"<wp:author_login><![CDATA[author-{number}]]></wp:author_login>"
            f"<wp:author_email><![CDATA[author-{number}@old.meridian.example]]></wp:author_email>"
            f"<wp:author_display_name><![CDATA[{words.name(number)} {words.name(number + 400)}]]>"
            "</wp:author_display_name></wp:author>\n"
        )
    for number in range(CATEGORIES):
        yield (
            f"<wp:category><wp:term_id>{number + 1}</wp:term_id>"
            f"<wp:category_nicename>category-{number}</wp:category_nicename>"
            f"<wp:cat_name><![CDATA[{words.name(number + 900)}]]></wp:cat_name></wp:category>\n"
        )
    for number in range(TAGS):
        yield (
            f"<wp:tag><wp:term_id>{number + 100}</wp:term_id>"
            f"<wp:tag_slug>tag-{number}</wp:tag_slug>"
            f"<wp:tag_name><![CDATA[{words.phrase(number * 3, 2)}]]></wp:tag_name></wp:tag>\n"
        )


def _post(words: Words, number: int, posts: int, seed: int) -> str:
    rng = random.Random(number * 7_368_787 + seed)
    date = FIRST + (SPAN - timedelta(days=1)) * (number / max(posts - 1, 1))
    slug, title = f"post-{number}", words.phrase(rng.randrange(PLACES), rng.randint(5, 10))
    category = rng.randrange(CATEGORIES)
    name = words.name(category + 900)
    tags = "".join(
        f'<category domain="post_tag" nicename="tag-{tag}">'
        f"<![CDATA[{words.phrase(tag * 3, 2)}]]></category>"
        for tag in rng.sample(range(TAGS), 3)
    )
    address = f"https://old.meridian.example/{date:%Y/%m/%d}/{slug}/"
    return f"""<item>
<title>{escape(title)}</title>
<link>{address}</link>
<pubDate>{date:%a, %d %b %Y %H:%M:%S} +0000</pubDate>
<dc:creator><![CDATA[author-{rng.randrange(AUTHORS)}]]></dc:creator>
<guid isPermaLink="false">https://old.meridian.example/?p={number + 1}</guid>
<description></description>
<content:encoded><![CDATA[{_content(words, rng, number)}]]></content:encoded>
<excerpt:encoded><![CDATA[{words.text(rng.randrange(PLACES), 22)}]]></excerpt:encoded>
<wp:post_id>{number + 1}</wp:post_id>
<wp:post_date>{date:%Y-%m-%d %H:%M:%S}</wp:post_date>
<wp:post_date_gmt>{date:%Y-%m-%d %H:%M:%S}</wp:post_date_gmt>
<wp:comment_status>open</wp:comment_status>
<wp:ping_status>closed</wp:ping_status>
<wp:post_name>{slug}</wp:post_name>
<wp:status>publish</wp:status>
<wp:post_parent>0</wp:post_parent>
<wp:menu_order>0</wp:menu_order>
<wp:post_type>post</wp:post_type>
<wp:post_password></wp:post_password>
<wp:is_sticky>0</wp:is_sticky>
<category domain="category" nicename="category-{category}"><![CDATA[{name}]]></category>
{tags}
{_comment(words, rng, number) if number % 4 == 0 else ""}</item>
"""


def _content(words: Words, rng: random.Random, number: int) -> str:
    """450 words, in blocks in the newer half, as WordPress wrote before in the older one."""
    place, blocks = rng.randrange(PLACES), number % 2 == 1
    parts = [words.text(place + 50 * n, 50) for n in range(9)]
    link = (
        f'<a href="https://old.meridian.example/?p={max(number, 1)}">{words.phrase(place, 3)}</a>'
    )
    parts[1] += f" {link}"
    parts[3] = f"<strong>{words.phrase(place, 3)}</strong> {parts[3]}"
    if not blocks:
        parts.insert(4, f"<blockquote>{words.text(place, 14)}</blockquote>")
        if number % 6 == 0:
            parts.insert(6, "[audio-player id=&quot;4&quot;]")
        return "\n\n".join(parts)
    made = [f"<!-- wp:paragraph -->\n<p>{part}</p>\n<!-- /wp:paragraph -->" for part in parts]
    heading = f'<h2 class="wp-block-heading">{words.phrase(place, 4)}</h2>'
    made.insert(3, f"<!-- wp:heading -->\n{heading}\n<!-- /wp:heading -->")
    items = "".join(f"<li>{words.text(place + n, 6)}</li>" for n in range(3))
    made.insert(6, f"<!-- wp:list -->\n<ul>{items}</ul>\n<!-- /wp:list -->")
    return "\n\n".join(made)


def _comment(words: Words, rng: random.Random, number: int) -> str:
    return f"""<wp:comment>
<wp:comment_id>{number + 1}</wp:comment_id>
<wp:comment_author><![CDATA[{words.name(number)}]]></wp:comment_author>
<wp:comment_date>2020-01-01 10:00:00</wp:comment_date>
<wp:comment_content><![CDATA[{words.text(rng.randrange(PLACES), 20)}]]></wp:comment_content>
<wp:comment_approved>1</wp:comment_approved>
<wp:comment_type>comment</wp:comment_type>
</wp:comment>
"""
