"""Starts the band when the board is switched on: pins and parts are named here."""

import asyncio
import binascii

import band
import bluetooth
import calibrate
from machine import ADC, I2C, Pin, Timer, unique_id
from sensors import Ads1115, Max3010x, SkinConductance

SDA, SCL = 21, 22
LED, CURRENT_MA = "ir", 7.0  # "green" with a MAX30101, on the wrist
BATTERY_PIN = None  # an ADC pin behind a divider of two equal resistors, where there is a cell
EMPTY_V, FULL_V = 3.3, 4.15


def battery_gauge():
    """Percent of a lithium cell by its voltage, roughly; 100 on a board without one."""
    if BATTERY_PIN is None:
        return lambda: 100
    adc = ADC(Pin(BATTERY_PIN), atten=ADC.ATTN_11DB)
    return lambda: int(100 * (2e-6 * adc.read_uv() - EMPTY_V) / (FULL_V - EMPTY_V))


def main():
    """Set the parts up and run for ever."""
    i2c = I2C(0, sda=Pin(SDA), scl=Pin(SCL), freq=400_000)
    gain, offset = calibrate.load()
    worn = band.Band(
        bluetooth.BLE(),
        SkinConductance(Ads1115(i2c), gain, offset),
        Max3010x(i2c, LED, CURRENT_MA),
        binascii.hexlify(unique_id()).decode(),
        battery=battery_gauge(),
    )
    Timer(0).init(freq=band.FS_HZ, mode=Timer.PERIODIC, callback=worn.tick)
    asyncio.run(worn.run())


if __name__ == "__main__":
    main()
