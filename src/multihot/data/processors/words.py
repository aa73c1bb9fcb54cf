"""Words and punctuation marks as numbers, with a vocabulary of the training texts."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from ...errors import ConfigurationError
from ...interfaces import Processor
from ..cache import cache_root, keep, kept
from ..derived import content_key
from ..vocabulary import PADDING, WORD, Vocabulary, count_words, words_of
from .tokens import CHUNK, add_tokens, pad, token_lengths


class WordsProcessor(Processor):
    r"""Splits texts by the expression ``\w+(?:['\u2019]\w+)?|[^\w\s]``: words (with an inner apostrophe) and single punctuation marks.

    The vocabulary holds the most frequent words of the training texts, ties in alphabetical order; 0 is padding, 1 any unknown word.

    Args:
        max_words: the first words of a text that are read; at least 1.
        max_vocabulary: the most numbers in use, padding and unknown word included; at least 3.
        min_count: leave out words that occur less often in the training texts; at least 1.
        lowercase: write everything in lower case first.

    Raises:
        ConfigurationError: if a setting is out of range.

    >>> import datasets
    >>> rows = datasets.Dataset.from_dict({"text": ["Corn, corn and wheat", "corn"]})
    >>> processor = WordsProcessor().fit(rows)
    >>> processor.collate(list(processor.prepare(rows)))["tokens"].tolist()
    [[2, 3, 2, 4, 5], [2, 0, 0, 0, 0]]
    """

    modality: ClassVar[str] = "text"
    columns: ClassVar[tuple[str, ...]] = ("tokens",)

    def __init__(self, max_words: int = 500, max_vocabulary: int = 30_000, min_count: int = 1, lowercase: bool = True):
        for name, value, least in (("max_words", max_words, 1), ("max_vocabulary", max_vocabulary, 3), ("min_count", min_count, 1)):
            if value < least:
                raise ConfigurationError(f"processor 'words': {name} must be at least {least}, got {value}")
        self.max_words = max_words
        self.max_vocabulary = max_vocabulary
        self.min_count = min_count
        self.lowercase = lowercase
        self.vocabulary: Vocabulary | None = None

    def fit(self, rows: Any) -> WordsProcessor:
        """Choose the vocabulary; where the rows lie on disk it is kept in the cache, so that a second start reads no text."""
        settings = [WORD.pattern, self.max_words, self.max_vocabulary, self.min_count, self.lowercase]
        path = cache_root() / "vocabularies" / f"{content_key(rows, settings)}.json"
        if rows.cache_files and (content := kept(path)) is not None:
            self.vocabulary = Vocabulary(content["words"])
            return self
        texts = (text for chunk in rows.select_columns("text").iter(CHUNK) for text in chunk["text"])
        counts = count_words(texts, self.max_words, self.lowercase)
        self.vocabulary = Vocabulary.from_counts(counts, self.max_vocabulary, self.min_count)
        if rows.cache_files:
            keep(path, {"words": list(self.vocabulary.words)})
        return self

    def prepare(self, rows: Any) -> Any:
        """Add the column ``tokens``."""
        vocabulary = self._fitted()
        return add_tokens(
            rows,
            lambda texts: [vocabulary.encode(words_of(text, self.max_words, self.lowercase)) for text in texts],
            settings=[WORD.pattern, self.to_dict(), self.max_words, self.lowercase],
        )

    def collate(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        """``tokens`` (B, S) int64 and ``mask`` (B, S) boolean, padded at the end."""
        return pad(rows, PADDING)

    def length(self, rows: Any) -> list[int]:
        """Words of each prepared row."""
        return token_lengths(rows)

    def pieces(self, rows: Any) -> list[list[str]]:
        """The words of each row."""
        return [words_of(text, self.max_words, self.lowercase) for text in rows["text"]]

    def provides(self) -> dict[str, Any]:
        """``vocabulary_size``: the numbers in use, padding and unknown word included; ``vocabulary``: their words, "" for these two."""
        return {"vocabulary_size": len(self._fitted()), "vocabulary": ("", "", *self._fitted().words)}

    def to_dict(self) -> dict[str, Any]:
        """The words, in the order of their numbers."""
        return {"words": list(self._fitted().words)}

    def load_dict(self, content: dict[str, Any]) -> WordsProcessor:
        """Take back the words."""
        self.vocabulary = Vocabulary(content["words"])
        return self

    def _fitted(self) -> Vocabulary:
        if self.vocabulary is None:
            raise ConfigurationError("processor 'words' has no vocabulary yet; call fit with the training rows first")
        return self.vocabulary
