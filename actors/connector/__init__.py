"""The connector: one venue's protocol, its links, its market data and its orders."""
