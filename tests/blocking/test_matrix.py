# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever a censor does, the article is read, verified, and soon: in Chromium, on real servers."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from tests.blocking.cases import FIRST, RETURNING, WALL, Case
from tests.blocking.censor import SIGN_OF_A_BLOCK, Block
from tests.blocking.network import ENTRY, LONG, MIRRORS, READ, TEXTS, UNREAD, Network, network
from tests.blocking.readers import First, Reading, Returning
from tests.browsers import playing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.allow_hosts(["127.0.0.1", "::1"]),
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("blocking"),  # Times of two at once would say little.
]
TRIES = 5
LETTING_GO: dict[str, dict[str, Any]] = {
    "HTTP/1.1": {"http2": False},
    "HTTP/1.1, one request a connection": {"http2": False, "requests": 1},
    "HTTP/2, one request a connection": {"requests": 1},
}
VERIFIED = {READ: "Verified", UNREAD: "Проверено", LONG: "Verified"}
Figure = Callable[[str, object], None]
Readers = Returning | First


class Scene:
    """A network, and both kinds of readers."""

    def __init__(self, net: Network, returning: Returning, first: First) -> None:
        self.network = net
        self.returning = returning
        self.first = first
        self.unblocked = cache(self._unblocked)
        self.wall = WALL

    def block(self, case: Case) -> None:
        self.network.censor.block(case.blocks, case.otherwise, case.allowed)

    def _unblocked(self, reader: Readers, story: int) -> float:
        """Seconds to the text where nothing is blocked: the median."""
        self.network.censor.block({})
        return statistics.median(reader.read(story).seconds for _ in range(TRIES))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("blocking")
    with network(folder) as net, playing() as playwright:
        first = First(playwright, net, folder)
        yield Scene(net, Returning(playwright, net, folder), first)
        first.close()


@pytest.fixture(scope="module", params=sorted(LETTING_GO))
def letting_go(
    request: pytest.FixtureRequest, scene: Scene, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """The same where another request can be another connection."""
    folder = tmp_path_factory.mktemp("letting-go")
    playwright = scene.first.playwright
    with network(folder, **LETTING_GO[request.param]) as net:
        first = First(playwright, net, folder)
        found = Scene(net, Returning(playwright, net, folder), first)
        found.wall = replace(WALL, limit=5.0) if "one request" in request.param else WALL
        yield found
        first.close()


def check(case: Case, net: Network, reading: Reading) -> None:
    """It was verified, it is not the block's doing, and there was a block."""
    assert VERIFIED[case.story] in reading.line
    seen = {host for host, block in net.censor.seen if block}
    in_names = any(block.in_names for block in case.blocks.values())
    assert bool(seen) is not in_names, net.censor.seen
    if case.story == READ:
        assert reading.hosts == ()
        assert "It could not be refreshed just now" in reading.line
        return
    # None, where the browser put the worker to sleep meanwhile: it does not remember from whom.
    for host in reading.hosts:
        assert net.censor.fate(host) in (None, Block.FREEZE, Block.SLOW)


def read_once(case: Case, scene: Scene, reader: Readers) -> Reading:
    scene.block(case)
    reading = reader.read(case.story)
    check(case, scene.network, reading)
    return reading


def read_often(case: Case, scene: Scene, reader: Readers, who: str, figure: Figure) -> None:
    """The median of several tries, against the same without a block in the same run."""
    unblocked = scene.unblocked(reader, case.story)
    took = sorted(read_once(case, scene, reader).seconds for _ in range(TRIES))
    median = statistics.median(took)
    tries = " ".join(f"{seconds:.2f}" for seconds in took)
    figure(
        "figure",
        f"{who} | {case.name} | {median:.2f} s | unblocked {unblocked:.2f} s | "
        f"{median - unblocked:+.2f} of {case.limit:.0f} s | {tries}",
    )
    assert median - unblocked <= case.limit, took


def quick(cases: list[Case]) -> list[object]:
    return [pytest.param(case, id=case.name) for case in cases if case.quick]


def every(cases: list[Case]) -> list[object]:
    return [pytest.param(case, id=case.name) for case in cases]


@pytest.mark.parametrize("case", quick(RETURNING))
def test_a_returning_reader_reads(case: Case, scene: Scene, record_property: Figure) -> None:
    reading = read_once(case, scene, scene.returning)
    record_property("figure", f"returning, once | {case.name} | {reading.seconds:.2f} s")


@pytest.mark.parametrize("case", quick(FIRST))
def test_a_first_reader_with_the_single_file_reads(
    case: Case, scene: Scene, record_property: Figure
) -> None:
    reading = read_once(case, scene, scene.first)
    record_property("figure", f"single file, once | {case.name} | {reading.seconds:.2f} s")


@pytest.mark.slow
@pytest.mark.parametrize("case", every(RETURNING))
def test_a_returning_reader_waits_little(case: Case, scene: Scene, record_property: Figure) -> None:
    read_often(case, scene, scene.returning, "returning", record_property)


@pytest.mark.slow
@pytest.mark.parametrize("case", every(FIRST))
def test_a_first_reader_waits_little(case: Case, scene: Scene, record_property: Figure) -> None:
    read_often(case, scene, scene.first, "single file", record_property)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["returning", "first"])
def test_a_page_longer_than_a_connection_carries_is_read_over_several(
    who: str, letting_go: Scene, record_property: Figure
) -> None:
    """A browser keeps to a connection that its server does not end, frozen or not."""
    read_often(letting_go.wall, letting_go, getattr(letting_go, who), who, record_property)


@pytest.mark.parametrize("block", [Block.RESET, Block.PAGE_200])
def test_where_nothing_verified_can_be_had_that_is_said(block: Block, scene: Scene) -> None:
    scene.network.censor.block({}, otherwise=block)
    with scene.returning.open() as page:
        answer = page.goto(scene.network.address(UNREAD))
        assert answer.status == 503
        said = page.inner_text("body")
    assert SIGN_OF_A_BLOCK not in said
    assert TEXTS[UNREAD] not in said
    assert all(host in said for host in (ENTRY, *MIRRORS))


def test_an_entry_that_is_blocked_for_ever_is_not_waited_for_twice(scene: Scene) -> None:
    """What was learnt of this network on the first page serves the second."""
    scene.network.censor.block({ENTRY: Block.SILENCE})
    with scene.returning.open() as page:
        page.goto(scene.network.address(UNREAD), wait_until="commit")
        page.wait_for_selector(".proof p")
        asked = len([host for host, _ in scene.network.censor.seen if host == ENTRY])
        page.goto(f"https://{ENTRY}{scene.network.room.path(5)}", wait_until="commit")
        page.wait_for_selector(".proof p")
        again = len([host for host, _ in scene.network.censor.seen if host == ENTRY])
    assert again - asked <= 1, scene.network.censor.seen
