"""TinyModel: its own package's module gives the same logits, and only tokens that it knows are told apart."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from tests.hub import COMMIT, point_at, serving
from tests.text_models import tiny_tokenizer

from polylens.devices import Options
from polylens.errors import DataError
from polylens.harvest import Take, harvest, load_rows
from polylens.harvest.collecting import Collector
from polylens.harvest.trying import Narrowing
from polylens.models import tiny_model
from polylens.models.tiny_model import TinyModel
from polylens.models.tiny_model import tokens as own_tokens
from polylens.records import Network
from polylens.sampling.evenly_spaced import EvenlySpaced
from polylens.store import Store
from polylens.streams import Streams
from polylens.text import InMemory, open_text, read_tokenizer

UNKNOWN = 9_999
PACKAGE = importlib.util.find_spec("tinymodel")


@pytest.fixture(scope="module", autouse=True)
def _package() -> None:
    if PACKAGE is None:
        message = "pip install --no-deps tinymodel"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(scope="module")
def published() -> ModuleType:
    """The package's own file of its network; its tokenizer, which asks the hub, is left out."""
    assert PACKAGE is not None
    package = ModuleType("tinymodel")
    package.__path__ = list(PACKAGE.submodule_search_locations or [])
    tokenization = ModuleType("tinymodel.tokenization.tokenization")
    tokenization.__dict__.update(enc=None, dec=None)
    before = set(sys.modules)
    for module in (package, ModuleType("tinymodel.tokenization"), tokenization):
        sys.modules[module.__name__] = module
    network = importlib.import_module("tinymodel.lm")
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "tinymodel":
            del sys.modules[name]
    return network


@pytest.fixture(scope="module")
def original(published: ModuleType) -> Any:
    """The package's own network of two blocks, with weights large enough to tell tokens apart."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = published.TinyModel(n_layers=2, from_pretrained=False)
        for weight in (network.embed.weight, network.pos_embed):
            torch.nn.init.normal_(weight, std=0.5)
    return network.eval()


@pytest.fixture(scope="module")
def hub(original: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Folders as the hub has them, and the address that serves them."""
    root = tmp_path_factory.mktemp("hub")
    weights = root / "models/noanabeshima/tiny_model"
    weights.mkdir(parents=True)
    torch.save(original.state_dict(), weights / "tiny_model_2L_3E.pt")
    as_large_as_gpt2(tiny_tokenizer(root / "models/openai-community/gpt2"))
    with serving(root) as (address, _):
        yield root / "models", address


def as_large_as_gpt2(folder: Path) -> Path:
    """A tokenizer with 50,257 tokens, GPT-2's landmarks at their numbers: the tiny one's, and many unused."""
    path = folder / "tokenizer.json"
    plain = json.loads(path.read_text(encoding="utf-8"))
    own = [token for token, _ in sorted(plain["model"]["vocab"].items(), key=lambda item: item[1])]
    numbers = dict(own_tokens._LANDMARKS)
    taken = set(numbers.values())
    free = (number for number in range(own_tokens.GPT2) if number not in taken)
    for token in [*own, *(f"unused{number}" for number in range(own_tokens.GPT2))]:
        if len(numbers) < own_tokens.GPT2 and token not in numbers:
            numbers[token] = next(free)
    plain["model"]["vocab"] = numbers
    for token in plain["added_tokens"]:
        token["id"] = numbers[token["content"]]
    path.write_text(json.dumps(plain), encoding="utf-8")
    return folder


def of_folders(folders: Path, **fields: Any) -> TinyModel:
    return TinyModel.model_validate(
        {
            "published": "tiny_model_2L_3E",
            "folder": str(folders / "noanabeshima/tiny_model"),
            "tokenizer": str(folders / "openai-community/gpt2"),
            **fields,
        }
    )


def loaded(model: TinyModel) -> torch.nn.Module:
    return model.load(model.build(torch.Generator().manual_seed(0)), root=Path())


def test_logits_are_those_of_the_package(hub: tuple[Path, str], original: Any) -> None:
    module = loaded(of_folders(hub[0]))
    ids = torch.randint(0, 50_261, (3, 40), generator=torch.Generator().manual_seed(1))
    table = own_tokens.renumbering()
    with torch.no_grad():
        logits = module(ids)
        assert logits.shape == (3, 40, 10_000)
        # Two networks of the same products in the same order: what is left is rounding of sums of 3,072.
        torch.testing.assert_close(logits.log_softmax(-1), original(table[ids]), rtol=1e-4, atol=1e-4)
        assert float(logits.std()) > 0.1, "weights of nothing would agree as well"


def test_layers_and_short_names_are_modules(hub: tuple[Path, str], original: Any) -> None:
    model = of_folders(hub[0])
    module = loaded(model)
    modules = dict(module.named_modules())
    assert set(model.layers()) <= set(modules)
    assert set(model.aliases().values()) <= set(model.layers())
    assert not any("norm" in name for name in modules)
    ids = torch.randint(0, 50_257, (1, 9), generator=torch.Generator().manual_seed(2))
    seen: dict[str, torch.Tensor] = {}
    modules[model.aliases()["mlp_pre.1"]].register_forward_hook(lambda *a: seen.update(own=a[2]))
    original.torso[1].mlp.read_in.register_forward_hook(lambda *a: seen.update(package=a[2]))
    with torch.no_grad():
        module(ids)
        original(own_tokens.renumbering()[ids])
    torch.testing.assert_close(seen["own"], seen["package"], rtol=1e-4, atol=1e-4)


