"""Says what is wrong with a configuration so that the person who wrote it can mend it at once.

One line for each problem: file and line, key, what is wrong, what would be right. A secret is never repeated.
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from actors.configuration.document import Document, KeyPath, written
from actors.settings import Configuration, Settings
from runtime.errors import ConfigError

MOST_SHOWN = 10


class Problem(msgspec.Struct, frozen=True):
    key: KeyPath
    text: str
    """What is wrong; what would be right."""


def fail(document: Document, problems: Iterable[Problem]) -> None:
    """Raise one `ConfigError` for all of them; nothing if there are none."""
    lines = []
    for problem in problems:
        place = f"{document.file}:{document.line(problem.key)}"
        lines.append(f"{place}: {written(problem.key)}: {problem.text}" if problem.key else f"{place}: {problem.text}")
    if len(lines) > MOST_SHOWN:
        lines[MOST_SHOWN:] = [f"… and {len(lines) - MOST_SHOWN} more"]
    if lines:
        raise ConfigError("\n".join(lines))


def of_validation(error: ValidationError) -> Iterator[Problem]:
    """Unknown keys first: a key that is spelt wrong explains why another one is missing."""
    problems: dict[KeyPath, str] = {}
    for details in sorted(error.errors(include_url=False), key=lambda details: details["type"] == "missing"):
        key = tuple(part for part in details["loc"] if part != "[key]")
        if not any(f"did you mean '{key[-1]}'?" in text for other, text in problems.items() if other[:-1] == key[:-1]):
            problems[key] = _sentence(details, key)
    yield from (Problem(key, text) for key, text in problems.items())


def nearest(word: str, choices: Iterable[str]) -> str:
    """`did you mean 'symbols'?`, or the list of what there is."""
    known = list(choices)
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"there {'is' if len(known) == 1 else 'are'} {', '.join(known)}" if known else "there is none"


def _sentence(details: ErrorDetails, key: KeyPath) -> str:
    given = "***" if "credentials" in key or "dsn" in key else details["input"]
    match details["type"]:
        case "extra_forbidden":
            return f"unknown key; {nearest(str(key[-1]), keys_at(key[:-1]))}"
        case "missing":
            return f"is missing; {_wanted(key)}"
        case "literal_error":
            choices = [choice.strip("'") for choice in details["ctx"]["expected"].replace(" or ", ", ").split(", ")]
            return f"is {_shown(given)}, which is not known; {nearest(str(given), choices)}"
        case "string_type" if not isinstance(given, dict | list):
            return f"is {_shown(given)}, which is no text; write it in quotes"
        case "value_error":
            return str(details["ctx"]["error"])
        case _:
            message = details["msg"].removeprefix("Input ").replace("valid dictionary", "mapping of keys to values")
            return f"is {_shown(given)}; it {message[0].lower()}{message[1:]}"


def keys_at(key: KeyPath) -> list[str]:
    """The keys that are known at a place of the configuration."""
    model = _type_at(Configuration, key)
    if isinstance(model, type) and issubclass(model, Settings):
        return [field.alias or name for name, field in model.model_fields.items()]
    return []


def _wanted(key: KeyPath) -> str:
    model = _type_at(Configuration, key[:-1])
    if not (isinstance(model, type) and issubclass(model, Settings)):
        return "add it"
    field = next(field for name, field in model.model_fields.items() if (field.alias or name) == key[-1])
    examples = {
        "venues": "add `venues: {binance: {kind: binance, symbols: [BTCUSDT]}}`",
        "symbols": "add for example `symbols: [BTCUSDT]`",
        "instruments": "add for example `instruments: [binance.BTCUSDT]`",
        "class": "add for example `class: my_strategies:MyStrategy`",
        "kind": "add `kind: binance`",
    }
    return examples.get(str(key[-1])) or f"add it{f' ({field.description})' if field.description else ''}"


def _type_at(type_: Any, key: KeyPath) -> Any:
    """The declared type at a key path, below optionals and annotations; None where nothing is declared."""
    while get_origin(type_) in (Annotated, Union, UnionType):
        type_ = next(argument for argument in get_args(type_) if argument is not NoneType)
    if not key:
        return type_
    if get_origin(type_) in (dict, list):
        return _type_at(get_args(type_)[-1], key[1:])
    if isinstance(type_, type) and issubclass(type_, Settings):
        for name, field in type_.model_fields.items():
            if (field.alias or name) == key[0]:
                return _type_at(field.annotation, key[1:])
    return None


def _shown(given: object) -> str:
    if given is None:
        return "empty"
    if isinstance(given, dict | list):
        return "a mapping" if isinstance(given, dict) else "a list"
    text = repr(given)
    return text if len(text) <= 60 else f"{text[:57]}…'"
