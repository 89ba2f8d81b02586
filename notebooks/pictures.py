"""Runs the notebooks and keeps their charts: ``python -m notebooks.pictures`` writes ``docs/pictures/NOTEBOOK-CELL.png``.

Belongs here: running notebooks in a home of choice. Does not belong here: how charts look (``look``).
"""

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

FOLDER = Path(__file__).parent
PICTURES = FOLDER.parent / "docs" / "pictures"


def notebooks() -> list[Path]:
    """The notebooks there are."""
    return sorted(FOLDER.glob("*.ipynb"))


def run(notebook: Path, *, after: str = "") -> NotebookNode:
    """The notebook with the outputs it has on the data of ``FILM_ASSETS_HOME``; what is in ``after`` is run as a last cell.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell failed.
    """
    read = nbformat.read(notebook, as_version=4)
    if after:
        read.cells.insert(len(read.cells) - 1, nbformat.v4.new_code_cell(after))
    where = {"metadata": {"path": str(FOLDER)}}
    client = NotebookClient(read, timeout=600, resources=where, extra_arguments=["--log-level=ERROR"])
    executed: NotebookNode = client.execute()
    return executed


def charts(notebook: NotebookNode) -> Iterator[tuple[str, bytes]]:
    """The id of each cell that shows a chart, and the chart as PNG."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if picture := output.get("data", {}).get("image/png"):
                yield cell.id, base64.b64decode(picture)


def main() -> None:
    """Write the charts of all notebooks."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for notebook in notebooks():
        for name, picture in charts(run(notebook)):
            with Image.open(io.BytesIO(picture)) as image:
                image.convert("RGB").quantize(dither=Image.Dither.NONE).save(
                    PICTURES / f"{notebook.stem}-{name}.png", optimize=True
                )


if __name__ == "__main__":
    main()
