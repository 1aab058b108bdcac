# SPDX-License-Identifier: AGPL-3.0-or-later
"""The plain text reads as well as the HTML."""

from __future__ import annotations

import re

from tamizdat.mail import layout
from tests.mail.layout.samples import ARABIC, FOOT, ISSUE, NOTICE, changed, with_item

EXPECTED_TOP = """The Meridian

The Friday Letter
=================

No. 47 · Friday, 27 November 2026
Read it in the paper:
https://meridian.example/en/newsletter/friday/47/

Dear readers,

see the pier [1].

[1] https://meridian.example/en/2026/11/23/pier/

— Mira Valdis

[Picture of the week: The first morning. / Lena Orr]

News
----

Ferry crews end their strike
Ports · Jon Tal · 6 minutes to read
The crews went back on Monday. They will ask again in spring.
https://meridian.example/en/2026/11/22/ferry/
"""


def test_it_reads_like_a_letter() -> None:
    assert layout.issue(ISSUE).plain.startswith(EXPECTED_TOP)


def test_every_address_stands_on_a_line_of_its_own() -> None:
    lines = layout.issue(ISSUE).plain.splitlines()
    for address in (FOOT.unsubscribe, FOOT.preferences, FOOT.privacy, FOOT.web, *FOOT.entries):
        assert address in lines
    assert "desk@meridian.example" in lines


def test_a_heading_is_underlined_as_wide_as_it_is() -> None:
    for name, width in (("The Friday Letter", 17), ("Четвёртая власть", 16), ("週刊", 4)):
        plain = layout.issue(changed(newsletter=name)).plain
        assert f"\n{name}\n{'=' * width}\n" in plain


def test_a_long_headline_is_wrapped() -> None:
    plain = layout.issue(with_item(headline="Snow " * 40)).plain
    assert max(len(line) for line in plain.splitlines() if "Snow" in line) <= 72


def test_a_right_to_left_text_keeps_its_lines_together() -> None:
    plain = layout.issue(changed(**ARABIC)).plain
    assert "\n\u200f============\n" in plain
    assert "\n\u200fFerry crews end their strike\n" in plain
    assert "\u200f\u200f" not in plain
    for line in plain.splitlines():
        assert re.fullmatch(r"\u200f?[^\u200f]*(?:\u200f · [^\u200f]*)*", line)


def test_a_notice_has_its_address_whole() -> None:
    lines = layout.notice(NOTICE).plain.splitlines()
    assert lines[:4] == ["The Meridian", "", NOTICE.subject, "=" * len(NOTICE.subject)]
    assert NOTICE.url in lines
