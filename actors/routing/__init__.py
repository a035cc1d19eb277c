"""The router, and how it scores venues."""
