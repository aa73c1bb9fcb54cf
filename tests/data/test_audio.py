"""Recordings become frames: log-mel against an independent computation, decoding against what was written, scales and padding."""

import io
import math

import datasets
import numpy as np
import pytest
from scipy.io import wavfile

from multihot.components import build
from multihot.data.in_memory import from_rows
from multihot.data.processors import AudioProcessor
from multihot.data.sound import log_mel, read_sound, resample
from multihot.errors import ConfigurationError, DataError

RATE = 8000


def tone(frequency: float, seconds: float = 0.5, rate: int = RATE) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate).astype(np.float32)


def wav(samples: np.ndarray, rate: int = RATE) -> bytes:
    wavfile.write(file := io.BytesIO(), rate, samples)
    return file.getvalue()


def slow_log_mel(samples: np.ndarray, rate: int, window: float, hop: float, mels: int) -> np.ndarray:
    """The definition, number by number: a Fourier sum and triangles, no FFT."""
    length, step = round(window * rate), round(hop * rate)
    size = 2 ** math.ceil(math.log2(length))
    mel = lambda f: 1127 * math.log(1 + f / 700)  # noqa: E731
    low, high = mel(125), mel(min(7500, rate / 2))
    rows = []
    for start in range(0, len(samples) - length + 1, step):
        piece = [samples[start + n] * (0.5 - 0.5 * math.cos(2 * math.pi * n / length)) for n in range(length)]
        spectrum = [abs(sum(x * np.exp(-2j * math.pi * k * n / size) for n, x in enumerate(piece))) for k in range(size // 2 + 1)]
        bands = []
        for band in range(mels):
            left, centre, right = (low + (high - low) * (band + i) / (mels + 1) for i in range(3))
            places = [mel(k * rate / size) for k in range(size // 2 + 1)]
            weights = [max(0.0, min((m - left) / (centre - left), (right - m) / (right - centre))) for m in places]
            bands.append(math.log(sum(w * s for w, s in zip(weights, spectrum, strict=True)) + 0.01))
        rows.append(bands)
    return np.array(rows)


def test_log_mel_is_its_definition():
    samples = np.random.default_rng(0).normal(size=200).astype(np.float32)
    found = log_mel(samples, RATE, window=0.008, hop=0.004, mels=5)
    np.testing.assert_allclose(found, slow_log_mel(samples, RATE, 0.008, 0.004, 5), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("frequency", [300.0, 1000.0, 2500.0])
def test_a_tone_is_loudest_in_its_own_band(frequency):
    edges = np.linspace(1127 * np.log1p(125 / 700), 1127 * np.log1p(4000 / 700), 22)[1:-1]
    nearest = np.abs(700 * np.expm1(edges / 1127) - frequency).argmin()
    assert (np.abs(log_mel(tone(frequency), RATE, mels=20).argmax(1) - nearest) <= 1).all()


@pytest.mark.parametrize("kind", ["int16", "int32", "uint8", "float32"])
def test_wav_files_of_every_depth_give_the_same_samples(kind):
    sound = 0.5 * tone(440)
    scaled = {
        "int16": sound * 2**15, "int32": sound.astype(np.float64) * 2**31, "uint8": sound * 2**7 + 2**7, "float32": sound,
    }[kind]  # fmt: skip
    samples, rate = read_sound(wav(np.round(scaled).astype(kind) if kind != "float32" else scaled), "a")
    assert rate == RATE
    np.testing.assert_allclose(samples, sound, atol=1 / 128 if kind == "uint8" else 1e-4)


def test_two_channels_are_mixed_and_flac_is_read_where_soundfile_is():
    sound = 0.5 * tone(440)
    mixed, _ = read_sound(wav(np.stack([sound, -sound], axis=1)), "a")
    assert np.abs(mixed).max() < 1e-6
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(file := io.BytesIO(), sound, RATE, format="FLAC")
    np.testing.assert_allclose(read_sound(file.getvalue(), "a")[0], sound, atol=1e-4)


def test_resampling_keeps_the_tone():
    found = resample(tone(440, rate=44_100), 44_100, 16_000)
    expected = tone(440, rate=16_000)
    assert len(found) == len(expected)
    np.testing.assert_allclose(found[200:-200], expected[200:-200], atol=0.01)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVEfmt ", wav(tone(440))[:100], wav(np.zeros(0, np.int16)), b"\0" * 50])
def test_broken_recordings_are_named(content):
    with pytest.raises((DataError, ConfigurationError), match="recording"):
        read_sound(content, "street-7")


def test_recordings_are_heard_once_and_scaled_by_the_training_frames():
    rows = from_rows([{"id": name, "audio": wav(tone(f, s)), "labels": [name]} for name, f, s in (("low", 300, 0.5), ("high", 2000, 0.3))])
    processor = AudioProcessor(sample_rate=RATE, mels=8, stack=5).fit(rows.split("train"))
    prepared = processor.prepare(rows.split("train"))
    assert "audio" not in prepared.column_names
    assert processor.length(prepared) == [math.ceil(48 / 5), math.ceil(28 / 5)]
    batch = processor.collate(list(prepared))
    assert batch["frames"].shape == (2, 10, 40)
    real = batch["frames"][batch["mask"]].double()
    assert real.mean(0).abs().max() < 1e-5
    assert (real.std(0, correction=0) - 1).abs().max() < 1e-4
    assert not batch["frames"][~batch["mask"]].any()
    assert processor.provides() == {"num_features": 40}


def test_ready_frames_survive_saving_and_are_cut_where_asked():
    rows = from_rows([{"frames": np.arange(12.0).reshape(4, 3), "labels": ["a"]}, {"frames": np.ones((2, 3)), "labels": []}])
    assert (rows.modality, rows.num_features) == ("audio", 3)
    processor = build("processor", {"name": "audio", "max_frames": 3}, num_features=3).fit(rows.split("train"))
    again = build("processor", {"name": "audio", "max_frames": 3}).load_dict(processor.to_dict())
    prepared = again.prepare(rows.split("train"))
    assert again.length(prepared) == [3, 2]
    first, second = (one.collate(list(prepared)) for one in (processor, again))
    assert all((first[name] == second[name]).all() for name in first)
    raw = AudioProcessor(standardise=False).fit(rows.split("train")).collate(list(prepared))
    assert raw["frames"][0].tolist() == np.arange(12.0).reshape(4, 3).tolist()


def test_wrong_frames_are_named():
    def rows(frames, count):
        return datasets.Dataset.from_dict({"id": ["a", "b"], "frames": [[1.0, 2.0], frames], "num_frames": [1, count]})

    for given, said in {
        rows([1.0, 2.0, 3.0], 1): "'b' has frames of 3 features where 2 are expected",
        rows([1.0, 2.0, 3.0], 2): "'b' has 2 frames with 3 values",
        rows([], 0): "'b' has 0 frames",
        rows([1.0, math.nan], 1): "'b' has a feature that is not a finite number",
    }.items():
        with pytest.raises(DataError, match=said):
            AudioProcessor().fit(given)
    with pytest.raises(DataError, match="vectors of one length"):
        from_rows([{"frames": [[1.0], [1.0, 2.0]], "labels": []}])
    with pytest.raises(ConfigurationError, match="hop must be positive, got 0"):
        AudioProcessor(hop=0)
    with pytest.raises(ConfigurationError, match="no means yet"):
        AudioProcessor().to_dict()
