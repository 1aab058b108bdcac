# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mail as bytes: an issue's content laid out, rendered once, personalised by substitution, signed,
brought to a relay, and what comes back read.

What always holds: nothing here knows Django, a database or who a reader is beyond the address on
an envelope; no address is logged or put into an error's words.
"""
