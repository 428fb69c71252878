"""What answers a spec's question, wherever an answer is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pictures import undrawn
from tests.projects import Project

import polylens
from polylens.analyses.cluster_quality import ClusterQuality
from polylens.analyses.hdbscan import Hdbscan
from polylens.labels.class_enrichment import ClassEnrichment
from polylens.scores.detection import Detection
from polylens.scores.intruder import Intruder
from polylens.study.answering import Question
from polylens.study.result_tables import child_html
from polylens.tracking import ANSWER_TAG

CLUSTERS = {"clusters": Hdbscan(on="activation")}
QUALITY = {"quality": ClusterQuality(of="clusters")}
DIGITS = {"digits": ClassEnrichment(of="clusters")}


def test_scores_answer_as_analyses_do_and_their_labels_name_the_numbers() -> None:
    question = Question(CLUSTERS, DIGITS, {"detect": Detection(of="clusters")})
    assert question.names() == ("detect/detection.digits",)
    beside = Question(CLUSTERS, DIGITS, {"detect": Detection(of="clusters", beside="directions")})
    assert beside.names() == ("detect/detection.digits", "detect/least_lead.digits")
    both = Question(CLUSTERS | QUALITY, DIGITS, {"detect": Detection(of="clusters")})
    assert both.names()[0] == "quality/purity"
    assert both.names()[-1] == "detect/detection.digits"


def test_where_nothing_answers_labels_do_and_the_networks_accuracy_only_alone() -> None:
    assert Question(CLUSTERS, DIGITS).names() == ("digits/named_coverage", "digits/held_out_share")
    assert Question(CLUSTERS).names() == ("clusters/clusters", "clusters/coverage")
    assert Question({}).names()[0] == "model/accuracy"


def test_what_the_rule_is_about_comes_first_and_answers_whatever_its_kind_says() -> None:
    rule = ("digits/held_out_share <= 0.5", "model/accuracy <= 0.5 and digits/held_out_share >= 0.9")
    question = Question(CLUSTERS | QUALITY, DIGITS, refuted_if=rule)
    assert question.asked() == ("digits/held_out_share", "model/accuracy")
    assert question.names()[:2] == ("digits/held_out_share", "model/accuracy")
    assert "quality/purity" in question.names()


@pytest.mark.parametrize(
    ("term", "number"),
    [
        ("quality/purity.random_init", "quality/purity"),
        ("quality/purity.chance", "quality/purity"),
        ("quality/purity_lead.raw_inputs", "quality/purity"),
        ("quality/purity_lead.random_init.chance", "quality/purity"),
        ("detect/least_lead.digits.random_init", "detect/least_lead.digits"),
        ("odd/least_lead.random_init", "odd/least_lead"),
        ("model/accuracy.random_init", "model/accuracy"),
    ],
)
def test_a_control_a_lead_and_a_chance_level_ask_of_the_networks_number(term: str, number: str) -> None:
    scores = {
        "detect": Detection(of="clusters", beside="directions"),
        "odd": Intruder(of="clusters", beside="directions"),
    }
    question = Question(CLUSTERS | QUALITY, DIGITS, scores, (f"{term} <= 0",), ("random_init", "seed"))
    assert question.asked() == (number,)


def test_shipped_specs_ask_of_numbers_that_they_name() -> None:
    """By its name alone, such as that of a control, no spec asks of a number that its kinds do not give."""
    for file in sorted(Path("experiments").rglob("*.yaml")):
        study = polylens.load_spec(str(file))
        question = Question.of(study.children[0].experiment)
        assert set(question.asked()) <= set(question.names())
        for name in question.asked():
            assert not name.endswith((".chance", *(f".{control}" for control in question.controls))), file


@pytest.mark.slow
def test_the_answer_of_a_spec_about_labels_is_their_score_on_every_page(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder)
    spec = project.spec(
        code=None,
        controls=None,
        refuted_if=None,
        model={"kind": "mlp", "inputs": 64, "hidden": [16], "classes": 10},
        layer="hidden.1",
        analyses={
            "clusters": {"kind": "kmeans", "on": "activation", "clusters": 6, "restarts": 1, "subsamples": 0}
        },
        labels={"digits": {"kind": "class_enrichment", "of": "clusters"}},
        scores={"detect": {"kind": "detection", "of": "clusters"}},
    )
    with undrawn():
        run = polylens.run(spec, limit=200).children[0]
    past = polylens.open_run(run.run_id)
    assert run.report is not None
    page = run.report.read_text(encoding="utf-8")
    said = page[page.index('<div class="answer">') : page.index("In sentences")]
    assert "Detection (digits) 0." in said
    assert "accuracy" not in said
    assert past.logged.tags[ANSWER_TAG].startswith("Detection (digits) 0.")
    assert past.logged.tags["mlflow.note.content"].startswith("Detection (digits) 0.")
    assert child_html(run).index("detection.digits") > 0
    assert "detect/detection.digits" in past.headlines()
    metrics = [name for name in run.numbers_by_name() if name == "detect/detection.digits"]
    assert metrics == ["detect/detection.digits"]
