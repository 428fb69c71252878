"""Where numbers come from: commits in real repositories, versions, tags."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from polylens.tracking import collect_provenance, provenance
from polylens.tracking.git import commit_of
from polylens.tracking.provenance import tags_of


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=anna", "-c", "user.email=anna@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A spec in a repository with one commit."""
    git(tmp_path, "init", "-q")
    path = tmp_path / "experiments" / "a.yaml"
    path.parent.mkdir()
    path.write_text("seed: 0\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return path


def test_a_clean_repository_gives_its_commit(spec: Path) -> None:
    found = commit_of(spec)
    assert found.commit == git(spec.parent, "rev-parse", "HEAD")
    assert (found.is_dirty, found.is_tracked, found.reason) == (False, True, "")


def test_a_changed_file_makes_it_dirty(spec: Path) -> None:
    spec.write_text("seed: 1\n")
    assert commit_of(spec).is_dirty is True


def test_results_beside_the_spec_do_not_make_it_dirty(spec: Path) -> None:
    (spec.parents[1] / "mlflow.db").write_text("")
    assert commit_of(spec).is_dirty is False


def test_a_spec_that_was_never_committed_is_dirty(spec: Path) -> None:
    new = spec.with_name("new.yaml")
    new.write_text("seed: 0\n")
    found = commit_of(new)
    assert (found.is_dirty, found.is_tracked) == (True, False)


def test_no_repository_is_no_error(tmp_path: Path) -> None:
    found = commit_of(tmp_path / "a.yaml")
    assert found.commit is None
    assert "not a git repository" in found.reason


def test_a_repository_without_a_commit_is_no_error(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert commit_of(tmp_path / "a.yaml").reason == "the repository has no commit yet"


def test_no_git_is_no_error(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    found = commit_of(spec)
    assert (found.commit, found.is_dirty, found.reason) == (None, None, "git is not installed")


def test_a_folder_that_is_gone_is_no_error(tmp_path: Path) -> None:
    assert commit_of(tmp_path / "gone" / "a.yaml").commit is None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_repository_of_someone_else_gives_its_commit_and_runs_nothing_of_it(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = git(spec.parent, "rev-parse", "HEAD")
    git(spec.parent, "config", "core.fsmonitor", f"touch {tmp_path}/was-run; false")
    for path in [tmp_path, *tmp_path.rglob("*")]:
        os.chown(path, 12345, 12345)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    found = commit_of(spec)
    assert found.commit == commit
    assert found.is_dirty is None
    assert "belongs to someone else" in found.reason
    assert not (tmp_path / "was-run").exists()


def test_provenance_names_versions_seed_and_command(spec: Path) -> None:
    found = collect_provenance(spec_file=spec, seed=7, command=["polylens", "run", "a b.yaml"], device="cpu")
    plain = found.to_plain()
    assert plain["seed"] == 7
    assert plain["command"] == "polylens run 'a b.yaml'"
    assert plain["versions"]["polylens"]
    assert {"torch", "mlflow", "pytorch-lightning"} <= set(plain["versions"])
    assert plain["spec_commit"]["is_tracked"]
    assert plain["started"].endswith("+00:00")


def test_an_installed_package_is_not_taken_for_the_repository_it_lies_in(
    spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in a virtual environment inside a project: the repository does not track the package's files.
    installed = spec.parents[1] / ".venv" / "polylens" / "__init__.py"
    installed.parent.mkdir(parents=True)
    installed.write_text("")
    monkeypatch.setattr(provenance, "__file__", str(installed))
    found = collect_provenance(spec_file=spec, seed=0)
    assert found.framework_commit.commit is None
    assert found.framework_commit.reason == "an installed package"


def test_packages_whose_kinds_are_used_are_named_with_their_versions(spec: Path) -> None:
    plain = collect_provenance(spec_file=spec, seed=0, packages={"my-lab": "1.0"}).to_plain()
    assert plain["packages"] == {"my-lab": "1.0"}
    assert tags_of(plain)["version.my-lab"] == "1.0"


def test_tags_leave_out_what_is_unknown() -> None:
    tags = tags_of(
        {"spec_commit": {"commit": None, "is_dirty": None}, "user": "anna", "versions": {"torch": "2"}}
    )
    assert tags == {"mlflow.source.type": "LOCAL", "mlflow.user": "anna", "version.torch": "2"}
