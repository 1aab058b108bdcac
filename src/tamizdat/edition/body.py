# SPDX-License-Identifier: AGPL-3.0-or-later
"""The body of a story as HTML: cleaned once, then trusted (docs/format/body.md).

What always holds of what ``clean`` returns:

- every element, attribute, class and address is on the list in docs/format/body.md; no address
  can run script, and nothing of a foreign host is loaded;
- elements nest as HTML wants it: text stands in paragraphs, no block lies in a paragraph;
- cleaning it again changes nothing.

nh3 (a real HTML5 parser) decides what is safe, first and last; the tree in between only takes
elements away, renames or wraps them. What is not done here: filling photos in (``render.photo``),
checking that linked stories exist.
"""

from __future__ import annotations

import html as _html
import math
import re
import unicodedata
from collections.abc import Callable

import nh3

RENAMED = {
    "b": "strong",
    "i": "em",
    "strike": "s",
    "del": "s",
    "ins": "em",
    "u": "em",
    "h1": "h2",
    "h4": "h3",
    "h5": "h3",
    "h6": "h3",
    "tt": "code",
    "kbd": "code",
    "samp": "code",
    "section": "div",
    "article": "div",
    "main": "div",
}
ATTRIBUTES = {
    "a": {"href", "rel"},
    "blockquote": {"class"},
    "figure": {"class", "data-photo", "data-media"},
    "div": {"class"},
    "p": {"class", "data-media"},
    "aside": {"class", "data-stories"},
    "img": {"src", "srcset", "sizes", "alt", "width", "height", "loading", "decoding"},
    "source": {"type", "srcset", "sizes"},
    "audio": {"src", "controls", "preload"},
    "video": {"src", "controls", "preload", "width", "height"},
    "th": {"scope"},
}
CLASSES = {
    "blockquote": {"pull"},
    "figure": {"photo", "audio", "video", "table"},
    "div": {"gallery"},
    "p": {"caption", "document"},
    "aside": {"box", "link"},
}
INLINE = frozenset(["a", "em", "strong", "s", "sub", "sup", "code", "br", "span", "small", "cite"])
PLAIN = frozenset(
    "h2 h3 ul ol li picture img source audio video figcaption "  # noqa: SIM905
    "table caption thead tbody tr th td".split()
)
TAGS = INLINE | PLAIN | set(ATTRIBUTES)
VOID = frozenset(["br", "img", "source"])
DEPTH = 40
EXTERNAL = "external noopener noreferrer"

# Words a minute that grown-ups read silently: Trauzettel-Klosinski and Dietz, “Standardized
# assessment of reading performance: the new international reading speed texts IReST” (2012).
WORDS_A_MINUTE = {"ar": 138, "en": 228, "es": 218, "de": 179, "fr": 195, "ru": 184, "he": 187}

_MEDIA = r"/media/[0-9a-f]{2}/[0-9a-f]{64}\.[a-z0-9]{2,5}"
_VALUES: dict[str, Callable[[str], re.Match[str] | None]] = {
    "data-photo": re.compile(r"[^\s<>\"'`]{1,2000}\Z").match,
    "data-media": re.compile(r"ni:///sha-256;[\w-]{43}\Z", re.ASCII).match,
    "data-stories": re.compile(r"[^\s<>\"'`]+(?: [^\s<>\"'`]+)*\Z").match,
    "src": re.compile(_MEDIA + r"\Z").match,
    "srcset": re.compile(rf"{_MEDIA}(?: \d{{1,5}}w)?(?:, {_MEDIA} \d{{1,5}}w)*\Z").match,
    "sizes": re.compile(r"[\w\s().,:%<>=-]+\Z", re.ASCII).match,
    "type": re.compile(r"image/[a-z0-9.+-]+\Z").match,
    "width": re.compile(r"[1-9]\d{0,4}\Z", re.ASCII).match,
    "height": re.compile(r"[1-9]\d{0,4}\Z", re.ASCII).match,
    "loading": re.compile(r"lazy\Z|eager\Z").match,
    "decoding": re.compile(r"async\Z").match,
    "preload": re.compile(r"none\Z|metadata\Z").match,
    "scope": re.compile(r"col\Z|row\Z").match,
    "rel": re.compile(re.escape(EXTERNAL) + r"\Z").match,
}
_LINK = re.compile(r"https?://[^/\\?#]|mailto:[^/]|/(?![/\\])", re.IGNORECASE)
_RENAME = re.compile(rf"(</?)({'|'.join(RENAMED)})(?=[\s/>])", re.IGNORECASE)
_TOKEN = re.compile(r'<(/?)([a-z][a-z0-9]*)((?: [a-z-]+="[^"]*")*)>|([^<]+)')
_CLASS = re.compile(r' class="([^"]*)"')
_HREF = re.compile(r' href="([^"]*)"')
_JUNK = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")


