# SPDX-License-Identifier: AGPL-3.0-or-later
"""Giving at a letterbox: from any page's form to the provider's page and back, once."""

from __future__ import annotations

import asyncio
import re
import stat
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import html5lib
import pytest

from tamizdat.drop.app import make_app
from tamizdat.drop.errors import DropSettingsError
from tamizdat.drop.settings import DropFolder
from tamizdat.giving.choice import Choice
from tamizdat.giving.errors import AccountError, ProviderError, RefusedError, UnreachableError
from tamizdat.giving.port import GiftFact, Opened, PaymentFact
from tamizdat.giving.sandbox.objects import Mark
from tests.drop.machines import InProcess, Reply, make_folder
from tests.drop.machines import opened as kept_in
from tests.fakes.sandbox import TILL, FakeSandbox, sandbox

BACK = "https://paper.example"
INTENT = "A" * 22
GIVING: dict[str, Any] = {
    "entries": [BACK, "http://abcd.onion"],
    "refused_countries": ["RU"],
    "tills": [{"kind": "sandbox", "key": "till-sandbox", "url": "http://127.0.0.1:8003"}],
    "offers": [
        {"kind": "once", "currency": "USD", "amounts": [500, 1000, 2500], "least": 200,
         "most": 500_000, "recommended": 1000},
        {"kind": "monthly", "currency": "USD", "amounts": [200, 500], "least": 200,
         "most": 100_000, "recommended": 500},
        {"kind": "once", "currency": "JPY", "amounts": [500], "least": 300, "most": 500_000},
    ],
}  # fmt: skip
CHOSEN = {
    "kind": "monthly",
    "amount-monthly": "5.00 USD",
    "amount-once": "10.00 USD",
    "own": "",
    "currency": "USD",
    "language": "en",
    "message": "autumn",
    "variant": "a",
    "back": BACK,
    "intent": INTENT,
}


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> FakeSandbox:
    found = sandbox()
    monkeypatch.setattr("tamizdat.drop.giving.make_till", lambda settings: found.till)
    return found


@pytest.fixture
def drop(tmp_path: Path, box: FakeSandbox) -> Iterator[InProcess]:
    yield from _drop(tmp_path / "drop")


def _drop(folder: Path, **changes: Any) -> Iterator[InProcess]:
    folder.mkdir()
    (folder / "till-sandbox").write_text(TILL)
    found = InProcess(folder, **{"giving": GIVING, **changes})
    try:
        yield found
    finally:
        found.close()


def opened(box: FakeSandbox, reply: Reply) -> Any:
    assert reply.status == 303, reply.text
    return box.bank.checkout(reply.headers["location"].rpartition("/")[2])


def fields_of(reply: Reply) -> dict[str, str]:
    """What a browser without script would send of a page's form, untouched."""
    tree = html5lib.parse(reply.body, namespaceHTMLElements=False)
    found: dict[str, str] = {}
    for field in tree.find(".//form[@class='give']").iter("input"):
        ticked = field.get("type") not in ("radio", "checkbox") or field.get("checked") is not None
        if ticked and field.get("name"):
            found[field.get("name")] = field.get("value", "")
    return found


def test_a_form_leads_to_the_providers_page_and_back_to_the_paper(
    drop: InProcess, box: FakeSandbox
) -> None:
    checkout = opened(box, drop.fill_in("/v1/give", **CHOSEN))
    assert checkout.choice == Choice(
        kind="monthly", amount=500, currency="USD", language="en", intent=INTENT,
        message="autumn", variant="a", back=BACK,
    )  # fmt: skip
    assert checkout.done == f"{BACK}/en/support/thanks/"
    assert checkout.paper == "The Lamplighter"
    assert checkout.refused == ("RU",)


