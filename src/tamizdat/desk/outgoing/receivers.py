# SPDX-License-Identifier: AGPL-3.0-or-later
"""Receiving domains so large that knowing one names nobody.

What always holds: of an address only its domain is kept beside a mail, and only where it is one of
these, or one that the settings limit by name.
"""

from __future__ import annotations

from collections.abc import Container

_LARGE = """
    gmail.com googlemail.com
    outlook.com hotmail.com live.com msn.com hotmail.co.uk hotmail.fr hotmail.de hotmail.it
    hotmail.es live.co.uk live.fr live.de outlook.de outlook.fr
    yahoo.com ymail.com rocketmail.com yahoo.co.uk yahoo.fr yahoo.de yahoo.it yahoo.es yahoo.co.in
    yahoo.com.br aol.com
    icloud.com me.com mac.com
    mail.ru bk.ru list.ru inbox.ru internet.ru yandex.ru yandex.com ya.ru yandex.by yandex.kz
    yandex.ua rambler.ru lenta.ru ro.ru autorambler.ru
    ukr.net i.ua meta.ua tut.by
    proton.me protonmail.com pm.me tutanota.com tuta.io tuta.com
    gmx.de gmx.net gmx.at gmx.ch gmx.com web.de t-online.de freenet.de posteo.de mailbox.org
    orange.fr wanadoo.fr free.fr laposte.net sfr.fr libero.it virgilio.it tiscali.it
    wp.pl o2.pl onet.pl interia.pl seznam.cz email.cz centrum.cz azet.sk abv.bg
    comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net
    btinternet.com sky.com virginmedia.com fastmail.com zoho.com mail.com inbox.lv
    qq.com 163.com 126.com sina.com naver.com hanmail.net daum.net rediffmail.com
"""
LARGE = frozenset(_LARGE.split())


def large(address: str, limited: Container[str] = ()) -> str:
    """The domain of an address where it may be kept, else nothing."""
    domain = address.rpartition("@")[2].lower()
    return domain if domain in LARGE or domain in limited else ""
