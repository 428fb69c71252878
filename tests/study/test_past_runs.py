"""Past runs read back by id, name and spec, and the same questions to the run at hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.projects import Project

import polylens
from polylens.errors import StoreError, UsageError
from polylens.settings import load_settings
from polylens.study.meant import past_runs
from polylens.study.past import PastRun
from polylens.study.study_results import ChildResult, StudyResult

pytestmark = pytest.mark.slow


@pytest.fixture
def ran(two_layers: tuple[Project, StudyResult]) -> Iterator[ChildResult]:
    """The run at hand, in its project."""
    project, result = two_layers
    with chdir(project.folder):
        yield result.children[1]


@pytest.fixture
def past(ran: ChildResult) -> PastRun:
    """The same run, read back."""
    return polylens.open_run(str(ran.run_id))


def line_of(past: PastRun, name: str) -> dict[str, Any]:
    """The network's line of one number."""
    numbers = past.numbers()
    (line,) = numbers[(numbers["name"] == name) & (numbers["variant"] == "network")].to_dict("records")
    return {str(key): value for key, value in line.items()}


def test_a_run_is_opened_by_its_id_the_start_of_it_and_its_name(ran: ChildResult) -> None:
    for asked in (str(ran.run_id), str(ran.run_id)[:8], ran.name):
        past = polylens.open_run(asked)
        assert (past.run_id, past.layer, past.note) == (ran.run_id, "hidden.2", "")
    assert repr(past).startswith(f"PastRun({str(ran.run_id)[:8]} 'small layer=hidden.2' (finished, ")


def test_a_spec_stands_for_all_its_runs_and_one_must_be_named(
    two_layers: tuple[Project, StudyResult],
) -> None:
    project, result = two_layers
    spec = project.folder / "experiments" / "tests" / "small.yaml"
    runs = past_runs(load_settings(spec))
    ids = [child.run_id for child in result.children]
    assert [run.run_id for run in runs.meant(str(spec))] == ids
    assert [run.run_id for run in runs.meant("small")] == ids  # the parent stands for its children
    with pytest.raises(UsageError, match="stands for 2 runs") as error:
        polylens.open_run(spec)
    assert "small layer=hidden.1" in str(error.value.hint)


def test_a_spec_that_was_changed_has_no_run_and_it_is_said_that_older_ones_have_its_name(
    two_layers: tuple[Project, StudyResult], tmp_path: Path
) -> None:
    project, _ = two_layers
    changed = tmp_path / "small.yaml"
    changed.write_text(
        (project.folder / "experiments/tests/small.yaml").read_text().replace("seed: 0", "seed: 7")
    )
    with pytest.raises(
        UsageError, match=r"as it is now has no finished run of small layer=hidden\.1"
    ) as error:
        past_runs(load_settings(project.folder)).meant(str(changed))
    assert "of an earlier spec" in str(error.value.hint)


def test_a_past_run_has_the_numbers_of_the_run_at_hand(ran: ChildResult, past: PastRun) -> None:
    now, then = ran.numbers(), past.numbers()
    keys = ["name", "variant"]
    counts = then["name"].isin(["examples", "rows"])
    assert now.set_index(keys).sort_index().equals(then[~counts].set_index(keys).sort_index())
    purity = line_of(past, "quality/purity")
    assert purity["value"] == ran.numbers_by_name()["quality/purity"].value
    assert (purity["range_is"], purity["headline"]) == ("stability", True)
    assert ("quality/purity_lead", "random_init") in then.set_index(keys).index


def test_a_past_run_has_the_tables_and_figures_of_the_run_at_hand(ran: ChildResult, past: PastRun) -> None:
    assert sorted(ran.table_names()) == sorted(past.table_names())
    for name in ("clusters.clusters", "random_init.2/clusters.clusters", "numbers"):
        assert len(past.table(name)) >= len(ran.table(name)) > 0
    assert sorted(ran.figure_names()) == sorted(past.figure_names())
    now, then = ran.figure("quality-scores"), past.figure("quality-scores")
    assert (then.png, then.title, then.caption) == (now.png, now.title, now.caption)
    assert then._repr_png_().startswith(b"\x89PNG")


