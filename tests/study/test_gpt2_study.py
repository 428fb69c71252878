"""The shipped GPT-2 spec on a GPT-2 with random weights, saved to a folder with a tokenizer of its own."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import tokenizers
import torch
from tests.mlflow_database import put_database
from tests.text_models import SENTENCES, tiny_tokenizer

import polylens
from polylens import imports
from polylens.records import Rows
from polylens.study.study_results import StudyResult

pytestmark = pytest.mark.slow
SHIPPED = Path(__file__).parents[2] / "experiments" / "gpt2-small"
WIDTH = 12
PAPER = [100, 254, 408, 562, 716, 870]
"""100 + k * floor((1024 - 100) / 6)."""
LENGTHS = {"a": 9000, "b": 9000, "c": 9000, "middle": 1500, "short": 200}
"""Letters of each document; the first three have more than 1,024 tokens, the last fewer than 106."""


def save_model(folder: Path, **sizes: int) -> Path:
    """A GPT-2 as transformers initialises it, and a tokenizer."""
    transformers = imports.transformers()
    tiny_tokenizer(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes)).save_pretrained(folder)
    return folder


def write_texts(folder: Path) -> None:
    folder.mkdir()
    generator = np.random.default_rng(0)
    for name, length in LENGTHS.items():
        words = generator.permutation(" ".join(SENTENCES * 30).split())
        (folder / f"{name}.txt").write_text(" ".join(words)[:length])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    put_database(folder)
    save_model(folder / "model", n_embd=WIDTH, n_layer=3, n_head=2, vocab_size=400)
    write_texts(folder / "texts")
    return folder


@pytest.fixture(scope="module")
def result(project: Path) -> StudyResult:
    """The shipped spec of codes, on that model and those texts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        (project / "spec.yaml").write_text((SHIPPED / "mlp-codes.yaml").read_text())
        return polylens.run(
            "spec.yaml",
            overrides=[
                "model={kind: transformers, source: model}",
                "layer=mlp_post.1",
                "dataset={kind: text_files, root: texts, context: 1024}",
                "controls=[]",
                "refuted_if=null",
                *(f"analyses.{name}=null" for name in ("baselines", "code_baselines", "codes")),
                "labels.tokens=null",
                "labels.code_tokens.permutations=100",
                *(f"analyses.{name}.min_cluster_size=2" for name in ("clusters", "code_clusters")),
                *(f"analyses.{name}.min_samples=2" for name in ("clusters", "code_clusters")),
                *(f"analyses.{name}.subsamples=0" for name in ("clusters", "code_clusters")),
            ],
        )


def positions(rows: Rows, example: int) -> list[int]:
    return np.asarray(rows.origins.position)[np.asarray(rows.origins.example) == example].ravel().tolist()


def test_rows_stand_at_the_papers_positions(result: StudyResult) -> None:
    rows = polylens.load_rows(result)
    assert [positions(rows, example) for example in range(3)] == [PAPER] * 3
    (step,) = set(np.diff(positions(rows, 3)).tolist())
    assert positions(rows, 3)[0] == 100
    assert 0 < step < 154, "a document shorter than the context has smaller steps, equal as well"
    assert len(rows) == 24
    assert rows.activations is not None
    assert rows.activations.shape == (24, 4 * WIDTH)


def test_codes_and_activations_are_those_of_a_plain_forward_pass(result: StudyResult, project: Path) -> None:
    rows = polylens.load_rows(result)
    transformers = imports.transformers()
    network = transformers.GPT2LMHeadModel.from_pretrained(project / "model").eval()
    tokenizer = tokenizers.Tokenizer.from_file(str(project / "model" / "tokenizer.json"))
    before, after = [], []
    block = network.transformer.h[1].mlp
    block.c_fc.register_forward_hook(lambda _module, _inputs, output: before.append(output))
    block.act.register_forward_hook(lambda _module, _inputs, output: after.append(output))
    with torch.no_grad():
        for name in list(LENGTHS)[:4]:
            ids = tokenizer.encode((project / f"texts/{name}.txt").read_text()).ids[:1024]
            network(torch.tensor([ids]))
    chosen = [(example, at) for example in range(4) for at in positions(rows, example)]
    hidden = torch.stack([before[example][0, at] for example, at in chosen]).numpy()
    values = torch.stack([after[example][0, at] for example, at in chosen]).numpy()
    assert rows.activations is not None
    assert rows.codes is not None
    np.testing.assert_allclose(rows.activations, values, atol=1e-6)
    bits = np.unpackbits(rows.codes.packed, axis=1)[:, : 4 * WIDTH].astype(bool)
    # A unit within rounding of its boundary may fall on either side of it.
    clear = np.abs(hidden) > 1e-6
    np.testing.assert_array_equal(bits[clear], hidden[clear] > 0)
    assert clear.mean() > 0.999
    assert not rows.codes.scheme.names_polytopes


def test_raw_inputs_of_text_are_the_embeddings_of_the_tokens_alone(
    result: StudyResult, project: Path
) -> None:
    walk = result.children[0].walk
    raw = walk.plan.variants[-1]
    assert raw.variant.is_raw_inputs
    rows = walk.rows(raw)
    network = imports.transformers().GPT2LMHeadModel.from_pretrained(project / "model")
    assert rows.tokens is not None
    expected = network.transformer.wte.weight.detach().numpy()[rows.tokens.current]
    np.testing.assert_array_equal(rows.activations, expected)
    assert walk.findings(raw, "clusters").partition is not None
    assert "code_tokens" in raw.labels


def test_a_document_too_short_is_counted_and_the_report_shows_tokens(
    result: StudyResult, project: Path
) -> None:
    report = next((project / ".polylens").rglob("report.html")).read_text()
    assert "1 file, row or example was left out" in report
    assert re.search(
        r"<code>short.txt</code> \d+ valid positions are too few to take 6 after the first 100", report
    )
    assert "<mark" in report
    found = {name.partition("/")[0] for name in result.children[0].numbers_by_name()}
    assert {"clusters", "code_clusters", "agreement", "code_tokens"} <= found
