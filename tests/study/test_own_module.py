"""One's own PyTorch module, run from Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.mlflow_database import put_database
from tests.projects import SPEC

import polylens
from polylens.errors import UsageError
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
    first = polylens.run(spec, model=_module(), input_shape=(64,))
    changed = _module()
    with torch.no_grad():
        changed[0].bias += 1.0
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


def test_a_name_that_the_run_does_not_have_is_answered_with_the_nearest(spec: dict[str, object]) -> None:
    result = polylens.run(spec, model=_module(), input_shape=(64,))
    with pytest.raises(UsageError, match="clusters"):
        polylens.load_partition(result, "cluster")