def test_a_figure_is_drawn_anew_as_a_vector_figure(ran: ChildResult, past: PastRun, tmp_path: Path) -> None:
    figures = {name: past.redraw(name) for name in ("quality-scores", "training")}
    for name, figure in figures.items():
        file = tmp_path / f"{name}.svg"
        figure.savefig(file)
        assert "<svg" in file.read_text()
    assert ran.redraw("quality-scores").get_size_inches().tolist() == (
        figures["quality-scores"].get_size_inches().tolist()
    )
    with pytest.raises(UsageError, match="cannot be drawn anew"):
        past.redraw("clusters-gallery")


def test_rows_clusters_and_labels_come_from_the_store(ran: ChildResult, past: PastRun) -> None:
    for run in (ran, past):
        partition = polylens.load_partition(run)
        assert len(polylens.load_rows(run)) == len(partition.labels)
        assert len(polylens.load_labels(run, "digits").clusters) == partition.n_clusters
    drawn = [polylens.load_rows(past, variant="random_init", draw=draw).activations for draw in (1, 2)]
    assert drawn[0] is not None
    assert drawn[1] is not None
    assert not np.array_equal(drawn[0], drawn[1])


def test_a_wrong_name_is_told_the_nearest_one(past: PastRun) -> None:
    for wrong, nearest in (
        (lambda: past.table("quality.clustres"), "quality.clusters"),
        (lambda: past.figure("quality-score"), "quality-scores"),
        (lambda: past.paper_table(["quality/puriti"]), "quality/purity"),
        (lambda: polylens.load_partition(past, "clutsers"), "clusters"),
        (lambda: polylens.load_rows(past, variant="random_inti"), "random_init"),
    ):
        with pytest.raises(UsageError) as error:
            wrong()
        assert f"did you mean '{nearest}'?" in str(error.value)
    with pytest.raises(UsageError, match="has 2 of 'random_init', and no draw 3"):
        polylens.load_rows(past, variant="random_init", draw=3)
    with pytest.raises(UsageError, match="gives no clusters"):
        polylens.load_partition(past, "quality")


def test_without_the_store_numbers_are_there_and_rows_are_refused_with_what_to_do(
    past: PastRun, tmp_path: Path
) -> None:
    elsewhere = PastRun(past.logged, past.files, replace(past.settings, store=tmp_path))
    assert len(elsewhere.numbers())
    with pytest.raises(StoreError, match="no longer has 'clusters'") as error:
        polylens.load_partition(elsewhere)
    assert "polylens run" in str(error.value.hint)
    assert "POLYLENS_STORE" in str(error.value.hint)


def test_numbers_are_written_for_a_paper(past: PastRun) -> None:
    table = past.paper_table()
    assert list(table.columns) == ["network", "random_init", "raw_inputs", "chance"]
    number = line_of(past, "quality/purity")
    assert table.loc["quality/purity", "network"] == (
        f"{number['value']:.2f} [{number['low']:.2f}, {number['high']:.2f}]"
    )
    latex = past.latex(["quality/right_fraction"])
    assert r"\toprule" in latex
    assert "quality/right fraction &" in latex
    assert r"80 \% of the examples" in latex
    assert "least and greatest of 2 draws" in latex


def test_a_run_of_something_else_is_named_as_what_it_is_not(
    two_layers: tuple[Project, StudyResult],
) -> None:
    from mlflow import MlflowClient

    project, _ = two_layers
    client = MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")
    other = client.create_run("0", run_name="by hand")
    try:
        past = past_runs(load_settings(project.folder)).one("by hand")
        with pytest.raises(UsageError, match="is not one of a spec"):
            _ = past.spec
        with pytest.raises(UsageError, match="has no table of numbers") as error:
            past.numbers_by_name()
        assert "it is running" in str(error.value.hint)
    finally:
        client.delete_run(other.info.run_id)


def test_a_study_answers_for_all_its_children(two_layers: tuple[Project, StudyResult]) -> None:
    _, result = two_layers
    assert set(result.numbers()["run"]) == {"small layer=hidden.1", "small layer=hidden.2"}
    assert len(result.table("clusters.clusters", child="small layer=hidden.1"))
    with pytest.raises(UsageError, match="say which child"):
        result.figure("quality-scores")
