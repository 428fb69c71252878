"""Views of MLflow's page: the columns that an experiment's runs are shown with."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from polylens.settings import Settings
from polylens.tracking import Tracker
from polylens.tracking.views import RESULTS, VIEW_TAG, views_of

ALL, FIRST, SECOND = (VIEW_TAG + key for key in (RESULTS, f"{RESULTS}-first", f"{RESULTS}-second"))


def state_of(tag: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(json.loads(tag)["state"])
    return state


def test_a_spec_has_a_view_of_its_own_and_its_numbers_in_that_of_all_runs() -> None:
    first = views_of("first", ["quality/purity"], before={})
    assert first.keys() == {ALL, FIRST}
    names = ("model", "layer", "verdict")
    tags = [f"tags.`polylens.{name}`" for name in names]
    assert state_of(first[ALL])["selectedColumns"] == [
        *tags,
        "metrics.`quality/purity`",
        "tags.`polylens.answer`",
    ]
    assert state_of(first[FIRST])["searchFilter"] == "tags.`polylens.spec` = 'first'"
    second = views_of("second", ["size/units"], before=first)
    assert second.keys() == {ALL, SECOND}
    assert state_of(second[ALL])["selectedColumns"] == [
        *tags,
        "tags.`polylens.answer`",
        "metrics.`quality/purity`",
        "metrics.`size/units`",
    ]


def test_views_that_are_as_they_were_are_not_written_again() -> None:
    before = views_of("first", ["quality/purity"], before={})
    assert views_of("first", ["quality/purity"], before=before) == {}


def test_a_view_keeps_to_what_a_tag_holds_and_to_a_few_columns() -> None:
    tags = views_of("first", [f"analysis/{'n' * 220}{number}" for number in range(30)], before={})
    for tag in tags.values():
        assert len(tag) <= 5000
        assert 1 <= sum(each.startswith("metrics") for each in state_of(tag)["selectedColumns"]) <= 8


def test_what_somebody_else_wrote_under_the_name_is_replaced() -> None:
    for strange in ("no json", "[]", '{"state": 3}', '{"state": "[1]"}'):
        assert ALL in views_of("first", ["quality/purity"], before={ALL: strange})


def test_an_experiment_is_described_once_and_its_address_shows_the_results(
    settings: Settings, mlflow_client: Callable[[Settings], Any]
) -> None:
    tracker = Tracker(settings)
    tracker.prepare("digits")
    tracker.prepare("older")
    for about in ("See [results](RESULTS-ADDRESS).", "Another text."):
        tracker.describe("digits", about=about, spec="first", metrics=["quality/purity"])
    experiment = mlflow_client(settings).get_experiment_by_name("digits")
    number = experiment.experiment_id
    address = f"#/experiments/{number}/runs?workflowType=machine_learning&viewStateShareKey=polylens"
    assert experiment.tags["mlflow.note.content"] == f"See [results]({address})."
    addresses = tracker.experiments()
    assert addresses["digits"] == address
    assert addresses["older"].endswith("?workflowType=machine_learning")
