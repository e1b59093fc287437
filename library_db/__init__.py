"""What is remembered: the tracks of a music library, their tags and their emotions."""
