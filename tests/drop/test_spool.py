# SPDX-License-Identifier: AGPL-3.0-or-later
"""What was acknowledged lies on the disk and stays there; what was not leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tamizdat.drop.batches import MOST_BATCH, new_name, sealed_in, slots
from tamizdat.drop.client_folder import FolderLetterbox
from tamizdat.drop.envelope import seal, submission
from tamizdat.drop.errors import DropSettingsError, FullError
from tamizdat.drop.spool import Spool, closed_names, measured, open_names, require_free
from tests.drop.machines import (
    IDENTITY,
    InProcess,
    Server,
    collected,
    in_process,
    letter,
    opened,
    post,
    running,
)

NOON = datetime(2026, 11, 22, 12, 34, 56, 789, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def spool(tmp_path: Path, clock: Clock) -> Iterator[Spool]:
    found = Spool(tmp_path / "spool", clock=clock)
    yield found
    with contextlib.suppress(OSError):
        found.close()


def in_folder(folder: Path) -> list[bytes]:
    box = FolderLetterbox(folder, patience=0)
    return [
        sealed_in(slot)
        for batch in box.batches()
        for slot in slots(batch.name, box.read(batch.name))
    ]


def test_a_batch_that_cannot_be_begun_leaves_nothing_open(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "no space")

    before = len(list(Path("/proc/self/fd").iterdir()))
    with monkeypatch.context() as broken:
        broken.setattr(spool, "_sync_folder", full)
        for _ in range(5):
            with pytest.raises(FullError):
                spool.append([letter()])
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    spool.append([letter()])
    spool.close_open()
    assert len(in_folder(spool.folder)) == 1


def test_who_comes_second_takes_nothing_from_the_first(spool: Spool) -> None:
    """Also not a batch that has no name yet."""
    unborn = spool.folder / f".{new_name(NOON, 2_048)}.open"
    unborn.touch()
    with pytest.raises(DropSettingsError):
        Spool(spool.folder)
    with pytest.raises(DropSettingsError):
        require_free(spool.folder)
    assert unborn.exists()
    spool.close()
    Spool(spool.folder).close()
    assert not unborn.exists()


def test_sizes_lie_apart_and_names_tell_hour_and_size_alone(spool: Spool) -> None:
    spool.append([letter("a"), letter("b" * 5_000), letter("c")])
    spool.close_open()
    names = closed_names(spool.folder)
    assert [(name[:10], name.split("-")[2]) for name in names if "-2048" in name] == [
        ("2026112212", "2048.batch")
    ]
    assert sorted((spool.folder / name).stat().st_size for name in names) == [7_168, 17_920]


def test_a_new_hour_begins_a_new_batch(spool: Spool, clock: Clock) -> None:
    spool.append([letter("a")])
    clock.now += timedelta(hours=1)
    spool.append([letter("b")])
    assert [name[:10] for name in closed_names(spool.folder)] == ["2026112212"]
    assert [name[:10] for name in open_names(spool.folder)] == ["2026112213"]
    clock.now += timedelta(hours=1)
    spool.tend()
    assert [name[:10] for name in closed_names(spool.folder)] == ["2026112212", "2026112213"]


def test_a_batch_ends_where_it_would_grow_too_long(spool: Spool) -> None:
    group = [letter("x" * 9_000)] * 600
    spool.append(group)
    spool.append(group)
    spool.close_open()
    sizes = [(spool.folder / name).stat().st_size for name in closed_names(spool.folder)]
    assert len(sizes) == 2
    assert max(sizes) <= MOST_BATCH
    assert sum(sizes) == 1_200 * 17_920 == spool.length


def test_one_group_may_need_several_batches(spool: Spool) -> None:
    group = [letter("x" * 9_000)] * 2_000
    spool.append(group)
    spool.close_open()
    assert len(in_folder(spool.folder)) == 2_000


def test_times_of_files_are_those_of_the_hour(spool: Spool) -> None:
    spool.append([letter("a")])
    hour = NOON.replace(minute=0, second=0, microsecond=0).timestamp()
    for path in (spool.folder, *spool.folder.glob("*.open")):
        assert path.stat().st_mtime == hour
    spool.close_open()
    for path in (spool.folder, *spool.folder.glob("*.batch")):
        assert path.stat().st_mtime == hour


@pytest.mark.parametrize("torn", [1, 100, 3_583, 3_584, 5_000])
def test_a_torn_tail_is_cut_and_what_is_whole_stays(tmp_path: Path, torn: int) -> None:
    spool = Spool(tmp_path / "spool")
    sealed = [letter("a"), letter("b")]
    spool.append(sealed)
    (name,) = open_names(spool.folder)
    with (spool.folder / name).open("ab") as file:
        file.write(bytes(torn) if torn > 3_583 else sealed[0][:torn])
    os.close(spool._lock)  # As the kernel does after kill -9.
    for batch in spool._open.values():
        os.close(batch.descriptor)
    again = Spool(tmp_path / "spool")
    again.close()
    assert in_folder(tmp_path / "spool") == sealed


def test_two_drops_never_share_a_spool(spool: Spool) -> None:
    with pytest.raises(DropSettingsError, match="another drop works in"):
        Spool(spool.folder)


def test_a_collector_leaves_what_is_being_written(spool: Spool) -> None:
    spool.append([letter("a")])
    box = FolderLetterbox(spool.folder, patience=0)
    assert box.batches() == []
    spool.tend()  # It was asked to close.
    (batch,) = box.batches()
    spool.append([letter("b")])
    box.remove(batch.name, batch.sha256)
    assert spool.measure() == 3_584
    assert not (spool.folder / "close").exists()


def test_a_full_disk_takes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from tamizdat.drop.spool import Spool
from tamizdat.drop.errors import FullError
from tests.drop.machines import letter
spool = Spool(Path({str(tmp_path / "spool")!r}))
kept = 0
for round in range(12):
    try:
        spool.append([letter("x" * 3000)] * 3 + [letter("y")])
        kept += 1
    except FullError:
        sys.stdout.write(f"{{kept}} full\\n")
        break
spool.close()
"""
    # The limit of a file's length is the kernel's own, and met in the middle of a slot.
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
    )
    kept = int(done.stdout.split()[0])
    assert 0 < kept < 12
    assert len(in_folder(tmp_path / "spool")) == kept * 4


