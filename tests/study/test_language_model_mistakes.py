"""Mistakes in specs of language models, each answered where it stands and with what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.text_models import tiny_model

import polylens
from polylens.errors import DataError, PolylensError, SpecError, UsageError
from polylens.reading import write

GPT2 = Path(__file__).parents[2] / "experiments" / "gpt2-small" / "mlp-codes.yaml"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    tiny_model(folder / "model")
    (folder / "texts").mkdir()
    (folder / "texts" / "latin.txt").write_bytes(b"caf\xe9")
    (folder / "texts" / "nothing.txt").write_text(" \n")
    (folder / "corpus.jsonl").write_text('{"body": "The cat sat on the mat."}\n')
    return folder


def written(project: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Path:
    """The spec with these keys, in the project."""
    monkeypatch.chdir(project)
    spec = {
        "about": "A test.",
        "claim": "It works.",
        "seed": 0,
        "model": {"kind": "transformers", "source": "model"},
        "layer": "mlp_post.1",
        "dataset": {"kind": "python_manual"},
        "sampling": "random-tokens",
        "code": "own-signs",
        "analyses": {"codes": {"kind": "code_statistics"}},
        **changes,
    }
    Path("spec.yaml").write_text(write(spec))
    return Path("spec.yaml")


def planned(project: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> PolylensError:
    """What planning the spec with these keys raises."""
    with pytest.raises(PolylensError) as error:
        polylens.plan(written(project, monkeypatch, **changes))
    return error.value


def test_without_a_mistake_a_plan_says_how_long_the_forward_passes_take(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = {"kind": "text_table", "file": "corpus.jsonl", "column": "body"}
    some = {"kind": "random_positions", "count": 3}
    (child,) = polylens.plan(written(project, monkeypatch, dataset=table, sampling=some)).children
    assert (child.n_examples, child.n_rows) == (1, 3)
    assert child.harvest_seconds > 0


def test_a_block_beyond_the_last_is_answered_with_the_last() -> None:
    with pytest.raises(SpecError, match=r"the model has no layer 'mlp_pre\.12'") as error:
        polylens.load_spec(GPT2, overrides=["layer=mlp_pre.12"])
    (problem,) = error.value.problems
    assert problem.suggestion == "mlp_pre.11"
    assert problem.notes[0].startswith("layers: input, embedding, mlp_pre.0, ")


def test_a_context_longer_than_the_models_is_answered_at_the_dataset(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = planned(project, monkeypatch, dataset={"kind": "python_manual", "context": 65})
    assert isinstance(error, UsageError)
    assert "a context of 65 tokens is longer than the 64 that the model allows" in str(error)
    assert "lower the dataset's 'context'" in str(error)
    assert error.place is not None
    assert error.place.text.startswith("dataset:")


def test_a_column_that_does_not_exist_is_answered_with_those_that_do(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = planned(project, monkeypatch, dataset={"kind": "text_table", "file": "corpus.jsonl"})
    assert isinstance(error, DataError)
    assert "corpus.jsonl has no column 'text'\n  columns: body" in str(error)
    assert error.place is not None


def test_texts_of_which_none_can_be_used_are_an_error_that_names_one(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = planned(project, monkeypatch, dataset={"kind": "text_files", "root": "texts"})
    assert "none of 2 documents" in str(error)
    assert "latin.txt: not UTF-8: byte 0xe9 at 3" in str(error)
    assert "texts have to be UTF-8, or in the 'encoding'" in str(error)


def test_a_model_of_the_hub_without_a_network_is_answered_with_the_download(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(project / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    error = planned(project, monkeypatch, model="gpt2-small")
    assert "HF_HUB_OFFLINE is set" in str(error)
    assert "hf download openai-community/gpt2 --revision 607a30d783dfa663caf39e06633721c8d4cfcd7e" in str(
        error
    )
    assert error.place is not None
    assert error.place.text.startswith("model:")
