# SPDX-License-Identifier: AGPL-3.0-or-later
"""The worker of an entry that turned liar; one mirror lies alike, and the honest one serves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest

from tamizdat.edition.signed import programs
from tests.browsers import chromium, let_go
from tests.lying.liar import Answer, Mirror, Reply, honest
from tests.lying.lies import BYTES, METADATA, OLDER, PLAIN_PAGE, Lie
from tests.lying.manners import MANNERS
from tests.lying.scene import Scene

pytestmark = [
    pytest.mark.browser,
    pytest.mark.allow_hosts(["127.0.0.1", "::1"]),
    pytest.mark.xdist_group("lying-browser"),
]
QUICK = (
    "a word of the page is another",
    "the edition before the last",
    "another newsroom's copy",
    "all pages are endless",
    "a block page for every name",
)
LIES = [
    pytest.param(lie, id=lie.name, marks=[] if lie.name in QUICK else [pytest.mark.slow])
    for lie in (*BYTES, *METADATA, *MANNERS)
]
FOLDERS = ("metadata/", "targets/", "shards/", "objects/")
PATIENCE_MS = 25_000
TAKE_OVER = """async () => {
  await navigator.serviceWorker.register('/sw.js');
  if (!navigator.serviceWorker.controller)
    await new Promise((done) => (navigator.serviceWorker.oncontrollerchange = done));
}"""
READ = """async (path) => {
  const answer = await fetch(path);
  return {status: answer.status, text: await answer.text()};
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


def worker(scene: Scene, *mirrors: str) -> bytes:
    facts = programs.facts_of(scene.newsroom.desk.folder.path)
    assert facts is not None
    return programs.fill(msgspec.structs.replace(facts, mirrors=list(mirrors)), programs.WORKER)


def entry(script: bytes, answer: Answer) -> Answer:
    """A page and the worker, as they were before; of the paper and its copy, lies."""
    types = {"": "text/html", "sw.js": "text/javascript"}
    bodies = {"": b"<!doctype html><title>Paper</title>", "sw.js": script}

    def answered(name: str) -> Reply | None:
        if name in bodies:
            return Reply(bodies[name], headers={"Content-Type": types[name]})
        return answer(name) if name.startswith(FOLDERS) else Reply(PLAIN_PAGE)

    return answered


@pytest.mark.parametrize("lie", LIES)
def test_where_the_entry_lies_the_honest_mirror_serves(
    lie: Lie, scene: Scene, browser: Any
) -> None:
    with ExitStack() as stack:
        present = stack.enter_context(Mirror(honest(scene.present)))
        liar = stack.enter_context(Mirror(lie.tell(scene)))
        own = stack.enter_context(Mirror(lambda name: None))
        script = worker(scene, liar.url, present.url)
        own.answer = entry(script, honest(scene.seen))
        context = browser.new_context()
        stack.callback(let_go, context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(own.url)
        page.evaluate(TAKE_OVER)
        own.answer = entry(script, lie.tell(scene))
        said = page.evaluate(READ, scene.path)
        assert said["status"] == 200
        allowed = [scene.text(scene.present)]
        if lie.browser.startswith(OLDER):  # A true page of a former edition, by who saw no newer.
            allowed += [scene.text(scene.seen), scene.text(scene.old)]
        assert said["text"].encode() in allowed
        assert context.cookies() == []