def test_who_gives_up_finds_the_choice_as_it_was(drop: InProcess, box: FakeSandbox) -> None:
    sent = CHOSEN | {"own": "7,50", "behalf": "on"}
    checkout = opened(box, drop.fill_in("/v1/give", **sent))
    where = urlsplit(checkout.gave_up)
    assert where.netloc == "drop.example"
    assert where.scheme == "https"
    query = dict(parse_qsl(where.query)) | {"cause": "insufficient_funds"}
    page = drop.ask("GET", f"{where.path}?{urlencode(query)}")
    assert "There was not enough money on the card. Nothing was taken." in page.text
    found = fields_of(page)
    assert found["own"] == "7.50"
    assert found["behalf"] == "on"
    again = opened(box, drop.fill_in("/v1/give", **found))
    assert again.ref == checkout.ref, "the same wish is the same checkout"


def test_nobody_is_led_to_a_page_that_is_not_the_papers(drop: InProcess, box: FakeSandbox) -> None:
    sent = CHOSEN | {"back": "https://elsewhere.example"}
    checkout = opened(box, drop.fill_in("/v1/give", **sent))
    assert checkout.done == "https://drop.example/v1/give/thanks?language=en"


def test_a_letterbox_leads_back_to_the_name_it_was_called_by(
    drop: InProcess, box: FakeSandbox
) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    for host, wanted in (
        ("127.0.0.1:8002", "https://127.0.0.1:8002/v1/give"),
        ("drop.example", "https://drop.example/v1/give"),
        ("evil.example", "https://drop.example/v1/give"),
    ):
        body = urlencode(CHOSEN | {"back": "", "intent": INTENT[:-1] + host[0]}).encode()
        reply = drop.ask("POST", "/v1/give", body, headers={**kind, "host": host})
        assert opened(box, reply).done.startswith(f"{wanted}/thanks")


def test_without_script_one_more_button_is_pressed(drop: InProcess, box: FakeSandbox) -> None:
    """The static page cannot draw an intent; the page that answers bears one."""
    sent = CHOSEN | {"intent": ""}
    page = drop.fill_in("/v1/give", **sent)
    assert page.status == 200
    assert "$5" in page.text
    assert not box.store.waiting()
    found = fields_of(page)
    assert len(found["intent"]) == 22
    first, second = (opened(box, drop.fill_in("/v1/give", **found)) for _ in range(2))
    assert first == second, "pressed twice, it is one checkout"
    assert first.choice.amount == 500
    assert first.choice.message == "autumn"
    assert first.done == f"{BACK}/en/support/thanks/"


def test_the_letterboxes_own_form_needs_no_more_than_one_press(
    drop: InProcess, box: FakeSandbox
) -> None:
    page = drop.ask("GET", "/v1/give?language=ru")
    found = fields_of(page)
    checkout = opened(box, drop.fill_in("/v1/give", **found))
    assert (checkout.choice.kind, checkout.choice.language) == ("monthly", "ru")
    assert checkout.done == "https://drop.example/v1/give/thanks?language=ru"


def test_the_warning_stands_before_anything_is_asked(drop: InProcess) -> None:
    page = drop.ask("GET", "/v1/give?language=en").text
    assert 0 < page.index("it is a crime") < page.index("<form")


def test_a_form_may_lead_to_the_provider_and_to_nobody_else(drop: InProcess) -> None:
    policy = drop.ask("GET", "/v1/give").headers["content-security-policy"]
    assert "form-action 'self' http://127.0.0.1:8003;" in policy


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"own": "1"}, "at least $2"),
        ({"own": "1000000"}, "At most $1,000"),
        ({"own": "many"}, "in digits, as 5 or 5.50"),
        ({"own": "5.005"}, "in digits, as 5 or 5.50"),
        ({"own": "-5"}, "in digits, as 5 or 5.50"),
        ({"kind": "weekly"}, "how often"),
        ({"kind": ""}, "how often"),
        ({"amount-monthly": "5.00 RUB"}, "how often"),
        ({"amount-monthly": ""}, "how often"),
        ({"kind": "annual", "amount-annual": "5.00 USD"}, "how often"),
    ],
)
def test_what_cannot_be_right_comes_back_with_what_was_chosen(
    drop: InProcess, box: FakeSandbox, changes: dict[str, str], said: str
) -> None:
    reply = drop.fill_in("/v1/give", **(CHOSEN | changes))
    assert reply.status == 400
    assert said in unescape(reply.text).replace("\u00a0", " ")
    found = fields_of(reply)
    assert found["intent"] == INTENT
    assert found["back"] == BACK
    assert found["own"] == (changes.get("own") or "")


