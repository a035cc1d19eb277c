"""A YAML file as plain values, with the line of every key; duplicate keys are errors, which YAML itself forgives."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

from runtime.errors import ConfigError

KeyPath = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """A number with a point becomes a `Decimal`: what a person wrote as a price is that price."""

    def construct_decimal(self, node: yaml.ScalarNode) -> Decimal:
        try:
            return Decimal(node.value.replace("_", ""))
        except InvalidOperation:
            return Decimal(str(self.construct_yaml_float(node)))


_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_decimal)


class Document:
    """What a file says and where it says it."""

    def __init__(self, file: Path, values: dict[str, Any], lines: dict[KeyPath, int]) -> None:
        self.file = file
        self.values = values
        self._lines = lines

    def line(self, key: KeyPath) -> int:
        """Line of a key, or of the nearest thing around it that the file has; 1 is the first."""
        while key and key not in self._lines:
            key = key[:-1]
        return self._lines.get(key, 1)


def read(file: Path) -> Document:
    """Raises `ConfigError` for a file that is absent, empty, not YAML or not a mapping, and for duplicate keys."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{file}: there is no such file{_neighbours(file)}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: is not a text in UTF-8; a configuration is a YAML file") from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}); give a YAML file") from None
    try:
        root = yaml.compose(text, Loader=_Loader)
        if root is None:
            raise ConfigError(f"{file}: is empty; it needs at least `venues:`")
        if not isinstance(root, yaml.MappingNode):
            raise ConfigError(f"{file}: must be a mapping of keys such as `venues:`")
        lines: dict[KeyPath, int] = {}
        for key, node in _walk(file, root, (), frozenset()):
            lines[key] = node.start_mark.line + 1
        values: dict[str, Any] = _Loader("").construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{file}{where}: is not YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{file}: is not YAML: {str(error).splitlines()[0]}") from None
    return Document(file, values, lines)


def _walk(file: Path, node: yaml.Node, key: KeyPath, above: frozenset[int]) -> Iterator[tuple[KeyPath, yaml.Node]]:
    """Every key below `node` with the node to point at; `above` are the ids of the nodes that contain it."""
    if id(node) in above:
        raise ConfigError(f"{file}:{node.start_mark.line + 1}: {written(key)}: contains itself; write it out")
    above |= {id(node)}
    if isinstance(node, yaml.MappingNode):
        first_line: dict[str, int] = {}
        for key_node, value_node in node.value:
            name = str(key_node.value)
            line = key_node.start_mark.line + 1
            path = (*key, name)
            if name in first_line:
                raise ConfigError(
                    f"{file}:{line}: {written(path)}: is already given in line {first_line[name]}; keep one of them"
                )
            first_line[name] = line
            yield path, key_node
            yield from _walk(file, value_node, path, above)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*key, index), item
            yield from _walk(file, item, (*key, index), above)


def written(key: KeyPath) -> str:
    """`venues.binance.symbols[0]`"""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _neighbours(file: Path) -> str:
    if not file.parent.is_dir():
        return ""
    names = sorted(str(other) for other in file.parent.glob("*.y*ml"))
    return f"; there are {', '.join(names[:6])}" if names else ""
