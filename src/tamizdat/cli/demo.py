# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat demo``: an invented newsroom, filled, published and served on this machine.

Running it again on the same folder continues: what is there, also what somebody changed, stays.
"""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from tamizdat.cli import common
from tamizdat.cli.demo_check import CheckError, check_desk, check_paper
from tamizdat.cli.demo_coping import Told, cope, pages_of
from tamizdat.cli.demo_drop import child_of, port_of, prove, url_of, with_drop
from tamizdat.cli.demo_gifts import prove_gifts
from tamizdat.cli.demo_mail import check_mails, count, with_outbox
from tamizdat.cli.demo_mirrors import DemoMirrors, demo_mirrors
from tamizdat.cli.demo_sandbox import child_of as sandbox_of
from tamizdat.cli.demo_sandbox import port_of as sandbox_port
from tamizdat.cli.demo_sandbox import with_sandbox
from tamizdat.cli.folder import start_folder, write_secret
from tamizdat.cli.init import make_vault, prepare_database
from tamizdat.cli.keys import make_keys_with
from tamizdat.cli.processes import Supervisor, free_port
from tamizdat.cli.progress import Progress
from tamizdat.cli.run import children
from tamizdat.config import ConfigError, Newsroom
from tamizdat.edition.signed.keys import write_private

HOST = "127.0.0.1"
PASSWORDS = "demo-accounts"
HOLDERS = ("anna", "ben", "cleo")
MIRRORS_FROM = 10  # ports after the first one
ROLES = ("reporter", "editor", "publisher", "operator", "readers")


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="The demo's folder.",
)
@click.option(
    "--port",
    type=click.IntRange(1024, 65434),
    default=8000,
    show_default=True,
    help="The first port to try: for the desk; the paper takes the next.",
)
@click.option("--once", is_flag=True, help="Do everything, check that it answers, and end.")
@common.json_option
def demo(folder: Path, port: int, once: bool, as_json: bool) -> None:
    """Fill a demo newsroom, publish it, serve desk, paper and mirrors.

    Everything is invented and stays on this machine. A letterbox takes what readers write to the
    desk, a sandbox what they give: no money moves. One of the three mirrors lies and one is slow; a
    reader gets every page all the same.
    Stop it with Ctrl-C; run again, it goes on with what is there.
    """
    started = time.monotonic()
    with demo_mirrors(_newsroom(folder, port), port + MIRRORS_FROM) as mirrors:
        newsroom = mirrors.newsroom
        passwords = fill(newsroom)
        push(mirrors)
        mirrors.start()
        stories = count_stories()
        desk_port, paper_port = _ports(port, port_of(newsroom), sandbox_port(newsroom))
        drop = child_of(newsroom, paper_port)
        sandbox = sandbox_of(newsroom)
        processes = [sandbox, drop, *children(newsroom, desk_port=desk_port, paper_port=paper_port)]
        with Supervisor(processes, say=common.say, log_folder=newsroom.run) as supervisor:
            common.say("Starting sandbox, drop, desk, worker and paper …")
            supervisor.start()
            supervisor.wait_until_ready()
            report = _report(newsroom, mirrors, stories, desk_port, paper_port)
            if once:
                common.say("Asking the paper and the desk, writing to the desk …")
                check_paper(HOST, paper_port, newsroom.edition / "tree")
                check_desk(HOST, desk_port)
                prove(newsroom)
                check_mails(newsroom)
                common.say("Giving, being declined, reminded, ending it, giving back …")
                report["giving"] = prove_gifts(newsroom)
                report |= {"mirrors": read_all(mirrors, supervisor), "verified": True}
            report["seconds"] = round(time.monotonic() - started, 1)
            common.print_json(report) if as_json else _tell(report, passwords, once)
            if not once:
                _show_coping(mirrors, supervisor)
                supervisor.watch()
                common.say("Stopping. The demo stays in its folder; run it again to go on.")


def _report(
    newsroom: Newsroom, mirrors: DemoMirrors, stories: int, desk_port: int, paper_port: int
) -> dict[str, Any]:
    """What stands where."""
    return {
        "ok": True,
        "stories": stories,
        "pages": count_pages(newsroom),
        "seconds": 0.0,
        "edition": str(newsroom.edition / "tree"),
        "paper": f"http://{HOST}:{paper_port}/",
        "desk": f"http://{HOST}:{desk_port}/desk/",
        "drop": f"{url_of(newsroom)}/",
        "give": f"{url_of(newsroom)}/v1/give",
        "sandbox": f"http://{HOST}:{sandbox_port(newsroom)}/",
        "newsletters": count(newsroom)._asdict(),
        "outbox": f"http://{HOST}:{desk_port}/desk/outbox/",
        "mirrors": [Told(m.name, m.kind, m.settings.url) for m in mirrors.all],
        "verified": False,
    }


def _newsroom(folder: Path, port: int) -> Newsroom:
    settings = folder / "tamizdat.toml"
    if settings.exists() and not Newsroom(folder).settings.demo:
        raise ConfigError(f"{folder} is a real newsroom: name another folder with --dir")
    if not settings.exists():
        common.say(f"Starting a demo newsroom in {folder.resolve()} …")
    desk_port, paper_port = _ports(port)
    newsroom = start_folder(
        folder,
        name="The Meridian",
        address=f"http://{HOST}:{paper_port}",
        languages=("en", "ru"),
        timezone="Europe/Berlin",
        desk_port=desk_port,
        paper_port=paper_port,
        demo=True,
    )
    return with_outbox(with_sandbox(with_drop(newsroom, port + 2), port + 3))


def _ports(first: int, *taken: int) -> tuple[int, int]:
    """For the desk and the paper."""
    desk_port = free_port(HOST, first, taken=taken)
    return desk_port, free_port(HOST, first + 1, taken=[desk_port, *taken])


def fill(newsroom: Newsroom) -> dict[str, str]:
    """Make what is missing and publish it; the accounts' passwords."""
    prepare_database(newsroom)
    operator = make_vault(newsroom)
    if operator is not None:  # A real operator carries it away.
        write_secret(newsroom, "demo-operator", operator)
    passwords = _passwords(newsroom)
    from tamizdat.desk.demo.actions import fill_newsroom
    from tamizdat.desk.demo.asking import make_messages
    from tamizdat.desk.demo.newsletters import make_newsletters, send_issues
    from tamizdat.desk.publishing.services import run_pending

    common.say("Writing the stories, drawing the pictures, building the paper …")
    with Progress("Pictures") as pictures, Progress("Stories") as stories:
        fill_newsroom(passwords=passwords, pictures=pictures, stories=stories, build=run_pending)
    common.say("Sending an issue of each newsletter to its outbox …")
    make_newsletters()
    make_messages()
    run_pending()
    send_issues()
    make_demo_keys(newsroom)
    return passwords