STRANGE = (
    "٥", "\u202e5.00", "NaN", "Infinity", "1e+3", "-0", "9" * 9000, "5\x00", "5\r\nset-cookie: a=b",
    "5,5,5", '"><script>alert(1)</script>', "{0.__class__}", "{n!r:>99999999}", "../../etc/x",
)  # fmt: skip


@pytest.mark.parametrize("said", STRANGE)
def test_whatever_a_form_says_opens_no_checkout_that_is_not_offered(
    drop: InProcess, box: FakeSandbox, said: str
) -> None:
    for name in ("own", "amount", "amount-monthly", "currency", "kind", "language", "intent",
                 "message", "variant", "back", "via", "behalf"):  # fmt: skip
        sent = {**CHOSEN, name: said}
        asked = drop.ask(
            "GET", f"/v1/give?{urlencode({**sent, 'left': '1', 'cause': said})[:6000]}"
        )
        replies = [drop.fill_in("/v1/give", **sent), asked]
        for reply in replies:
            assert reply.status in (200, 303, 400, 414), (name, reply.text)
            assert "<script>alert" not in reply.text
            assert "set-cookie" not in reply.headers
        if replies[0].status == 303:
            choice = opened(box, replies[0]).choice
            assert (choice.kind, choice.amount, choice.currency) == ("monthly", 500, "USD")
            assert (choice.back in ("", BACK), said in (choice.message, choice.variant)) == (
                True, False,
            )  # fmt: skip


def test_yen_have_no_cents(drop: InProcess, box: FakeSandbox) -> None:
    sent = CHOSEN | {"kind": "once", "amount-once": "500 JPY"}
    assert opened(box, drop.fill_in("/v1/give", **sent)).choice.amount == 500
    wrong = drop.fill_in("/v1/give", **(sent | {"own": "500.50", "currency": "JPY"}))
    assert wrong.status == 400


def test_the_form_can_be_had_in_each_currency(drop: InProcess) -> None:
    page = drop.ask("GET", "/v1/give?currency=JPY&language=en").text
    assert "¥500" in page
    assert "$" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    assert 'href="?language=en&amp;currency=USD"' in page


def test_a_robot_that_fills_everything_in_opens_nothing(drop: InProcess, box: FakeSandbox) -> None:
    reply = drop.fill_in("/v1/give", **(CHOSEN | {"website": "https://x.example"}))
    assert reply.headers["location"] == "/v1/give/thanks?language=en"
    assert box.store.get("intent", INTENT, Mark) is None


class Failing:
    """A till whose provider says no."""

    name = "sandbox"

    def __init__(self, error: ProviderError) -> None:
        self.error = error

    async def open(self, choice: Choice, **_: str) -> Opened:
        raise self.error

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("error", "said", "told"),
    [
        (UnreachableError("no answer"), "does not answer just now", False),
        (RefusedError("too much"), "does not take this just now", False),
        (AccountError("a right is missing"), "does not take this just now", True),
    ],
)
def test_a_provider_that_fails_costs_nobody_their_choice(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: ProviderError,
    said: str,
    told: bool,
) -> None:
    monkeypatch.setattr("tamizdat.drop.giving.make_till", lambda _: Failing(error))
    for drop in _drop(tmp_path / "drop"):
        reply = drop.fill_in("/v1/give", **CHOSEN)
        assert reply.status == 503
        assert said in reply.text
        assert fields_of(reply)["intent"] == INTENT
        assert fields_of(reply)["amount-monthly"] == "5.00 USD"
    assert ("a right is missing" in capsys.readouterr().err) == told


