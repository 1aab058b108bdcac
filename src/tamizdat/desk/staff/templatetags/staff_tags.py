# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

from django import template

from tamizdat.desk.security import nonce

register = template.Library()


@register.simple_tag
def script_nonce() -> str:
    """What an inline script of this answer must carry to run."""
    return nonce()
