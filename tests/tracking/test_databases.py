"""SQLite files that MLflow has made, half made, or never saw: made anew, refused with what to do, or used."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.mlflow_database import NAME, put_database
from tests.tracking.unfinished import add_a_run, revision_of, unfinished_databases

from polylens.errors import TrackingError
from polylens.settings import Settings
from polylens.tracking import Tracker, databases
from polylens.tracking.revisions import is_current, is_older


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Databases as a kill left them, from the first table to the last step."""
    return unfinished_databases(tmp_path_factory.mktemp("unfinished"))


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_STILL_SECONDS", 0.0)


@pytest.fixture
def bare(tmp_path: Path, settings_for: Callable[..., Settings]) -> Settings:
    """Settings of a project without a database."""
    return settings_for(tmp_path, tracking_uri=f"sqlite:///{tmp_path}/{NAME}")


def put(copy: Path, folder: Path) -> Path:
    """The copy as a project's database, with its journal."""
    shutil.copy(copy, folder / NAME)
    journal = copy.with_name(f"{copy.name}-journal")
    if journal.exists():
        shutil.copy(journal, folder / f"{NAME}-journal")
    return folder / NAME


def older_with_a_run(unfinished: list[Path], folder: Path) -> Path:
    """A database of the last of MLflow's revisions before the newest, with a run in it."""
    whole = [copy for copy in unfinished if is_older(revision_of(copy) or "")]
    file = put(whole[-1], folder)
    with closing(sqlite3.connect(file)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]
    assert not any(name.startswith("_alembic_tmp_") for name in names)
    add_a_run(file)
    return file


