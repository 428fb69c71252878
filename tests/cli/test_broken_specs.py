"""Broken specs: each leaves with 2, at the right place, with a suggestion, without a trace, without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from polylens.cli import main

HEAVY = ("torch", "torchvision", "mlflow", "pytorch_lightning", "sklearn", "pandas", "matplotlib", "scipy")
ENTRY = "about: x\nsource: ours\nlicence: MIT\nentry: {kind: evenly_spaced, count: six}\n"
QUALITY = "about: x\nsource: ours\nlicence: MIT\nentry: {kind: cluster_quality, of: groups}\n"


class Broken(NamedTuple):
    """One way to break the spec of `spec_text`."""

    name: str
    old: str
    new: str
    where: str
    """file:line:column of each problem, separated by blanks."""
    says: str
    meant: str = ""
    overrides: tuple[str, ...] = ()


BROKEN = [
    Broken("typo in a key of the spec", "seed: 0", "sede: 0", "spec.yaml:3:1", "unknown key 'sede'", "seed"),
    Broken(
        "typo in a key of a kind",
        "code:",
        "sampling: {kind: evenly_spaced, coutn: 6, after: 100}\ncode:",
        "spec.yaml:7:33",
        "unknown key 'coutn' in sampling (evenly_spaced)",
        "count",
    ),
    Broken(
        "typo in a nested block",
        "model: digits-mlp",
        "model: {use: digits-mlp, training: {epoch: 5}}",
        "spec.yaml:4:37",
        "unknown key 'epoch' in model.training",
        "epochs",
    ),
    Broken("typo in the word kind", "{kind: hdbscan", "{knid: hdbscan", "spec.yaml:10:14", "'knid'", "kind"),
    Broken(
        "unknown name",
        "digits-mlp",
        "digits-mpl",
        "spec.yaml:4:8",
        "no model named 'digits-mpl'",
        "digits-mlp",
    ),
    Broken("unknown kind", "hdbscan", "hdbscann", "spec.yaml:10:20", "no kind 'hdbscann'", "hdbscan"),
    Broken("missing key", "seed: 0\n", "", "spec.yaml:1:1", "the spec needs 'seed'"),
    Broken(
        "missing key of a kind",
        "code:",
        "sampling: {kind: evenly_spaced}\ncode:",
        "spec.yaml:7:1",
        "missing key 'count' in sampling (evenly_spaced)",
    ),
    Broken(
        "a text where a number belongs",
        "size: 5",
        "size: five",
        "spec.yaml:10:63",
        "must be a whole number of at least 2, not the text 'five'",
    ),
    Broken("a number out of range", "size: 5", "size: 1", "spec.yaml:10:63", "of at least 2, not 1"),
    Broken(
        "a word that is no choice",
        "size: 5",
        "size: 5, metric: euclidian",
        "spec.yaml:10:74",
        "not the text 'euclidian'",
        "euclidean",
    ),
    Broken(
        "a number where a map belongs",
        "code: {kind: sign, units: own, positions: same}",
        "code: 5",
        "spec.yaml:7:7",
        "code must be a registry name, or a map",
    ),
    Broken(
        "a layer that is not there",
        "hidden.3",
        "hidden.4",
        "spec.yaml:5:8",
        "no layer 'hidden.4'",
        "hidden.3",
    ),
    Broken("a pattern without a layer", "hidden.3", "conv*", "spec.yaml:5:8", "no layer fits 'conv*'"),
    Broken(
        "of a name that is not there",
        "of: clusters}\nlabels",
        "of: clutsers}\nlabels",
        "spec.yaml:11:40",
        "no analysis is called 'clutsers'",
        "clusters",
    ),
    Broken(
        "a circle of of",
        "of: clusters}\nlabels",
        "of: quality}\nlabels",
        "spec.yaml:11:40",
        "'of' goes in a circle",
    ),
    Broken(
        "a missing extended file",
        "about:",
        "extends: bases.yaml\nabout:",
        "spec.yaml:1:10",
        "no file 'bases.yaml'",
        "base.yaml",
    ),
    Broken(
        "a circle of extends",
        "about:",
        "extends: circle.yaml\nabout:",
        "circle.yaml:1:10",
        "extends goes in a circle",
    ),
    Broken(
        "a mistake in an extended file",
        "about:",
        "extends: base.yaml\nabout:",
        "base.yaml:1:11",
        "version must be 1, not 3",
    ),
    Broken(
        "a mistake in the registry",
        "code:",
        "sampling: six\ncode:",
        "registry/sampling/six.yaml:4:37",
        "must be a whole number of at least 1, not the text 'six'",
    ),
    Broken(
        "a duplicate key",
        "seed: 0",
        "seed: 0\nseed: 1",
        "spec.yaml:4:1",
        "the key 'seed' is already given in line 3",
    ),
    Broken("a tab", "  quality", "\tquality", "spec.yaml:11:1", "a tab cannot be used here"),
    Broken(
        "a tag",
        "digits-mlp",
        "!!python/object:os.system x",
        "spec.yaml:4:8",
        "tags (!!python/object:os.system)",
    ),
    Broken(
        "an anchor and an alias",
        "model: digits-mlp",
        "model: &m digits-mlp\nx: *m",
        "spec.yaml:4:8 spec.yaml:5:4",
        "anchors (&m)",
    ),
    Broken("two documents", "labels:", "---\nlabels:", "spec.yaml:12:1", "a file holds one document"),
    Broken(
        "a sweep over nothing",
        "labels:",
        "sweep: {seed: []}\nlabels:",
        "spec.yaml:12:15",
        "nothing to sweep over",
    ),
    Broken("an empty sweep", "labels:", "sweep: {}\nlabels:", "spec.yaml:12:8", "nothing to sweep over"),
    Broken(
        "a sweep over a typo",
        "labels:",
        "sweep: {sede: [1]}\nlabels:",
        "spec.yaml:12:9",
        "'sede' is swept",
        "seed",
    ),
    Broken(
        "a sweep deep into a typo",
        "labels:",
        "sweep: {analyses.clutsers.min_cluster_size: [5]}\nlabels:",
        "spec.yaml:12:9",
        "no 'clutsers' in analyses",
        "clusters",
    ),
    Broken(
        "zipped lists of two lengths",
        "labels:",
        "sweep: {zip: {seed: [1, 2], layer: [input]}}\nlabels:",
        "spec.yaml:12:15",
        "of one length",
    ),
    Broken(
        "codes without a code",
        "code: {kind: sign, units: own, positions: same}",
        "# no code",
        "spec.yaml:10:3",
        "reads codes, but the spec has no 'code'",
        overrides=("analyses.clusters.on=code",),
    ),
    Broken(
        "a swept key that the kind does not have",
        "labels:",
        "sweep: {analyses.clusters.min_clustersize: [5, 6]}\nlabels:",
        "spec.yaml:12:27",
        "unknown key 'min_clustersize' in analyses.clusters (hdbscan)",
        "min_cluster_size",
    ),
    Broken(
        "a flag in a spec",
        "seed: 0",
        "seed: 0\ndevices: 2",
        "spec.yaml:4:1",
        "give --devices to `polylens run`",
    ),
    Broken(
        "a control that retrains a network that is not trained here",
        "controls: [random_init]",
        "controls: [random_labels]",
        "spec.yaml:8:12",
        "the control 'random_labels' retrains the network",
        overrides=("model={kind: mlp, inputs: 64, hidden: [8, 8, 8], classes: 10}",),
    ),
    Broken(
        "an entry of the registry that stands on what the spec does not call so",
        "quality: {kind: cluster_quality, of: clusters}",
        "quality: groups-quality",
        "registry/analyses/groups-quality.yaml:4:36",
        "used in spec.yaml:11:3",
    ),
    Broken(
        "a text that goes on after its quotes",
        "about: A test.",
        "about: 'A' test.",
        "spec.yaml:1:12",
        "nothing may follow a closing quote",
    ),
    Broken(
        "a missing extended file unlike all others",
        "about:",
        "extends: nowhere.yaml\nabout:",
        "spec.yaml:1:10",
        "no file 'nowhere.yaml'",
    ),
    Broken(
        "a typo in an override",
        "seed",
        "seed",
        "--set:1:10",
        "no 'clutsers' in analyses",
        "clusters",
        ("analyses.clutsers.min_cluster_size=5",),
    ),
    Broken(
        "a wrong value in an override",
        "seed",
        "seed",
        "--set:1:6",
        "seed must be a whole number of at least 0, not the text 'one'",
        "",
        ("seed=one",),
    ),
]


@pytest.fixture
def project(folder: Path) -> Path:
    (folder / "registry" / "sampling").mkdir(parents=True)
    (folder / "registry" / "sampling" / "six.yaml").write_text(ENTRY)
    (folder / "registry" / "analyses").mkdir()
    (folder / "registry" / "analyses" / "groups-quality.yaml").write_text(QUALITY)
    (folder / "base.yaml").write_text("version:  3\n")
    (folder / "circle.yaml").write_text("extends: spec.yaml\n")
    return folder


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name.replace(" ", "-"))
def test_each_mistake_is_shown_where_it_stands(
    broken: Broken, project: Path, spec_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert broken.old in spec_text
    (project / "spec.yaml").write_text(spec_text.replace(broken.old, broken.new))
    overrides = [argument for text in broken.overrides for argument in ("--set", text)]
    assert main(["validate", "spec.yaml", *overrides]) == 2
    out, said = capsys.readouterr()
    assert out == ""
    heads = [line.split(": ")[0] for line in said.splitlines() if line[:1] not in (" ", "") and ": " in line]
    assert heads == broken.where.split()
    assert broken.says in said
    assert ("did you mean" in said) == bool(broken.meant)
    if broken.meant:
        assert f"did you mean '{broken.meant}'?" in said
    assert said.splitlines()[-1] == (
        "1 error in 1 file; nothing was run" if len(heads) == 1 else "2 errors in 1 file; nothing was run"
    )
    assert "Traceback" not in said
    assert "pydantic" not in said


@pytest.mark.parametrize(
    ("content", "where", "says"),
    [
        (b"", "spec.yaml:1:1", "the file is empty"),
        (b"- a\n", "spec.yaml:1:1", "the file must hold a map"),
        (b"about: \xe9t\xe9\n", "spec.yaml:1:8", "the file is not UTF-8 text"),
        (b"\xef\xbb\xbfabout: x\n", "spec.yaml:1:1", "byte order mark"),
    ],
)
def test_files_that_are_no_spec_at_all(
    content: bytes, where: str, says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "spec.yaml").write_bytes(content)
    assert main(["validate", "spec.yaml"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"{where}: ")
    assert says in said


def test_a_missing_file_is_named_with_the_one_that_was_probably_meant(
    folder: Path, spec_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "clusters.yaml").write_text(spec_text)
    assert main(["validate", "cluster.yaml"]) == 2
    assert capsys.readouterr().err.startswith("no file 'cluster.yaml'; did you mean 'clusters.yaml'?\n")


def test_the_report_looks_as_the_guide_says(
    folder: Path, spec_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = spec_text.replace("digits-mlp", "digits-mpl").replace("min_cluster_size", "min_clustr_size")
    (folder / "spec.yaml").write_text(text)
    assert main(["validate", "spec.yaml"]) == 2
    assert capsys.readouterr().err == (
        "spec.yaml:4:8: no model named 'digits-mpl'; did you mean 'digits-mlp'?\n"
        "    4 | model: digits-mpl\n"
        "      |        ^^^^^^^^^^\n"
        "  looked in: polylens (built in)\n"
        "spec.yaml:10:45: unknown key 'min_clustr_size' in analyses.clusters (hdbscan)\n"
        "   10 |   clusters: {kind: hdbscan, on: activation, min_clustr_size: 5}\n"
        f"      | {' ' * 44}^^^^^^^^^^^^^^^ did you mean 'min_cluster_size'?\n"
        "  allowed: curve, epsilon, max_cluster_size, metric, min_cluster_size, min_samples, on, sample, "
        "scale, selection, subsamples, ties\n"
        "2 errors in 1 file; nothing was run\n"
    )


def test_neither_mistakes_nor_right_specs_import_anything_heavy(project: Path, spec_text: str) -> None:
    names = []
    for number, broken in enumerate(BROKEN):
        (project / f"{number}.yaml").write_text(spec_text.replace(broken.old, broken.new))
        names.append(f"{number}.yaml")
    (project / "fine.yaml").write_text(spec_text)
    program = (
        "import sys; from polylens.cli import main\n"
        f"codes = {{main(['validate', name]) for name in {[*names, 'fine.yaml']!r}}}\n"
        f"heavy = set({HEAVY!r})\n"
        "print(sorted(codes), sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[0, 2] []"
    assert "Traceback" not in done.stderr


def test_the_command_itself_leaves_with_2(project: Path, spec_text: str) -> None:
    (project / "spec.yaml").write_text(spec_text.replace("seed: 0", "sede: 0"))
    done = subprocess.run(
        [sys.executable, "-m", "polylens", "validate", "spec.yaml"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("spec.yaml:3:1: unknown key 'sede' in the spec\n")
    assert "\x1b" not in done.stderr
