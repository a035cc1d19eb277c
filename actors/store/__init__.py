"""The queryable store: a database that follows the order manager's journal and never delays an order."""

from actors.store.actor import Store
from actors.store.databases import database_of, missing_driver

__all__ = ["Store", "database_of", "missing_driver"]
