"""What changes the code that a function comes to, and what does not: small packages, written, imported and compared."""

import ast
import importlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from film_assets.tables.code import Code, UnreadableCodeError

NUMBERS = itertools.count()

Reach = Callable[..., str]


@pytest.fixture
def reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reach:
    """The text of what ``rows`` of a package ``shop`` comes to, whose modules are given; each package has a name of its own."""
    monkeypatch.syspath_prepend(tmp_path)

    def text(rows: str, **others: str) -> str:
        name = f"shop{next(NUMBERS)}"
        for module, source in {"__init__": "", **others, "rows": rows}.items():
            file = tmp_path / name / f"{module.replace('__in__', '/')}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source.replace("shop", name))
        importlib.invalidate_caches()
        declaring = [f"{name}.declaration.table", f"{name}.declaration.Table"]
        return Code(name, declaring).of(importlib.import_module(f"{name}.rows").rows).text.replace(name, "shop")

    return text


EVERYTHING = '''
import enum
import functools
import math
from dataclasses import dataclass, field

from shop import prices
from shop.prices import round_up

RATE, STEPS = 0.25, (1, 2)
NAMES = {"a": 1, "b": [2, 3]}
WORDS: frozenset[str] = frozenset({"x", "y"})
NAMES["c"] = 4
WEIGHTS = {}
for number in range(3):
    WEIGHTS[number] = number * 2
if RATE > 1:
    LIMIT = 5
else:
    LIMIT = 6


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass(frozen=True)
class Rule:
    name: str
    least: int = 7
    words: list = field(default_factory=lambda: [8])

    def holds(self, value):
        return value >= self.least - 1


RULES = (Rule("short", 9), Rule("long"))


def times(count):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(value):
            return function(value) * count
        return wrapper
    return decorate


@times(10)
def _scaled(value, by=11, *, plus=12):
    return value * by + plus


def _countdown(value):
    return [] if value <= 0 else [value, *_countdown(value - 13)]


def _even(value):
    return value == 0 or _odd(value - 14)


def _odd(value):
    return value != 0 and _even(value - 15)


def _named(value):
    match value:
        case {"kind": 16, **rest}:
            return rest
        case [17, *others]:
            return others
        case _:
            return f"{value:>18}{NAMES['a']!r}"


def rows(frame, least=19):
    """What it does."""
    from shop.prices import TAX as tax

    def inner(value):
        return value @ RATE if value not in WORDS else ~value

    kept = [each for each in frame if each > least and not each in STEPS]
    total = sum(map(lambda each: each ** 20, kept), start=WEIGHTS[0] | 21)
    while (total := total >> 1) > 22:
        total -= prices.NET % 23
    return inner(total), _scaled(total), _countdown(24), _even(25), _named(26), Level.HIGH, RULES, LIMIT, tax, round_up(math.pi)
'''

PRICES = """
NET = 100
TAX = NET // 5
UNUSED = 1


def round_up(value):
    return -(-value // STEP)


STEP = 10
"""


def test_a_change_of_any_constant_or_operator_is_seen(reach):
    whole = reach(EVERYTHING, prices=PRICES)
    unseen = [
        (module, lineno, what)
        for module, source in (("rows", EVERYTHING), ("prices", PRICES.replace("UNUSED = 1", "")))
        for lineno, what, changed in _changes(source)
        if reach(**{"rows": EVERYTHING, "prices": PRICES, module: changed}) == whole
    ]
    assert unseen == []


def _changes(source: str) -> Iterator[tuple[int, str, str]]:
    """A source with one constant or one operator changed, for each of them, but for docstrings."""
    others = {
        ast.Add: ast.Sub,
        ast.Sub: ast.Add,
        ast.Mult: ast.Add,
        ast.Pow: ast.Mult,
        ast.FloorDiv: ast.Mult,
        ast.Mod: ast.Mult,
        ast.MatMult: ast.Mult,
        ast.BitOr: ast.BitAnd,
        ast.RShift: ast.LShift,
        ast.Gt: ast.GtE,
        ast.GtE: ast.Gt,
        ast.LtE: ast.Lt,
        ast.Eq: ast.NotEq,
        ast.NotEq: ast.Eq,
        ast.In: ast.NotIn,
        ast.NotIn: ast.In,
        ast.And: ast.Or,
        ast.Or: ast.And,
        ast.USub: ast.UAdd,
        ast.Invert: ast.Not,
        ast.Not: ast.Invert,
    }
    places = [(number, node) for number, node in enumerate(ast.walk(ast.parse(source))) if _counts(node)]
    assert len(places) > 5
    for number, _ in places:
        tree = ast.parse(source)
        node = list(ast.walk(tree))[number]
        what = ast.dump(node)
        if isinstance(node, ast.Constant):
            node.value = node.value + ("x" if isinstance(node.value, str) else 1)
        elif isinstance(node, ast.Compare):
            node.ops[0] = others[type(node.ops[0])]()
        else:
            node.op = others[type(node.op)]()
        yield getattr(node, "lineno", 0), what, ast.unparse(tree)


