# SPDX-License-Identifier: AGPL-3.0-or-later
"""How providers are asked by HTTP: where, and for how long.

What always holds: a key travels over HTTPS, or stays on this machine, or goes to an onion service.
Nothing is followed to another address, nothing is tried again here.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import urllib3

from tamizdat.giving.errors import AccountError

PATIENCE: Final = urllib3.Timeout(connect=10.0, read=30.0)
_LOCAL: Final = ("127.0.0.1", "localhost", "::1")


def base_of(url: str) -> str:
    """The address without its final slash. Raises ``AccountError`` where a key would travel in
    clear."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    near = host in _LOCAL or host.endswith(".onion")
    if not host or parts.scheme not in (("https", "http") if near else ("https",)):
        raise AccountError("the provider's address must begin with https://")
    return url.rstrip("/")


def pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(timeout=PATIENCE, retries=False, maxsize=8, block=True)
