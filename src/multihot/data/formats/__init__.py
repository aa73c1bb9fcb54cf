"""One reader a file format, and how a format is recognised."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from ...errors import ConfigurationError, DataError, nearest
from .opening import check_exists, open_bytes, suffix_of
from .reading import Options, Reading

__all__ = ["FORMATS", "Format", "Options", "Reading", "by_content", "detect", "files_of", "read"]


@dataclass(frozen=True)
class Format:
    """A file format: where its reader lies, which suffixes tell it, and what it is."""

    reader: str
    suffixes: tuple[str, ...]
    title: str


FORMATS = {
    "jsonl": Format("jsonl:read_jsonl", (".jsonl", ".ndjson", ".json"), "JSON Lines"),
    "csv": Format("delimited:read_delimited", (".csv", ".tsv", ".tab"), "CSV or TSV, with a header line or without one"),
    "parquet": Format("parquet:read_parquet", (".parquet", ".pq"), "Parquet"),
    "libsvm": Format(
        "libsvm:read_libsvm",
        (".svm", ".libsvm", ".svmlight"),
        "LibSVM, with or without the header of the extreme classification repository",
    ),
    "fasttext": Format("fasttext:read_fasttext", (), "fastText's lines: __label__a __label__b text"),
    "arff": Format("arff:read_arff", (".arff",), "ARFF with Mulan's XML file or MEKA's -C; also a zip or folder of -train and -test files"),
    "reuters-sgml": Format(
        "reuters:read_reuters_sgml", (), "Reuters-21578 as released (folder of .sgm files, or the tar.gz), cut to R(90)"
    ),
    "reuters-aptemod": Format("reuters:read_aptemod", (), "Reuters-21578 ApteMod as NLTK ships it (folder with cats.txt)"),
    "paired": Format("paired:read_paired", (), "folder of paired text_SPLIT and label_SPLIT files, as AAPD"),
    "goemotions": Format("goemotions:read_goemotions", (), "GoEmotions' TSV files with labels.txt"),
    "image-table": Format("image_tables:read_image_table", (), "folder with labels.csv and images_SPLIT.zip"),
    "voc-xml": Format("voc_xml:read_voc_xml", (), "folder with Annotations (XML) and JPEGImages, as PASCAL VOC"),
    "coco-json": Format("coco_json:read_coco_json", (), "MS-COCO's instances_SPLIT.json, or the folder with annotations"),
    "nus-wide": Format("nus_wide:read_nus_wide", (), "folder with ImageList and TrainTestLabels, as NUS-WIDE"),
    "image-list": Format("image_lists:read_image_list", (), "folder with NAME_labels.txt and lists of pictures, as VOC-MLT and COCO-MLT"),
    "audioset": Format(
        "audioset:read_audioset", (".tfrecord", ".npz", ".h5", ".hdf5"), "AudioSet's features: TFRecord as released, HDF5 or npz packs"
    ),
    "audio-table": Format("audio_tables:read_audio_table", (), "folder with labels.csv or labels.jsonl that names recordings"),
    "ldl-mat": Format("ldl_mat:read_ldl_mat", (".mat",), "MATLAB file with features, and labels whose rows are distributions"),
    "morph": Format("picture_names:read_morph", (), "folder of pictures named as MORPH's, such as 009055_1M54.JPG: ages"),
    "fg-net": Format("picture_names:read_fg_net", (), "folder of pictures named as FG-NET's, such as 001A43b.JPG: ages"),
    "pointing04": Format("picture_names:read_pointing04", (), "folder of pictures named as Pointing'04's: pitch and yaw"),
    "aflw": Format("head_poses:read_aflw", (), "CSV file with file, yaw and pitch in degrees, put on a grid of angles"),
}

# what no single file can be
FOLDERS = ("reuters-aptemod", "paired", "image-table", "image-list", "voc-xml", "nus-wide", "audio-table", "morph", "fg-net", "pointing04")

NAMED_AFTER_LABELS = ("morph", "fg-net", "pointing04")

# their files only name pictures, which may be gigabytes: named_files tells whether those are still the same
NAMING_PICTURES = {
    "image-list": ("image_lists", "list_files"),
    "voc-xml": ("voc_xml", "voc_files"),
    "coco-json": ("coco_json", "coco_files"),
    "nus-wide": ("nus_wide", "nus_wide_files"),
}

LIBSVM_LINE = re.compile(rb"\s*([^\s:#,]+(,[^\s:#,]+)*)?(\s+\d+:[-+.\deE]+)+\s*(#.*)?$")
XMC_HEADER = re.compile(rb"\d+\s+\d+\s+\d+\s*$")


def read(path: Path, name: str, options: Options) -> Reading:
    """Open a file or folder with the reader of a format.

    Args:
        path: what to read.
        name: one of ``FORMATS``.
        options: what the caller says about its columns.

    Raises:
        ConfigurationError: if there is no such format.
        DataError: if the file is not what the format asks for.
    """
    if name not in FORMATS:
        raise ConfigurationError(f"there is no format '{name}'; {nearest(name, FORMATS)}")
    module, _, function = FORMATS[name].reader.partition(":")
    reader: Callable[[Path, Options], Reading] = getattr(_module(module), function)
    if name in FOLDERS and not check_exists(path).is_dir():
        raise DataError(f"{path}: is a file, but format '{name}' reads a {FORMATS[name].title.partition(' with')[0]}; give the folder")
    return reader(check_exists(path), options)


def files_of(path: Path, name: str) -> list[Path]:
    """The files whose content decides what a reading yields, in a fixed order: the key of the cache; not those that they only name."""
    if name == "arff":
        return _module("arff").files_of_arff(path)
    if name in NAMING_PICTURES:
        module, function = NAMING_PICTURES[name]
        return getattr(_module(module), function)(path)
    if name == "audioset":
        return _module("audioset").files_of_audioset(path)
    if name == "audio-table":
        return [_module("audio_tables").table_of(path)]
    if name == "ldl-mat":
        return [_module("ldl_mat").mat_of(path)]
    if name in NAMED_AFTER_LABELS:
        return []
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if p.is_file())
    listed = path.parent / "labels.txt"
    return [path, listed] if name == "goemotions" and listed.is_file() else [path]


def names_of(path: Path, name: str) -> list[str]:
    """The names that decide what a reading yields, where the folder of files named so is all there is."""
    return [file.relative_to(path).as_posix() for file in _module("picture_names").pictures_of(path)] if name in NAMED_AFTER_LABELS else []


def detect(path: Path) -> str:
    """The format of a file or folder, from its name or its first bytes.

    Raises:
        DataError: if nothing tells it; the message lists the formats.
    """
    check_exists(path)
    found = _detect_folder(path) if path.is_dir() else _by_suffix(path) or by_content(path)
    if found is None:
        kind = "the folder holds nothing that can be read" if path.is_dir() else "the format cannot be told from the name or the content"
        tables = sorted(p for p in path.iterdir() if p.is_file() and _by_suffix(p)) if path.is_dir() else []
        if tables:
            raise DataError(f"{path}: the folder as a whole says not what it holds; give a file in it, such as {tables[0]}")
        raise DataError(f"{path}: {kind}; say format= one of {', '.join(FORMATS)}")
    return found


def _detect_folder(path: Path) -> str | None:
    names = [p.name.lower() for p in path.iterdir()]
    if "cats.txt" in names:
        return "reuters-aptemod"
    if any(name.endswith(".sgm") for name in names):
        return "reuters-sgml"
    if any(name.startswith("text_") for name in names) and any(name.startswith("label_") for name in names):
        return "paired"
    if "labels.txt" in names and any(name.startswith("train.tsv") for name in names):
        return "goemotions"
    if "labels.csv" in names and any(name.startswith("images_") for name in names):
        return "image-table"
    if "annotations" in names and ((path / "Annotations").is_dir() and any((path / "Annotations").glob("*.xml"))):
        return "voc-xml"
    if any(path.glob("annotations/instances_*.json")) or any(path.glob("instances_*.json")) or any(path.glob("*/_annotations.coco.json")):
        return "coco-json"
    if "imagelist" in names or "trainimagelist.txt" in names:
        return "nus-wide"
    if any(name.endswith("_labels.txt") for name in names) and any(name.endswith("_train.txt") for name in names):
        return "image-list"
    if any(name in ("labels.csv", "labels.jsonl") for name in names) and _module("audio_tables").names_recordings(path):
        return "audio-table"
    if any(name in _module("audioset").FOLDERS or Path(name).suffix in FORMATS["audioset"].suffixes for name in names):
        return "audioset"
    if any(suffix_of(Path(name)) == ".arff" for name in names):
        return "arff"
    return "ldl-mat" if any(name.endswith(".mat") for name in names) else _module("picture_names").layout_of(path)


def _by_suffix(path: Path) -> str | None:
    if path.name.lower().endswith((".tar.gz", ".tgz", ".tar")):
        return "reuters-sgml"
    suffix = suffix_of(path)
    if suffix == ".zip":
        return "ldl-mat" if _module("ldl_mat").holds_mat(path) else "arff"
    if suffix == ".csv" and path.suffix.lower() == ".csv" and _module("head_poses").looks_like(path):
        return "aflw"
    if suffix == ".json" and _module("coco_json").looks_like(path):
        return "coco-json"
    return next((name for name, known in FORMATS.items() if suffix in known.suffixes), None)


def by_content(path: Path) -> str | None:
    """The format that a file's first bytes tell, if they do."""
    with open_bytes(path) as file:
        start = file.read(1 << 16)
    lines = start.splitlines()
    if len(start) == 1 << 16 and len(lines) == 1:
        lines = [start.rpartition(b" ")[0] or start]  # the last of its words may be cut
    first = next((line for line in lines if line.strip()), b"")
    if first.startswith(b"PAR1"):
        return "parquet"
    if first.lstrip().startswith(b"{"):
        return "jsonl"
    if first.lower().startswith((b"@relation", b"%")):
        return "arff"
    if XMC_HEADER.match(first) or LIBSVM_LINE.match(first):
        return "libsvm"
    if any(word.startswith(b"__label__") for word in first.split()):
        return "fasttext"
    return "csv" if any(mark in first for mark in (b",", b"\t", b";")) else None


def _module(name: str) -> ModuleType:
    """A reader's module, loaded only when it is needed."""
    return importlib.import_module(f"{__name__}.{name}")
