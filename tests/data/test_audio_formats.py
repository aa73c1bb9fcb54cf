"""AudioSet's TFRecord files and packs, and tables of recordings; TFRecord against the protobuf library and the published checksum."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from multihot.classical.features import AudioFeatures
from multihot.data import load
from multihot.data.describe import describe
from multihot.data.formats.audioset import NAMES_FILE
from multihot.data.formats.tfrecord import masked_crc, parse_example, read_examples
from multihot.data.in_memory import from_rows
from multihot.data.writing import write_folder
from multihot.errors import DataError

NAMES = 'index,mid,display_name\n0,/m/09x0r,"Speech"\n1,/m/05zppz,"Male speech, man speaking"\n2,/m/04rlf,"Music"\n'


@pytest.fixture(scope="module")
def sequence_example():
    """``tf.SequenceExample`` as the protobuf library knows it, from the published definition."""
    descriptors = pytest.importorskip("google.protobuf.descriptor_pb2")
    from google.protobuf import descriptor_pool, message_factory

    file = descriptors.FileDescriptorProto(name="example.proto", package="t", syntax="proto3")
    kinds = descriptors.FieldDescriptorProto

    def message(name, *fields, nested=None):
        made = file.message_type.add(name=name)
        for number, (field, kind, repeated, type_name) in enumerate(fields, start=1):
            label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            made.field.add(name=field, number=number, type=kind, label=label, type_name=type_name)
        if nested:
            entry = made.nested_type.add(name="Entry")
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL)
            entry.field.add(name="value", number=2, type=kinds.TYPE_MESSAGE, label=kinds.LABEL_OPTIONAL, type_name=nested)

    message("BytesList", ("value", kinds.TYPE_BYTES, True, None))
    message("FloatList", ("value", kinds.TYPE_FLOAT, True, None))
    message("Int64List", ("value", kinds.TYPE_INT64, True, None))
    message("Feature", *((f"{k}_list", kinds.TYPE_MESSAGE, False, f".t.{k.title()}List") for k in ("bytes", "float", "int64")))
    message("Features", ("feature", kinds.TYPE_MESSAGE, True, ".t.Features.Entry"), nested=".t.Feature")
    message("FeatureList", ("feature", kinds.TYPE_MESSAGE, True, ".t.Feature"))
    message("FeatureLists", ("feature_list", kinds.TYPE_MESSAGE, True, ".t.FeatureLists.Entry"), nested=".t.FeatureList")
    message(
        "SequenceExample",
        ("context", kinds.TYPE_MESSAGE, False, ".t.Features"),
        ("feature_lists", kinds.TYPE_MESSAGE, False, ".t.FeatureLists"),
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.SequenceExample"))


def clip(sequence_example, video: bytes, labels: list[int], frames: np.ndarray, start: float = 30.0) -> bytes:
    message = sequence_example()
    message.context.feature["video_id"].bytes_list.value.append(video)
    message.context.feature["start_time_seconds"].float_list.value.append(start)
    message.context.feature["labels"].int64_list.value.extend(labels)
    for frame in frames:
        message.feature_lists.feature_list["audio_embedding"].feature.add().bytes_list.value.append(frame.tobytes())
    return message.SerializeToString()


def framed(*messages: bytes) -> bytes:
    parts = []
    for message in messages:
        size = struct.pack("<Q", len(message))
        parts += [size, struct.pack("<I", masked_crc(size)), message, struct.pack("<I", masked_crc(message))]
    return b"".join(parts)


def test_the_checksum_is_the_published_one():
    check = 0xE3069283  # CRC-32C of "123456789", as its catalogue entry gives it
    assert masked_crc(b"123456789") == ((check >> 15 | check << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF


def test_messages_are_read_as_the_protobuf_library_wrote_them(sequence_example):
    message = sequence_example()
    message.context.feature["whole"].int64_list.value.extend([0, 1, 526, -1, -(2**63), 2**63 - 1])
    message.context.feature["real"].float_list.value.extend([0.0, -1.5, 3.25])
    message.context.feature["empty"].int64_list.value.extend([])
    message.context.feature["text"].bytes_list.value.extend([b"", b"\xff\0"])
    for step in range(3):
        message.feature_lists.feature_list["steps"].feature.add().float_list.value.append(step)
    found = parse_example(message.SerializeToString())
    assert found.context == {
        "whole": [0, 1, 526, -1, -(2**63), 2**63 - 1], "real": [0.0, -1.5, 3.25], "empty": [], "text": [b"", b"\xff\0"],
    }  # fmt: skip
    assert found.sequences == {"steps": [[0.0], [1.0], [2.0]]}


def test_audioset_as_released(sequence_example, tmp_path):
    draw = np.random.default_rng(0)
    frames = {name: draw.integers(0, 256, (count, 128), dtype=np.uint8) for name, count in (("aa", 10), ("bb", 9), ("cc", 10), ("dd", 1))}
    for folder, clips in {"bal_train": [("aa", [0, 1])], "unbal_train": [("bb", [2])], "eval": [("cc", [0]), ("dd", [])]}.items():
        (tmp_path / folder).mkdir()
        content = framed(*(clip(sequence_example, name.encode(), labels, frames[name]) for name, labels in clips))
        (tmp_path / folder / "00.tfrecord").write_bytes(content)
    (tmp_path / NAMES_FILE).write_text(NAMES)
    data = load(tmp_path)
    assert (data.modality, data.num_features, data.input_column) == ("audio", 128, "frames")
    assert data.label_space().names == ("Speech", "Male speech, man speaking", "Music")
    assert data.split("train")["id"][:] == ["aa_30", "bb_30"]
    assert data.split("train")["labels"][0] == ["Speech", "Male speech, man speaking"]
    assert data.split("test")["labels"][:] == [["Speech"], []]
    expected = frames["bb"].astype(np.float64) * 4 / 255 - 2
    np.testing.assert_allclose(np.reshape(data.split("train")["frames"][1], (9, 128)), expected, atol=1e-6)


def test_packs_hold_the_same_as_npz_and_as_hdf5(tmp_path):
    draw = np.random.default_rng(0)
    arrays = {
        "x": draw.integers(0, 256, (5, 10, 4), dtype=np.uint8), "y": draw.random((5, 3)) < 0.5,
        "video_id_list": np.array([b"a", b"b", b"c", b"d", b"e"]),
    }  # fmt: skip
    (tmp_path / NAMES_FILE).write_text(NAMES)
    np.savez(tmp_path / "bal_train.npz", **arrays)
    found = [load(tmp_path / "bal_train.npz")]
    np.testing.assert_allclose(
        np.reshape(found[0].split("train")["frames"][:], (5, 10, 4)), arrays["x"].astype(float) * 4 / 255 - 2, atol=1e-6
    )
    assert (found[0].targets("train", found[0].label_space())[0].toarray() == arrays["y"]).all()
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "pack.h5", "w") as pack:
        for name, array in arrays.items():
            pack[name] = array
    found.append(load(tmp_path / "pack.h5"))
    assert found[0].split("train")[:] == found[1].split("train")[:]


def test_float_features_stay_as_they_are_and_labels_without_names_are_numbered(tmp_path):
    x = np.array([[[1.5, -20.0]], [[0.25, 3.0]]], dtype=np.float32)
    np.savez(tmp_path / "x.npz", x=x, y=np.array([[0, 1], [1, 1]]))
    rows = load(tmp_path / "x.npz").split("train")
    assert rows["frames"][:] == [[1.5, -20.0], [0.25, 3.0]]
    assert rows["labels"][:] == [["1"], ["0", "1"]]
    assert rows["id"][:] == ["0", "1"]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": np.zeros((2, 3, 4))}, "has no 'y'"),
        ({"x": np.zeros((2, 3)), "y": np.zeros((2, 1), bool)}, r"x has shape \(2, 3\)"),
        ({"x": np.zeros((2, 3, 4)), "y": np.zeros((3, 1), bool)}, r"y \(3, 1\)"),
        ({"x": np.full((1, 3, 4), np.nan), "y": np.ones((1, 1), bool)}, "row 1: a feature is not a finite number"),
        ({"x": np.zeros((1, 3, 4)), "y": np.ones((1, 1), bool), "labels": np.array(["a", "b"])}, "1 columns, but there are 2 label names"),
        ({"x": np.zeros((2, 3, 4)), "y": np.ones((2, 1), bool), "video_id_list": np.array(["a"])}, "1 names for 2 rows"),
        ({"x": np.array([[["a"]]]), "y": np.ones((1, 1), bool)}, "allowed are bytes or floats"),
    ],
)
def test_packs_that_do_not_fit_are_named(tmp_path, arrays, said):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(DataError, match=said):
        load(tmp_path / "x.npz")


def test_damaged_records_are_named(tmp_path, sequence_example):
    one = clip(sequence_example, b"aa", [0], np.zeros((2, 3), np.uint8))
    whole = framed(one, clip(sequence_example, b"bb", [0], np.zeros((2, 3), np.uint8)))
    for content, said in {
        whole[:-2]: "record 2: is cut short",
        whole[: len(one) + 20]: "record 2: is cut short",
        b"x" + whole[1:]: "record 1: its length is altered",
        whole[:20] + b"?" + whole[21:]: "record 1: its checksum does not hold",
        framed(b"\x0a\x09"): "record 1: is no tf.SequenceExample",
        framed(b"\x0a\x00"): "record 1: 'audio_embedding' must hold frames of one size",
    }.items():
        (tmp_path / "x.tfrecord").write_bytes(content)
        with pytest.raises(DataError, match=said):
            load(tmp_path / "x.tfrecord")
    (tmp_path / "x.tfrecord").write_bytes(whole)
    assert [where.rpartition(": ")[2] for where, _ in read_examples(tmp_path / "x.tfrecord")] == ["record 1", "record 2"]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_any_message_is_read_or_refused_as_what_is_no_message(content):
    try:
        found = parse_example(content)
    except (ValueError, IndexError, struct.error, UnicodeDecodeError):
        return
    assert isinstance(found.context, dict)


def test_a_table_of_recordings(tmp_path):
    (tmp_path / "street").mkdir()
    for name in ("street/1.wav", "2.wav"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "labels.csv").write_text("audio,split,labels\nstreet/1.wav,train,dog|car\n2.wav,test,\n")
    data = load(tmp_path)
    assert (data.modality, data.input_column, list(data.splits)) == ("audio", "audio", ["train", "test"])
    assert data.split("train")[0] == {"id": "street/1.wav", "labels": ["dog", "car"], "audio": b"street/1.wav"}
    (tmp_path / "2.wav").unlink()
    (tmp_path / "labels.csv").write_text("audio,labels\nstreet/1.wav,dog|car\n2.wav,dog\n")
    with pytest.raises(DataError, match=r"there is no recording .*2\.wav"):
        load(tmp_path)
    (tmp_path / "labels.csv").write_text("audio,labels\n../1.wav,dog|car\n")
    with pytest.raises(DataError, match=r"the recording .* lies outside the folder"):
        load(tmp_path)


def test_a_table_of_recordings_may_be_json_lines(tmp_path):
    (tmp_path / "1.wav").write_bytes(b"sound")
    (tmp_path / "labels.jsonl").write_text('{"audio": "1.wav", "id": "one", "labels": ["dog", "car"]}\n')
    assert load(tmp_path).split("train")[0] == {"id": "one", "labels": ["dog", "car"], "audio": b"sound"}


def test_frames_and_recordings_written_are_read_again(tmp_path):
    frames = np.random.default_rng(0).normal(size=(4, 3, 2)).astype(np.float32)
    given = from_rows([{"id": f"r{i}", "frames": rows, "labels": ["a", "b"][: i % 3]} for i, rows in enumerate(frames)])
    write_folder(given, tmp_path / "packs")
    again = load(tmp_path / "packs")
    assert again.split("train")[:] == given.split("train")[:]
    sounds = from_rows([{"id": "street/1", "audio": b"RIFF....", "labels": ["a", "b"]}, {"id": "2.flac", "audio": b"fLaC", "labels": []}])
    write_folder(sounds, tmp_path / "sounds")
    assert load(tmp_path / "sounds").split("train")[:] == sounds.split("train")[:]
    ragged = from_rows([{"frames": rows, "labels": ["a"]} for rows in (frames[0], frames[1][:2])])
    with pytest.raises(DataError, match="has recordings of 2 to 3 frames"):
        write_folder(ragged, tmp_path / "ragged")


def test_figures_and_excerpts_of_recordings():
    from multihot.learners.explain.previews import excerpts

    data = from_rows([{"frames": np.zeros((count, 5)), "labels": ["a"]} for count in (2, 4, 9)])
    assert describe(data).splits["train"].inputs == {"features": 5.0, "median_frames": 4.0, "most_frames": 9.0}
    ramp = from_rows([{"frames": np.arange(6.0).reshape(3, 2), "labels": ["a"]}])
    picture = Image.open(io.BytesIO(excerpts(ramp.split("train"), ramp)[0]))
    assert picture.size == (3, 2)
    assert np.asarray(picture).tolist() == [[51, 153, 255], [0, 102, 204]]


def test_a_linear_classifier_reads_means_and_deviations():
    frames = [np.array([[0.0, 1.0], [2.0, 1.0]]), np.array([[4.0, 5.0]])]
    rows = from_rows([{"frames": part, "labels": []} for part in frames]).split("train")
    features = AudioFeatures().fit_transform(rows)
    stacked = np.concatenate(frames)
    scaled = [(part - stacked.mean(0)) / stacked.std(0) for part in frames]
    np.testing.assert_allclose(features, [np.concatenate([part.mean(0), part.std(0)]) for part in scaled], atol=1e-6)
