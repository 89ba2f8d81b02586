"""What a row of the statistics API must be, and what becomes of it: an attempt, or a rejected row with its reason.

``passback_params`` that cannot be read cost an attempt nothing but what they would have told; the fault is noted.

Belongs here: validation. Does not belong here: where rows come from (``api``) and go to (``load``).
"""

import ast
import json
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple

import polars as pl
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

_LONGEST_PARAMS = 4_000
"""Characters; real ones have a few hundred. A literal of this length cannot be nested deep enough to do harm."""

_LONGEST_ID = 500
"""Characters; the index of the key takes no more than 2,700 bytes."""

_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d")
_EPOCH = re.compile(r"\d{9,}")
"""What ``fromisoformat`` takes for a day and a time without anything between them: milliseconds since 1970, say."""

_REMEMBERED = 20_000
"""Of ``passback_params``; the attempts of one learner at one task all have the same."""


def _storable(text: str) -> str:
    """A text as it is, unless a database takes it for none: one with a null character, or with half of a surrogate pair."""
    if "\x00" in text or not _is_unicode(text):
        raise ValueError("has a character that cannot be stored")
    return text


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _moment(moment: object) -> object:
    """Takes ISO forms, a day alone too; keeps out what pydantic would take for a time too: numbers, also as text."""
    if not isinstance(moment, str) or _EPOCH.fullmatch(moment):
        raise ValueError("is no ISO date and time")
    try:
        return datetime.fromisoformat(moment)
    except ValueError:
        if _ISO.match(moment):
            return moment  # pydantic takes some more, and says what is wrong with others
        raise ValueError("is no ISO date and time") from None


def _zero_or_one(value: object) -> object:
    return int(value) if isinstance(value, bool) else value


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise ValueError("is out of range") from None


@lru_cache(_REMEMBERED)
def _literal(text: str) -> Any:
    """The value of a Python literal, which is never evaluated."""
    try:
        with warnings.catch_warnings(action="ignore", category=SyntaxWarning):
            return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise ValueError("is no Python literal") from None


def _dict(text: object) -> dict[Any, Any]:
    """The dict that a text says.

    Raises:
        ValueError: It says none.
    """
    if not isinstance(text, str):
        raise ValueError("is null" if text is None else "is no text")  # noqa: TRY004  (the caller takes this error for a finding)
    if not text.strip():
        raise ValueError("is empty")
    if len(text) > _LONGEST_PARAMS:
        raise ValueError(f"is longer than {_LONGEST_PARAMS:,} characters")
    value = _literal(text)
    if not isinstance(value, dict):
        raise ValueError("is no dict")  # noqa: TRY004
    return value


_Text = Annotated[str, AfterValidator(_storable)]


class _Passback(BaseModel):
    """What the learning platform wants to be told of the attempt."""

    model_config = ConfigDict(strict=True)

    oauth_consumer_key: _Text | None = None
    lis_result_sourcedid: _Text | None = None
    lis_outcome_service_url: _Text | None = None


class _Unreadable(_Passback):
    """That nothing could be read, and why; ``text`` is what came, as JSON."""

    reason: str
    text: str


def _passback(params: object) -> object:
    try:
        return _dict(params)
    except ValueError as error:
        return _Unreadable(reason=str(error), text=json.dumps(params, ensure_ascii=False))


class _Row(BaseModel):
    """An object of the API's list."""

    model_config = ConfigDict(strict=True)

    lti_user_id: Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_ID), AfterValidator(_storable)]
    passback_params: Annotated[_Passback, BeforeValidator(_passback)]
    is_correct: Annotated[Annotated[int, Field(ge=0, le=1)] | None, BeforeValidator(_zero_or_one)]
    attempt_type: Literal["run", "submit"]
    created_at: Annotated[datetime, Field(strict=False), BeforeValidator(_moment), AfterValidator(_utc)]


class _Attempt(NamedTuple):
    """A row of table ``solutions``, without its id."""

    user_id: str
    oauth_consumer_key: str | None
    lis_result_sourcedid: str | None
    lis_outcome_service_url: str | None
    is_correct: int | None
    attempt_type: str
    created_at: datetime


KEY = ("user_id", "created_at")
"""What tells attempts apart."""

ATTEMPTS = pl.Schema(dict.fromkeys(_Attempt._fields, pl.String) | {"is_correct": pl.Int32, "created_at": pl.Datetime("us")})
REJECTED = pl.Schema({"reason": pl.String, "text": pl.String})
FAULTS = pl.Schema({"position": pl.UInt32} | {name: ATTEMPTS[name] for name in KEY} | dict(REJECTED))

_ROWS = TypeAdapter(_Row)


@dataclass(frozen=True)
class Validated:
    """Rows told apart, in the order they came in.

    Attributes:
        attempts: Those that are attempts.
        rejected: Those that are none, as they came, with the reason.
        faults: What could not be read as ``passback_params``, with the reason; ``position`` says of which of the attempts.
    """

    attempts: pl.DataFrame
    rejected: pl.DataFrame
    faults: pl.DataFrame


def validate(texts: Iterable[str]) -> Validated:
    """Tell attempts from rows that are none.

    Args:
        texts: The rows as JSON.
    """
    attempts: list[_Attempt] = []
    rejected: list[tuple[str, str]] = []
    faults: list[tuple[int, str, datetime, str, str]] = []
    for text in texts:
        try:
            row = _ROWS.validate_json(text)
        except ValidationError as error:
            rejected.append((_reason(error), text))
            continue
        if isinstance(row.passback_params, _Unreadable):
            faults.append((len(attempts), row.lti_user_id, row.created_at, row.passback_params.reason, row.passback_params.text))
        attempts.append(_attempt(row))
    return Validated(
        pl.DataFrame(attempts, ATTEMPTS, orient="row"),
        pl.DataFrame(rejected, REJECTED, orient="row"),
        pl.DataFrame(faults, FAULTS, orient="row"),
    )


def _attempt(row: _Row) -> _Attempt:
    passback = row.passback_params
    return _Attempt(
        row.lti_user_id,
        passback.oauth_consumer_key,
        passback.lis_result_sourcedid,
        passback.lis_outcome_service_url,
        row.is_correct,
        row.attempt_type,
        row.created_at,
    )


def _reason(error: ValidationError) -> str:
    """Every finding, without the values: they are in the text."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'row'}: {_words(one['msg'])}" for one in found)


def _words(message: str) -> str:
    words = message.removeprefix("Value error, ")
    return words[:1].lower() + words[1:]
