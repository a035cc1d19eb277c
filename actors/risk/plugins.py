"""Checks that a user adds: named `module:function` in the configuration, closed when they fail."""

from collections.abc import Callable, Iterable
from importlib import import_module

from actors.model.order import OrderSpec
from actors.risk.checks import Check, Proposal
from actors.risk.desk_state import DeskState
from actors.settings import RiskLimits
from runtime.errors import ConfigError

CustomCheck = Callable[[OrderSpec, DeskState], str | None]
"""Called with the order and the desk's state, which it must not change; returns why not, or None."""


def load_checks(references: Iterable[str]) -> dict[str, Check]:
    """By reference. Raises `ConfigError` for one that cannot be imported or called."""
    return {reference: _closed(reference, _load(reference)) for reference in references}


def _load(reference: str) -> CustomCheck:
    module, _, name = reference.partition(":")
    try:
        function = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"risk.checks: cannot load {reference!r} (module:function): {error}") from error
    if not callable(function):
        raise ConfigError(f"risk.checks: {reference!r} is not a function")
    check: CustomCheck = function
    return check


def _closed(reference: str, custom: CustomCheck) -> Check:
    def check(desk: DeskState, limits: RiskLimits, order: Proposal) -> str | None:
        try:
            reason = custom(order.spec, desk)
        except Exception as error:  # whatever a user's code raises, the order does not go
            return f"CHECK_FAILED: {reference} raised {type(error).__name__}: {error}"
        return None if reason is None else f"CUSTOM: {reference}: {reason}"

    return check
