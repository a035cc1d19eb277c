"""From `module:Class` in the configuration to the class of a strategy."""

from importlib import import_module

from actors.strategy.base import Strategy
from runtime.errors import ConfigError


def strategy_class(path: str) -> type[Strategy]:
    """Raises ConfigError; what the module itself raises while it is imported is its cause."""
    module_name, separator, class_name = path.partition(":")
    if not separator or not module_name or not class_name:
        raise ConfigError(f'class: {path!r} is not "module:Class", e.g. "actors.strategies.observer:Observer"')
    try:
        module = import_module(module_name)
    except Exception as error:
        raise ConfigError(f"class: cannot import {module_name!r}: {type(error).__name__}: {error}") from error
    found = getattr(module, class_name, None)
    if not (isinstance(found, type) and issubclass(found, Strategy)):
        raise ConfigError(
            f"class: {module_name!r} has no strategy {class_name!r} (a subclass of actors.strategy.Strategy)"
        )
    return found
