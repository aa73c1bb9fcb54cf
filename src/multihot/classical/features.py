"""Rows of a data set as one feature matrix: words weighted by TF-IDF, given features, or pixels."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from ..errors import ConfigurationError, DataError
from .base import Features

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

CHUNK = 1000  # rows read together
WORDS = r"(?u)\b[^\W\d_]\w+\b"  # two characters or more, the first a letter


class FeatureMaker(ABC):
    """Learns from the training rows how rows become features; saved with the run as plain JSON values."""

    remark: str = ""  # what fitting took for granted, in a line for people

    @abstractmethod
    def fit_transform(self, rows: Any) -> Features:
        """Learn from the training rows (a ``datasets.Dataset``) and give their features (N, F)."""

    @abstractmethod
    def transform(self, rows: Any) -> Features:
        """Features (N, F) of any rows."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """What was learned."""

    @abstractmethod
    def load_dict(self, content: dict[str, Any]) -> FeatureMaker:
        """Take back what ``to_dict`` gave. Returns self."""


class TextFeatures(FeatureMaker):
    """Words weighted by ``tf * (1 + ln((1 + N) / (1 + df)))``, every text scaled to length 1.

    The settings that cross-validation on the training part of Reuters-21578 prefers (``docs/classical.md``): words that begin with a
    letter and occur in two texts, without English stop words.

    Args:
        min_count: training texts that a word must occur in, at least 1.
        stop_words: ``"english"`` leaves out English function words, a list any others, None none.
        words: regular expression of what counts as a word.
        longest_phrase: phrases of up to so many words count as words, at least 1.
        sublinear: weigh a word's frequency as ``1 + ln tf``.
        first_line: so many times more the words of a text's first line count, which in news is the headline; from 0 on.

    >>> import datasets
    >>> rows = datasets.Dataset.from_dict({"text": ["wheat and corn", "wheat, and more wheat"]})
    >>> TextFeatures().fit_transform(rows).toarray().tolist()
    [[1.0], [1.0]]
    """

    def __init__(
        self,
        min_count: int = 2,
        stop_words: str | list[str] | None = "english",
        words: str = WORDS,
        longest_phrase: int = 1,
        sublinear: bool = False,
        first_line: int = 0,
    ):
        for name, value in {"min_count": min_count, "longest_phrase": longest_phrase}.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigurationError(f"features: {name} must be a whole number from 1 on, got {value!r}")
        if not isinstance(sublinear, bool):
            raise ConfigurationError(f"features: sublinear must be true or false, got {sublinear!r}")
        try:
            re.compile(words)
        except (TypeError, re.error) as error:
            raise ConfigurationError(f"features: words must be a regular expression, got {words!r} ({error})") from None
        if isinstance(first_line, bool) or not isinstance(first_line, int) or first_line < 0:
            raise ConfigurationError(f"features: first_line must be a whole number from 0 on, got {first_line!r}")
        listed = isinstance(stop_words, list) and all(isinstance(word, str) for word in stop_words)
        if stop_words not in (None, "english") and not listed:
            raise ConfigurationError(f"features: stop_words must be 'english', a list of words, or null, got {stop_words!r}")
        self.settings = {"stop_words": stop_words, "token_pattern": words, "ngram_range": (1, longest_phrase), "sublinear_tf": sublinear}
        self.min_count = min_count
        self.first_line = first_line
        self.vectorizer: TfidfVectorizer | None = None

    def fit_transform(self, rows: Any) -> Features:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.vectorizer = TfidfVectorizer(min_df=self.min_count, **self.settings)
        try:
            return self.vectorizer.fit_transform(self._texts(rows))
        except ValueError as error:
            raise DataError(
                f"no word occurs in {self.min_count} of the {len(rows)} training texts ({error}); "
                "give more texts, or set method.features.min_count=1"
            ) from error

    def transform(self, rows: Any) -> Features:
        return self._fitted().transform(self._texts(rows))

    def to_dict(self) -> dict[str, Any]:
        vectorizer = self._fitted()
        return {"words": vectorizer.get_feature_names_out().tolist(), "idf": vectorizer.idf_.tolist()}

    def load_dict(self, content: dict[str, Any]) -> TextFeatures:
        from sklearn.feature_extraction.text import TfidfVectorizer

        words, idf = content["words"], np.asarray(content["idf"], dtype=np.float64)
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ValueError("the words of the features are no list of strings")
        if idf.shape != (len(words),) or not np.isfinite(idf).all():
            raise ValueError(f"{idf.size} weights for {len(words)} words")
        self.vectorizer = TfidfVectorizer(vocabulary=words, **self.settings)
        self.vectorizer.idf_ = idf
        return self

    def _texts(self, rows: Any) -> Iterator[str]:
        for chunk in _chunks(rows, ["text"]):
            for row in chunk:
                text = row["text"] or ""
                first, _, _ = text.partition("\n")
                yield f"{first}\n" * self.first_line + text

    def _fitted(self) -> TfidfVectorizer:
        if self.vectorizer is None:
            raise ConfigurationError("TextFeatures has no vocabulary yet; call fit_transform with the training rows first")
        return self.vectorizer


class TableFeatures(FeatureMaker):
    """The given features, scaled as ``multihot.data.processors.TableProcessor`` does; sparse rows stay sparse.

    Args:
        standardise: scale the features, or take them as they are.
        missing: ``"error"`` refuses a dense feature that is not a number, ``"mean"`` fills in the training mean.
        num_features: F, where the data set states it.
    """

    def __init__(self, standardise: bool = True, missing: str = "error", num_features: int | None = None):
        from ..data.processors import TableProcessor

        self.processor = TableProcessor(standardise, missing, num_features)

    def fit_transform(self, rows: Any) -> Features:
        self.processor.fit(rows)
        return self.transform(rows)

    def transform(self, rows: Any) -> Features:
        width = self.processor.provides()["num_features"]
        self.processor.prepare(rows)  # refuses unusable rows by their ids
        parts = []
        for chunk in _chunks(rows, [name for name in ("id", *self.processor.columns) if name in rows.column_names]):
            inputs = {name: tensor.numpy() for name, tensor in self.processor.collate(chunk).items()}
            if "features" in inputs:
                parts.append(inputs["features"])
                continue
            row, place = np.nonzero(inputs["values"])
            entries = (inputs["values"][row, place], (row, inputs["indices"][row, place]))
            parts.append(sparse.csr_matrix(entries, shape=(len(chunk), width)))
        return sparse.csr_matrix(sparse.vstack(parts)) if sparse.issparse(parts[0]) else np.concatenate(parts)

    def to_dict(self) -> dict[str, Any]:
        return self.processor.to_dict()

    def load_dict(self, content: dict[str, Any]) -> TableFeatures:
        self.processor.load_dict(content)
        return self


class ImageFeatures(FeatureMaker):
    """The pixels of every picture in one row, in [0, 1].

    Args:
        size: height and width that every picture is stretched to; None keeps pictures that all have one size of at most 64 pixels, and
            stretches others to 32 x 32, for every pixel is a feature.
    """

    def __init__(self, size: int | tuple[int, int] | None = None):
        from ..data.processors import ImageProcessor

        self.processor = ImageProcessor(size, usual_size=32, largest_kept=64)

    def fit_transform(self, rows: Any) -> Features:
        self.remark = self.processor.fit(rows).remark.replace("method.processor", "method.features")
        return self.transform(rows)

    def transform(self, rows: Any) -> Features:
        chunks = _chunks(rows, [name for name in ("id", "image") if name in rows.column_names])
        return np.concatenate([self.processor.collate(chunk)["image"].flatten(1).numpy() for chunk in chunks])

    def to_dict(self) -> dict[str, Any]:
        return self.processor.to_dict()

    def load_dict(self, content: dict[str, Any]) -> ImageFeatures:
        self.processor.load_dict(content)
        return self


class AudioFeatures(FeatureMaker):
    """The mean and the standard deviation of every feature over a recording's frames, 2 F in one row.

    Args:
        num_features: F, where the data set states it.
    """

    def __init__(self, num_features: int | None = None):
        from ..data.processors import AudioProcessor

        self.processor = AudioProcessor(num_features=num_features)

    def fit_transform(self, rows: Any) -> Features:
        self.processor.fit(rows)
        return self.transform(rows)

    def transform(self, rows: Any) -> Features:
        parts = []
        for chunk in _chunks(self.processor.prepare(rows), ["id", "frames", "num_frames"]):
            inputs = {name: tensor.numpy() for name, tensor in self.processor.collate(chunk).items()}
            weights = (inputs["mask"] / inputs["mask"].sum(axis=1, keepdims=True))[..., None]
            mean = (inputs["frames"] * weights).sum(axis=1, keepdims=True)
            spread = np.sqrt((weights * (inputs["frames"] - mean) ** 2).sum(axis=1))
            parts.append(np.concatenate([mean[:, 0], spread], axis=1).astype(np.float32))
        return np.concatenate(parts)

    def to_dict(self) -> dict[str, Any]:
        return self.processor.to_dict()

    def load_dict(self, content: dict[str, Any]) -> AudioFeatures:
        self.processor.load_dict(content)
        return self


FEATURES: dict[str, type[FeatureMaker]] = {"text": TextFeatures, "table": TableFeatures, "image": ImageFeatures, "audio": AudioFeatures}


def _chunks(rows: Any, columns: list[str]) -> Iterator[list[dict[str, Any]]]:
    """Some rows at a time, so that a large file is never in memory as Python objects."""
    read = rows.select_columns(columns).with_format("numpy") if "text" not in columns else rows.select_columns(columns)
    for batch in read.iter(CHUNK):
        yield [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
