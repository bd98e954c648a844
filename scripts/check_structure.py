"""Count modules, imports, circles, long files and repeated names, and hold them to limits.

Every import counts: those inside functions and those for type checkers too. ``--root`` measures
another checkout, so that a table before and after a change is made by one program.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
PLACES = {"multifidus": Path("multifidus"), "napari_multifidus": Path("plugins/napari_multifidus")}

MOST_FLAT = 10
MOST_LINES = 450
MOST_METHODS = 20
MOST_REPEATED = 3
NO_NAMES = {"base", "common", "core", "helper", "helpers", "misc", "util", "utils"}
"""Names that do not say what a module defines."""

OTHER_TESTS = {"benchmarks", "frozen", "plugins", "support"}
"""Folders of tests that are of no package of the library."""

LONG_FILE = 300
LONG_FUNCTION = 40

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """One module: its name, its file and what is in it.

    Parameters
    ----------
    imports
        Modules of ours that it imports, wherever in the file.
    """

    name: str
    path: Path
    lines: int
    tree: ast.Module
    imports: frozenset[str] = frozenset()

    @property
    def package(self) -> str:
        """The package that it lies in; for a package, itself."""
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]


def modules_of(root: Path) -> dict[str, Module]:
    """Read every module of the library and of the plugin."""
    found = {}
    for top, folder in PLACES.items():
        for path in sorted((root / folder).rglob("*.py")):
            parts = path.relative_to(root / folder).with_suffix("").parts
            name = ".".join((top, *parts)).removesuffix(".__init__")
            text = path.read_text(encoding="utf-8")
            found[name] = Module(name, path, text.count("\n"), ast.parse(text))
    return {
        name: Module(name, each.path, each.lines, each.tree, frozenset(_imports(each, found)))
        for name, each in found.items()
    }


def _imports(module: Module, known: dict[str, Module]) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            named = [
                deep if (deep := f"{node.module}.{alias.name}") in known else node.module
                for alias in node.names
            ]
        else:
            continue
        yield from (name for name in named if name in known and name != module.name)


def circles(modules: dict[str, Module]) -> list[list[str]]:
    """Return the groups of modules that import each other, directly or not (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(modules[name].imports):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            place = stack.index(name)
            group = stack[place:]
            del stack[place:]
            if len(group) > 1:
                found.append(sorted(group))

    for name in modules:
        if name not in index:
            visit(name)
    return found


def classes(modules: dict[str, Module]) -> Iterator[tuple[Module, ast.ClassDef]]:
    """Yield every class."""
    for module in modules.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                yield module, node


def public_methods(node: ast.ClassDef) -> int:
    """Count methods and properties that others may use."""
    names = {item.name for item in node.body if isinstance(item, Definition)}
    return sum(not name.startswith("_") for name in names)


def inherited(modules: dict[str, Module]) -> Iterator[str]:
    """Yield classes of the library that inherit from others of it; errors, protocols left out."""
    library = [(m, node) for m, node in classes(modules) if m.name.startswith("multifidus.")]
    names = {node.name for _, node in library if "Protocol" not in map(ast.unparse, node.bases)}
    for module, node in library:
        ours = {ast.unparse(base).rpartition(".")[2] for base in node.bases} & names
        if ours and module.name != "multifidus.errors":
            yield f"{module.name}.{node.name} inherits from {', '.join(sorted(ours))}"


def misplaced(root: Path) -> Iterator[str]:
    """Yield folders of tests to which no package corresponds."""
    for folder in sorted((root / "tests").iterdir()):
        known = folder.name in OTHER_TESTS or (root / PLACES["multifidus"] / folder.name).is_dir()
        if folder.is_dir() and any(folder.rglob("test_*.py")) and not known:
            yield f"tests/{folder.name} is of no package in multifidus/"


def functions(modules: dict[str, Module]) -> list[tuple[int, str]]:
    """Return every function's length and name, longest first."""
    found = [
        (node.end_lineno - node.lineno + 1, f"{module.name}.{node.name}")
        for module in modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, Definition) and node.end_lineno is not None
    ]
    return sorted(found, reverse=True)


