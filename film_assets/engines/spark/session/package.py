"""The package itself as a zip file, which executors import from: they get the very code that this process runs.

Belongs here: what goes into the file. Does not belong here: how it gets to the executors (``classic``, ``connect``).
"""

import zipfile
from pathlib import Path

import film_assets

_ROOT = Path(film_assets.__file__).parent
_LEFT_OUT = "__pycache__"


def write_package(folder: Path) -> Path:
    """Write the package that is imported here, from a checkout or from a wheel, as ``film_assets.zip``; the file.

    Not as a wheel: Spark puts no ``.whl`` on the executors' path.
    """
    file = folder / f"{_ROOT.name}.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for path in sorted(_ROOT.rglob("*")):
            if path.is_file() and _LEFT_OUT not in path.parts:
                package.write(path, path.relative_to(_ROOT.parent))
    return file
