"""From the settings to the database that they name."""

from importlib.util import find_spec
from pathlib import Path

from actors.credentials import resolve
from actors.settings import Configuration
from actors.store.database import Database
from actors.store.sqlite import SqliteDatabase
from runtime.errors import ConfigError


def missing_driver(kind: str) -> str:
    """What to install for this kind of database; "" if everything is there."""
    if kind == "postgresql" and find_spec("psycopg") is None:
        return "needs the driver psycopg, which is not installed; pip install 'openoutcry[postgresql]'"
    return ""


def database_of(configuration: Configuration, journal: Path) -> Database:
    """Connects to nothing yet. Raises `ConfigError` that says what is missing or wrong, without the key it is at."""
    settings = configuration.store
    if missing := missing_driver(settings.kind):
        raise ConfigError(missing)
    match settings.kind:
        case "sqlite":
            return SqliteDatabase(settings.path or journal / "store.sqlite")
        case "postgresql":
            if settings.dsn is None:
                raise ConfigError("is missing; add `dsn: env:NAME`, where a connection string postgresql://… is found")
            from actors.store.postgresql import PostgresqlDatabase

            return PostgresqlDatabase(resolve(settings.dsn), settings.schema_ or configuration.name)
