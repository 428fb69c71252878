"""One's own PyTorch module, run from Python."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.mlflow_database import put_database
from tests.pictures import undrawn
from tests.projects import SPEC

import polylens
from polylens.errors import SpecError, StageError, UsageError
from polylens.streams import Streams

pytestmark = pytest.mark.slow


def _module() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(64, 12), torch.nn.ReLU(), torch.nn.Linear(12, 10))


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    (tmp_path / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    put_database(tmp_path)
    monkeypatch.chdir(tmp_path)
    return {key: value for key, value in SPEC.items() if key != "model"} | {"layer": "1"}


def test_rows_partition_and_labels_of_ones_own_module(spec: dict[str, object]) -> None:
    module = _module()
    with undrawn():
        result = polylens.run(spec, model=module, input_shape=(64,))
    rows = polylens.load_rows(result)
    examples = result.children[0].walk.plan.examples
    with torch.no_grad():
        expected = module[1](module[0](examples.batch(range(len(examples)))))
    assert rows.activations is not None
    assert rows.codes is not None
    np.testing.assert_allclose(rows.activations, expected.numpy(), atol=1e-6)
    bits = np.unpackbits(rows.codes.packed, axis=1)[:, :12].astype(bool)
    np.testing.assert_array_equal(bits, expected.numpy() > 0)
    partition = polylens.load_partition(result, "clusters")
    assert len(partition.labels) == len(rows)
    assert len(polylens.load_labels(result, "digits").clusters) == partition.n_clusters


def test_other_weights_are_another_network(spec: dict[str, object]) -> None:
    changed = _module()
    with torch.no_grad():
        changed[0].bias += 1.0
    with undrawn():
        first = polylens.run(spec, model=_module(), input_shape=(64,))
        second = polylens.run(spec, model=changed, input_shape=(64,))
    assert first.children[0].digest != second.children[0].digest


def test_random_init_of_a_given_module_draws_new_weights_and_leaves_the_global_stream_alone() -> None:
    from polylens.models._given import Given
    from polylens.records import ImageFormat

    module = _module()
    given = Given(module=module, shape=(64,), format=ImageFormat(flatten=True))
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fresh = given.untrained().build(Streams(0).torch_generator("weights"))
    assert torch.equal(torch.rand(3), expected)
    assert not torch.equal(fresh[0].weight, module[0].weight)
    again = given.untrained().build(Streams(0).torch_generator("weights"))
    assert torch.equal(fresh[0].weight, again[0].weight)


def test_a_module_without_its_input_shape_is_a_usage_error(spec: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="input_shape"):
        polylens.load_spec(spec, model=_module())


@pytest.mark.parametrize("shape", [64, "64", (64.0,), (), (0,), (-64,)])
def test_an_input_shape_that_is_none_is_refused(spec: dict[str, object], shape: Any) -> None:
    with pytest.raises(UsageError, match="input_shape must be whole numbers"):
        polylens.load_spec(spec, model=_module(), input_shape=shape)


def test_an_input_shape_may_be_of_numpys_numbers(spec: dict[str, object]) -> None:
    polylens.load_spec(spec, model=_module(), input_shape=np.array([64]))


@pytest.mark.parametrize("limit", [0, -1, True, 2.5, "5"])
def test_a_limit_that_is_none_is_refused(spec: dict[str, object], limit: Any) -> None:
    for ask in (polylens.run, polylens.plan):
        with pytest.raises(UsageError, match="'limit' must be a whole number of at least 1"):
            ask(spec, limit=limit)


def test_a_module_without_numbers_is_refused(spec: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="on the device 'meta'"):
        polylens.load_spec(spec, model=torch.nn.Linear(64, 3, device="meta"), input_shape=(64,))


def test_a_name_that_the_run_does_not_have_is_answered_with_the_nearest(spec: dict[str, object]) -> None:
    with undrawn():
        result = polylens.run(spec, model=_module(), input_shape=(64,))
    with pytest.raises(UsageError, match="clusters"):
        polylens.load_partition(result, "cluster")


def _small(spec: dict[str, object], **changes: object) -> dict[str, object]:
    """The spec with one quick analysis of activations, and no more."""
    kmeans = {"kind": "kmeans", "on": "activation", "clusters": 3, "subsamples": 0}
    kept = {key: value for key, value in spec.items() if key not in ("code", "controls", "labels")}
    return kept | {"analyses": {"clusters": kmeans}} | changes


class ReadsFile(torch.nn.Module):
    """Scaled by a number that stands in a file: nothing of the module itself tells of a change."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.dense, self.relu = torch.nn.Linear(64, 12), torch.nn.ReLU()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.relu(self.dense(inputs)) * float(self.path.read_text())
        return out


