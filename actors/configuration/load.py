"""From a file to a `Configuration` that can be run: parsed, filled in from the command line, checked."""

import os
import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from actors.configuration.checks import check, check_at_venues
from actors.configuration.document import read
from actors.configuration.problems import fail, of_validation
from actors.settings import Configuration
from runtime.errors import ConfigError

AUTO = "auto"


def load(
    file: Path, *, capture: Path | None = None, speed: float | None = None, address: str | None = None
) -> Configuration:
    """Raises `ConfigError` with one line for each thing that is wrong.

    `capture` is the folder of the recordings that `simulate.capture` names; `speed` replaces every `simulate.speed`,
    `address` replaces `cluster.address`; "auto" is the cluster that RAY_ADDRESS names, as in a Ray job.
    A strategy's module is looked for in the current folder too.
    """
    document = read(file)
    simulated = _simulated(document.values)
    if (capture or speed) and not any("capture" in venue for venue in simulated):
        option = "--capture" if capture else "--speed"
        raise ConfigError(
            f"{file}: {option}: no venue here plays a recording; use configs/replay-binance.yaml, or add "
            "`simulate: {capture: BINANCE}` to a venue"
        )
    for venue in simulated:
        if capture is not None and isinstance(venue.get("capture"), str):
            venue["capture"] = str(capture / venue["capture"])
        if speed is not None:
            venue["speed"] = speed
    if address is not None:
        cluster = document.values.setdefault("cluster", {})
        if isinstance(cluster, dict):
            cluster["address"] = _found() if address == AUTO else address
    try:
        configuration = Configuration.model_validate(document.values)
    except ValidationError as error:
        fail(document, of_validation(error))
        raise
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    fail(document, check(configuration))
    fail(document, check_at_venues(configuration))
    return configuration


def _found() -> str:
    address = os.environ.get("RAY_ADDRESS", "")
    if not address:
        raise ConfigError(
            "--address auto: RAY_ADDRESS is not set here, as it is in a Ray job; give HOST:PORT of the head"
        )
    return address


def _simulated(values: dict[str, Any]) -> list[dict[str, Any]]:
    """The `simulate` sections of a document that has not been validated yet."""
    venues = values.get("venues")
    sections = (
        [venue.get("simulate") for venue in venues.values() if isinstance(venue, dict)]
        if isinstance(venues, dict)
        else []
    )
    return [section for section in sections if isinstance(section, dict)]