def _counts(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return node.value != "What it does." and not isinstance(node.value, bool)
    return isinstance(node, ast.BinOp | ast.BoolOp | ast.UnaryOp | ast.AugAssign | ast.Compare)


def test_layout_comments_docstrings_and_types_are_not_seen(reach):
    whole = reach(EVERYTHING, prices=PRICES)
    assert reach(ast.unparse(ast.parse(EVERYTHING)), prices=PRICES) == whole
    assert reach(EVERYTHING.replace("What it does.", "What else it does."), prices=PRICES) == whole
    commented = EVERYTHING.replace(
        "def _even(value):\n", 'def _even(\n    value: int,  # whole\n) -> "bool":\n    """Or not."""\n'
    )
    assert reach(commented.replace("RATE, STEPS = 0.25, (1, 2)", "RATE, STEPS = (.25), ((1), 2,)"), prices=PRICES) == whole
    assert reach(EVERYTHING.replace("LIMIT = 5", "LIMIT: int = 5"), prices=PRICES) == whole


def test_what_a_function_does_not_use_is_not_seen(reach):
    whole = reach(EVERYTHING, prices=PRICES)
    assert reach(EVERYTHING, prices=PRICES.replace("UNUSED = 1", "UNUSED = 2\n\n\ndef other():\n    return STEP")) == whole
    assert reach(EVERYTHING + "\nOTHER = RATE + 1\nassert RATE\n", prices=PRICES) == whole


SAME = {
    "a parameter of the name": ("N = 1\ndef rows(N): return N", "N = 2\ndef rows(N): return N"),
    "a variable of the name": ("N = 1\ndef rows(f):\n N = f\n return N", "N = 2\ndef rows(f):\n N = f\n return N"),
    "a comprehension's variable": (
        "N = 1\ndef rows(f): return {N: N for N in f}",
        "N = 2\ndef rows(f): return {N: N for N in f}",
    ),
    "a lambda's parameter": ("N = 1\ndef rows(f): return lambda N: N", "N = 2\ndef rows(f): return lambda N: N"),
    "an error's name": (
        "N = 1\ndef rows(f):\n try: f()\n except OSError as N: return N",
        "N = 2\ndef rows(f):\n try: f()\n except OSError as N: return N",
    ),
    "a name of an enclosing function": (
        "N = 1\ndef rows(N):\n def inner(): return N\n return inner",
        "N = 2\ndef rows(N):\n def inner(): return N\n return inner",
    ),
    "a type of a parameter": ("N = 1\ndef rows(f: N) -> N: return f", "N = 2\ndef rows(f: N) -> N: return f"),
    "an f-string without values": ("def rows(f): return f'a' 'b'", "def rows(f): return f'ab'"),
    "an attribute of something else": ("N = 1\ndef rows(f): return f.N", "N = 2\ndef rows(f): return f.N"),
    "a register that functions fill": (
        "ALL = {}\ndef register(f): ALL[f.__name__] = f\ndef rows(f): return ALL",
        "ALL = {}\ndef register(f): ALL[f.__name__] = f\ndef rows(f): return ALL\n@register\ndef more(f): return 1",
    ),
}


@pytest.mark.parametrize(("before", "after"), SAME.values(), ids=SAME)
def test_another_meaning_of_a_name_is_not_seen(reach, before, after):
    assert reach(before) == reach(after)


DIFFERENT = {
    "a function's own variable, said to be the module's": (
        "N = 1\ndef rows(f):\n global N\n return N",
        "N = 2\ndef rows(f):\n global N\n return N",
    ),
    "the list a comprehension of the same name goes over": (
        "N = [1]\ndef rows(f): return [N for N in N]",
        "N = [2]\ndef rows(f): return [N for N in N]",
    ),
    "a default": ("N = 1\ndef rows(f, n=N): return n", "N = 2\ndef rows(f, n=N): return n"),
    "a class's field": ("class A:\n n = 1\ndef rows(f): return A.n", "class A:\n n = 2\ndef rows(f): return A.n"),
    "a base class": (
        "class A:\n n = 1\nclass B(A): pass\ndef rows(f): return B.n",
        "class A:\n n = 2\nclass B(A): pass\ndef rows(f): return B.n",
    ),
    "a function's type for a class's field": (
        "class A:\n n: int\ndef rows(f): return A()",
        "class A:\n n: str\ndef rows(f): return A()",
    ),
    "1 and True": ("N = 1\ndef rows(f): return N", "N = True\ndef rows(f): return N"),
    "1 and 1.0": ("N = {1: 1}\ndef rows(f): return N", "N = {1: 1.0}\ndef rows(f): return N"),
    "0.0 and -0.0": ("N = 0.0\ndef rows(f): return N", "N = -0.0\ndef rows(f): return N"),
    "a text and bytes": ("N = {'a'}\ndef rows(f): return N", "N = {b'a'}\ndef rows(f): return N"),
    "an order": ("N = ['a', 'b']\ndef rows(f): return N", "N = ['b', 'a']\ndef rows(f): return N"),
    "a change after the definition": ("N = []\nN += [1]\ndef rows(f): return N", "N = []\nN += [2]\ndef rows(f): return N"),
    "a call that changes it": ("N = []\nN.append(1)\ndef rows(f): return N", "N = []\nN.append(2)\ndef rows(f): return N"),
    "where a library's name is from": (
        "from math import floor as cut\ndef rows(f): return cut(f)",
        "from math import ceil as cut\ndef rows(f): return cut(f)",
    ),
    "what a library is": ("import math as m\ndef rows(f): return m.log(f)", "import cmath as m\ndef rows(f): return m.log(f)"),
    "a decorator of a helper": (
        "import functools\ndef help(f): return f\ndef rows(f): return help(f)",
        "import functools\n@functools.cache\ndef help(f): return f\ndef rows(f): return help(f)",
    ),
    "a decorator's code": (
        "def twice(g):\n return lambda f: g(g(f))\n@twice\ndef rows(f): return f",
        "def twice(g):\n return lambda f: g(g(g(f)))\n@twice\ndef rows(f): return f",
    ),
    "what is decorated": (
        "def twice(g):\n return lambda f: g(g(f))\n@twice\ndef rows(f): return f",
        "def twice(g):\n return lambda f: g(g(f))\n@twice\ndef rows(f): return f + 1",
    ),
    "what a cache is of": (
        "import functools\n@functools.cache\ndef rows(f): return f",
        "import functools\n@functools.cache\ndef rows(f): return f + 1",
    ),
    "what a partial gives": (
        "import functools\ndef help(f, n): return n\nrows = functools.partial(help, n={1})",
        "import functools\ndef help(f, n): return n\nrows = functools.partial(help, n={2})",
    ),
    "a value from around a function": (
        "def make(n):\n return lambda f: f + n\nrows = make((1, {'a': 2.5}))",
        "def make(n):\n return lambda f: f + n\nrows = make((1, {'a': 3.5}))",
    ),
    "a default of a function within one": (
        "def make(n):\n def inner(f, n=n): return n\n return inner\nrows = make(1)",
        "def make(n):\n def inner(f, n=n): return n\n return inner\nrows = make(2)",
    ),
    "a function from around a function": (
        "def make(g):\n return lambda f: g(f)\nrows = make(lambda f: 1)",
        "def make(g):\n return lambda f: g(f)\nrows = make(lambda f: 2)",
    ),
    "which lambda of a line it is": (
        "rows, other = lambda f: f[0], lambda f: f[1]",
        "other, rows = lambda f: f[0], lambda f: f[1]",
    ),
    "which constant of a line it is": ("rows, other = lambda f: 1, lambda f: 2", "other, rows = lambda f: 1, lambda f: 2"),
    "which lambda of a line it is, where each has values from around it": (
        "def make(n): return lambda f: f + n, lambda f: f - n if f else (lambda: n)\nrows, other = make(1)",
        "def make(n): return lambda f: f + n, lambda f: f - n if f else (lambda: n)\nother, rows = make(1)",
    ),
    "which lambda of a lambda it is": ("rows = lambda f: (lambda f: 0)", "rows = (lambda f: (lambda f: 0))(1)"),
    "a name that only a function gives": (
        "def fill():\n global N\n N = 1\nfill()\ndef rows(f): return N",
        "def fill():\n global N\n N = 2\nfill()\ndef rows(f): return N",
    ),
}


@pytest.mark.parametrize(("before", "after"), DIFFERENT.values(), ids=DIFFERENT)
def test_a_difference_is_seen(reach, before, after):
    assert reach(before) != reach(after)
    assert reach(before) == reach(before)


@pytest.mark.parametrize(
    "rows",
    [
        "from shop.prices import TAX\ndef rows(f): return TAX",
        "from shop import prices\ndef rows(f): return prices.TAX",
        "from shop import prices as p\ndef rows(f): return [p.TAX for p.TAX in f]",
        "import shop.prices\ndef rows(f): return shop.prices.TAX",
        "import shop.prices as p\ndef rows(f): return p.TAX",
        "from .prices import TAX\ndef rows(f): return TAX",
        "from . import prices\ndef rows(f): return prices.TAX",
        "from shop.prices import *\ndef rows(f): return TAX",
        "from shop.again import tax\ndef rows(f): return tax",
        "from shop.again import prices\ndef rows(f): return prices.TAX",
        "def rows(f):\n from shop.prices import TAX\n return TAX",
        "def rows(f):\n from shop import prices\n return lambda: prices.TAX",
        "def rows(f):\n from .prices import TAX\n return TAX",
        "from shop import prices\ndef rows(f): return getattr(prices, 'TAX')",
        "try:\n from shop.prices import TAX\nexcept ImportError:\n TAX = 1\ndef rows(f): return TAX",
        "def make():\n from shop import prices\n return lambda f: prices.TAX\nrows = make()",
        "from shop.deep import TAX\ndef rows(f): return TAX",
    ],
)
def test_a_constant_of_another_module_is_seen(reach, rows):
    again = "from shop import prices\nfrom shop.prices import TAX as tax"
    deep = {"deep__in____init__": "from .inner import TAX", "deep__in__inner": "from ..prices import TAX"}
    whole, other = (reach(rows, prices=f"TAX = {{{tax}: 0}}", again=again, **deep) for tax in (1, 2))
    assert whole != other
    if "getattr" not in rows and "try" not in rows:
        assert reach(rows, prices="TAX = {1: 0}\nOTHER = TAX", again=again, **deep) == whole


def test_it_makes_no_difference_which_module_a_helper_is_in(reach):
    here = "def help(f): return f\ndef rows(f): return help(f)"
    assert reach(here) == reach("from shop.helpers import help\ndef rows(f): return help(f)", helpers="def help(f): return f")


DECLARATION = """
class Table:
    def __init__(self, name, function): self.name, self.function = name, function
    def compute(self, f): return self.function(f)
def table(name): return lambda function: Table(name, function)
"""


@pytest.mark.parametrize(
    ("use", "is_code"), [("other", False), ("other.name", False), ("other.function(f)", True), ("other.compute(f)", True)]
)
@pytest.mark.parametrize("form", ["plain", "around"])
def test_another_table_counts_by_its_name_but_its_function_by_its_code(reach, form, use, is_code):
    def text(result: int, declared: str = "") -> str:
        other = f"from shop.declaration import table\n@table('other', *{declared or ()})\ndef other(f): return {result}\n"
        plain = f"def rows(f): return {use}"
        around = f"def make(other): return lambda f: {use}\nrows = make(other)"
        return reach(other + {"plain": plain, "around": around}[form], declaration=DECLARATION)

    assert (text(1) != text(2)) is is_code


def test_a_declaration_is_not_code(reach):
    def text(words: str) -> str:
        rows = (
            f"from shop.declaration import table\n@table({words!r})\ndef other(f): return 1\ndef rows(f): return other.function"
        )
        return reach(rows, declaration=DECLARATION)

    assert text("some words") == text("other words")


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ("def make(weight): return lambda f: weight\nrows = make(object())", "weight is a object"),
        ("def make(weight): return lambda f: weight\nrows = make({1: [object()]})", r"weight\.0\.1\.0 is a object"),
        ("def rows(f): return WEIGHT\nglobals()['WEIGHT'] = iter(())", "WEIGHT is a tuple_iterator"),
        ("rows = object()", "its function is a object"),
        ("exec('def rows(f): return 1')", "no source is to be had of rows"),
    ],
)
def test_what_cannot_be_compared_is_named(reach, rows, named):
    with pytest.raises(UnreadableCodeError, match=named):
        reach(rows)