def _attribute(tag: str, name: str, value: str) -> str | None:
    """Decide on one attribute: the value to keep, or None. Must never raise."""
    if name == "href":
        address = re.sub(r"[\x00-\x20\x7f-\xa0]", "", value)
        return address if _LINK.match(address) else None
    if name == "class":
        kept = CLASSES.get(tag, set()) & set(value.split())
        return min(kept) if kept else None
    if name in ("alt", "controls"):
        return value if name == "alt" else ""
    allowed = _VALUES.get(name)
    return value if allowed and allowed(value) else None


_CLEANER = nh3.Cleaner(
    tags=set(TAGS),
    clean_content_tags={"script", "style", "noscript", "template", "iframe", "object", "svg"}
    | {"math", "title", "textarea", "select", "button"},
    attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
    attribute_filter=_attribute,
    url_schemes={"http", "https", "mailto"},
    strip_comments=True,
    link_rel=None,
)


class _Node:
    """An element of cleaned HTML; ``attributes`` is their source text, a text child is source."""

    __slots__ = ("attributes", "children", "tag")

    def __init__(self, tag: str, attributes: str = "", children: list[_Child] | None = None):
        self.tag = tag
        self.attributes = attributes
        self.children: list[_Child] = children or []

    @property
    def kind(self) -> str:
        """The tag, with its class where it has one: ``figure.photo``."""
        found = _CLASS.search(self.attributes)
        return f"{self.tag}.{found[1]}" if found else self.tag

    def has(self, name: str) -> bool:
        return f' {name}="' in self.attributes

    def __str__(self) -> str:
        start = f"<{self.tag}{self.attributes}>"
        if self.tag in VOID:
            return start
        return f"{start}{''.join(map(str, self.children))}</{self.tag}>"


_Child = _Node | str

_PHRASES = INLINE - {"span", "small", "cite"}
_BLOCKS = frozenset(
    "p h2 h3 ul ol blockquote blockquote.pull figure.photo figure.audio figure.video "  # noqa: SIM905
    "figure.table div.gallery p.document aside.box aside.link".split()
)
# What may stand directly in what. Text may stand where phrases may.
_CONTENT: dict[str, frozenset[str]] = {
    "body": _BLOCKS,
    "blockquote": frozenset(["p", "ul", "ol"]),
    "blockquote.pull": frozenset(["p", "cite"]),
    "aside.box": frozenset(["h2", "ul", "p"]),
    "aside.link": frozenset(["a"]),
    "div.gallery": frozenset(["figure.photo", "p.caption"]),
    "figure.photo": frozenset(["picture", "figcaption"]),
    "figure.audio": frozenset(["audio", "figcaption"]),
    "figure.video": frozenset(["video", "figcaption"]),
    "figure.table": frozenset(["table"]),
    "picture": frozenset(["source", "img"]),
    "table": frozenset(["caption", "thead", "tbody"]),
    "thead": frozenset(["tr"]),
    "tbody": frozenset(["tr"]),
    "tr": frozenset(["th", "td"]),
    "ul": frozenset(["li"]),
    "ol": frozenset(["li"]),
    "li": _PHRASES | {"ul", "ol", "p"},
    "figcaption": _PHRASES | {"small"},
    "p.document": _PHRASES | {"small"},
    "a in aside.link": (_PHRASES - {"a"}) | {"span", "small"},
    "audio": frozenset(),
    "video": frozenset(),
    **dict.fromkeys("p p.caption h2 h3 cite caption th td".split(), _PHRASES),  # noqa: SIM905
    **dict.fromkeys(_PHRASES | {"small", "span"}, _PHRASES),
    "a": _PHRASES - {"a"},
}
# What is moved behind its outermost block rather than lost where it may not stand.
_MOVABLE = _BLOCKS - {"p", "h2", "h3", "ul", "ol", "blockquote"}
_FRAMED = {"table": "figure.table", "audio": "figure.audio", "video": "figure.video"}
_TRIMMED = frozenset("p p.caption h2 h3 cite caption th td li figcaption".split())  # noqa: SIM905
_ORDER: tuple[str, ...] = (
    "picture",
    "source",
    "img",
    "table",
    "caption",
    "thead",
    "tbody",
    "audio",
    "video",
)
_ORDER += ("p", "figcaption", "cite")
_ONCE = frozenset(["picture", "img", "table", "caption", "thead", "figcaption", "cite", "audio"])
_ONCE |= {"video"}
_ORDERED = frozenset(["figure.photo", "figure.audio", "figure.video", "figure.table", "picture"])
_ORDERED |= {"table", "blockquote.pull"}


