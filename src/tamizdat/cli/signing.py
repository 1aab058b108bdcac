# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ``keys`` and ``archive`` share: the newsroom's desk for ceremonies, passphrases, files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from tamizdat.cli.common import print_json, say
from tamizdat.cli.desk_audit import note
from tamizdat.config import ConfigError, Newsroom
from tamizdat.edition.errors import EditionError
from tamizdat.edition.paper import published_site
from tamizdat.edition.signed import ceremony, cohorts, keys, summary
from tamizdat.edition.signed.ceremony import Desk
from tamizdat.edition.signed.cohorts import Cohort
from tamizdat.edition.signed.request import Request
from tamizdat.edition.signed.signer import Signer
from tamizdat.edition.signed.told import Mirror, site_json
from tamizdat.edition.site import Language, Site
from tamizdat.edition.store import Store
from tamizdat.letterbox import LETTERBOX, recipient


def now() -> datetime:
    return datetime.now(UTC)


def signer_of(newsroom: Newsroom) -> Signer:
    """The signer of a newsroom's edition; without keys it does nothing."""
    mirrors = [Mirror.at(m.url, m.cohort) for m in newsroom.settings.announced]
    return Signer(newsroom.edition, newsroom.secrets / "online-key", mirrors=mirrors)


def cohort_of(newsroom: Newsroom, name: str) -> Cohort | None:
    """The readers who are told of the mirrors of that name; None of no name. Raises
    ``ConfigError`` where no mirror is theirs."""
    if not name:
        return None
    if not any(mirror.cohort == name for mirror in newsroom.settings.announced):
        raise ConfigError(f"{newsroom.settings_file} names no mirror of the cohort “{name}”")
    return cohorts.cohort(cohorts.secret(newsroom.secrets), name)


def desk_of(newsroom: Newsroom) -> Desk:
    return Desk(newsroom.settings.name, newsroom.edition, newsroom.secrets, signer_of(newsroom))


def wanted_site(newsroom: Newsroom) -> bytes:
    """site.json as it should be now: from the settings, and from the site as it was published."""
    settings = newsroom.settings
    site = published_site(newsroom.edition) or Site(
        address=settings.address,
        languages=tuple(Language(code=code, name=settings.name) for code in settings.languages),
    )
    entries = [_slashed(entry) for entry in (settings.address, *settings.paper.entries)]
    seeds = [Mirror.at(m.url, m.cohort) for m in settings.announced]
    return site_json(settings.name, site, entries, seeds, letterbox(newsroom))


def letterbox(newsroom: Newsroom) -> str:
    """The recipient that letters are sealed to; empty for a newsroom from before there were any,
    which gets its key by ``tamizdat init``."""
    return recipient(newsroom) if (newsroom.secrets / LETTERBOX).exists() else ""


def _slashed(url: str) -> str:
    return url.rstrip("/") + "/"


# Passphrases


def ask_new(holder: str, file: Path | None) -> str:
    """A new passphrase, asked twice, or the first line of a file. Raises ``KeyFileError``."""
    if file is not None:
        passphrase = _first_line(file)
    else:
        passphrase = click.prompt(
            f"Passphrase of {holder} (at least {keys.PASSPHRASE} characters, unseen)",
            hide_input=True,
            confirmation_prompt=True,
            err=True,
        )
    keys.check_passphrase(passphrase)
    return passphrase


def open_key(path: Path, file: Path | None) -> tuple[keys.KeyFile, str]:
    """A holder's key file and its passphrase."""
    key_file = keys.read(path)
    if file is not None:
        return key_file, _first_line(file)
    asked: str = click.prompt(
        f"Passphrase of {key_file.holder} (unseen)", hide_input=True, err=True
    )
    return key_file, asked


def _first_line(file: Path) -> str:
    lines = file.read_text().splitlines()
    return lines[0] if lines else ""


# Requests


