"""Each contract on imports breaks when it is violated, and CONTRIBUTING.md says what the contracts say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter import Contract
from importlinter.api import read_configuration
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract
from tests.contracts import Strangers

from polylens.plugin import FAMILIES

REPOSITORY = Path(__file__).parents[1]
TYPES: dict[str, type[Contract]] = {
    "layers": LayersContract,
    "protected": ProtectedContract,
    "strangers": Strangers,
}

FLOORS = "Floors: imports point down only, rooms on one floor do not know each other"
KINDS = "Kinds of one family do not know each other"
CARE = "Libraries that need care only through imports"
PLANTED = [
    ("errors", "polylens.digests", FLOORS),
    ("figures.style", "polylens.statistics", FLOORS),
    ("analyses.kmeans", "polylens.analyses.bisecting_kmeans", KINDS),
    ("analyses.kmeans", "polylens.analyses.slice.frames", KINDS),
    ("analyses.hdbscan.pictures", "polylens.analyses.spanning_tree", KINDS),
    ("analyses._pairs.ratios", "polylens.analyses.pair_density", KINDS),
    ("analyses", "polylens.analyses.kmeans", KINDS),
    ("models.cnn.network", "polylens.models.mlp.network", KINDS),
    ("datasets.digits", "polylens.datasets.image_folder.checks", KINDS),
    ("sampling.last_token", "polylens.sampling.all_positions", KINDS),
    ("codes.gate", "polylens.codes.sign", KINDS),
    ("controls.random_init", "polylens.controls.checkpoint", KINDS),
    ("labels.token_enrichment.tables", "polylens.labels.class_enrichment.tables", KINDS),
    ("report.page", "mlflow", "mlflow only in tracking"),
    ("scores._panel", "openai", "openai only in judges"),
    ("hub", "httpx2", "openai only in judges"),
    ("harvest.collecting", "pytorch_lightning", CARE),
    ("models.transformers.networks", "transformers", CARE),
    ("models.onnx.conversion", "onnx2pytorch", CARE),
    ("models.timm.builders", "timm", CARE),
    ("models.torchvision.builders", "torchvision", CARE),
    ("text.hub_table", "datasets", CARE),
    ("statistics.sparse_features", "sparsify", CARE),
    ("analyses.slice.pictures", "matplotlib", "matplotlib only in figures"),
    ("spec.loading", "yaml", "yaml only in reading"),
    ("study.walk", "omegaconf", "omegaconf only in spec"),
    ("geometry.slices", "numba", "numba only in kernels"),
    ("clustering.density", "llvmlite", "numba only in kernels"),
]


SENTENCE = r"((?:`\w+`(?:, | and )?)+) only in `(\w+)`"
"""How CONTRIBUTING.md says which libraries are imported in one room only."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom, as the contracts see it."""
    return grimp.build_graph(
        "polylens", include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )


@pytest.fixture(scope="module")
def configuration() -> dict[str, Any]:
    return read_configuration(str(REPOSITORY / "pyproject.toml"))


def broken(graph: grimp.ImportGraph, configuration: dict[str, Any]) -> list[str]:
    """Names of the contracts that a graph breaks."""
    contracts = [
        TYPES[options["type"]](options["name"], configuration["session_options"], options)
        for options in configuration["contracts_options"]
    ]
    return [each.name for each in contracts if not each.check(deepcopy(graph), verbose=False).kept]


def test_all_contracts_are_kept(graph: grimp.ImportGraph, configuration: dict[str, Any]) -> None:
    assert broken(graph, configuration) == []


@pytest.mark.parametrize(("importer", "imported", "contract"), PLANTED)
def test_a_planted_import_breaks_its_contract_and_no_other(
    importer: str, imported: str, contract: str, graph: grimp.ImportGraph, configuration: dict[str, Any]
) -> None:
    planted = deepcopy(graph)
    assert {f"polylens.{importer}", imported} <= planted.modules
    planted.add_import(importer=f"polylens.{importer}", imported=imported)
    assert broken(planted, configuration) == [contract]


