"""How Sphinx makes the site of the pages, which stay plain Markdown: what only a site has is added here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))

from docstrings import in_restructured_text
from expanding import expanded

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "polylens"
author = "The authors of polylens"
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "docs/**/*.md", "benchmarks/*.md"]
exclude_patterns = [".*", "build", "framework", "tests", "mlartifacts", "experiments", "registry"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]

myst_heading_anchors = 4
myst_links_external_new_tab = False
default_role = "code"
smartquotes = False
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"  # fields of dataclasses say theirs themselves
autodoc_member_order = "groupwise"
copybutton_prompt_text = "$ "

html_theme = "furo"
html_title = "polylens"
html_copy_source = False
html_show_sphinx = False


def _expand(app: Sphinx, page: str, source: list[str]) -> None:
    source[0] = expanded(source[0], page=Path(app.srcdir, page + ".md"), root=Path(app.srcdir))


def _rewrite(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    lines[:] = in_restructured_text(lines)


def _begin_at_the_readme(app: Sphinx, error: Exception | None) -> None:
    if error is None:
        readme = Path(app.outdir, "README.html")
        readme.with_name("index.html").write_bytes(readme.read_bytes())


def setup(app: Sphinx) -> dict[str, Any]:
    """Hands Sphinx what is done to pages as they are read, and when all are written."""
    app.connect("source-read", _expand)
    app.connect("autodoc-process-docstring", _rewrite, priority=100)  # before napoleon
    app.connect("build-finished", _begin_at_the_readme)
    return {"parallel_read_safe": True}
