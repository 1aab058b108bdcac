# SPDX-License-Identifier: AGPL-3.0-or-later
"""Lies in how a mirror says it: endless, halting, wrongly wrapped, with words not asked for."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

from tamizdat.edition.signed import layout
from tests.lying.liar import After, Answer, Reply
from tests.lying.lies import PLAIN_PAGE, READS, Lie, gzip_bomb, instead
from tests.lying.scene import Scene

COMMANDS = {
    "Set-Cookie": "who=reader-27; Max-Age=31536000; SameSite=None; Path=/",
    "Clear-Site-Data": '"*"',
    "Refresh": "0; url=https://office.example/",
    "Link": "<https://office.example/x.js>; rel=preload; as=script",
    "Content-Disposition": 'attachment; filename="open-me.exe"',
    "Service-Worker-Allowed": "/",
    "Strict-Transport-Security": "max-age=31536000",
    "NEL": '{"report_to":"office","max_age":31536000}',
    "Report-To": '{"group":"office","max_age":31536000,"endpoints":[{"url":"https://office.example/"}]}',
    "SourceMap": "https://office.example/map",
}


def every(change: Callable[[str, bytes], Reply | None], only: str = "") -> Any:
    """All files whose name begins so are answered for in another way; the root that nobody has
    is honestly missing."""

    def tell(scene: Scene) -> Answer:
        def answer(name: str) -> Reply | None:
            data = scene.present.get(name)
            if data is None:
                return None
            return change(name, data) if name.startswith(only) else Reply(data)

        return answer

    return tell


def any_name(reply: Reply) -> Any:
    """The same for everything, whether it is there or not."""
    return lambda scene: lambda name: reply


def with_headers(**headers: str | None) -> Any:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return every(lambda _, data: Reply(data, headers=said))


def stops(after: After, only: str, share: float) -> Any:
    """A part of each file comes, then what ``after`` says."""
    return every(
        lambda _, data: Reply(data[: int(len(data) * share)], after=after, length=len(data)), only
    )


def endless(name: Callable[[Scene], str]) -> Any:
    return instead(lambda s: {name(s): Reply(b"x", after="endless", length=None)})


def gzip_bombs(only: str) -> Any:
    """Made before it is asked for: a reader's patience is short."""

    def tell(scene: Scene) -> Answer:
        reply = Reply(gzip_bomb(), headers={"Content-Encoding": "gzip"})
        answer: Answer = every(lambda *_: reply, only)(scene)
        return answer

    return tell


def _raw(head: str, body: bytes = b"") -> Reply:
    lines = f"{head}\r\nAccess-Control-Allow-Origin: *".replace("\n", "\r\n").replace("\r\r", "\r")
    return Reply(raw=f"{lines}\r\n\r\n".encode() + body)


