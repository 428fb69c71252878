from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from tests.text_models import AFTER, ARCHITECTURES, BEFORE, CONTEXT, tiny_config, tiny_model, tiny_tokenizer
from torch import nn

from polylens.errors import DataError
from polylens.models.transformers import Transformers
from polylens.records import TextFormat

COMMIT = "607a30d783dfa663caf39e06633721c8d4cfcd7e"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny model of every architecture."""
    root = tmp_path_factory.mktemp("models")
    return {name: tiny_model(root / name, name, seed=3) for name in ARCHITECTURES}


def model(source: Path | str, **fields: Any) -> Transformers:
    return Transformers.model_validate({"source": str(source), **fields})


def loaded(chosen: Transformers) -> nn.Module:
    return chosen.load(chosen.build(torch.Generator().manual_seed(0)), root=Path())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_format_of_inputs_is_what_the_tokenizers_files_say(
    architecture: str, folders: dict[str, Path]
) -> None:
    import tokenizers

    found = model(folders[architecture], context=32).input_format()
    number = tokenizers.Tokenizer.from_file(str(folders[architecture] / "tokenizer.json")).token_to_id
    assert isinstance(found, TextFormat)
    assert found.tokenizer == str(folders[architecture])
    assert found.context == 32
    assert found.before == tuple(number(token) for token in [BEFORE.get(architecture)] if token)
    assert found.after == tuple(number(token) for token in [AFTER.get(architecture)] if token)
    assert {*found.before, *found.after} <= set(found.special)
    assert found.special
    assert max(found.special) < 4


def test_special_tokens_that_only_the_settings_name_are_put_around_too(tmp_path: Path) -> None:
    tiny_tokenizer(tmp_path, "llama")
    path = tmp_path / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "add_eos_token": True}))
    config = tiny_config("llama")
    assert model("config", config=config, tokenizer=str(tmp_path)).input_format().after == (1,)


def test_the_context_is_the_models_limit_unless_said_otherwise(folders: dict[str, Path]) -> None:
    assert model(folders["gpt2"]).input_shape() == (CONTEXT,)
    assert model(folders["gpt2"], context=10).example_input().shape == (1, 10)
    with pytest.raises(ValidationError, match="context is 65, and the model takes 64 tokens at most"):
        model(folders["gpt2"], context=65)
    known = {"model_type": "gpt2", "n_layer": 2, "n_positions": 1024}
    with pytest.raises(ValidationError, match="takes 1024 tokens"):
        model("openai-community/gpt2", revision=COMMIT, config=known, context=2000)


def test_a_tokenizer_with_tokens_that_the_network_lacks_is_refused(tmp_path: Path) -> None:
    config = {**tiny_config("gpt2"), "vocab_size": 300}
    chosen = model("config", config=config, tokenizer=str(tiny_tokenizer(tmp_path)))
    with pytest.raises(DataError, match="the network only 300 tokens"):
        chosen.input_format()


def test_a_missing_or_damaged_tokenizer_is_named(tmp_path: Path, folders: dict[str, Path]) -> None:
    with pytest.raises(DataError, match=r"no tokenizer\.json.*\n.*save_pretrained"):
        model(folders["gpt2"], tokenizer=str(tmp_path)).input_format()
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(DataError, match="cannot be read as a tokenizer"):
        model(folders["gpt2"], tokenizer=str(tmp_path)).input_format()


def test_the_digest_is_of_config_and_weights_and_of_the_config_where_weights_are_fresh(
    tmp_path: Path,
) -> None:
    one = model(tiny_model(tmp_path / "a", seed=1))
    same = model(tiny_model(tmp_path / "b", seed=1))
    other = model(tiny_model(tmp_path / "c", seed=2))
    digests = [chosen.weights_digest(root=Path()) for chosen in (one, same, other)]
    assert digests[0] == digests[1] != digests[2]
    assert one.identity() == same.identity() == other.identity()
    fresh = [chosen.untrained().weights_digest(root=Path()) for chosen in (one, same, other)]
    assert fresh[0] == fresh[1] == fresh[2] != ""
    assert one.untrained().identity() != one.identity()
    hub = model("openai-community/gpt2", revision=COMMIT)
    assert hub.weights_digest(root=Path()) == COMMIT


def test_folders_are_looked_up_where_the_project_says(folders: dict[str, Path]) -> None:
    found = model("gpt2").locate(lambda relative: folders["gpt2"].parent)
    assert found.source == str(folders["gpt2"])
    package = model("package:some_package/model").locate(lambda relative: Path("/nowhere"))
    assert package.source == "package:some_package/model"
    assert model("a/b", revision=COMMIT).locate(lambda relative: Path("/nowhere")).source == "a/b"


def test_a_relative_folder_is_found_from_anywhere_in_the_project(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    below = folders["gpt2"].parent / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    assert model("gpt2").aliases()["mlp_pre.2"] == "transformer.h.2.mlp.c_fc"


def test_a_models_folder_in_a_package_is_read_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "a_package"
    tiny_model(package / "model", "bert")
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    chosen = model("package:a_package/model")
    assert chosen.aliases()["mlp_pre.1"] == "encoder.layer.1.intermediate.dense"
    assert loaded(chosen)(chosen.example_input()).last_hidden_state.shape == (1, CONTEXT, 16)
    with pytest.raises(DataError, match=r"has no such folder"):
        model("package:a_package/else").input_format()
    with pytest.raises(DataError, match=r"pip install no-such-package"):
        model("package:no_such_package/model").input_format()


def test_only_safetensors_are_opened(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path)
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    for ask in (lambda: loaded(model(folder)), lambda: model(folder).weights_digest(root=Path())):
        with pytest.raises(DataError, match=r"only pytorch_model\.bin, which can hold code"):
            ask()


def pickled(folder: Path, weights: Any, name: str = "pytorch_model.bin") -> Path:
    """The tiny model with its weights, or others, pickled instead."""
    (folder / "model.safetensors").unlink(missing_ok=True)
    torch.save(weights, folder / name)
    return folder


def test_pickled_weights_are_opened_where_the_spec_allows_it(tmp_path: Path) -> None:
    ids = torch.arange(7).unsqueeze(0)
    safe = model(tiny_model(tmp_path / "safe", "opt", seed=4), pickled=True)
    network = loaded(safe)
    outputs = network(ids).logits
    folder = pickled(tiny_model(tmp_path / "pickled", "opt", seed=5), network.state_dict())
    chosen = model(folder, pickled=True)
    assert torch.equal(loaded(chosen)(ids).logits, outputs)
    assert chosen.identity() == model(folder).identity(), "the weights' digest says which they are"
    before = chosen.weights_digest(root=Path())
    pickled(folder, {name: tensor + 1 for name, tensor in network.state_dict().items()})
    assert chosen.weights_digest(root=Path()) != before
    # Safetensors come first, wherever there are some.
    pickled(tmp_path / "safe", {})
    tiny_model(tmp_path / "safe", "opt", seed=4)
    assert torch.equal(loaded(safe)(ids).logits, outputs)


def test_pickled_weights_in_several_files_are_read_and_all_of_them_digested(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path)
    weights = loaded(model(folder)).state_dict()
    names = sorted(weights)
    of_name = {name: f"pytorch_model-0000{1 + place % 2}-of-00002.bin" for place, name in enumerate(names)}
    for file in sorted(set(of_name.values())):
        pickled(folder, {name: weights[name] for name in names if of_name[name] == file}, file)
    index = {"metadata": {"total_size": 1}, "weight_map": of_name}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    chosen = model(folder, pickled=True)
    found = loaded(chosen).state_dict()
    assert all(torch.equal(found[name], weights[name]) for name in names)
    assert chosen.weights_digest(root=Path()).count("-") == 3, "config, index and two files"


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.made,)


def test_code_in_pickled_weights_is_refused_and_not_run(tmp_path: Path) -> None:
    made = tmp_path / "made"
    folder = pickled(tiny_model(tmp_path / "model"), {"wte.weight": Evil(made)})
    with pytest.raises(DataError, match=r"the weights in .* cannot be read: .*[Ww]eights.only"):
        loaded(model(folder, pickled=True))
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Evil(made), protocol=2))
    with pytest.raises(DataError, match=r"the weights in .* cannot be read"):
        loaded(model(folder, pickled=True))
    assert not made.exists()


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path)
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "n_layer": 4}))
    with pytest.raises(DataError, match=r"do not fit its config: missing: transformer\.h\.3"):
        loaded(model(folder))


def test_code_that_comes_with_a_model_is_not_run(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path)
    path = folder / "config.json"
    config = {**json.loads(path.read_text()), "auto_map": {"AutoModelForCausalLM": "evil.Model"}}
    (folder / "evil.py").write_text("raise AssertionError('run')")
    path.write_text(json.dumps(config))
    assert type(loaded(model(folder))).__name__ == "GPT2LMHeadModel"
    path.write_text(json.dumps({**config, "model_type": "of_their_own"}))
    with pytest.raises(DataError, match=r"'of_their_own' beside code of its own, which is not run"):
        loaded(model(folder))


def test_what_the_spec_says_of_a_config_is_held_against_it(folders: dict[str, Path]) -> None:
    with pytest.raises(DataError, match=r"says n_layer: 12 of the model .*, its config\.json 3"):
        loaded(model(folders["gpt2"], config={"n_layer": 12}))


def test_a_folder_that_does_not_exist_is_told_apart_from_a_model_of_the_hub() -> None:
    with pytest.raises(DataError, match=r"no folder 'openai-community/gpt2'.*\n.*needs its `revision`"):
        model("openai-community/gpt2").input_format()


def test_what_a_source_needs_is_said_before_anything_is_read() -> None:
    with pytest.raises(ValidationError, match="40 hexadecimal digits, not 'main': branches and tags move"):
        model("openai-community/gpt2", revision="main")
    with pytest.raises(ValidationError, match="needs `config` with at least `model_type`"):
        model("config")
    with pytest.raises(ValidationError, match="needs `tokenizer`"):
        model("config", config=tiny_config("gpt2"))
    with pytest.raises(ValidationError, match="only for models of the hub"):
        model("package:a/b", revision=COMMIT)


def test_layers_of_a_hub_model_are_known_without_it() -> None:
    known = {"model_type": "gpt2", "n_layer": 2, "architectures": ["GPT2LMHeadModel"]}
    chosen = model("openai-community/gpt2", revision=COMMIT, config=known, layer_aliases={"first": "h.0"})
    assert chosen.aliases()["mlp_post.1"] == "transformer.h.1.mlp.act"
    assert chosen.aliases()["first"] == "h.0"
    assert "mlp_post.2" not in chosen.aliases()
    assert model("openai-community/gpt2", revision=COMMIT).layers() is None


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, which cannot be reached."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "hub"


def test_offline_the_error_says_what_to_download_and_how(hub: Path) -> None:
    chosen = model("openai-community/gpt2", revision=COMMIT)
    with pytest.raises(DataError) as error:
        chosen.input_format()
    assert "openai-community/gpt2 at revision 607a30d7 is not on this machine" in str(error.value)
    assert "HF_HUB_OFFLINE is set" in str(error.value)
    assert f"hf download openai-community/gpt2 --revision {COMMIT}" in str(error.value)
    assert "--include 'tokenizer.json'" in str(error.value)
    assert "--include '*.safetensors'" in str(error.value)


def test_a_model_in_the_hubs_cache_is_used_offline(hub: Path) -> None:
    folder = hub / "models--openai-community--gpt2" / "snapshots" / COMMIT
    tiny_model(folder)
    chosen = model("openai-community/gpt2", revision=COMMIT)
    assert chosen.input_format().tokenizer == str(folder)
    ids = torch.arange(7).unsqueeze(0)
    assert torch.equal(loaded(chosen)(ids).logits, loaded(model(folder))(ids).logits)


def test_plain_data_reads_back_as_the_same_model() -> None:
    for fields in ({}, {"revision": COMMIT, "config": {"architectures": ["GPT2LMHeadModel"]}, "context": 9}):
        original = model("a/b", **fields)
        assert Transformers.model_validate(original.to_plain()) == original
