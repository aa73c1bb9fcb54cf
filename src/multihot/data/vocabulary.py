"""Words, and the numbers that stand for them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

PADDING, UNKNOWN = 0, 1

# A run of letters, digits and underscores, with an apostrophe, straight or curved, inside it ("don't"); or one punctuation mark.
WORD = re.compile(r"\w+(?:['\u2019]\w+)?|[^\w\s]")


def words_of(text: str | None, max_words: int, lowercase: bool = True) -> list[str]:
    """The first words and punctuation marks of a text.

    >>> words_of("Wheat isn't corn.", max_words=10)
    ['wheat', "isn't", 'corn', '.']
    """
    text = text or ""
    return WORD.findall(text.lower() if lowercase else text)[:max_words]


class Vocabulary:
    """Words by number: 0 is padding, 1 any unknown word, and known words follow from the most frequent one.

    Args:
        words: the known words, in the order of their numbers (from 2 on).

    >>> vocabulary = Vocabulary.from_counts({"corn": 3, "wheat": 5, "rye": 3, "oat": 1}, max_size=5, min_count=2)
    >>> vocabulary.words, vocabulary.encode(["rye", "millet", "wheat"])
    (('wheat', 'corn', 'rye'), [4, 1, 2])
    """

    def __init__(self, words: Sequence[str]):
        self.words = tuple(words)
        self._number = {word: i for i, word in enumerate(self.words, start=UNKNOWN + 1)}

    def __len__(self) -> int:
        """Numbers in use, those of padding and of the unknown word included."""
        return len(self.words) + UNKNOWN + 1

    @classmethod
    def from_counts(cls, counts: dict[str, int], max_size: int, min_count: int = 1) -> Vocabulary:
        """The most frequent words; equally frequent ones in alphabetical order.

        Args:
            counts: word -> how often it occurs in the training texts.
            max_size: the most numbers in use, those of padding and of the unknown word included.
            min_count: leave out rarer words.
        """
        kept = sorted((word for word, count in counts.items() if count >= min_count), key=lambda word: (-counts[word], word))
        return cls(kept[: max_size - UNKNOWN - 1])

    def encode(self, words: Iterable[str]) -> list[int]:
        """The words' numbers; a text without any word is one unknown word."""
        number = self._number
        return [number.get(word, UNKNOWN) for word in words] or [UNKNOWN]


def count_words(texts: Iterable[str | None], max_words: int, lowercase: bool = True) -> Counter[str]:
    """How often each word occurs among the first words of the texts."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(words_of(text, max_words, lowercase))
    return counts
