# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the newsroom's own programs build, sign and seal is whole by the tool that checks copies."""

from __future__ import annotations

import shutil
from pathlib import Path

from tamizdat.edition.signed import layout, seal
from tamizdat.edition.signed.check import Report, check
from tamizdat.edition.signed.fetch import FolderFetcher
from tests.signed.newsroom import Newsroom


def checked(newsroom: Newsroom, copy: Path | None = None) -> Report:
    fetch = FolderFetcher(copy or newsroom.desk.folder.path)
    return check(fetch, root=newsroom.root, clock=newsroom.clock)


def test_a_paper_that_was_built_and_published_is_whole(tmp_path: Path) -> None:
    newsroom = Newsroom(tmp_path).found().build(12)
    assert checked(newsroom).findings == []
    newsroom.publish(3, headline="Another headline")
    newsroom.publish(40)
    report = checked(newsroom)
    assert report.findings == []
    assert report.objects > 40


def test_a_sealed_paper_is_whole_also_when_it_goes_on(tmp_path: Path) -> None:
    newsroom = Newsroom(tmp_path).found().build(12)
    newsroom.finish(seal.prepare(newsroom.desk, newsroom.now), "anna", "ben")
    assert checked(newsroom).findings == []
    newsroom.publish(3, headline="Corrected after sealing")
    newsroom.publish(40)
    report = checked(newsroom)
    assert report.findings == []
    assert {signer.who for signer in report.signers["archive"]} == {"holder"}
    assert {signer.who for signer in report.signers["live"]} == {"online"}


def test_a_copy_of_what_is_signed_alone_is_whole_and_one_page_less_is_not(tmp_path: Path) -> None:
    newsroom = Newsroom(tmp_path).found().build(8)
    copy = tmp_path / "copy"
    for part in ("metadata", "targets", "shards", "objects"):
        shutil.copytree(newsroom.desk.folder.path / part, copy / part)
    assert checked(newsroom, copy).findings == []
    lost = next(path for path in sorted((copy / "objects").rglob("*")) if path.is_file())
    lost.unlink()
    findings = checked(newsroom, copy).findings
    assert {(f.kind, f.file) for f in findings} == {("missing", str(lost.relative_to(copy)))}
    shutil.rmtree(copy / "metadata")
    shutil.copytree(newsroom.desk.folder.path / "metadata", copy / "metadata")
    (copy / layout.CURRENT).unlink()
    assert ("missing", layout.CURRENT) in {
        (f.kind, f.file) for f in checked(newsroom, copy).findings
    }
