"""``python -m multihot.cli``: the command, for whoever starts it from a program."""

from . import main_of_module

main_of_module()
