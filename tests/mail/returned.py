# SPDX-License-Identifier: AGPL-3.0-or-later
"""What comes back, in the shapes in which servers write it. Words and addresses are invented."""

from __future__ import annotations

from typing import NamedTuple

from tamizdat.mail.verp import verp

TOKEN = "Vq3-t0ken_that-names-one-delivery".ljust(40, "k")
BOX = verp(TOKEN, "news.meridian.example")
OUR_ID = "9f2c41d7e6@news.meridian.example"
READER = "vera.lind@harbour.example"


class Sample(NamedTuple):
    """A mail that came back, and what has to be understood of it."""

    name: str
    kind: str
    code: str
    text: str

    @property
    def data(self) -> bytes:
        return self.text.replace("\n", "\r\n").encode()


COPY = f"""\
Return-Path: <{BOX}>
Message-ID: <{OUR_ID}>
From: The Meridian <letters@news.meridian.example>
To: {READER}
Subject: The week from the harbour
"""


def status(
    fields: str, *, sender: str, words: str = "It could not be brought.", extra: str = ""
) -> str:
    """RFC 3464: words, fields, the copy of the mail."""
    return f"""\
Return-Path: <>
From: {sender}
To: {BOX}
Subject: A mail came back
Auto-Submitted: auto-replied
{extra}MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="edge"

--edge
Content-Type: text/plain; charset=utf-8

{words}

--edge
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.post.example
Arrival-Date: Fri, 20 Nov 2026 08:00:00 +0000

Final-Recipient: rfc822; {READER}
{fields}
--edge
Content-Type: message/rfc822

{COPY}
The ferry runs again.

--edge--
"""


def plain(words: str, *, sender: str, subject: str, extra: str = "") -> str:
    return f"""\
Return-Path: <>
From: {sender}
To: {BOX}
Subject: {subject}
{extra}
{words}
"""


def feedback(sort: str, extra: str = "") -> str:
    return f"""\
Return-Path: <>
From: complaints@post.example
To: loop@news.meridian.example
Subject: a complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="edge"

--edge
Content-Type: text/plain

Somebody here pressed a button.

--edge
Content-Type: message/feedback-report

Feedback-Type: {sort}
User-Agent: Loop/1.0
Version: 1
{extra}
--edge
Content-Type: message/rfc822

{COPY}
The ferry runs again.

--edge--
"""


FAILED = "Action: failed\nStatus: {}\nRemote-MTA: dns; mx.post.example\nDiagnostic-Code: smtp; {}\n"
POSTFIX = "MAILER-DAEMON@mx.post.example (Mail Delivery System)"

