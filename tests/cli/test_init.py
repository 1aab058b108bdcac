# SPDX-License-Identifier: AGPL-3.0-or-later
"""Starting a real newsroom, and looking after it."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

from tests.cli.conftest import Tamizdat

USABLE = "SELECT password FROM staff_user WHERE username = 'anna'"


def findings(done: Any) -> dict[str, str]:
    """The worst level of each thing that doctor looked at."""
    order = ["fine", "warning", "problem"]
    worst: dict[str, str] = {}
    for finding in json.loads(done.stdout)["findings"]:
        name, level = finding["name"], finding["level"]
        worst[name] = max(worst.get(name, "fine"), level, key=order.index)
        assert level == "fine" or finding["advice"], finding
    return worst


def test_init_starts_a_newsroom_and_running_it_again_changes_nothing(
    tamizdat: Tamizdat, started: tuple[Path, dict[str, Any]], folder: Path
) -> None:
    first = started[1]
    assert first["ok"] is True
    assert first["link"].startswith("http://localhost:8000/desk/password_reset/confirm/")

    settings = folder / "tamizdat.toml"
    assert 'name = "The Observer Of Orlenz"' in settings.read_text()
    for private in ("secrets", "secrets/desk-key", "desk.sqlite3", "media", "run"):
        assert stat.S_IMODE((folder / private).stat().st_mode) & 0o077 == 0, private

    settings.write_text(settings.read_text().replace("Observer Of", "Observer in"))
    kept = settings.read_text(), (folder / "secrets" / "desk-key").read_text()
    again = json.loads(tamizdat("init", folder, "--user", "anna", "--json").stdout)
    assert again["link"].startswith("http"), "no password was chosen yet: a new link"
    assert (settings.read_text(), (folder / "secrets" / "desk-key").read_text()) == kept
    with sqlite3.connect(folder / "desk.sqlite3") as database:
        assert len(database.execute(USABLE).fetchall()) == 1

    tamizdat("desk", "--dir", folder, "shell", "-v", "0", "-c", _choose_password(), code=0)
    assert json.loads(tamizdat("init", folder, "--user", "anna", "--json").stdout)["link"] is None


def _choose_password() -> str:
    return (
        "from tamizdat.desk.staff.models import User; u = User.objects.get(username='anna'); "
        "u.set_password('a long one for a test'); u.save()"
    )


def test_the_first_link_lets_its_owner_choose_a_password_once(
    tamizdat: Tamizdat, started: tuple[Path, dict[str, Any]], folder: Path
) -> None:
    link = started[1]["link"]
    script = f"""
from django.test import Client
def visit(client, path):
    answer = client.get(path, follow=True, headers={{"host": "localhost"}})
    return answer.redirect_chain[-1][0] if answer.redirect_chain else path, answer
path = "/desk/" + {link!r}.partition("/desk/")[2]
client = Client()
form, page = visit(client, path)
assert page.status_code == 200 and b"new_password1" in page.content, page.content
chosen = {{"new_password1": "quiet harbour lights", "new_password2": "quiet harbour lights"}}
done = client.post(form, chosen, headers={{"host": "localhost"}})
assert done.status_code == 302, done.content
_, again = visit(Client(), path)
assert b"new_password1" not in again.content
"""
    tamizdat("desk", "--dir", folder, "shell", "-v", "0", "-c", script)


def test_init_leaves_a_folder_with_other_files_alone(tamizdat: Tamizdat, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").write_text("Dear")
    done = tamizdat("init", tmp_path / "letters", code=1)
    assert "holds other files" in done.stderr
    assert [f.name for f in (tmp_path / "letters").iterdir()] == ["one.txt"]


def test_a_command_outside_a_newsroom_says_how_to_start_one(
    tamizdat: Tamizdat, tmp_path: Path
) -> None:
    done = tamizdat("doctor", "--json", code=1)
    assert "tamizdat init" in done.stderr
    assert json.loads(done.stdout) == {"ok": False, "error": done.stderr[10:].strip()}


def test_doctor_names_what_is_wrong_and_what_to_do(tamizdat: Tamizdat, folder: Path) -> None:
    found = findings(tamizdat("doctor", "--dir", folder, "--json", code=1))
    assert found["worker"] == "problem"
    assert found["accounts"] == "problem"
    assert found["address"] == "problem"
    assert found["paper"] == "warning"
    assert {found[name] for name in ("secrets", "folders", "clock", "database", "static")} == {
        "fine"
    }

    settings = folder / "tamizdat.toml"
    settings.write_text(
        settings.read_text()
        .replace("[desk]", "[desk]\ndebug = true")
        .replace('"localhost", "127.0.0.1", "[::1]"', '"desk.paper.example"')
    )
    (folder / "secrets" / "desk-key").chmod(0o644)
    (folder / "edition").rmdir()
    found = findings(tamizdat("doctor", "--dir", folder, "--json", code=1))
    assert found["debug"] == found["secrets"] == found["folders"] == "problem"
    assert found["https"] == "warning"
    assert found["settings"] == "problem", "Django's own check refuses debug outside"


def test_doctor_sees_a_clock_that_is_behind_and_a_lost_secret(
    tamizdat: Tamizdat, folder: Path
) -> None:
    later = (folder / "tamizdat.toml").stat().st_mtime + 7200
    os.utime(folder / "tamizdat.toml", (later, later))
    (folder / "secrets" / "desk-key").unlink()
    done = tamizdat("doctor", "--dir", folder, "--json", code=1)
    assert findings(done)["clock"] == "problem"
    assert findings(done)["secrets"] == "problem"


def test_the_desk_does_not_start_with_debug_pages_outside(tamizdat: Tamizdat, folder: Path) -> None:
    settings = folder / "tamizdat.toml"
    settings.write_text(
        settings.read_text()
        .replace("[desk]", "[desk]\ndebug = true")
        .replace('"localhost"', '"desk.paper.example"')
    )
    done = tamizdat("desk", "serve", "--dir", folder, "--port", "18999", code=1)
    assert "debug" in done.stderr


def test_a_setting_that_does_not_exist_is_refused_by_name(tamizdat: Tamizdat, folder: Path) -> None:
    settings = folder / "tamizdat.toml"
    settings.write_text("colour = 1\n" + settings.read_text())
    assert "colour" in tamizdat("doctor", "--dir", folder, code=1).stderr
