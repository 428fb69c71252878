"""A new kind is one file, or a folder of its name: listed, described, in the schema, usable in a spec."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.forking import OF_VALIDATING, forks

from polylens import plugin as plugin_module
from polylens.errors import StageError, shown_path
from polylens.plugin import source_of
from polylens.progress import Silent
from polylens.store import Store
from polylens.study.performing import Performer
from polylens.study.stages import Stage

KIND = '''\
"""Every other position."""

import numpy as np
from pydantic import Field

from polylens.sampling import Sampling


class EveryOther(Sampling):
    """Takes every other position, from `start` on."""

    start: int = Field(default=0, ge=0)
    """Rank of the first position that is taken."""

    def choose(self, valid, *, grid, generator):
        """Ranks start, start + 2, ..."""
        return valid[self.start :: 2]
'''
ENTRY = "about: Odd positions.\nsource: ours\nlicence: MIT\nentry: {kind: every_other, start: 1}\n"


@pytest.fixture
def plugin(folder: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of a package with one kind and one entry, installed as far as its metadata says."""
    site = folder / "site"
    package = site / "my_lab"
    (package / "entries" / "sampling").mkdir(parents=True)
    for module in (package, package / "entries"):
        (module / "__init__.py").touch()
    file = package / getattr(request, "param", "every_other.py")
    file.parent.mkdir(exist_ok=True)
    file.write_text(KIND)
    (package / "entries" / "sampling" / "odd.yaml").write_text(ENTRY)
    info = site / "my_lab-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-lab\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[polylens.sampling]\nevery_other = my_lab.every_other:EveryOther\n\n"
        "[polylens.registry]\nmy_lab = my_lab.entries\n"
    )
    path = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def call() -> Iterator[Call]:
    """`polylens ...` in the working directory."""
    with forks(*OF_VALIDATING) as started:
        yield started.polylens


@pytest.fixture
def polylens(call: Call) -> Callable[..., str]:
    """What `polylens ...` prints, which must go well."""

    def printed(*arguments: str, environment: dict[str, str]) -> str:
        done = call(*arguments, environment=environment)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return printed


@pytest.fixture
def refused(call: Call) -> Callable[..., str]:
    """What is said of `spec.yaml`, which must be refused."""

    def said(*, environment: dict[str, str]) -> str:
        done = call("validate", "spec.yaml", environment=environment)
        assert done.returncode == 2
        return done.stderr

    return said


def test_one_file_is_enough(
    plugin: dict[str, str], folder: Path, spec_text: str, polylens: Callable[..., str]
) -> None:
    listed = json.loads(polylens("ls", "sampling", "--json", environment=plugin))["families"]["sampling"]
    assert {"name": "every_other", "about": "Takes every other position, from `start` on."} in listed["kinds"]
    odd = next(entry for entry in listed["entries"] if entry["name"] == "odd")
    assert (odd["kind"], odd["from"]) == ("every_other", "polylens (plugin my_lab)")

    described = json.loads(polylens("describe", "sampling/every_other", "--json", environment=plugin))
    (start,) = described["kind"]["fields"]
    assert (start["name"], start["takes"], start["default"]) == ("start", "a whole number of at least 0", 0)

    schema = json.loads(polylens("schema", "--json", environment=plugin))
    assert schema["$defs"]["sampling.every_other"]["properties"]["start"]["minimum"] == 0

    for sampling in ("{kind: every_other, start: 1}", "odd", "{use: odd, start: 3}"):
        (folder / "spec.yaml").write_text(f"sampling: {sampling}\n{spec_text}")
        assert polylens("validate", "spec.yaml", environment=plugin) == "spec.yaml: fine\n"

    new = polylens("new", "sampling/mine", "--kind", "every_other", "--print", environment=plugin)
    assert "  # start: 0" in new.splitlines()


@pytest.mark.parametrize("plugin", ["every_other/__init__.py"], indirect=True)
def test_a_folder_is_as_good_as_a_file(
    plugin: dict[str, str], folder: Path, spec_text: str, polylens: Callable[..., str]
) -> None:
    (folder / "spec.yaml").write_text(f"sampling: {{kind: every_other, start: 1}}\n{spec_text}")
    assert polylens("validate", "spec.yaml", environment=plugin) == "spec.yaml: fine\n"


def test_a_mistake_in_it_is_found_like_any_other(
    plugin: dict[str, str], folder: Path, spec_text: str, refused: Callable[..., str]
) -> None:
    (folder / "spec.yaml").write_text(f"sampling: {{kind: every_other, strat: 1}}\n{spec_text}")
    said = refused(environment=plugin)
    assert said.startswith("spec.yaml:1:31: unknown key 'strat' in sampling (every_other)\n")
    assert "did you mean 'start'?" in said


def test_whoever_misses_a_kind_is_told_which_packages_were_looked_in(
    plugin: dict[str, str], folder: Path, spec_text: str, refused: Callable[..., str]
) -> None:
    (folder / "spec.yaml").write_text(f"sampling: {{kind: every_ohter, start: 1}}\n{spec_text}")
    for environment, says in (
        (plugin, "did you mean 'every_other'?"),
        (plugin, "  other packages that give kinds: my-lab 1.0\n"),
        ({**os.environ}, "  no other package here gives kinds\n"),
    ):
        said = refused(environment=environment)
        assert says in said


