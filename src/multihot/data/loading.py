"""From a name, a file or a folder to a data set: finds the files, reads them once, and maps the result from the cache."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import DataError, nearest
from ..storage import digest_of_values, discard
from . import catalog
from .cache import SplitWriter, attempts, content_key, filling, folder_of, keep_folder, kept_folder
from .dataset import INPUTS, SPLITS, MultiLabelData
from .derived import open_rows
from .formats import Options, Reading, detect, files_of, names_of, read
from .formats.named_files import unchanged
from .formats.opening import check_exists
from .formats.reading import split_of

NAMED = "named.json"  # in a folder of the cache: the stamps of pictures and recordings that a source names
Parts = list[tuple[str | None, Path, Reading]]  # (split, or None where the rows say it themselves; path; what was read there)
NOT_DATA = (".md", ".txt", ".xml", ".html", ".pdf")


@dataclass(frozen=True)
class Source:
    """What to read: a name, and (split or None, path, format) of every part."""

    name: str
    parts: tuple[tuple[str | None, Path, str], ...]
    rename: Mapping[str, str] | None = None
    reading: Mapping[str, Any] | None = None


def load(
    source: str | Path | Mapping[str, str | Path],
    *,
    format: str | None = None,
    text: str | None = None,
    labels: str | Sequence[str] | None = None,
    id: str | None = None,
    features: str | Sequence[str] | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    index_base: int = 0,
    require_labels: bool = True,
    image: str | None = None,
    missing: str = "error",
    distribution: str | None = None,
    difficult: str = "unknown",
    uncertain: str = "error",
    blank: str = "unknown",
    from_path: str | Path | None = None,
    cache_dir: str | Path | None = None,
) -> MultiLabelData:
    """Load a data set; the first time it is read into the cache, afterwards it is there at once.

    Args:
        source: a name of the catalogue (``"reuters21578"``), a file or folder, or ``{"train": path, "test": path}``. A file
            without a column that names the split is all ``train``.
        format: one of ``multihot.data.formats.FORMATS``; found from the name and the content if not said.
        text: the column of texts, ``"title+body"`` for two joined by a line break; guessed from the usual names.
        labels: the column of label sets (lists or delimited strings), or the 0/1 columns: a list, ``"a,b,c"`` or ``"first:last"``.
        id: the column that names the rows; ``""`` numbers them.
        features: the numeric columns of a table, written like ``labels``; all remaining columns if all of them are numeric.
        delimiter: what separates labels within a cell; found from the cells if not said.
        encoding: of text files; UTF-8 if not said.
        index_base: 1 renumbers the features of a LibSVM file that counts from 1.
        require_labels: ``False`` accepts a file without the label column that was named: rows to be predicted.
        image: the column that names picture files, relative to the file's folder; guessed from the usual names.
        missing: ``"error"`` refuses a source that names pictures that are not there, ``"skip"`` leaves those rows out and says how many.
        distribution: the rows are label distributions, given as ``"degrees"`` that sum to 1, as ``"votes"`` of annotators, or as their
            ``"mean_spread"``: columns of mean and standard deviation over the axis that ``labels`` gives, such as ``"0:100"``.
        uncertain: what -1 in a 0/1 column means: ``"unknown"``, ``"1"`` or ``"0"``; ``"error"`` refuses it.
        blank: what a blank in a 0/1 column means: ``"unknown"`` or ``"0"``.
        difficult: objects that PASCAL VOC marks difficult are ``"unknown"``, or count with a ``"degree"`` of 0.5.
        from_path: where a copy of a catalogued data set lies.
        cache_dir: in place of ``cache_root()``.

    Returns:
        The data set, memory-mapped.

    Raises:
        DataError: naming file, row and remedy, if something is not what it was said to be.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "train.csv"
    >>> _ = path.write_text("body,tags\\nwheat rises,grain|wheat\\nno news,\\n")
    >>> data = load(path)
    >>> data.split("train")["labels"][0], data.label_space().names
    (['grain', 'wheat'], ('grain', 'wheat'))
    """
    columns = (text, labels, id, features, delimiter, encoding, index_base, require_labels, image)
    options = Options(*columns, missing, distribution, difficult, uncertain, blank)  # type: ignore[arg-type]
    root = Path(cache_dir) if cache_dir else None
    if isinstance(source, (str, Path)) and not os.path.exists(source) and (entry := catalog.find(str(source))):
        if entry.made_by:
            return _load_made(entry, root)
        folder = catalog.obtain(entry, Path(from_path) if from_path else None)
        found = Source(entry.name, ((None, folder, entry.format),), entry.rename, entry.reading)
    else:
        found = _resolve(source, format)
    return _load_found(found, options, root)


def _load_found(found: Source, options: Options, root: Path | None) -> MultiLabelData:
    """Read what was found into the cache, unless it is there, and map it."""
    options = replace(options, **{name: value for name, value in (found.reading or {}).items() if getattr(options, name) is None})
    files = [(f"{split}/{kind}", file) for split, path, kind in found.parts for file in files_of(path, kind)]
    names = [names_of(path, kind) for _, path, kind in found.parts]
    key = content_key(files, options.to_dict() | {"rename": dict(found.rename or {}), "names": names})
    places = [find(path) for _, path, _ in found.parts for find in (os.path.abspath, os.path.realpath)]  # a link may change
    alone = folder_of(found.name, key, root)  # what the files say is all there is to it
    among = folder_of(found.name, content_key([], {"key": key, "places": places}), root)  # it names other files, which lie in these places
    return _prepared(alone, among, found.name, lambda: list(_readings(found, options)))


def _prepared(alone: Path, among: Path, name: str, read: Callable[[], Parts]) -> MultiLabelData:
    """The data set in either of two folders of the cache, read into the second one if its source names further files."""
    for _ in attempts(alone):
        for folder in (alone, among):
            with contextlib.suppress(FileNotFoundError):  # taken away by another process that found it damaged
                if (data := _open(folder)) is not None:
                    return data
        parts = read()
        _store(among if any(reading.named for _, _, reading in parts) else alone, name, parts)
    raise AssertionError("attempts end by an error")


def _resolve(source: str | Path | Mapping[str, str | Path], kind: str | None) -> Source:
    if isinstance(source, Mapping):
        unknown = next((name for name in source if name not in SPLITS), None)
        if unknown is not None or not source:
            raise DataError(f"there is no split '{unknown}'; {nearest(str(unknown), SPLITS)}")
        paths = {name: check_exists(Path(source[name])) for name in SPLITS if name in source}
        parts = tuple((name, path, kind or detect(path)) for name, path in paths.items())
        return Source(next(iter(paths.values())).name.split(".")[0], parts)
    path = Path(source)
    if not os.path.exists(path) and not path.suffix and path.name == str(source):
        raise DataError(f"there is no file and no data set '{source}'; {nearest(str(source), catalog.names(), catalog.LISTED_BY)}")
    check_exists(path)
    name = path.resolve().name.split(".")[0]
    if path.is_dir() and kind is None:
        if entry := catalog.recognise(path):
            return Source(entry.name, ((None, catalog.obtain(entry, path), entry.format),), entry.rename, entry.reading)
        if files := _split_files(path):
            return Source(name, tuple((split, file, detect(file)) for split, file in files.items()))
    return Source(name, ((None, path, kind or detect(path)),))


def _split_files(folder: Path) -> dict[str, Path]:
    """split -> file, for a folder with files named train, validation (val, dev), test."""
    files = [p for p in sorted(folder.iterdir()) if p.is_file() and p.suffix.lower() not in NOT_DATA]
    with contextlib.suppress(DataError):
        if detect(folder):  # a layout of its own, such as ApteMod's
            return {}
    found = {split: file for file in files if (split := split_of(file.name))}
    return {split: found[split] for split in SPLITS if split in found}


def _readings(source: Source, options: Options) -> Iterator[tuple[str | None, Path, Reading]]:
    """Open all parts; what is found out about the first holds for the others."""
    for split, path, kind in source.parts:
        reading = read(path, kind, options)
        options = replace(reading.options, require_labels=options.require_labels and split != "test")
        reading.rows = (
            row | {"split": source.rename[row["split"]]} if source.rename and row.get("split") in source.rename else row
            for row in reading.rows
        )
        yield split, path, reading


def _load_made(entry: catalog.CatalogEntry, root: Path | None) -> MultiLabelData:
    """A data set that is computed, not read; its key is the program that makes it."""
    maker = entry.maker()
    folder = folder_of(entry.name, content_key([("maker", Path(str(maker.__file__)))], {}), root)

    def made() -> Parts:
        labels = list(maker.LABELS)
        return [(split, Path(entry.name), Reading("image", maker.rows(split), Options(), declared_labels=labels)) for split in maker.SIZES]

    return _prepared(folder, folder, entry.name, made)


def _store(folder: Path, name: str, parts: Parts) -> None:
    """Write all rows and what is known about them into a folder of the cache."""
    with filling(folder) as partial:
        writers: dict[str, SplitWriter] = {}
        for split, path, reading in parts:
            for row in reading.rows:
                part = split or row.get("split") or "train"
                if part not in writers:
                    writers[part] = SplitWriter(partial / f"{part}.arrow", str(path))
                writers[part].add(row)
        if not writers:
            raise DataError(f"{parts[0][1]}: holds no rows; give a file with at least one")
        for writer in writers.values():
            writer.close()
        description = _description(name, parts, writers)
        named = [files.to_dict() for _, _, reading in parts for files in reading.named]
        if named:
            (partial / NAMED).write_text(json.dumps(named), encoding="utf-8")
        keep_folder(partial, description)


def _description(name: str, parts: Parts, writers: dict[str, SplitWriter]) -> dict[str, Any]:
    readings = [reading for _, _, reading in parts]
    first = readings[0]
    inputs = {next(n for n in INPUTS if n in writer.schema.names) for writer in writers.values()}  # type: ignore[union-attr]
    if len(inputs) > 1:
        raise DataError(f"{name}: the splits hold different inputs ({', '.join(sorted(inputs))}); give all in the same form")
    widths = [reading.num_features for reading in readings if reading.num_features]
    if inputs == {"indices"} and not widths:
        widths = [writer.largest_index + 1 for writer in writers.values()]
    return {
        "name": name,
        "modality": first.modality,
        "splits": [split for split in SPLITS if split in writers],
        "declared_labels": list(first.declared_labels) if first.declared_labels is not None else None,
        "input_column": inputs.pop(),
        "num_features": max(widths) if widths else None,
        "feature_names": list(first.feature_names) if first.feature_names else None,
        "options": {name: value for name, value in asdict(first.options).items() if name != "require_labels"},
        "columns": list(first.columns),
        "degrees": first.degrees,
        "notes": _notes(parts),
    }


def _notes(parts: Parts) -> list[str]:
    """What was assumed, once each; where there are several files, with the split that it is said of."""
    several = len(parts) > 1
    return list(dict.fromkeys(f"{split}: {note}" if several and split else note for split, _, reading in parts for note in reading.said()))


def _open(folder: Path) -> MultiLabelData | None:
    """The data set in a folder of the cache; None where there is none, or where it or the files that it was made from have changed."""
    content = kept_folder(folder)
    if content is None:
        return None
    if (folder / NAMED).exists() and not all(map(unchanged, json.loads((folder / NAMED).read_bytes()))):
        discard(folder)
        return None
    names, notes = content.pop("splits"), tuple(content.pop("notes"))
    files = content.pop("files")
    contents = {name: files[f"{name}.arrow"] for name in names}
    said = [contents, *(content[name] for name in ("declared_labels", "input_column", "num_features", "degrees"))]
    fingerprint = digest_of_values(said)[:32]
    rows = {name: open_rows(folder / f"{name}.arrow", f"{fingerprint}-{name}") for name in names}
    return MultiLabelData(splits=rows, contents=contents, fingerprint=fingerprint, notes=notes, **content)
