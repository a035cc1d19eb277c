"""The command `outcry`. What a user got wrong ends with one message and exit code 2, never with a traceback."""

from actors.cli.app import main

__all__ = ["main"]
