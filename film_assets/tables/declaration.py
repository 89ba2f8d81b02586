"""How a table is declared: once, and everything else follows from it.

The DDL, the column descriptions and lineage in the web UI, what a change rebuilds, and the documentation of the data all come
from the declaration made here. Belongs here: ``Column``, ``Table``, ``Blob`` and the ``table`` decorator. Does not
belong here: a table itself (its own module), SQL or files (``engines``), Dagster (``orchestration``),
which code belongs to a function (``code``).
"""

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import narwhals as nw

from film_assets.common.dtypes import Type, dtypes
from film_assets.tables.code import Code, Reached, UnreadableCodeError
from film_assets.tables.ranges import RANGE_KEYS, UNPARTITIONED_KEYS

Frame = nw.LazyFrame[Any]
DTYPES: Mapping[str, nw.dtypes.DType] = dtypes(nw)
"""The SQL types tables use, and the Narwhals type of each."""

CODE = Code(__name__.partition(".")[0], declaring=[f"{__name__}.{name}" for name in ("Table", "Blob", "table")])
"""The code of this package, in which declarations are told from what computes rows."""


@dataclass(frozen=True)
class Column:
    """One column: its name, SQL type and meaning, and where its values come from.

    ``sources`` are the columns it is computed from, as ``schema.table.column``. ``minimum``, ``maximum`` and ``pattern``
    (a regular expression for the whole value) say which values a blob may hold, ``form`` says it in words; others are bad
    values. ``elements`` is the same for each element of a comma-separated list, ``element_form`` says it in words; a bad element
    is left out, the good ones stay. ``label`` is a word out of a vocabulary, or a list of such words: one that stands for null
    elsewhere (``NA``, ``None``) is a bad value. ``allowed`` are the values known so far: others are kept, and a check tells of
    them. ``references`` names the column whose ids this one repeats. ``prose`` is text in anybody's words, mostly different in
    each row.
    """

    name: str
    type: Type
    text: str
    sources: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    form: str = ""
    elements: str | None = None
    element_form: str = ""
    label: bool = False
    references: str | None = None
    allowed: tuple[str, ...] = ()
    prose: bool = False


@dataclass(frozen=True)
class Table:
    """A table of the warehouse: what it holds and how it is computed.

    Attributes:
        name: ``schema.table``, as people query it.
        key: The columns that identify a row.
        columns: All columns, in order.
        text: What the table holds, in words.
        function: From frames to a frame; a parameter ``raw_titles`` is given the table ``raw.titles``. None for a blob.
        uses: Columns that decide which rows there are without giving a value (filters, joins), as ``schema.table.column``.
        range_column: The id column whose ranges partition the table; empty where the table is not partitioned. The rows of an id
            come from rows of that id alone in every input that has the column.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    text: str
    function: Callable[..., Frame] | None = None
    uses: tuple[str, ...] = ()
    range_column: str = ""

    @property
    def schema(self) -> str:
        """The first part of the name: raw, films, metrics or quality."""
        return self.name.partition(".")[0]

    @property
    def short(self) -> str:
        """The second part of the name."""
        return self.name.partition(".")[2]

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Table -> the columns of it that this one depends on; the function is given these and no others."""
        found: dict[str, dict[str, None]] = {name.replace("_", ".", 1): {} for name in self.parameters}
        for path in (*(source for column in self.columns for source in column.sources), *self.uses):
            upstream, _, column = path.rpartition(".")
            if upstream not in found:
                raise TypeError(f"{self.name} reads {path}, but its function has no parameter for {upstream}")
            found[upstream][column] = None
        return {upstream: tuple(columns) for upstream, columns in found.items()}

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the function: ``raw_titles`` stands for the table ``raw.titles``."""
        return tuple(inspect.signature(self.function).parameters) if self.function else ()

    @cached_property
    def code_version(self) -> str:
        """A digest of the declaration, and if a function computes the rows, of its code with the helpers and constants it uses.

        Raises:
            TypeError: Something of this cannot be compared from run to run; the text says what.
        """
        shape = [(column.name, column.type, column.minimum, column.maximum, column.pattern) for column in self.columns]
        parts = [ascii((self.name, self.key, shape)), *([self._reached.text] if self.function else [])]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    @cached_property
    def uses_lists(self) -> bool:
        """Whether the rows are computed with ``lists``, and so in part by the engine's own code (``lists.native_version``)."""
        return f"{__package__}.lists" in self._reached.modules if self.function else False

    @cached_property
    def _reached(self) -> Reached:
        try:
            return CODE.of(self.function)
        except UnreadableCodeError as error:
            raise TypeError(f"{self.name}: {error}") from error

    @property
    def range_keys(self) -> tuple[str, ...]:
        """The keys of its ranges, in order; of a table that is not partitioned the one for all of it."""
        return RANGE_KEYS if self.range_column else UNPARTITIONED_KEYS

    def is_required(self, column: Column) -> bool:
        """Whether no row has a null there: in keys; but a table that is not partitioned has groups, and null is one of them."""
        return column.name in self.key and bool(self.range_column)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

    def take(self, *names: str) -> tuple[Column, ...]:
        """These columns as another table declares them when it hands their values on unchanged."""
        columns = (self.column(name) for name in names)
        return tuple(
            Column(c.name, c.type, c.text, (f"{self.name}.{c.name}",), references=c.references, allowed=c.allowed, prose=c.prose)
            for c in columns
        )

    def compute(self, frames: Mapping[str, Frame]) -> Frame:
        """The rows of the table from its inputs by table name, with exactly the declared columns and types."""
        assert self.function, f"{self.name} is landed, not computed"
        result = self.function(**{parameter: frames[parameter.replace("_", ".", 1)] for parameter in self.parameters})
        return result.select(nw.col(column.name).cast(DTYPES[column.type]) for column in self.columns)


@dataclass(frozen=True)
class Blob(Table):
    """A raw table: what a blob delivers, typed.

    Attributes:
        files: The names it goes by at a source, without ``.gz``.
        bytes: How large the real one is; only how the blobs compare matters, for what is said of the time a refresh takes.
    """

    files: tuple[str, ...] = ()
    bytes: int = 0


def table(
    name: str, *, key: tuple[str, ...], columns: tuple[Column, ...], uses: tuple[str, ...] = (), range_column: str | None = None
) -> Callable[[Callable[..., Frame]], Table]:
    """Declare a table around the function that computes it; its docstring becomes the table's description.

    ``range_column`` is the first column of the key unless it is named; "" for a table that is not partitioned.
    """

    def declare(function: Callable[..., Frame]) -> Table:
        text = " ".join((function.__doc__ or "").split())
        return Table(name, key, columns, text, function, uses, key[0] if range_column is None else range_column)

    return declare
