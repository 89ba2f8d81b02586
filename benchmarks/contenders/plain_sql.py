"""The project's tables in plain SQL, one statement each, anew every time. ``python plain_sql.py BLOBS OUT``.

It shows what the SQL itself costs without slices, row accounting, ranges and publishing, and what the tables must hold.
"""

import os
import sys
from pathlib import Path

import duckdb

blobs, out = map(Path, sys.argv[1:])
script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
memory = os.environ.get("PLAIN_SQL_MEMORY", "2.4GiB")
with duckdb.connect(out / "plain.duckdb", config={"memory_limit": memory, "preserve_insertion_order": False}) as connection:
    connection.execute("set variable blobs = $1", [str(blobs)])
    connection.execute(script)
