"""How names are compared, as SQL: what is stored of them and what is asked for must be folded alike.

Belongs here: the expression. Does not belong here: where names are kept (``snapshot``) and looked for (``reader``).
"""


def folded(text: str) -> str:
    """An expression for a text as it is compared: upper and lower case, with and without accents, are the same."""
    return f"strip_accents(lower({text}))"
