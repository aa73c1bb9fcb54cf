"""A hook of MkDocs: brings the pages that lie outside docs/ into the site, and bends links across that border.

Links are written for somebody who reads the files in the repository. What the site does not hold (source files) becomes plain text there.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
OUTSIDE = ("CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md", "examples/README.md")
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
FENCES = re.compile(r"^(```.*?^```)", re.MULTILINE | re.DOTALL)


def on_files(files: Any, config: Any) -> Any:
    """Add the pages from outside docs/."""
    for name in OUTSIDE:
        files.append(File.generated(config, name, content=(ROOT / name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, files: Any, **_: Any) -> str:
    """Bend the links of a page, but not what looks like one in its snippets."""
    name = page.file.src_uri
    place = name if name in OUTSIDE else f"docs/{name}"  # from the root of the repository
    parts = FENCES.split(markdown)
    return "".join(part if part.startswith("```") else LINK.sub(lambda link: bend(link, place, name, files), part) for part in parts)


def bend(link: re.Match[str], place: str, name: str, files: Any) -> str:
    """A link as the site needs it: the page of the site that the file is, or the bare text where it is none."""
    text, address = link.groups()
    path, _, anchor = address.partition("#")
    if not path or re.match(r"[a-z]+:", address):
        return link.group()
    target = posixpath.normpath(posixpath.join(posixpath.dirname(place), path))
    target = f"{target}/README.md" if f"{target}/README.md" in OUTSIDE else target
    within = target.removeprefix("docs/")
    if (target not in OUTSIDE and within == target) or files.get_file_from_path(within) is None:
        return text
    return f"[{text}]({posixpath.relpath(within, posixpath.dirname(name) or '.')}{'#' * bool(anchor)}{anchor})"
