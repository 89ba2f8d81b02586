"""The pages on the data say what the declarations say."""

import re

import pytest

from docs import generate as docs
from film_assets.snapshot import macros
from film_assets.tables import TABLES


@pytest.mark.parametrize("name", docs.pages())
def test_pages_are_current(name):
    assert (docs.FOLDER / name).read_text(encoding="utf-8") == docs.pages()[name], "run `make docs`"


def test_dictionary_tells_of_every_table_column_and_macro():
    page = docs.pages()["data-dictionary.md"]
    sections = {section.split("\n", 1)[0]: section for section in page.split("\n### ")}
    for table in TABLES.values():
        assert re.findall(r"^\| \**`(\w+)`\** \|", sections[table.name], re.MULTILINE) == list(table.column_names)
    for macro in macros.all_macros():
        assert macro.text in sections[f"{macro.name}({macro.parameters})"]


def test_links_within_the_dictionary_lead_somewhere():
    page = docs.pages()["data-dictionary.md"]
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(#([^)]*)\)", page)
    assert links
    assert set(links) <= anchors


def test_diagrams_show_the_blobs_and_all_that_is_built():
    page = docs.pages()["diagrams.md"]
    delivered, built = (block.split("```")[0] for block in page.split("```mermaid\n")[1:])
    assert 'raw_titles ||--o{ raw_cast : "tconst"' in delivered
    assert 'raw_crew }o..o{ raw_names : "directors"' in delivered
    assert 'metrics_collaborations }o--|| films_names : "actorNconst"' in built
    drawn = re.findall(r'\["([\w.]+)"\] \{', delivered + built)
    assert sorted(drawn) == sorted(name for name in TABLES if not name.startswith("quality."))
    for diagram in (delivered, built):
        entities = set(re.findall(r"^ {4}(\w+)\[", diagram, re.MULTILINE))
        assert set(re.findall(r"^ {4}(\w+) [|}]", diagram, re.MULTILINE)) <= entities
        assert set(re.findall(r"[|{] (\w+) : ", diagram)) <= entities
