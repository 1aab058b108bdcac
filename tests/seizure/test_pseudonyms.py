# SPDX-License-Identifier: AGPL-3.0-or-later
"""The link between a byline and an account exists only in the desk.

A newsroom is built of planted names: accounts, mail addresses, real names, notes, comments, earlier
wordings, owners of cameras, authors of files. All of them begin with one mark. Then everything
public is searched: the edition's folder, its plain files, feeds, signed metadata, what a mirror
gets, bundles in each form, and the logs under ``run/``.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.contrib.auth.models import Group
from PIL import Image
from wagtail.models import Locale

from tamizdat.cli import cli
from tamizdat.cli import keys as key_commands
from tamizdat.config import Newsroom
from tamizdat.desk.newsroom import actions
from tamizdat.desk.newsroom.models import Article, Byline, Person, Section, Source
from tamizdat.desk.publishing import actions as publishing
from tamizdat.desk.publishing import services
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import PUBLISHER, REPORTER
from tamizdat.edition.bundle import Limits, print_bundles
from tamizdat.edition.bundle.gather import FORMS
from tamizdat.edition.bundle.press import now
from tests.desk.conftest import pdf
from tests.desk.newsroom.test_attachments import SECRET as AUTHOR_OF_FILES
from tests.desk.newsroom.test_attachments import an_mp3
from tests.seizure.search import Searcher

pytestmark = pytest.mark.django_db
MARK = "qzx7vk"
SETTINGS = """
name = "The Meridian"
address = "https://meridian.example"
languages = ["en"]
[desk]
four_eyes = false
[paper]
workers = 1
tree = true
brotli = true
[[mirrors]]
name = "copy"
kind = "folder"
target = "TARGET"
url = "https://copy.example/"
tree = true
"""


def planted(what: str) -> str:
    return f"{MARK}-{what}"


def account(name: str, role: str) -> User:
    user = User.objects.create_user(
        username=planted(name),
        email=f"{planted(name)}@secret.example",
        first_name=planted("Wilhelmina"),
        last_name=planted("Sorrow"),
    )
    user.groups.add(Group.objects.get(name=role))
    return user


def photograph() -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x8298] = planted("camera"), ""
    exif.get_ifd(0x8769)[0xA430] = planted("camera-owner")
    xmp = f"<x:xmpmeta><tiff:Artist>{planted('artist')}</tiff:Artist></x:xmpmeta>".encode()
    out = io.BytesIO()
    gradient = Image.linear_gradient("L").resize((500, 300)).convert("RGB")
    gradient.save(out, "JPEG", exif=exif, xmp=xmp, comment=planted("comment").encode())
    return out.getvalue() + planted("tail").encode()


@pytest.fixture
def house(tmp_path: Path, settings: Any) -> Newsroom:
    folder = tmp_path / "newsroom"
    folder.mkdir()
    target = str(tmp_path / "mirror")
    (folder / "tamizdat.toml").write_text(SETTINGS.replace("TARGET", target))
    newsroom = settings.NEWSROOM = Newsroom(folder)
    settings.MEDIA_ROOT = newsroom.media
    passphrases = {name: f"{name} keeps it well" for name in ("anna", "ben", "cleo")}
    key_commands.make_keys_with(newsroom, passphrases, tmp_path / "keys")
    return newsroom


@pytest.fixture
def published(house: Newsroom) -> Article:
    """A story by a pseudonym, written, changed, talked about and published by planted accounts."""
    writer, publisher = account("writer", REPORTER), account("publisher", PUBLISHER)
    english = Locale.objects.get(language_code="en")
    section = Section.objects.create(locale=english, title="News", slug="news")
    byline = Person.objects.create(
        name="A. Ferryman",
        slug="a-ferryman",
        is_pseudonym=True,
        staff_note=f"{planted('real-name')} of {planted('street')}",
        account=writer,
    )
    photo = actions.add_photo(
        data=photograph(), title=planted("IMG_Sorrow.jpg"), description="A ferry in fog",
        credit="Harbour agency", acting_user=writer,
    )  # fmt: skip
    report = actions.add_attachment(
        file=io.BytesIO(pdf(Author=planted("author"), Title=planted("title"))),
        name=planted("report.pdf"), title="The report", acting_user=writer,
    )  # fmt: skip
    talk = actions.add_attachment(
        file=io.BytesIO(an_mp3()), name=planted("talk.mp3"), title="The talk", acting_user=writer
    )
    article = Article(
        locale=english, headline="Ferries run again", standfirst="After nine days.",
        section=section, slug="ferries-run-again", created_by=writer, lead_photo=photo,
        body=[("text", f"<p>{planted('earlier-wording')}</p>")],
    )  # fmt: skip
    article.bylines.add(Byline(person=byline))
    article.sources.add(Source(name="Harbour office", kind="official"))
    article.full_clean()
    article.save()
    article.save_revision(user=writer)
    actions.comment(article=article, acting_user=writer, text=planted("comment"))
    article.body = [
        ("text", "<p>The crews went back on Monday.</p>"),
        ("audio", {"file": talk, "caption": "A talk"}),
        ("document", {"file": report, "title": "A report"}),
    ]
    article.save_revision(user=publisher)
    publishing.publish_article(article=Article.objects.get(pk=article.pk), acting_user=publisher)
    services.run_pending()
    return article


@pytest.fixture
def public(published: Article, house: Newsroom, tmp_path: Path) -> list[Path]:
    """Every folder that others may hold: edition, mirror, bundles, logs."""
    bundles = tmp_path / "bundles"
    bundles.mkdir()
    for one in print_bundles(house.edition, Limits(), now, list(FORMS)):
        (bundles / f"paper.{one.form}").write_bytes(one.data)
    done = CliRunner().invoke(cli, ["mirror", "push", "--dir", str(house.folder), "--json"])
    assert done.exit_code == 0, done.output
    house.run.mkdir(exist_ok=True)
    return [house.edition, tmp_path / "mirror", bundles, house.run]


SEARCHER = Searcher(
    [MARK, AUTHOR_OF_FILES],
    [planted("writer"), f"{planted('writer')}@secret.example", planted("real-name")],
)


def test_nothing_public_says_whose_account_wrote(public: list[Path]) -> None:
    text = b"".join(p.read_bytes() for p in public[0].rglob("*.html"))
    assert b"A. Ferryman" in text, "the pseudonym itself is there"
    known = Person.objects.get(slug="a-ferryman").account
    assert known is not None
    assert known.username == planted("writer"), "and the desk knows whose it is"
    assert any(p.suffix == ".pdf" for p in public[0].rglob("*")), "and the files are"
    for folder in public:
        assert any(folder.rglob("*")) or folder.name == "run"
        assert SEARCHER.in_folder(folder, but=["mail"]) == []
    for folder in public[:3]:
        _plant(folder)
        assert SEARCHER.in_folder(folder), "a name planted by hand is found"


def _plant(folder: Path) -> None:
    """At the end of the largest file, as a comment would be."""
    files = (path for path in folder.rglob("*") if path.is_file())
    with max(files, key=lambda path: path.stat().st_size).open("ab") as file:
        file.write(f"<!-- {planted('writer')} -->".encode())