def test_an_error_in_it_is_told_with_its_file_and_line_and_its_package_with_the_run(
    plugin: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(folder / "site")
    caches = (plugin_module.kinds, plugin_module.packages, plugin_module._entry_points)
    for cache in caches:
        cache.cache_clear()
    try:
        kind = plugin_module.load_kind("sampling", "every_other")
        rule = kind.model_validate({"start": 1})
        assert plugin_module.packages_in({"sampling": (rule,)}) == {"my-lab": "1.0"}
        performer = Performer(Store(folder / "store"), Silent())
        stage = Stage("harvest", "harvest", {"kind": "every_other"}, path="sampling")
        with pytest.raises(StageError) as failure, performer.report_failure([stage]):
            rule.choose(None, grid=(), generator=None)  # type: ignore[attr-defined]
    finally:
        for cache in caches:
            cache.cache_clear()
    line = 1 + KIND.splitlines().index("        return valid[self.start :: 2]")
    assert failure.value.message == "stage harvest failed: TypeError: 'NoneType' object is not subscriptable"
    assert failure.value.hint == (
        f"raised at {shown_path(folder / 'site' / 'my_lab' / 'every_other.py')}:{line} in choose, "
        "of the package my-lab 1.0; --traceback shows all"
    )


def test_an_error_that_polylens_did_not_foresee_says_how_to_see_more(tmp_path: Path) -> None:
    performer = Performer(Store(tmp_path), Silent())
    stage = Stage("analysis", "clusters", {})
    with pytest.raises(StageError) as failure, performer.report_failure([stage]):
        {}["nothing"]
    assert failure.value.hint == "this was not foreseen; --traceback shows where it happened"


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ("every_other = my_lab.nowhere:EveryOther", "which fails: ModuleNotFoundError: No module named"),
        ("every_other = my_lab.every_other:Every", "which fails: AttributeError"),
        (
            "every_third = my_lab.every_other:EveryOther",
            "which is no kind's class in a file or a folder named",
        ),
        ("every_other = my_lab.every_other:Field", "which is no kind's class in a file or a folder named"),
    ],
)
def test_an_entry_point_that_leads_nowhere_is_told_with_its_package(
    plugin: dict[str, str], folder: Path, spec_text: str, points: str, says: str, refused: Callable[..., str]
) -> None:
    file = folder / "site" / "my_lab-1.0.dist-info" / "entry_points.txt"
    file.write_text(f"[polylens.sampling]\n{points}\n")
    kind = points.partition(" ")[0]
    (folder / "spec.yaml").write_text(f"sampling: {{kind: {kind}, start: 1}}\n{spec_text}")
    said = refused(environment=plugin)
    assert (
        f"the package 'my-lab' names a kind '{kind}' of sampling at {points.partition(' = ')[2]}, {says}"
        in (said)
    )
    assert "mend the entry point in its pyproject.toml" in said
    assert "not foreseen" not in said


ANALYSIS = '''\
"""Mine."""

from polylens.analyses import RowAnalysis


class Mine(RowAnalysis):
    """Somebody's analysis."""

    of: str
    """What it stands on."""

    def needs(self):
        """Activations."""
        return frozenset({NEEDS})

    def run(self, rows, work):
        """What it stands on, or nothing."""
        return RETURNED
'''


def mine(folder: Path, text: str) -> dict[str, str]:
    """The environment of an installed package with one analysis of this text."""
    package, info = folder / "site" / "my_lab", folder / "site" / "my_lab-1.0.dist-info"
    for each in (package, info):
        each.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "mine.py").write_text(text)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-lab\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[polylens.analyses]\nmine = my_lab.mine:Mine\n")
    path = [str(folder / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


UPSTREAM = "    def upstream(self):\n        return (self.of,)\n\n    def run("


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ((), ["(mine) is of 'clusters', and its class does not say so", "(self.of,)"]),
        (
            (("    def run(", UPSTREAM), ("NEEDS", "'activation'")),
            ["(mine) needs 'activation', and rows have no such part", "did you mean 'activations'?"],
        ),
        (
            (("    def run(", UPSTREAM), ("    def needs(", "    def wants(")),
            ["the kind 'mine' of analyses, of the package 'my-lab', lacks the method `needs`", "mine.py"],
        ),
        ((("return RETURNED", "return ("),), ["which fails: SyntaxError", "mend", "mine.py:18"]),
        (
            (("class Mine", "import nothing_at_all\n\n\nclass Mine"),),
            ["No module named", "mend", "mine.py:6"],
        ),
    ],
    ids=["no upstream", "no such part", "no method", "syntax", "import"],
)
def test_an_unfinished_analysis_is_told_before_anything_runs(
    folder: Path,
    spec_text: str,
    change: tuple[tuple[str, str], ...],
    says: list[str],
    refused: Callable[..., str],
) -> None:
    text = ANALYSIS
    for before, after in (*change, ("NEEDS", "'activations'"), ("RETURNED", "None")):
        text = text.replace(before, after, 1)
    environment = mine(folder, text)
    place = "analyses:\n"
    assert place in spec_text
    (folder / "spec.yaml").write_text(
        spec_text.replace(place, f"{place}  mine: {{kind: mine, of: clusters}}\n")
    )
    said = refused(environment=environment)
    for each in says:
        assert each in said, said
    assert "not foreseen" not in said


def test_folders_of_polylens_are_kinds_where_they_hold_a_file_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = tmp_path / "labels"
    for file in ("flat.py", "wide/__init__.py", "wide/tables.py", "_shared/__init__.py", "_alone.py"):
        (family / file).parent.mkdir(parents=True, exist_ok=True)
        (family / file).touch()
    (family / "left_behind" / "__pycache__").mkdir(parents=True)
    monkeypatch.setattr(plugin_module, "__file__", str(tmp_path / "plugin.py"))
    plugin_module.kinds.cache_clear()
    try:
        assert plugin_module.kinds("labels") == ("flat", "wide")
    finally:
        plugin_module.kinds.cache_clear()
    sources = [source_of("labels", name) for name in ("flat", "wide", "_shared", "_alone", "left_behind")]
    assert sources == [family / "flat.py", family / "wide" / "__init__.py", None, None, None]
