# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who may do what, as a table: every address of the desk × every role, over HTTP.

``table.txt`` is the contract. A row: the address's name, who gets a page (GET), who may send a
form (POST). ``*`` anybody at all, ``A`` an account without a role, ``R`` Reporter, ``E`` Editor,
``P`` Publisher, ``O`` Operator, ``D`` Readers' desk, ``S`` a superuser in no role; ``-`` nobody.
A new address without a row makes this red: decide, then add its row.
The objects asked for are another person's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import NoReverseMatch, reverse
from wagtail.admin.views.bulk_action.registry import bulk_action_registry

from tests.desk.roles.scene import SUPERUSER, WHO, Scene, addresses, browser_of, somebody

TABLE = Path(__file__).with_name("table.txt")
HERE = f"{__name__}.unrendered"
REFUSED = (400, 401, 403, 404, 405)


def unrendered(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """A middleware: whether one may see a page is decided before it is drawn."""

    class Middleware:
        def __call__(self, request: HttpRequest) -> HttpResponse:
            return get_response(request)

        def process_template_response(self, request: HttpRequest, response: Any) -> Any:
            response.content = b""
            return response

    return Middleware()


def rows() -> dict[str, tuple[str, str]]:
    found = {}
    for line in TABLE.read_text().splitlines():
        if line and not line.startswith("#"):
            name, get, post = line.split()
            found[name] = (get, post)
    return found


def requests_of(scene: Scene) -> Iterator[tuple[str, str]]:
    """Every row of the table, with the path that is asked for. A name that several addresses
    share is told apart by its route; bulk actions have one address and a row each."""
    seen: set[str] = set()
    for name, route, _ in addresses():
        row = name if name not in seen else f"{name}({route})"
        seen.add(row)
        yield row, path_of(scene, name, route)
    bulk_action_registry._scan_for_bulk_actions()
    for app, models in sorted(bulk_action_registry.actions.items()):
        for model, found in sorted(models.items()):
            number = scene.bulk(model)
            for action in sorted(found):
                path = reverse("wagtail_bulk_action", args=[app, model, action])
                yield f"bulk:{app}.{model}:{action}", f"{path}?id={number}"


def path_of(scene: Scene, name: str, route: str) -> str:
    if name in _BY_HAND:
        return _BY_HAND[name]
    if name == "wagtaildocs_serve":
        return str(scene.document.url)
    named = scene.named(name)
    wanted = re.findall(r"<(?:\w+:)?(\w+)>", route)
    try:
        path = reverse(name, kwargs={part: named[part] for part in wanted})
    except NoReverseMatch:
        path = reverse(name, args=[2, "earliest", "latest"])
    return path + _QUERIES.get(name, "")


_BY_HAND = {
    "()": "/",
    "(desk/test404/)": "/desk/test404/",
    "(desk/^.*/$)": "/desk/nothing-here/",
}
_QUERIES = {"newsroom:front_search": "?language=en"}
_SENT = "language=ru"


def allowed(client: Client, method: str, path: str) -> bool:
    """Whether somebody gets through. Whatever it did is taken back."""
    signed_in = client.cookies.output()
    with transaction.atomic():
        form = "application/x-www-form-urlencoded"
        response = client.generic(method, path, _SENT if method == "POST" else "", form)
        response.close()
        transaction.set_rollback(True)
    if client.cookies.output() != signed_in:
        client.cookies.clear()
        client.cookies.load(signed_in.replace("Set-Cookie: ", ""))
    to_login = response.status_code == 302 and reverse("wagtailadmin_login") in response["Location"]
    return response.status_code not in REFUSED and not to_login


def admitted(who: str) -> dict[str, tuple[bool, bool]]:
    """Where somebody in this role gets a page, and where they may send a form."""
    scene, client = Scene(), browser_of(somebody(who))
    return {
        row: (allowed(client, "GET", path), allowed(client, "POST", path))
        for row, path in requests_of(scene)
    }


# The others are asked in the quick tests, these in the slow ones: CI runs both.
_LATER = ("Editor", "Publisher", SUPERUSER)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "who", [pytest.param(w, marks=pytest.mark.slow) if w in _LATER else w for w in WHO]
)
def test_each_role_is_admitted_where_the_table_says_and_nowhere_else(
    who: str, db: None, media: Path, settings: Any
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, HERE]
    found, wanted = admitted(who), rows()
    if os.environ.get("WRITE_TABLE"):
        Path(os.environ["WRITE_TABLE"], WHO[who]).write_text(repr(found))
    unknown, gone = sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))
    assert unknown == [], "addresses without a row in table.txt: decide who may, then add a row"
    assert gone == [], "rows of addresses that are gone"
    letter = WHO[who]
    other = {
        f"{method} {row}": "admitted" if found[row][at] else "refused"
        for row, letters in wanted.items()
        for at, method in enumerate(("GET", "POST"))
        if found[row][at] is not (letter in letters[at])
    }
    assert other == {}, "what was found is not what the table says"
