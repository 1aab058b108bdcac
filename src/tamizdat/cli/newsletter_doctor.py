# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat newsletter doctor`` and ``report``: how the sending domain stands, what came back."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tamizdat.cli.common import dir_option, json_option, print_json, say, start_django
from tamizdat.config import ConfigError, Newsroom

TEMPFAIL = 75  # sysexits.h: the mail server keeps the mail and tries again
MOST = 2_000_000


@click.command()
@click.option(
    "--records",
    type=click.Path(path_type=Path, dir_okay=False, exists=True, allow_dash=True),
    help="The domain's DNS records as dig prints them, in a file (-: standard input).",
)
@click.option(
    "--ip", "addresses", multiple=True, help="An address from which our mail leaves; repeatable."
)
@click.option("--helo", default="", help="The name by which that machine greets.")
@click.option("--make-key", metavar="DOMAIN", help="Draw a key to sign with, and end.")
@click.option("--selector", default="", help="The new key's name; a year and a letter is usual.")
@click.option(
    "--algorithm",
    type=click.Choice(["rsa", "ed25519"]),
    default="rsa",
    show_default=True,
    help="Of the new key. An RSA key is needed; an Ed25519 key may stand beside it.",
)
@dir_option
@json_option
@click.pass_context
def doctor(
    ctx: click.Context,
    records: Path | None,
    addresses: tuple[str, ...],
    helo: str,
    make_key: str | None,
    selector: str,
    algorithm: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Say what the large receivers would refuse, and why.

    Looks at SPF, DKIM, DMARC, PTR and one-click headers. It asks no DNS itself: without --records
    it prints the command that does, whose output --records takes. Exits with 1 where something is
    a problem.
    """
    newsroom = start_django(folder)
    if make_key:
        _make_key(newsroom, make_key, selector, algorithm, as_json)
        return
    from tamizdat.desk.newsletter.sending_domain import setup_of
    from tamizdat.mail.records import Records, dig
    from tamizdat.mail.standing import judge, questions

    setup = setup_of(newsroom, addresses, helo)
    text = _read(records) if records else ""
    found = judge(setup, Records(text))
    ok = all(one.level != "problem" for one in found)
    command = dig(questions(setup))
    if as_json:
        print_json({"ok": ok, "findings": found, "ask": command})
    else:
        from tamizdat.cli.doctor import MARKS

        for one in found:
            refused = f" ({', '.join(one.refused)} refuse this)" if one.refused else ""
            click.echo(f"{MARKS[one.level]} {one.name:<9} {one.what}{refused}")
            if one.advice:
                click.echo(f"            → {one.advice}")
        if not records:
            click.echo(f"\nTo ask for the records:\n{command} > records.txt")
    ctx.exit(0 if ok else 1)


def _read(records: Path) -> str:
    with click.open_file(str(records)) as file:
        return str(file.read(MOST))


def _make_key(
    newsroom: Newsroom, domain: str, selector: str, algorithm: str, as_json: bool
) -> None:
    from tamizdat.desk.newsletter.sending_domain import make_key

    if not selector:
        raise ConfigError("name the key with --selector, as --selector 2026a")
    name, key = make_key(newsroom, domain, selector, algorithm)
    if as_json:
        print_json({"ok": True, "file": name, "name": key.name, "type": "TXT",
                    "record": key.record})  # fmt: skip
        return
    click.echo(f"The key lies in secrets/{name}. Publish:\n")
    halves = [key.record[at : at + 250] for at in range(0, len(key.record), 250)]
    click.echo(f"{key.name}. IN TXT " + " ".join(f'"{half}"' for half in halves))
    click.echo(f"\nThen add to {newsroom.settings_file}:\n")
    click.echo(f'[[mail.dkim]]\ndomain = "{domain}"\nselector = "{selector}"\nkey = "{name}"')


@click.command()
@click.option("--recipient", default="", help="The envelope's recipient (Postfix: ${recipient}).")
@click.option("--kept", is_flag=True, help="Print what nobody understood, the newest first.")
@dir_option
@json_option
@click.pass_context
def report(ctx: click.Context, recipient: str, kept: bool, folder: Path, as_json: bool) -> None:
    """Take in one mail that came back, from standard input.

    For mail servers that hand mail to a program. Exits with 75 where it cannot be taken in now,
    so that the mail server tries again later.
    """
    try:
        newsroom = start_django(folder)
        if kept:
            _print_kept(newsroom)
            return
        from tamizdat.desk.outgoing import reports

        kind = reports.take(newsroom, sys.stdin.buffer.read(MOST), recipient=recipient)
    except Exception as error:
        # Its words may name a reader, and a mail server writes them to its log and to others.
        say(f"tamizdat: the mail cannot be taken in now ({type(error).__name__})")
        ctx.exit(TEMPFAIL)
    said = str(kind) if kind else "again"
    print_json({"ok": True, "kind": said}) if as_json else say(f"Taken in: {said}.")


def _print_kept(newsroom: Newsroom) -> None:
    from tamizdat.desk.outgoing import reports

    for one in reports.kept_aside():
        click.echo(f"From {one.day:%Y-%m-%d}: {one.why}")
        click.echo(reports.opened(newsroom, one).decode("utf-8", "replace"))