def _chunk_that_lies(_: str, data: bytes) -> Reply:
    return _raw("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"fffff\r\n" + data[:100])


def _two_lengths(_: str, data: bytes) -> Reply:
    return _raw(f"HTTP/1.1 200 OK\nContent-Length: 4\nContent-Length: {len(data)}", data)


def _length_and_chunks(_: str, data: bytes) -> Reply:
    body = f"{len(data):x}\r\n".encode() + data + b"\r\n0\r\n\r\n"
    return _raw("HTTP/1.1 200 OK\nContent-Length: 3\nTransfer-Encoding: chunked", body)


def _redirect(status: int, to: str) -> Any:
    return every(lambda name, _: Reply(status=status, headers={"Location": to.format(name=name)}))


def _elsewhere(scene: Scene) -> Answer:
    """To another host, which serves the truth: also then it is not followed."""
    return _redirect(302, "http://127.0.0.2:9/{name}")(scene)  # type: ignore[no-any-return]


MANNERS = [
    # Endless and huge
    Lie("current is endless", endless(lambda _: layout.CURRENT), READS, READS),
    Lie(
        "the next keys are endless",
        endless(lambda _: "metadata/2.root.json"),
        "too-long",
        "tooLong",
    ),
    Lie(
        "the timestamp is endless",
        instead(
            lambda _: {
                layout.CURRENT: None,
                layout.TIMESTAMP: Reply(b"{", after="endless", length=None),
            }
        ),
        "too-long",
        "tooLong",
    ),
    Lie(
        "a shard is endless",
        endless(lambda s: s.shards(s.present)["archive"]),
        "too-long",
        "tooLong",
    ),
    Lie(
        "all pages are endless",
        every(lambda *_: Reply(b"x", after="endless", length=None), "objects/"),
        "too-long",
        "tooLong",
    ),
    Lie(
        "pages say that they are 5 TB",
        every(lambda _, d: Reply(d, length=5_000_000_000_000), "objects/"),
        "unreachable",
        "network",
    ),
    Lie(
        "metadata of 10 MB",
        every(lambda *_: Reply(b" " * 10_000_000), "metadata/"),
        "too-long",
        "tooLong",
    ),
    Lie(
        "metadata that gzip makes of 64 MB",
        gzip_bombs("metadata/"),
        "too-long",
        "tooLong",
    ),
    Lie(
        "pages that gzip makes of 64 MB",
        gzip_bombs("objects/"),
        "too-long",
        "tooLong",
    ),
    Lie(
        "headers of 2 MB",
        every(lambda _, d: Reply(d, headers={f"X-{n}": "x" * 8_000 for n in range(250)})),
        "unreachable",
        "network",
    ),
    # Halting
    Lie("the connection ends before an answer", any_name(Reply(raw=b"")), "unreachable", "network"),
    Lie(
        "the connection ends in the head",
        any_name(Reply(raw=b"HTTP/1.1 200 O")),
        "format",
        "network",
    ),
    Lie("pages are cut off", stops("", "objects/", 0.5), "unreachable", "network"),
    Lie("everything is cut off", stops("", "", 0.5), "unreachable", "network"),
    Lie(
        "no answer comes",
        any_name(Reply(raw=b"", after="hang")),
        "unreachable",
        "network",
        slow=True,
    ),
    Lie(
        "pages halt in the middle",
        stops("hang", "objects/", 0.5),
        "unreachable",
        "network",
        slow=True,
    ),
    Lie(
        "shards halt in the middle",
        stops("hang", "shards/", 0.5),
        "unreachable",
        "network",
        slow=True,
    ),
    Lie(
        "everything halts in the middle",
        stops("hang", "", 0.5),
        "unreachable",
        "network",
        slow=True,
    ),
    Lie(
        "pages drip",
        every(lambda _, d: Reply(d, after="drip"), "objects/"),
        "unreachable",
        "network",
        slow=True,
    ),
    Lie(
        "everything drips",
        every(lambda _, d: Reply(d, after="drip")),
        "unreachable",
        "network",
        slow=True,
    ),
    # Wrappings
    Lie("the type is a picture's", with_headers(Content_Type="image/png"), READS, READS),
    Lie("the type is a program's", with_headers(Content_Type="text/javascript"), READS, READS),
    Lie("there is no type", with_headers(Content_Type=None), READS, READS),
    Lie("nobody says that it is brotli", with_headers(Content_Encoding=None), READS, READS),
    Lie(
        "everything says that it is brotli", with_headers(Content_Encoding="br"), "reads", "network"
    ),
    Lie("everything says that it is gzip", with_headers(Content_Encoding="gzip"), READS, "network"),
    Lie(
        "everything is gzip",
        every(lambda _, d: Reply(gzip.compress(d), headers={"Content-Encoding": "gzip"})),
        "format",
        "reads",
    ),
    Lie("a wrapping that nobody knows", with_headers(Content_Encoding="office"), READS, READS),
    Lie("a chunk that is shorter than it says", every(_chunk_that_lies), "unreachable", "network"),
    Lie("two lengths", every(_two_lengths), "unreachable", "network"),
    Lie("a length and chunks", every(_length_and_chunks), READS, READS),
    Lie(
        "shorter than it is",
        every(lambda _, d: Reply(d, length=len(d) - 9), "objects/"),
        "tampered",
        "altered",
    ),
    Lie("no length", every(lambda _, d: Reply(d, length=None)), READS, READS),
    # Other answers than 200
    Lie(
        "a block page for every name",
        any_name(Reply(PLAIN_PAGE, headers={"Content-Type": "text/html"})),
        "format",
        "format",
    ),
    Lie("a block page as 404", any_name(Reply(PLAIN_PAGE, 404)), "missing", "missing"),
    Lie("a block page as 451", any_name(Reply(PLAIN_PAGE, 451)), "unreachable", "network"),
    Lie(
        "503, come back in an hour",
        any_name(Reply(b"", 503, {"Retry-After": "3600"})),
        "unreachable",
        "network",
    ),
    Lie(
        "401, who are you",
        any_name(Reply(b"", 401, {"WWW-Authenticate": 'Basic realm="x"'})),
        "unreachable",
        "network",
    ),
    Lie(
        "407, who are you",
        any_name(Reply(b"", 407, {"Proxy-Authenticate": 'Basic realm="x"'})),
        "unreachable",
        "network",
    ),
    Lie(
        "204, nothing",
        any_name(Reply(raw=b"HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: *\r\n\r\n")),
        "unreachable",
        "format",
    ),
    Lie(
        "304, as you know",
        any_name(Reply(raw=b"HTTP/1.1 304 Not Modified\r\nAccess-Control-Allow-Origin: *\r\n\r\n")),
        "unreachable",
        "network",
    ),
    Lie(
        "a part, as 206",
        every(lambda _, d: Reply(d[:300], 206, {"Content-Range": f"bytes 0-299/{len(d)}"})),
        "unreachable",
        "format",
    ),
    Lie("to another host", _elsewhere, "unreachable", "network"),
    Lie(
        "to a file of the reader's",
        _redirect(302, "file:///etc/hostname"),
        "unreachable",
        "network",
    ),
    Lie("round and round", _redirect(307, "/{name}"), "unreachable", "network"),
    Lie("not HTTP", any_name(Reply(raw=b"SSH-2.0-OpenSSH_9.2\r\n" * 50)), "unreachable", "network"),
    Lie(
        "another HTTP",
        any_name(Reply(raw=b"HTTP/7.5 200 OK\r\n\r\nhello")),
        "unreachable",
        "network",
    ),
    # Words that were not asked for
    Lie("cookies and commands", every(lambda _, d: Reply(d, headers=COMMANDS)), READS, READS),
    Lie(
        "no page elsewhere may read",
        with_headers(Access_Control_Allow_Origin=None),
        READS,
        "network",
    ),
    Lie(
        "one other page may read",
        with_headers(Access_Control_Allow_Origin="https://office.example"),
        READS,
        "network",
    ),
]
