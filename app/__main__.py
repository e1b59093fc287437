"""`python -m app`, the same as the console script `undertone`."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line and return the exit code."""
    try:
        from app.cli.dispatch import main as run
    except KeyboardInterrupt:  # Ctrl-C while Python is still loading
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
