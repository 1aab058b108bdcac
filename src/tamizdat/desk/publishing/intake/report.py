# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an import tells: what was taken, changed and left out, and why.

What always holds: ``taken + parts + left = items``; memory is bounded: of each reason the first
``SHOWN`` things are named, the rest counted; beyond ``REASONS`` reasons they are put together.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tamizdat.importers import Left, Taken

SHOWN = 20
REASONS = 300


@dataclass(slots=True)
class _Reasons:
    """Things by reason, with counts."""

    things: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, why: str, what: str, count: int = 1) -> None:
        if why not in self.counts and len(self.counts) >= REASONS:
            what, why = f"{what}: {why}", "other reasons"
        self.counts[why] += count
        if len(self.things[why]) < SHOWN:
            self.things[why].append(f"{count} × {what}" if count > 1 else what)

    def rows(self) -> list[dict[str, Any]]:
        return [
            {"what": what, "why": why}
            if self.counts[why] <= SHOWN or n < len(things) - 1
            else {"what": what, "why": why, "and_more": self.counts[why] - len(things)}
            for why, things in self.things.items()
            for n, what in enumerate(things)
        ]


@dataclass(slots=True)
class Report:
    """Counts are of the source's items, but for ``photos`` (files taken in) and ``seconds``."""

    format: str
    dry_run: bool = False
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    pages: int = 0
    drafts: int = 0
    published: int = 0
    versions: int = 0
    parts: int = 0
    left: int = 0
    failed: int = 0
    photos: int = 0
    seconds: float = 0.0
    _changed: _Reasons = field(default_factory=_Reasons)
    _left: _Reasons = field(default_factory=_Reasons)

    @property
    def taken(self) -> int:
        """Items that are in the desk now, those that were there already included."""
        return self.new + self.updated + self.unchanged

    @property
    def items(self) -> int:
        return self.taken + self.parts + self.left

    @property
    def exit_code(self) -> int:
        return 3 if self.failed else 0

    def change(self, taken: Taken, why: str) -> None:
        self._changed.add(why, taken.story.headline or taken.key)

    def leave(self, left: Left) -> None:
        self._left.add(left.why, left.what, left.count)
        if not left.inside:
            self.left += left.count
        if left.failed:
            self.failed += left.count

    def as_json(self) -> dict[str, Any]:
        """For a machine: one object."""
        return {
            "ok": not self.failed,
            "format": self.format,
            "dry_run": self.dry_run,
            "items": self.items,
            "taken": self.taken,
            "new": self.new,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "pages": self.pages,
            "drafts": self.drafts,
            "published": self.published,
            "versions": self.versions,
            "parts": self.parts,
            "photos": self.photos,
            "left_items": self.left,
            "failed": self.failed,
            "changed": self._changed.rows(),
            "left": self._left.rows(),
            "seconds": round(self.seconds, 2),
        }

    def lines(self) -> list[str]:
        """For a person: sentences."""
        verb = "would be taken" if self.dry_run else "taken"
        parts = f", {self.parts} as parts of these" if self.parts else ""
        said = [
            f"{self.items} items ({self.format}): {self.taken} {verb} ({self.new} new, "
            f"{self.updated} updated, {self.unchanged} here already){parts}, {self.left} left out.",
            f"{self.published} published, {self.drafts} drafts, {self.pages} pages, "
            f"{self.photos} photos. {self.seconds:.1f} s.",
        ]
        said += self._section("Changed", self._changed)
        return said + self._section("Left out", self._left)

    @staticmethod
    def _section(title: str, reasons: _Reasons) -> list[str]:
        said = ["", f"{title}:"] if reasons.counts else []
        for why, things in reasons.things.items():
            count = reasons.counts[why]
            said.append(f"  {count} × {why}" if count > 1 else f"  {why}")
            said += [f"      {what}" for what in things[:5]]
            if count > 5 and len(things) > 5:
                said.append(f"      … and {count - 5} more")
        return said
