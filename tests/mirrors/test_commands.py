# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat mirror`` as an operator and a volunteer run it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tamizdat.cli import cli
from tamizdat.config import Newsroom
from tamizdat.edition.signed.layout import TIMESTAMP
from tests.mirrors import servers
from tests.mirrors.paper import Paper, page, whole

SETTINGS = """\
# A comment of the operator's.
name = "The Lamplighter"
address = "https://lamplighter.example"

[desk]
port = 8123  # not 8000
"""


@pytest.fixture
def newsroom(paper: Paper, tmp_path: Path) -> Path:
    """A newsroom's folder around the paper."""
    folder = tmp_path / "newsroom"
    (folder / "secrets").mkdir(parents=True, mode=0o700)
    (folder / "run").mkdir(mode=0o700)
    (folder / "tamizdat.toml").write_text(SETTINGS)
    (folder / "edition").symlink_to(paper.folder)
    return folder


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["mirror", *map(str, arguments)])
    if code == 0 and result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def as_json(*arguments: object, code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", code=code).stdout)


def add(newsroom: Path, name: str, target: object, *options: str) -> None:
    run("add", name, target, "--dir", newsroom, *options)


def test_three_mirrors_of_three_kinds_are_added_and_pushed_to(
    newsroom: Path,
    paper: Paper,
    tmp_path: Path,
    s3_server: tuple[str, Path],
    ssh_server: servers.SshServer,
) -> None:
    url, root = s3_server
    (root / "three-kinds").mkdir()
    (tmp_path / "friend").mkdir()
    ssh_server.allow(tmp_path / "friend")
    keys = f'access_key_id = "{servers.ACCESS}"\nsecret_access_key = "{servers.SECRET}"\n'
    for name, content in (("mirror-riga", keys), ("mirror-oslo", ssh_server.key.read_text())):
        (newsroom / "secrets" / name).write_text(content)
        (newsroom / "secrets" / name).chmod(0o600)
    add(newsroom, "disk", tmp_path / "disk", "--url", "https://disk.example", "--tree")
    add(newsroom, "riga", "s3://three-kinds", "--endpoint", url)
    at = f"{ssh_server.user}@127.0.0.1:"
    ssh = ["--port", str(ssh_server.port), "--host-key", ssh_server.host_key]
    add(newsroom, "oslo", at, *ssh, "--cohort", "north")
    told = as_json("push", "--dir", newsroom)
    assert [told["mirrors"][name]["edition"] for name in ("disk", "riga", "oslo")] == [1, 1, 1]
    ours = whole(paper.reader(paper.folder, tmp_path / "s0"))
    for place in (tmp_path / "disk", root / "three-kinds", tmp_path / "friend"):
        assert whole(paper.reader(place, tmp_path / f"s-{place.name}")) == ours
    assert "Live on all 3 mirrors." in run("status", "--noted", "--dir", newsroom).stdout
    paper.publish({"/en/7/": page("Seven, corrected")})
    assert "on its way to 3" in run("status", "--noted", "--dir", newsroom).stdout
    told = as_json("push", "--dir", newsroom)
    assert all(told["mirrors"][name]["files"] <= 14 for name in ("disk", "riga", "oslo"))
    assert (tmp_path / "disk/en/7/index.html").read_bytes() == page("Seven, corrected")


def test_the_settings_file_keeps_its_comments_and_gets_the_table(newsroom: Path) -> None:
    add(newsroom, "disk", "/srv/mirror", "--url", "https://disk.example/paper")
    add(newsroom, "oslo", "friend@oslo.example:mirror", "--host-key", "ssh-ed25519 AAAA")
    text = (newsroom / "tamizdat.toml").read_text()
    assert text.startswith(SETTINGS)
    disk, oslo = Newsroom(newsroom).settings.mirrors
    assert (disk.kind, disk.url) == ("folder", "https://disk.example/paper/")
    assert (oslo.kind, oslo.port) == ("rsync", 22)
    run("remove", "disk", "--dir", newsroom)
    assert Newsroom(newsroom).settings.mirrors == (oslo,)
    run("remove", "oslo", "--dir", newsroom)
    assert (newsroom / "tamizdat.toml").read_text() == SETTINGS


def test_readers_are_told_of_mirrors_that_have_an_address_and_of_no_others(
    newsroom: Path,
) -> None:
    add(newsroom, "stick", "/media/stick")
    add(newsroom, "disk", "/srv/mirror", "--url", "https://disk.example/")
    announced = Newsroom(newsroom).settings.announced
    assert [mirror.url for mirror in announced] == ["https://disk.example/"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "Disk One", "/srv/mirror"), "a-z, 0-9"),
        (("add", "disk", "s3://bucket", "--tree"), "plain files"),
        (("remove", "nobody"), "no mirror “nobody”"),
        (("push", "nobody"), "no mirror “nobody”"),
    ],
)
def test_what_makes_no_sense_is_said(arguments: tuple[str, ...], said: str, newsroom: Path) -> None:
    result = run(*arguments, "--dir", newsroom, code=1)
    assert said in str(result.exception)
    assert (newsroom / "tamizdat.toml").read_text() == SETTINGS


