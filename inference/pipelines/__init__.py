"""Ways from audio to quadrants: one module each, found by the name in a model's card."""
