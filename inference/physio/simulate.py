"""A simulated listener: GSR and PPG with known truth, for tests and for trying live mode.

Never a source of performance figures: how strongly it feels is set by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inference.emotion import MoodPoint, Quadrant
from inference.physio.signals import FS_HZ

__all__ = ["PRESETS", "SimulatedListener", "Traits"]

Samples = NDArray[np.float32]
Floats = NDArray[np.float64]

PRESETS: Mapping[str, float] = {"real": 1.0, "demo": 6.0}
"""Coupling k by preset: as weak as in people, or strong enough to be seen."""

# Couplings in within-listener standard deviations for a full swing of arousal or valence,
# measured on HKU956 (24 listeners, 535 listenings) and rounded.
_LEVEL_SD, _LEVEL_AROUSAL = 0.37, 0.33
_SCR_SD, _SCR_AROUSAL = 2.1, 0.07
_RATE_SD, _RATE_AROUSAL, _RATE_VALENCE, _SLOPE_AROUSAL = 3.5, 0.11, 0.05, 0.17
_RMSSD_SD_MS, _RMSSD_AROUSAL = 9.0, -0.1
_AMPLITUDE_SD, _AMPLITUDE_AROUSAL, _AMPLITUDE_VALENCE = 0.31, -0.19, -0.1
_STEP_US = 0.00128
_NON_RESPONDERS = 0.15
_BURST_SONGS, _BURST_SECONDS = 0.54, 0.05
_JUMP_SONGS = 0.13


@dataclass(frozen=True)
class Traits:
    """What one listener is like, drawn once.

    Parameters
    ----------
    level : float
        ln skin conductance level, microsiemens.
    scr_per_min : float
        Skin conductance responses a minute.
    heart_rate_bpm, rmssd_ms : float
    respiration_hz : float
        Of the respiratory sinus arrhythmia.
    amplitude : float
        ln pulse amplitude, arbitrary units.
    coupling : float
        k of this listener: 0 for one whom music does not touch.
    """

    level: float
    scr_per_min: float
    heart_rate_bpm: float
    rmssd_ms: float
    respiration_hz: float
    amplitude: float
    coupling: float

    @classmethod
    def draw(cls, coupling: float, rng: np.random.Generator) -> Traits:
        """A listener from the population."""
        touched = rng.random() >= _NON_RESPONDERS
        return cls(
            level=float(np.log(0.5) + 1.07 * rng.normal()),
            scr_per_min=float(np.clip(np.exp(np.log(1.5) + 1.2 * rng.normal()), 0.2, 12.0)),
            heart_rate_bpm=float(np.clip(75.7 + 10.3 * rng.normal(), 50.0, 110.0)),
            rmssd_ms=float(rng.uniform(44.0, 79.0)),
            respiration_hz=float(rng.uniform(0.2, 0.3)),
            amplitude=float(np.log(40.0) + 0.40 * rng.normal()),
            coupling=coupling if touched else 0.0,
        )


@dataclass(frozen=True)
class _Song:
    """Where the quantities go during one song."""

    level: float = 0.0
    scr_per_min: float = 0.0
    rate_bpm: float = 0.0
    rate_slope: float = 0.0
    rmssd_ms: float = 0.0
    amplitude: float = 0.0
    bursts: bool = False
    jump_s: float = -1.0


class SimulatedListener:
    """Endless GSR and PPG of one listener; memory does not grow.

    Skin conductance: a level that moves to the song's within 10 s and drifts,
    responses by a Poisson process with 1 s refractory time (rise 0.7-1 s,
    decay 2-4 s, 1-3 s behind the song), steps of 0.00128 microsiemens, now
    and then a contact jump. Pulse: a rate that follows the song within 5-10
    s, respiratory and 0.1 Hz (Mayer) waves, an amplitude that wanders from
    beat to beat, a dicrotic notch, motion bursts.

    Parameters
    ----------
    preset : "real", "demo" or float
        A preset or the coupling k itself (0: feels nothing; 8: for tests).
    seed : int
        The same seed gives the same listener and the same samples, however
        they are asked for.
    fs_hz : float
        At least 32.
    """

    def __init__(
        self, preset: Literal["real", "demo"] | float, seed: int, fs_hz: float = FS_HZ
    ) -> None:
        if fs_hz < 32.0:
            raise ValueError(f"a pulse needs at least 32 Hz, not {fs_hz}")
        coupling = PRESETS[preset] if isinstance(preset, str) else float(preset)
        self.fs_hz = fs_hz
        self._rng = np.random.default_rng([seed, 1])
        self.traits = Traits.draw(coupling, np.random.default_rng([seed, 0]))
        self._block = round(fs_hz)
        self._left: tuple[Samples, Samples] = (np.zeros(0, np.float32), np.zeros(0, np.float32))
        self._song = _Song()
        self.truth: Quadrant | None = None
        self._song_t_s = 0.0
        self._t_s = 0.0
        self._level = self._drift = self._rate = 0.0
        self._phase = 0.0
        self._beat = 0.0
        self._wobble = 0.0
        self._offset = 0.0
        self._responses: list[tuple[float, float, float, float]] = []
        self._last_response_s = -10.0

    def song(self, mood: MoodPoint | Quadrant, seed: int) -> None:
        """Start a song; its influence begins with the next second.

        Parameters
        ----------
        mood : MoodPoint or Quadrant
            Quadrants count as their corners, (+-1, +-1).
        seed : int
            Of what this listening has of its own besides the mood.
        """
        rng = np.random.default_rng([seed, 2])
        if isinstance(mood, Quadrant):
            self.truth = mood
            a, v = (1.0 if high else -1.0 for high in (mood.high_arousal, mood.high_valence))
        else:
            self.truth = Quadrant.of(mood)
            a, v = mood.arousal, mood.valence
        k = self.traits.coupling
        self._song = _Song(
            level=_LEVEL_SD * (rng.normal() + k * _LEVEL_AROUSAL * a),
            scr_per_min=_SCR_SD * (rng.normal() + k * _SCR_AROUSAL * a),
            rate_bpm=_RATE_SD * (rng.normal() + k * (_RATE_AROUSAL * a + _RATE_VALENCE * v)),
            rate_slope=_RATE_SD * (rng.normal() + k * _SLOPE_AROUSAL * a) / 60.0,
            rmssd_ms=_RMSSD_SD_MS * (rng.normal() + k * _RMSSD_AROUSAL * a),
            amplitude=_AMPLITUDE_SD
            * (rng.normal() + k * (_AMPLITUDE_AROUSAL * a + _AMPLITUDE_VALENCE * v)),
            bursts=bool(rng.random() < _BURST_SONGS),
            jump_s=float(rng.uniform(5, 60)) if rng.random() < _JUMP_SONGS else -1.0,
        )
        self._song_t_s = 0.0

    def next(self, n: int) -> tuple[Samples, Samples]:
        """The next n samples.

        Returns
        -------
        gsr : ndarray, shape (n,), float32, microsiemens
        ppg : ndarray, shape (n,), float32, arbitrary units
        """
        gsr, ppg = [self._left[0]], [self._left[1]]
        have = len(gsr[0])
        while have < n:
            g, p = self._second()
            gsr.append(g)
            ppg.append(p)
            have += len(g)
        whole = np.concatenate(gsr), np.concatenate(ppg)
        self._left = whole[0][n:], whole[1][n:]
        return whole[0][:n], whole[1][:n]

    def _second(self) -> tuple[Samples, Samples]:
        """Both signals for the next second; all random numbers are drawn here, in order."""
        duration_s = self._block / self.fs_hz
        t_s = self._t_s + np.arange(self._block) / self.fs_hz
        gsr, ppg = self._conductance(t_s), self._pulse(t_s)
        self._t_s += duration_s
        self._song_t_s += duration_s
        return gsr.astype(np.float32), ppg.astype(np.float32)

    def _conductance(self, t_s: Floats) -> Floats:
        rng, song = self._rng, self._song
        self._drift = 0.995 * self._drift + 0.01 * rng.normal()
        if 0.0 <= song.jump_s - self._song_t_s < 1.0:
            self._offset += 0.4 * rng.normal()
        goal = song.level + self._drift + self._offset
        level = self._level + (goal - self._level) * (1 - np.exp(-(t_s - t_s[0]) / 10.0))
        self._level += (goal - self._level) * (1 - np.exp(-1.0 / 10.0))
        rate = np.clip(self.traits.scr_per_min + song.scr_per_min, 0.05, 20.0) / 60.0
        onset_s = t_s[0] + rng.uniform(0.0, 1.0)
        shape = (rng.uniform(0.7, 1.0), rng.uniform(2.0, 4.0), rng.lognormal(np.log(0.08), 0.6))
        free = onset_s - self._last_response_s >= 1.0
        if rng.random() < 1 - np.exp(-rate) and free:
            self._responses.append((onset_s, *shape))
            self._last_response_s = onset_s
        self._responses = [r for r in self._responses if t_s[0] - r[0] < 30.0]
        tonic = np.exp(self.traits.level + level)
        phasic = np.zeros_like(t_s)
        for start_s, rise_s, decay_s, height in self._responses:
            since = np.maximum(t_s - start_s, 0.0)
            phasic += height * (np.exp(-since / decay_s) - np.exp(-since / (rise_s / 2)))
        noisy = np.maximum(tonic * (1.0 + phasic), 0.0)
        return np.asarray(np.round(noisy / _STEP_US) * _STEP_US)

    def _pulse(self, t_s: Floats) -> Floats:
        rng, song, traits = self._rng, self._song, self.traits
        goal = song.rate_bpm + song.rate_slope * min(self._song_t_s, 90.0)
        self._rate += (goal - self._rate) * (1 - np.exp(-1.0 / 7.0))
        mean_bpm = np.clip(traits.heart_rate_bpm + self._rate, 42.0, 150.0)
        # A sine of the interval with amplitude A at f gives RMSSD = sqrt(2) A sin(pi f IBI).
        beat_s = 60.0 / mean_bpm
        rmssd_s = max(traits.rmssd_ms + song.rmssd_ms, 8.0) / 1000.0
        swing_s = rmssd_s / (np.sqrt(2.0) * np.sin(np.pi * traits.respiration_hz * beat_s))
        interval_s = (
            beat_s
            + min(swing_s, 0.18) * np.sin(2 * np.pi * traits.respiration_hz * t_s)
            + 0.012 * np.sin(2 * np.pi * 0.1 * t_s)
        )
        phase = self._phase + np.cumsum(1.0 / (np.maximum(interval_s, 0.33) * self.fs_hz))
        beats = np.floor(phase)
        height = np.empty_like(phase)
        for beat in np.unique(beats):
            if beat != self._beat:
                self._wobble = 0.9 * self._wobble + np.sqrt(1 - 0.81) * 0.12 * rng.normal()
                self._beat = float(beat)
            height[beats == beat] = self._wobble
        self._phase = float(phase[-1])
        wave = _pulse_wave(phase - beats)
        amplitude = np.exp(traits.amplitude + song.amplitude + height)
        noise = rng.normal(size=len(t_s))
        moving = rng.random() < _BURST_SECONDS / _BURST_SONGS
        burst = rng.normal(size=len(t_s)).cumsum() * 8.0
        ppg = amplitude * wave + 0.5 * noise
        if song.bursts and moving:
            ppg += (burst - burst.mean()) * np.hanning(len(t_s))
        return np.asarray(ppg)


def _pulse_wave(phase: Floats) -> Floats:
    """One beat over phase 0..1: systolic upstroke and dicrotic wave, about zero mean."""

    def bump(centre: float, width: float) -> Floats:
        apart = (phase - centre + 0.5) % 1.0 - 0.5
        return np.asarray(np.exp(-0.5 * (apart / width) ** 2))

    return bump(0.25, 0.10) + 0.35 * bump(0.58, 0.12) - 0.35
