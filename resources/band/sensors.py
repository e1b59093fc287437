"""Drivers: MAX30101/30102 (pulse) and ADS1115 (the GSR front end's voltage), both on I2C."""

import time

import packets

SERIES_OHM = 10_000
_FIFO_WRITE, _FIFO_OVERFLOW, _FIFO_READ, _FIFO_DATA = 0x04, 0x05, 0x06, 0x07
_FIFO_CONFIG, _MODE, _SPO2 = 0x08, 0x09, 0x0A
_LED_RED, _LED_IR, _LED_GREEN = 0x0C, 0x0D, 0x0E
_SLOTS, _PART_ID = 0x11, 0xFF
_SLOT_OF = {"red": 1, "ir": 2, "green": 3}
_LED_OF = {"red": _LED_RED, "ir": _LED_IR, "green": _LED_GREEN}
_DEEP = 32
CEILING = (1 << 18) - 1


class SensorError(Exception):
    """A sensor that does not answer as it should; the text says which."""


class Max3010x:
    """MAX30101 or MAX30102 with one LED, 400 samples a second, 18 bits.

    led: "green" (MAX30101 only; best on the wrist) or "ir" (finger, ear).
    current_ma: 0 to 51.
    """

    def __init__(self, i2c, led="ir", current_ma=7.0, address=0x57):
        self._i2c = i2c
        self._address = address
        self._one = bytearray(1)
        self._data = bytearray(3 * _DEEP)
        self._last = CEILING
        if self._read(_PART_ID) != 0x15:
            raise SensorError("no MAX30101 or MAX30102 at 0x57: check the wiring")
        self._write(_MODE, 0x40)  # reset; it clears the bit when it is done
        for _ in range(20):
            if not self._read(_MODE) & 0x40:
                break
            time.sleep_ms(5)
        else:
            raise SensorError("the MAX3010x does not come out of its reset")
        self._write(_FIFO_CONFIG, 0x10)  # no averaging, roll over when full
        self._write(_SPO2, 0x6F)  # 16384 nA full scale, 400 Hz, 411 us pulses: 18 bits
        self._write(_LED_OF[led], max(0, min(255, int(current_ma / 0.2))))
        self._write(_SLOTS, _SLOT_OF[led])
        for register in (_FIFO_WRITE, _FIFO_OVERFLOW, _FIFO_READ):
            self._write(register, 0)
        self._write(_MODE, 0x07)  # multi-LED mode, of which one slot is used

    def _read(self, register):
        self._i2c.readfrom_mem_into(self._address, register, self._one)
        return self._one[0]

    def _write(self, register, value):
        self._i2c.writeto_mem(self._address, register, bytes((value,)))

    def read(self):
        """Mean of what came since the last call, upside down: more blood is more. 18 bits.

        Averaging the two to four samples of a tick is the low-pass of going from 400 to 128 Hz.
        """
        n = (self._read(_FIFO_WRITE) - self._read(_FIFO_READ)) % _DEEP
        if n:
            data = memoryview(self._data)[: 3 * n]
            self._i2c.readfrom_mem_into(self._address, _FIFO_DATA, data)
            total = 0
            for i in range(0, 3 * n, 3):
                total += ((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]) & CEILING
            self._last = CEILING - total // n
        return self._last

    def sleep(self):
        """LED and converter off."""
        self._write(_MODE, 0x80)

    def wake(self):
        """On again, with an empty FIFO."""
        self._write(_MODE, 0x07)
        for register in (_FIFO_WRITE, _FIFO_OVERFLOW, _FIFO_READ):
            self._write(register, 0)


class Ads1115:
    """ADS1115, input AIN0 against AIN1, +-4.096 V (0.125 mV a step), 860 conversions a second."""

    _STEP_V = 4.096 / 32768

    def __init__(self, i2c, address=0x48):
        self._i2c = i2c
        self._address = address
        self._two = bytearray(2)
        try:
            i2c.writeto_mem(address, 0x01, bytes((0x02, 0xE3)))  # continuous, AIN0 - AIN1
        except OSError as error:
            raise SensorError("no ADS1115 at 0x48: check the wiring") from error

    def volts(self):
        """The latest conversion, V."""
        self._i2c.readfrom_mem_into(self._address, 0x00, self._two)
        value = (self._two[0] << 8) | self._two[1]
        if value & 0x8000:
            value -= 0x10000
        return value * self._STEP_V


class SkinConductance:
    """The front end's voltage as conductance in uS: gain x volts + offset, from calibration.

    The resistor that guards the skin is in series with it and is taken off again.
    """

    def __init__(self, adc, gain, offset):
        self._adc = adc
        self._gain = gain
        self._offset = offset

    def read(self):
        """Conductance now, uS."""
        measured = self._gain * self._adc.volts() + self._offset
        return packets.behind_resistor(measured, SERIES_OHM)
