# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who reported it: agencies and other media that the text names, recordings that it rests on.

English and Russian. Each source is told once, with the sentence that it supports. An editor
reads and mends this: a wrong guess is worse than none, so a bare "X said" is never a source.
"""

from __future__ import annotations

import re

from tamizdat.edition.story import InfoSource

_DAYS = (
    "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March|April|May|"
    "June|July|August|September|October|November|December|The|In|On|At|But|And|He|She|It|They|"
    "This|That|Who|As|Earlier|Later|However|Police|Officials|Authorities|Prosecutors|Witnesses|"
    "Residents|Doctors|Scientists|Media|Local|State|Several|Many|Some|No|Nobody|"
    "One|Two|Three|Rescuers|Fishermen|Farmers|Nurses|Investigators|Lawyers|Neighbours|Neighbors"
)
_NAME = rf"(?!(?:{_DAYS})\b)[A-Z][\w&’'.-]*[\w](?:\s+(?!(?:{_DAYS})\b)[A-Z][\w&’'-]*[\w]){{0,3}}"
_KIND = (
    r"(?:(?:state|official|local|private|independent|the|a|\w+)[ -]){0,2}"
    r"(?:news agency|agency|newspaper|broadcaster|news (?:web)?site|news outlet|daily|weekly|"
    r"television channel|TV channel|radio station|magazine|wire service)"
)
_RU_NAME = (
    r"(?:«[^»]{2,40}»|\"[^\"]{2,40}\"|[A-Z][\w.&-]*(?: [A-Z][\w.&-]*){0,3}|"
    r"[А-ЯЁ]{2,8}(?: [А-ЯЁ][а-яё]+)?|[А-ЯЁ][а-яё]+(?:-[А-ЯЁ][а-яё]+)?(?: [А-ЯЁ][а-яё]+)?)"
)
_RU_KIND = (
    r"(?:(?:\w+ое|\w+ий|\w+ая|\w+ого|\w+ому|\w+ую|\w+ой) )?(?:информ|теле|радио)?"
    r"(?:агентств[оаму]?|газет[аеуы]|телеканал[аеу]?|канал[аеу]?|издани[еяю]|журнал[аеу]?|"
    r"радиостанци[яиею]|портал[аеу]?)"
)
_AGENCIES: tuple[re.Pattern[str], ...] = (
    re.compile(rf"\b(?i:{_KIND})\s+(?P<name>{_NAME})"),
    re.compile(rf"\b(?P<name>{_NAME}),? (?i:news agency|newspaper|radio|television)\b"),
    re.compile(rf"\b(?P<name>{_NAME}) (?:has |have |had |also |first )?reported\b"),
    re.compile(rf"\b(?:told|citing|quoting|quoted by|reported by|according to) (?P<name>{_NAME})"),
    re.compile(
        rf"\b(?:(?:Р|р)асс?каз\w*|[Сс]ооб[щ]\w*|[Пп]ереда\w*|[Пп]ишет|[Пп]исал\w*) "
        rf"{_RU_KIND} (?P<name>{_RU_NAME})"
    ),
    re.compile(rf"{_RU_KIND} (?P<name>{_RU_NAME})"),
    re.compile(
        rf"\b(?:[Сс]ообщает|[Пп]ередает|[Пп]ередаёт|[Пп]ишет|[Сс]ообщают|[Пп]ередают) "
        rf"(?P<name>{_RU_NAME})"
    ),
    re.compile(r"\b[Сс]ообщил[аои]? (?P<name>[А-ЯЁ]{2,8}|«[^»]{2,40}»|[A-Z]{2,6})(?![\w-])"),
    re.compile(rf"\bсо ссылкой на (?P<name>{_RU_NAME})"),
    re.compile(rf"\b(?P<name>{_RU_NAME}) (?:сообщает|передает|передаёт|пишет)\b"),
)
# After these a name without a word for its kind may be a person's: only what is written as no
# person's name is, or is well known, counts.
_MAYBE_PERSON = frozenset([3, 6, 8, 9])
_WELL_KNOWN = frozenset(
    [
        *("reuters", "ap", "afp", "dpa", "upi", "tass", "interfax", "bloomberg", "xinhua"),
        *("kyodo", "yonhap", "efe", "ansa", "bbc", "cnn", "apa", "belta", "ukrinform"),
        *("associated press", "the associated press", "agence france-presse", "ria novosti"),
        *("тасс", "интерфакс", "бельта", "укринформ", "рейтер", "блумберг", "риа новости"),
    ]
)
_MEDIAL = frozenset(
    "agency news times post press journal herald telegraph daily tribune today radio tv "  # noqa: SIM905
    "television wire courier gazette observer mail weekly review echo chronicle monitor "
    "новости вести время известия бюро курьер".split()
)
_RECORDING = re.compile(
    r"\b(?:in|on|from) (?:an?|the|his|her|their) (?P<what>(?:\w+ ){0,2}(?:audio|video|sound|voice|"
    r"televised|telephone|phone|taped)(?: ?tape)? ?(?:recording|message|address|statement|footage|"
    r"clip|tape|call)?(?: (?:published|posted|released|broadcast|aired|uploaded|shared|obtained)"
    r"[^,.;”\"]{0,80})?)|"
    r"\b(?:в|на|из) (?P<ru>(?:\w+ ){0,2}(?:аудио|видео)(?:записи|обращении|ролике|сообщении)"
    r"(?:,? (?:опубликованн|размещенн|размещённ|распростран)\w+[^,.;»]{0,80})?)",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"(?<=[.!?…])(?:[”»\"')]*)\s+(?=[\"“«(A-ZА-ЯЁ0-9])")
_TRAILING = re.compile(rf"\s+(?:on |в )?(?:{_DAYS})$")
_CREDITED = re.compile(r"\((?P<name>[A-Z]{2,5}|Reuters|Bloomberg)\)")


def sentences(paragraph: str) -> list[str]:
    return [s.strip() for s in _SENTENCES.split(paragraph) if s.strip()]


def find(paragraphs: list[str]) -> list[InfoSource]:
    """Every source that the paragraphs name, in order of appearance."""
    found: dict[str, InfoSource] = {}
    for paragraph in paragraphs:
        for sentence in sentences(paragraph):
            for source in [*_agencies(sentence), *_recordings(sentence)]:
                found.setdefault(f"{source.role} {(source.name or '').lower()}", source)
    return list(found.values())


def _agencies(sentence: str) -> list[InfoSource]:
    bare = _without_speech(sentence)
    names: list[str] = []
    for index, pattern in enumerate(_AGENCIES):
        for match in pattern.finditer(bare):
            name = _TRAILING.sub("", match["name"]).strip(" .,'’«»\"")
            name = re.sub(r"[’']s$", "", name)
            if index in _MAYBE_PERSON and not _no_person(match["name"]):
                continue
            if index == 2 and " " in name and not _looks_medial(name):
                continue
            if len(name) > 1 and not any(name in n or n in name for n in names):
                names.append(name)
    return [InfoSource(name=n, role="agency", literal=_claim(sentence)) for n in names]


def _no_person(name: str) -> bool:
    """Quoted, all capitals, Latin among Cyrillic words, or a name that everybody knows."""
    bare = name.strip(" .,'’«»\"")
    return (
        bare.lower() in _WELL_KNOWN
        or name.startswith(("«", '"'))
        or (len(bare) > 2 and bare.isupper())
        or bool(re.search(r"-[А-ЯЁ]|\.[a-z]{2,4}$", bare))
    )


def _without_speech(sentence: str) -> str:
    """Long quotations are what people said; short ones may be the name of a paper."""
    return re.sub(r"“[^”]{41,}”|«[^»]{41,}»|\"[^\"]{41,}\"", " ", sentence)


def _looks_medial(name: str) -> bool:
    """Two capitalised words that report may be a person, unless they sound like a paper."""
    words = name.lower().split()
    return name.lower() in _WELL_KNOWN or any(w in _MEDIAL for w in words) or name.isupper()


def _recordings(sentence: str) -> list[InfoSource]:
    sources = []
    for match in _RECORDING.finditer(sentence):
        what = (match["what"] or match["ru"] or "").strip()
        if what.lower() in {"video", "audio", "voice", "telephone", "phone", "sound"}:
            continue
        name = what[:1].upper() + what[1:]
        if match["ru"]:
            name = _nominative(name)
        sources.append(InfoSource(name=name, role="recording", literal=_claim(sentence)))
    return sources


def _nominative(name: str) -> str:
    """``видеообращении, опубликованном в среду`` → ``Видеообращение``."""
    first = re.split(r",| (?:опубликован|размещ|распростран)", name)[0]
    for ending, plain in (
        ("обращении", "обращение"),
        ("сообщении", "сообщение"),
        ("ролике", "ролик"),
    ):
        first = first.removesuffix(ending) + plain if first.endswith(ending) else first
    return first.removesuffix("записи") + "запись" if first.endswith("записи") else first


def _claim(sentence: str) -> str:
    """What the source supports: the sentence, of a length that a list can show."""
    if len(sentence) <= 300:
        return sentence
    return sentence[:297].rsplit(" ", 1)[0] + " …"


def dateline(paragraph: str) -> tuple[str, str, str]:
    """Place, credited agency and the rest of a first paragraph; empty where it has no dateline.

    ``PORT OSTRAVA, Meridia (AP) — The harbour …`` or ``ПОРТ-ОСТРАВА, 3 ноября. /ТАСС/. …``.
    """
    found = re.match(
        r"(?P<place>[A-ZА-ЯЁ][A-ZА-ЯЁ’'. -]{2,40}(?:, [A-ZА-ЯЁ][\w. ]{2,30})?)"
        r"(?:\s*\((?P<agency>[^)]{2,30})\)\s*(?:—|–|--?)|\s*(?:—|–|--))\s+(?=[\"“«A-ZА-ЯЁ])",
        paragraph,
    ) or re.match(
        r"(?P<place>[А-ЯЁ][А-ЯЁ -]{2,40}),[^/.]{3,30}[./]\s*/(?P<agency>[^/]{2,30})/\.?\s+",
        paragraph,
    )
    if not found:
        return "", "", paragraph
    return found["place"].strip(), (found["agency"] or "").strip(), paragraph[found.end() :]