def clean(html: str) -> str:
    """Make HTML canonical: only what docs/format/body.md lists, in its form."""
    source = _RENAME.sub(lambda m: m[1] + RENAMED[m[2].lower()], _JUNK.sub("", html))
    cleaned = _CLEANER.clean(unicodedata.normalize("NFC", source))
    for _ in range(4):  # Tidying what was broken can leave something to tidy, once or twice.
        before, cleaned = cleaned, _tidied(cleaned)
        if before == cleaned:
            break
    return cleaned


def _tidied(safe: str) -> str:
    blocks = _Filler("body").fill(_parse(safe).children)
    return _CLEANER.clean("\n".join(map(str, blocks)))


def _parse(html: str) -> _Node:
    """Read what nh3 wrote: balanced, attributes quoted, ``<`` only in tags."""
    root = _Node("body")
    stack = [root]
    for end, tag, attributes, text in _TOKEN.findall(html):
        if text:
            stack[-1].children.append(text)
        elif end:
            if len(stack) > 1:
                stack.pop()
        elif len(stack) < DEPTH or tag in VOID:
            node = _Node(tag, attributes)
            stack[-1].children.append(node)
            if tag not in VOID:
                stack.append(node)
        else:
            stack.append(stack[-1])  # Too deep to mean anything: its text counts as its parent's.
    return root


class _Filler:
    """Fills one element with what may stand in it, from whatever stood there."""

    def __init__(self, kind: str, moved: list[_Node] | None = None) -> None:
        self.kind = kind
        self.allowed = _CONTENT[kind]
        self.moved = [] if moved is None else moved
        self.out: list[_Child] = []
        self.run: list[_Child] = []

    def fill(self, children: list[_Child]) -> list[_Child]:
        self._take(children)
        self._close()
        return _ordered(self.out) if self.kind in _ORDERED else self.out

    def _take(self, children: list[_Child]) -> None:
        for child in children:
            if isinstance(child, str):
                self._text(child)
            else:
                self._element(child)

    def _text(self, text: str) -> None:
        if self.allowed & {"em"}:
            self.out.append(text)
        elif "p" in self.allowed:
            self.run.append(text)
        elif "li" in self.allowed and _visible(text):
            self.out.append(_Node("li", children=[text.strip()]))

    def _element(self, node: _Node) -> None:
        kind = node.kind if _whole(node) else node.tag
        framed = _FRAMED.get(kind)
        if framed in self.allowed:
            self._element(_Node("figure", f' class="{framed.split(".")[1]}"', [node]))
        elif kind in self.allowed:
            self._close()
            self._add(node, kind)
        elif kind in _PHRASES and "p" in self.allowed and not _has_block(node):
            self.run.extend(_Filler("p", self.moved).fill([node]))
        elif kind in _PHRASES and "p" in self.allowed:
            self._take(_pushed_down(node, node.children))
        elif kind in _MOVABLE and kind not in ("blockquote.pull", "p.document"):
            filled = self._filled(node, kind)
            self.moved.extend([filled] if filled else [])
        else:
            self._unwrap(node)

    def _add(self, node: _Node, kind: str) -> None:
        if kind in _PHRASES and _has_block(node):
            self._take(_pushed_down(node, node.children))
            return
        filled = self._filled(node, kind)
        self.out.extend([filled] if filled else [])
        if self.kind == "body":
            self.out.extend(self.moved)
            self.moved.clear()

    def _filled(self, node: _Node, kind: str) -> _Node | None:
        if node.tag in VOID:
            return node if node.tag == "br" or node.has("src") or node.has("srcset") else None
        if node.tag == "a":
            if not node.has("href"):
                self._unwrap(node)
                return None
            _mark_external(node)
        inner = "a in aside.link" if kind == "a" and self.kind == "aside.link" else kind
        node.children = _Filler(inner, self.moved).fill(node.children)
        if kind in _TRIMMED:
            node.children = _trimmed(node.children)
        return node if _says_something(node, kind) else None

    def _unwrap(self, node: _Node) -> None:
        block = node.tag not in INLINE
        if block:
            self._close()
        if block and "br" in self.allowed and self.out:
            self.out.append(_Node("br"))
        self._take(node.children)
        if block:
            self._close()

    def _close(self) -> None:
        """End a run of bare text: it becomes a paragraph."""
        if self.run and any(map(_visible, self.run)):
            self.out.append(_Node("p", children=_trimmed(self.run)))
        self.run = []
        if self.kind == "body":
            self.out.extend(self.moved)
            self.moved.clear()