def test_each_contract_has_a_violation_here(configuration: dict[str, Any]) -> None:
    assert {contract for _, _, contract in PLANTED} == {
        options["name"] for options in configuration["contracts_options"]
    }


def test_a_room_that_is_on_no_floor_breaks_the_floors(
    graph: grimp.ImportGraph, configuration: dict[str, Any]
) -> None:
    planted = deepcopy(graph)
    planted.add_module("polylens.attic")
    assert broken(planted, configuration) == [FLOORS]


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("analyses.kmeans", "analyses._pairs.ratios"),
        ("analyses.slice", "analyses.slice.tables"),
        ("analyses._pairs.ratios", "analyses._partitions.spaces"),
        ("report.page", "imports"),
    ],
)
def test_what_is_allowed_breaks_nothing(
    importer: str, imported: str, graph: grimp.ImportGraph, configuration: dict[str, Any]
) -> None:
    planted = deepcopy(graph)
    planted.add_import(importer=f"polylens.{importer}", imported=f"polylens.{imported}")
    assert broken(planted, configuration) == []


def test_the_command_finds_a_kind_that_reads_in_the_files_of_another(tmp_path: Path) -> None:
    for path in ("framework/polylens", "tests/contracts.py", "pyproject.toml"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        if (REPOSITORY / path).is_dir():
            shutil.copytree(
                REPOSITORY / path, tmp_path / path, ignore=shutil.ignore_patterns("__pycache__", "*.html")
            )
        else:
            shutil.copy(REPOSITORY / path, tmp_path / path)
    with (tmp_path / "framework/polylens/analyses/kmeans.py").open("a") as file:
        file.write("\nfrom polylens.analyses.slice.frames import Frame\n")
    program = (
        "import sys; sys.path[:0] = ['framework', '.']\n"
        "from importlinter.cli import lint_imports_command\n"
        "lint_imports_command(['--no-cache'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert re.findall(r"^(.*) BROKEN$", done.stdout, re.MULTILINE) == [KINDS]
    assert "- polylens.analyses.kmeans -> polylens.analyses.slice.frames" in done.stdout


def test_no_family_is_left_out(configuration: dict[str, Any]) -> None:
    (packages,) = [
        options["packages"] for options in configuration["contracts_options"] if options["name"] == KINDS
    ]
    assert sorted(packages) == sorted(f"polylens.{family}" for family in FAMILIES)


def test_contributing_draws_the_floors_of_the_contract(configuration: dict[str, Any]) -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    drawing = text.partition("```text\n")[2].partition("```")[0]
    (layers,) = [
        options["layers"] for options in configuration["contracts_options"] if options["name"] == FLOORS
    ]
    assert [line.split("  ")[0].strip() for line in drawing.splitlines()] == layers


def test_contributing_says_which_library_is_imported_where(configuration: dict[str, Any]) -> None:
    text = " ".join((REPOSITORY / "CONTRIBUTING.md").read_text().split())
    said = {room: set(re.findall(r"`(\w+)`", names)) for names, room in re.findall(SENTENCE, text)}
    assert said == {
        room.removeprefix("polylens."): set(options["protected_modules"])
        for options in configuration["contracts_options"]
        if options["type"] == "protected"
        for room in options["allowed_importers"]
    }


def test_modules_of_tests_and_benchmarks_have_names_of_their_own() -> None:
    """Their folders stand on the path, where the second of two files of one name would never be found."""
    files = [*(REPOSITORY / "tests").rglob("*.py"), *(REPOSITORY / "benchmarks").glob("*.py")]
    names = Counter(path.name for path in files if "node_modules" not in path.parts)
    shared = {"conftest.py", "__main__.py", "__init__.py"}
    assert sorted(name for name, count in names.items() if count > 1 and name not in shared) == []
