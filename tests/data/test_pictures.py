"""Every kind of picture is handled, or named in one line."""

import io

import numpy as np
import pytest
from PIL import Image

from multihot.data.pictures import decode, open_picture, size_of
from multihot.errors import DataError

COLOURS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    image.save(file := io.BytesIO(), format=kind, **options)
    return file.getvalue()


def pixels(content: bytes, grey: bool = False, wanted=None) -> np.ndarray:
    return np.asarray(decode(open_picture(content, "a"), grey, "a", wanted)).astype(int)


def test_a_palette_becomes_its_colours():
    picture = Image.fromarray(COLOURS).quantize(4)
    expected = np.asarray(picture.getpalette()).reshape(-1, 3)[np.asarray(picture)]
    np.testing.assert_array_equal(pixels(encoded(picture)), expected)


def test_cmyk_becomes_rgb():
    inks = np.full((4, 4, 4), (0, 255, 255, 0), dtype=np.uint8)  # no cyan, full magenta and yellow: red
    found = pixels(encoded(Image.fromarray(inks, mode="CMYK"), "TIFF"))
    np.testing.assert_array_equal(found, np.full((4, 4, 3), (255, 0, 0)))
    assert np.abs(pixels(encoded(Image.fromarray(inks, mode="CMYK"), "JPEG", quality=100)) - (255, 0, 0)).max() < 8


@pytest.mark.parametrize(("kind", "order"), [("PNG", "<u2"), ("TIFF", "<u2"), ("TIFF", ">u2")])
def test_sixteen_bits_are_scaled(kind, order):
    values = np.arange(24, dtype=np.uint16).reshape(4, 6) * 2700
    picture = Image.fromarray(values) if order == "<u2" else Image.frombytes("I;16B", (6, 4), values.astype(">u2").tobytes())
    np.testing.assert_array_equal(pixels(encoded(picture, kind), grey=True), values // 256)
    np.testing.assert_array_equal(pixels(encoded(picture, kind))[..., 1], values // 256)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_what_is_transparent_turns_white(mode):
    alpha = np.where(np.arange(8) < 4, 0, 255).astype(np.uint8) * np.ones((6, 1), dtype=np.uint8)
    picture = Image.fromarray(np.dstack([COLOURS, alpha])).convert(mode) if mode != "PA" else None
    if picture is None:
        picture = Image.fromarray(np.where(alpha > 0, 1, 0).astype(np.uint8), mode="P")
        picture.putpalette([9, 9, 9, 200, 0, 0])
        picture.info["transparency"] = 0
    found = pixels(encoded(picture))
    assert (found[:, :4] == 255).all()
    if mode == "RGBA":
        np.testing.assert_array_equal(found[:, 4:], COLOURS[:, 4:])
    if mode == "PA":
        np.testing.assert_array_equal(found[:, 4:], np.full((6, 4, 3), (200, 0, 0)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_a_camera_took_on_its_side_stands_upright(kind, orientation):
    upright = np.zeros((40, 60, 3), dtype=np.uint8)
    upright[:20, :30], upright[20:, 30:] = (255, 0, 0), (0, 0, 255)
    turns = {1: 0, 2: "h", 3: 180, 4: "v", 5: "t", 6: 90, 7: "a", 8: 270}  # EXIF 2.3, table of Orientation, read from stored to seen
    seen = {"h": np.fliplr, "v": np.flipud, "t": lambda a: a.transpose(1, 0, 2), "a": lambda a: np.rot90(a, 2).transpose(1, 0, 2)}
    turn = turns[orientation]
    stored = seen[turn](upright) if isinstance(turn, str) else np.rot90(upright, turn // 90)  # each undoes itself, but the quarter turns
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.fromarray(np.ascontiguousarray(stored)), kind, exif=exif)
    assert size_of(open_picture(content, "a")) == (40, 60)
    assert np.abs(pixels(content) - upright).mean() < 6
    assert np.abs(pixels(content, wanted=(60, 40)) - upright).mean() < 6


@pytest.mark.parametrize("mode", ["I", "F"])
def test_numbers_without_a_white_are_named(mode):
    with pytest.raises(DataError, match=f"picture 'a' holds 32-bit numbers .mode {mode}."):
        pixels(encoded(Image.fromarray(np.ones((2, 2))).convert(mode), "TIFF"))


def test_a_huge_picture_is_named(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    with pytest.raises(DataError, match=r"picture 'a' is too large .*48 pixels"):
        open_picture(encoded(Image.fromarray(COLOURS)), "a")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)  # Pillow warns from here on, and refuses at twice as many
    assert open_picture(encoded(Image.fromarray(COLOURS)), "a").size == (8, 6)


def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size():
    smooth = np.linspace(0, 255, 1600).astype(np.uint8) * np.ones((1200, 1), dtype=np.uint8)
    content = encoded(Image.fromarray(smooth), "JPEG", quality=95)
    small = decode(open_picture(content, "a"), True, "a", (100, 75))
    assert 200 <= small.size[0] < 1600
    near, exact = (np.asarray(image.resize((100, 75), 2)).astype(int) for image in (small, Image.fromarray(smooth)))
    assert np.abs(near - exact).max() <= 2


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"])
def test_cut_short_or_altered_is_named_or_read(kind):
    whole = encoded(Image.fromarray(COLOURS), kind)
    random = np.random.default_rng(1)
    for _ in range(30):
        content = bytearray(whole[: random.integers(0, len(whole) + 1)])
        for place in random.integers(0, max(len(content), 1), 3):
            content[place : place + 1] = bytes([random.integers(0, 256)])[: len(content[place : place + 1])]
        outcome = ""
        try:
            assert pixels(bytes(content)).ndim == 3
        except DataError as error:
            outcome = str(error)
        assert not outcome or outcome.startswith("picture 'a' ")
    with pytest.raises(DataError, match=r"picture 'a' is (broken|in no format)"):
        pixels(whole[: len(whole) // 3])
    with pytest.raises(DataError, match="in no format that Pillow reads, but NoneType"):
        open_picture(None, "a")
