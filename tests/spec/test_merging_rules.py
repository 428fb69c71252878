"""One rule for extended files, overrides, sweep points and registry entries."""

from __future__ import annotations

import pytest

from polylens.errors import SpecError
from polylens.reading import read
from polylens.spec.ledger import Ledger, Tree
from polylens.spec.merging import merge
from polylens.spec.overrides import assign, read_override

BASE = """\
model: mlp-64
dataset: {kind: digits, split: test, classes: [1, 2, 3]}
controls: [random_init, {use: second_seed}]
seed: 5
about: "${seed} ???"
"""


def tree(ledger: Ledger, text: str) -> Tree:
    found = ledger.tree(read(text, file="spec.yaml").root)
    assert isinstance(found, dict)
    return found


def laid(over: str) -> object:
    ledger = Ledger()
    return ledger.plain(merge(tree(ledger, BASE), tree(ledger, over), ledger=ledger))


def overridden(*texts: str) -> object:
    ledger = Ledger()
    result = tree(ledger, BASE)
    for text in texts:
        result = assign(result, read_override(text, ledger=ledger), ledger=ledger)
    return ledger.plain(result)


UNTOUCHED = {
    "model": "mlp-64",
    "dataset": {"kind": "digits", "split": "test", "classes": [1, 2, 3]},
    "controls": ["random_init", {"use": "second_seed"}],
    "seed": 5,
    "about": "${seed} ???",
}


@pytest.mark.parametrize(
    ("over", "changed"),
    [
        ("seed: 6", {"seed": 6}),
        ("dataset: {split: train}", {"dataset": {"kind": "digits", "split": "train", "classes": [1, 2, 3]}}),
        ("dataset: {classes: [9]}", {"dataset": {"kind": "digits", "split": "test", "classes": [9]}}),
        (
            "dataset: {kind: digits, split: all}",
            {"dataset": {"kind": "digits", "split": "all", "classes": [1, 2, 3]}},
        ),
        ("dataset: {kind: image_folder, root: x}", {"dataset": {"kind": "image_folder", "root": "x"}}),
        ("dataset: {use: digits}", {"dataset": {"use": "digits"}}),
        ("dataset: digits", {"dataset": "digits"}),
        ("model: {hidden: [8]}", {"model": {"use": "mlp-64", "hidden": [8]}}),
        ("model: {use: mlp-64, hidden: [8]}", {"model": {"use": "mlp-64", "hidden": [8]}}),
        ("model: {use: mlp-32}", {"model": {"use": "mlp-32"}}),
        ("controls: [shuffled_weights]", {"controls": ["shuffled_weights"]}),
        ("sampling: {kind: all_positions}", {"sampling": {"kind": "all_positions"}}),
        ("code: null", {"code": None}),
    ],
)
def test_maps_merge_lists_and_changed_kinds_replace(over: str, changed: dict[str, object]) -> None:
    assert laid(over) == UNTOUCHED | changed


def test_null_removes_what_it_is_laid_on() -> None:
    assert laid("seed: null\ndataset: {split: null}") == {
        "model": "mlp-64",
        "dataset": {"kind": "digits", "classes": [1, 2, 3]},
        "controls": UNTOUCHED["controls"],
        "about": UNTOUCHED["about"],
    }


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("seed=010", {"seed": 10}),
        ("seed=no", {"seed": "no"}),
        ("dataset.split=train", {"dataset": {"kind": "digits", "split": "train", "classes": [1, 2, 3]}}),
        ("dataset.classes.1=7", {"dataset": {"kind": "digits", "split": "test", "classes": [1, 7, 3]}}),
        ("dataset.classes[2]=7", {"dataset": {"kind": "digits", "split": "test", "classes": [1, 2, 7]}}),
        ("controls.0.draws=3", {"controls": [{"use": "random_init", "draws": 3}, {"use": "second_seed"}]}),
        ("controls[1].draws=3", {"controls": ["random_init", {"use": "second_seed", "draws": 3}]}),
        ("controls.0=null", {"controls": [{"use": "second_seed"}]}),
        ("model.training.epochs=5", {"model": {"use": "mlp-64", "training": {"epochs": 5}}}),
        ("analyses.extra={kind: kmeans}", {"analyses": {"extra": {"kind": "kmeans"}}}),
        ("sweep.analyses.clusters.size=[5]", {"sweep": {"analyses.clusters.size": [5]}}),
        ("sweep.zip.model.hidden=[[5]]", {"sweep": {"zip": {"model.hidden": [[5]]}}}),
        ("about='a=b'", {"about": "a=b"}),
    ],
)
def test_overrides_reach_into_maps_lists_and_bare_names(override: str, changed: dict[str, object]) -> None:
    assert overridden(override) == UNTOUCHED | changed


def test_overrides_apply_in_their_order() -> None:
    assert overridden("model=cnn", "model.kernel=5") == UNTOUCHED | {"model": {"use": "cnn", "kernel": 5}}
    assert overridden("model.kernel=5", "model=cnn") == UNTOUCHED | {"model": "cnn"}


@pytest.mark.parametrize(
    ("override", "column", "message"),
    [
        ("seed", 1, "an override has the form key=value"),
        ("=5", 1, "'' is no dotted key"),
        ("a..b=5", 1, "'a..b' is no dotted key"),
        ("a[x]=5", 1, "'a[x]' is no dotted key"),
        ("extends=other.yaml", 1, "extends cannot be overridden"),
        ("controls.2.draws=3", 10, "controls is a list of 2"),
        ("controls.first.draws=3", 10, "controls is a list of 2"),
        ("dataset.classes.-1=3", 17, "dataset.classes is a list of 3"),
    ],
)
def test_wrong_overrides_point_at_the_wrong_part(override: str, column: int, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        overridden(override)
    (problem,) = caught.value.problems
    assert problem.message == message
    assert problem.place is not None
    assert (problem.place.file, problem.place.line, problem.place.column) == ("--set", 1, column)


def test_merging_leaves_both_sides_as_they_were() -> None:
    ledger = Ledger()
    base, over = tree(ledger, BASE), tree(ledger, "dataset: {split: null, classes: [9]}")
    before = ledger.plain(base), ledger.plain(over)
    merge(base, over, ledger=ledger)
    assert (ledger.plain(base), ledger.plain(over)) == before
