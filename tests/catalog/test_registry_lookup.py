"""Where names are looked for, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylens.catalog import Catalog, Shelf, UnknownEntryError, project_registry, shipped_folder
from polylens.errors import SpecError


def entry(folder: Path, family: str, name: str, *, about: str = "x", kind: str = "all_positions") -> None:
    path = folder / family / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"about: {about}\nsource: ours\nlicence: MIT\nentry: {{kind: {kind}}}\n")


def test_the_nearest_registry_upwards_is_the_projects(tmp_path: Path) -> None:
    entry(tmp_path / "registry", "sampling", "mine")
    deep = tmp_path / "experiments" / "deep"
    deep.mkdir(parents=True)
    assert project_registry(deep) == tmp_path / "registry"
    assert "mine" in Catalog.around(deep / "spec.yaml").names("sampling")


def test_a_folder_that_is_merely_called_registry_is_passed_over(tmp_path: Path) -> None:
    entry(tmp_path / "registry", "sampling", "mine")
    (tmp_path / "experiments" / "registry" / "windows").mkdir(parents=True)
    assert project_registry(tmp_path / "experiments") == tmp_path / "registry"


def test_what_polylens_ships_comes_after_the_project(folder: Path) -> None:
    shipped = Catalog.around(folder)
    assert shipped.entry("sampling", "center").kind == "fixed_position"
    assert shipped.search_path("sampling") == "polylens (built in)"
    entry(folder / "registry", "sampling", "center", about="my own")
    both = Catalog.around(folder)
    assert both.entry("sampling", "center").about == "my own"
    assert both.search_path("sampling") == "registry/sampling, polylens (built in)"


def test_inside_the_repository_the_registry_is_looked_through_once() -> None:
    shipped = shipped_folder("registry")
    assert shipped is not None
    assert len(Catalog.around(shipped).shelves) == 1


def test_an_unknown_name_carries_the_nearest_one_and_where_was_looked(tmp_path: Path) -> None:
    entry(tmp_path, "sampling", "corners")
    catalog = Catalog((Shelf(tmp_path, "registry"),))
    with pytest.raises(UnknownEntryError) as caught:
        catalog.entry("sampling", "corner")
    assert (caught.value.suggestion, caught.value.search_path) == ("corners", "registry/sampling")


@pytest.mark.parametrize("name", ["../sampling/corners", "CORNERS", "", "corners.yaml"])
def test_only_the_exact_name_of_a_file_is_a_name(tmp_path: Path, name: str) -> None:
    entry(tmp_path, "sampling", "corners")
    with pytest.raises(UnknownEntryError):
        Catalog((Shelf(tmp_path, "registry"),)).entry("sampling", name)


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("about: x", ["needs 'source'", "needs 'licence'", "needs 'entry'"]),
        (
            "about: ''\nsource: 5\nlicence: x\nentry: {kind: y}",
            ["about must be a text", "source must be a text"],
        ),
        ("about: x\nsource: x\nlicence: x\nentry: name", ["entry must be a map with 'kind'"]),
        ("about: x\nsource: x\nlicence: x\nentry: {use: y}", ["entry must be a map with 'kind'"]),
        ("about: x\nsource: x\nlicence: x\nentry: {kind: y}\ncount: 5", ["unknown key 'count'"]),
    ],
)
def test_an_entry_says_what_it_is_and_where_it_comes_from(
    tmp_path: Path, text: str, messages: list[str]
) -> None:
    path = tmp_path / "sampling" / "x.yaml"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        Catalog((Shelf(tmp_path, "registry"),)).entry("sampling", "x")
    assert len(caught.value.problems) == len(messages)
    assert all(
        message in problem.message for message, problem in zip(messages, caught.value.problems, strict=True)
    )
