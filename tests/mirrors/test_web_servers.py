# SPDX-License-Identifier: AGPL-3.0-or-later
"""The documented files, in real servers: headers, lifetimes, and nothing beside the edition."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import brotli
import pytest
import urllib3

from tamizdat.edition.signed import layout
from tamizdat.edition.signed.fetch import HttpFetcher
from tests.mirrors import servers
from tests.mirrors.paper import Paper, page, whole

Server = Callable[[Path, Path], AbstractContextManager[str]]
YEAR = "public, max-age=31536000, immutable"


@pytest.fixture(params=[servers.nginx, servers.caddy], ids=["nginx", "caddy"])
def url(request: pytest.FixtureRequest, paper: Paper, tmp_path: Path) -> Iterator[str]:
    (paper.folder / ".pull").mkdir()
    (paper.folder / ".pull" / "trusted.json").write_text("{}")
    start: Server = request.param
    with start(paper.folder, tmp_path / "server") as found:
        yield found


def get(url: str, method: str = "GET") -> urllib3.BaseHTTPResponse:
    with urllib3.PoolManager() as pool:
        return pool.request(
            method,
            url,
            decode_content=False,
            headers={"Origin": "https://lamplighter.example", "Accept-Encoding": "br"},
            retries=False,
        )


def test_a_mirror_sends_what_readers_need(url: str, paper: Paper) -> None:
    sha256 = paper.entries["/en/3/"].sha256
    shard = next((paper.folder / "shards").rglob("000000")).relative_to(paper.folder)
    for name, lifetime in {
        layout.TIMESTAMP: "public, max-age=60",
        layout.CURRENT: "public, max-age=60",
        "metadata/1.root.json": YEAR,
        str(shard): YEAR,
        layout.object_name(sha256): YEAR,
        layout.object_name(sha256, brotli=True): YEAR,
    }.items():
        answer = get(url + name)
        assert answer.status == 200, name
        assert answer.data == (paper.folder / name).read_bytes(), name
        assert answer.headers.getlist("Access-Control-Allow-Origin") == ["*"], name
        assert answer.headers.getlist("Cache-Control") == [lifetime], name
        packed = ["br"] if name.endswith(".br") else []
        assert answer.headers.getlist("Content-Encoding") == packed, name
        assert answer.headers["Content-Type"].startswith("application/octet-stream"), name
    packed_page = get(url + layout.object_name(sha256, brotli=True))
    assert brotli.decompress(packed_page.data) == page("Story 3")


@pytest.mark.parametrize(
    "name", ["", "edition.json", ".pull/trusted.json", "catalogue.sqlite3", "index/", "../paper"]
)
def test_what_lies_beside_the_edition_is_not_shown(url: str, name: str) -> None:
    assert get(url + name).status in (400, 404)


def test_folders_are_not_listed(url: str) -> None:
    assert get(f"{url}objects/").status in (403, 404)


def test_a_file_that_is_not_there_is_404_and_readers_elsewhere_may_know(url: str) -> None:
    answer = get(f"{url}metadata/9.root.json")
    assert answer.status == 404
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    # It is asked for with every visit: once the keys are changed, it must be found.
    assert "Cache-Control" not in answer.headers


def test_nobody_may_write(url: str) -> None:
    assert get(f"{url}metadata/current", "PUT").status in (403, 404, 405)


def test_no_list_of_readers_is_kept(url: str, tmp_path: Path) -> None:
    get(f"{url}metadata/current?who=reader-of-this")
    for log in (tmp_path / "server").rglob("*"):
        assert not log.is_file() or b"reader-of-this" not in log.read_bytes(), log


def test_the_whole_edition_is_read_and_proven_through_it(
    url: str, paper: Paper, tmp_path: Path
) -> None:
    fetch = HttpFetcher(url)
    assert len(whole(paper.reader(fetch, tmp_path / "s"))) == 41
    fetch.close()


def test_the_rules_for_a_bucket_let_every_page_read_and_nobody_write() -> None:
    (rule,) = json.loads((servers.DOCS / "s3-cors.json").read_text())["CORSRules"]
    assert rule["AllowedOrigins"] == ["*"]
    assert set(rule["AllowedMethods"]) == {"GET", "HEAD"}
    (statement,) = json.loads((servers.DOCS / "s3-public.json").read_text())["Statement"]
    assert statement["Action"] == "s3:GetObject"
    assert statement["Principal"] == "*"
