# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo's messages to readers: one on top of every page, one after each article.

What always holds: written by the editor, approved by the publisher, as all messages are; what
somebody changed since stays.
"""

from __future__ import annotations

from django.db import transaction

from tamizdat.desk.contributions import asking
from tamizdat.desk.contributions.content import AskContent, AskText, AskVariant
from tamizdat.desk.contributions.models import Ask, Place
from tamizdat.desk.staff.models import User

_RIBBON = AskContent(
    variants=(
        AskVariant(
            slug="plain",
            texts={
                "en": AskText("Readers keep this paper alive."),
                "ru": AskText("Эта газета жива благодаря читателям."),
            },
        ),
    )
)
_MESSAGE = AskContent(
    variants=(
        AskVariant(
            slug="why",
            texts={
                "en": AskText(
                    "You read it free. Somebody paid.",
                    "<p>We left the island so that we could go on telling what happens there. "
                    "Support us monthly, from <strong>$2</strong>; it is quick to set up and "
                    "quick to end.</p>",
                ),
                "ru": AskText(
                    "Вы читаете бесплатно. Кто-то заплатил.",
                    "<p>Мы уехали с острова, чтобы и дальше рассказывать, что там происходит. "
                    "Поддержите нас ежемесячно, от <strong>2 $</strong>: начать недолго, "
                    "прекратить тоже.</p>",
                ),
            },
        ),
        AskVariant(
            slug="short",
            texts={
                "en": AskText("Two dollars a month keep a reporter on the line."),
                "ru": AskText("Два доллара в месяц, и журналист остаётся на связи."),
            },
        ),
    ),
    goal=1_000_000,
    currency="USD",
)
MESSAGES = (
    ("readers", "Readers keep this paper alive", Place.RIBBON, _RIBBON),
    ("somebody-paid", "Somebody paid", Place.MESSAGE, _MESSAGE),
)


@transaction.atomic
def make_messages() -> None:
    """Those that are missing, approved."""
    users = {user.username: user for user in User.objects.all()}
    for slug, title, place, said in MESSAGES:
        if not Ask.objects.filter(slug=slug).exists():
            ask = asking.write_ask(
                slug=slug, title=title, place=place, said=said, acting_user=users["editor"]
            )
            asking.approve_ask(ask=ask, acting_user=users["publisher"])
