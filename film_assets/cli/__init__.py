"""The command line ``film-assets``: ``commands`` are what people type, ``terminal`` and ``output`` what people see of them."""

from film_assets.cli.commands import main

__all__ = ["main"]
