"""Processors: what they learn from the training rows, and the tensors they make."""

import collections
import io
import json
import re

import datasets
import numpy as np
import pytest
import torch
from PIL import Image

from multihot.components import build, choices
from multihot.data.processors import ImageProcessor, SubwordsProcessor, TableProcessor, WordsProcessor, words
from multihot.errors import ConfigurationError, DataError


def texts(*contents):
    return datasets.Dataset.from_dict({"id": [str(i) for i in range(len(contents))], "text": list(contents)})


def on_disk(rows, folder):
    rows.save_to_disk(folder)
    return datasets.load_from_disk(folder)


def inputs(processor, rows):
    return processor.collate(list(processor.prepare(rows)))


def restored(processor, again):
    return again.load_dict(json.loads(json.dumps(processor.to_dict())))


def png(pixels, mode="L"):
    Image.fromarray(np.asarray(pixels, dtype=np.uint8), mode=mode).save(file := io.BytesIO(), format="PNG")
    return file.getvalue()


def pictures(*contents):
    return datasets.Dataset.from_dict({"id": [str(i) for i in range(len(contents))], "image": list(contents)})


def test_processors_are_found_by_name():
    assert set(choices("processor")) == {"audio", "image", "subwords", "table", "words"}
    assert build("processor", {"name": "table"}, num_features=7, label_space=None).num_features == 7


# words


def test_vocabulary_holds_training_words_by_frequency_with_ties_in_alphabetical_order():
    contents = ["the corn, the wheat", "the rye and corn", "Zea mays", ""]
    words = WordsProcessor().fit(texts(*contents)).to_dict()["words"]
    counts = collections.Counter(re.findall(r"[a-z]+|,", " ".join(contents).lower()))
    assert words == sorted(counts, key=lambda word: (-counts[word], word))


def test_vocabulary_size_and_least_count():
    rows = texts("a a a b b c c d")
    assert WordsProcessor(min_count=2).fit(rows).to_dict()["words"] == ["a", "b", "c"]
    small = WordsProcessor(max_vocabulary=4).fit(rows)
    assert small.to_dict()["words"] == ["a", "b"]
    assert small.provides()["vocabulary_size"] == len(small.provides()["vocabulary"]) == 4
    assert int(inputs(small, rows)["tokens"].max()) == 3


def test_words_and_punctuation():
    processor = WordsProcessor().fit(texts("Don't pay $3.50, naïve l\u2019eau (now)!"))
    found = sorted(processor.to_dict()["words"])
    assert found == sorted(["don't", "pay", "$", "3", ".", "50", ",", "naïve", "l\u2019eau", "(", "now", ")", "!"])
    assert "Don't" in WordsProcessor(lowercase=False).fit(texts("Don't")).to_dict()["words"]


def test_unknown_words_and_empty_texts_and_padding_only_at_the_end():
    processor = WordsProcessor().fit(texts("corn corn wheat"))
    got = inputs(processor, texts("wheat millet corn", "", "corn", "  \n"))
    assert got["tokens"].tolist() == [[3, 1, 2], [1, 0, 0], [2, 0, 0], [1, 0, 0]]
    assert got["mask"].tolist() == [[True] * 3, [True, False, False], [True, False, False], [True, False, False]]
    assert (got["tokens"].dtype, got["mask"].dtype) == (torch.int64, torch.bool)


def test_a_very_long_text_is_cut_off():
    rows = texts("corn " * 100_000, "wheat")
    processor = WordsProcessor(max_words=500).fit(rows)
    prepared = processor.prepare(rows)
    assert processor.length(prepared) == [500, 1]
    assert processor.collate(list(prepared))["tokens"].shape == (2, 500)


def test_a_second_start_reads_the_cache_and_gives_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / "cache"))
    rows = on_disk(texts(*["corn wheat and rye " * 50] * 3000), tmp_path / "rows")
    first = WordsProcessor().fit(rows)
    prepared = first.prepare(rows)
    for reads_text in ("count_words", "words_of"):
        monkeypatch.setattr(words, reads_text, lambda *_: pytest.fail("a second start reads no text"))
    second = WordsProcessor().fit(rows)
    again = second.prepare(rows)
    assert second.to_dict() == first.to_dict()
    assert again.cache_files == prepared.cache_files
    assert again[7] == prepared[7]