def _whole(node: _Node) -> bool:
    """Whether a photo's figure names its photo; otherwise it is no photo of ours."""
    return node.kind != "figure.photo" or node.has("data-photo")


def _ordered(children: list[_Child]) -> list[_Child]:
    """Put parts in the order that HTML wants, and keep one of what may be there once."""
    kept: list[_Node] = []
    for child in children:
        if isinstance(child, _Node):
            if child.tag in _ONCE and any(k.tag == child.tag for k in kept):
                continue
            kept.append(child)
    return [*sorted(kept, key=lambda n: _ORDER.index(n.tag))]


def _has_block(node: _Node) -> bool:
    return any(
        isinstance(c, _Node) and (c.tag not in INLINE or _has_block(c)) for c in node.children
    )


def _pushed_down(phrase: _Node, children: list[_Child]) -> list[_Child]:
    """Put a phrase that wraps blocks inside them: a link around a paragraph, say."""
    out: list[_Child] = []
    for child in children:
        if isinstance(child, _Node) and (child.tag not in INLINE or _has_block(child)):
            child.children = _pushed_down(phrase, child.children)
            out.append(child)
        else:
            out.append(_Node(phrase.tag, phrase.attributes, [child]))
    return out


def _trimmed(children: list[_Child]) -> list[_Child]:
    """Take white space and line breaks off both ends."""
    while children and not _visible(children[0]):
        children = children[1:]
    while children and not _visible(children[-1]):
        children = children[:-1]
    if children and isinstance(children[0], str):
        children = [children[0].lstrip(), *children[1:]]
    if children and isinstance(children[-1], str):
        children = [*children[:-1], children[-1].rstrip()]
    return children


def _visible(child: _Child) -> bool:
    if isinstance(child, str):
        return bool(_html.unescape(child).strip())
    return child.tag != "br"


def _says_something(node: _Node, kind: str) -> bool:
    """Whether there is anything to see, hear or fill in inside."""
    tags = [child.tag for child in node.children if isinstance(child, _Node)]
    if kind in ("audio", "video"):
        return node.has("src")
    if kind in ("td", "th", "figure.photo"):
        return True
    if kind == "picture":
        return "img" in tags
    if kind in ("figure.audio", "figure.video", "figure.table"):
        return kind.split(".")[1] in tags
    if kind == "table":
        return "tbody" in tags
    return any(map(_visible, node.children))


def _mark_external(link: _Node) -> None:
    link.attributes = link.attributes.replace(f' rel="{EXTERNAL}"', "")
    address = _HREF.search(link.attributes)
    if address and address[1].lower().startswith(("http://", "https://")):
        link.attributes += f' rel="{EXTERNAL}"'


_BREAK = re.compile(r"</(?:p|h2|h3|li|figcaption|caption|tr|cite|blockquote|td|th)>|<br>")
_TAG = re.compile(r"<[^>]*>")
_WORD = re.compile(r"\w+(?:[’'‐.\-]\w+)*")


def plain(html: str) -> str:
    """The words of cleaned HTML: no markup, one line a paragraph, entities resolved."""
    text = _html.unescape(_TAG.sub("", _BREAK.sub("\n", html)))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def count_words(html: str) -> int:
    """How many words cleaned HTML has; a hyphenated word is one."""
    return len(_WORD.findall(plain(html)))


def reading_minutes(words: int, language: str) -> int:
    """Minutes to read so many words, rounded, at least 1; 0 where there is nothing to read."""
    pace = WORDS_A_MINUTE.get(language.split("-")[0], 200)
    return max(1, math.floor(words / pace + 0.5)) if words else 0
