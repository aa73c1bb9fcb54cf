"""``python -m multihot``: the command, for whoever starts it from a program."""

from .cli import main_of_module

main_of_module()
