# SPDX-License-Identifier: AGPL-3.0-or-later
"""A connection to a relay over which batches of mails go."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterable, Iterator

from tamizdat.mail.errors import MailError, RelayError
from tamizdat.mail.smtp.outgoing import Outcome, Outgoing, Server, Timeouts


class Connection:
    """One session with a relay. Not for several threads. Close it, or use it with ``with``."""

    def __init__(self, server: Server, client: smtplib.SMTP) -> None:
        self._server = server
        self._client = client
        self._usable = True

    @classmethod
    def open(
        cls,
        server: Server,
        *,
        timeouts: Timeouts | None = None,
        context: ssl.SSLContext | None = None,
    ) -> Connection:
        """Connect, greet, start TLS and log in. Raises ``RelayError``."""
        timeouts = timeouts or Timeouts()
        context = context or ssl.create_default_context()
        port = server.port or {"none": 25, "starttls": 587, "tls": 465}[server.security]
        try:
            if server.security == "tls":
                client: smtplib.SMTP = smtplib.SMTP_SSL(
                    server.host, port, server.helo, timeout=timeouts.greeting, context=context
                )
            else:
                client = smtplib.SMTP(server.host, port, server.helo, timeout=timeouts.greeting)
            if server.security == "starttls":
                client.starttls(context=context)
            if server.user:
                client.login(server.user, server.password)
            client.ehlo_or_helo_if_needed()
        except smtplib.SMTPAuthenticationError as error:
            raise RelayError("The relay refuses our name or password.", permanent=True) from error
        except (OSError, smtplib.SMTPException) as error:
            raise RelayError("The relay cannot be reached.") from error
        return cls(server, client)

    @property
    def usable(self) -> bool:
        """Whether another batch may go over it. False after any break, 421 included."""
        return self._usable

    def send(self, batch: Iterable[Outgoing]) -> Iterator[Outcome]:
        """Send the mails in turn; give one outcome for each, as soon as it is known.

        Never raises for what a relay does: when the connection breaks, every mail of the batch
        still gets its outcome, and ``usable`` is false from then on. Whenever an outcome is given,
        no mail that has none yet was handed over: leaving the loop early breaks the connection and
        leaves the others certainly not sent."""
        for mail in batch:
            yield self._one(mail) if self._usable else Outcome(mail.key, "deferred")

    def _one(self, mail: Outgoing) -> Outcome:
        try:
            data = mail.data if isinstance(mail.data, bytes) else mail.data()
            self._client.sendmail(mail.sender, [mail.recipient], data)
        except MailError as error:
            return Outcome(mail.key, "refused", said=str(error), at="content")
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            return Outcome(mail.key, "refused" if code >= 500 else "deferred", code, at="recipient")
        except smtplib.SMTPResponseException as error:
            code = error.smtp_code
            return Outcome(mail.key, "refused" if code >= 500 else "deferred", code, at="content")
        except (OSError, smtplib.SMTPException):
            self._usable = False
            return Outcome(mail.key, "unknown")
        return Outcome(mail.key, "sent", 250, "2.0.0", at="content")

    def alive(self) -> bool:
        """Ask (NOOP) whether the relay still listens; to be called after a pause."""
        return self._usable

    def close(self) -> None:
        """Take leave (QUIT) where that is still possible, and close."""
        self._usable = False
        self._client.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