def repeated(names: Iterable[str]) -> list[str]:
    """Return names that occur more than once, with how often."""
    return [f"{name} x{n}" for name, n in sorted(Counter(names).items()) if n > 1]


def measures(modules: dict[str, Module]) -> dict[str, object]:
    """Return the figures, by what they are called."""
    pairs = {
        (module.package, modules[other].package)
        for module in modules.values()
        for other in module.imports
        if module.package != modules[other].package
    }
    importers = Counter(other for module in modules.values() for other in module.imports)
    flat = [
        module for module in modules.values()
        if module.path.name != "__init__.py" and module.package == "multifidus"
    ]  # fmt: skip
    lengths = functions(modules)
    files = sorted(((m.lines, m.name) for m in modules.values()), reverse=True)
    methods = sorted(
        ((public_methods(node), f"{m.name}.{node.name}") for m, node in classes(modules)),
        reverse=True,
    )
    groups = circles(modules)
    return {
        "lines": sum(module.lines for module in modules.values()),
        "modules": len(modules),
        "packages": sum(m.path.name == "__init__.py" for m in modules.values()),
        "modules flat in multifidus/": len(flat),
        "imports between modules": sum(len(module.imports) for module in modules.values()),
        "imports between packages": len(pairs),
        "modules with one importer": sum(n == 1 for n in importers.values()),
        "import circles": len(groups),
        "modules in circles": sum(map(len, groups)),
        f"files over {LONG_FILE} lines": sum(n > LONG_FILE for n, _ in files),
        f"files over {MOST_LINES} lines": sum(n > MOST_LINES for n, _ in files),
        "longest file": f"{files[0][0]} {files[0][1]}",
        f"functions over {LONG_FUNCTION} lines": sum(n > LONG_FUNCTION for n, _ in lengths),
        "longest function": f"{lengths[0][0]} {lengths[0][1]}",
        f"classes over {MOST_METHODS} public methods": sum(n > MOST_METHODS for n, _ in methods),
        "most public methods": f"{methods[0][0]} {methods[0][1]}",
        "class names that occur twice": len(repeated(node.name for _, node in classes(modules))),
    }


def broken_limits(modules: dict[str, Module]) -> list[str]:
    """Say which limits are broken, and where."""
    found = [f"modules import each other: {', '.join(group)}" for group in circles(modules)]
    flat = measures(modules)["modules flat in multifidus/"]
    if isinstance(flat, int) and flat > MOST_FLAT:
        found.append(f"{flat} modules lie flat in multifidus/; at most {MOST_FLAT}")
    found += [
        f"{module.name} has {module.lines} lines; at most {MOST_LINES}"
        for module in modules.values()
        if module.lines > MOST_LINES
    ]
    found += [
        f"{module.name}.{node.name} has {public_methods(node)} public methods; at most "
        f"{MOST_METHODS}"
        for module, node in classes(modules)
        if public_methods(node) > MOST_METHODS
    ]
    found += [
        f"{module.name} is named after nothing that it defines"
        for module in modules.values()
        if module.name.rpartition(".")[2].strip("_") in NO_NAMES
    ]
    found += inherited(modules)
    twice = repeated(node.name for _, node in classes(modules))
    if len(twice) > MOST_REPEATED:
        found.append(f"class names occur twice: {', '.join(twice)}; at most {MOST_REPEATED}")
    return found


def main() -> None:
    """Print the table; exit code 1 where a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=HERE, help="a checkout; this one if not given")
    parser.add_argument("--table-only", action="store_true", help="print, and hold to no limit")
    options = parser.parse_args()
    modules = modules_of(options.root)
    for name, value in measures(modules).items():
        print(f"| {name} | {value} |")
    broken = [] if options.table_only else [*broken_limits(modules), *misplaced(options.root)]
    if broken:
        sys.exit("Limits of the structure are broken:\n- " + "\n- ".join(broken))


if __name__ == "__main__":
    main()