def test_another_vocabulary_is_another_entry_of_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / "cache"))
    rows = on_disk(texts("corn wheat", "rye"), tmp_path / "rows")
    a, b = WordsProcessor().fit(texts("corn")), WordsProcessor().fit(texts("rye rye wheat"))
    assert [row["tokens"] for row in a.prepare(rows)] == [[2, 1], [1]]
    assert [row["tokens"] for row in b.prepare(rows)] == [[1, 3], [2]]


def test_words_survive_json():
    processor = WordsProcessor().fit(texts("corn wheat, naïve"))
    again = restored(processor, WordsProcessor())
    rows = texts("naïve corn", "millet")
    assert torch.equal(inputs(again, rows)["tokens"], inputs(processor, rows)["tokens"])
    assert again.provides() == processor.provides()


def test_words_refuse_unusable_settings_and_use_before_fit():
    with pytest.raises(ConfigurationError, match="max_words must be at least 1, got 0"):
        WordsProcessor(max_words=0)
    with pytest.raises(ConfigurationError, match="call fit"):
        WordsProcessor().prepare(texts("a"))


# subwords


@pytest.fixture(scope="module")
def tokeniser_folder(tmp_path_factory):
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    names = ["[UNK]", "[CLS]", "[SEP]", "corn", "wheat", "[PAD]"]  # padding is not 0 on purpose
    backend = tokenizers.Tokenizer(tokenizers.models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="[UNK]"))
    backend.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    backend.post_processor = tokenizers.processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]", pad_token="[PAD]")
    folder = tmp_path_factory.mktemp("tokeniser")
    fast.save_pretrained(folder)
    return folder


def test_subwords_keep_the_tokenisers_own_padding_and_special_tokens(tokeniser_folder):
    processor = SubwordsProcessor(tokeniser_folder, max_tokens=4).fit(None)
    rows = texts("corn wheat corn wheat", "", "millet")
    prepared = processor.prepare(rows)
    got = processor.collate(list(prepared))
    assert got["tokens"].tolist() == [[1, 3, 4, 2], [1, 2, 5, 5], [1, 0, 2, 5]]
    assert got["mask"].tolist() == [[True] * 4, [True, True, False, False], [True, True, True, False]]
    assert processor.length(prepared) == [4, 2, 3]
    assert processor.provides() == {"pretrained": str(tokeniser_folder)}


def test_subwords_recognise_another_tokeniser(tokeniser_folder, tmp_path):
    processor = SubwordsProcessor(tokeniser_folder)
    again = restored(processor, SubwordsProcessor(tokeniser_folder))
    assert torch.equal(inputs(again, texts("corn"))["tokens"], inputs(processor, texts("corn"))["tokens"])
    content = json.loads((tokeniser_folder / "tokenizer.json").read_text())
    content["model"]["vocab"]["barley"] = 6
    for file in tokeniser_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(ConfigurationError, match="not the one this run was trained with"):
        restored(processor, SubwordsProcessor(tmp_path)).prepare(texts("corn"))


def test_a_missing_tokeniser_is_named(tmp_path):
    pytest.importorskip("transformers")
    with pytest.raises(ConfigurationError, match=r"there is no tokeniser at .*nowhere") as caught:
        SubwordsProcessor(tmp_path / "nowhere").fit(None)
    assert "\n" not in str(caught.value)


# table


def dense(*features):
    return datasets.Dataset.from_dict({"id": [f"row-{i}" for i in range(len(features))], "features": [list(row) for row in features]})


def sparse_rows(*rows):
    columns = {"indices": [[i for i, _ in row] for row in rows], "values": [[v for _, v in row] for row in rows]}
    features = datasets.Features(
        {
            "id": datasets.Value("string"),
            "indices": datasets.Sequence(datasets.Value("int32")),
            "values": datasets.Sequence(datasets.Value("float32")),
        }
    )
    return datasets.Dataset.from_dict({"id": [f"row-{i}" for i in range(len(rows))], **columns}, features=features)


