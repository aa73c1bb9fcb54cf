"""Subwords of a pretrained Hugging Face tokeniser."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from torch import Tensor

from ...errors import ConfigurationError
from ...interfaces import Processor
from .tokens import add_tokens, pad, token_lengths


class SubwordsProcessor(Processor):
    """Splits texts as a pretrained transformer expects them; nothing is learned from the training texts.

    Args:
        pretrained: folder of a saved model with its tokeniser, or its name on the Hugging Face hub.
        max_tokens: longer texts are truncated to so many tokens, special tokens included; at least 1.

    Raises:
        ConfigurationError: if transformers is not installed, or there is no tokeniser under that name.

    >>> SubwordsProcessor("path/to/model", max_tokens=128).provides()
    {'pretrained': 'path/to/model'}
    """

    modality: ClassVar[str] = "text"
    columns: ClassVar[tuple[str, ...]] = ("tokens",)

    def __init__(self, pretrained: str, max_tokens: int = 512):
        if max_tokens < 1:
            raise ConfigurationError(f"processor 'subwords': max_tokens must be at least 1, got {max_tokens}")
        self.pretrained = str(pretrained)
        self.max_tokens = max_tokens
        self._tokeniser: Any = None
        self._digest: str | None = None  # of the tokeniser that the run was trained with

    def fit(self, rows: Any) -> SubwordsProcessor:
        """Load the tokeniser."""
        self._load()
        return self

    def prepare(self, rows: Any) -> Any:
        """Add the column ``tokens``."""
        self._load()
        return add_tokens(rows, self._tokenise, settings=[self._digest, self.max_tokens])

    def collate(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        """``tokens`` (B, S) int64 and ``mask`` (B, S) boolean, padded at the end with the tokeniser's own padding."""
        return pad(rows, self._load().pad_token_id or 0)

    def length(self, rows: Any) -> list[int]:
        """Tokens of each prepared row."""
        return token_lengths(rows)

    def pieces(self, rows: Any) -> list[list[str]]:
        """The subwords of each row, special ones included."""
        return [self._load().convert_ids_to_tokens(tokens) for tokens in self._tokenise(list(rows["text"]))]

    def provides(self) -> dict[str, Any]:
        """``pretrained``: where the encoder finds its weights."""
        return {"pretrained": self.pretrained}

    def to_dict(self) -> dict[str, Any]:
        """A digest of the tokeniser, which recognises another one under the same name."""
        self._load()
        return {"digest": self._digest}

    def load_dict(self, content: dict[str, Any]) -> SubwordsProcessor:
        """Remember which tokeniser the run was trained with."""
        self._digest = content["digest"]
        return self

    def _tokenise(self, texts: list[str | None]) -> list[list[int]]:
        tokeniser = self._load()
        encoded = tokeniser([text or "" for text in texts], truncation=True, max_length=self.max_tokens, return_attention_mask=False)
        for_nothing = next(i for i in (tokeniser.unk_token_id, tokeniser.pad_token_id, 0) if i is not None)
        return [tokens or [for_nothing] for tokens in encoded["input_ids"]]

    def _load(self) -> Any:
        if self._tokeniser is not None:
            return self._tokeniser
        try:
            from transformers import AutoTokenizer
        except ImportError as error:
            raise ConfigurationError("processor 'subwords' needs transformers; pip install \"multihot[transformers]\"") from error
        try:
            tokeniser = AutoTokenizer.from_pretrained(self.pretrained, trust_remote_code=False)
        except (OSError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ConfigurationError(
                f"there is no tokeniser at '{self.pretrained}' ({reason}); give the folder of a saved model or its name on the hub"
            ) from error
        digest = _digest(tokeniser)
        if self._digest not in (None, digest):
            raise ConfigurationError(f"the tokeniser at '{self.pretrained}' is not the one this run was trained with; restore that one")
        self._tokeniser, self._digest = tokeniser, digest
        return tokeniser


def _digest(tokeniser: Any) -> str:
    """One key for everything the tokens follow from; taken before any call, because calls leave their settings in the tokeniser."""
    backend = getattr(tokeniser, "backend_tokenizer", None)
    content = backend.to_str() if backend is not None else repr(sorted(tokeniser.get_vocab().items()))
    return hashlib.sha256(content.encode()).hexdigest()
