"""The library table: an ids-only model, lazily filled rows, and a view that keeps its place."""
