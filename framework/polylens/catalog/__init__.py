"""What a spec can name: registry entries on their shelves, and the kinds they are made of."""

from polylens.catalog.entries import Entry
from polylens.catalog.examples import about_experiment, shipped_experiments
from polylens.catalog.kinds import FieldPage, KindPage, kind_page
from polylens.catalog.lookup import Catalog, Shelf, UnknownEntryError, project_registry, shipped_folder
from polylens.catalog.promises import broken_promises, heavy_imports
from polylens.catalog.starting import starting_entry
from polylens.catalog.summaries import kind_summary
from polylens.catalog.words import SINGULAR, in_words, with_article

__all__ = [
    "SINGULAR",
    "Catalog",
    "Entry",
    "FieldPage",
    "KindPage",
    "Shelf",
    "UnknownEntryError",
    "about_experiment",
    "broken_promises",
    "heavy_imports",
    "in_words",
    "kind_page",
    "kind_summary",
    "project_registry",
    "shipped_experiments",
    "shipped_folder",
    "starting_entry",
    "with_article",
]
