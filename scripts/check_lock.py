# SPDX-License-Identifier: AGPL-3.0-or-later
"""Say whether the lock files still answer pyproject.toml, without asking the package index.

Every requirement must be locked to one version that satisfies it, and every locked file hashed.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).parent.parent
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^\s;\\]+)")


def locked(path: Path) -> tuple[dict[str, set[str]], list[str]]:
    """Versions by name, and the names that have no hash."""
    versions: dict[str, set[str]] = {}
    unhashed = []
    for block in re.split(r"\n(?=\S)", path.read_text()):
        if pin := PIN.match(block):
            versions.setdefault(canonicalize_name(pin["name"]), set()).add(pin["version"])
            if "--hash=sha256:" not in block:
                unhashed.append(pin["name"])
    return versions, unhashed


def findings(lock: str, requirements: list[str]) -> Iterator[str]:
    versions, unhashed = locked(TOP / "requirements" / lock)
    for name in unhashed:
        yield f"requirements/{lock}: {name} has no hash"
    for text in requirements:
        requirement = Requirement(text)
        have = versions.get(canonicalize_name(requirement.name), set())
        if not any(requirement.specifier.contains(version, prereleases=True) for version in have):
            yield f"requirements/{lock}: {text} is not locked (it has: {', '.join(have) or 'none'})"


def main() -> int:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())
    run = project["project"]["dependencies"]
    run += project["project"]["optional-dependencies"]["postgres"]
    groups = project["dependency-groups"]
    found = [
        *findings("run.txt", run),
        *findings("dev.txt", run + groups["dev"]),
        *findings("core-test.txt", groups["core-test"]),
        *findings("bootstrap.txt", groups["bootstrap"] + project["build-system"]["requires"]),
    ]
    for line in found:
        print(line, file=sys.stderr)  # noqa: T201 - this is a program
    if found:
        print("Run: scripts/lock.sh", file=sys.stderr)  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