def test_the_folder_of_a_full_disk_is_mounted_small(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(small)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        spool = Spool(small / "spool")
        kept = 0
        with contextlib.suppress(FullError):
            for _ in range(100):
                spool.append([letter("x"), letter("y" * 3_000)])
                kept += 1
        assert kept < 100
        assert kept > 5
        spool.close()
        assert len(in_folder(small / "spool")) == kept * 2
        box = FolderLetterbox(small / "spool", patience=0)
        for batch in box.batches():
            box.remove(batch.name, batch.sha256)
        again = Spool(small / "spool")
        again.append([letter("there is room")])
        again.close()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_requests_that_come_together_are_written_together(drop: InProcess) -> None:
    groups: list[int] = []
    drop_spool = _spool_of(drop)
    real = drop_spool.append

    def counted(group: list[bytes]) -> None:
        groups.append(len(group))
        real(group)

    drop_spool.append = counted  # type: ignore[method-assign, assignment]

    async def many() -> None:
        asked = [drop.asking("POST", "/v1/sealed", letter(str(n))) for n in range(150)]
        replies = await asyncio.gather(*asked)
        assert {reply.status for reply in replies} == {200}

    drop.loop.run_until_complete(many())
    assert sum(groups) == 150
    assert len(groups) < 20
    assert {one.fields["text"] for one in opened(drop.folder)} == {str(n) for n in range(150)}


def _spool_of(drop: InProcess) -> Spool:
    closure = drop.app.__closure__  # type: ignore[attr-defined]
    (found,) = [c.cell_contents.spool for c in closure if hasattr(c.cell_contents, "spool")]
    assert isinstance(found, Spool)
    return found


def test_a_flood_ends_at_the_cap_and_never_shuts_out_providers(tmp_path: Path) -> None:
    limits = {"free": 10**6, "most": 10**6}
    mebibyte = 1024 * 1024
    with in_process(tmp_path / "drop", cap=mebibyte, reserve=mebibyte // 2, limits=limits) as drop:
        sealed = letter()
        statuses = [drop.ask("POST", "/v1/sealed", sealed).status for _ in range(200)]
        assert statuses.count(200) == (mebibyte // 2) // 3_584
        refused = drop.ask("POST", "/v1/sealed", sealed)
        assert (refused.status, refused.json["error"]) == (503, "full")
        assert int(refused.headers["retry-after"]) > 0
        form = drop.fill_in("/v1/message", text="x", language="ru")
        assert (form.status, "Почтовый ящик полон" in form.text) == (503, True)
        links = [drop.fill_in(f"/v1/unsubscribe/{n}").status for n in range(200)]
        assert links.count(303) == (mebibyte // 4) // 3_584
        calls = [drop.ask("POST", "/v1/webhook/piggybank", b"{}").status for n in range(70)]
        assert set(calls) == {200}
        lies = measured(drop.folder / "spool").length
        assert lies <= mebibyte
        collected_kinds = {one.kind for one in opened(drop.folder)}
        assert collected_kinds == {"message", "unsubscribe", "webhook"}


def test_once_it_is_emptied_from_outside_there_is_room_again(tmp_path: Path) -> None:
    limits = {"free": 10**6, "most": 10**6}
    with in_process(tmp_path / "drop", cap=1024 * 1024, reserve=0, limits=limits) as drop:
        while drop.ask("POST", "/v1/sealed", letter("x" * 9_000)).status == 200:
            pass
        (drop.folder / "spool" / "close").touch()
        _until(drop, lambda: not [*open_names(drop.folder / "spool")])
        collected(drop.folder)
        _until(drop, lambda: drop.ask("POST", "/v1/sealed", letter()).status == 200)


def _until(drop: InProcess, true: Callable[[], bool]) -> None:
    """It looks at its folder about once a second."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        drop.loop.run_until_complete(asyncio.sleep(0.1))


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    for round_ in range(3):
        with in_process(tmp_path / "drop") as drop:
            assert drop.ask("POST", "/v1/sealed", letter(str(round_))).status == 200
    assert {one.fields["text"] for one in collected(tmp_path / "drop")} == {"0", "1", "2"}


def test_sizes_are_those_that_are_promised() -> None:
    for length, slot in ((1, 3_584), (3_000, 17_920)):
        sealed = seal(submission("message", "en", {"text": "x" * length}), [IDENTITY.to_public()])
        assert len(sealed) <= slot - 128


KEEPING = """
import asyncio, os, sys
from pathlib import Path
import pyrage
from tamizdat.drop.envelope import seal, submission
from tamizdat.drop.spool import Spool
from tamizdat.drop.writer import Share, Writer

folder, recipient, name = sys.argv[1:]
keys = [pyrage.x25519.Recipient.from_str(recipient)]

async def readers(writer, who):
    for n in range(10_000):
        text = f"{name}-{who}-{n}" + " long" * (n % 2) * 600
        await writer.keep(seal(submission("message", "en", {"text": text}), keys), Share.COMMON)
        os.write(1, (text.split()[0] + "\\n").encode())
        if n % 50 == 49:  # As a collector does.
            await writer.run(writer._spool.batches)

async def main():
    spool = Spool(Path(folder))
    writer = Writer(spool, cap=2**30, reserve=0, complain=print)
    writer.start()
    await asyncio.gather(*(readers(writer, who) for who in range(8)))

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_a_hundred_times_the_writer_keeps_all_that_it_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    said: list[str] = []
    recipient = str(IDENTITY.to_public())
    for name in range(100):
        command = [sys.executable, "-c", KEEPING, str(tmp_path / "spool"), recipient, str(name)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.15))
            process.kill()
            lines = (first + process.stdout.read()).decode().split("\n")
        said += lines[:-1]
    found = [one.fields["text"].split()[0] for one in collected(tmp_path / "spool")]
    assert len(found) == len(set(found)), "nothing was written twice"
    assert set(said) <= set(found)
    assert len(said) > 500


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_amid_its_work_the_drop_keeps_all_that_it_acknowledged(tmp_path: Path) -> None:
    limits = {"free": 10**6, "most": 10**6}
    chance = random.Random(20261122)
    with running(tmp_path / "drop", limits=limits) as server:
        stop, said = threading.Event(), list[str]()
        senders = [
            threading.Thread(target=_send_until_it_dies, args=(server, stop, said, who))
            for who in range(6)
        ]
        for sender in senders:
            sender.start()
        for times in range(6):
            time.sleep(chance.uniform(0.1, 1.0))
            if times % 2:  # The process that serves, alone; else all at once.
                os.kill(server.workers[0], signal.SIGKILL)
            server.kill()
            server.start()
        stop.set()
        for sender in senders:
            sender.join()
    found = [one.fields["text"] for one in collected(tmp_path / "drop")]
    assert len(found) == len(set(found)), "nothing was written twice"
    assert set(said) <= set(found)
    assert len(said) > 20


def _send_until_it_dies(server: Server, stop: threading.Event, said: list[str], who: int) -> None:
    n = 0
    while not stop.is_set():
        text = f"{who}-{n}"
        n += 1
        try:
            reply = server.ask(post("/v1/sealed", letter(text)), timeout=5)
        except OSError:
            time.sleep(0.05)
            continue
        if reply.startswith(b"HTTP/1.1 200"):
            said.append(text)
