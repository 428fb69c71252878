"""The site of the pages: no warning, every page, no other host. The notebook, from top to bottom."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from nbformat import NotebookNode

from polylens.plugin import FAMILIES, kinds, load_kind
from polylens.reading import read

REPOSITORY = Path(__file__).parents[1]
NOTEBOOK = REPOSITORY / "docs" / "notebooks" / "first-study.ipynb"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it; a broken link or an unreadable docstring is an error there."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    rule = re.search(r"^docs:.*\n\t\$\(BIN\)/(.*)$", makefile, re.MULTILINE)
    assert rule is not None
    folder = tmp_path_factory.mktemp("site")
    program, *arguments = rule[1].replace("build/site", str(folder)).split()
    done = subprocess.run(
        [Path(sys.executable).parent / program, *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=3600,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_the_site_begins_with_the_readme_and_holds_every_page(site: Path) -> None:
    assert "<h1>polylens" in (site / "index.html").read_text(encoding="utf-8")
    pages = {page.relative_to(REPOSITORY).with_suffix(".html") for page in REPOSITORY.glob("docs/**/*.md")}
    assert not [page for page in pages if not (site / page).exists()]


@pytest.mark.slow
def test_no_page_asks_another_host_for_anything(site: Path) -> None:
    asked = re.compile(
        r"<(?:script|img|iframe)[^>]+src=[\"']?(?:https?:)?//|<link[^>]+href=[\"']?(?:https?:)?//"
    )
    assert not [page for page in site.rglob("*.html") if asked.search(page.read_text(encoding="utf-8"))]
    sheets = re.compile(r"(?:url\([\"']?|@import\s+[\"'])(?:https?:)?//")
    assert not [sheet for sheet in site.rglob("*.css") if sheets.search(sheet.read_text(encoding="utf-8"))]


@pytest.mark.slow
def test_every_kind_has_a_section_and_is_found_by_the_search(site: Path) -> None:
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    for family in FAMILIES:
        page = (site / "docs" / "reference" / f"{family}.html").read_text(encoding="utf-8")
        missing = [kind for kind in kinds(family) if f"<h2>{kind}" not in page or f'"{kind}"' not in index]
        assert not missing


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["polylens.run", "polylens.geometry.plane_slice", "polylens.clustering.hdbscan"]
)
def test_public_functions_are_in_the_reference(site: Path, name: str) -> None:
    page = {"run": "python", "plane_slice": "geometry", "hdbscan": "clustering"}[name.rpartition(".")[2]]
    assert f'id="{name}"' in (site / "docs" / "reference" / f"{page}.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_examples_of_the_reference_are_right_values_of_their_kinds(site: Path) -> None:
    for family in FAMILIES:
        page = (site / "docs" / "reference" / f"{family}.html").read_text(encoding="utf-8")
        examples = re.findall(r'highlight-yaml[^"]*">.*?<pre>(.*?)</pre>', page, re.DOTALL)
        assert len(examples) == len(kinds(family))
        for example in examples:
            plain = re.sub(r"<.*?>", "", example).replace("&#39;", "'").replace("&quot;", '"')
            (value,) = read(plain.encode(), file=family).value.values()
            while "kind" not in value:
                (value,) = value if isinstance(value, list) else value.values()
            load_kind(family, value.pop("kind")).model_validate(value)


def code_of(notebook: NotebookNode) -> list[list[str]]:
    """What each cell of code printed or showed, numbers left out: processors round differently."""
    shown = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            texts = [
                output.get("text") or output.get("data", {}).get("text/plain", "")
                for output in cell.outputs
                if "image/png" not in output.get("data", {}) and output.get("name") != "stderr"
            ]
            # Lines of progress write over each other, and how many there are is the clock's.
            lasting = (text for text in texts if not text.startswith("\r"))
            words = (" ".join(re.sub(r"-?\d+(\.\d+)?", "0", text).split()) for text in lasting)
            shown.append([text for text in words if text])
    return shown


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom_and_shows_what_is_stored(tmp_path: Path) -> None:
    import nbformat

    out = tmp_path / "done.ipynb"
    script = (
        "import sys, nbformat\n"
        "from jupyter_client.manager import AsyncKernelManager\n"
        "from nbclient import NotebookClient\n"
        "notebook = nbformat.read(sys.argv[1], as_version=4)\n"
        "kernel = AsyncKernelManager(kernel_name='python3', transport='ipc')\n"
        "NotebookClient(notebook, km=kernel, timeout=1200).execute()\n"
        "nbformat.write(notebook, sys.argv[2])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, NOTEBOOK, out],
        capture_output=True,
        text=True,
        check=False,
        timeout=3600,
    )
    assert done.returncode == 0, done.stderr
    stored, made = (nbformat.read(path, as_version=4) for path in (NOTEBOOK, out))
    assert code_of(made) == code_of(stored)
    assert NOTEBOOK.stat().st_size < 20_000


def test_the_citation_names_this_version_and_the_paper() -> None:
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{citation["version"]}"' in project
    assert citation["references"][0]["authors"][0]["family-names"] == "Black"
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {citation['version']} - {citation['date-released']}" in changelog
    assert citation["references"][0]["url"] == "https://arxiv.org/abs/2211.12312"


def test_the_gallery_shows_what_the_script_makes_with_the_specs_that_it_is_from() -> None:
    docs = REPOSITORY / "docs"
    script = (docs / "make_pictures.py").read_text(encoding="utf-8")
    made = re.findall(r'"([\w-]+)": \("([\w/-]+)", "[\w-]+"\)', script)
    gallery = (docs / "gallery.md").read_text(encoding="utf-8")
    shown = re.findall(r"gallery/([\w-]+)\.png\).*?experiments/([\w/-]+)\.yaml", gallery, re.DOTALL)
    assert sorted(shown) == sorted(made)
    assert sum(file.stat().st_size for file in (docs / "images" / "gallery").iterdir()) < 2_000_000
