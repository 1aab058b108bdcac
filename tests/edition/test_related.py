# SPDX-License-Identifier: AGPL-3.0-or-later
"""“Read more” leads to what belongs to the story, and only to what is published."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.edition.papers import SITE, built, make_story, uri_of


def chosen(folder: Path, stories: list, story: object) -> list[str]:  # type: ignore[type-arg]  # stories of any kind
    return [card.uri for card in built(folder, stories).related(story, SITE)]  # type: ignore[arg-type]


def test_what_shares_more_comes_first_then_what_is_near_in_time(quick: Path) -> None:
    stories = [
        make_story(1, topics=("ice",), people=()),
        make_story(2, topics=("ice",), people=()),
        make_story(3, topics=("ice", "ships"), people=()),
        make_story(4, topics=("bread",), people=()),
        make_story(5, topics=(), people=(), series=("winter",)),
    ]
    story = make_story(9, topics=("ice", "ships"), people=(), series=("winter",))
    assert chosen(quick, stories, story) == [uri_of(5), uri_of(3), uri_of(2), uri_of(1)]


def test_never_itself_another_language_or_what_is_withdrawn(quick: Path) -> None:
    stories = [make_story(1), make_story(2, language="ru"), make_story(3, withdrawn=True)]
    assert chosen(quick, stories, make_story(1)) == []
    assert chosen(quick, stories, make_story(9)) == [uri_of(1)]


def test_no_story_is_linked_to_from_everywhere(quick: Path) -> None:
    stories = [make_story(0, topics=("ice",), people=())]
    stories += [make_story(n, topics=(), people=(), related=[uri_of(0)]) for n in range(1, 21)]
    assert chosen(quick, stories, make_story(30, topics=("ice",), people=())) == []
    fewer = stories[:-1]
    found = chosen(quick / "fewer", fewer, make_story(30, topics=("ice",), people=()))
    assert found == [uri_of(0)]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(st.sampled_from(["x", "y", "z"]), st.booleans(), st.sampled_from(["en", "ru"])),
        max_size=12,
    )
)
def test_only_published_stories_that_share_something(
    tmp_path_factory: object, shapes: list[tuple[str, bool, str]]
) -> None:
    folder = tmp_path_factory.mktemp("paper")  # type: ignore[attr-defined]  # pytest's own factory
    stories = [
        make_story(n, topics=(topic,), people=(), withdrawn=withdrawn, language=language)
        for n, (topic, withdrawn, language) in enumerate(shapes)
    ]
    found = set(chosen(folder, stories, make_story(50, topics=("x",), people=())))
    right = {
        uri_of(n)
        for n, (topic, withdrawn, language) in enumerate(shapes)
        if topic == "x" and not withdrawn and language == "en"
    }
    assert found <= right
    assert len(found) == min(len(right), SITE.read_more)