def make_demo_keys(newsroom: Newsroom) -> None:
    """Keys of three invented holders in ``demo-keys/``, with the passphrases that were drawn."""
    if (newsroom.edition / "metadata" / "1.root.json").exists():
        return
    common.say("Drawing the keys of three holders …")
    out = newsroom.folder / "demo-keys"
    shutil.rmtree(out, ignore_errors=True)  # What a killed demo left: no root names it.
    chosen = {name: secrets.token_urlsafe(12) for name in HOLDERS}
    make_keys_with(newsroom, chosen, out)
    for name, passphrase in chosen.items():
        write_private(out / f"{name}.passphrase", f"{passphrase}\n".encode())


def push(mirrors: DemoMirrors) -> None:
    """Bring the edition to the mirrors, as ``tamizdat mirror push`` does."""
    from tamizdat.mirrors.work import Work

    common.say("Pushing the paper to three mirrors …")
    work = Work(mirrors.newsroom)
    for mirror in mirrors.all:
        work.push(mirror.settings, patience=60.0)


def read_all(mirrors: DemoMirrors, supervisor: Supervisor) -> list[Told]:
    """Read every page through the mirrors and prove it."""
    common.say("Reading every page through the mirrors, of which one lies and one is slow …")
    edition = mirrors.newsroom.edition
    root = (edition / "metadata" / "1.root.json").read_bytes()
    pages = list(pages_of(edition / "tree"))
    return cope(mirrors.all, root, pages, lambda: supervisor.stopping)