def test_rows_of_a_network_that_only_its_behaviour_tells_apart_are_not_mixed_up(
    spec: dict[str, object], tmp_path: Path
) -> None:
    path = tmp_path / "scale.txt"
    torch.manual_seed(0)
    module = ReadsFile(path)

    def run(scale: str) -> tuple[np.ndarray, str]:
        path.write_text(scale)
        with undrawn():
            result = polylens.run(_small(spec, layer="output"), model=module, input_shape=(64,), limit=20)
        status = {stage.name: stage.status for stage in result.children[0].stages}
        return np.array(polylens.load_rows(result).activations), status["harvest"]

    (first, made), (second, made_too), (again, found) = run("1.0"), run("2.0"), run("1.0")
    np.testing.assert_allclose(second, 2 * first)
    np.testing.assert_array_equal(again, first)
    assert (made, made_too, found) == ("ran", "ran", "stored")


def test_random_init_that_would_keep_weights_is_refused_before_anything_is_computed(
    spec: dict[str, object], tmp_path: Path
) -> None:
    module = torch.nn.Sequential(_module()[0], torch.nn.ReLU(), torch.nn.ParameterList([torch.ones(2) / 3]))
    module[2][0].data[0] = 5.0
    module.forward = lambda inputs: module[1](module[0](inputs))  # type: ignore[method-assign]
    with pytest.raises(UsageError, match=r"2\.0 \(no reset draws it\)"):
        polylens.run(_small(spec, controls=["random_init"]), model=module, input_shape=(64,), limit=20)
    assert not list(tmp_path.glob(".polylens/v*/harvest/*"))


def test_a_network_that_is_no_function_of_one_example_leaves_nothing_in_the_store(
    spec: dict[str, object], tmp_path: Path
) -> None:
    class Centred(torch.nn.Module):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return inputs - inputs.mean(0)

    module = torch.nn.Sequential(torch.nn.Linear(64, 12), Centred())
    with pytest.raises(StageError, match="other examples of the batch"):
        polylens.run(_small(spec), model=module, input_shape=(64,), limit=20)
    assert not list(tmp_path.glob(".polylens/v*/harvest/*"))


def test_a_module_that_cannot_be_copied_is_refused_and_its_attribute_named(spec: dict[str, object]) -> None:
    module = _module()
    module[1].seen = threading.Lock()
    with pytest.raises(UsageError, match=r"cannot be copied: 1\.seen, of type lock"):
        polylens.run(spec, model=module, input_shape=(64,))


def test_a_module_whose_lazy_layers_have_no_weights_yet_is_refused(spec: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="lazy layers"):
        polylens.load_spec(spec, model=torch.nn.LazyLinear(3), input_shape=(64,))


@pytest.mark.parametrize("whole", [True, False])
def test_modules_of_torchscript_are_refused(spec: dict[str, object], *, whole: bool) -> None:
    with warnings.catch_warnings(action="ignore"):
        scripted = torch.jit.trace(_module(), torch.zeros(1, 64))
    module = scripted if whole else torch.nn.Sequential(scripted, torch.nn.ReLU())
    with pytest.raises(UsageError, match="TorchScript, whose steps cannot be watched"):
        polylens.load_spec(spec, model=module, input_shape=(64,))


class Reused(torch.nn.Module):
    """One ReLU, called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = torch.nn.Linear(64, 12), torch.nn.Linear(12, 9), torch.nn.Linear(9, 10)
        self.relu = torch.nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden: torch.Tensor = self.c(self.relu(self.b(self.relu(self.a(x)))))
        return hidden


def test_each_call_of_a_module_has_a_name(spec: dict[str, object]) -> None:
    torch.manual_seed(0)
    module = Reused()
    small = {key: spec[key] for key in ("about", "claim", "seed", "dataset")} | {
        "layer": ["relu", "relu#2"],
        "analyses": {"clusters": {"kind": "kmeans", "on": "activation", "clusters": 2, "subsamples": 0}},
    }
    with undrawn():
        result = polylens.run(small, model=module, input_shape=(64,), limit=40)
    examples = result.children[0].walk.plan.examples
    with torch.no_grad():
        first = torch.relu(module.a(examples.batch(range(len(examples)))))
        second = torch.relu(module.b(first))
    for child, expected in zip(result.children, (first, second), strict=True):
        found = polylens.load_rows(child).activations
        assert found is not None
        np.testing.assert_allclose(found, expected.numpy(), atol=1e-6)


def test_a_call_that_is_not_made_is_answered_with_one_that_is(spec: dict[str, object]) -> None:
    with pytest.raises(SpecError) as error:
        polylens.plan(polylens.load_spec(spec | {"layer": "relu#3"}, model=Reused(), input_shape=(64,)))
    assert "the model has no layer 'relu#3'" in str(error.value)
    assert "relu#2" in str(error.value)
