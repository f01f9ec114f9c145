"""The commands. Results go to stdout, the story to stderr; exit 0 well, 1 a fault, 2 wrong use."""

from ringlight.cli.app import main

__all__ = ["main"]
