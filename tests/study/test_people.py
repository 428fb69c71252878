"""Sheets for people from a run and back: what is handed out, what is refused, and what it comes to."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, closing
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score
from tests.mlflow_database import put_database
from tests.pictures import undrawn
from tests.projects import Done, Project

import polylens
from polylens.tracking.faults import AwayError

pytestmark = pytest.mark.slow
Person = Callable[[int, Mapping[str, str]], Mapping[str, str]]


SPEC: dict[str, Any] = {
    "model": {"kind": "mlp", "inputs": 64, "hidden": [16], "classes": 10},
    "layer": "hidden.1",
    "code": None,
    "analyses": {
        "clusters": {"kind": "kmeans", "on": "activation", "clusters": 8, "restarts": 1, "subsamples": 2},
        "few": {"kind": "kmeans", "on": "activation", "clusters": 3, "restarts": 1, "subsamples": 2},
    },
}


@pytest.fixture(scope="module")
def clustered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """A project with one run of a network that learned nothing, and the run's id; only to be copied."""
    folder = tmp_path_factory.mktemp("clustered")
    (folder / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    put_database(folder)
    project = Project(folder)
    with undrawn():
        (run,) = project.run(project.spec(**SPEC))
    return project, run["run_id"]


@pytest.fixture
def labelled(clustered: tuple[Project, str], tmp_path: Path) -> Iterator[Project]:
    """A copy of the project, to which people's labels may be logged."""
    from mlflow.tracking._tracking_service.utils import _artifact_repos_cache

    source = clustered[0].folder
    folder = tmp_path / "project"
    shutil.copytree(source, folder)
    with closing(sqlite3.connect(folder / "mlflow.db")) as database, database:
        for table, column in (("runs", "artifact_uri"), ("experiments", "artifact_location")):
            database.execute(
                f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (str(source), str(folder))
            )
    _artifact_repos_cache.clear()  # MLflow remembers of each id where its artifacts lie
    yield Project(folder)
    _artifact_repos_cache.clear()


@pytest.fixture
def run(clustered: tuple[Project, str]) -> str:
    """MLflow's id of the run."""
    return clustered[1]


@pytest.fixture
def past(labelled: Project) -> Iterator[Callable[[str], Any]]:
    with chdir(labelled.folder):
        yield polylens.open_run


def succeed(done: Done) -> Done:
    assert done.returncode == 0, done.stderr
    return done


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))


