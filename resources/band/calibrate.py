"""Calibrates the GSR front end with known resistors, from the band's prompt (see README.md).

Put each resistor between the electrodes' leads when asked; the fit goes to calibration.json.
"""

import json
import time

import packets
from sensors import SERIES_OHM

RESISTORS_OHM = (10_000_000, 1_000_000, 470_000, 100_000)
FILE = "calibration.json"
NOMINAL = (9.0909, 0.0)  # 0.5 V and 220 kohm: 0.11 V a uS
_READINGS = 200


def load(default=NOMINAL):
    """(gain in uS a volt, offset in uS); the nominal ones where nothing is kept."""
    try:
        with open(FILE) as file:
            kept = json.load(file)
        return float(kept["gain"]), float(kept["offset"])
    except (OSError, ValueError, KeyError):
        return default


def fit(readings):
    """Gain, offset and the largest error (uS) over [(ohm, volts)]."""
    volts = [v for _, v in readings]
    known = [1e6 / (ohm + SERIES_OHM) for ohm, _ in readings]
    gain, offset = packets.fit_line(volts, known)
    worst = max(abs(gain * v + offset - g) for v, g in zip(volts, known))
    return gain, offset, worst


def average(adc, n=_READINGS):
    """Mean of n readings, V: 50 or 60 Hz hum averages out over 0.4 s."""
    total = 0.0
    for _ in range(n):
        total += adc.volts()
        time.sleep_ms(2)
    return total / n


def run(adc, ask=input, say=print):
    """Ask for each resistor, fit, keep. An empty answer measures, `skip` leaves one out."""
    readings = []
    for ohm in RESISTORS_OHM:
        if ask(f"{ohm} ohm between the leads, then Enter (or skip): ").strip() != "skip":
            readings.append((ohm, average(adc)))
    gain, offset, worst = fit(readings)
    with open(FILE, "w") as file:
        json.dump({"gain": gain, "offset": offset}, file)
    say(f"gain {gain:.4f} uS/V, offset {offset:.4f} uS, largest error {worst:.4f} uS")
    return gain, offset
