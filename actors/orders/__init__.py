"""The order manager, and what it is made of: the ledger, its journal, cancels, inquiries, reconciliation."""
