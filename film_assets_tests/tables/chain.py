"""All tables computed on Polars frames from a few rows of blobs, without any engine."""

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import polars as pl

from film_assets.tables import BLOBS, COMPUTED
from film_assets.tables.declaration import DTYPES

Row = dict[str, Any]
_POLARS = {
    nw.String: pl.String,
    nw.Boolean: pl.Boolean,
    nw.Int16: pl.Int16,
    nw.Int32: pl.Int32,
    nw.Int64: pl.Int64,
    nw.Float64: pl.Float64,
}


def blobs(**rows: Sequence[Row]) -> dict[str, pl.DataFrame]:
    """Blobs of these rows, by table name; a column that a row does not name is null."""
    return {
        blob.name: pl.DataFrame(
            [{column.name: row.get(column.name) for column in blob.columns} for row in rows.get(blob.short, ())],
            schema={column.name: _POLARS[type(DTYPES[column.type])] for column in blob.columns},
        )
        for blob in BLOBS
    }


def computed(frames: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """These frames and the tables computed from them that are not among them, each given just the columns it declares."""
    done = dict(frames)
    for table in COMPUTED:
        if table.name not in done and table.reads.keys() <= done.keys():
            inputs = {name: nw.from_native(done[name].lazy().select(columns)) for name, columns in table.reads.items()}
            done[table.name] = table.compute(inputs).collect().to_native().sort(table.key)
    return done
