"""Settings of the sound that a back end may offer: equaliser and output device."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BANDS_HZ", "LIMIT_DB", "AudioOutput", "Equaliser", "EqualiserPreset"]

BANDS_HZ = (31.25, 62.5, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0)
"""Centres of libVLC's ten bands (libvlc_audio_equalizer_get_band_frequency)."""
LIMIT_DB = 20.0


@dataclass(frozen=True, slots=True)
class Equaliser:
    """How much each band is raised or lowered.

    Parameters
    ----------
    bands_db : tuple of float
        One for each of `BANDS_HZ`; limited to -20..20 dB, as libVLC does.
    preamp_db : float
        For all of them, limited likewise.
    """

    bands_db: tuple[float, ...] = (0.0,) * len(BANDS_HZ)
    preamp_db: float = 0.0

    def __post_init__(self) -> None:
        if len(self.bands_db) != len(BANDS_HZ):
            raise ValueError(f"an equaliser has {len(BANDS_HZ)} bands, not {len(self.bands_db)}")
        object.__setattr__(self, "bands_db", tuple(_limited(band) for band in self.bands_db))
        object.__setattr__(self, "preamp_db", _limited(self.preamp_db))


@dataclass(frozen=True, slots=True)
class EqualiserPreset:
    """A named curve that comes with the back end."""

    name: str
    equaliser: Equaliser


def _limited(decibels: float) -> float:
    # NaN compares false with everything and becomes 0
    return min(max(decibels, -LIMIT_DB), LIMIT_DB) if decibels == decibels else 0.0


@dataclass(frozen=True, slots=True)
class AudioOutput:
    """A device that sound can go to.

    Parameters
    ----------
    key : str
        What the back end knows it by; empty for the system's default.
    name : str
        For people.
    """

    key: str
    name: str
