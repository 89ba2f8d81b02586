"""Fixtures: a source of a few real rows, and the settings of a home for it; for tests that refresh it."""

from pathlib import Path

import pytest

from film_assets.settings import Settings, load_settings
from film_assets_tests.blobs import write_real_rows


@pytest.fixture
def blobs(tmp_path: Path) -> Path:
    return write_real_rows(tmp_path / "blobs")


@pytest.fixture
def settings(blobs: Path, tmp_path: Path) -> Settings:
    return load_settings(source=str(blobs), home=tmp_path / "home")
