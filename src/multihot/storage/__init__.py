"""How files are written and read: whole or not at all, with a checksum, and named clearly when missing or damaged."""

from .files import (
    ABANDONED_AFTER,
    CLOSED,
    FULL,
    check_target,
    digest,
    digest_of_values,
    discard,
    filling,
    remove_leavings,
    replacing,
    write_text,
)
from .json_files import plain, read_json, write_json

__all__ = [
    "ABANDONED_AFTER",
    "CLOSED",
    "FULL",
    "check_target",
    "digest",
    "digest_of_values",
    "discard",
    "filling",
    "plain",
    "read_json",
    "remove_leavings",
    "replacing",
    "write_json",
    "write_text",
]
