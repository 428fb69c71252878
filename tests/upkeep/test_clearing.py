"""Clearing a real store beside a real MLflow: what runs refer to stays, whatever else happens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.houses import House

from polylens.errors import StoreError, TrackingError, UsageError
from polylens.settings import Settings
from polylens.store import Holding, Store, in_use, take_inventory
from polylens.tracking import Tracker
from polylens.upkeep.clearing import Clearing, age_in_words, choose, clear, size_in_words
from polylens.upkeep.references import users_of, uses_of

OF_FOUR = ["analysis: groups", "analysis: groups.raw_inputs", "figures: groups.figures", "report: report"]
"""What only the run with four clusters uses."""
NOW = datetime.now(UTC) + timedelta(hours=1)


def names_of(holdings: tuple[Holding, ...]) -> list[str]:
    return [f"{each.kind}: {each.name}" for each in holdings]


def chosen(settings: Settings, **keys: object) -> Clearing:
    return choose(settings, now=NOW, **keys)  # type: ignore[arg-type]


def test_both_runs_use_the_rows_and_each_its_own_clusters_and_pages(house: House, settings: Settings) -> None:
    inventory = take_inventory(settings.store)
    users = users_of(inventory, uses_of(settings))
    counts: dict[str, list[int]] = {}
    for each in inventory.holdings:
        counts.setdefault(each.kind, []).append(len(users[each.digest]))
    # Of the network and of the raw inputs.
    assert counts["harvest"] == [2, 2]
    assert counts["analysis"] == [1, 1, 1, 1]
    assert counts["figures"] == [1, 1]
    assert counts["report"] == [1, 1]
    assert chosen(settings).stages == ()


@pytest.mark.usefixtures("deleted_four")
def test_what_only_a_deleted_run_used_goes_and_the_other_runs_again_without_computing(
    house: House, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = take_inventory(settings.store)
    clearing = clear(settings, now=NOW, older_than=None, keep=None)
    assert sorted(names_of(clearing.stages)) == OF_FOUR
    after = take_inventory(settings.store)
    assert len(after.holdings) == len(before.holdings) - len(OF_FOUR)
    assert all(each.damage() is None for each in after.holdings)
    assert before.n_bytes - after.n_bytes == pytest.approx(clearing.n_bytes, abs=200)
    monkeypatch.setenv("POLYLENS_STORE", str(settings.store))
    (again,) = house.project.run(house.spec)
    assert {stage["status"] for stage in again["stages"]} == {"stored"}


@pytest.mark.usefixtures("deleted_four")
def test_ages_and_sizes_say_how_much_goes(settings: Settings) -> None:
    whole = take_inventory(settings.store).n_bytes
    assert chosen(settings, older_than=timedelta(days=1)).stages == ()
    assert chosen(settings, keep=whole).stages == ()
    # One byte too many takes the oldest, the clusters, and what was made of them with it.
    assert 3 <= len(chosen(settings, keep=whole - 1).stages) <= len(OF_FOUR)
    assert (age_in_words("2w"), size_in_words("2GB")) == (timedelta(days=14), 2_000_000_000)
    for wrong in ("30", "d", "-1d", "1y"):
        with pytest.raises(UsageError, match="no age"):
            age_in_words(wrong)
    for wrong in ("much", "-1GB", "nan", "2 apples"):
        with pytest.raises(UsageError, match="no size"):
            size_in_words(wrong)


@pytest.mark.usefixtures("deleted_four")
def test_nothing_goes_while_a_run_uses_the_store(settings: Settings) -> None:
    with in_use(settings.store), pytest.raises(StoreError, match="using the store"):
        clear(settings, now=NOW, older_than=None, keep=None)
    assert len(chosen(settings).stages) == len(OF_FOUR)


def test_nothing_is_chosen_where_mlflow_cannot_be_asked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackingError, match="connection refused"):
        chosen(replace(settings, tracking_uri="http://127.0.0.1:9"))
    with in_use(settings.store, tracker="http://127.0.0.1:9"):
        pass
    with pytest.raises(TrackingError, match="connection refused"):
        chosen(settings)  # another project's runs use the store too
    for file in (settings.store / "trackers").glob("*.json"):
        file.write_text(json.dumps({"address": "http://me:***@127.0.0.1:9"}))
    with pytest.raises(StoreError, match="without their password"):
        chosen(settings)


@pytest.mark.usefixtures("deleted_four")
def test_a_run_that_came_to_no_end_keeps_what_it_names_and_one_that_names_nothing_stops_clearing(
    house: House, settings: Settings
) -> None:
    stages = analyses(settings)
    tracker = Tracker(settings)
    run = tracker.open_run(experiment="tests", name="cut short", digest="c" * 32)
    try:
        with pytest.raises(StoreError, match=r"do not say which stages they use: 'cut short' \(running\)"):
            chosen(settings)
        run.log_provenance({"stages": stages})
        assert chosen(settings).stages == ()
    finally:
        house.client.delete_run(run.run_id)


@pytest.mark.usefixtures("deleted_four")
def test_a_run_that_waits_to_be_sent_keeps_what_it_names(settings: Settings) -> None:
    stages = analyses(settings)
    away = Tracker(replace(settings, tracking_uri="http://127.0.0.1:9"))
    away._delivery.is_away = True
    run = away.open_run(experiment="tests", name="waits", digest="d" * 32)
    run.log_provenance({"stages": stages})
    assert chosen(settings).stages == ()


def test_pictures_that_were_drawn_anew_are_used_by_no_run(settings: Settings) -> None:
    older = next(each for each in take_inventory(settings.store).holdings if each.kind == "figures")
    commit(settings, "figures", "e" * 32, {**older.identity, "looks": "of newer sources"})
    assert [each.digest for each in chosen(settings).stages if each.kind == "figures"] == [older.digest]


def test_a_module_from_python_stays_known(settings: Settings) -> None:
    commit(settings, "behaviour", "f" * 32, {"contents": "0" * 32, "examples": "1" * 32, "number": 0})
    assert chosen(settings).stages == ()


def test_what_is_no_stage_goes_but_for_what_another_version_wrote(settings: Settings) -> None:
    store = settings.store
    folder = next(each.folder for each in take_inventory(store).holdings)
    for path in (
        folder / "notes.txt",
        store / "v1" / "quarantine" / "harvest-abc-2026" / "meta.json",
        store / "v1" / ".partial" / f"harvest-{'9' * 32}" / "shard.npy",
        store / "v1" / "harvest" / "half" / "meta.json",
        store / "v0" / "harvest" / "old" / "meta.json",
        store / "v2" / "harvest" / "new" / "meta.json",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1234567890")
    inventory = take_inventory(store)
    assert {(each.what, each.n_bytes) for each in inventory.leftovers} == {
        ("unnamed", 10),
        ("damaged", 10),
        ("unfinished", 10),
        ("foreign", 10),
    }
    assert len(inventory.leftovers) == 6
    assert inventory.n_bytes == disk_usage(store)
    clear(settings, now=NOW, older_than=None, keep=None)
    left = take_inventory(store).leftovers
    assert {each.about for each in left} == {
        "of an older polylens (this one reads v1)",
        "of a newer polylens (this one reads v1)",
    }
    assert (folder / "manifest.json").is_file()


def analyses(settings: Settings) -> dict[str, str]:
    """Names and digests of the analyses that no run uses."""
    return {each.name: each.digest for each in chosen(settings).stages if each.kind == "analysis"}


def commit(settings: Settings, kind: str, digest: str, identity: Mapping[str, object]) -> None:
    """Writes a stage that no run asked for."""
    about = {"name": "written by hand", "identity": dict(identity)}
    with Store(settings.store).commit_stage(kind, digest, about=about) as folder:
        (folder / "content.json").write_text("{}")


def disk_usage(store: Path) -> int:
    hidden = (".locks", ".users")
    return sum(
        path.stat().st_size
        for path in store.rglob("*")
        if path.is_file() and not any(part in hidden for part in path.parts)
    )
