"""The yardstick: a single streaming pass of the five blobs into Parquet. ``python one_pass.py BLOBS OUT``."""

import sys
from pathlib import Path

import polars as pl
from columns import COLUMNS, DIALECT

blobs, out = map(Path, sys.argv[1:])
for blob, columns in COLUMNS.items():
    pl.scan_csv(blobs / f"{blob}.tsv", schema=columns, **DIALECT).sink_parquet(out / f"{blob}.parquet")