SAMPLES = [
    Sample("Postfix: nobody of this name", "hard", "5.1.1",
           status(FAILED.format("5.1.1", f"550 5.1.1 <{READER}>: Recipient address rejected:\n"
                  "    User unknown in virtual mailbox table"), sender=POSTFIX)),
    Sample("Postfix: the domain does not exist", "hard", "5.4.4",
           status(FAILED.format("5.4.4", "X-Postfix; Host or domain name not found. Name service\n"
                  "    error for name=harbour.example type=A: Host not found"), sender=POSTFIX)),
    Sample("Postfix: given up after five days", "soft", "4.4.1",
           status(FAILED.format("4.4.1", "X-Postfix; connect to mx.harbour.example[192.0.2.7]:25:\n"
                  "    Connection timed out"), sender=POSTFIX)),
    Sample("Postfix: still trying", "delayed", "4.4.1",
           status("Action: delayed\nStatus: 4.4.1\nDiagnostic-Code: X-Postfix; timed out\n"
                  "Will-Retry-Until: Wed, 25 Nov 2026 08:00:00 +0000\n", sender=POSTFIX)),
    Sample("Gmail: nobody of this name", "hard", "5.1.1",
           status(FAILED.format("5.1.1", "550-5.1.1 The email account that you tried to reach\n"
                  " does not exist. Look for typing errors. 4fb4d7f45d1cf-aa"),
                  sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
                  extra=f"X-Failed-Recipients: {READER}\n")),
    Sample("Gmail: full", "soft", "5.2.2",
           status(FAILED.format("5.2.2", "552-5.2.2 The recipient's inbox is out of storage"),
                  sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>")),
    Sample("Gmail: not authenticated", "policy", "5.7.26",
           status(FAILED.format("5.7.26", "550-5.7.26 Your email has been blocked because the\n"
                  " sender is unauthenticated"),
                  sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>")),
    Sample("Outlook: nobody of this name", "hard", "5.5.0",
           status(FAILED.format("5.5.0", "550 5.5.0 Requested action not taken: mailbox\n"
                  " unavailable (S2017062302)."), sender="postmaster@outlook.example")),
    Sample("Exchange: recipient not found", "hard", "5.1.10",
           status(FAILED.format("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient\n"
                  f" {READER} not found by SMTP address lookup"),
                  sender="Microsoft Outlook <postmaster@office.example>")),
    Sample("Outlook: domain not signed as it asks", "policy", "5.7.515",
           status(FAILED.format("5.7.515", "550 5.7.515 Access denied, sending domain does not\n"
                  " meet the required authentication level."), sender="postmaster@live.example")),
    Sample("Yandex: nobody of this name, with the status of a refusal", "hard", "5.7.1",
           status(FAILED.format("5.7.1", "550 5.7.1 No such user!"), sender=POSTFIX)),
    Sample("Yandex: taken for spam", "policy", "5.7.1",
           status(FAILED.format("5.7.1", "554 5.7.1 [2] Message rejected under suspicion of SPAM"),
                  sender=POSTFIX)),
    Sample("Mail.ru: nobody of this name, no status of its own", "hard", "550",
           status(FAILED.format("5.0.0", "550 Message was not accepted -- invalid mailbox. Local\n"
                  f" mailbox {READER} is unavailable: user not found"), sender=POSTFIX)),
    Sample("Yahoo: no account", "hard", "554",
           status(FAILED.format("5.0.0", "554 delivery error: dd This user doesn't have a\n"
                  " post.example account (vera.lind)"), sender=POSTFIX)),
    Sample("Exim: no such address", "hard", "550",
           plain(f"""\
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {READER}
    host mx.harbour.example [192.0.2.7]
    SMTP error from remote mail server after RCPT TO:<{READER}>:
    550 Unrouteable address

------ This is a copy of the message, including all the headers. ------

{COPY}""", sender="Mail Delivery System <Mailer-Daemon@mx.post.example>",
                 subject="Mail delivery failed: returning message to sender",
                 extra=f"X-Failed-Recipients: {READER}\nAuto-Submitted: auto-replied\n")),
    Sample("Exim: still trying", "delayed", "",
           plain(f"""\
This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.post.example.

The message identifier is: 1xyz
The date of the message is: Fri, 20 Nov 2026

The address to which the message has not yet been delivered is:

  {READER}

No action is required on your part.
""", sender="Mail Delivery System <Mailer-Daemon@mx.post.example>",
                 subject="Warning: message 1xyz delayed 24 hours",
                 extra="Auto-Submitted: auto-replied\n")),
    Sample("qmail: no mailbox", "hard", "5.1.1",
           plain(f"""\
Hi. This is the qmail-send program at mx.harbour.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{READER}>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

{COPY}""", sender="MAILER-DAEMON@mx.harbour.example", subject="failure notice")),
    Sample("vacation", "auto", "",
           plain("I am at sea until Monday and answer then.", sender=READER,
                 subject="Re: The week from the harbour",
                 extra=f"Auto-Submitted: auto-replied (vacation)\nIn-Reply-To: <{OUR_ID}>\n")),
    Sample("away, said in the subject alone", "auto", "",
           plain("Я вернусь в понедельник.", sender=READER, subject="Автоответ: в отпуске")),
    Sample("a receipt that somebody asked nobody for", "auto", "",
           status("", sender=READER).replace("message/delivery-status",
                                             "message/disposition-notification")),
    Sample("delivered elsewhere", "auto", "2.0.0",
           status("Action: relayed\nStatus: 2.0.0\n", sender=POSTFIX)),
    Sample("a loop's complaint", "complaint", "", feedback("abuse")),
    Sample("a complaint whose sender is in a field", "complaint", "",
           feedback("fraud", f"Original-Mail-From: <{BOX}>\n")),
    Sample("a complaint taken back", "auto", "", feedback("not-spam")),
    Sample("a letter to the editors", "unknown", "",
           plain("Dear editors, the tide table was wrong.", sender=READER, subject="Tides")),
]  # fmt: skip
