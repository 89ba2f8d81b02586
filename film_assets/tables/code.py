"""What code a function comes to: its own and all that it uses of its package, as a text that changes when any of it does.

Every name is followed to where the source of its module defines it: a function, a class, whatever a module assigns, or an import,
which is followed in turn; ``lists.split`` is that one function, not all of ``lists``. So a constant counts whatever its type, by
the code that makes it. What is not of the package counts by its name alone. Only what a function takes from around it, as a
lambda may, or what the source does not show, counts by its value.

Not seen: what functions that run put into a module, as into a register. Belongs here: which code belongs to which; the standard
library is enough for it. Does not belong here: how code is written down (``syntax``), and what else a table's version consists of
(``declaration``).
"""

import ast
import copy
import linecache
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from film_assets.tables import syntax


class UnreadableCodeError(TypeError):
    """Code that no version can be made of; the text says which and why."""


@dataclass(frozen=True)
class Reached:
    """What a function comes to: the text of all its code, and the modules that this is in."""

    text: str
    modules: frozenset[str]


@dataclass(frozen=True)
class _Definition:
    """What a module defines by a name; all that it defines, where the name is empty."""

    module: str
    name: str


@dataclass(frozen=True)
class _Closure:
    """A function as it is in memory, with the values it takes from around it."""

    function: FunctionType

    @property
    def module(self) -> str:
        """The module it is written in."""
        return str(self.function.__globals__["__name__"])


_Piece = _Definition | _Closure

_Edge = tuple[str, _Piece | str]
"""What code calls something, and what that is; a string says so where nothing is to be followed."""


