# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reader's verifier in Chromium against mirrors that lie, and an honest one after each."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browsers import chromium, let_go
from tests.lying.liar import Answer, Mirror, Reply, honest
from tests.lying.lies import BYTES, METADATA, OLDER, READS, Lie
from tests.lying.manners import MANNERS
from tests.lying.scene import Scene
from tests.reader.servers import BUILT

pytestmark = [
    pytest.mark.browser,
    pytest.mark.allow_hosts(["127.0.0.1", "::1"]),
    pytest.mark.xdist_group("lying-browser"),
]
SLOW = pytest.mark.slow
LIES = [
    pytest.param(lie, id=lie.name, marks=[] if lie in MANNERS and not lie.slow else [SLOW])
    for lie in (*BYTES, *METADATA, *MANNERS)
]
PATIENCE_MS = 15_000
SILENT = {"stall": 700, "most": 6_000}
SLOWLY = {"stall": 10_000, "most": 40_000}
SLACK_MS = 9_000
POLICY = "default-src 'none'; script-src 'self'; connect-src *"
READ = """async ({root, state, mirror, path, stall, most}) => {
  const {Edition, IndexedDBState, mirror: of, single} = await import('/verifier.js');
  const began = performance.now();
  const bytes = Uint8Array.from(atob(root), (letter) => letter.charCodeAt(0));
  const edition = await Edition.open(bytes, new IndexedDBState(state));
  const fetch = of(mirror, {stall, pace: 3_000});
  const said = {};
  try {
    const signal = AbortSignal.timeout(most);
    await edition.update(fetch, signal);
    const page = await edition.read(path, single(fetch), signal);
    Object.assign(said, {text: new TextDecoder().decode(page.bytes), asOf: page.asOf});
  } catch (error) { said.error = error.code ?? String(error); }
  return {...said, took: performance.now() - began};
}"""


def _entry(name: str) -> Reply | None:
    """An honest page on which the reader runs."""
    headers = {"Content-Security-Policy": POLICY, "Content-Encoding": None}
    if name == "":
        return Reply(b"<!doctype html><title>Paper</title>", headers={**headers, **_type("html")})
    file = BUILT / name
    script = {**headers, **_type("javascript")}
    return Reply(file.read_bytes(), headers=script) if file.is_file() else None


def _type(kind: str) -> dict[str, str | None]:
    return {"Content-Type": f"text/{kind}; charset=utf-8"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    with Mirror(_entry) as entry:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(entry.url)
        yield page
        let_go(context)


class Reader:
    """Somebody whose browser remembers under a name of its own."""

    def __init__(self, page: Any, scene: Scene, name: str) -> None:
        self.page = page
        self._scene = scene
        self._name = name

    def read(self, answer: Answer, expected: str = READS) -> str:
        """As ``test_python_reader.read``, in the words of the browser's reader."""
        # Whom silence is expected of is not waited for; of others a busy machine may be slow.
        patience = SILENT if expected == "network" else SLOWLY
        with Mirror(answer) as mirror:
            given = {"mirror": mirror.url, "path": self._scene.path, "state": self._name}
            root = base64.b64encode(self._scene.root).decode()
            said = self.page.evaluate(READ, {**given, **patience, "root": root})
            assert "cookie" not in {h for seen in mirror.headers_seen for h in seen}
        assert said["took"] < patience["most"] + SLACK_MS
        if "error" in said:
            return str(said["error"])
        texts = {
            self._scene.text(self._scene.present): READS,
            self._scene.text(self._scene.seen): OLDER,
            self._scene.text(self._scene.old): OLDER,
        }
        return texts[said["text"].encode()]


@pytest.mark.parametrize(
    "returning",
    [pytest.param(False, id="first", marks=SLOW), pytest.param(True, id="returning")],
)
@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_never_shown_and_the_next_mirror_serves(
    lie: Lie, returning: bool, scene: Scene, page: Any
) -> None:
    reader = Reader(page, scene, f"{lie.name} {returning}")
    if returning:
        assert reader.read(honest(scene.seen)) == OLDER
    expected = lie.said_by("browser", returning=returning)
    assert reader.read(lie.tell(scene), expected) == expected
    assert reader.read(honest(scene.present)) == READS
    assert page.context.cookies() == []


def test_who_has_read_the_newer_is_not_led_back(scene: Scene, page: Any) -> None:
    reader = Reader(page, scene, "newer")
    assert reader.read(honest(scene.present)) == READS
    for files in (scene.seen, scene.old):
        assert reader.read(honest(files)) == "rollback"
    assert reader.read(honest(scene.present)) == READS
