# SPDX-License-Identifier: AGPL-3.0-or-later
"""Brings mails to a relay by SMTP (RFC 5321), pipelined (RFC 2920) where the relay knows how."""

from tamizdat.mail.smtp.connection import Connection
from tamizdat.mail.smtp.outgoing import At, Outcome, Outgoing, Server, State, Timeouts

__all__ = ["At", "Connection", "Outcome", "Outgoing", "Server", "State", "Timeouts"]
