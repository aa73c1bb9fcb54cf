"""Hold the documents against the code: links resolve, printed commands parse, the table of components is up to date.

``python docs/check.py`` checks; ``--write`` writes the pages that come from the code first. ``tests/test_docs.py`` runs all snippets, but
those of the shell that stand below ``<!-- not run: why -->``: they are only parsed.
"""

from __future__ import annotations

import re
import shlex
import sys
import unicodedata
from collections.abc import Iterator
from contextvars import copy_context
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
COMPONENTS = ROOT / "docs" / "components.md"
README = ROOT / "README.md"
BIBLIOGRAPHY = ROOT / "docs" / "bibliography.md"
ACCENTS = {"'": "\u0301", '"': "\u0308", "`": "\u0300", "^": "\u0302", "~": "\u0303"}  # as TeX writes them, as Unicode combines them
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md"), *ROOT.glob("examples/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
SHELL = re.compile(r"^(?:<!-- not run: ([^\n]+) -->\n)?```(?:bash|sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^[^\n]*<<'?(\w+)'?\n.*?^\1$|^(?:[^\n]*\\\n)*[^\n]+$", re.MULTILINE | re.DOTALL)
ASSIGNMENT = re.compile(r"[A-Z_]+=")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def snippets(document: Path, *languages: str) -> list[str]:
    """The fenced blocks of a document that are written in one of the languages."""
    return [code for language, code in FENCE.findall(document.read_text()) if language in languages]


def shell_snippets(document: Path) -> list[tuple[str, str]]:
    """The shell snippets of a document, each with the reason why it is not run, or nothing."""
    return [(code, reason) for reason, code in SHELL.findall(document.read_text())]


def commands_of(snippet: str) -> list[str]:
    """The commands of a shell snippet, each on one line, but for its here-document."""
    commands = [command.group().removeprefix("$ ") for command in COMMAND.finditer(snippet)]
    return [command if "<<" in command else command.replace("\\\n", " ") for command in commands]


