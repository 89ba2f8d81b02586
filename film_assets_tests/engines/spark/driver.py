"""A refresh by the Spark engine that is killed at a commit: ``python -m ...driver TABLE before|after``, settings by environment.

Belongs here: what runs in that process. Does not belong here: what is tested.
"""

import os
import signal
import sys
from collections.abc import Iterable

from film_assets.engines.spark.lake.table import File, LakeTable
from film_assets.settings import load_settings
from film_assets_tests.conftest import refresh


def die_at_commit(name: str, key: str, moment: str) -> None:
    """Let the process be killed before or after a commit to a table of the lake, of that partition if one is named."""
    commit = LakeTable.replace

    def replace(self: LakeTable, keys: Iterable[str], files: Iterable[tuple[str, File]]) -> None:
        keys = list(keys)
        wanted = self.name == name and (not key or key in keys)
        if wanted and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        commit(self, keys, files)
        if wanted and moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)

    LakeTable.replace = replace  # type: ignore[method-assign]


if __name__ == "__main__":
    die_at_commit(*sys.argv[1:])
    refresh(load_settings())
