# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat newsletter preview`` and ``test``: an issue as readers will get it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tamizdat.cli.common import dir_option, json_option, print_json, say, start_django

if TYPE_CHECKING:
    from tamizdat.desk.newsletter.checks import Check, Form
    from tamizdat.desk.newsletter.models import Issue

_MARKS = {"must": "must be done", "advice": "advice", "good": "good"}


@click.command()
@click.argument("issue", metavar="ISSUE")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write HTML (light and dark) and plain text of each form into this folder.",
)
@dir_option
@json_option
def preview(issue: str, out: Path | None, folder: Path, as_json: bool) -> None:
    """Show an issue as readers will get it.

    With what is to be mended before it goes out. Without --out its plain text is
    printed. Nothing is sent.
    """
    start_django(folder)
    from tamizdat.desk.newsletter import checks

    found = _find(issue)
    forms, remarks = _forms(found), checks.of(found)
    files = [path for form in forms for path in _write(out, form)] if out else []
    if as_json:
        print_json(_report(found, forms, remarks, files))
        return
    for remark in remarks:
        say(f"{_MARKS[remark.level]:13} {remark.words} {remark.todo}".rstrip())
    if out:
        say(f"{len(files)} files are in {out}.")
    else:
        click.echo(forms[0].laid.plain)


@click.command()
@click.argument("issue", metavar="ISSUE")
@click.option("--to", "addresses", multiple=True, required=True, help="To whom; may be repeated.")
@click.option("--full", is_flag=True, help="Whole articles, not headlines.")
@dir_option
@json_option
def test(issue: str, addresses: tuple[str, ...], full: bool, folder: Path, as_json: bool) -> None:
    """Send an issue to a few addresses, marked as a test.

    Its links to unsubscribe are nobody's. The worker sends it.
    """
    start_django(folder)
    from tamizdat.desk.newsletter import testing

    found = _find(issue)
    sent = testing.send_test(
        issue=found, to=addresses, text="full" if full else "summary", acting_user=None
    )
    if as_json:
        print_json({"ok": True, "issue": found.pk, "queued": sent})
    else:
        say(f"{sent} queued: the worker sends them in a moment.")


def _find(issue: str) -> Issue:
    from tamizdat.cli.newsletter import find  # It has these commands in its group.

    return find(issue)


def _forms(issue: Issue) -> list[Form]:
    from tamizdat.desk.newsletter import approval, checks

    return [checks.lay_out(issue, text) for text in approval.forms_of(issue)]


def _write(folder: Path | None, form: Form) -> list[Path]:
    """Each form as three files."""
    from tamizdat.desk.newsletter import preview as pages

    if folder is None:
        return []
    made = {
        folder / f"{form.text}.html": pages.page(form, "light"),
        folder / f"{form.text}-dark.html": pages.page(form, "dark"),
        folder / f"{form.text}.txt": form.laid.plain,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for path, words in made.items():
        path.write_text(words, encoding="utf-8")
    return list(made)


def _report(
    issue: Issue, forms: list[Form], remarks: list[Check], files: list[Path]
) -> dict[str, Any]:
    return {
        "ok": not any(remark.blocking for remark in remarks),
        "issue": issue.pk,
        "subject": issue.subject,
        "forms": [
            {
                "form": form.text,
                "html": form.weight.html,
                "plain": form.weight.plain,
                "cut": form.weight.cut,
                "links": len(form.seen.links),
            }
            for form in forms
        ],
        "checks": [{"level": r.level, "words": r.words, "todo": r.todo} for r in remarks],
        "files": [str(path) for path in files],
    }