def test_a_name_is_given_once(newsroom: Path) -> None:
    add(newsroom, "disk", "/srv/mirror")
    result = run("add", "disk", "/srv/other", "--dir", newsroom, code=1)
    assert "two mirrors are named" in str(result.exception)


def test_one_that_fails_holds_up_no_other_and_is_told_in_words(
    newsroom: Path, tmp_path: Path
) -> None:
    add(newsroom, "disk", tmp_path / "disk")
    add(newsroom, "riga", "s3://bucket")
    told = as_json("push", "--dir", newsroom, code=1)
    assert told["mirrors"]["disk"]["ok"]
    assert not told["ok"]
    assert "no keys for “riga”" in told["mirrors"]["riga"]["error"]
    status = run("status", "--dir", newsroom).stdout
    assert "Live on 1 of 2 mirrors; riga since" in status
    assert "not set up" in status
    standing = as_json("status", "--dir", newsroom)
    assert [one["permanent"] for one in standing["mirrors"]] == [False, True]


def test_a_mirror_can_be_forgotten_and_told_anew(newsroom: Path, tmp_path: Path) -> None:
    add(newsroom, "disk", tmp_path / "disk")
    run("push", "--dir", newsroom)
    run("remove", "disk", "--dir", newsroom)
    assert (tmp_path / "disk" / TIMESTAMP).exists()
    assert os.listdir(newsroom / "run/mirrors") == ["state.sqlite3"]  # noqa: PTH208
    add(newsroom, "disk", tmp_path / "disk")
    assert as_json("push", "--dir", newsroom)["mirrors"]["disk"]["files"] == 7, "metadata alone"


def test_a_disk_that_was_emptied_is_filled_only_when_it_is_said_so(
    newsroom: Path, tmp_path: Path
) -> None:
    add(newsroom, "disk", tmp_path / "disk")
    run("push", "--dir", newsroom)
    shutil.rmtree(tmp_path / "disk")
    (tmp_path / "disk").mkdir()
    assert "Is its disk mounted?" in run("push", "--dir", newsroom, code=1).stdout
    assert not list((tmp_path / "disk").iterdir())
    run("push", "--anew", "--dir", newsroom)
    assert (tmp_path / "disk" / TIMESTAMP).exists()


def test_plain_files_follow_the_paper(newsroom: Path, paper: Paper, tmp_path: Path) -> None:
    add(newsroom, "disk", tmp_path / "disk", "--tree")
    run("push", "--dir", newsroom)
    assert (tmp_path / "disk/en/3/index.html").read_bytes() == page("Story 3")
    paper.publish({"/en/3/": None, "/feed.xml": b"<rss/>", "/metadata/trap/": page("No")})
    run("push", "--dir", newsroom)
    assert not (tmp_path / "disk/en/3").exists()
    assert (tmp_path / "disk/feed.xml").read_bytes() == b"<rss/>"
    assert not (tmp_path / "disk/metadata/trap").exists()


def test_a_volunteer_pulls_with_one_line(paper: Paper, tmp_path: Path) -> None:
    (tmp_path / "root.json").write_bytes(paper.root)
    copy = tmp_path / "copy"
    told = as_json("pull", paper.folder, copy, "--root", tmp_path / "root.json")
    assert (told["edition"], told["new"]) == (1, True)
    paper.publish({"/en/7/": page("Seven, corrected")})
    assert "Edition 2, as of" in run("pull", paper.folder, copy).stdout
    assert "Nothing new since edition 2" in run("pull", paper.folder, copy).stdout


def test_a_volunteer_without_a_root_is_told_where_to_get_it(paper: Paper, tmp_path: Path) -> None:
    result = run("pull", paper.folder, tmp_path / "copy", code=1)
    assert "keys export" in str(result.exception)
    assert not (tmp_path / "copy").exists()


def test_a_volunteers_own_files_are_not_mixed_with_a_copy(paper: Paper, tmp_path: Path) -> None:
    (tmp_path / "root.json").write_bytes(paper.root)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter.txt").write_text("mine")
    result = run("pull", paper.folder, tmp_path / "home", "--root", tmp_path / "root.json", code=1)
    assert "holds other files" in str(result.exception)
