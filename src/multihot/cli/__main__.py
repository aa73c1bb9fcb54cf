"""``python -m multihot.cli``: the command, for whoever starts it from a program."""

import sys

from . import main

if not sys.flags.safe_path:  # with -m, Python puts the working folder first: what lies there by accident is no module of ours
    del sys.path[0]
main()
