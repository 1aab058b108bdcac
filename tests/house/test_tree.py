# SPDX-License-Identifier: AGPL-3.0-or-later
"""The house keeps its own rules: licence lines, sizes, the tree as it is described."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent.parent
CODE = (".py", ".sh", ".js", ".css", ".html", ".sql")
# Written by a program or by others, compared byte by byte, or what others would send us.
EXEMPT = re.compile(r"/migrations/|/requirements/|/bench/hugo/|/tests/importers/pages/|/vendor/")


def files(*suffixes: str) -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    if not listed:
        pytest.skip("this is no checkout")
    for name in listed:
        path = TOP / name
        if path.suffix in suffixes and path.is_file() and not EXEMPT.search(f"/{name}"):
            yield path


def test_every_file_of_code_names_its_licence() -> None:
    without = [
        str(path.relative_to(TOP))
        for path in files(*CODE)
        if path.stat().st_size and "SPDX-License-Identifier: AGPL-3.0-or-later" not in _head(path)
    ]
    assert without == []


def _head(path: Path) -> str:
    return path.read_text(encoding="utf-8")[:300]


def test_no_file_grows_past_what_one_reads_in_one_go() -> None:
    long = {
        str(path.relative_to(TOP)): lines
        for path in files(".py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 500
    }
    assert long == {}


def test_functions_stay_short() -> None:
    long = [
        f"{path.relative_to(TOP)}:{node.name} ({node.end_lineno - node.lineno} lines)"
        for path in files(".py")
        if path.is_relative_to(TOP / "src")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno > 50
    ]
    assert long == []


def test_the_architecture_names_directories_that_are_there() -> None:
    named = re.findall(r"^\| `(src/[a-z/]+)/`", (TOP / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    assert named
    assert [name for name in named if not (TOP / name).is_dir()] == []


def test_the_locks_answer_what_the_project_asks_for() -> None:
    subprocess.run([sys.executable, TOP / "scripts" / "check_lock.py"], check=True)


@pytest.mark.parametrize("script", sorted((TOP / "scripts").glob("*.sh")), ids=lambda p: p.name)
def test_scripts_are_whole_and_stop_at_the_first_error(script: Path) -> None:
    subprocess.run(["bash", "-n", script], check=True)
    if script.name != "lib.sh":
        assert "set -euo pipefail" in script.read_text()


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(TOP)}: {target}"
        for page in files(".md")
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_test_in_a_browser_is_where_make_test_looks_for_them() -> None:
    said = re.search(r"^browser := (.*)$", (TOP / "Makefile").read_text(encoding="utf-8"), re.M)
    assert said
    marked = {
        path.relative_to(TOP / "tests").parts[0]
        for path in files(".py")
        if path.is_relative_to(TOP / "tests")
        and "pytest.mark." + "browser" in path.read_text(encoding="utf-8")
    }
    assert marked == set(said[1].split())