def write_request(request: Request, path: Path) -> None:
    """Write a request file; one that is there is not written over. Raises ``KeyFileError``."""
    keys.write_private(path, request.encode())


def read_request(path: Path) -> Request:
    return Request.decode(path.read_bytes(), path)


def tell_prepared(request: Request, path: Path, *, as_json: bool) -> None:
    """Say what was prepared and how it goes on."""
    if as_json:
        print_json({"ok": True, "request": str(path), "words": summary.words(request)})
        return
    _print_words(request)
    click.echo(f"\nNothing is in force yet. The request lies in {path}. Next:")
    click.echo("  1. Carry it to two of the holders. Each signs on a machine without network:")
    click.echo(f"       tamizdat keys sign {path.name} --key NAME.key")
    click.echo("  2. Bring both signed files back:")
    click.echo("       tamizdat keys finish FILE FILE")


def sign_request(
    path: Path,
    key: Path,
    passphrase_file: Path | None,
    out: Path | None,
    *,
    as_json: bool,
    look: Callable[[Request], None] = lambda request: None,
) -> None:
    """Show what a request says, sign it, write it beside. The file is read once: what ``look`` and
    the holder see is what is signed."""
    request = read_request(path)
    ceremony.examine(request)
    look(request)
    if not as_json:
        _print_words(request)
    key_file, passphrase = open_key(key, passphrase_file)
    if not as_json and passphrase_file is None:
        click.confirm("\nIs this what you were asked for?", abort=True, err=True)
    signed = ceremony.sign(request, keys.unseal(key_file, passphrase), key_file.holder)
    target = out or path.with_name(f"{path.stem}.{key_file.holder}{path.suffix}")
    write_request(signed, target)
    if as_json:
        words = summary.words(request)
        print_json({"ok": True, "signed": str(target), "holder": key_file.holder, "words": words})
    else:
        click.echo(f"\nSigned by {key_file.holder}: carry {target} back to the desk.")


def finish_requests(newsroom: Newsroom, paths: Sequence[Path], *, as_json: bool) -> None:
    """Put into force what enough holders signed."""
    desk = desk_of(newsroom)
    with Store(newsroom.edition).exclusive():
        done = ceremony.finish(desk, [read_request(path) for path in paths])
    note(newsroom, "tamizdat.keys", kind=done.kind, signed=list(ceremony.signers(done)))
    if as_json:
        signed = ceremony.signers(done)
        print_json({"ok": True, "kind": done.kind, "signed": signed, "words": summary.words(done)})
        return
    _print_words(done)
    click.echo(f"\nIn force, signed by {', '.join(ceremony.signers(done))}.")
    if done.kind == "holder":
        say("Destroy every copy of the key file that counts no more, if you still have one.")


def sign_now(newsroom: Newsroom) -> None:
    """Sign what is out already, where something is."""
    signer, store = signer_of(newsroom), Store(newsroom.edition)
    with store.exclusive():
        pointer = store.pointer()
        if pointer is not None:
            from tamizdat.edition.index import Index

            signer.follow(Index(store), pointer)


def _print_words(request: Request) -> None:
    for line in summary.words(request):
        click.echo(line)


def letters_go_elsewhere(newsroom: Newsroom, desk: Desk) -> bool:
    """Whether site.json names another recipient for letters than the newsroom's key has. One that
    names none yet is outdated, and no more: pages then say to whom letters are sealed."""
    try:
        signed = msgspec.json.decode(ceremony.present_site(desk), type=dict[str, object])
    except (OSError, EditionError, msgspec.DecodeError):
        return False
    return signed.get("recipient", "") not in ("", letterbox(newsroom))


def site_is_outdated(newsroom: Newsroom, desk: Desk) -> bool:
    """Whether site.json says something else than it should."""
    try:
        return ceremony.present_site(desk) != wanted_site(newsroom)
    except (OSError, EditionError, msgspec.DecodeError):
        return True
