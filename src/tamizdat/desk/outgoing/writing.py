# SPDX-License-Identifier: AGPL-3.0-or-later
"""A single mail as bytes and envelope: its letter opened, laid out, addressed, signed.

What always holds: its Message-ID is the same at each try; where ``[mail] bounces`` is set, what
comes back names its reader to us alone (``mail.verp``).

What is not done here: bringing it to a relay (``post``).
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from tamizdat.config import ConfigError, Newsroom
from tamizdat.desk.outgoing import lanes
from tamizdat.desk.outgoing.lanes import Enclosed, Letter
from tamizdat.desk.outgoing.links import Links, Purpose, day_stamp
from tamizdat.desk.outgoing.models import Mail
from tamizdat.desk.outgoing.signing import signer_of
from tamizdat.desk.readers.vault import Vault
from tamizdat.mail import layout
from tamizdat.mail.content import File, Laid
from tamizdat.mail.errors import MessageError
from tamizdat.mail.message import Template
from tamizdat.mail.smtp import Outgoing
from tamizdat.mail.verp import verp


def written(newsroom: Newsroom, mail: Mail, now: datetime) -> Outgoing:
    """What is handed to a relay. Raises ``MailError`` for a mail that can never go, ``ConfigError``
    and ``VaultError`` where something has to be mended first."""
    letter, mail_settings = lanes.opened(mail), newsroom.settings.mail
    sender = letter.sender or mail_settings.sender
    if not sender:
        raise ConfigError("single mails have no sender: set sender in the table [mail]")
    template = Template.make(
        _laid(letter),
        sender=sender,
        sender_name=letter.sender_name or mail_settings.sender_name or newsroom.settings.name,
        reply_to=letter.reply_to,
        message_id_domain=mail_settings.bounces or sender.rpartition("@")[2],
        list_id=letter.list_id,
        list_unsubscribe=letter.unsubscribe,
        files=[(_file(one), one.data) for one in letter.files],
    )
    address = letter.to or _address(newsroom, mail)
    data = template.personal(
        to=address,
        message_id=letter.message_id,
        date=now,
        tokens=letter.tokens,
        signer=signer_of(newsroom),
    )
    return Outgoing(
        key=mail.pk, sender=_envelope(newsroom, mail, sender), recipient=address, data=data
    )


def _laid(letter: Letter) -> Laid:
    if letter.laid is not None:
        return letter.laid
    if letter.notice is None:
        raise MessageError("A mail that says nothing is not sent.")
    return layout.notice(letter.notice)


def _file(one: Enclosed) -> File:
    digest = hashlib.sha256(one.data).hexdigest()
    return File(name=one.name, media_type=one.media_type, sha256=digest, cid=one.cid)


def _address(newsroom: Newsroom, mail: Mail) -> str:
    if mail.reader is None:
        raise MessageError("A mail to nobody is not sent.")
    return Vault(newsroom).address_of(mail.reader)


def _envelope(newsroom: Newsroom, mail: Mail, sender: str) -> str:
    bounces = newsroom.settings.mail.bounces
    if not bounces or mail.reader_id is None:
        return sender
    stamp = day_stamp(mail.created.date())
    return verp(Links(newsroom).make(Purpose.RETURN_MAIL, mail.reader_id, stamp), bounces)
