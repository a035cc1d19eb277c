"""What Binance's spot and futures interfaces have in common: signatures, clock, pending requests, limits, errors."""
