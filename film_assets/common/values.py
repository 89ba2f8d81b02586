"""Which text stands for a value where people read it: in a terminal, a notebook, an email or the web UI.

Belongs here: the text. Does not belong here: the tables it is put into, of which each room that shows any has its own kind.
"""


def text(value: object, *, exact: bool = False) -> str:
    """A value as people read it: 391,118 and 7.66; nothing for None.

    Args:
        value: Of any kind.
        exact: A number digit by digit: a year as 1899, and whatever is shown as it is stored.
    """
    match value:
        case None:
            return ""
        case float() if not exact:
            return f"{value:,.2f}"
        case int() if not exact and not isinstance(value, bool):
            return f"{value:,}"
    return str(value)
