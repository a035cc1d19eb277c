"""`python -m actors.cli` is `outcry`."""

from actors.cli.app import main

main()