def test_dense_features_are_standardised_like_scikit_learn():
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(0)
    train, test = random.normal(1e4, [1, 5, 0.1], size=(500, 3)), random.normal(1e4, 3, size=(20, 3))
    train[:, 2] = 4.0  # never varies
    processor = TableProcessor().fit(dense(*train))
    expected = StandardScaler().fit(train).transform(test)
    np.testing.assert_allclose(inputs(processor, dense(*test))["features"].numpy(), expected, rtol=1e-4, atol=1e-3)
    assert inputs(processor, dense(*test))["features"].dtype == torch.float32
    assert processor.provides() == {"num_features": 3}


def test_features_can_be_left_as_they_are():
    processor = TableProcessor(standardise=False).fit(dense([1, 2], [3, 4]))
    assert inputs(processor, dense([5, 6]))["features"].tolist() == [[5, 6]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_features_that_are_no_numbers_are_refused(value):
    with pytest.raises(DataError, match=r"row 'row-1': feature 0 is .*missing: mean"):
        TableProcessor().fit(dense([1, 2], [value, 4]))
    processor = TableProcessor().fit(dense([1, 2], [3, 4]))
    with pytest.raises(DataError, match="row 'row-0': feature 1 is"):
        processor.prepare(dense([1, value]))


def test_missing_features_get_the_training_mean():
    processor = TableProcessor(missing="mean").fit(dense([1, 2], [3, np.nan], [np.nan, 6]))
    raw = TableProcessor(missing="mean", standardise=False).fit(dense([1, 2], [3, np.nan], [np.nan, 6]))
    assert inputs(processor, dense([np.nan, np.nan]))["features"].tolist() == [[0, 0]]
    assert inputs(raw, dense([np.nan, 7]))["features"].tolist() == [[2, 7]]
    with pytest.raises(ConfigurationError, match="did you mean 'mean'"):
        TableProcessor(missing="means")


def test_rows_of_another_width_are_refused():
    processor = TableProcessor().fit(dense([1, 2], [3, 4]))
    with pytest.raises(DataError, match="row 'row-0' has 3 features where 2 are expected"):
        processor.prepare(dense([1, 2, 3]))


def test_sparse_features_are_scaled_by_their_largest_magnitude_and_padded_at_the_end():
    train = sparse_rows([(0, 2.0), (3, -4.0)], [(3, 1.0)])
    processor = TableProcessor(num_features=5).fit(train)
    rows = sparse_rows([(0, 1.0), (3, 2.0), (4, 7.0)], [], [(3, -4.0)])
    got = inputs(processor, rows)
    assert got["indices"].tolist() == [[0, 3, 4], [0, 0, 0], [3, 0, 0]]
    assert got["values"].tolist() == [[0.5, 0.5, 7.0], [0, 0, 0], [-1, 0, 0]]
    assert (got["indices"].dtype, got["values"].dtype) == (torch.int64, torch.float32)
    assert processor.length(rows) == [3, 0, 1]
    assert inputs(processor, sparse_rows([], []))["indices"].shape == (2, 1)


def test_the_number_of_sparse_features_comes_from_training_unless_stated():
    train = sparse_rows([(0, 2.0), (3, -4.0)], [(3, 1.0)])
    assert TableProcessor().fit(train).provides() == {"num_features": 4}
    with pytest.raises(DataError, match="row 'row-1' has a feature 4 outside 0 to 3; state the number of features"):
        TableProcessor().fit(train).prepare(sparse_rows([(0, 1.0)], [(4, 1.0)]))
    with pytest.raises(DataError, match="row 'row-1' has a feature value that is not a finite number"):
        TableProcessor().fit(sparse_rows([(0, 1.0)], [(1, np.nan)]))


def test_tables_survive_json():
    random = np.random.default_rng(1)
    rows = dense(*random.normal(size=(30, 4)))
    processor = TableProcessor().fit(rows)
    again = restored(processor, TableProcessor())
    assert torch.equal(inputs(again, rows)["features"], inputs(processor, rows)["features"])
    assert again.provides() == {"num_features": 4}
    with pytest.raises(ConfigurationError, match="call fit"):
        TableProcessor().to_dict()


# images


def test_pictures_become_numbers_between_0_and_1():
    grey = pictures(png([[0, 255], [51, 102]]), png([[1, 2], [3, 4]]))
    processor = ImageProcessor().fit(grey)
    got = inputs(processor, grey)["image"]
    assert processor.provides() == {"image_shape": (1, 2, 2)}
    assert got.shape == (2, 1, 2, 2)
    np.testing.assert_allclose(got[0, 0].numpy(), [[0, 1], [0.2, 0.4]], rtol=1e-6)
    assert processor.length(grey) is None


def test_colour_pictures_have_three_channels_first_and_grey_ones_join_them():
    colour = np.arange(12).reshape(2, 2, 3) * 20
    rows = pictures(png(colour, "RGB"), png([[255, 0], [0, 0]]))
    got = inputs(ImageProcessor().fit(rows), rows)["image"]
    np.testing.assert_allclose(got[0].numpy(), colour.transpose(2, 0, 1) / 255, rtol=1e-6)
    assert got[1, :, 0, 0].tolist() == [1, 1, 1]


def test_sixteen_bit_grey_is_scaled_not_cut_off():
    Image.fromarray(np.full((2, 2), 256 * 128, dtype=np.uint16)).save(file := io.BytesIO(), format="PNG")
    rows = pictures(file.getvalue())
    np.testing.assert_allclose(inputs(ImageProcessor().fit(rows), rows)["image"].numpy(), 128 / 255, atol=1e-6)


def test_pictures_of_one_size_stay_as_they_are_and_others_are_stretched():
    rows = pictures(png(np.zeros((2, 3))), png(np.ones((4, 3))))
    apart = ImageProcessor().fit(rows)
    assert inputs(apart, rows)["image"].shape == (2, 1, 64, 64)
    assert apart.remark == "pictures   of 2 sizes, stretched to 64 x 64 pixels (method.processor.size)"
    alike = ImageProcessor().fit(rows.select([1]))
    assert alike.image_shape == (1, 4, 3)
    assert alike.remark == "pictures   all of 4 x 3 pixels, left so (method.processor.size)"
    assert alike.collate([{"id": "new", "image": png(np.zeros((2, 3)))}])["image"].shape == (1, 1, 4, 3)
    large = pictures(png(np.zeros((2, 257))))
    assert ImageProcessor().fit(large).image_shape == (1, 64, 64)
    assert ImageProcessor(largest_kept=257).fit(large).image_shape == (1, 2, 257)
    assert ImageProcessor(usual_size=[5, 7]).fit(large).image_shape == (1, 5, 7)


def test_a_size_that_is_given_holds_and_is_not_remarked_on():
    rows = pictures(png(np.zeros((2, 3))), png(np.ones((4, 3))))
    assert inputs(ImageProcessor(size=5).fit(rows), rows)["image"].shape == (2, 1, 5, 5)
    assert inputs(ImageProcessor(size=[4, 6]).fit(rows), rows)["image"].shape == (2, 1, 4, 6)
    assert ImageProcessor(size=5).fit(rows).remark == ""
    with pytest.raises(ConfigurationError, match="size must be a positive number"):
        ImageProcessor(size=0)


def test_the_whole_of_a_stretched_picture_is_in_view():
    marked = np.zeros((40, 400))
    marked[:, :8], marked[:, -8:] = 255, 255
    got = inputs(ImageProcessor(size=50).fit(pictures(png(marked))), pictures(png(marked)))["image"][0, 0]
    assert min(got[:, 0].min(), got[:, -1].min()) > 0.8
    assert got[:, 5:-5].max() == 0


def test_broken_pictures_are_named():
    whole = png(np.random.default_rng(0).integers(0, 255, (40, 40)))
    with pytest.raises(DataError, match="picture '1' is in no format that Pillow reads"):
        ImageProcessor().fit(pictures(whole, b"no picture"))
    with pytest.raises(DataError, match="picture '7' is broken"):
        ImageProcessor().fit(pictures(whole)).collate([{"id": "7", "image": whole[: len(whole) // 2]}])


def test_pictures_survive_json():
    rows = pictures(png([[9, 8], [7, 6]]))
    processor = ImageProcessor().fit(rows)
    again = restored(processor, ImageProcessor())
    assert torch.equal(inputs(again, rows)["image"], inputs(processor, rows)["image"])
    assert again.provides() == processor.provides()
    with pytest.raises(ConfigurationError, match="call fit"):
        ImageProcessor().provides()
