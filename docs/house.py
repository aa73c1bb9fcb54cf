"""The shape of the source in numbers: ``python docs/house.py src/multihot [OTHER/src/multihot ...]`` prints one column for each folder.

To compare with a version before: ``git worktree add ../before COMMIT`` and name both folders.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

WINDOW = 6  # lines that must be equal to count as a copy


def rooms(root: Path) -> set[str]:
    """Folders with modules, as dotted names below the package; a module at the top is a room of its own."""
    return {room_of(root, path) for path in root.rglob("*.py")}


def room_of(root: Path, path: Path) -> str:
    """The room that a module lies in: its first two folders at most."""
    parts = path.relative_to(root).with_suffix("").parts
    folders = parts[:-1] or (parts[-1],)
    return ".".join(folders[:2])


def imports(root: Path) -> set[tuple[str, str]]:
    """Pairs of rooms one of which imports the other."""
    found = set()
    for path in root.rglob("*.py"):
        package = ["multihot", *path.relative_to(root).parts[:-1]]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.ImportFrom) and node.level:
                base = package[: len(package) - node.level + 1]
                module = [*base, *(node.module.split(".") if node.module else [])]
                names = [".".join([*module, alias.name]) for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("multihot"):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            for name in names:
                target = _module(root, name.split(".")[1:])
                if target is not None and (there := room_of(root, target)) != (here := room_of(root, path)):
                    found.add((here, there))
    return found


def _module(root: Path, parts: list[str]) -> Path | None:
    """The file that a dotted name leads to; a name in a module leads to the module."""
    for end in range(len(parts), 0, -1):
        place = root.joinpath(*parts[:end])
        if place.with_suffix(".py").exists():
            return place.with_suffix(".py")
        if (place / "__init__.py").exists():
            return place / "__init__.py"
    return None


def functions(root: Path) -> Iterator[int]:
    """The length of every function, in lines."""
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield (node.end_lineno or node.lineno) - node.lineno + 1


def naming(root: Path, pattern: str) -> int:
    """How many files, Python and JavaScript, hold something."""
    files = [*root.rglob("*.py"), *root.rglob("*.js")]
    return sum(bool(re.search(pattern, path.read_text(encoding="utf-8"))) for path in files)


def copies(root: Path) -> int:
    """How many blocks of six lines stand in more than one place, without imports, comments and the text of docstrings."""
    places: dict[tuple[str, ...], set[tuple[str, int]]] = defaultdict(set)
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        silent = {
            line
            for node in ast.walk(ast.parse(text))
            if isinstance(node, (ast.Import, ast.ImportFrom)) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        }
        lines = [
            (number, line.strip())
            for number, line in enumerate(text.splitlines(), start=1)
            if number not in silent and len(line.strip()) > 3 and not line.strip().startswith("#")
        ]
        for start in range(len(lines) - WINDOW + 1):
            window = lines[start : start + WINDOW]
            places[tuple(line for _, line in window)].add((str(path), window[0][0]))
    return sum(len(found) > 1 for found in places.values())


def numbers(root: Path) -> dict[str, int]:
    """What is counted of a source folder."""
    files = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in root.rglob("*.py")}
    asked = r"is_classical\(|classical\.json\"\)\.exists|isinstance\(\w+, NeuralPredictor\)|isinstance\(\w+, (Neural|Classical)Learner\)"
    per_room = Counter(room_of(root, path) for path in files)
    return {
        "files": len(files),
        "lines": sum(files.values()),
        "rooms": len(rooms(root)),
        "imports between rooms": len(imports(root)),
        "files in the largest room": max(per_room.values()),
        "longest file, lines": max(files.values()),
        "longest function, lines": max(functions(root)),
        "files that name subset_accuracy": naming(root, "subset_accuracy"),
        "files that ask whether a method is classical": naming(root, asked),
        "files that write a file aside and move it": naming(root, r"os\.replace\(|\.replace\(path\)|\.rename\(path\)"),
        "blocks of six lines that stand twice": copies(root),
    }


def main() -> None:
    """Print the table."""
    folders = [Path(word) for word in sys.argv[1:]] or [Path(__file__).parents[1] / "src" / "multihot"]
    columns = [numbers(folder) for folder in folders]
    print("| | " + " | ".join(map(str, folders)) + " |\n|---|" + "---:|" * len(folders))
    for name in columns[0]:
        print(f"| {name} | " + " | ".join(f"{column[name]:,}" for column in columns) + " |")


if __name__ == "__main__":
    main()
