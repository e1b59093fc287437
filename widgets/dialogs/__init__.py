"""Dialogs: settings, keyboard map, about, the list of problems."""