def test_fifty_presses_at_once_are_one_checkout_and_one_charge(
    drop: InProcess, box: FakeSandbox
) -> None:
    body = urlencode(CHOSEN).encode()
    kind = {"content-type": "application/x-www-form-urlencoded"}

    async def press() -> list[Reply]:
        asked = (drop.asking("POST", "/v1/give", body, headers=kind) for _ in range(50))
        return await asyncio.gather(*asked)

    places = {opened(box, reply).ref for reply in drop.loop.run_until_complete(press())}
    assert len(places) == 1
    (ref,) = places
    for _ in range(3):
        box.bank.pay(ref, "good", "ada@mail.example")
    assert [one.state for one in box.store.facts(PaymentFact)] == ["paid"]
    assert len(box.store.facts(GiftFact)) == 1
    assert opened(box, drop.fill_in("/v1/give", **CHOSEN)).state == "complete"


def test_too_many_checkouts_from_one_network_have_to_wait(tmp_path: Path, box: FakeSandbox) -> None:
    for drop in _drop(tmp_path / "drop", limits={"gifts": 3, "all_gifts": 5}):
        for turn in range(3):
            sent = CHOSEN | {"intent": f"{turn:022d}"}
            assert drop.fill_in("/v1/give", **sent).status == 303
        assert drop.fill_in("/v1/give", **CHOSEN).status == 429
        others = [drop.fill_in("/v1/give", peer=f"198.51.{n}.1", **CHOSEN) for n in range(3)]
        assert [reply.status for reply in others] == [303, 303, 429]
        assert drop.fill_in("/v1/message", text="Good morning").status == 303


def test_nothing_of_a_gift_stays_at_the_letterbox(drop: InProcess, box: FakeSandbox) -> None:
    drop.fill_in("/v1/give", **CHOSEN)
    left = [path.name for path in drop.folder.rglob("*") if path.is_file()]
    assert sorted(left) == [".lock", "drop.toml", "till-sandbox"]


def test_without_a_till_there_is_nothing_here(tmp_path: Path) -> None:
    for drop in _drop(tmp_path / "drop", giving={}):
        for path in ("/v1/give", "/v1/give/thanks"):
            assert drop.ask("GET", path).status == 404
        assert drop.fill_in("/v1/give", **CHOSEN).status == 404


def test_a_missing_key_is_said_when_it_starts(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "drop", giving=GIVING).folder
    with pytest.raises(DropSettingsError, match=r"till-sandbox is missing.*drop init"):
        make_app(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"entries": ["https://paper.example/"]}, "end without /"),
        ({"tills": [{"kind": "purse", "key": "k"}]}, "nobody here knows the provider"),
        ({"tills": [{"kind": "stripe", "key": "../k"}]}, "the name of a file"),
        ({"offers": [{"kind": "once", "currency": "ABC", "amounts": [1], "least": 1, "most": 2}]},
         "nobody here knows the currency"),
        ({"offers": [{"kind": "once", "currency": "USD", "amounts": [1], "least": 2, "most": 3}]},
         "below the least"),
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(DropSettingsError, match=said):
        make_folder(tmp_path / "drop", giving=GIVING | changes)


def test_settings_come_back_as_they_were_written(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "drop", giving=GIVING)
    assert DropFolder(folder.folder).settings == folder.settings
    assert folder.settings.giving.offers[0].recommended == 1000
    assert not stat.S_IMODE((folder.folder / "drop.toml").stat().st_mode) & 0o022


