"""Images in zips beside a CSV file of labels, as the UC Merced and VOC 2007 copies have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from .delimited import records
from .opening import check_exists, open_zip, read_member
from .reading import SPLIT_NAMES, Options, Reading, Row
from .voc_xml import with_difficult

NOT_LABELS = ("image", "image_id", "split", "scene_class", "source_file")


def read_image_table(path: Path, options: Options) -> Reading:
    """Read a folder with ``labels.csv`` (image, split, one column a label) and ``images_SPLIT.zip``.

    A column with -1 follows the PASCAL VOC challenge: 1 present, -1 absent, 0 present but difficult, which counts as unknown, or
    with ``difficult="degree"`` as a target of 0.5.

    Raises:
        DataError: for an image that no zip holds, or a cell that is none of these values.
    """
    table = check_exists(path / "labels.csv")
    first = next(iter(records(table, options)), None)
    if first is None:
        raise DataError(f"{table}: the file holds no rows; get it again")
    if "split" not in first[1]:
        raise DataError(f"{table}: line 1: there is no column 'split'; its columns are {', '.join(first[1])}")
    labels = [name for name in first[1] if name not in NOT_LABELS]
    return Reading("image", _rows(path, table, labels, options), options, declared_labels=labels, columns=list(first[1]))


def _rows(path: Path, table: Path, labels: list[str], options: Options) -> Iterator[Row]:
    challenge = any(record[name] == "-1" for _, record in records(table, options) for name in labels)
    meaning = {"1": "labels", "0": "unknown", "-1": ""} if challenge else {"1": "labels", "0": ""}
    archives = {zip_path.stem.partition("_")[2]: open_zip(zip_path) for zip_path in sorted(path.glob("images_*.zip"))}
    members = {part: {Path(name).stem: name for name in archive.namelist()} for part, archive in archives.items()}
    for where, record in records(table, options):
        identity, part = next(iter(record.values())), record["split"]
        found: dict[str, list[str]] = {"labels": [], "unknown": [], "": []}
        for name in labels:
            if record[name] not in meaning:
                raise DataError(f"{where}: label '{name}' is {record[name]!r}; allowed are {', '.join(meaning)}")
            found[meaning[record[name]]].append(name)
        if part not in SPLIT_NAMES or identity not in members.get(part, {}):
            raise DataError(f"{where}: no images_{part}.zip holds an image '{identity}'; get the data set again")
        image = read_member(archives[part], members[part][identity], where)
        row: Row = {"id": identity, "split": SPLIT_NAMES[part], "image": image}
        yield row | with_difficult(found["labels"], found["unknown"], options.difficult)
