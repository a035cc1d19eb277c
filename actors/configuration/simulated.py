"""Which symbols a simulated venue has: its built-in ones, or those of the recording that it plays."""

import msgspec

from actors.simulation.binance.symbols import LISTINGS
from actors.simulation.binance_usdm.contracts import CONTRACTS
from actors.simulation.capture import Capture
from runtime.errors import ConfigError


class _Combined(msgspec.Struct):
    stream: str


_decoder: msgspec.json.Decoder[_Combined] = msgspec.json.Decoder(_Combined)


def known_symbols(kind: str, capture: str) -> list[str]:
    """Raises `ConfigError` when there is no such recording."""
    if not capture:
        return sorted(CONTRACTS if kind == "binance-usdm" else LISTINGS)
    try:
        recording = Capture.load(capture)
        streams = {_decoder.decode(frame.payload).stream for frame in recording.frames}
    except ConfigError as error:
        raise ConfigError(
            f"{str(error).removeprefix('replay: ')}; --capture DIR says in which folder they are"
        ) from None
    except msgspec.DecodeError as error:
        raise ConfigError(f"{capture} is no recording of this venue: {error}; give one of combined streams") from None
    return sorted({stream.partition("@")[0].upper() for stream in streams})
