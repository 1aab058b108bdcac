# SPDX-License-Identifier: AGPL-3.0-or-later
"""The same archive as a site for Hugo, the peer of the full build.

What always holds: the content is the same to the letter. Where Hugo could be made to work harder
than needed it is not: bodies are HTML (no Markdown to parse), front matter is JSON, reading time
and related stories are given, not computed.

What is not done here: making the content (``archive``), running Hugo (``build``).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from bench.archive import WIDTHS, WORDS, Archive, Base
from tamizdat.edition.paths import media_path
from tamizdat.edition.site import Language
from tamizdat.edition.story import Story, ni_sha256

LAYOUTS = Path(__file__).parent / "hugo"
_KINDS = {"topic": "topics", "place": "places", "person": "people", "series": "series"}


def write(archive: Archive, folder: Path, styles: Path | None = None) -> None:
    """Write a whole Hugo site into an existing folder. ``styles`` (``style-page.css`` and so on)
    are inlined into its pages."""
    shutil.copytree(LAYOUTS, folder, dirs_exist_ok=True)
    if styles:
        shutil.copytree(styles, folder / "layouts/_partials", dirs_exist_ok=True)
    for picture in (p for renditions in archive.pictures for p in renditions):
        file = folder / "static" / picture.path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture.data)
    for language in archive.site().languages:
        _write_furniture(folder / "content" / language.code, language)
    made: set[Path] = set()
    for index, story in enumerate(archive.stories()):
        base = archive.base(index)
        parent = folder / "content" / base.language / base.section / f"{base.published:%Y-%m}"
        if parent not in made:
            parent.mkdir(parents=True, exist_ok=True)
            made.add(parent)
        _write(parent / f"story-{index}.html", front_matter(archive, base, story), story.body_html)


def _write(file: Path, matter: dict[str, Any], html: str = "") -> None:
    head = json.dumps(matter, ensure_ascii=False, indent=1)
    file.write_text(f"{head}\n\n{html}\n", encoding="utf-8")


def _write_furniture(content: Path, language: Language) -> None:
    for page in language.pages:
        content.mkdir(parents=True, exist_ok=True)
        matter = {"title": page.title, "furniture": True, "url": f"/{language.code}/{page.slug}/"}
        _write(content / f"{page.slug}.html", matter, page.html)
    for section in language.sections:
        (content / section.slug).mkdir(parents=True)
        _write(content / section.slug / "_index.html", {"title": section.title})
    for profile in language.profiles:
        folder = content / _KINDS[profile.kind] / profile.slug
        folder.mkdir(parents=True)
        _write(folder / "_index.html", {"title": profile.title, "description": profile.description})


def front_matter(archive: Archive, base: Base, story: Story) -> dict[str, Any]:
    """What Hugo needs to know of a story besides its text."""
    matter: dict[str, Any] = {
        "title": story.headline,
        "date": story.first_created,
        "lastmod": story.version_created,
        "url": story.path,
        "uri": story.uri,
        "kicker": story.kicker,
        "standfirst": story.standfirst,
        "by": story.by,
        "dateline": story.located,
        "words": WORDS,
        "minutes": max(1, WORDS // 200),
        "topics": [topic.literal for topic in story.topics],
        "places": [place.literal for place in story.places],
        "people": [person.literal for person in story.bylines],
        "series": [series.literal for series in story.series],
        "months": [f"{base.published:%Y-%m}"],
        "sources": [
            {"name": s.name, "role": s.role, "uri": s.uri, "what": s.literal}
            for s in story.info_sources
        ],
        "related": [_related(archive.base(other)) for other in archive.related(base)],
    }
    if story.lead_photo:
        matter["photo"] = _photo(story.lead_photo)
    if story.corrections:
        matter["corrections"] = [
            {"date": c.version_created, "text": c.bodies[0].value} for c in story.corrections
        ]
    if story.withdrawn:
        matter["withdrawn"] = story.withdrawal_reason
        matter["build"] = {"list": "never"}
    if story.former_paths:
        # Hugo puts aliases under the language's own folder itself.
        matter["aliases"] = [path[1 + len(base.language) :] for path in story.former_paths]
    if story.translation_key:
        matter["translationKey"] = story.translation_key
    return {key: value for key, value in matter.items() if value}


def _related(other: Base) -> dict[str, str]:
    return {
        "path": other.path,
        "title": other.headline,
        "date": other.published.isoformat(),
        "section": other.section,
    }


def _photo(photo: Story) -> dict[str, Any]:
    texts = {text.role: text.value for text in photo.descriptions}
    files = [
        (media_path(sha, r.content_type or ""), r)
        for r in photo.renditions
        if r.href and (sha := ni_sha256(r.href))
    ]
    by_type: dict[str, list[str]] = {}
    for path, rendition in files:
        by_type.setdefault(rendition.content_type or "", []).append(f"{path} {rendition.width}w")
    path, largest = files[-1]
    return {
        "caption": texts["caption"],
        "alt": texts["alt"],
        "credit": photo.by,
        "src": path,
        "width": largest.width,
        "height": largest.height,
        "thumb": files[-len(WIDTHS)][0],
        "thumb_width": files[-len(WIDTHS)][1].width,
        "thumb_height": files[-len(WIDTHS)][1].height,
        "sources": [
            {"type": kind, "srcset": ", ".join(srcs)}
            for kind, srcs in by_type.items()
            if kind != "image/jpeg"
        ],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the invented archive as a Hugo site.")
    parser.add_argument("--size", type=int, default=1000, help="stories (default 1000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--styles", type=Path, help="a folder of stylesheets")
    parser.add_argument("--out", type=Path, required=True, help="an existing, empty folder")
    options = parser.parse_args()
    write(Archive(options.size, options.seed), options.out, options.styles)
    return 0


if __name__ == "__main__":
    sys.exit(main())
