"""The fake Binance USD-M futures venue: the spot venue's engine and streams with contracts, margin and funding."""
