"""Models of the hub, asked of a stand-in on loopback that answers as the hub does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.hub import COMMIT, point_at, serving
from tests.text_models import parts_alone, tiny_model

from polylens.errors import DataError
from polylens.models.transformers import Transformers


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, list[str]]]:
    """Its address, its folder, and what it was asked."""
    root = tmp_path_factory.mktemp("hub")
    tiny_model(root / "models/owner/tiny")
    (tiny_model(root / "models/owner/pickled") / "model.safetensors").rename(
        root / "models/owner/pickled/pytorch_model.bin"
    )
    older = parts_alone(tiny_model(root / "models/owner/older", "opt"))
    torch.save(load_file(older / "model.safetensors"), older / "pytorch_model.bin")
    (older / "model.safetensors").unlink()
    with serving(root) as (address, asked):
        yield address, root, asked


@pytest.fixture(autouse=True)
def at_loopback(hub: tuple[str, Path, list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    point_at(monkeypatch, hub[0], cache=tmp_path)


def model(source: str, revision: str = COMMIT, **fields: Any) -> Transformers:
    return Transformers.model_validate({"source": source, "revision": revision, **fields})


def loaded(chosen: Transformers) -> torch.nn.Module:
    return chosen.load(chosen.build(torch.Generator().manual_seed(0)), root=Path())


def test_a_model_is_downloaded_once(hub: tuple[str, Path, list[str]]) -> None:
    _, root, asked = hub
    chosen = model("owner/tiny")
    ids = torch.arange(7).unsqueeze(0)
    local = Transformers.model_validate({"source": str(root / "models/owner/tiny")})
    assert chosen.input_format().context == 64
    assert not any("safetensors" in path and "resolve" in path for path in asked), "weights come when needed"
    assert torch.equal(loaded(chosen)(ids).logits, loaded(local)(ids).logits)
    asked.clear()
    loaded(chosen)
    assert asked == []


@pytest.mark.parametrize(
    ("source", "revision", "says"),
    [
        (
            "gated/denied",
            COMMIT,
            r"gated/denied is gated.*\n  accept them at http://127.0.0.1:\d+/gated/denied",
        ),
        ("gated/unknown", COMMIT, r"is gated.*\n.*then log in with `hf auth login` or set HF_TOKEN"),
        (
            "owner/tiny",
            "f" * 40,
            r"owner/tiny has no revision f{40}\n  commits are listed at .*/commits/main",
        ),
        ("owner/none", COMMIT, r"the hub has no model 'owner/none'.*\n  check the name; for a private model"),
        ("forbidden/place", COMMIT, r"is not on this machine, and the hub refuses it: .*403"),
        ("broken/hub", COMMIT, r"is not on this machine, and the hub refuses it: .*500"),
    ],
)
def test_what_the_hub_answers_is_put_into_words(source: str, revision: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        model(source, revision).input_format()


def test_a_model_with_pickled_weights_alone_is_refused() -> None:
    with pytest.raises(DataError, match=r"has no \*\.safetensors at revision 01234567\n.*can hold code"):
        loaded(model("owner/pickled"))


def test_pickled_weights_and_a_tokenizer_of_two_files_are_downloaded_where_there_are_no_others(
    hub: tuple[str, Path, list[str]],
) -> None:
    _, _, asked = hub
    chosen = model("owner/older", pickled=True)
    found = chosen.input_format()
    assert {Path(found.tokenizer, name).is_file() for name in ("vocab.json", "merges.txt")} == {True}
    assert loaded(chosen)(torch.arange(7).unsqueeze(0)).logits.shape == (1, 7, 400)
    asked.clear()
    loaded(chosen)
    assert chosen.input_format() == found
    assert asked == []
    loaded(model("owner/tiny", pickled=True))
    assert not any("older" in path for path in asked)


def test_a_hub_that_nobody_answers_for_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    point_at(monkeypatch, "http://127.0.0.1:9", cache=tmp_path)
    with pytest.raises(DataError) as error:
        model("owner/tiny").input_format()
    assert "owner/tiny at revision 01234567 is not on this machine" in str(error.value)
    assert "the hub cannot be reached: " in str(error.value)
    assert "refused" in str(error.value)
    assert f"hf download owner/tiny --revision {COMMIT} --include 'config.json'" in str(error.value)
