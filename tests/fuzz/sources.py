"""One small valid source of every format, and ways to spoil its bytes."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st
from scipy.io import savemat

from multihot.data.formats.tfrecord import masked_crc

CSV = 'id,text,labels\r\na,"wheat, ""corn""\nrise",grain|wheat\r\nb,größer,corn\r\nc,,\r\n'.encode()
FLAGS = b"text;sea;sand\nwater;1;0\nbeach;1;1\nroad;0;?\n"
TABLE = b"f1,f2,labels\n1.5,-2,a;b\n,3e4,b\n"
JSONL = b"".join(
    [
        b'{"text": "wheat \\u00fc", "labels": ["grain"], "split": "train"}\n',
        b'{"text": "sea", "labels": {"sea": 0.5, "sand": 1}, "split": "test"}\n',
        b'{"text": "road", "labels": null, "split": "dev"}\n',
    ]
)
LIBSVM = b"0,2 1:0.5 3:1e3\n 2:1\n1 1:0.25 # a remark\n"
XMC = b"3 5 4\n0,2 1:0.5 3:1e3\n3 2:1\n1 1:0.25\n"
MEKA = b"@relation 'x: -C 2'\n@attribute a {0,1}\n@attribute 'b c' {0,1}\n@attribute d real\n@attribute e {p,'q r'}\n@data\n1,0,2.5,'q r'\n"
MULAN = b"@relation x\n@attribute f numeric\n@attribute \"g h\" numeric\n@attribute l {0,1}\n@data\n{0 1.5,2 1}\n{1 'x'}\n0,1,?\n{}\n"
MULAN = MULAN.replace(b"{1 'x'}\n", b"{1 '3'}\n")
XML = b'<?xml version="1.0" encoding="utf-8"?>\n<labels xmlns="http://mulan.sourceforge.net/labels"><label name="l"></label></labels>\n'
COCO = (
    b'{"info": {}, "images": [{"id": 7, "file_name": "a.jpg"}], "annotations": [{"image_id": 7, "category_id": 3, "bbox": [1, 2]}], '
    b'"categories": [{"id": 3, "name": "car"}, {"id": 4, "name": "traffic light"}]}'
)
STORY = (
    '<REUTERS TOPICS="YES" LEWISSPLIT="{split}" OLDID="1" NEWID="{id}">\n<TOPICS><D>grain</D><D>corn</D></TOPICS>\n'
    "<TEXT>&#2;\n<TITLE>WHEAT &amp; CORN</TITLE><BODY>Prices rose &lt;ABC&gt;.\n&#3;</BODY></TEXT>\n</REUTERS>\n"
)
SGML = "".join(STORY.format(split=split, id=i) for i, split in enumerate(["TRAIN", "TEST", "TRAIN"])).encode()


def _parquet() -> bytes:
    table = pa.table({"id": ["a", "b"], "text": ["wheat", "sea"], "labels": [["grain"], ["sea", "sand"]]})
    pq.write_table(table, file := io.BytesIO())
    return file.getvalue()


def _zip(members: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(file := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def _tar(members: dict[str, bytes]) -> bytes:
    with tarfile.open(fileobj=(file := io.BytesIO()), mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def _feature(name: bytes, kind: int, *values: bytes) -> bytes:
    return _field(1, _field(1, name) + _field(2, _field(kind, b"".join(values))))


def _tfrecord(*rows: tuple[bytes, bytes, list[bytes]]) -> bytes:
    """(video, label numbers, frames) of some clips, as AudioSet has them."""
    file = b""
    for video, labels, frames in rows:
        context = _feature(b"video_id", 1, _field(1, video)) + _feature(b"labels", 3, _field(1, labels))
        steps = b"".join(_field(1, _field(1, _field(1, frame))) for frame in frames)
        sequences = _field(1, _field(1, b"audio_embedding") + _field(2, steps))
        message = _field(1, context) + _field(2, sequences)
        size = struct.pack("<Q", len(message))
        file += size + struct.pack("<I", masked_crc(size)) + message + struct.pack("<I", masked_crc(message))
    return file


def _npz(**arrays: np.ndarray) -> bytes:
    np.savez(file := io.BytesIO(), **arrays)
    return file.getvalue()


CLIPS = _tfrecord((b"abc", b"\x00\x01", [b"\x00\x7f", b"\xff\x01"]), (b"def", b"", [b"\x10\x20"]))
CLASSES = b'index,mid,display_name\n0,/m/09x0r,"Speech"\n1,/m/05zppz,"Male speech, man speaking"\n'
PACK = _npz(
    x=np.arange(12, dtype=np.uint8).reshape(2, 3, 2), y=np.eye(2, dtype=bool), video_id_list=np.array([b"abc", b"def"]),
    labels=np.array(["Speech", "Music"]),
)  # fmt: skip


def _mat(**matrices: np.ndarray) -> bytes:
    savemat(file := io.BytesIO(), matrices)
    return file.getvalue()


DEGREES = np.array([[0.5, 0.5, 0], [0.25, 0, 0.75]])
MAT = _mat(features=np.arange(4.0).reshape(2, 2), labels=DEGREES)
AGES = _mat(features=np.arange(4.0).reshape(2, 2), labels=DEGREES / 2, age=np.array([[0, 2]]), x=np.array([[0, 1, 2]]))

# name -> (format, what to read ("" for the whole folder), file -> content)
SOURCES: dict[str, tuple[str, str, dict[str, bytes]]] = {
    "csv": ("csv", "x.csv", {"x.csv": CSV}),
    "csv flags": ("csv", "x.csv", {"x.csv": FLAGS}),
    "csv table": ("csv", "x.csv", {"x.csv": TABLE}),
    "csv gzip": ("csv", "x.csv.gz", {"x.csv.gz": gzip.compress(CSV)}),
    "csv zip": ("csv", "x.csv.zip", {"x.csv.zip": _zip({"x.csv": CSV})}),
    "jsonl": ("jsonl", "x.jsonl", {"x.jsonl": JSONL}),
    "parquet": ("parquet", "x.parquet", {"x.parquet": _parquet()}),
    "fasttext": ("fasttext", "x.txt", {"x.txt": b"__label__grain __label__wheat wheat rises\n\nno news\nso __label__corn it is\n"}),
    "libsvm": ("libsvm", "x.svm", {"x.svm": LIBSVM}),
    "xmc": ("libsvm", "x.txt", {"x.txt": XMC}),
    "meka": ("arff", "x.arff", {"x.arff": MEKA}),
    "mulan": ("arff", "x.arff", {"x.arff": MULAN, "x.xml": XML}),
    "mulan zip": ("arff", "x.zip", {"x.zip": _zip({"x-train.arff": MULAN, "x-test.arff": MULAN, "x.xml": XML})}),
    "reuters folder": ("reuters-sgml", "", {"reut2-000.sgm": SGML}),
    "reuters tar": ("reuters-sgml", "x.tar.gz", {"x.tar.gz": _tar({"reut2-000.sgm": SGML})}),
    "aptemod": (
        "reuters-aptemod",
        "",
        {"cats.txt": b"training/1 grain corn\ntest/2 corn\n", "training/1": b"WHEAT\n rose", "test/2": b"CORN &lt;x>"},
    ),
    "paired": (
        "paired",
        "",
        {"text_train": b"a b\nc\n", "label_train": b"x y\nz\n", "text_val": b"d\n", "label_val": b"x\n"},
    ),
    "goemotions": (
        "goemotions",
        "",
        {"train.tsv": b"so glad\t0,1\tid1\nhm\t1\tid2\n", "test.tsv": b"oh\t0\tid3\n", "labels.txt": b"joy\nneutral\n"},
    ),
    "image table": (
        "image-table",
        "",
        {
            "labels.csv": b"image,split,car,bus\ni1,train,1,0\ni2,test,0,1\n",
            "images_train.zip": _zip({"i1.png": b"png"}),
            "images_test.zip": _zip({"i2.png": b"png"}),
        },
    ),
    "csv of pictures": (
        "csv",
        "x.csv",
        {"x.csv": b"image,split,labels\na.png,train,car|bus\nb.png,test,\n", "a.png": b"png", "b.png": b"png"},
    ),
    "voc xml": (
        "voc-xml",
        "",
        {
            "Annotations/1.xml": b"<annotation><filename>1.jpg</filename><object><name>car</name></object></annotation>",
            "Annotations/2.xml": b"<annotation><object><name>bus</name><difficult>1</difficult></object></annotation>",
            "ImageSets/Main/trainval.txt": b"1\n",
            "ImageSets/Main/test.txt": b"2 -1\n",
            "JPEGImages/1.jpg": b"jpeg",
            "JPEGImages/2.jpg": b"jpeg",
        },
    ),
    "coco json": ("coco-json", "", {
        "annotations/instances_train2014.json": COCO, "annotations/instances_val2014.json": COCO,
        "train2014/a.jpg": b"jpeg", "val2014/a.jpg": b"jpeg",
    }),
    "coco json file": ("coco-json", "x.json", {"x.json": COCO, "a.jpg": b"jpeg"}),
    "nus wide": ("nus-wide", "", {
        "ImageList/TrainImagelist.txt": b"actor\\1.jpg\n", "ImageList/TestImagelist.txt": b"2.jpg\n", "Concepts81.txt": b"sky\nsea\n",
        "TrainTestLabels/Labels_sky_Train.txt": b"1\n", "TrainTestLabels/Labels_sea_Train.txt": b"0\n",
        "TrainTestLabels/Labels_sky_Test.txt": b"1\n", "TrainTestLabels/Labels_sea_Test.txt": b"1\n",
        "Flickr/actor/1.jpg": b"jpeg", "Flickr/2.jpg": b"jpeg",
    }),
    "image list": (
        "image-list",
        "",
        {
            "x_labels.txt": b"car 0\ntraffic light 1\n",
            "x_train.txt": b"pictures/i1.png 0 1\n",
            "x_test.txt": b"pictures/i2.png\n",
            "pictures/i1.png": b"png",
            "pictures/i2.png": b"png",
        },
    ),
    "tfrecord": ("audioset", "x.tfrecord", {"x.tfrecord": CLIPS, "class_labels_indices.csv": CLASSES}),
    "audioset folder": ("audioset", "", {"bal_train/00.tfrecord": CLIPS, "eval/00.tfrecord": CLIPS, "class_labels_indices.csv": CLASSES}),
    "npz pack": ("audioset", "x.npz", {"x.npz": PACK}),
    "audio table": (
        "audio-table",
        "",
        {"labels.csv": b"audio,split,labels\na/1.wav,train,dog|cat\n2.wav,test,dog\n", "a/1.wav": b"RIFF", "2.wav": b"RIFF"},
    ),
    "mat": ("ldl-mat", "x.mat", {"x.mat": MAT}),
    "mat of ages": ("ldl-mat", "x.mat.gz", {"x.mat.gz": gzip.compress(AGES)}),
    "mat zip": ("ldl-mat", "x.zip", {"x.zip": _zip({"x.mat": MAT})}),
    "morph": ("morph", "", {"009055_1M54.JPG": b"jpeg", "009056_0F08.JPG": b"jpeg"}),
    "fg-net": ("fg-net", "", {"train/001A05.JPG": b"jpeg", "test/002A43a.JPG": b"jpeg"}),
    "pointing04": ("pointing04", "", {"Personne01/personne01146-30+60.jpg": b"jpeg", "Personne02/personne02101+90+0.jpg": b"jpeg"}),
    "aflw": ("aflw", "x.csv", {"x.csv": b"file,yaw,pitch\na.jpg,-31.5,4\nb.jpg,0,-90\n", "a.jpg": b"jpeg", "b.jpg": b"jpeg"}),
    "jsonl degrees": (
        "jsonl", "x.jsonl", {"x.jsonl": b'{"text": "wheat", "labels": {"1": 1}}\n{"text": "sea", "labels": {"1": 0.5, "2": 0.5}}\n'},
    ),
    "csv means": ("csv", "x.csv", {"x.csv": b"f,mean,spread,1,2,labels\n1.5,20,2,0.5,0.5,1\n2,30.5,4,0,1,1|2\n"}),
}  # fmt: skip

NASTY = [
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"'", b"\\", b"\r", b"\r\n", b"\n\n", b",", b"\t", b"{", b"}", b"[", b"]", b":", b"<", b"&",
    b"%", b"#", b"?", b"-1", b"1e999", b"nan", b"inf", b"1_0", b"99999999999", b"9" * 5000, b"[" * 5000, b'{"a":' * 5000, b" " * 20000,
    b"x" * 100_000, b"a," * 5000, b'"\\ud800"', b"\xed\xa0\x80", "²".encode(), "\u2028\x85".encode(), b"\x1a", b"&#" + b"9" * 5000 + b";",
    b"@data\n", b"@attribute z {", b"-C 99999", b"</REUTERS>", b"<TEXT", b"null", b"true", b"\n9 9 99999999999\n", 
    b"1 99999999999999999999:1",
    b"' '" + b" " * 20000 + b"'",
    b"/../", b"training/../../x y\n", b"{0 1,", b"0:0:0 ", b"1:",
]  # fmt: skip
CODECS = ["utf-16", "utf-8-sig", "cp500", "utf-32"]


@st.composite
def spoiled(draw: st.DrawFn, content: bytes) -> bytes:
    """A content after one to four random changes."""
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(content)))
        until = min(len(content), place + draw(st.sampled_from([1, 1, 2, 10, 100])))
        kind = draw(st.sampled_from(["byte", "cut", "insert", "insert", "replace", "repeat", "remove", "crlf", "recode", "prefix"]))
        if kind == "byte" and place < len(content):
            content = content[:place] + bytes([draw(st.integers(0, 255))]) + content[place + 1 :]
        elif kind == "cut":
            content = content[:place]
        elif kind in ("insert", "replace"):
            content = content[:place] + draw(st.sampled_from(NASTY)) + content[place if kind == "insert" else until :]
        elif kind == "repeat":
            content = content[:until] + content[place:until] * draw(st.integers(1, 50)) + content[until:]
        elif kind == "remove":
            content = content[:place] + content[until:]
        elif kind == "crlf":
            content = content.replace(b"\n", b"\r\n")
        elif kind == "recode":
            content = content.decode("latin-1").encode(draw(st.sampled_from(CODECS)), "replace")
        elif kind == "prefix":
            content = draw(st.binary(max_size=20)) + content
    return content
