"""One file a device: bytes -> samples, pure. No Bluetooth, no clock of its own, no threads."""
