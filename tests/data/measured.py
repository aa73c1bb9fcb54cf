"""Reads data sets in processes of their own and says how much memory each took; a program, not a module.

Reads a JSON list of lists of arguments of ``multihot.data.load`` (source, options) from standard input. Writes a JSON list of
``{"said": the error, or "", "bytes": the most memory above that of a process which reads nothing}``. The processes are forked from one
that has imported everything.
"""

import json
import os
import sys

import multihot.data
from multihot.errors import MultihotError


def measure(source: str | None, options: dict) -> tuple[str, int]:
    said, saying = os.pipe()
    child = os.fork()
    if child == 0:
        message = ""
        try:
            if source is not None:
                multihot.data.load(source, **options)
        except MultihotError as error:
            message = str(error)
        except BaseException as error:  # a test must see it
            message = f"not one line: {error!r}"
        os.write(saying, message.encode()[:4000])
        os._exit(0)
    os.close(saying)
    _, status, used = os.wait4(child, 0)
    message = os.read(said, 4000).decode(errors="replace")
    os.close(said)
    return message if status == 0 else f"ended by {status}", used.ru_maxrss * 1024


if __name__ == "__main__":
    _, least = measure(None, {})
    found = [measure(source, options) for source, options in json.load(sys.stdin)]
    print(json.dumps([{"said": said, "bytes": used - least} for said, used in found]))