@pytest.mark.parametrize("language", ["en", "ru", "ar"])
def test_every_page_for_givers_is_whole_and_loads_nothing(drop: InProcess, language: str) -> None:
    shown = {
        "form": drop.ask("GET", f"/v1/give?language={language}"),
        "kept": drop.ask(
            "GET",
            f"/v1/give?language={language}&left=1&cause=expired_card&own=%3Cb%3E&kind=once"
            "&amount=12.00&currency=USD&message=%22x&behalf=on",
        ),
        "wrong": drop.fill_in("/v1/give", language=language, own="<b>", kind="once"),
        "sure": drop.fill_in("/v1/give", **(CHOSEN | {"language": language, "intent": ""})),
        "thanks": drop.ask("GET", f"/v1/give/thanks?language={language}"),
        "gift": drop.ask("GET", f"/v1/gift/abc?language={language}"),
        "wrong gift": drop.fill_in("/v1/gift/abc", language=language, ask="amount", gift="x"),
    }
    for name, reply in shown.items():
        parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
        tree = parser.parse(reply.body)
        assert tree.find(".//script") is None, name
        assert not [e for e in tree.iter() if e.get("style") or e.get("onclick")], name
        ids = [e.get("id") for e in tree.iter() if e.get("id")]
        assert len(ids) == len(set(ids)), (name, ids)
        labelled = {e.get("for") for e in tree.iter("label")}
        inside = {i for label in tree.iter("label") for i in label.iter("input")}
        for field in tree.iter("input"):
            known = field.get("type") == "hidden" or field.get("id") in labelled or field in inside
            assert known, (name, field.attrib)
        assert reply.headers["cache-control"] == "no-store"
        assert "set-cookie" not in reply.headers
    words = "".join(reply.text for reply in shown.values())
    assert "<b>" not in words
    assert "wrong.other" not in words


def test_who_is_not_ready_is_led_to_a_reminder_that_knows_which_message_asked(
    drop: InProcess,
) -> None:
    asked = {"message": "autumn", "variant": "b"}
    page = drop.ask("GET", f"/v1/give?language=ru&left=1&{urlencode(asked)}")
    [where] = re.findall(r'href="(/v1/remind\?[^"]*)"', page.text)
    form = drop.ask("GET", unescape(where))
    assert "Напомнить позже" in form.text
    assert hidden(form) == {"language": "ru", **asked}
    switch = re.findall(r'href="(\?language=en[^"]*)"', form.text)
    assert hidden(drop.ask("GET", f"/v1/remind{unescape(switch[0])}")) == {
        "language": "en",
        **asked,
    }
    filled_in = {**hidden(form), "months": "3", "privacy": "1"}
    again = drop.fill_in("/v1/remind", **filled_in, address="no address")
    assert again.status == 400
    assert hidden(again) == {"language": "ru", **asked}
    done = drop.fill_in(
        "/v1/remind", **hidden(again), months="3", privacy="1", address="a@b.example"
    )
    assert done.headers["location"] == "/v1/done/remind?language=ru"
    [found] = kept_in(drop.folder)
    assert (found.fields["message"], found.fields["variant"]) == ("autumn", "b")


def test_what_names_no_message_keeps_nobody_from_a_reminder(drop: InProcess) -> None:
    page = drop.ask("GET", "/v1/remind?message=%3Cb%3E&variant=B")
    assert hidden(page) == {"language": "en"}
    sent = {"message": "<b>", "variant": "b", "address": "a@b.example", "months": "3"}
    again = drop.fill_in("/v1/remind", **sent, privacy="1")
    assert hidden(again) == {"language": "en", "variant": "b"}
    done = drop.fill_in("/v1/remind", **(sent | hidden(again) | {"message": ""}), privacy="1")
    assert done.status == 303


def hidden(reply: Reply) -> dict[str, str]:
    """What a page's form sends besides what a reader fills in."""
    tree = html5lib.parse(reply.body, namespaceHTMLElements=False)
    fields = (one for one in tree.iter("input") if one.get("type") == "hidden")
    return {one.get("name"): one.get("value") for one in fields}


def test_a_wish_about_a_gift_says_what_it_needs(drop: InProcess) -> None:
    assert drop.fill_in("/v1/gift/abc", ask="amount", gift="1").status == 400
    assert drop.fill_in("/v1/gift/abc", ask="pause").status == 400
    for ask in ("list", "cancel", "resume", "card", "statement"):
        reply = drop.fill_in("/v1/gift/abc", ask=ask)
        assert reply.headers["location"] == "/v1/done/gift?language=en", ask
    once = drop.fill_in("/v1/gift/abc", ask="erase")
    assert once.status == 200, "nobody is erased by one press of a button"
    sure = drop.fill_in("/v1/gift/abc", ask="erase", sure="yes")
    assert sure.headers["location"] == "/v1/done/erase?language=en"
