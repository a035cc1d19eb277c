"""The fake Binance spot venue: REST, streams and WebSocket API in front of the matching engine, without I/O."""
