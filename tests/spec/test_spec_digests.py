"""Digests change with what can change a number, and with nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polylens.reading import read, write
from polylens.spec import Child, load, loads, scientific_fields, spec_digest

SMALL = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def plain(spec_text: str, folder: Path) -> dict[str, Any]:
    found = read(spec_text, file="spec.yaml").value
    assert isinstance(found, dict)
    return found


def child(plain: dict[str, Any], *overrides: str) -> Child:
    (only,) = loads(plain, overrides=overrides).children
    return only


def shuffled(draw: st.DataObject, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    keys = draw.draw(st.permutations(list(value)))
    return {key: shuffled(draw, value[key]) for key in keys}


@SMALL
@given(data=st.data())
def test_the_order_of_keys_does_not_matter(plain: dict[str, Any], data: st.DataObject) -> None:
    moved = shuffled(data, plain)
    assert spec_digest(child(moved)) == spec_digest(child(plain))
    assert scientific_fields(child(moved).experiment) == scientific_fields(child(plain).experiment)


@pytest.mark.parametrize("override", ["about=Other words.", "claim=Another claim.", "version=1"])
def test_words_about_the_experiment_do_not_matter(plain: dict[str, Any], override: str) -> None:
    assert spec_digest(child(plain, override)) == spec_digest(child(plain))


@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "layer=hidden.2",
        "model.training.epochs=61",
        "dataset.test_fraction=0.5",
        "code.units=next",
        "code=null",
        "sampling={kind: all_positions}",
        "controls.0.draws=4",
        "controls=[]",
        "analyses.clusters.min_cluster_size=6",
        "analyses.quality=null",
        "labels=null",
    ],
)
def test_everything_that_can_change_a_number_matters(plain: dict[str, Any], override: str) -> None:
    changed, before = child(plain, override), child(plain)
    assert spec_digest(changed) != spec_digest(before)
    assert scientific_fields(changed.experiment) != scientific_fields(before.experiment)


def test_a_name_is_not_science_but_numbers_under_another_name_are_another_run(plain: dict[str, Any]) -> None:
    renamed = {
        **plain,
        "analyses": {
            "groups": plain["analyses"]["clusters"],
            "score": {"kind": "cluster_quality", "of": "groups"},
        },
        "labels": {"names": {"kind": "class_enrichment", "of": "groups"}},
    }
    assert scientific_fields(child(renamed).experiment) == scientific_fields(child(plain).experiment)
    assert spec_digest(child(renamed)) != spec_digest(child(plain))


def test_a_default_written_out_is_the_default(plain: dict[str, Any]) -> None:
    assert spec_digest(child(plain, "analyses.clusters.scale=none")) == spec_digest(child(plain))


def test_a_registry_name_and_what_it_stands_for_are_the_same(plain: dict[str, Any]) -> None:
    model = child(plain).experiment.model.to_plain()
    assert spec_digest(child({**plain, "model": model})) == spec_digest(child(plain))


_CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "seed": st.integers(0, 2**40),
        "layer": st.sampled_from(["input", "output", ["hidden.1", "hidden.2"], "hidden.*"]),
        "about": st.text(min_size=1, max_size=30).filter(lambda text: text.isprintable() and text.strip()),
        "controls": st.lists(
            st.sampled_from(["random_init", "random_labels", "second_seed", "shuffled_weights"]), unique=True
        ),
        "sweep": st.sampled_from(
            [
                {"seed": [0, 1]},
                {"model": ["digits-mlp", {"use": "digits-mlp", "hidden": [8, 8, 8]}]},
                {
                    "zip": {"seed": [1, 2], "analyses.clusters.min_cluster_size": [5, 6]},
                    "layer": ["input", "hidden.1"],
                },
            ]
        ),
    },
)


@SMALL
@given(changes=_CHANGES)
def test_the_resolved_spec_loads_to_the_same_children(
    plain: dict[str, Any], folder: Path, changes: dict[str, Any]
) -> None:
    study = loads({**plain, **changes})
    path = folder / "spec.yaml"
    path.write_text(write(study.resolved), encoding="utf-8")
    again = load(path)
    assert again.resolved == study.resolved
    assert again.written == write(again.resolved)
    assert [(c.name, dict(c.point), c.experiment) for c in again.children] == [
        (c.name, dict(c.point), c.experiment) for c in study.children
    ]


@SMALL
@given(changes=_CHANGES)
def test_each_child_is_a_spec_that_needs_no_registry(plain: dict[str, Any], changes: dict[str, Any]) -> None:
    for one in loads({**plain, **changes}).children:
        again = child(one.experiment.to_plain())
        assert again.experiment == one.experiment
        assert spec_digest(again) == spec_digest(one)