class Code:
    """The code of a package.

    ``declaring`` are the functions and classes, as ``module.name``, that declare tables. They count by their names, and so does a
    table, whose rows have versions of their own; but ``function`` and ``compute`` of a table are followed.
    """

    def __init__(self, package: str, declaring: Iterable[str] = ()) -> None:
        """Of an imported package; its sources are read when they are first needed."""
        self._package = package
        self._declaring = frozenset(declaring)
        self._modules: dict[str, _Module | None] = {}
        self._opened: dict[_Piece, tuple[str, list[_Edge]]] = {}

    def of(self, value: Any) -> Reached:
        """What a function comes to, or all the functions in a value.

        Pieces of code are numbered in the order they are found in, so that it makes no difference which modules they are in.

        Raises:
            UnreadableCodeError: There is no source, or a value counts that cannot be compared from run to run.
        """
        numbers: dict[_Piece, int] = {}
        lines = _lines(self._value("", value), numbers)
        queue = list(numbers)
        for item in queue:
            text, edges = self._open(item)
            lines += [f"{numbers[item]}: {text}", *_lines(edges, numbers)]
            queue += list(numbers)[len(queue) :]
        return Reached("\n".join(lines), frozenset(item.module for item in queue))

    def _open(self, item: _Piece) -> tuple[str, list[_Edge]]:
        """Its text, and what it uses."""
        if item not in self._opened:
            self._opened[item] = self._defined(item) if isinstance(item, _Definition) else self._closed(item.function)
        return self._opened[item]

    # ---- what the source shows

    def _defined(self, item: _Definition) -> tuple[str, list[_Edge]]:
        module = self._module(item.module)
        assert module, f"{item.module} has been read"
        statements = [self._bare(module, statement) for statement in module.defining(item.name)]
        edges = [edge for name in module.used(*statements) for edge in self._follow(module, name, ".".join(name))]
        for name, path in module.bound(*statements).items():  # imports among them, as under an if
            edges += self._from_top(path[1:], name) if path else ()
        return syntax.text(statements), edges

    def _bare(self, module: "_Module", statement: ast.stmt) -> ast.stmt:
        """A function's definition without the decorator that declares a table."""
        if not isinstance(statement, syntax.Function):
            return statement
        bare = copy.copy(statement)
        bare.decorator_list = [item for item in statement.decorator_list if not self._declares(module, item)]
        return bare

    def _declares(self, module: "_Module", node: ast.expr | None) -> bool:
        name = syntax.path(node.func) if isinstance(node, ast.Call) else None
        return name is not None and any(target in self._declaring for _, target in self._follow(module, name, ""))

    def _is_declaration(self, module: "_Module", statement: ast.stmt) -> bool:
        if isinstance(statement, syntax.Function):
            return any(self._declares(module, decorator) for decorator in statement.decorator_list)
        return isinstance(statement, ast.Assign | ast.AnnAssign) and self._declares(module, statement.value)

    def _follow(self, module: "_Module", name: syntax.Path, label: str) -> Iterator[_Edge]:
        """What a name in the code of a module stands for; nothing where it is Python's own."""
        first, *rest = name
        if first == syntax.TOP:
            yield from self._from_top(rest, label)
        if first in module.statements:
            yield label, self._named(module, first, rest)
        if first in module.imports:
            yield from self._from_top((*module.imports[first][1:], *rest), label)
        if not module.binds(first) and not first.startswith("__") and first in module.in_memory:
            yield from self._value(label, module.in_memory[first], rest)

    def _named(self, module: "_Module", name: str, rest: Sequence[str]) -> _Definition | str:
        path = f"{module.name}.{name}"
        if not self._is_own(module.name) or path in self._declaring:
            return path
        is_table = any(self._is_declaration(module, statement) for statement in module.statements[name])
        return path if is_table and not _is_code(rest) else _Definition(module.name, name)

    def _from_top(self, path: Sequence[str], label: str) -> Iterator[_Edge]:
        """What a path stands for: what the last module on it defines, or all of it, or something outside the package."""
        module, rest = self._module(path[0]), path[1:]
        while module and rest and not module.binds_otherwise(rest[0]):
            inner = self._module(f"{module.name}.{rest[0]}")
            if not inner:
                break
            module, rest = inner, rest[1:]
        if not module:
            yield label, ".".join(path)
        elif rest:
            yield from self._follow(module, tuple(rest), label)
        else:
            yield label, _Definition(module.name, "")

    def _is_own(self, module: str) -> bool:
        return module.partition(".")[0] == self._package

    def _module(self, name: str) -> "_Module | None":
        """A module of the package; None where there is none of that name."""
        if not self._is_own(name):
            return None
        if name not in self._modules:
            base = Path(sys.modules[self._package].__path__[0], *name.split(".")[1:])
            files = {base / "__init__.py": name, base.with_suffix(".py"): name.rpartition(".")[0]}
            read = (_Module(name, package, file.read_bytes()) for file, package in files.items() if file.is_file())
            self._modules[name] = next(read, None)
        return self._modules[name]

    # ---- what is in memory alone

    def _closed(self, function: FunctionType) -> tuple[str, list[_Edge]]:
        module = self._module_of(function)
        written = module.function(function.__code__)
        bare = copy.copy(written)
        edges: list[_Edge] = []
        if isinstance(bare, syntax.Function):
            bare.decorator_list = []  # what they made is what is in memory
        if written not in module.tree.body:
            bare.args = copy.copy(written.args)
            bare.args.defaults, bare.args.kw_defaults = [], []
            edges += self._value("default", (function.__defaults__, function.__kwdefaults__))
        around = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        for name in module.used(bare):
            label, cell = ".".join(name), around.get(name[0])
            edges += self._value(label, cell.cell_contents, name[1:]) if cell else self._follow(module, name, label)
        return syntax.text(bare), edges

    def _module_of(self, function: FunctionType) -> "_Module":
        name = _Closure(function).module
        return self._module(name) or _Module(name, name.rpartition(".")[0], _source(function))

    def _value(self, label: str, value: Any, rest: Sequence[str] = ()) -> Iterator[_Edge]:
        """What a value is, or consists of; ``rest`` are the attributes of it that are meant."""
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        match value:
            case ModuleType():
                yield from self._from_top((*value.__name__.split("."), *rest), label)
            case type():
                yield from self._from_top((*value.__module__.split("."), *value.__qualname__.split(".")), label)
            case FunctionType() if self._is_followed(value) or not label:
                yield label, _Closure(value)
            case FunctionType() | BuiltinFunctionType():
                yield label, f"{value.__module__}.{value.__qualname__}"
            case _ if kind in self._declaring:
                yield from self._value(label, value.function) if _is_code(rest) else [(label, f"{kind} {value.name}")]
            case None | bool() | int() | float() | complex() | str() | bytes() if type(value).__module__ == "builtins":
                yield label, ascii(value)
            case _:
                yield from self._value(f"{label} type", type(value))
                for name, part in self._parts(label, value).items():
                    yield from self._value(f"{label}.{name}", part)

    def _parts(self, label: str, value: Any) -> dict[Any, Any]:
        match value:
            case Enum():
                return {"name": value.name}
            case dict():
                return dict(enumerate(value.items()))
            case tuple() | list() | set() | frozenset():
                return dict(enumerate(sorted(value, key=self._order) if isinstance(value, set | frozenset) else value))
            case partial():
                return {"func": value.func, "args": value.args, "keywords": value.keywords}
        if is_dataclass(value):
            return {field.name: getattr(value, field.name) for field in fields(value)}
        if hasattr(value, "__wrapped__"):
            return {"__wrapped__": value.__wrapped__}
        raise UnreadableCodeError(
            f"{label or 'its function'} is a {type(value).__qualname__} made as the program runs, which cannot be compared with "
            "another run's: let a module define it, or use a plain value"
        )

    def _order(self, item: Any) -> list[tuple[str, str]]:
        return sorted((label, target) for label, target in self._value("", item) if isinstance(target, str))

    def _is_followed(self, function: FunctionType) -> bool:
        """Whether a function is of the package, or was made as the program ran."""
        return self._is_own(_Closure(function).module) or "<" in function.__code__.co_qualname


