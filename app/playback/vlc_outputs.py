"""Which outputs libVLC can play on."""

from __future__ import annotations

from typing import Any

from app.playback.sound import AudioOutput

__all__ = ["outputs_of"]


def outputs_of(vlc: Any, player: Any) -> tuple[AudioOutput, ...]:
    """The system's default, of no name, and what the sound system has; may wait for its server.

    Parameters
    ----------
    vlc : module
        python-vlc.
    player : vlc.MediaPlayer
        Any; it is released.
    """
    found = [AudioOutput("", "")]
    try:
        first = device = player.audio_output_device_enum()
        while device:
            key = (device.contents.device or b"").decode("utf-8", "replace")
            name = (device.contents.description or b"").decode("utf-8", "replace")
            if key:
                found.append(AudioOutput(key, name or key))
            device = device.contents.next
        if first:
            vlc.libvlc_audio_output_device_list_release(first)
    finally:
        player.release()
    return tuple(found)
