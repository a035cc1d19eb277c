"""A configuration file becomes frozen values, or one message that says what to change."""

from actors.configuration.load import load

__all__ = ["load"]
