"""What these tests refresh: a few real rows."""

from film_assets_tests.real_rows import blobs, settings

__all__ = ["blobs", "settings"]
