# SPDX-License-Identifier: AGPL-3.0-or-later
"""Invented words that compress as prose does: a vocabulary with a natural distribution.

What always holds: equal seeds give equal words. A long run of words is drawn once (Zipf's law);
every text is a stretch of it cut into sentences, so that making text costs next to nothing.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass

VOCABULARY = 9_000
RUN = 1_000_003
_LENGTHS = (9, 14, 11, 17, 7, 22, 12, 15)

# Openings, vowels and ends of syllables; what stands twice is twice as frequent.
_SYLLABLES = {
    "en": (
        "b c ch d dr f g h j k l m n p pl r s sh st t th tr v w y",
        "a a e e i o u ea ou",
        "n r s l t m d ng st",
    ),
    "ru": (
        "б в вл г гр д ж з к л м н п пр р с ст т тр ф х ч ш",
        "а е и о у ы я ю ё",
        "н р с л т м в й ть х",
    ),
}


@dataclass(frozen=True)
class Words:
    """The words of one language. ``text`` and ``phrase`` take any whole number as their place."""

    language: str
    vocabulary: tuple[str, ...]
    drawn: tuple[str, ...]

    @classmethod
    def invent(cls, language: str, seed: int) -> Words:
        rng = random.Random(f"{language} {seed}")
        words: dict[str, None] = {}
        while len(words) < VOCABULARY:
            # Frequent words are short, as in every language.
            rank = len(words)
            syllables = 1 if rank < 120 else rng.choice((1, 2) if rank < 900 else (2, 2, 2, 3))
            words["".join(_syllable(rng, language) for _ in range(syllables))] = None
        vocabulary = tuple(words)
        weights = [1 / (rank + 2.7) for rank in range(VOCABULARY)]
        total = list(itertools.accumulate(weights))
        return cls(language, vocabulary, tuple(rng.choices(vocabulary, cum_weights=total, k=RUN)))

    def run(self, place: int, count: int) -> list[str]:
        start = place * 7919 % (RUN - count)
        return list(self.drawn[start : start + count])

    def phrase(self, place: int, count: int) -> str:
        """Words with a capital letter and no full stop: a headline."""
        return _capital(" ".join(self.run(place, count)))

    def text(self, place: int, count: int) -> str:
        """Sentences with commas and full stops, of this many words."""
        words, sentences, done, turn = self.run(place, count), [], 0, place
        while done < count:
            turn += 1
            length = min(_LENGTHS[turn % len(_LENGTHS)], count - done)
            part = words[done : done + length]
            if length > 10:
                part[length // 2] += ","
            sentences.append(_capital(" ".join(part)) + ".")
            done += length
        return " ".join(sentences)

    def name(self, place: int) -> str:
        """A rare word with a capital letter, each place another one."""
        return _capital(self.vocabulary[2000 + place % (VOCABULARY - 2000)])


def _syllable(rng: random.Random, language: str) -> str:
    opening, vowel, end = (part.split() for part in _SYLLABLES[language])
    return rng.choice(opening) + rng.choice(vowel) + rng.choice(["", "", "", "", *end])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
