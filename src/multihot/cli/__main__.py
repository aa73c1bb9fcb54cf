"""``python -m multihot.cli``: the command, for whoever starts it from a program."""

from . import main

main()
