"""The errors multihot raises on purpose: each message is one line that says what was given, where, and how to mend it."""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Iterable

LONGEST = 1500  # characters of a message
# what steers a terminal (controls of both kinds, deletion), reorders what is read (directions), or cannot be written (lone surrogates)
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    r"""Text for a person's eyes: characters that are none, and that could steer a terminal, stand as their codes; tabs and line ends stay.

    >>> print(visible("a label\x1b]0;a title\x07"))
    a label\x1b]0;a title\x07
    """
    return UNSEEN.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


class MultihotError(Exception):
    """Anything the user can mend; the command line prints its message and exits with code 2.

    Args:
        message: becomes one line, shortened in the middle where a file's content made it endless.

    >>> str(MultihotError("x.csv: line 3:\\n  broken"))
    'x.csv: line 3: broken'
    """

    def __init__(self, message: object = ""):
        line = " ".join(str(message).split())
        if line.startswith("Caught ") and " DataLoader worker" in line:  # the traceback of a process that prepares batches
            line = line.partition("multihot.errors.DataError: ")[2] or line
        line = visible(line)
        super().__init__(line if len(line) <= LONGEST else f"{line[: LONGEST - 300]} ... {line[-300:]}")


class MultihotWarning(UserWarning):
    """Something that goes on as it was asked for, and hardly means what its user thinks."""


def warn(message: str) -> None:
    """Say something that a user should know before believing a figure: a ``MultihotWarning``, which the command line prints as a line."""
    warnings.warn(MultihotWarning(visible(message)), stacklevel=2)


class ConfigurationError(MultihotError, ValueError):
    """A setting, a component name or a combination of components that cannot work."""


class DataError(MultihotError, ValueError):
    """A file, a row or a column that is not what was said to be there."""


class NotANumberError(MultihotError, ValueError):
    """Logits that hold NaN: the network or its inputs broke before the loss saw them."""


class RunError(MultihotError):
    """A run folder that is missing, incomplete or altered."""


def nearest(name: str, choices: Iterable[str], shown_by: str = "") -> str:
    """Say which of the choices were probably meant, up to three: those that are near, or hold the name; else all, or what shows them.

    >>> nearest("asymetric", ["asymmetric", "focal"])
    "did you mean 'asymmetric'?"
    >>> nearest("SVM", ["linear-svm", "logistic"])
    "did you mean 'linear-svm'?"
    >>> nearest("x", ["asymmetric", "focal"])
    'Choices: asymmetric, focal'
    >>> nearest("yeats", ["mulan/yeast", "mulan/flags"], shown_by="multihot data list")
    "did you mean 'mulan/yeast'? `multihot data list` shows all"
    """
    names = sorted(str(choice) for choice in choices)
    given = name.lower()
    whole = {choice.rpartition("/")[2].lower(): choice for choice in names} | {choice.lower(): choice for choice in names}
    close = difflib.get_close_matches(given, whole, n=3, cutoff=0.6) or [near for near in whole if len(given) > 1 and given in near][:3]
    meant = " or ".join(f"'{choice}'" for choice in dict.fromkeys(whole[near] for near in close))
    if shown_by:
        rest = f"`{shown_by}` shows all"
        return f"did you mean {meant}? {rest}" if meant else rest
    return f"did you mean {meant}?" if meant else f"Choices: {', '.join(names) or 'none'}"


def completed(name: str, choices: Iterable[str]) -> list[str]:
    """The choices that a name may stand for: itself, or else those that end so behind a slash.

    >>> completed("yeast", ["mulan/yeast", "ldl-yeast-alpha", "mulan/flags"])
    ['mulan/yeast']
    """
    names = list(choices)
    return [name] if name in names else [choice for choice in names if choice.endswith(f"/{name}")]
