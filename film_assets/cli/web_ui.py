"""Starts Dagster's web UI with its daemon, in this process.

Belongs here: on which port, with which code locations, and what of Dagster's own first lines is not people's business. Does not
belong here: what the web UI shows.
"""

import logging
import os
import runpy
import socket
import sys
import warnings
from pathlib import Path

from film_assets.errors import SettingsError

_HOST = "127.0.0.1"
_WORKSPACE = Path(__file__).parent.parent.parent / "workspace.yaml"

_ADVICE = "Function `dev_command` is superseded"
"""Dagster would have another command used, which needs a project of its own form."""

_OTHER_SETTINGS = "Found a dagster instance configuration value"
"""Dagster wonders about a ``dagster.yaml`` in the working folder: the user's own in the home, which is taken into account."""


def address(port: int) -> str:
    """Where the web UI is."""
    return f"http://{_HOST}:{port}"


def ensure_free(port: int) -> None:
    """Make sure that the web UI can listen there; Dagster would go on without it.

    Raises:
        SettingsError: It cannot.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the web UI itself: what ended lately is no hindrance
        try:
            probe.bind((_HOST, port))
            probe.listen()
        except OSError as error:
            fault = f"port {port} of {_HOST} cannot be used ({os.strerror(error.errno or 0).lower()}); choose another by --port"
            raise SettingsError(fault) from None


def serve(port: int) -> None:
    """Run web UI and daemon until they are stopped; ``DAGSTER_HOME`` says where their history is."""
    warnings.filterwarnings("ignore", message=_ADVICE)
    logging.getLogger("dagster").addFilter(lambda record: _OTHER_SETTINGS not in record.getMessage())
    sys.argv = ["dagster", "dev", *_locations(), "-h", _HOST, "-p", str(port)]
    runpy.run_module("dagster", run_name="__main__", alter_sys=True)


def _locations() -> list[str]:
    """The films alone, unless there is any setting of the learning pipeline."""
    both = any(name.startswith("LEARNING_") for name in os.environ)
    return ["-w", str(_WORKSPACE)] if both else ["-m", "film_assets.definitions"]