def _show_coping(mirrors: DemoMirrors, supervisor: Supervisor) -> None:
    try:
        for line in _told(read_all(mirrors, supervisor)):
            common.say(line)
    except CheckError as error:  # It stays worth a look: what is wrong is said.
        common.say(str(error))


def _passwords(newsroom: Newsroom) -> dict[str, str]:
    """The demo accounts' passwords: drawn at the first run, kept in ``secrets/``."""
    path = newsroom.secrets / PASSWORDS
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = [role for role in ROLES if role not in kept]
    if missing:
        kept |= {role: secrets.token_urlsafe(12) for role in missing}
        write_secret(newsroom, PASSWORDS, json.dumps(kept))
    return kept


def count_stories() -> int:
    """The stories that readers find."""
    from tamizdat.desk.publishing.models import StoryHead

    return StoryHead.objects.filter(pub_status="usable").count()


def count_pages(newsroom: Newsroom) -> int:
    """The HTML pages of the built paper."""
    return sum(1 for _ in (newsroom.edition / "tree").rglob("*.html"))


def _tell(report: dict[str, Any], passwords: dict[str, str], once: bool) -> None:
    click.echo()
    click.echo(f"The paper   {report['paper']}   {report['stories']} stories")
    click.echo(f"The desk    {report['desk']}")
    click.echo(f"As files    {report['edition']}")
    click.echo(f"Write to us {report['paper']}en/write/   letterbox: {report['drop']}")
    click.echo(
        f"Support us  {report['paper']}en/support/   no money moves; its clock: {report['sandbox']}"
    )
    sent = report["newsletters"]
    click.echo(f"Its mails   {report['outbox']}   {sent['mails']} of {sent['issues']} issues")
    for at, mirror in enumerate(report["mirrors"]):
        click.echo(f"{'' if at else 'Mirrors':<12}{mirror.url}   {mirror.name}, {mirror.kind}")
    click.echo("\nLog in to the desk as        with the password")
    for role, password in passwords.items():
        click.echo(f"  {role:<27}{password}")
    if once:
        click.echo()
        for line in _told(report["mirrors"]):
            click.echo(line)
        for account, amount in report["giving"]["books"].items():
            click.echo(f"  {account:<40}{amount:>12}")
        click.echo(f"\nEverything answers. {report['pages']} pages, {report['seconds']} s.")
    else:
        click.echo("\nA reporter writes and sends to review; an editor or publisher publishes.")
        click.echo("What is written to the desk, “readers” finds under Messages within a minute.")
        folder = Path(report["edition"]).parents[1]
        ahead = f"tamizdat contributions remind --dir {folder} --ahead 31"
        click.echo(f"To send the reminders of the coming month now: {ahead}")
        click.echo("Stop with Ctrl-C. All of it is invented and stays on this machine.")


def _told(mirrors: list[Told]) -> Iterator[str]:
    """What the reader met, in words."""
    yield "A reader with nothing but the three mirrors read every page, and proved each:"
    for mirror in mirrors:
        why = "false" if mirror.lies else "too slow or not there"
        refused = f", {mirror.refused} refused as {why}" if mirror.refused else ""
        yield f"  {mirror.name} ({mirror.kind}): {mirror.served} pages taken{refused}"
