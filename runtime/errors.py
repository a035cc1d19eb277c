"""The one error tree: the class of an error says who has to act.

A peer's "no" is a message, not an exception; an unknown outcome is a state of an order, not an error. What is left
is raised only from this tree and caught only where something can be done about it.
"""


class OutcryError(Exception):
    """Root of every error that this project raises on purpose."""


class Bug(OutcryError):
    """Our own fault: the actor stops and its supervisor decides."""


class PeerFault(OutcryError):
    """The other side broke its protocol: drop the link, keep the frame for diagnosis, resynchronise."""


class Unavailable(OutcryError):
    """Something outside cannot be reached just now: back off and try again."""


class Overloaded(OutcryError):
    """A bounded queue is full: the caller sheds or refuses."""


class ConfigError(OutcryError):
    """The person who wrote the configuration has to act.

    The message names the file and the key, what is wrong and what would be right.
    """


class Corrupt(OutcryError):
    """Stored data is not what was written: nothing goes on until somebody has looked.

    The message names the file, the offset and what is wrong there.
    """


def needs_somebody(error: Exception) -> bool:
    """True if a person has to act before another attempt can go better."""
    return isinstance(error, ConfigError | Corrupt)
