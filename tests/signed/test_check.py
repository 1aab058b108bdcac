# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat edition verify`` says what is wrong with a copy, and where."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from tamizdat.cli import cli
from tamizdat.edition.signed import layout
from tamizdat.edition.signed.check import Report, check
from tamizdat.edition.signed.errors import BadFormatError
from tamizdat.edition.signed.workflow import check_strictly
from tests.signed.copies import MemoryFetcher
from tests.signed.test_vectors import ROOT, VECTORS, folder

NOW = datetime.fromisoformat(VECTORS["now"])


def report(
    files: dict[str, bytes], *, state: Path | None = None, now: datetime = NOW, root: bytes = ROOT
) -> Report:
    return check(MemoryFetcher(files), root=root, state=state, clock=lambda: now)


def found(files: dict[str, bytes], **more: object) -> set[tuple[str, str]]:
    return {(f.kind, f.file) for f in report(files, **more).findings}  # type: ignore[arg-type]  # named as there


@pytest.mark.parametrize("name", ["first", "second", "third"])
def test_a_whole_copy_has_no_findings(name: str) -> None:
    files = folder(name)
    stamp = json.loads(files[layout.TIMESTAMP])["signed"]["issued"]
    made = report(files, now=datetime.fromisoformat(stamp))
    assert made.findings == []
    assert made.objects > 30
    assert {s.who for s in made.signers["root"]} == {"holder"}
    assert all(signer.valid for signers in made.signers.values() for signer in signers)


def test_every_missing_file_is_named() -> None:
    files = folder("second")
    asked = MemoryFetcher(files)
    check(asked, root=ROOT, clock=lambda: NOW)
    for name in sorted(set(asked.asked) & set(files)):
        findings = found({n: data for n, data in files.items() if n != name})
        if name.endswith(".br"):
            assert findings == set()
        elif name.startswith(("objects/", "shards/")) or name == layout.CURRENT:
            assert ("missing", name) in findings
        else:
            assert findings


def test_every_altered_file_is_named() -> None:
    files = folder("second")
    asked = MemoryFetcher(files)
    check(asked, root=ROOT, clock=lambda: NOW)
    for name in sorted(set(asked.asked) & set(files)):
        if not files[name]:
            continue
        findings = found({**files, name: files[name][:-1] + bytes([files[name][-1] ^ 1])})
        if name.startswith(("objects/", "shards/")) or name == layout.CURRENT:
            assert findings == {("altered", name)}
        else:
            assert findings


def test_a_stale_copy_is_called_stale_and_is_checked_all_the_same() -> None:
    made = report(folder("second"), now=NOW + timedelta(days=8))
    assert [f.kind for f in made.findings] == ["stale"]
    assert made.findings[0].file == "timestamp"
    assert made.objects > 30


def test_a_copy_that_went_back_is_called_rolled_back(tmp_path: Path) -> None:
    assert report(folder("second"), state=tmp_path).ok
    findings = found(folder("first"), state=tmp_path)
    assert ("rolled back", "metadata") in findings
    assert report(folder("second"), state=tmp_path).ok


def test_a_copy_signed_with_keys_that_were_replaced_is_rolled_back_too(tmp_path: Path) -> None:
    assert report(folder("third"), state=tmp_path, now=NOW + timedelta(hours=2)).ok
    assert found(folder("second"), state=tmp_path) == {("rolled back", "metadata")}


def test_another_newsrooms_copy_is_said_to_be_signed_by_strangers() -> None:
    made = report(folder("other"))
    assert made.findings[0].kind == "not signed by this newsroom"
    assert [(s.who, s.valid) for s in made.signers["timestamp"]] == [("unknown", False)]


def test_current_that_is_behind_is_noticed() -> None:
    files = folder("second") | {layout.CURRENT: folder("first")[layout.CURRENT]}
    assert found(files) == {("stale", layout.CURRENT)}


def put(files: dict[str, bytes], place: Path) -> str:
    for name, data in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    return str(place)


def test_the_command_says_what_is_wrong_and_exits_so(tmp_path: Path) -> None:
    copy = put(folder("second"), tmp_path / "copy")
    page = next(name for name in folder("second") if name.startswith("objects/"))
    (tmp_path / "copy" / page).write_bytes(b"false")
    result = CliRunner().invoke(cli, ["edition", "verify", copy])
    assert result.exit_code == 1
    assert f"ALTERED: {page}" in result.output
    assert "taken from the copy itself" in result.output
    said = CliRunner().invoke(
        cli, ["edition", "verify", copy, "--json", "--root", f"{copy}/metadata/1.root.json"]
    )
    assert said.exit_code == 1
    report = json.loads(said.stdout)
    assert report["trusted"]
    assert {"altered"} <= {finding["kind"] for finding in report["findings"]}


def test_the_clock_of_the_command_is_the_machines(tmp_path: Path) -> None:
    """The vectors' newsroom signs no more: some day its copy is stale, and whole."""
    copy = put(folder("second"), tmp_path / "copy")
    report = json.loads(CliRunner().invoke(cli, ["edition", "verify", copy, "--json"]).stdout)
    stale = datetime.now(UTC) > NOW + timedelta(days=7)
    assert [finding["kind"] for finding in report["findings"]] == ["stale"] * stale


@pytest.mark.parametrize("junk", [b"", b"{}", b"[" * 9_000])
def test_a_root_that_is_none_is_not_taken_for_the_copys_own(junk: bytes) -> None:
    """An empty file where the newsroom's root should be proves nothing of anybody's copy."""
    assert not report(folder("second"), root=junk).ok


@pytest.mark.parametrize("name", [layout.TIMESTAMP, "metadata/1.targets.json"])
def test_metadata_of_another_role_is_no_root(name: str) -> None:
    files = folder("second")
    assert ("altered", "metadata") in found(files, root=files[name])
    lying = MemoryFetcher({**files, "metadata/1.root.json": files[name]})
    assert not check(lying, clock=lambda: NOW).ok


@pytest.mark.parametrize("number", ["1.5", "1e400", "NaN", "9007199254740992", "9" * 5_000])
def test_a_number_that_readers_could_read_in_two_ways_is_refused(number: str) -> None:
    with pytest.raises(BadFormatError):
        check_strictly("x", b'{"signed":{"version":%s}}' % number.encode())


def test_a_key_is_one_key_however_it_is_spelt() -> None:
    keys = {name: {"keyval": {"public": spelt}} for name, spelt in (("a", "ab"), ("b", "AB"))}
    with pytest.raises(BadFormatError, match="two identifiers"):
        check_strictly("x", json.dumps({"signed": {"keys": keys}}).encode())


def test_a_copy_cannot_write_on_the_readers_terminal(tmp_path: Path) -> None:
    """Names of keys and types are the copy's own words."""
    clear = "\x1b[2J\u202eAll of it is as it was signed."
    files = folder("second")
    stamp = json.loads(files[layout.TIMESTAMP])
    stamp["signatures"] = [{"keyid": clear, "sig": "00"}]
    other = {"signatures": [], "signed": {**stamp["signed"], "_type": clear}}
    for said in (stamp, other):
        lying = {**files, layout.TIMESTAMP: json.dumps(said).encode()}
        copy = put(lying, tmp_path / str(said is stamp))
        result = CliRunner().invoke(cli, ["edition", "verify", copy])
        assert result.exit_code == 1
        assert all(line.isprintable() for line in result.output.split("\n"))
