"""The queryable store: a database that follows the order manager's journal and never delays an order."""

from actors.store.actor import Store

__all__ = ["Store"]
