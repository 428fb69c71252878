"""Clusters of tokens by tags: a language model trained here, from the spec to the numbers."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.mlflow_database import put_database
from tests.pictures import undrawn
from tests.projects import Project
from tests.shapes import unchecked

WORDS = {
    "nn": ("cat", "dog", "mat", "rug"),
    "vb": ("sat", "saw", "ran", "led"),
    "at": ("the", "a"),
    ".": (".", ","),
}
SPEC: dict[str, Any] = {
    "model": {
        "kind": "gpt",
        "width": 16,
        "depth": 1,
        "heads": 2,
        "context": 24,
        "training": {"epochs": 2, "batch_size": 8, "threads": 1, "warmup": 2},
    },
    "layer": "mlp_post.0",
    "dataset": {
        "kind": "tagged_text",
        "root": "texts",
        "pattern": "*/*.txt",
        "classes": "folders",
        "train_fraction": 0.5,
        "coarse": {"WORD": ["nn", "vb", "at"], "POINT": ["."]},
    },
    "sampling": {"kind": "random_positions", "count": 12},
    "code": None,
    "controls": [{"use": "random_init", "draws": 1}],
    "analyses": {
        "clusters": {"kind": "kmeans", "on": "activation", "clusters": 10, "restarts": 1, "subsamples": 2},
        "genre": {"kind": "cluster_quality", "of": "clusters"},
        "tags": {"kind": "cluster_quality", "of": "clusters", "targets": "token_tag"},
        "coarse": {"kind": "cluster_quality", "of": "clusters", "targets": "coarse_tag"},
        "directions": {
            "kind": "directions",
            "of": "clusters",
            "targets": "token_tag",
            "families": ["pca"],
            "permutations": 20,
            "resamples": 20,
        },
        "by_token": {
            "kind": "directions",
            "of": "clusters",
            "targets": "token",
            "families": ["pca"],
            "permutations": 20,
            "resamples": 20,
        },
    },
    "labels": {
        "tag_names": {
            "kind": "class_enrichment",
            "of": "clusters",
            "targets": "token_tag",
            "permutations": 100,
        },
        "genres": {"kind": "class_enrichment", "of": "clusters", "permutations": 100},
    },
    "refuted_if": ["tags/purity <= 0.5", "model/bigram_lead <= -100"],
}


@pytest.fixture
def tagged(tmp_path: Path) -> Project:
    rng = np.random.default_rng(0)
    for number in range(24):
        tags = rng.choice(list(WORDS), size=40)
        words = [f"{rng.choice(WORDS[tag])}/{tag}" for tag in tags]
        path = tmp_path / f"texts/{'ab'[number % 2]}/{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(" ".join(words) + "\n")
    (tmp_path / "mlflow.yaml").write_text("")
    put_database(tmp_path)
    return Project(tmp_path)


def test_tags_are_scored_and_named_beside_classes_and_tokens(tagged: Project) -> None:
    import polylens

    with unchecked(), undrawn(), chdir(tagged.folder):
        numbers = polylens.run(tagged.spec(**SPEC), progress=polylens.Silent()).child().numbers_by_name()
    # Word pieces of these words are whole words, so clusters of activations can be clusters of tags.
    assert numbers["tags/purity"].value > (numbers["tags/purity"].chance or 1.0) + 0.1
    assert "laid over other rows" in numbers["tags/purity"].chance_is
    assert "shuffles of classes" in numbers["genre/purity"].chance_is
    assert numbers["coarse/purity"].value >= numbers["tags/purity"].value
    assert numbers["tag_names/named_coverage"].value > 0
    assert numbers["model/next_token_loss"].chance == numbers["model/unigram_loss"].value
    assert numbers["model/bigram_loss"].unit == "nats"
    assert numbers["directions/purity.clusters"].value == pytest.approx(numbers["tags/purity"].value)


def test_names_that_the_dataset_has_not_are_found_before_anything_runs(tagged: Project) -> None:
    analyses = {**SPEC["analyses"], "tags": {**SPEC["analyses"]["tags"], "targets": "token_tags"}}
    done = tagged.call("validate", tagged.spec(**{**SPEC, "analyses": analyses}))
    assert done.returncode == 2
    assert "rows of tagged_text have no targets called 'token_tags'" in done.stderr
    assert "token_tag" in done.stderr
    done = tagged.call("validate", tagged.spec(**{**SPEC, "dataset": {**SPEC["dataset"], "classes": None}}))
    assert "analyses.genre (cluster_quality) asks for classes, and tagged_text has none" in done.stderr
    assert "analyses.tags" not in done.stderr
    done = tagged.call("validate", tagged.spec(**{**SPEC, "refuted_if": "model/accuracy <= 0.5"}))
    assert "there is no number 'model/accuracy'" in done.stderr


def test_a_default_is_no_part_of_a_digest_that_was_there_before_it() -> None:
    from polylens.analyses.cluster_quality import ClusterQuality
    from polylens.labels.class_enrichment import ClassEnrichment

    for kind in (ClusterQuality, ClassEnrichment):
        assert "targets" not in kind(of="clusters").identity()
        assert kind(of="clusters", targets="token_tag").identity()["targets"] == "token_tag"
