"""A host: one process (or one virtual one) with one event loop that holds actors and their mailboxes."""
