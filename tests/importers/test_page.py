# SPDX-License-Identifier: AGPL-3.0-or-later
"""A saved page comes out as the article alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tamizdat.edition.body import plain
from tamizdat.importers import Taken, open_importer
from tamizdat.importers.page.sources import find
from tests.importers.samples import PAGES, SHARED


def page(path: Path) -> Taken:
    results = list(open_importer(path, "page"))
    assert len(results) == 1
    assert isinstance(results[0], Taken)
    return results[0]


def everything(taken: Taken) -> str:
    """All words that a reader could see."""
    story = taken.story
    captions = [d.value for a in story.associations for d in a.descriptions]
    return "\n".join(
        [story.headline, story.kicker, story.standfirst, plain(story.body_html), *captions]
    )


# file, headline, byline, date, first and last words of the body, sources, words that must be gone
CASES = [
    (
        "harbour.txt",
        "Harbour pilots of Port Ostrava walk out over unpaid night shifts",
        "Ines Marrow, Tomas Quill",
        "2025-11-03",
        ("The harbour pilots of Port Ostrava", "the government of the day fell."),
        [("agency", "Northern Wire"), ("recording", "Video message posted by the union on Monday")],
        ["Give today", "Dear reader", "coffee", "Share", "lighthouse", "$5", "Privacy", "Menu"],
    ),
    (
        "dozhd.txt",
        "В Заречье третий день нет воды: насосная станция остановлена",
        "Вера Полынова",
        "2025-11-12",
        ("Жители левого берега", "ремонт станции откладывали трижды."),
        [
            ("agency", "Северный телеграф"),
            ("recording", "Видеообращение"),
            ("agency", "Заречные вести"),
        ],
        ["Поддержите", "рассылк", "Дорогие", "нежелательной", "Разово", "больницу", "₽"],
    ),
    (
        "plain-letter.txt",
        "Glass from the old observatory is sold as souvenirs",
        "",
        "",
        ("Workers who were sent", "lists more than nine hundred."),
        [("agency", "Mountain Courier")],
        [],
    ),
    (
        "columnist.txt",
        "Why we stopped counting the buses",
        "Mirela Stone",
        "2024-10-09",
        ("When I moved to Kessel", "he enjoyed the walk."),
        [],
        ["Subscribe", "soups", "Weekend Letter", "Donate", "$3"],
    ),
    (
        "observatory.html",
        "Bridge at Tell reopens after nine years",
        "Oda Kern, Jakub Lind",
        "2025-06-14",
        ("The bridge at Tell opened", "to a dinner in its middle."),
        [("agency", "Border Dispatch")],
        ["Support the Echo", "newsletter", "Dear readers", "ferryman", "Copy link", "©", "Skip to"],
    ),
    (
        "rayon.html",
        "Школу в Верхних Ключах закрыли посреди учебного года",
        "Ольга Ветрова",
        "2025-01-21",
        ("Единственную школу", "согласились двое из одиннадцати."),
        [("agency", "Степь-Информ")],
        ["cookie", "Читайте также", "телеграм", "Дорогие", "300", "Все права"],
    ),
    (
        "bare.html",
        "Snow closes the pass at Orm for the third week",
        "Hanne Ruud",
        "",
        ("The pass at Orm stayed closed", "if the wind drops."),
        [("agency", "Fjell Tidings")],
        ["ARCHIVE", "SUBSCRIBE", "cheques", "Back to top"],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[c[0] for c in CASES])
def test_the_article_is_found_and_the_furniture_is_gone(case: tuple[object, ...]) -> None:
    name, headline, byline, date, (first, last), sources, gone = case  # type: ignore[misc]
    taken = page(PAGES / str(name))
    story = taken.story
    body = plain(story.body_html)
    assert story.headline == headline
    assert (story.by or "") == byline
    assert (story.first_created or "")[:10] == date
    assert body.startswith(str(first))
    assert body.endswith(str(last))
    assert [(s.role, s.name) for s in story.info_sources] == sources
    for words in gone:
        assert str(words) not in everything(taken)


def test_captions_and_credits_are_with_their_photos() -> None:
    photo = page(PAGES / "harbour.txt").story.lead_photo
    assert photo is not None
    assert photo.by == "Lena Voss / Lantern Post"
    assert photo.descriptions[0].value.startswith("Pilots stand on the quay")
    taken = page(PAGES / "observatory.html")
    assert taken.photos[0].path == PAGES / "observatory_files" / "bridge.png"
    assert taken.photos[0].credit == "Sol Adair / Echo"


def test_a_label_between_paragraphs_does_not_end_the_article(tmp_path: Path) -> None:
    lines = [
        "Sign in",
        "Ministry denies that wells were poisoned",
        "The environment ministry on Tuesday denied that wells near the town of Tarn had been "
        "poisoned by a fertiliser plant, a day after two laboratories published their results.",
        "Residents say the water has smelled of ammonia since January. “We wash the baby with "
        "bottled water,” said Tor Amundsen, who lives two streets from the plant.",
        "Advertisement",
        "In a statement, the company said that it was cooperating fully.",
        "Share on Facebook",
        "More from World",
        "We rely on readers like you. Please consider a contribution, even a small one.",
    ]
    path = tmp_path / "page.txt"
    path.write_text("\n".join(lines))
    taken = page(path)
    assert taken.story.headline == lines[1]
    assert plain(taken.story.body_html).split("\n") == [lines[2], lines[3], lines[5]]


def test_a_text_without_a_headline_takes_its_first_sentence(tmp_path: Path) -> None:
    path = tmp_path / "page.txt"
    path.write_text(
        "Donate\n\nORLENZ (FW) - A court jailed three fishermen on Thursday, their lawyer said. "
        "They deny it.\n\nThe border has been disputed since a storm moved the sandbank.\n"
    )
    story = page(path).story
    assert story.headline == "A court jailed three fishermen on Thursday, their lawyer said"
    assert story.located == "Orlenz"
    assert [s.name for s in story.info_sources] == ["FW"]


def test_lists_and_headings_of_a_text_stay() -> None:
    html = page(PAGES / "harbour.txt").story.body_html
    assert "<h2>What happens to the ships</h2>" in html
    assert "<ul><li>Tankers are sent on to Kessel.</li><li>Ferries sail as usual.</li></ul>" in html


def test_the_dateline_stands_apart() -> None:
    assert page(PAGES / "harbour.txt").story.located == "Port Ostrava"


SENTENCES = [
    ("The dam broke at dawn, the news agency Fenwire reported Monday.", [("agency", "Fenwire")]),
    ("According to the newspaper Daily Lark, it rained.", [("agency", "Daily Lark")]),
    ("The bank is closed, Reuters reported.", [("agency", "Reuters")]),
    ("Об этом сообщило агентство «Север».", [("agency", "Север")]),
    ("Суд прошёл быстро, передает ТАСС.", [("agency", "ТАСС")]),
    (
        "He confessed in an audio recording published online.",
        [("recording", "Audio recording published online")],
    ),
    ("Вода спала, сообщил ТАСС.", [("agency", "ТАСС")]),
    ("«Вода спала», — сообщает Иван Петров.", []),
    ("Об этом стало известно со ссылкой на Петрова.", []),
    ("“It rained,” Anna Smith said.", []),
    ("Maria Voss reported for duty on Tuesday.", []),
    ("The police reported three arrests.", []),
]


@pytest.mark.parametrize(("sentence", "wanted"), SENTENCES)
def test_who_reported_it_is_told_and_people_are_not(
    sentence: str, wanted: list[tuple[str, str]]
) -> None:
    found = find([sentence])
    assert [(s.role, s.name) for s in found] == wanted
    assert all(s.literal == sentence for s in found)


def test_the_shared_page_is_the_article_alone() -> None:
    path = SHARED / "page" / "saved-page.txt"
    if not path.exists():
        pytest.skip("the shared saved page is not beside the checkout")
    source = path.read_text()
    taken = page(path)
    story = taken.story
    paragraphs = [p for p in source.split("\n\n") if p.strip()]
    assert story.headline == paragraphs[1].strip()
    assert [d.value for a in story.associations for d in a.descriptions] == [paragraphs[2].strip()]
    assert plain(story.body_html).split("\n") == [p.strip() for p in paragraphs[3:9]]
    assert {(s.role, s.name) for s in story.info_sources} == {
        ("agency", "Reuters"),
        ("recording", "Audio recording published on the Internet on Sunday"),
    }
    assert all(s.literal for s in story.info_sources)


def test_a_folder_of_pages_is_read_in_order() -> None:
    results = list(open_importer(PAGES))
    assert len(results) == len([p for p in PAGES.iterdir() if p.suffix in {".txt", ".html"}])