def test_tokens_that_it_does_not_know_are_one_token_to_it(hub: tuple[Path, str]) -> None:
    table = own_tokens.renumbering()
    assert table.shape == (50_261,)
    assert sorted(table[table != UNKNOWN].tolist()) == list(range(UNKNOWN))
    assert table[50_257:].tolist() == [9_996, 9_997, 9_998, UNKNOWN]
    rare = torch.nonzero(table == UNKNOWN)[:5, 0]
    module = loaded(of_folders(hub[0]))
    with torch.no_grad():
        logits = module(rare.unsqueeze(-1))
    assert torch.equal(logits, logits[:1].expand_as(logits))


def test_texts_begin_as_in_training_and_special_tokens_are_no_rows(hub: tuple[Path, str]) -> None:
    text_format = of_folders(hub[0]).input_format()
    assert (text_format.before, text_format.after, text_format.context) == ((50_257,), (), 256)
    assert set(range(50_256, 50_261)) <= set(text_format.special)


def test_the_hub_gives_what_folders_give(
    hub: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folders, address = hub
    point_at(monkeypatch, address, cache=tmp_path)
    monkeypatch.setattr(tiny_model, "_GPT2_COMMIT", COMMIT)  # the stand-in has no other
    model = TinyModel(published="tiny_model_2L_3E", revision=COMMIT)
    ids = torch.arange(12).unsqueeze(0)
    assert torch.equal(loaded(model)(ids), loaded(of_folders(folders))(ids))
    assert model.input_format().tokenizer_digest == of_folders(folders).input_format().tokenizer_digest
    assert model.weights_digest(root=Path()) == COMMIT
    with pytest.raises(DataError, match=r"tiny_model\.pt"):
        loaded(TinyModel(revision=COMMIT))


def test_another_tokenizer_is_refused(hub: tuple[Path, str], tmp_path: Path) -> None:
    small = tiny_tokenizer(tmp_path / "small")
    with pytest.raises(DataError, match="is not GPT-2's"):
        of_folders(hub[0], tokenizer=str(small)).input_format()
    shifted = as_large_as_gpt2(tiny_tokenizer(tmp_path / "shifted"))
    path = shifted / "tokenizer.json"
    plain = json.loads(path.read_text(encoding="utf-8"))
    numbers = plain["model"]["vocab"]
    numbers["."], numbers[","] = numbers[","], numbers["."]
    path.write_text(json.dumps(plain), encoding="utf-8")
    assert read_tokenizer(shifted).get_vocab_size() == own_tokens.GPT2
    with pytest.raises(DataError, match="is not GPT-2's"):
        of_folders(hub[0], tokenizer=str(shifted)).input_format()


def test_another_number_of_blocks_is_refused_by_its_tensors(hub: tuple[Path, str], tmp_path: Path) -> None:
    folder = tmp_path / "four"
    folder.mkdir()
    shutil.copy(hub[0] / "noanabeshima/tiny_model/tiny_model_2L_3E.pt", folder / "tiny_model.pt")
    with pytest.raises(DataError, match=r"blocks\.2"):
        loaded(of_folders(hub[0], published="tiny_model", folder=str(folder)))


def test_a_missing_or_changed_table_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(own_tokens.files, "local_folder", lambda _: None)
    with pytest.raises(DataError, match=r"not installed\n.*pip install --no-deps tinymodel"):
        own_tokens.renumbering()
    torch.save(torch.zeros(50_261, dtype=torch.int64), tmp_path / "neo_tok_ids_to_ts.pt")
    monkeypatch.setattr(own_tokens.files, "local_folder", lambda _: tmp_path)
    with pytest.raises(DataError, match="not the table that was published"):
        own_tokens.renumbering()


def test_rows_of_chosen_tokens_are_those_of_the_package(
    hub: tuple[Path, str], original: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = of_folders(hub[0])
    network = Network(
        name="tiny",
        module=loaded(model),
        input_format=model.input_format(),
        aliases=model.aliases(),
        example_input=model.example_input(),
        is_causal=model.is_causal(),
    )
    narrowed: list[Narrowing | None] = []
    step = Collector.predict_step

    def noted(self: Collector, batch: dict[str, object], batch_idx: int) -> object:
        given = step(self, batch, batch_idx)
        narrowed.append(self._narrowing)
        return given

    monkeypatch.setattr(Collector, "predict_step", noted)
    texts = {f"story{number}": f"The cat sat on mat {number}. " * 12 for number in range(2)}
    examples = open_text(
        InMemory(texts, title="stories"), network.input_format, packing="one_document", streams=Streams(0)
    )
    take = Take("a" * 64, "mlp_pre.1", "activations", EvenlySpaced(count=3, after=5))
    store = Store(tmp_path)
    options = Options(accelerator="cpu", batch_size=1)
    harvest(network, examples, (take,), streams=Streams(0), store=store, options=options)
    rows = load_rows(store, activations=take.digest)
    assert narrowed[-1] is not None, "the tokens alone are computed behind the last attention"
    seen: list[torch.Tensor] = []
    original.torso[1].mlp.read_in.register_forward_hook(lambda *given: seen.append(given[2]))
    for example in range(len(examples)):
        with torch.no_grad():
            original(own_tokens.renumbering()[examples.batch([example])])
        mine = rows.origins.example == example
        assert mine.sum() == 3
        wanted = seen.pop()[0, torch.from_numpy(rows.origins.position[mine])]
        assert rows.activations is not None
        own = torch.from_numpy(np.array(rows.activations[mine]))
        torch.testing.assert_close(own, wanted, rtol=1e-4, atol=1e-4)
