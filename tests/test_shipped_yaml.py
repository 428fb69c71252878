"""Every YAML file that polylens ships is right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from polylens.plugin import FAMILIES
from polylens.reading import read
from polylens.spec import check_entry, load

REPOSITORY = Path(__file__).parents[1]
ENTRIES = sorted((REPOSITORY / "registry").glob("*/*.yaml"))
SPECS = sorted((REPOSITORY / "experiments").rglob("*.yaml"))


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def errors_of(path: Path, schema: str) -> list[str]:
    text = (REPOSITORY / "registry" / "schema" / f"{schema}.schema.json").read_text(encoding="utf-8")
    value = read(path.read_bytes(), file=name_of(path)).value
    return [error.message for error in Draft202012Validator(json.loads(text)).iter_errors(value)]


def test_every_yaml_file_is_a_spec_or_an_entry() -> None:
    elsewhere = [
        path
        for folder in ("registry", "experiments")
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in (".yaml", ".yml") and path not in (*ENTRIES, *SPECS)
    ]
    assert elsewhere == []
    assert {path.parent.name for path in ENTRIES} <= set(FAMILIES)
    assert ENTRIES
    assert SPECS


@pytest.mark.parametrize("path", ENTRIES, ids=name_of)
def test_every_registry_entry_is_right(path: Path) -> None:
    assert check_entry(path).name == path.stem
    assert errors_of(path, path.parent.name) == []


@pytest.mark.parametrize("path", SPECS, ids=name_of)
def test_every_experiment_is_right(path: Path) -> None:
    study = load(path)
    assert study.children
    assert errors_of(path, "experiment") == []
    assert "setting" in study.resolved["about"].lower(), "an experiment says which settings are the paper's"
    assert "refuted" in study.resolved["claim"].lower(), "a claim says what would refute it"
    assert study.children[0].experiment.refuted_if, "and says it in numbers"


@pytest.mark.parametrize("path", SPECS, ids=name_of)
def test_every_experiment_tells_editors_where_its_schema_is(path: Path) -> None:
    prefix = "# yaml-language-server: $schema="
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(prefix)
    schema = (path.parent / first.removeprefix(prefix)).resolve()
    assert schema == REPOSITORY / "registry" / "schema" / "experiment.schema.json"


def test_the_folders_of_nouns_and_sentences_hold_no_program() -> None:
    programs = [
        path for folder in ("registry", "experiments") for path in (REPOSITORY / folder).rglob("*.py")
    ]
    assert programs == []
