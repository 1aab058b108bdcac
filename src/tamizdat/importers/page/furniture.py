# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tells the article from what stands around it, block by block.

Each block gets a score from its features (words of furniture, orders to the reader, labels, first
and second person outside quotations, prose, attributions); then the most likely sequence of
article and furniture is found over the whole page (Viterbi, two states), so that a paragraph is
judged with its neighbours. Pure functions; nothing here knows a particular site.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tamizdat.importers.page.vocabulary import (
    ATTRIBUTED,
    CAPTION,
    CREDIT,
    FURNITURE,
    IMPERATIVE,
    LABELS,
    QUOTED,
    WE,
    YOU,
)

INTO_FURNITURE = 2.0
INTO_ARTICLE = 2.0
LONE = 1.0
_SENTENCE = re.compile(r"[.!?…][”»\"')]*(?:\s|$)")
_END = re.compile(r"[.!?…:;][”»\"')]*\s*$")
_I = re.compile(r"\b(?:I|[Яя]|мне|меня)\b")
_META = re.compile(r"^\W*(?:by|автор|текст)\b|\b(?:19|20)\d\d\b", re.IGNORECASE)
_WORD = re.compile(r"\w+(?:[’'-]\w+)*")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or line of a page. ``heading``: the page's markup says that it is one."""

    text: str
    heading: bool = False

    @property
    def words(self) -> int:
        return len(_WORD.findall(self.text))

    @property
    def sentences(self) -> int:
        return len(_SENTENCE.findall(self.text))

    @property
    def prose(self) -> bool:
        """Running text: enough words, and a sentence that ends."""
        return self.words >= 12 and self.sentences >= 1

    @property
    def closed(self) -> bool:
        return bool(_END.search(self.text))


def furniture(block: Block) -> float:
    """How much speaks for furniture: above 0 more likely than not."""
    own = QUOTED.sub(" ", block.text)
    words = max(1, block.words)
    score = named = sum(weight for pattern, weight in FURNITURE if pattern.search(own))
    if LABELS.match(block.text):
        score += 2.6
    elif words <= 4 and not block.heading and not _META.search(block.text):
        score += 0.5
    if IMPERATIVE.match(own):
        score += 1.6 if words <= 14 else 0.8
    if words <= 12 and own.rstrip().endswith("!"):
        score += 0.6
    persons = min(2.4, 0.7 * len(WE.findall(own))) + min(1.8, 0.6 * len(YOU.findall(own)))
    few = len(WE.findall(own)) < max(2, block.sentences)
    columnist = not named and (few or bool(_I.search(own)))
    score += min(0.9, persons) if columnist else persons
    if block.prose:
        score -= 1.0 + min(1.5, words / 40)
        score -= min(2.0, 0.8 * len(ATTRIBUTED.findall(block.text)))
        score -= 0.5 if QUOTED.search(block.text) else 0.0
    elif words >= 8 and block.closed:
        score -= 0.5 + min(1.0, 0.8 * len(ATTRIBUTED.findall(block.text)))
    return score


def article_blocks(blocks: Sequence[Block]) -> list[bool]:
    """For each block whether it belongs to the article: the likeliest sequence."""
    scores = [furniture(block) for block in blocks]
    short = [_is_short(b, s) for b, s in zip(blocks, scores, strict=True)]
    path = _likeliest([_eased(i, scores, short) for i in range(len(scores))])
    return [inside and not label for inside, label in zip(path, short, strict=True)]


def _eased(index: int, scores: list[float], short: list[bool]) -> float:
    """A label alone between two paragraphs does not end the article; several in a row may."""
    beside = short[max(0, index - 1) : index] + short[index + 1 : index + 2]
    return LONE if short[index] and not any(beside) else scores[index]


def _likeliest(scores: list[float]) -> list[bool]:
    """Viterbi over two states, article (True) and furniture, by the cost of each score."""
    article = other = 0.0
    came: list[tuple[bool, bool]] = []
    for score in scores:
        stay_in, enter = article, other + INTO_ARTICLE
        stay_out, leave = other, article + INTO_FURNITURE
        came.append((stay_in <= enter, leave < stay_out))
        article = min(stay_in, enter) + max(0.0, score)
        other = min(stay_out, leave) + max(0.0, -score) + (0.05 if score == 0 else 0.0)
    state = article <= other
    path: list[bool] = []
    for from_article, left_article in reversed(came):
        path.append(state)
        state = from_article if state else left_article
    return path[::-1]


def _is_short(block: Block, score: float) -> bool:
    """A short line that is surely furniture, wherever it stands: “Advertisement”."""
    return score >= 1.8 and block.words <= 5 and not block.heading


def caption_score(block: Block) -> float:
    """How much speaks for a photo's caption: from 2 on it is taken as one."""
    if block.words > 70 or block.sentences > 4:
        return 0.0
    return sum(weight for pattern, weight in CAPTION if pattern.search(block.text))


def split_credit(caption: str) -> tuple[str, str]:
    """The caption and who made the photo, where the caption names them."""
    found = CREDIT.search(caption)
    if not found:
        return caption.strip(), ""
    credit = (found["after"] or found["slash"] or "").strip(" .()")
    return caption[: found.start()].strip(), credit
