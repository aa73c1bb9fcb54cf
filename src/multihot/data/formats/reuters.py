"""Reuters-21578: the SGML files as released, cut to R(90), and the ApteMod folder as NLTK ships it."""

from __future__ import annotations

import html
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from .limits import check_unpacked
from .opening import BROKEN, check_exists, text_lines
from .reading import Options, Reading, Row, at_line, distinct

SPLIT = re.compile(r'LEWISSPLIT="(TRAIN|TEST)"')
NUMBER = re.compile(r'NEWID="(\d+)"')
FILLER = "Blah blah blah."  # what stands for the body in stories that are a headline only
ABSURD = re.compile(r"&#\d{8,};?")  # characters that no one has numbered
CONTROL = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])


def read_reuters_sgml(path: Path, options: Options) -> Reading:
    """Read the 22 SGML files (a folder, or the released tar.gz) and make the R(90) cut.

    Training stories are those with LEWISSPLIT=TRAIN and TOPICS=YES, test stories those with LEWISSPLIT=TEST and TOPICS=YES; the
    labels are the topics that occur in both (90); stories without any of them are left out.

    Raises:
        DataError: if there is no SGML file, or one is cut short.
    """
    stories = [story for name, content in _files(path) for story in _stories(content, name)]
    topics = [{topic for story in stories if story["split"] == split for topic in story["labels"]} for split in ("train", "test")]
    labels = sorted(topics[0] & topics[1])
    if not labels:
        raise DataError(f"{path}: no topic occurs in both the training and the test stories; give the folder with all 22 .sgm files")
    rows = (cut for story in stories if (cut := story | {"labels": [t for t in story["labels"] if t in labels]})["labels"])
    return Reading("text", rows, options, declared_labels=labels, columns=("title", "body"))


def read_aptemod(path: Path, options: Options) -> Reading:
    """Read NLTK's ApteMod folder: ``cats.txt`` with lines ``training/ID label label``, and a file for every story.

    Raises:
        DataError: for a line that names no story, or a story whose file is missing.
    """
    catalogue = check_exists(path / "cats.txt")
    return Reading("text", _aptemod_rows(path, catalogue, options), options, columns=("text",))


def _aptemod_rows(path: Path, catalogue: Path, options: Options) -> Iterator[Row]:
    for number, line in enumerate(text_lines(catalogue, options.encoding), start=1):
        name, *labels = line.split() or [""]
        part = {"training": "train", "test": "test"}.get(name.partition("/")[0])
        if not name:
            continue
        if part is None:
            raise DataError(f"{at_line(catalogue, number)}: {name!r} is no story; allowed are training/ID and test/ID")
        text = "".join(text_lines(path / name, options.encoding or "latin-1"))
        yield {"id": name, "split": part, "labels": distinct(labels), "text": _clean(text)}


def _files(path: Path) -> Iterator[tuple[str, str]]:
    check_exists(path)
    if path.is_dir():
        names = sorted(path.glob("*.sgm"))
        yield from ((str(name), name.read_bytes().decode("latin-1")) for name in names)
        return
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.name.endswith(".sgm") and (file := archive.extractfile(member)):
                    check_unpacked(member.size, path.stat().st_size, f"{path}: {member.name}")
                    yield f"{path}: {member.name}", file.read().decode("latin-1")
    except (tarfile.TarError, *BROKEN) as error:
        raise DataError(f"{path}: the archive is cut short or altered ({error}); get it again") from error


def _stories(content: str, name: str) -> Iterator[Row]:
    *stories, rest = content.split("</REUTERS>")
    if rest.strip() or not stories:
        raise DataError(f"{name}: does not end with </REUTERS>; the file is cut short, get it again")
    for story in stories:
        head = _between(story, "<REUTERS ", ">") or ""
        split = SPLIT.search(head)
        number = NUMBER.search(head)
        if split and number and 'TOPICS="YES"' in head:
            topics = (_between(story, "<TOPICS>", "</TOPICS>") or "").replace("<D>", "").split("</D>")
            yield {"id": number[1], "split": split[1].lower(), "labels": distinct([t for t in topics if t]), "text": _story_text(story)}


def _story_text(story: str) -> str:
    """Title and body, joined by a line break; a story without marked parts is all body."""
    kind, _, content = (_between(story, "<TEXT", "</TEXT>") or "").partition(">")
    parts = [content] if "UNPROC" in kind else [_between(content, f"<{tag}>", f"</{tag}>") or "" for tag in ("TITLE", "BODY")]
    return "\n".join(text for part in parts if (text := _clean(part)))


def _between(text: str, start: str, end: str) -> str | None:
    begin = text.find(start)
    stop = text.find(end, begin)
    return text[begin + len(start) : stop] if 0 <= begin < stop else None


def _clean(text: str) -> str:
    text = html.unescape(ABSURD.sub("\ufffd", text)).translate(CONTROL).strip()
    return "" if text == FILLER else text
