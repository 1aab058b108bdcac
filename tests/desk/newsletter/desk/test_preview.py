# SPDX-License-Identifier: AGPL-3.0-or-later
"""Looking at an issue before it goes out: the frames, the checks, tests by mail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tamizdat.cli import cli, newsletter_preview
from tamizdat.config import Newsroom
from tamizdat.desk.newsletter import checks, links, testing
from tamizdat.desk.newsletter.help import missing_help
from tamizdat.desk.newsletter.models import Issue, Newsletter
from tamizdat.desk.newsroom.models import Article, Photo
from tamizdat.desk.outgoing import lanes
from tamizdat.desk.outgoing.models import Mail
from tamizdat.desk.publishing import actions as publishing
from tamizdat.desk.staff.models import User
from tamizdat.mail.content import PLACEHOLDERS
from tests.desk.newsletter.desk.conftest import Composer

Compose = Callable[[User], Composer]


def fresh(issue: Issue) -> Issue:
    return Issue.objects.select_related("newsletter", "picture").get(pk=issue.pk)


def said(issue: Issue) -> str:
    return "\n".join(f"{c.level}: {c.words} {c.todo}" for c in checks.of(fresh(issue)))


def test_the_mail_in_a_frame_runs_nothing_and_fetches_nothing(
    ready: Issue, reporter: User, photo: Photo, compose: Compose
) -> None:
    Issue.objects.update(picture=photo)
    at = compose(reporter)
    answer = at.client.get(f"{at.here}mail/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    html = answer.content.decode()
    assert "Ferry crews end their strike" in html
    assert 'src="data:image/jpeg;base64,' in html
    assert "cid:" not in html
    assert at.client.get(f"{at.here}mail/?text=other").status_code == 404


def test_light_and_dark_are_as_asked_whatever_the_screen(
    ready: Issue, reporter: User, compose: Compose
) -> None:
    at = compose(reporter)
    light, dark = at.see("mail/?light=light"), at.see("mail/?light=dark")
    for html in (light, dark):
        assert "prefers-color-scheme" not in html
    assert "color-scheme:light;" in light.replace(" ", "")
    assert "color-scheme:dark;" in dark.replace(" ", "")
    assert "@media (min-width: 0){body" in dark
    assert "@media (max-width: 0){body" in light


def test_the_page_shows_both_frames_the_plain_text_and_what_is_to_be_done(
    ready: Issue, reporter: User, compose: Compose
) -> None:
    page = compose(reporter).see("preview/")
    assert page.count("<iframe") == 2
    assert page.count('sandbox="allow-popups') == 2
    assert "Ferry crews end their strike" in page.split("<pre")[1]
    assert "Gmail shows all of it" in page
    assert "Send a test" not in page.split("nl-under")[1]  # Reporters only look.


def test_what_is_missing_is_named_with_what_to_do(issue: Issue) -> None:
    found = said(issue)
    assert "must: It has no subject. Write one" in found
    assert "must: No story is picked." in found
    assert "It has no preheader" in found
    assert "“Features” is empty" in found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"subject": "x" * 61}, "61 characters"),
        ({"subject": "Re: your money"}, "begins like an answer"),
        ({"subject": "READ THIS NOW PLEASE"}, "in capitals"),
        ({"note": '<p><a href="https://meridian.example/en/gone/">Look</a></p>'}, "nothing is pub"),
        ({"note": '<p><a href="https://a.example/">https://b.example/</a></p>'}, "leads to http"),
    ],
)
def test_an_issue_is_checked(ready: Issue, change: dict[str, str], words: str) -> None:
    assert words not in said(ready)
    Issue.objects.update(**change)
    assert words in said(ready)


def test_a_link_to_a_withdrawn_story_blocks(ready: Issue, quay: Article, publisher: User) -> None:
    url = f"https://meridian.example{quay.path}"
    Issue.objects.update(note=f'<p><a href="{url}">The quay</a></p>')
    assert "must" not in said(ready)
    publishing.withdraw_article(article=quay, reason="Wrong.", acting_user=publisher)
    assert "must: “The quay” leads to a story that was withdrawn" in said(ready)


def test_a_sender_we_do_not_sign_for_is_named(ready: Issue) -> None:
    assert "not signed" not in said(ready)
    Newsletter.objects.update(sender_address="weekly@elsewhere.example", postal="")
    found = said(ready)
    assert "Mail from elsewhere.example is not signed (DKIM)" in found
    assert "Mail is signed for: meridian.example" in found
    assert "No postal address" in found


def test_pictures_say_what_they_need_and_what_they_tell(ready: Issue, photo: Photo) -> None:
    Photo.objects.update(description="")
    Issue.objects.update(picture=photo)
    assert "The picture of the week has no alternative text" in said(ready)
    Newsletter.objects.update(pictures="remote")
    assert "fetched from the paper when the mail is opened" in said(ready)


def test_gmails_limit_is_found_in_the_story_that_it_cuts(
    ready: Issue, ferry: Article, publisher: User
) -> None:
    Newsletter.objects.update(full_text=True)
    long = "".join(f"<p>Paragraph {n} of a long report from the quay.</p>" for n in range(2500))
    ferry.body = [("text", long)]
    ferry.save_revision(user=publisher)
    publishing.publish_article(article=ferry, acting_user=None)
    found = said(ready)
    assert "(headlines): Gmail shows all of it" in found
    assert "(whole articles): Gmail cuts it" in found


def test_a_link_within_the_mail_is_checked_against_the_mail(ready: Issue) -> None:
    Newsletter.objects.update(full_text=True)
    form = checks.lay_out(fresh(ready), "full")
    assert 'href="#story-1"' in form.laid.html
    assert "nowhere" not in said(ready)


def test_links_are_judged_without_asking_anybody(ready: Issue, ferry: Article) -> None:
    own = "https://meridian.example"
    found = links.judge(
        [
            (f"{own}{ferry.path}", "Ferry"),
            (f"{own}/en/nothing/", "Nothing"),
            ("https://other.example/", "Other"),
            ("mailto:desk@meridian.example", "Write"),
            ("/en/relative/", "Relative"),
            ("javascript:alert(1)", "Bad"),
            (f"https://drop.example/u/{PLACEHOLDERS[0]}", "Leave"),
            (f"{own}/en/newsletter/weekly/1/", "In the paper"),
        ],
        web=f"{own}/en/newsletter/weekly/1/",
    )
    assert [one.kind for one in found] == [
        *("good", "unknown", "elsewhere", "elsewhere", "nowhere", "nowhere", "own", "good"),
    ]


def test_a_test_is_marked_and_its_links_are_nobodys(
    ready: Issue, editor: User, compose: Compose, vault: None
) -> None:
    at = compose(editor)
    to = "edgar@meridian.example\nfriend@post.example"
    assert "2 tests are on the way" in at.press("test", to=to, text="summary")
    letters = [lanes.opened(mail) for mail in Mail.objects.order_by("pk")]
    assert [one.to for one in letters] == to.split()
    for letter in letters:
        assert letter.laid
        assert letter.laid.subject == "[Test] The ferries run again"
        assert letter.sender == "weekly@meridian.example"
        assert set(letter.tokens) == set(PLACEHOLDERS)
        assert set(letter.tokens.values()) == {testing.NOBODYS}
    assert all(len(testing.NOBODYS) == len(placeholder) for placeholder in PLACEHOLDERS)
    assert "is not a mail address" in at.press("test", to="nobody", text="summary")
    many = " ".join(f"a{n}@post.example" for n in range(6))
    assert "5 addresses at most" in at.press("test", to=many, text="summary")
    assert Mail.objects.count() == 2


def test_a_tests_links_are_proven_by_no_key_of_ours(newsroom: Newsroom) -> None:
    from tamizdat.desk.outgoing.errors import LinkError
    from tamizdat.desk.outgoing.links import Links

    newsroom.secret("link-key", create=True)
    with pytest.raises(LinkError):
        Links(newsroom).read(testing.NOBODYS, today=timezone.localdate())


def test_an_issue_is_previewed_and_tested_from_the_terminal(
    ready: Issue, newsroom: Newsroom, vault: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newsletter_preview, "start_django", lambda folder: newsroom)
    run = CliRunner().invoke
    found = run(cli, ["newsletter", "preview", "weekly/1"])
    assert found.exit_code == 0
    assert "Ferry crews end their strike" in found.stdout
    assert "advice" in found.stderr
    out = tmp_path / "out"
    found = run(cli, ["newsletter", "preview", str(ready.pk), "--out", str(out), "--json"])
    report = json.loads(found.stdout)
    assert report["ok"]
    assert sorted(path.name for path in out.iterdir()) == [
        *("summary-dark.html", "summary.html", "summary.txt"),
    ]
    found = run(cli, ["newsletter", "test", "weekly/1", "--to", "a@post.example", "--json"])
    assert json.loads(found.stdout) == {"ok": True, "issue": ready.pk, "queued": 1}
    assert Mail.objects.count() == 1


def test_every_field_of_a_newsletter_says_what_it_is_for() -> None:
    assert missing_help() == set()


def test_a_newsletter_is_set_up_and_told_what_its_mail_would_meet(
    newsroom: Newsroom, publisher: User, signed_in: Callable[[User], object]
) -> None:
    client = signed_in(publisher)
    where = "/desk/snippets/newsletter/newsletter/add/"
    page = client.get(where).content.decode()  # type: ignore[attr-defined]  # a client
    assert "It does not change once readers have it" in page
    form = {
        "title": "Weekly", "language": "en", "slug": "weekly", "about": "", "often": "Every Friday",
        "sender_name": "The Meridian", "sender_address": "a@elsewhere.example", "reply_to": "",
        "postal": "", "weekday": "4", "hour": "17:00", "zone": "Europe/Berlin", "missed": "hold",
        "missed_hours": "6", "pictures": "inline", "active": "on",
        "sections-TOTAL_FORMS": "2", "sections-INITIAL_FORMS": "0", "sections-MIN_NUM_FORMS": "0",
        "sections-MAX_NUM_FORMS": "1000",
        "sections-0-title": "Analysis", "sections-0-ORDER": "2", "sections-0-id": "",
        "sections-1-title": "News", "sections-1-ORDER": "1", "sections-1-id": "",
    }  # fmt: skip
    answer = client.post(where, form, follow=True)  # type: ignore[attr-defined]  # a client
    assert "Mail from elsewhere.example is not signed" in answer.content.decode()
    made = Newsletter.objects.get()
    assert [section.title for section in made.sections.all()] == ["News", "Analysis"]


def test_lists_cost_the_same_however_many_issues_there_are(
    weekly: Newsletter, ready: Issue, reporter: User, compose: Compose
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert at.client.get("/desk/newsletters/").status_code == 200
        return len(found)

    at = compose(reporter)
    queries()
    few = queries()
    for number in range(2, 25):
        Issue.objects.create(
            newsletter=weekly, number=number, created=ready.created, edited=ready.edited
        )
    assert queries() == few


def test_the_readers_desk_sees_numbers_and_nobody_else_does(
    weekly: Newsletter, readers_desk: User, publisher: User, signed_in: Callable[[User], object]
) -> None:
    client = signed_in(readers_desk)
    answer = client.get("/desk/newsletters/subscribers/")  # type: ignore[attr-defined]  # a client
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert "Get each issue" in answer.content.decode()
    other = signed_in(publisher).get("/desk/newsletters/subscribers/")  # type: ignore[attr-defined]  # a client
    assert other.status_code in (302, 403)
