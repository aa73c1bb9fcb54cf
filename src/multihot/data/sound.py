"""From an encoded recording to log-mel frames: what the ear makes of it, roughly."""

from __future__ import annotations

import io
from functools import cache
from math import gcd

import numpy as np
from jaxtyping import Float

from ..errors import ConfigurationError, DataError
from .formats.limits import check_unpacked

LOWEST, HIGHEST = 125.0, 7500.0  # Hz; what speech and most sounds around us need
SILENCE = 1e-2  # added before the logarithm, so that silence is no minus infinity
INTEGER_SCALES = {"i": lambda kind: float(np.iinfo(kind).max) + 1.0, "u": lambda kind: (float(np.iinfo(kind).max) + 1.0) / 2}


def read_sound(content: bytes, name: str) -> tuple[Float[np.ndarray, " n"], int]:
    """The samples of a WAV or FLAC file, mixed down to one channel.

    Args:
        content: the encoded file.
        name: the row, for error messages.

    Returns:
        Samples in [-1, 1], and how many there are a second.

    Raises:
        DataError: if the file is broken, empty or of another kind.
        ConfigurationError: if it is not WAV and soundfile is not installed.
    """
    try:
        samples, rate = _read_wav(content) if content[:4] in (b"RIFF", b"RIFX", b"RF64") else _read_other(content)
    except ConfigurationError:
        raise
    except Exception as error:  # scipy and libsndfile raise errors of many kinds for broken files
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"recording '{name}' cannot be read ({reason}); give a whole WAV or FLAC file") from error
    if samples.ndim > 1:
        samples = samples.mean(axis=1)
    if not len(samples) or rate < 1:
        raise DataError(f"recording '{name}' holds no sound; leave it out")
    if not np.isfinite(samples).all():
        raise DataError(f"recording '{name}' holds samples that are not finite numbers; leave it out or put in a whole copy")
    return samples.astype(np.float32), int(rate)


def resample(samples: Float[np.ndarray, " n"], rate: int, wanted: int) -> Float[np.ndarray, " m"]:
    """The same sound with ``wanted`` samples a second, filtered so that nothing folds over."""
    from scipy.signal import resample_poly

    if rate == wanted:
        return samples
    shared = gcd(rate, wanted)
    return resample_poly(samples, wanted // shared, rate // shared).astype(np.float32)


def log_mel(
    samples: Float[np.ndarray, " n"], rate: int, window: float = 0.025, hop: float = 0.01, mels: int = 64
) -> Float[np.ndarray, "T M"]:
    """``log(A |FFT(w x)| + 0.01)``: the loudness of mel bands from moment to moment.

    w is a Hann window and A holds triangles, equally wide on the mel scale ``m(f) = 1127 log(1 + f / 700)``, as in Hershey et al. 2017,
    "CNN Architectures for Large-Scale Audio Classification".

    Args:
        samples: in [-1, 1]; a sound shorter than a window is filled up with silence.
        rate: samples a second.
        window: seconds a moment lasts.
        hop: seconds from one moment to the next.
        mels: number M of bands.

    Returns:
        (T, M), T = 1 + floor((n - window) / hop).

    >>> log_mel(np.zeros(16_000, dtype=np.float32), rate=16_000).shape
    (98, 64)
    """
    length, step = max(round(window * rate), 1), max(round(hop * rate), 1)
    size = 1 << (length - 1).bit_length()
    padded = np.pad(samples, (0, max(length - len(samples), 0)))
    moments = np.lib.stride_tricks.sliding_window_view(padded, length)[::step]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    magnitudes = np.abs(np.fft.rfft(moments * hann, size, axis=1))
    return np.log(magnitudes @ mel_filters(size // 2 + 1, rate, mels) + SILENCE).astype(np.float32)


@cache
def mel_filters(bins: int, rate: int, mels: int) -> Float[np.ndarray, "K M"]:
    """(K, M): how much each of the K frequencies from 0 to ``rate / 2`` counts for each band."""
    highest = min(HIGHEST, rate / 2)
    edges = np.linspace(_mel(min(LOWEST, highest / 2)), _mel(highest), mels + 2)
    places = _mel(np.linspace(0, rate / 2, bins))[:, None]
    below, centre, above = edges[:-2], edges[1:-1], edges[2:]
    return np.clip(np.minimum((places - below) / (centre - below), (above - places) / (above - centre)), 0, None)


def _mel(frequency: Float[np.ndarray, " n"] | float) -> Float[np.ndarray, " n"]:
    return np.asarray(1127.0 * np.log1p(np.asarray(frequency) / 700.0))


def _read_wav(content: bytes) -> tuple[np.ndarray, int]:
    import warnings

    from scipy.io import wavfile

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wavfile.WavFileWarning)  # chunks of remarks that it does not know
        rate, samples = wavfile.read(io.BytesIO(content))
    if samples.dtype.kind == "f":
        return samples, rate
    scale = INTEGER_SCALES[samples.dtype.kind](samples.dtype)
    centred = samples.astype(np.float64) - (scale if samples.dtype.kind == "u" else 0.0)
    return centred / scale, rate


def _read_other(content: bytes) -> tuple[np.ndarray, int]:
    try:
        import soundfile
    except ImportError as error:
        raise ConfigurationError('recordings other than WAV need soundfile; install it with pip install "multihot[audio]"') from error
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        check_unpacked(4 * file.frames * file.channels, len(content), "the recording")
        return file.read(dtype="float32"), file.samplerate
