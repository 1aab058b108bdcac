# SPDX-License-Identifier: AGPL-3.0-or-later
"""Text in XML: escaped, without the characters that XML 1.0 forbids."""

from __future__ import annotations

import re

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(value: str) -> str:
    """The value as text or in a quoted attribute."""
    value = _FORBIDDEN.sub("", value).replace("&", "&amp;").replace("<", "&lt;")
    return value.replace(">", "&gt;").replace('"', "&quot;").replace("\r", "&#13;")


def cdata(value: str) -> str:
    """The value in a CDATA section that its own ``]]>`` does not end."""
    return f"<![CDATA[{_FORBIDDEN.sub('', value).replace(']]>', ']]]]><![CDATA[>')}]]>"
