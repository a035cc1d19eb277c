"""What operators change of the limits while the desk runs, and what may pass while it is halted."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from actors import names
from actors.model.order_id import fingerprint, parts
from actors.risk.checks import Proposal
from actors.settings import RiskLimits
from runtime.errors import ConfigError

BY_INSTRUMENT = ("max_order_quantity", "max_position")


def changed_limits(limits: RiskLimits, changes: Mapping[str, str]) -> RiskLimits:
    """`max_exposure` → value, `max_position.binance.BTCUSDT` → value. Raises ConfigError for what is no such limit."""
    values: dict[str, Any] = limits.model_dump()
    for name, value in changes.items():
        kind, _, instrument = name.partition(".")
        if kind not in values or kind == "checks" or (kind in BY_INSTRUMENT) != bool(instrument):
            known = (f"{key}.<venue>.<SYMBOL>" if key in BY_INSTRUMENT else key for key in values if key != "checks")
            raise ConfigError(f"risk.{name}: there is no such limit; there is {', '.join(known)}")
        if instrument:
            values[kind] = {**values[kind], instrument: value}
        else:
            values[kind] = value
    try:
        return RiskLimits.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"risk.{name}: {first['msg']}, not {first['input']!r}") from None


def passes_while_halted(proposals: Sequence[Proposal]) -> bool:
    """Only what an operator's `flatten` sends, and only as far as it certainly makes the position smaller."""
    spec = proposals[0].spec
    by_operator = parts(spec.client_order_id).actor == fingerprint(names.GATEWAY)
    return by_operator and spec.reduce_only and all(_reduces(proposal) for proposal in proposals)


def _reduces(proposal: Proposal) -> bool:
    exposure = proposal.exposure
    if proposal.buys:
        return exposure.position + exposure.buying + proposal.quantity <= 0
    return exposure.position - exposure.selling - proposal.quantity >= 0