def anchors(document: Path) -> set[str]:
    """The names that links within a document may point to, made of its headings as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(document: Path) -> Iterator[str]:
    """Links to files that are not there, or to headings that are not in them; addresses on the web are not asked."""
    for link in LINK.findall(FENCE.sub("", document.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        if not target.exists():
            yield f"link to {link}: there is no such file"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            yield f"link to {link}: no such heading"


def broken_commands(document: Path) -> Iterator[str]:
    """Lines of shell snippets that call multihot in a way its command line refuses."""
    from typer import BadParameter
    from typer.main import get_command

    from multihot.cli import app

    command = get_command(app)
    refusal: type[Exception] = BadParameter.__mro__[1]  # click's UsageError, wherever typer takes click from
    for snippet, _ in shell_snippets(document):
        for line in commands_of(snippet):
            words = [] if "<<" in line else shlex.split(line, comments=True)
            while words and ASSIGNMENT.match(words[0]):
                words = words[1:]
            if words[:1] != ["multihot"]:
                continue
            try:
                copy_context().run(parse, command, words[1:])  # what a command allows to run ends with it
            except refusal as error:
                yield f"command `{line}`: {error}"


def parse(command: Any, words: list[str]) -> None:
    """Let click read the words as it would before running the command, options of the last subcommand included."""
    if "--help" in words or "--version" in words:
        return
    context = command.make_context("multihot", [], resilient_parsing=True)  # a group without words would print its help
    context.resilient_parsing = False
    while hasattr(command, "commands"):
        _, command, words = command.resolve_command(context, words or ["(nothing)"])
    command.make_context(command.name, words)


def components_table() -> str:
    """Every component that multihot ships, by kind, with the first line of what it says about itself."""
    from multihot.components import KINDS, choices

    lines = [
        "# Components",
        "",
        "Written by `make docs` from the code; `multihot list` prints the same. A name in a configuration is the first column.",
        "",
    ]
    for kind, (package, _) in KINDS.items():
        found = choices(kind)
        if not found:
            continue
        lines += [f"## {kind}", "", f"From `{package}`.", "", "| name | class | what it is |", "|---|---|---|"]
        for name, cls in found.items():
            names = ", ".join(f"`{word}`" for word in (name, *getattr(cls, "aliases", ())))
            said = linked((cls.__doc__ or "").strip().splitlines()[0].replace("|", "\\|"))
            lines.append(f"| {names} | `{cls.__name__}` | {said} |")
        lines.append("")
    return "\n".join(lines)


@cache
def works() -> dict[str, dict[str, str]]:
    """The works that the documents cite, by the short name that they cite them by, such as "Gao et al. 2017", in alphabetical order."""
    from multihot.experiments.citations import references

    found = {}
    for key, entry in references().items():
        fields = {name: plain(value) for name, value in re.findall(r"^  (\w+) = \{(.*)\},?$", entry, re.MULTILINE)}
        surnames = [
            plain(re.search(r"(\{.*\}|\S+)$", author)[1])  # type: ignore[index]
            for author in re.search(r"author = \{(.*)\}", entry)[1].split(" and ")  # type: ignore[index]
        ]
        who = " and ".join(surnames) if len(surnames) < 3 else f"{surnames[0]} et al."
        name, letter = f"{who} {fields['year']}", "a"
        while name in found:
            letter = chr(ord(letter) + 1)
            name = f"{who} {fields['year']}{letter}"
        found[name] = fields | {"key": key}
    return dict(sorted(found.items()))


def plain(text: str) -> str:
    """The words of a BibTeX field, without its braces and with its accents."""
    accented = re.sub(r"\{\\(.)(\w)\}", lambda m: m[2] + ACCENTS[m[1]], text)
    return unicodedata.normalize("NFC", re.sub(r"[{}]", "", accented)).replace("--", "-")


def linked(text: str) -> str:
    """A text whose short names of works lead to the bibliography."""
    for name in sorted(works(), key=len, reverse=True):
        anchor = re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-")
        text = re.sub(rf"(?<!\[){re.escape(name)}\b", f"[{name}](bibliography.md#{anchor})", text)
    return text


def bibliography() -> str:
    """The page of all works that are cited, from ``references.bib``."""
    lines = [
        "# Bibliography",
        "",
        "Written by `make docs` from `references.bib`; `multihot cite NAME` prints the BibTeX entry of each.",
        "",
    ]
    for name, work in works().items():
        place = next((work[kind] for kind in ("journal", "booktitle", "school", "howpublished") if kind in work), "")
        place = place or (f"arXiv preprint {work['eprint']}" if "eprint" in work else "")
        number = work.get("volume", "") + (f"({work['number']})" if "number" in work else "")
        details = ", ".join(part for part in (place, number, work.get("pages", ""), work["year"]) if part)
        lines += [f"### {name}", "", f"{work['author'].replace(' and ', ', ')}. *{work['title']}*. {details}. `{work['key']}`", ""]
    return "\n".join(lines)


def inventory() -> str:
    """What multihot holds, by kind, with counts and names."""
    from multihot.components import choices
    from multihot.data import catalog
    from multihot.data.formats import FORMATS
    from multihot.experiments.recipes import recipe_names
    from multihot.learners import classical_names
    from multihot.method import METHODS
    from multihot.metrics.registry import METRICS

    parts = {
        "neural methods": list(METHODS),
        "classical methods": classical_names(),
        "losses": list(choices("loss")),
        "encoders": list(choices("encoder")),
        "scorers and decoders": [*choices("scorer"), *choices("decoder")],
        "objectives": list(choices("objective")),
        "decodings": list(choices("decoding")),
        "decisions and calibrations": [*choices("decision"), *choices("calibration")],
        "label distributions": list(choices("distribution")),
        "samplers": list(choices("sampler")),
        "file formats": list(FORMATS),
    }
    counted = {
        "metrics": (METRICS, "measures.md"),
        "named data sets": (catalog.names(), "data.md"),
        "recipes": (recipe_names(), "guides/recipes.md"),
    }
    rows = [f"| {len(names)} {kind} | {', '.join(f'`{name}`' for name in names)} |" for kind, names in parts.items()]
    rows += [f"| {len(names)} {kind} | [the list](docs/{page}) |" for kind, (names, page) in counted.items()]
    return "\n".join(["| | |", "|---|---|", *rows])


def readme() -> str:
    """The README with the table of what is in it."""
    before, start, rest = README.read_text().partition("<!-- written by `make docs` -->\n")
    _, end, after = rest.partition("<!-- end -->")
    return f"{before}{start}{inventory()}\n{end}{after}"


WRITTEN = {COMPONENTS: components_table, BIBLIOGRAPHY: bibliography, README: readme}  # what the code writes


def main() -> int:
    """Print what is wrong, one line a finding; 0 if nothing is."""
    if "--write" in sys.argv[1:]:
        for path, write in WRITTEN.items():
            path.write_text(write())
    findings = [
        f"{path.relative_to(ROOT)}: {text}" for path in DOCUMENTS for check in (broken_links, broken_commands) for text in check(path)
    ]
    for path, write in WRITTEN.items():
        if not path.exists() or path.read_text() != write():
            findings.append(f"{path.relative_to(ROOT)}: not what the code says; run `make docs`")
    print("\n".join(findings) or f"docs: {len(DOCUMENTS)} documents agree with the code")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
