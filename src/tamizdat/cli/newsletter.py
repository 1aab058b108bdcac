# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat newsletter``: issues on their way, from the terminal."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tamizdat.cli.common import dir_option, json_option, print_json, say, start_django
from tamizdat.cli.newsletter_doctor import doctor, report
from tamizdat.cli.newsletter_preview import preview, test
from tamizdat.cli.newsletter_transfer import export, import_
from tamizdat.cli.newsletter_withdraw import restore, withdraw
from tamizdat.cli.processes import follow_supervisor
from tamizdat.config import ConfigError

if TYPE_CHECKING:
    from tamizdat.desk.newsletter.engine.standing import Standing
    from tamizdat.desk.newsletter.models import Issue

WATCH = 1.0
ENDED = ("sent", "cancelled")


@click.group("newsletter")
def newsletter() -> None:
    """Send issues to their readers and see how far they are.

    ISSUE is an issue's number in the desk's address, or NEWSLETTER/NUMBER as in weekly/12.
    """


newsletter.add_command(preview)
newsletter.add_command(test)
newsletter.add_command(import_)
newsletter.add_command(export)
newsletter.add_command(doctor)
newsletter.add_command(report)
newsletter.add_command(withdraw)
newsletter.add_command(restore)

issue_argument = click.argument("issue", metavar="ISSUE")


def find(issue: str) -> Issue:
    """The issue that was named. Raises ``ConfigError``."""
    from tamizdat.desk.newsletter.models import Issue

    slug, slash, number = issue.rpartition("/")
    found = Issue.objects.defer("frozen").select_related("newsletter")
    try:
        wanted = {"newsletter__slug": slug, "number": int(number)} if slash else {"pk": int(issue)}
    except ValueError:
        raise ConfigError(f"“{issue}” is no issue: name it as in weekly/12") from None
    row = found.filter(**wanted).first()
    if row is None:
        raise ConfigError(f"there is no issue “{issue}”")
    return row


@newsletter.command()
@issue_argument
@click.option("--watch", is_flag=True, help="Stay and show how far it is until it is sent.")
@dir_option
@json_option
def send(issue: str, watch: bool, folder: Path, as_json: bool) -> None:
    """Begin to send an approved issue.

    Its readers are settled now; a worker sends it. Twice does no harm.
    """
    start_django(folder)
    from tamizdat.desk.newsletter import actions

    found = find(issue)
    if found.started is None:
        actions.send_now(issue=found, acting_user=None)
        say(f"{found} is on its way.")
    else:
        say(f"{found} was started before.")
    _show(found, watch, as_json)


@newsletter.command()
@issue_argument
@click.option("--watch", is_flag=True, help="Stay and show how far it is until it is sent.")
@dir_option
@json_option
def status(issue: str, watch: bool, folder: Path, as_json: bool) -> None:
    """Say how far an issue is.

    Counts, mails a second, time left, refusals by large receiver, relays.
    """
    start_django(folder)
    _show(find(issue), watch, as_json)


@newsletter.command()
@issue_argument
@dir_option
@json_option
def pause(issue: str, folder: Path, as_json: bool) -> None:
    """Claim no further mail of an issue."""
    _act(issue, folder, as_json, "pause")


@newsletter.command()
@issue_argument
@dir_option
@json_option
def resume(issue: str, folder: Path, as_json: bool) -> None:
    """Let a paused issue go on where it was."""
    _act(issue, folder, as_json, "resume")


@newsletter.command()
@issue_argument
@dir_option
@json_option
def cancel(issue: str, folder: Path, as_json: bool) -> None:
    """Send no further mail of an issue, ever.

    Those who have not got it yet will not get it. To stop it for a while, pause it.
    """
    _act(issue, folder, as_json, "cancel")


@newsletter.command("send-rest")
@issue_argument
@dir_option
@json_option
def send_rest(issue: str, folder: Path, as_json: bool) -> None:
    """Send it to those who signed up since.

    What was put off, or given up after days of it, is tried again at once.
    """
    _act(issue, folder, as_json, "send_rest")


@newsletter.command("resend-unknown")
@issue_argument
@dir_option
@json_option
def resend_unknown(issue: str, folder: Path, as_json: bool) -> None:
    """Send again what is in doubt.

    These are mails of which nobody knows whether they went.
    Some readers may get the issue twice: status says of how many it is not known.
    """
    _act(issue, folder, as_json, "resend_unknown")


@newsletter.command()
@click.option("--until-done", is_flag=True, help="End when nothing is left to be sent.")
@dir_option
def work(until_done: bool, folder: Path) -> None:
    """Send what waits, on any machine.

    The desk's own worker does it too; several do no harm. Another machine needs the
    newsroom's settings and secrets, and the database. Runs until it is stopped; what is
    leaving is finished first.
    """
    import signal

    newsroom = start_django(folder)
    follow_supervisor()
    from tamizdat.desk.newsletter.engine.worker import Worker
    from tamizdat.desk.outgoing.rounds import Rounds

    worker, single = Worker(newsroom), Rounds(newsroom.folder)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    say("This worker is ready to send.")
    single.start()
    try:
        worker.run(until_done=until_done)
    finally:
        single.stop()


def _act(issue: str, folder: Path, as_json: bool, what: str) -> None:
    start_django(folder)
    from tamizdat.desk.newsletter.engine import actions

    found = find(issue)
    getattr(actions, what)(issue=found, acting_user=None)
    _show(found, False, as_json)


def _show(issue: Issue, watch: bool, as_json: bool) -> None:
    from tamizdat.desk.newsletter.engine import standing

    while True:
        found = standing.of(issue)
        over = not watch or found.state in ENDED
        if over and as_json:
            print_json({"ok": True, **_plain(found)})
        elif over:
            click.echo("\n".join(_lines(found)))
        elif not as_json:
            click.echo("\n".join(["", *_lines(found)]), err=True)
        if over:
            return
        time.sleep(WATCH)


def _plain(found: Standing) -> dict[str, Any]:
    import msgspec

    return dict(msgspec.to_builtins(found))


def _lines(found: Standing) -> list[str]:
    """The standing in words."""
    from tamizdat.desk.newsletter.models import Issue

    left = "" if found.seconds_left is None else f", {_duration(found.seconds_left)} left"
    said = [
        f"{Issue.State(found.state).label}: {found.done:.1%} of {found.audience:,} readers",
        f"  sent {found.sent:,}   waiting {found.queued + found.sending:,}"
        f"   put off {found.deferred:,}   refused {found.refused:,}",
    ]
    if found.state == "sending":
        said.append(f"  {found.rate:,.0f} mails a second from {found.workers} workers{left}")
    if found.unknown:
        said.append(
            f"  not known whether they went: {found.unknown:,} "
            "(see: tamizdat newsletter resend-unknown)"
        )
    if found.left:
        said.append(f"  left before it was sent to them: {found.left:,}")
    for domain, count in found.refusals[:10]:
        said.append(f"  refused at {domain or 'other domains'}: {count:,}")
    for relay in found.relays:
        state = "paused" if relay.paused else relay.problem
        said.append(f"  relay {relay.name}: {relay.sent:,} sent{'; ' + state if state else ''}")
    return said


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
