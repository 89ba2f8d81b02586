"""Syntax trees as text, and the names in them: the same on every Python, whatever the layout of the source.

The text is written here, node by node, since the standard library's differs from one Python to the next: ``ast.dump`` and
``ast.unparse`` change their style, nodes get new fields, and an f-string comes in other pieces. Strings are escaped, since
Pythons differ in what they take for printable. What computes nothing is left out: comments, layout, docstrings, ``pass``, and
the types of parameters and variables; those of a class's fields stay, since a dataclass reads them.

Belongs here: one tree by itself. Does not belong here: what a name stands for in another module (``code``).
"""

import ast
from collections.abc import Iterable, Iterator
from typing import Any

Path = tuple[str, ...]
"""A name with the attributes that follow it, as ``("lists", "split")``. With ``TOP`` before it, the path from the top package, as
``(TOP, "film_assets", "tables", "lists", "split")``: that is what an import binds a name to."""

TOP = ""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Import = ast.Import | ast.ImportFrom

_LEFT_OUT = frozenset({"annotation", "ctx", "kind", "returns", "simple", "type_comment"})


# ---- text


def text(node: Any) -> str:
    """A tree, a list of trees, or the value of a field, in one line of ASCII."""
    match node:
        case ast.Constant():
            return f"Constant({node.value!a})"
        case ast.JoinedStr():
            return _joined(node)
        case ast.AnnAssign():
            return f"Assign(targets=[{text(node.target)}], value={text(node.value)})"
        case ast.ClassDef():
            return _fields(node, body=f"[{', '.join(_in_class(item) for item in node.body if not _does_nothing(item))}]")
        case ast.AST():
            return _fields(node)
        case _:
            return f"[{', '.join(map(text, node))}]" if isinstance(node, list) else ascii(node)


def _in_class(statement: ast.stmt) -> str:
    return _fields(statement, annotation=text(statement.annotation)) if isinstance(statement, ast.AnnAssign) else text(statement)


def _fields(node: ast.AST, **given: str) -> str:
    """A node with its fields, but for the empty ones: another Python may not have them."""
    names = [name for name in node._fields if name not in _LEFT_OUT and name not in given]
    told = {name: _field(getattr(node, name, None)) for name in names} | given
    return f"{type(node).__name__}({', '.join(f'{name}={told[name]}' for name in sorted(told) if told[name])})"


def _field(value: Any) -> str:
    if isinstance(value, list):
        value = [item for item in value if not _does_nothing(item) and not _is_type_of_variable(item)]
    return "" if value is None or value == [] else text(value)


def _does_nothing(node: Any) -> bool:
    """Whether it is ``pass`` or a value by itself, as docstrings are."""
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _is_type_of_variable(node: Any) -> bool:
    return isinstance(node, ast.AnnAssign) and node.value is None


def _joined(node: ast.JoinedStr) -> str:
    """An f-string: its texts, each as long as it can be, and the values between them."""
    pieces: list[Any] = [""]
    for piece in node.values:
        if isinstance(piece, ast.Constant):
            pieces[-1] += piece.value
        else:
            pieces += [piece, ""]
    return f"JoinedStr([{', '.join(text(piece) for piece in pieces if piece)}])"


# ---- names


def path(node: ast.AST) -> Path | None:
    """A name with its attributes; None for anything else."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return (node.id, *reversed(attributes)) if isinstance(node, ast.Name) else None


def used(nodes: Iterable[ast.AST], package: str) -> set[Path]:
    """The names that code uses without binding them itself, and what it imports within functions, as paths from the top."""
    uses = _Uses(package)
    for node in nodes:
        uses.visit(node)
    return uses.found


def bound(nodes: Iterable[ast.AST], package: str) -> dict[str, Path]:
    """The names that code binds where it stands, not in the functions in it; to what, if an import does, else to nothing."""
    bindings = _Bindings(package)
    for node in nodes:
        bindings.visit(node)
    return {name: target for name, target in bindings.names.items() if name not in bindings.elsewhere}


def changed(statement: ast.stmt) -> set[str]:
    """The names of what a statement may change a part of: it assigns to the part, or is an expression that uses the name."""
    return set(_changed(statement))


def _changed(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, Function | ast.ClassDef):
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Expr):
            yield from (name.id for name in ast.walk(node) if isinstance(name, ast.Name))
        elif isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            yield from (name.id for name in ast.walk(node.value) if isinstance(name, ast.Name))


class _Uses(ast.NodeVisitor):
    """Names used. Those that a class binds are not told apart: its functions do not see them, and a module may have them too."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.found: set[Path] = set()

    def visit(self, node: ast.AST) -> None:
        match node:
            case ast.Name(ctx=ast.Store() | ast.Del()):
                pass
            case ast.Name() | ast.Attribute() if name := path(node):
                self.found.add(name)
            case ast.arg():
                pass  # its type computes nothing
            case ast.AnnAssign():
                self._visit([node.target, node.value])
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._visit([*node.decorator_list, node.args])
                self._visit_within([node.args, *node.body])
            case ast.Lambda():
                self._visit([node.args])
                self._visit_within([node.args, node.body])
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                self._visit_comprehension(node.generators, [node.elt])
            case ast.DictComp():
                self._visit_comprehension(node.generators, [node.key, node.value])
            case _:
                self.generic_visit(node)

    def _visit(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node:
                self.visit(node)

    def _visit_comprehension(self, generators: list[ast.comprehension], values: list[ast.expr]) -> None:
        first, *others = generators
        self._visit([first.iter])
        self._visit_within([*(item.target for item in generators), *first.ifs, *others, *values])

    def _visit_within(self, nodes: list[ast.AST]) -> None:
        """What has names of its own."""
        own = bound(nodes, self.package)
        for name in used(nodes, self.package):
            target = own.get(name[0])
            if target is None:
                self.found.add(name)
            elif target:
                self.found.add((*target, *name[1:]))


_NAMING = {ast.ExceptHandler: "name", ast.MatchAs: "name", ast.MatchStar: "name", ast.MatchMapping: "rest"}
"""Node -> the field of it that is a name it binds."""


class _Bindings(ast.NodeVisitor):
    """Names bound, and those that a function says are bound elsewhere."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.names: dict[str, Path] = {}
        self.elsewhere: set[str] = set()

    def visit(self, node: ast.AST) -> None:
        match node:
            case ast.Name(ctx=ast.Store() | ast.Del()):
                self._bind(node.id)
            case ast.arg():
                self._bind(node.arg)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._bind(node.name)
            case ast.Lambda():
                pass  # its names are its own
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                for inner in ast.walk(node):  # its names are its own too, but for those of :=
                    self._bind(inner.target.id if isinstance(inner, ast.NamedExpr) else None)
            case ast.Global() | ast.Nonlocal():
                self.elsewhere.update(node.names)
            case ast.Import() | ast.ImportFrom():
                self.names |= _imported(node, self.package)
            case _:
                self._bind(getattr(node, _NAMING.get(type(node), ""), None))
                self.generic_visit(node)

    def _bind(self, name: str | None) -> None:
        if name:
            self.names.setdefault(name, ())


def _imported(node: Import, package: str) -> dict[str, Path]:
    if isinstance(node, ast.Import):
        whole = {item.asname: (TOP, *item.name.split(".")) for item in node.names if item.asname}
        tops = [item.name.partition(".")[0] for item in node.names if not item.asname]
        return whole | {top: (TOP, top) for top in tops}
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1] if node.level else []
    base += node.module.split(".") if node.module else []
    return {item.asname or item.name: (TOP, *base, item.name) for item in node.names}
