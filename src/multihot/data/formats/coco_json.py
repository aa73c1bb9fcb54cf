"""MS-COCO as released: one JSON file of pictures, categories and annotated objects for every split."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from ...errors import DataError
from .named_files import NamedFiles
from .opening import check_exists, open_bytes
from .picture_files import Named, with_pictures
from .reading import Options, Reading, Row, split_of

KEPT = frozenset({"images", "annotations", "categories", "id", "image_id", "category_id", "file_name", "name", "supercategory"})
ROBOFLOW = "_annotations.coco.json"  # beside the pictures, in folders named after their splits
STARTS_LIKE = re.compile(rb'^\s*\{\s*"(info|images|annotations|licenses|categories|type)"\s*:\s*[\[{"]')


def read_coco_json(path: Path, options: Options) -> Reading:
    """Read ``instances_SPLIT.json``, or a folder whose ``annotations`` folder holds such files, beside the folders of pictures.

    A picture has a label if an object of that category is annotated in it, crowds included; a picture without objects has none. Labels
    come in the order of the categories' numbers. Of a folder without labelled test pictures, the validation pictures are the test split,
    as the literature uses them.

    Raises:
        DataError: for JSON of another form, or an annotation that names a picture or a category that is not there.
    """
    files = coco_files(path)
    contents = {file: _content(file) for file in files}
    names: dict[Any, str] = {}
    for file, content in contents.items():
        for category in content["categories"]:
            if names.setdefault(category["id"], category["name"]) != category["name"]:
                raise DataError(f"{file}: category {category['id']} is '{category['name']}' here, but '{names[category['id']]}' elsewhere")
    notes: list[str] = []
    names = _without_groups(path, names, contents.values(), notes)
    declared = [names[number] for number in sorted(names, key=lambda number: (isinstance(number, str), number))]
    splits = {file: _split(file) for file in files} if path.is_dir() else {}
    if splits and "test" not in splits.values():
        if "validation" in splits.values():
            notes.append("no test pictures are labelled, so those for validation are the test split")
        splits = {file: "test" if split == "validation" else split for file, split in splits.items()}
    pictures = {file: NamedFiles(_folders(file)) for file in files}
    rows = (row for file, content in contents.items() for row in _rows(file, content, names, splits.get(file), options, pictures[file]))
    columns = ("file_name", "category_id")
    return Reading("image", rows, options, declared_labels=declared, columns=columns, named=list(pictures.values()), notes=notes)


def _without_groups(path: Path, names: dict[Any, str], contents: Collection[dict[str, Any]], notes: list[str]) -> dict[Any, str]:
    """The categories without those that only group others: no object is of them, and another category names them as its group.

    Raises:
        DataError: where two of the others have one name.
    """
    used = {annotation["category_id"] for content in contents for annotation in content.get("annotations", ())}
    groups = {category.get("supercategory") for content in contents for category in content["categories"]}
    owned = {name for number, name in names.items() if number in used}
    grouping = {number: name for number, name in names.items() if used and number not in used and name in groups | owned}
    kept = {number: name for number, name in names.items() if number not in grouping}
    if grouping:
        notes.append(f"categories that group others and own no object are no labels: {', '.join(sorted(set(grouping.values())))}")
    if len(set(kept.values())) < len(kept):
        raise DataError(f"{path}: two categories have the same name; rename one")
    return kept


def coco_files(path: Path) -> list[Path]:
    """The annotation files of objects.

    Raises:
        DataError: if a folder has none.
    """
    if not path.is_dir():
        return [path]
    files = sorted((path / "annotations").glob("instances_*.json")) or sorted(path.glob("instances_*.json"))
    files = [file for file in files if _split(file)] or sorted(path.glob(f"*/{ROBOFLOW}"))
    if not files:
        raise DataError(f"{path}: there is no annotations/instances_train2017.json or the like; give the folder that holds annotations")
    return files


def looks_like(path: Path) -> bool:
    """Whether a JSON file begins as those of MS-COCO do, and not as JSON Lines."""
    with open_bytes(path) as file:
        start = file.read(1 << 16)
    first, _, rest = start.partition(b"\n")
    try:
        lines = isinstance(json.loads(first), dict) and bool(rest.strip())
    except (ValueError, RecursionError):
        lines = False
    return STARTS_LIKE.match(start) is not None and not lines


def _split(file: Path) -> str | None:
    if file.name == ROBOFLOW:
        return split_of(file.parent.name)
    return split_of(re.sub(r"\d+", "", file.stem))


def _content(file: Path) -> dict[str, list[dict[str, Any]]]:
    """The parts that matter; outlines and boxes are dropped while reading, for they are most of the file."""
    try:
        with open_bytes(check_exists(file)) as stream:
            content = json.load(stream, object_pairs_hook=lambda pairs: {key: value for key, value in pairs if key in KEPT})
    except (ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{file}: broken JSON ({error}); get it again") from error
    if not isinstance(content, dict):
        raise DataError(f"{file}: holds a JSON {type(content).__name__}; MS-COCO files are objects with images, annotations, categories")
    for part, wanted in (("images", ("id", "file_name")), ("categories", ("id", "name")), ("annotations", ("image_id", "category_id"))):
        if part == "annotations" and part not in content:
            continue  # pictures to be predicted
        _check(file, part, content.get(part), wanted)
    return content


def _check(file: Path, part: str, entries: Any, wanted: tuple[str, ...]) -> None:
    if not isinstance(entries, list):
        raise DataError(f"{file}: '{part}' is no list; MS-COCO files are objects with images, annotations, categories")
    for number, entry in enumerate(entries, start=1):
        for key in wanted:
            value = entry.get(key) if isinstance(entry, dict) else None
            kinds = (str,) if key in ("file_name", "name") else (int, str)
            good = isinstance(value, kinds) and not isinstance(value, bool)
            if not good:
                raise DataError(f"{file}: {part}, entry {number}: '{key}' is {str(value)[:80]!r}; get the file again, or correct it")


def _rows(
    file: Path, content: dict[str, Any], names: dict[Any, str], split: str | None, options: Options, pictures: NamedFiles
) -> Iterator[Row]:
    annotated = "annotations" in content
    found: dict[int | str, dict[str, None]] = {image["id"]: {} for image in content["images"]}
    for number, annotation in enumerate(content.get("annotations", ()), start=1):
        for key, known in (("image_id", found), ("category_id", names)):
            if annotation[key] not in known:
                raise DataError(f"{file}: annotations, entry {number}: there is no {key[:-3]} {annotation[key]}; get the file again")
        found[annotation["image_id"]][names[annotation["category_id"]]] = None
    named = [
        Named(str(file), image["file_name"], {"id": str(image["id"]), "labels": list(found[image["id"]]) if annotated else None})
        for image in content["images"]
    ]
    for row in with_pictures(named, pictures, options):
        yield row if split is None else {"split": split, **row}


def _folders(file: Path) -> tuple[Path, ...]:
    """Where the pictures of an annotation file may lie: ``annotations`` stands beside ``train2017`` or ``images/train2017``."""
    name = file.name.partition(".")[0].rpartition("_")[2]
    root = file.parent.parent if file.parent.name == "annotations" else file.parent
    return (root / name, root / "images" / name, root / "images", root) if file.name != ROBOFLOW else (file.parent,)