def fill(source: Path, to: Path, person: Person) -> Path:
    """A script that plays a person: `person` says of each line what is filled."""
    rows = [row | dict(person(number, row)) for number, row in enumerate(rows_of(source))]
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, list(rows[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    to.write_bytes(stream.getvalue().encode("utf-8-sig"))
    return to


def says(author: str, verdicts: list[str]) -> Person:
    return lambda number, _: {
        "author": author,
        "verdict": verdicts[number % len(verdicts)],
        "label": f"group {number}",
        "date": "30.11.2026",
    }


def kept(project: Project, pattern: str) -> list[Path]:
    return sorted((project.folder / ".polylens" / "annotations").glob(pattern))


def test_labels_of_people_are_counted_as_by_hand_and_logged_version_by_version(labelled, run, past):
    sheet = labelled.folder / "labels.csv"
    done = succeed(labelled.call("label", run, "--export", sheet))
    lines = rows_of(sheet)
    clusters, n_clusters = [int(line["cluster"]) for line in lines], past(run).people().n_clusters
    assert clusters == sorted(set(clusters))
    left_out = n_clusters - len(clusters)
    assert (f"not on the sheet: {left_out} " in done.stderr) == (left_out > 0)
    assert all("·" in line["row 1"] and line["label of digits"] for line in lines)
    assert (labelled.folder / "labels.html").read_text().count('class="group"') == len(lines)
    again = labelled.call("label", run, "--export", sheet)
    assert again.returncode == 2
    assert "somebody may have filled it" in again.stderr

    said = {"anna": ["one", "one", "several"], "ben": ["one", "unclear", "several", "one"]}
    for author, verdicts in said.items():
        filled = fill(sheet, labelled.folder / f"{author}.csv", says(author, verdicts))
        succeed(labelled.call("label", run, "--import", filled))
    by_hand = {who: [words[n % len(words)] for n in range(len(lines))] for who, words in said.items()}

    people = past(run).people()
    everybody, anna, ben = people.tally()
    assert (anna.who, ben.who) == ("anna", "ben")
    for tally in (anna, ben):
        ones = by_hand[tally.who].count("one")
        exact = binomtest(ones, len(lines)).proportion_ci(0.9, method="exact")
        # The exact interval by another library: both invert the beta distribution to about 1e-12.
        assert (tally.one.value, tally.one.low, tally.one.high) == pytest.approx(
            (ones / len(lines), exact.low, exact.high), abs=1e-9
        )
    assert everybody.one.value == pytest.approx((anna.one.value + ben.one.value) / 2)
    (pair,) = people.agreement()
    kappa = cohen_kappa_score(by_hand["anna"], by_hand["ben"])
    assert pair.kappa.value == pytest.approx(kappa, abs=1e-12)
    assert pair.kappa.low <= kappa <= pair.kappa.high
    shown = labelled.call("label", run)
    assert f"called {everybody.one.value:.2f} of them monosemantic [" in " ".join(shown.stdout.split())

    assert [json.loads(path.read_text())["version"] for path in kept(labelled, "*/versions/*")] == [1, 2]
    succeed(labelled.call("label", run, "--import", labelled.folder / "ben.csv"))
    assert len(kept(labelled, "*/versions/*")) == 2  # it says nothing new
    changed = fill(sheet, labelled.folder / "changed.csv", says("ben", ["one"]))
    succeed(labelled.call("label", run, "--import", changed))
    assert len(kept(labelled, "*/versions/*")) == 3

    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{labelled.folder / 'mlflow.db'}")
    history = client.get_metric_history(run, "people/clusters/one_meaning/ben")
    values = {point.step: point.value for point in history}
    assert values == pytest.approx({2: ben.one.value, 3: 1.0})
    assert len(history) == 2
    files = {entry.path for entry in client.list_artifacts(run, "people/clusters")}
    assert files == {f"people/clusters/{number:04}.json" for number in (1, 2, 3)}
    table = past(run).table("clusters.people")
    assert table[table["author"] == "ben"]["verdict"].tolist() == ["one"] * len(lines)
    assert set(table["date"]) == {"2026-11-30"}
    said_last = client.get_run(run).data.tags["polylens.people"]
    assert "monosemantic" in said_last
    (page,) = labelled.folder.glob(f"mlartifacts/*/{run}/artifacts/report.html")
    assert said_last in unescape(page.read_text(encoding="utf-8"))
    assert "ben (person)" in page.read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8").count('class="judged-by"') == len(lines)


def test_a_blind_sheet_tells_no_side_and_is_scored_as_by_hand(labelled, run, past):
    sheet = labelled.folder / "blind.csv"
    too_many = labelled.call("label", run, "--export", sheet, "--blind", "--rows", "90")
    assert too_many.returncode == 2
    assert "a blind sheet compares sides" in too_many.stderr
    succeed(labelled.call("label", run, "--export", sheet, "--blind", "--rows", "2", "--most", "6"))
    (key_file,) = kept(labelled, "*/sheets/*")
    items = json.loads(key_file.read_text())["items"]
    sides = [items[line["id"]]["side"] for line in rows_of(sheet)]
    counts = {side: sides.count(side) for side in sides}
    assert set(counts) == {"network", "random_init", "raw_inputs", "random_rows"}
    assert max(counts.values()) == 6

    assert list(rows_of(sheet)[0]) == ["sheet", "id", "label", "verdict", "note", "author", "date"]
    page = (labelled.folder / "blind.html").read_text(encoding="utf-8")
    for text in (sheet.read_text(encoding="utf-8-sig"), page):
        for told in ("random_init", "raw_inputs", "random_rows", "random init", "digits/", "cluster "):
            assert told not in text
    groups = page.split('class="group"')[1:]
    assert {group.count('role="img"') for group in groups} == {2}
    # In a random order the sides change places: if sides were blocks, there were three changes.
    assert sum(one != other for one, other in pairwise(sides)) > 3

    meaning = {"network": "one", "random_init": "several", "raw_inputs": "one", "random_rows": "unclear"}
    knows = fill(
        sheet,
        labelled.folder / "filled.csv",
        lambda _, row: {"author": "anna", "verdict": meaning[items[row["id"]]["side"]]},
    )
    succeed(labelled.call("label", run, "--import", knows))
    shares = {share.side: share for share in past(run).people().blind()}
    for side, word in meaning.items():
        ones = counts[side] * (word == "one")
        exact = binomtest(ones, counts[side]).proportion_ci(0.9, method="exact")
        assert shares[side].groups == counts[side]
        assert (shares[side].one.low, shares[side].one.high) == pytest.approx(
            (exact.low, exact.high), abs=1e-9
        )
    # By hand: 1 - 0, less the distances to the limits that matter, squared and summed (Newcombe, method 10).
    lead, own, other = (
        shares["random_rows"].lead,
        shares["network"].one,
        shares["random_rows"].one,
    )
    assert shares["network"].lead is None
    assert lead.value == 1.0
    assert lead.low == pytest.approx(1 - np.hypot(1 - own.low, other.high))
    assert {each.cluster for each in past(run).people().records} == {
        item["cluster"] for item in items.values() if item["side"] == "network"
    }


def test_a_wrong_sheet_is_refused_line_by_line_and_nothing_is_kept(labelled, run):
    sheet = labelled.folder / "labels.csv"
    succeed(labelled.call("label", run, "--export", sheet))

    def refused(person: Person, *more: str) -> str:
        filled = fill(sheet, labelled.folder / "filled.csv", person)
        done = labelled.call("label", run, "--import", filled, *more)
        assert done.returncode == 2
        assert not kept(labelled, "*/versions/*")
        return done.stderr

    good = says("anna", ["one"])
    assert "nothing is filled" in refused(lambda *_: {})
    changed = refused(lambda n, row: {**good(n, row), **({"id": row["id"][:-1] + "q"} if n == 1 else {})})
    assert "filled.csv:3: the sheet has no line" in changed
    assert "did you mean" in changed
    swapped = refused(lambda n, row: {**good(n, row), **({"cluster": "7"} if n == 0 else {})})
    assert "is cluster 0, and the line says '7'" in swapped
    foreign = refused(lambda n, row: {**good(n, row), **({"sheet": "bdfghjkmnp"} if n == 2 else {})})
    assert "filled.csv:4: of the sheet 'bdfghjkmnp'" in foreign
    assert "has handed out no sheet 'x'" in refused(lambda n, row: {**good(n, row), "sheet": "x"})
    both = refused(lambda n, row: {**good(n, row), "author": "", "verdict": "twofold"})
    assert both.count("who says so?") + both.count("no verdict 'twofold'") >= 4
    others = refused(good, "--of", "few")
    assert f"the sheet is of the run 'small' ({run[:8]}), clusters of 'clusters'" in others
    assert "has other clusters" in others
    assert "'everybody' stands for all authors" in refused(says("everybody", ["one"]))


def test_a_sheet_that_a_spec_names_and_is_not_there_is_told_with_its_line(labelled):
    given = {"kind": "given", "of": "clusters", "file": "nothing.csv"}
    done = labelled.call("plan", labelled.spec("given.yaml", **{**SPEC, "labels": {"anna": given}}))
    assert done.returncode == 1
    assert "there is no sheet 'nothing.csv'" in done.stderr
    line = next(line for line in done.stderr.splitlines() if "given.yaml:" in line)
    number = int(line.rpartition("given.yaml:")[2].partition(":")[0])
    spec = (labelled.folder / "experiments" / "tests" / "given.yaml").read_text().splitlines()
    assert "anna" in spec[number - 1]


def test_what_people_say_while_mlflow_is_away_is_sent_later(labelled, run, monkeypatch):
    from mlflow import MlflowClient

    from polylens.tracking.connection import connect

    sheet = labelled.folder / "labels.json"
    succeed(labelled.call("label", run, "--export", sheet))
    plain = json.loads(sheet.read_text(encoding="utf-8"))
    plain["lines"][0] |= {"verdict": "one", "author": "anna"}
    sheet.write_text(json.dumps(plain, indent=4), encoding="utf-8")

    def refuse(*_: object, **__: object) -> Any:
        raise AwayError("nobody answers")

    monkeypatch.setattr("polylens.tracking.delivery.connect", refuse)
    away = labelled.call("label", run[:8], "--import", sheet)
    assert away.returncode == 4, away.stderr
    assert "a later run sends it" in away.stderr
    assert labelled.call("label", "another", "--import", sheet).returncode != 0
    client = MlflowClient(f"sqlite:///{labelled.folder / 'mlflow.db'}")
    assert "people/clusters/one_meaning" not in client.get_run(run).data.metrics
    n_runs = len(client.search_runs([client.get_run(run).info.experiment_id]))

    monkeypatch.setattr("polylens.tracking.delivery.connect", connect)
    succeed(labelled.call("label", run, "--import", sheet))
    assert client.get_run(run).data.metrics["people/clusters/one_meaning"] == 1.0
    assert client.get_run(run).info.status == "FINISHED"
    assert len(client.search_runs([client.get_run(run).info.experiment_id])) == n_runs
