"""What is right by itself and wrong together."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylens.errors import Problem, SpecError
from polylens.reading import read
from polylens.spec import loads


def problems(text: str) -> list[Problem]:
    plain = read(text, file="spec.yaml").value
    assert isinstance(plain, dict)
    with pytest.raises(SpecError) as caught:
        loads(plain)
    return list(caught.value.problems)


@pytest.fixture
def base(folder: Path, spec_text: str) -> str:
    return spec_text


def test_of_must_name_an_analysis(base: str) -> None:
    (problem,) = problems(base.replace("of: clusters}\nlabels", "of: cluster}\nlabels"))
    assert (problem.message, problem.suggestion) == ("no analysis is called 'cluster'", "clusters")
    assert problem.path == "analyses.quality.of"


def test_each_name_of_a_list_is_checked(base: str) -> None:
    text = base.replace("labels:", "  both: {kind: partition_agreement, of: [clusters, quality]}\nlabels:")
    (problem,) = problems(text)
    assert problem.message == "'quality' (cluster_quality) gives no clusters to stand on"
    assert problem.path == "analyses.both.of.1"
    assert problem.notes == ("these do: clusters",)


def test_labels_stand_on_analyses_that_give_clusters(base: str) -> None:
    (problem,) = problems(base.replace("class_enrichment, of: clusters", "class_enrichment, of: quality"))
    assert problem.path == "labels.digits.of"


def test_a_circle_is_shown_whole_and_once(base: str) -> None:
    text = base.replace(
        "  quality: {kind: cluster_quality, of: clusters}",
        "\n".join(f"  {name}: {{kind: cluster_quality, of: {of}}}" for name, of in ("ab", "bc", "ca")),
    )
    circles = [problem for problem in problems(text) if "circle" in problem.message]
    assert [problem.notes for problem in circles] == [("a -> b -> c -> a",)]


def test_an_analysis_of_codes_needs_a_code(base: str) -> None:
    code = "code: {kind: sign, units: own, positions: same}\n"
    (problem,) = problems(base.replace(code, "").replace("on: activation", "on: code"))
    assert problem.message == "analyses.clusters (hdbscan) reads codes, but the spec has no 'code'"


def test_retraining_controls_need_a_network_that_is_trained_here(base: str) -> None:
    model = "model: {kind: mlp, inputs: 64, hidden: [8, 8, 8], classes: 10}"
    text = base.replace("model: digits-mlp", model).replace(
        "[random_init]", "[random_init, random_labels, second_seed]"
    )
    found = problems(text)
    assert [problem.path for problem in found] == ["controls.random_labels", "controls.second_seed"]


def test_the_layer_a_code_reaches_to_must_exist(base: str) -> None:
    (problem,) = problems(base.replace("units: own", "units: downstream, through: hidden.9"))
    assert (problem.message, problem.suggestion, problem.path) == (
        "the model has no layer 'hidden.9'",
        "hidden.3",
        "code.through",
    )


def test_the_layers_an_analysis_names_must_exist(base: str) -> None:
    agreement = "  agreement: {kind: code_agreement, layers: [hidden.1, hiden.3]}\n"
    size = "  size: {kind: polytope_size, through: hidden.4}\n"
    first, second = problems(base.replace("analyses:\n", f"analyses:\n{agreement}{size}"))
    assert (first.message, first.suggestion, first.path) == (
        "the model has no layer 'hiden.3'",
        "hidden.3",
        "analyses.agreement.layers.1",
    )
    assert (second.suggestion, second.path) == ("hidden.3", "analyses.size.through")


def test_a_checkpoint_is_of_a_longer_training(base: str) -> None:
    (problem,) = problems(base.replace("[random_init]", "{late: {kind: checkpoint, epochs: 60}}"))
    assert problem.path == "controls.late"
    assert "trained for 60" in problem.message


@pytest.mark.parametrize(
    "name", ["Clusters", "my clusters", "a.b", "a/b", "é", "-x", "network", "raw_inputs", "time"]
)
def test_names_that_cannot_become_metrics_are_refused(base: str, name: str) -> None:
    text = base.replace("  quality:", f"  {name!r}:")
    (problem,) = problems(text)
    assert f"'{name}' can" in problem.message
    assert problem.path == f"analyses.{name}"


def test_a_label_cannot_take_the_name_of_an_analysis(base: str) -> None:
    (problem,) = problems(base.replace("  digits: {", "  quality: {"))
    assert problem.message == "the name 'quality' cannot be used in labels"


def test_one_control_twice_needs_names(base: str) -> None:
    (problem,) = problems(base.replace("[random_init]", "[random_init, {use: random_init, draws: 9}]"))
    assert problem.message == "two controls are called 'random_init'"


def test_classes_and_tokens_are_asked_of_datasets_that_have_them(base: str) -> None:
    texts = base.replace("dataset: digits", "dataset: {kind: text_files, root: notes}")
    found = {problem.path: problem.message for problem in problems(texts)}
    assert found == {
        "analyses.quality": "analyses.quality (cluster_quality) asks for classes, and text_files has none",
        "labels.digits": "labels.digits (class_enrichment) asks for classes, and text_files has none",
    }
    (problem,) = problems(base.replace("kind: class_enrichment", "kind: token_enrichment"))
    assert problem.message == "labels.digits (token_enrichment) asks for tokens, and digits has none"
    assert problem.notes == ("take a dataset whose rows have tokens, or leave digits out",)


@pytest.mark.parametrize(
    ("label", "score", "said"),
    [
        ("", "{kind: intruder, of: clusters}", "scores.asked (intruder) asks a judge, and none is given"),
        (
            "  people: {kind: given, of: clusters, file: people.csv}\n",
            "{kind: detection, of: clusters}",
            "the label 'people' (given) is a text, and only a judge can say which rows it fits",
        ),
        (
            "  people: {kind: given, of: clusters, file: people.csv}\n",
            "{kind: match, of: clusters, labels: [people]}",
            "the label 'people' (given) is a text, and only a judge can say which rows it fits",
        ),
    ],
)
def test_a_score_that_asks_a_judge_needs_one(label: str, score: str, said: str, base: str) -> None:
    text = base.replace("labels:\n", f"labels:\n{label}") + f"scores:\n  asked: {score}\n"
    (problem,) = problems(text)
    assert problem.message == said
    assert problem.path == "scores.asked"
    assert problem.notes == ("for example judge: {kind: compatible, model: NAME}",)


@pytest.mark.parametrize("labels", ["", ", labels: [digits]"])
def test_labels_of_rules_answer_by_themselves(labels: str, base: str) -> None:
    for kind in ("detection", "match"):
        plain = read(f"{base}scores:\n  held: {{kind: {kind}, of: clusters{labels}}}\n", file="s.yaml").value
        assert isinstance(plain, dict)
        loads(plain)
