"""Labels in words, written and scored by a judge, from a spec to MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.judge_server import judge_server
from tests.pictures import undrawn
from tests.projects import Project
from tests.shapes import unchecked

import polylens
from polylens.errors import StageError

KEY = "sk-nobody-may-see-this-key"
JUDGE = {"kind": "compatible", "model": "m", "images": True, "tries": 1}
SCORED: dict[str, Any] = {
    "controls": None,
    "code": None,
    "analyses": {
        "clusters": {"kind": "kmeans", "on": "activation", "clusters": 5, "restarts": 1, "subsamples": 2}
    },
    "labels": {
        "digits": {"kind": "class_enrichment", "of": "clusters", "permutations": 100},
        "words": {"kind": "written", "of": "clusters", "judge": JUDGE, "draws": 2},
    },
    "scores": {
        "detect": {"kind": "detection", "of": "clusters", "judge": JUDGE, "members": 4},
        "find": {"kind": "intruder", "of": "clusters", "judge": JUDGE, "groups": 2},
        "tell": {"kind": "match", "of": "clusters", "labels": ["digits"]},
    },
}


def without(key: str, folder: Path) -> list[Path]:
    """Files that hold the key."""
    return [path for path in folder.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]


@pytest.mark.slow
def test_labels_in_words_are_written_scored_and_logged(project: Project, monkeypatch, capfd):
    with judge_server(malformed=0.2, refused=0.05, key=KEY) as server, unchecked(), undrawn():
        monkeypatch.setenv("POLYLENS_JUDGE_ADDRESS", server.address)
        monkeypatch.setenv("POLYLENS_JUDGE_KEY", KEY)
        monkeypatch.chdir(project.folder)
        result = polylens.run(project.spec(**SCORED))
        assert result.children[0].error is None, result.children[0].error
        asked = server.requests
        assert asked == len({*map(str, server.bodies)})
        again = {**SCORED, "about": "The same."}
        again["labels"] = {**SCORED["labels"], "words": {**SCORED["labels"]["words"], "holdout": 0.5}}
        again["scores"] = {
            "detect": {**SCORED["scores"]["detect"], "judge": {**JUDGE, "price_in": 1.0, "price_out": 1.0}}
        }
        polylens.run(project.spec("again.yaml", **again))
        assert server.requests == asked  # a price changes no answer
    run = result.children[0]
    numbers = run.numbers_by_name()
    for name in (
        "detect/detection.words",
        "detect/detection.digits",
        "find/intruder",
        "words/labelled_fraction",
    ):
        assert 0 <= numbers[name].value <= 1
        assert 0 <= numbers[f"{name}.raw_inputs"].value <= 1
    assert numbers["detect/detection.digits"].value > 0.6
    assert 0.5 <= numbers["detect/detection.words"].chance < 0.7
    assert numbers["words/malformed"].value + numbers["detect/malformed"].value > 0
    table = run.table("clusters.all_labels")
    assert list(table) == [
        *("cluster", "size", "digits", "digits: detect", "digits: tell"),
        *("words", "words: meanings", "words: detect"),
    ]
    assert set(table["words"]) <= {"a label", ""}
    (prompt,) = run.table("words.prompts")["text"]
    assert prompt in server.bodies[0]["messages"][0]["content"]
    assert set(run.table("detect.items")["outcome"]) >= {"by rule", "answered", "malformed"}
    page = run.report.read_text(encoding="utf-8")
    assert "Labels in words by a judge" in page
    assert "Labels side by side" in page
    printed = capfd.readouterr()
    assert not without(KEY, project.folder)
    assert KEY not in printed.out + printed.err


@pytest.mark.slow
def test_a_judge_that_refuses_the_key_fails_the_run_and_does_not_tell_it(project: Project, monkeypatch):
    spec = {**SCORED, "scores": None, "labels": {"words": SCORED["labels"]["words"]}}
    with judge_server(key="another-key-than-ours") as server, unchecked(), undrawn():
        monkeypatch.setenv("POLYLENS_JUDGE_ADDRESS", server.address)
        monkeypatch.setenv("POLYLENS_JUDGE_KEY", KEY)
        monkeypatch.chdir(project.folder)
        with pytest.raises(StageError, match="refuses the key") as caught:
            polylens.run(project.spec(**spec))
    assert KEY not in str(caught.value)
    assert not without(KEY, project.folder)


def test_mistakes_of_scores_are_told_with_their_place(project: Project):
    wrong = {
        "elsewhere": {"kind": "detection", "of": "quality"},
        "nobody": {"kind": "match", "of": "clusters", "labels": ["digitz"]},
        "secret": {
            "kind": "detection",
            "of": "clusters",
            "judge": {"kind": "compatible", "model": "m", "address": "http://evil"},
        },
    }
    done = project.call("validate", project.spec(scores=wrong))
    assert done.returncode == 2
    said = done.stdout + done.stderr
    assert "'quality' (cluster_quality) gives no clusters to stand on" in said
    assert "'digitz' labels no clusters of 'clusters'" in said
    assert "did you mean 'digits'" in said
    assert "unknown key 'address'" in said
