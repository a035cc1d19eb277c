"""Streams between machines: TCP with mutual TLS 1.3, under an authority that is made for one run and ends with it."""
