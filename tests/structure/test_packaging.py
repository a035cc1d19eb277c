"""What is shipped fits what is locked, and nobody's machine is written into it."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
GROUPS = PYPROJECT["dependency-groups"]
COMES_WITH_PYDANTIC = "pydantic-core"
LOCK = (ROOT / "requirements.lock").read_text()


def test_everything_declared_is_locked_with_its_hashes() -> None:
    """After a change of pyproject.toml: the command in the first lines of the lock."""
    locked = set(re.findall(r"^([\w.-]+)==[^\s;]+", LOCK, re.MULTILINE))
    assert {name for name in declared() if name not in locked} == set()
    assert all("--hash=sha256:" in entry for entry in re.split(r"^(?=[\w.-]+==)", LOCK, flags=re.MULTILINE)[1:])


def test_the_lock_names_no_address() -> None:
    assert "://" not in LOCK


def test_the_scripts_can_be_executed() -> None:
    scripts = [
        *(ROOT / "scripts" / name for name in ("setup", "demo", "test", "check", "head", "worker", "node")),
        ROOT / ".ci" / "run",
    ]
    assert [script for script in scripts if not script.stat().st_mode & 0o111] == []


def test_what_is_imported_is_declared() -> None:
    distributions = packages_distributions()
    imported = {
        name
        for package in ("actors", "runtime")
        for path in (ROOT / package).rglob("*.py")
        for name in top_level_imports(path)
        if name not in sys.stdlib_module_names and name not in ("actors", "runtime")
    }
    known = declared() | {COMES_WITH_PYDANTIC}
    undeclared = {
        name
        for name in imported
        if not any(distribution.lower().replace("_", "-") in known for distribution in distributions.get(name, ()))
    }
    assert undeclared == set()


def declared() -> set[str]:
    """Names of the distributions that pyproject.toml asks for, extras and development included."""
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values(), *GROUPS.values()]
    return {re.split(r"[\[><=]", entry)[0].lower() for group in groups for entry in group} - {PROJECT["name"]}


def top_level_imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names