def names_of_runs(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM runs")]


def test_every_database_that_was_left_half_made_is_put_aside_and_made_anew(
    tmp_path: Path, unfinished: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Making takes seconds; that it works is the next test's business.
    monkeypatch.setattr(databases, "_make", lambda file: put_database(file.parent))
    half = [copy for copy in unfinished if not is_current(revision_of(copy))]
    assert len(half) > 15
    assert {revision_of(copy) is None for copy in half} == {True, False}
    for index, copy in enumerate(half):
        folder = tmp_path / str(index)
        folder.mkdir()
        file = put(copy, folder)
        aside = databases.make_ready(file)
        assert aside is not None, copy
        assert aside.exists()
        assert is_current(revision_of(file))
        assert not file.with_name(f"{NAME}-journal").exists()


def test_a_run_is_logged_where_a_database_was_half_made(
    bare: Settings, said: Any, unfinished: list[Path], mlflow_client: Any
) -> None:
    put(unfinished[len(unfinished) // 2], bare.project)
    tracker = Tracker(bare, progress=said)
    tracker.prepare("digits")
    run = tracker.open_run(experiment="digits", name="run", digest="1" * 32)
    run.finish()
    assert run.is_in_mlflow
    assert len(said.notes) == 1
    assert "was never finished and held no runs: made anew, the old one is" in said.notes[0]
    assert mlflow_client(bare).get_run(run.run_id).info.status == "FINISHED"
    assert [path.name for path in bare.project.glob(f".{NAME}*")] == []


def test_an_older_database_with_runs_is_left_alone_and_the_advice_mends_it(
    bare: Settings, said: Any, unfinished: list[Path]
) -> None:
    from click.testing import CliRunner
    from mlflow.db import commands

    file = older_with_a_run(unfinished, bare.project)
    before = file.read_bytes()
    with pytest.raises(TrackingError, match="made by an older MLflow") as caught:
        Tracker(bare, progress=said).prepare("digits")
    assert file.read_bytes() == before
    assert caught.value.hint is not None
    assert f"cp {file} {file}.backup" in caught.value.hint
    words = shlex.split(caught.value.hint.partition("upgrade the database: ")[2])
    assert words[1:4] == ["-m", "mlflow", "db"]
    done = CliRunner().invoke(commands, words[4:])
    assert done.exit_code == 0, done.output
    Tracker(bare, progress=said).prepare("digits")
    assert names_of_runs(file) == ["kept"]


@pytest.mark.parametrize("revision", ["ffffffffffff", "v9"])
def test_a_newer_database_asks_for_a_newer_mlflow(bare: Settings, revision: str) -> None:
    put_database(bare.project)
    file = bare.project / NAME
    add_a_run(file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
        connection.commit()
    before = file.read_bytes()
    with pytest.raises(TrackingError, match="made by a newer MLflow") as caught:
        Tracker(bare).prepare("digits")
    assert "pip install --upgrade mlflow" in str(caught.value)
    assert "db upgrade" not in str(caught.value)
    assert file.read_bytes() == before


def test_a_newer_database_without_runs_is_left_alone_too(bare: Settings) -> None:
    put_database(bare.project)
    with closing(sqlite3.connect(bare.project / NAME)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        connection.commit()
    with pytest.raises(TrackingError, match="made by a newer MLflow"):
        Tracker(bare).prepare("digits")


def test_an_upgrade_that_was_cut_short_asks_for_the_copy(bare: Settings, unfinished: list[Path]) -> None:
    file = older_with_a_run(unfinished, bare.project)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE _alembic_tmp_runs AS SELECT * FROM runs")
    with pytest.raises(TrackingError, match="cut short") as caught:
        Tracker(bare).prepare("digits")
    assert "put back the copy" in str(caught.value)
    assert names_of_runs(file) == ["kept"]


def test_a_database_of_another_program_is_left_alone(bare: Settings) -> None:
    with closing(sqlite3.connect(bare.project / NAME)) as connection:
        connection.execute("CREATE TABLE studies (name TEXT)")
        connection.execute("INSERT INTO studies VALUES ('mine')")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('v3.2.0.a')")
        connection.commit()
    with pytest.raises(TrackingError, match="another program's"):
        Tracker(bare).prepare("digits")


def test_a_file_that_is_no_database_is_left_alone(bare: Settings) -> None:
    (bare.project / NAME).write_text("notes of mine " * 1000)
    with pytest.raises(TrackingError, match="not a database"):
        Tracker(bare).prepare("digits")
    assert (bare.project / NAME).read_text() == "notes of mine " * 1000


def test_a_journal_without_its_database_is_not_played_into_a_new_one(
    bare: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "_make", lambda file: put_database(file.parent))
    file = bare.project / NAME
    file.touch()
    file.with_name(f"{NAME}-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(504))
    aside = databases.make_ready(file)
    assert aside is None
    assert is_current(revision_of(file))
    assert not file.with_name(f"{NAME}-journal").exists()


def test_a_link_to_a_database_elsewhere_stays_a_link(
    bare: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "runs.db"
    (bare.project / NAME).symlink_to(elsewhere)
    Tracker(bare).prepare("digits")
    assert (bare.project / NAME).is_symlink()
    assert is_current(revision_of(elsewhere))


def test_a_locked_database_is_away_and_the_run_is_kept(
    settings: Settings, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "_PATIENCE_SECONDS", 0.1)
    with closing(sqlite3.connect(settings.project / NAME)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        tracker = Tracker(settings, progress=said)
        tracker.prepare("digits")
        run = tracker.open_run(experiment="digits", name="run", digest="1" * 32)
        run.finish()
        assert not run.is_in_mlflow
    assert "is locked by another program" in said.notes[0]
    later = Tracker(settings)
    assert later.send_kept() == 1
    assert later.open_run(experiment="digits", name="run", digest="1" * 32).is_in_mlflow


@contextmanager
def unprivileged() -> Iterator[None]:
    """Does the block as somebody to whom the file system refuses what it refuses everybody but root."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_database_or_folder_that_cannot_be_written_is_refused(settings: Settings) -> None:
    file = settings.project / NAME
    (settings.project / f"{NAME}.lock").touch()
    (settings.project / f"{NAME}.lock").chmod(0o666)
    for folder in (settings.project, *settings.project.parents):
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)
    file.chmod(0o444)
    with unprivileged(), pytest.raises(TrackingError, match="cannot write the database"):
        Tracker(settings).prepare("digits")
    file.unlink()
    settings.project.chmod(0o555)
    with unprivileged(), pytest.raises(TrackingError, match="cannot write the database"):
        Tracker(settings).prepare("digits")
    settings.project.chmod(0o755)


@pytest.mark.parametrize("name", [NAME, "runs [1].db"])
def test_what_a_making_left_that_was_killed_behind_its_last_step_goes_with_the_next_command(
    tmp_path: Path, name: str
) -> None:
    put_database(tmp_path)
    file = (tmp_path / NAME).rename(tmp_path / name)
    left, of_another = (tmp_path / f".{each}.making-x1" for each in (name, "other.db"))
    for folder in (left, of_another):
        folder.mkdir()
        (folder / "whole").write_text("a copy")
    assert databases.make_ready(file) is None
    assert not left.exists()
    assert of_another.exists()
