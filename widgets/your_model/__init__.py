"""The page "Your model": what was answered, what was learned from it, and what is kept."""

from widgets.your_model.page import YourModelPage

__all__ = ["YourModelPage"]
