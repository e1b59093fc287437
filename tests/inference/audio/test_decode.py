"""The decoder's door: every format, every kind of broken file, bounded memory, no noise."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from inference.audio.decode import AudioError, Cancelled, decode_blocks, probe
from tests.audio_files import tiny_png

FS = 16000
MakeAudio = Callable[..., Path]


def decoded(path: Path, **options: float) -> NDArray[np.float32]:
    with decode_blocks(path, **options) as blocks:  # type: ignore[arg-type]
        return np.concatenate(list(blocks))


def pitch_hz(samples: NDArray[np.float32], fs_hz: int = FS) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return float(np.argmax(spectrum)) * fs_hz / samples.size


def tone(seconds: float, fs_hz: int, frequency_hz: float = 440.0) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * fs_hz)) / fs_hz)


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "opus", "m4a", "wav"])
def test_every_format_gives_its_tone_at_16_khz(make_audio: MakeAudio, suffix: str) -> None:
    path = make_audio(f"song.{suffix}", duration_s=2.0, fs_hz=48000, frequency_hz=440.0)
    info = probe(path)
    samples = decoded(path)
    assert samples.dtype == np.float32
    assert samples.size == pytest.approx(2.0 * FS, abs=0.1 * FS)
    assert pitch_hz(samples) == pytest.approx(440.0, abs=1.0)
    assert info.fs_hz == 48000
    assert info.channels == 2
    assert info.duration_s == pytest.approx(2.0, abs=0.1)
    assert info.codec


@pytest.mark.parametrize("fs_hz", [8000, 11025, 22050, 44100, 96000, 192000])
def test_any_rate_is_resampled(tmp_path: Path, fs_hz: int) -> None:
    path = tmp_path / "tone.flac"
    soundfile.write(path, tone(1.0, fs_hz), fs_hz)
    samples = decoded(path)
    assert samples.size == pytest.approx(FS, abs=2)
    assert pitch_hz(samples) == pytest.approx(440.0, abs=1.0)
    assert np.abs(samples[2000:-2000]).max() == pytest.approx(0.5, abs=0.005)


def test_what_lies_above_the_new_nyquist_frequency_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "high.flac"
    soundfile.write(path, tone(1.0, 44100, 11000.0), 44100)
    assert np.abs(decoded(path)[1000:-1000]).max() < 1e-3


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_sample_format_has_the_same_level(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(0.5, FS), FS, subtype=subtype)
    np.testing.assert_allclose(decoded(path), tone(0.5, FS), atol=0.01)


def test_blocks_have_the_asked_length_and_join_without_seams(make_audio: MakeAudio) -> None:
    path = make_audio("noise.flac", duration_s=5.3, kind="noise")
    with decode_blocks(path, block_s=2.0) as blocks:
        parts = list(blocks)
    assert [part.size for part in parts[:-1]] == [32000, 32000]
    np.testing.assert_array_equal(np.concatenate(parts), decoded(path))


def test_stereo_is_averaged_and_a_dead_channel_halves(tmp_path: Path) -> None:
    left = tone(0.5, FS)
    soundfile.write(tmp_path / "dead.wav", np.stack([left, 0 * left], 1), FS, subtype="FLOAT")
    np.testing.assert_allclose(decoded(tmp_path / "dead.wav"), left / 2, atol=1e-6)


def write_av(path: Path, layout: str, planes: NDArray[np.float32], codec: str, rate: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
        frame.sample_rate = rate
        resampler = av.AudioResampler(
            format=stream.codec_context.format, layout=layout, rate=rate, frame_size=1024
        )
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def test_surround_is_mixed_as_loud_as_stereo_without_the_bass_channel(tmp_path: Path) -> None:
    planes = np.zeros((6, 2 * 48000), np.float32)
    planes[0] = planes[1] = tone(2.0, 48000, 440.0)  # front left and right
    planes[3] = tone(2.0, 48000, 60.0)  # LFE
    write_av(tmp_path / "surround.flac", "5.1", planes, "flac", 48000)
    assert probe(tmp_path / "surround.flac").channels == 6
    samples = decoded(tmp_path / "surround.flac")
    np.testing.assert_allclose(samples[1000:30000], tone(2.0, FS)[1000:30000], atol=0.01)


def test_a_stream_that_changes_its_rate_keeps_its_pitch(tmp_path: Path) -> None:
    parts = []
    for fs_hz in (44100, 22050):
        soundfile.write(tmp_path / "part.mp3", tone(2.0, fs_hz), fs_hz)
        parts.append((tmp_path / "part.mp3").read_bytes())
    (tmp_path / "both.mp3").write_bytes(b"".join(parts))
    samples = decoded(tmp_path / "both.mp3")
    assert samples.size == pytest.approx(4.0 * FS, abs=0.3 * FS)
    assert pitch_hz(samples[4000:28000]) == pytest.approx(440.0, abs=1.0)
    assert pitch_hz(samples[-28000:-4000]) == pytest.approx(440.0, abs=1.0)


def test_wrong_extension_cover_and_odd_names_do_not_matter(make_audio: MakeAudio) -> None:
    path = make_audio("song.mp3", cover=tiny_png())
    for name in (b"song.flac", b"Act 1: Fire.mp3", b"http:x.mp3", b"\xff\xe9.mp3", b"a%20b?#.mp3"):
        other = Path(os.fsdecode(os.fsencode(path.parent) + b"/" + name))
        path.replace(other)
        assert pitch_hz(decoded(other)) == pytest.approx(440.0, abs=1.0)
        path = other


def test_the_sound_of_a_video_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "video.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width = video.height = 32
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=FS, layout="mono")
        for _ in range(10):
            picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        pcm = (tone(1.0, FS) * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = FS
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    assert pitch_hz(decoded(path)) == pytest.approx(440.0, abs=1.0)


def test_nan_infinity_and_absurd_levels_are_tamed(tmp_path: Path) -> None:
    samples = tone(1.0, FS)
    samples[[100, 200, 300, 400]] = [np.nan, np.inf, -np.inf, 1e30]
    soundfile.write(tmp_path / "bad.wav", samples, FS, subtype="FLOAT")
    result = decoded(tmp_path / "bad.wav")
    assert np.isfinite(result).all()
    assert np.abs(result).max() <= 4.0
    np.testing.assert_allclose(result[1000:], samples[1000:], atol=1e-6)


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "opus"])
def test_a_truncated_file_gives_what_it_has(make_audio: MakeAudio, suffix: str) -> None:
    path = make_audio(f"song.{suffix}", duration_s=6.0, fs_hz=48000, kind="noise")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 1.5 < decoded(path).size / FS < 4.0


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "flac", "m4a"])
def test_broken_frames_in_the_middle_are_skipped(make_audio: MakeAudio, suffix: str) -> None:
    path = make_audio(f"song.{suffix}", duration_s=8.0, kind="noise", cover=None)
    data = bytearray(path.read_bytes())
    middle, length = len(data) // 2, len(data) // 8
    data[middle : middle + length] = np.random.default_rng(1).bytes(length)
    path.write_bytes(data)
    with decode_blocks(path) as blocks:
        samples = np.concatenate(list(blocks))
        faults = blocks.faults
    assert 6.0 < samples.size / FS < 9.0
    assert np.isfinite(samples).all()
    if suffix in ("mp3", "m4a"):  # the others jump over what they cannot read
        assert faults > 0


@pytest.mark.parametrize("fs_hz", [1, 50, 2**31 - 1])
def test_absurd_rates_are_refused_before_they_become_days_of_audio(
    tmp_path: Path, fs_hz: int
) -> None:
    path = tmp_path / "slow.wav"
    soundfile.write(path, tone(1.0, FS), FS)
    data = bytearray(path.read_bytes())
    data[24:32] = struct.pack("<II", fs_hz, min(2 * fs_hz, 2**32 - 1))
    path.write_bytes(data)
    with pytest.raises(AudioError, match="nothing in slow"):
        decoded(path)


def test_0_2_seconds_are_decoded(make_audio: MakeAudio) -> None:
    assert decoded(make_audio("short.wav", duration_s=0.2)).size == 3200


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.mp3", b"", "empty.mp3 is empty"),
        ("text.mp3", b"This is a text.\n" * 500, "not audio"),
        ("list.mp3", b"#EXTM3U\n#EXTINF:10,\n/etc/passwd\n", "not audio"),
        ("concat.mp3", b"ffconcat version 1.0\nfile 'song.flac'\n", "not audio"),
        ("noise.mp3", np.random.default_rng(3).bytes(50000), "noise.mp3"),
        ("cover.mp3", tiny_png(), "cover.mp3"),
        ("riff.wav", b"RIFF\x00\x00\x00\x00WAVEfmt ", "riff.wav"),
        ("bad\n\x1b[31m.mp3", b"", "bad\ufffd\ufffd[31m.mp3 is empty"),
    ],
)
def test_what_is_not_audio_says_so(
    make_audio: MakeAudio, tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    make_audio("song.flac")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AudioError) as caught:
        decoded(tmp_path / name)
    assert says in str(caught.value)
    assert caught.value.remedy


def test_what_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="No such file"):
        decoded(tmp_path / "missing.mp3")
    with pytest.raises(AudioError, match="a folder"):
        probe(tmp_path)
    with pytest.raises(AudioError, match="not a file name"):
        probe("nul\0.mp3")
    os.mkfifo(tmp_path / "pipe.mp3")
    with pytest.raises(AudioError, match="not a regular file"):
        probe(tmp_path / "pipe.mp3")


def test_a_video_without_sound_holds_no_audio(tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    with pytest.raises(AudioError, match="holds no audio"):
        probe(path)


def test_decoding_stops_when_asked(make_audio: MakeAudio) -> None:
    asked = iter([False, False, True])
    with (
        decode_blocks(
            make_audio("song.flac", duration_s=20.0),
            block_s=1.0,
            cancelled=lambda: next(asked),
        ) as blocks,
        pytest.raises(Cancelled),
    ):
        for _ in blocks:
            pass
    assert blocks.samples < 5 * FS


def test_closing_ends_the_blocks(make_audio: MakeAudio) -> None:
    blocks = decode_blocks(make_audio("song.wav", duration_s=3.0), block_s=1.0)
    assert next(blocks).size == FS
    blocks.close()
    blocks.close()
    assert list(blocks) == []


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 8000, 1, "PCM_U8") as file:
        for _ in range(40):
            file.write(tone(60.0, 8000))
    tracemalloc.start()
    try:
        with decode_blocks(path) as blocks:
            minutes = sum(1 for _ in blocks)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert minutes == 40
    assert peak < 20e6


def test_broken_files_leave_stderr_alone(make_audio: MakeAudio) -> None:
    paths = []
    for suffix in ("mp3", "ogg", "flac", "m4a", "opus"):
        path = make_audio(f"song.{suffix}", duration_s=4.0, fs_hz=48000, kind="noise")
        data = bytearray(path.read_bytes())
        data[len(data) // 2 : len(data) // 2 + 3000] = np.random.default_rng(2).bytes(3000)
        path.write_bytes(data)
        paths.append(str(path))
    script = (
        "import sys\nfrom inference.audio.decode import *\n"
        "for path in sys.argv[1:]:\n"
        "    try: list(decode_blocks(path))\n"
        "    except AudioError: pass\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, *paths], capture_output=True, text=True, timeout=60
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
