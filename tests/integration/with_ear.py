"""`undertone` with the tests' classifier: ``python -m tests.integration.with_ear tag PATH``."""

from __future__ import annotations

import sys

import app.tagging
from app.cli.dispatch import main
from tests.app.ear_model import ear_model

if __name__ == "__main__":
    app.tagging.music_model = lambda model_id, models_dir: ear_model()
    sys.exit(main())
