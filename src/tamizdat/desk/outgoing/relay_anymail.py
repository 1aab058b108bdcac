# SPDX-License-Identifier: AGPL-3.0-or-later
"""Relays that are a provider's API, through django-anymail.

What always holds:

- The provider is told not to count openings or clicks. What it cannot do (an envelope of ours) is
  left out; signing is its affair, as it makes the mail anew.
- A mail counts as sent where the provider says that it took it; an answer that says that it did
  not is one; a connection that broke after the request
  began, or an error of its own, leaves the mail ``unknown``.
- No exception of the provider's library gets out, and none of its words is kept: they repeat what
  was sent.
"""

from __future__ import annotations

import email.policy
import importlib
from collections.abc import Iterable, Iterator
from email.encoders import encode_base64
from email.message import EmailMessage as Parsed
from email.mime.base import MIMEBase
from email.parser import BytesParser
from typing import Any

import msgspec
import requests
from anymail.backends.base import AnymailBaseBackend
from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailError,
    AnymailRecipientsRefused,
)
from django.core.mail import EmailMultiAlternatives
from urllib3.exceptions import NewConnectionError

from tamizdat.config import Newsroom, RelaySettings
from tamizdat.mail.errors import MailError, RelayError
from tamizdat.mail.smtp import Outcome, Outgoing

_OURS = frozenset(
    (
        *("from", "to", "subject", "reply-to", "date", "dkim-signature"),
        *("mime-version", "content-type", "content-transfer-encoding"),
    )
)
_DENIED = (401, 402, 403)
_LATER = (408, 425, 429, 503)


def connect(newsroom: Newsroom, relay: RelaySettings) -> Provider:
    """A session with this provider. Raises ``RelayError``."""
    module, _, name = relay.backend.rpartition(".")
    if not module.startswith("anymail.backends."):
        raise RelayError(
            f"The relay “{relay.name}” names no backend of django-anymail: it is called as "
            "anymail.backends.mailgun.EmailBackend.",
            permanent=True,
        )
    try:
        kind = getattr(importlib.import_module(module), name)
        backend = kind(ignore_unsupported_features=True, **_options(newsroom, relay))
    except (ImportError, AttributeError, TypeError, AnymailConfigurationError) as error:
        raise RelayError(
            f"The relay “{relay.name}” cannot be used ({type(error).__name__}): look at its "
            "backend, and at its options in the credentials file.",
            permanent=True,
        ) from error
    return Provider(backend)


def _options(newsroom: Newsroom, relay: RelaySettings) -> dict[str, Any]:
    if not relay.credentials:
        return {}
    path = newsroom.secrets / relay.credentials
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError) as error:
        raise RelayError(
            f"The file {path} with the options of the relay “{relay.name}” is not there or is no "
            "JSON object.",
            permanent=True,
        ) from error


class Provider:
    """One session, for one thread."""

    def __init__(self, backend: AnymailBaseBackend) -> None:
        self._backend = backend
        self._usable = True

    @property
    def usable(self) -> bool:
        return self._usable

    def send(self, batch: Iterable[Outgoing]) -> Iterator[Outcome]:
        for mail in batch:
            if self._usable:
                yield self._one(mail)
            else:
                yield Outcome(mail.key, "deferred", said="the relay cannot be used now")

    def _one(self, mail: Outgoing) -> Outcome:
        try:
            data = mail.data if isinstance(mail.data, bytes) else mail.data()
            message = _message(data, mail)
        except MailError as error:
            return Outcome(mail.key, "refused", said=str(error), at="content")
        try:
            self._backend.send_messages([message])
        except AnymailRecipientsRefused:
            said = "the provider refuses the recipient"
            return Outcome(mail.key, "refused", 550, said=said, at="recipient")
        except AnymailAPIError as error:
            return self._answered(mail, error)
        except (AnymailError, ValueError) as error:
            said = f"the provider cannot send it ({type(error).__name__})"
            return Outcome(mail.key, "refused", said=said, at="content")
        except requests.RequestException as error:
            return self._broken(mail, error)
        return _taken(mail, getattr(message, "anymail_status", None))

    def _answered(self, mail: Outgoing, error: AnymailAPIError) -> Outcome:
        """An error of the API: its HTTP status says whose fault it is."""
        status = int(getattr(error, "status_code", None) or 0)
        said = f"the provider answered {status}"
        if not status:
            return self._broken(mail, error.__cause__)
        if status in _DENIED or status in _LATER:
            self._usable = False
            return Outcome(mail.key, "deferred", said=said)
        if status >= 500 or status < 300:
            return Outcome(mail.key, "unknown", said=said)
        return Outcome(mail.key, "refused", 554, said=said, at="content")

    def _broken(self, mail: Outgoing, error: BaseException | None) -> Outcome:
        """No answer: where there was no connection at all, the mail did certainly not go."""
        self._usable = False
        if isinstance(error, requests.ConnectTimeout) or _never_connected(error):
            return Outcome(mail.key, "deferred", said="the provider cannot be reached")
        return Outcome(mail.key, "unknown", said="the provider did not answer")

    def close(self) -> None:
        self._usable = False
        self._backend.close()


def _taken(mail: Outgoing, status: Any) -> Outcome:
    """What the library understood of an answer that was no error. It may have understood nothing:
    then nobody knows."""
    said = set(getattr(status, "status", None) or ())
    if said and said <= {"sent", "queued"}:
        return Outcome(mail.key, "sent", 250, "2.0.0", at="content")
    if said & {"invalid", "rejected"}:
        words = "the provider refuses the recipient"
        return Outcome(mail.key, "refused", 550, said=words, at="recipient")
    return Outcome(mail.key, "unknown", said="the provider does not say that it took it")


def _never_connected(error: BaseException | None) -> bool:
    """Whether a ``requests.ConnectionError`` says that nothing was ever sent."""
    inner = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else None
    return isinstance(getattr(inner, "reason", None), NewConnectionError)


def _message(data: bytes, mail: Outgoing) -> EmailMultiAlternatives:
    """Our mail in the form that providers take: parts and fields, without its signature."""
    parsed = BytesParser(Parsed, policy=email.policy.default).parsebytes(data)
    plain, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
    message = EmailMultiAlternatives(
        subject=str(parsed["Subject"] or ""),
        body=str(plain.get_content()) if plain else "",
        from_email=str(parsed["From"]),
        to=[mail.recipient],
        reply_to=[str(parsed["Reply-To"])] if parsed["Reply-To"] else None,
        headers={n: str(v) for n, v in parsed.items() if n.lower() not in _OURS},
    )
    if html:
        message.attach_alternative(str(html.get_content()), "text/html")
    for part in parsed.walk():
        if part.get_content_disposition() or part["Content-ID"]:
            message.attach(_copied(part))
    for name, value in (
        ("envelope_sender", mail.sender),
        ("track_clicks", False),
        ("track_opens", False),
    ):
        setattr(message, name, value)
    return message


def _copied(part: Any) -> Any:
    """A file in the older form, which Django's messages take."""
    data = part.get_payload(decode=True)
    made = MIMEBase(part.get_content_maintype(), part.get_content_subtype())
    made.set_payload(data if isinstance(data, bytes) else b"")
    encode_base64(made)
    kind = part.get_content_disposition() or "inline"
    made.add_header("Content-Disposition", kind, filename=part.get_filename() or "file")
    if part["Content-ID"]:
        made["Content-ID"] = str(part["Content-ID"])
    return made
