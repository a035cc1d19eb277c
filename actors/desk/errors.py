"""What a desk's commands can raise besides `ConfigError` and `Unavailable`."""

from runtime.errors import OutcryError, Unavailable


class CommandRefused(OutcryError):
    """It was not done, and the reason says what would be right."""


class StreamOver(Unavailable):
    """The gateway does not know this stream any more."""
