"""A language model that is looked into and, in the same process, writes and judges: the path, not quality."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.mlflow_database import put_database
from tests.pictures import undrawn
from tests.study.test_gpt2_study import save_model, write_texts

import polylens
from polylens.reading import write

JUDGE = {"kind": "local", "source": "model"}
SPEC = {
    "about": "A test.",
    "claim": "None.",
    "seed": 0,
    "model": {"kind": "transformers", "source": "model", "context": 64},
    "layer": "mlp_post.1",
    "dataset": {"kind": "text_files", "root": "texts", "packing": "packed"},
    "sampling": {"kind": "every_kth", "k": 16},
    "analyses": {"clusters": {"kind": "kmeans", "on": "activation", "clusters": 2, "subsamples": 2}},
    "labels": {
        "words": {"kind": "written", "of": "clusters", "judge": JUDGE, "draws": 1, "rows": 4, "contrast": 0}
    },
    "scores": {
        "detect": {"kind": "detection", "of": "clusters", "judge": JUDGE, "members": 2, "random_rows": False}
    },
}


@pytest.mark.slow
def test_a_local_judge_writes_from_rows_and_raised_tokens_and_scores(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    put_database(tmp_path)
    save_model(tmp_path / "model", n_embd=12, n_layer=3, n_head=2, vocab_size=400, n_positions=4096)
    write_texts(tmp_path / "texts")
    (tmp_path / "small.yaml").write_text(write(SPEC))
    monkeypatch.chdir(tmp_path)
    with undrawn():
        (run,) = polylens.run(tmp_path / "small.yaml").children
    assert run.error is None
    numbers = run.numbers_by_name()
    asked = sum(numbers[f"words/{outcome}"].value for outcome in ("answered", "malformed", "failed"))
    assert asked == 2
    raised = run.table("words.raised")
    assert raised.groupby("cluster").size().tolist() == [8, 8]
    assert (raised["raised_by"].groupby(raised["cluster"]).diff().dropna() <= 0).all()
    # Choices of a local judge are never malformed.
    items = run.table("detect.items")
    assert set(items["outcome"]) == {"answered"}
    assert numbers["detect/answered"].value > 4
