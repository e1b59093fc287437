"""libVLC itself: its module, one instance with our options, its version. The door of `vlc`."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.playback.sound import BANDS_HZ, Equaliser, EqualiserPreset
from inference.errors import UndertoneError

__all__ = ["NEUTRAL_PREAMP_DB", "EngineStart", "PlaybackUnavailableError", "VlcEngine"]

_OPTIONS = (
    "--no-video",
    "--no-spu",
    "--no-lua",
    "--no-video-title-show",
    "--no-metadata-network-access",
    "--no-interact",
    "--intf=dummy",
    "--audio-replay-gain-mode=none",  # instance-wide in libVLC: applied by us instead
    "--quiet",
)
_APT = "Install it with: sudo apt install libvlc5 vlc-plugin-base"


NEUTRAL_PREAMP_DB = 12.0
"""libVLC's equaliser takes in a quarter of the sound (equalizer.c, EQZ_IN_FACTOR): a flat curve is
12 dB softer unless its preamplification is 12 dB. Ours is 0 dB there."""


class PlaybackUnavailableError(UndertoneError):
    """libVLC is not there or does not start."""


@dataclass(frozen=True, slots=True)
class VlcEngine:
    """A libVLC that has been started.

    Attributes
    ----------
    vlc : module
        python-vlc.
    instance : vlc.Instance
    name : str
        With the version, for people.
    presets : tuple of EqualiserPreset
        The curves that libVLC brings.
    """

    vlc: Any
    instance: Any
    name: str
    presets: tuple[EqualiserPreset, ...] = ()

    @classmethod
    def start(cls, options: Sequence[str] = ()) -> VlcEngine:
        """Load libVLC and its plugins: a tenth of a second, without holding the interpreter.

        Parameters
        ----------
        options : sequence of str
            More options for libVLC, such as ``--aout=dummy``.

        Raises
        ------
        PlaybackUnavailableError
            If libVLC or its plugins are missing; the remedy names the packages.
        """
        vlc = _import_vlc()
        try:
            instance = vlc.Instance([*_OPTIONS, *options])
            version = vlc.libvlc_get_version().decode("ascii", "replace")
        except (NameError, AttributeError, OSError):
            instance = None
        if instance is None:
            raise PlaybackUnavailableError("libVLC, which plays the music, does not start", _APT)
        return cls(vlc, instance, f"libVLC {version.split()[0]}", _presets(vlc))


class EngineStart:
    """Starts libVLC on a thread of its own, while the window is made."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        self._options = tuple(options)
        self._engine: VlcEngine | None = None
        self._fault: PlaybackUnavailableError | None = None
        self._thread = threading.Thread(target=self._run, name="vlc-start", daemon=True)
        self._thread.start()

    def wait(self) -> VlcEngine:
        """The engine, once it is there.

        Raises
        ------
        PlaybackUnavailableError
            As `VlcEngine.start`.
        """
        self._thread.join()
        if self._engine is None:
            raise self._fault or PlaybackUnavailableError("libVLC did not start", _APT)
        return self._engine

    def _run(self) -> None:
        try:
            self._engine = VlcEngine.start(self._options)
        except PlaybackUnavailableError as fault:
            self._fault = fault


def _presets(vlc: Any) -> tuple[EqualiserPreset, ...]:
    found = []
    for number in range(vlc.libvlc_audio_equalizer_get_preset_count()):
        curve = vlc.libvlc_audio_equalizer_new_from_preset(number)
        name = vlc.libvlc_audio_equalizer_get_preset_name(number)
        if not curve or not name:
            continue
        bands = tuple(
            float(vlc.libvlc_audio_equalizer_get_amp_at_index(curve, band))
            for band in range(len(BANDS_HZ))
        )
        preamp = float(vlc.libvlc_audio_equalizer_get_preamp(curve)) - NEUTRAL_PREAMP_DB
        vlc.libvlc_audio_equalizer_release(curve)
        found.append(EqualiserPreset(name.decode("utf-8", "replace"), Equaliser(bands, preamp)))
    return tuple(found)


def _import_vlc() -> Any:
    try:
        import vlc
    except (ImportError, OSError, NotImplementedError, NameError, AttributeError, SystemExit):
        raise PlaybackUnavailableError("libVLC, which plays the music, is missing", _APT) from None
    return vlc
