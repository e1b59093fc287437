"""Prints what the firmware's packet code makes of fixed inputs: the same under every interpreter.

Run with the folder of packets.py as working directory or on the path.
"""

import binascii
import sys

sys.path.insert(0, sys.argv[1] if len(sys.argv) > 1 else "/")

import packets


def show(name, data):
    """One line a result."""
    print(name, binascii.hexlify(data).decode() if isinstance(data, bytes) else data)


def numbers(n, seed, limit):
    """Repeatable whole numbers without a library."""
    state, found = seed, []
    for _ in range(n):
        state = (1103515245 * state + 12345) & 0x7FFFFFFF
        found.append((state >> 4) % limit)
    return found


show("crc", packets.crc16(b"123456789"))
show("room", [packets.samples_for(mtu) for mtu in (23, 28, 53, 54, 128, 247)])
for n in range(1, 17):
    data = packets.encode_packet(
        65530 + n, 2**32 - 3 * n, numbers(n, n, 1 << 16), numbers(n, 99 - n, 1 << 24), n % 8
    )
    show(f"packet {n}", data)
for wrong in (([], []), ([1], [1, 2]), ([1] * 17, [1] * 17), ([1], [1 << 24])):
    try:
        packets.encode_packet(0, 0, wrong[0], wrong[1], 3)
        show("accepted", 1)
    except ValueError:
        show("refused", len(wrong[0]))
show("status", packets.encode_status(120, 3, 2**32 + 5))
show("steps", [packets.to_steps(x) for x in (-1.0, 0.0004, 0.0006, 2.5, 65.534, 99.0)])
show("skin", round(packets.behind_resistor(4.761905, 10000), 4))
gain, offset = packets.fit_line([0.011, 0.11, 1.1], [0.1, 1.0, 10.0])
show("fit", (round(gain, 6), round(abs(offset), 6)))

clock = packets.DeviceClock(1 << 30)
show("clock", [clock.at(t) for t in (2**30 - 10, 2**30 - 2, 6, 2**29, 5)])

ring = packets.SampleRing(8)
for i in range(11):
    ring.put(1000 + 8 * i + (500 if i > 5 else 0), 100 + i, 200_000 + i)
show("ring", (len(ring), ring.dropped, ring.unbroken(8, 50)))
maker = packets.Packetiser(ring)
maker.samples = 8
show("packet over a gap", maker.next())
show("too few", maker.next())
maker.samples = 2
show("after the gap", maker.next())
show("empty", (maker.next(), len(ring), maker.contact))
dark = packets.SampleRing()
dark.put(5, 3, 262_000)
dark.put(13, 0xFFFF, 0)
maker = packets.Packetiser(dark)
show("no skin", (maker.next(), maker.contact))
show("clipping", maker.next())
