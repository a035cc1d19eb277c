"""Measures Outcry beside what it is compared with: the same market, the same callback, interleaved in one run."""