def _lines(edges: Iterable[_Edge], numbers: dict[_Piece, int]) -> list[str]:
    return [
        f"  {label} is {target if isinstance(target, str) else numbers.setdefault(target, len(numbers))}"
        for label, target in sorted(edges, key=lambda edge: edge[0])
    ]


def _source(function: FunctionType) -> str:
    """The source of the module that a function is in, of whatever package; empty where there is none."""
    return "".join(linecache.getlines(function.__code__.co_filename, function.__globals__))


def _is_code(attributes: Sequence[str]) -> bool:
    """Whether these attributes of a table are or run its function."""
    return bool(attributes) and attributes[0] in {"function", "compute"}


class _Module:
    """What the source of a module defines.

    Attributes:
        name: What it is imported as.
        tree: Its syntax tree.
        imports: Name -> the path from the top that it is imported from.
        statements: Name -> the statements that define it otherwise, or change a part of it.
    """

    def __init__(self, name: str, package: str, source: str | bytes) -> None:
        """Read a module; ``package`` is the one it is in, or if it is a package itself."""
        self.name, self._package = name, package
        self.tree = ast.parse(source)
        self.imports: dict[str, syntax.Path] = {}
        self.statements: dict[str, list[ast.stmt]] = {}
        for statement in self.tree.body:
            if isinstance(statement, syntax.Import):
                self.imports |= self.bound(statement)
            else:
                for defined in self._changed(statement) | self.bound(statement).keys():
                    self.statements.setdefault(defined, []).append(statement)

    def _changed(self, statement: ast.stmt) -> set[str]:
        fixed = (syntax.Function, ast.ClassDef)
        names = syntax.changed(statement) & self.statements.keys()
        return {name for name in names if not isinstance(self.statements[name][0], fixed)}

    @property
    def in_memory(self) -> Mapping[str, Any]:
        """What the module has been filled with."""
        return vars(sys.modules[self.name]) if self.name in sys.modules else {}

    def used(self, *nodes: ast.AST) -> set[syntax.Path]:
        """The names that code of the module uses."""
        return syntax.used(nodes, self._package)

    def bound(self, *nodes: ast.AST) -> dict[str, syntax.Path]:
        """The names that code of the module binds."""
        return syntax.bound(nodes, self._package)

    def binds(self, name: str) -> bool:
        """Whether the source gives the name a meaning."""
        return name in self.statements or name in self.imports

    def binds_otherwise(self, name: str) -> bool:
        """Whether it gives it another meaning than that of the module of this name in the package."""
        return self.binds(name) and self.imports.get(name) != (syntax.TOP, *self.name.split("."), name)

    def defining(self, name: str) -> list[ast.stmt]:
        """The statements that define a name, or if it is empty, all names."""
        return self.statements[name] if name else [item for item in self.tree.body if not isinstance(item, syntax.Import)]

    def function(self, code: CodeType) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda:
        """Where a function of the module is written; UnreadableCodeError where it is not."""
        found: list[Any] = [node for node in self.statements.get(code.co_name, ()) if _is_written_at(node, code)]
        found = found or [node for node in ast.walk(self.tree) if _is_written_at(node, code)]
        if len(found) > 1:  # lambdas on one line, the outer before those in them
            found = [node for node in found if self._is_compiled_to(node, code)]
        if not found:
            raise UnreadableCodeError(f"no source is to be had of {code.co_qualname} in {self.name}: write it in a module")
        written: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda = found[-1]
        return written

    def _is_compiled_to(self, node: ast.Lambda, code: CodeType) -> bool:
        """Whether this is what comes of a lambda or of one in it. Of its place, not every Python knows more than the line."""
        ast.increment_lineno(node, _FAR)
        try:
            every = _within(compile(self.tree, code.co_filename, "exec", dont_inherit=True))
        finally:
            ast.increment_lineno(node, -_FAR)
        return _placeless(code) in [_placeless(item) for item in every if item.co_firstlineno == node.lineno + _FAR]


_FAR = 1_000_000


def _within(code: CodeType) -> list[CodeType]:
    return [code, *(item for const in code.co_consts if isinstance(const, CodeType) for item in _within(const))]


def _placeless(code: CodeType) -> CodeType:
    """Code that equals other code wherever that is."""
    consts = tuple(_placeless(const) if isinstance(const, CodeType) else const for const in code.co_consts)
    return code.replace(co_firstlineno=1, co_linetable=b"", co_consts=consts)


def _is_written_at(node: ast.AST, code: CodeType) -> bool:
    if isinstance(node, ast.Lambda):
        return (node.lineno, "<lambda>") == (code.co_firstlineno, code.co_name)
    if isinstance(node, syntax.Function):
        first = min(part.lineno for part in (node, *node.decorator_list))
        return (first, node.name) == (code.co_firstlineno, code.co_name)
    return False
