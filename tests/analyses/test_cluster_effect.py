from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.analyses.probing import dense, probe, probed
from tests.analyses.texts import transformer
from torch import nn

from polylens.analyses import Outcome
from polylens.analyses._changes.interventions import Intervention
from polylens.analyses.cluster_effect import ClusterEffect
from polylens.analyses.cluster_effect.centroids import Centroids, replacement_by
from polylens.errors import DataError
from polylens.records import Findings, Partition, Rows
from polylens.statistics import Blocks, divergences

FEW = {"of": "clusters", "draws": 2, "resamples": 20}


def partition(labels: np.ndarray) -> Partition:
    n = int(labels.max(initial=-1)) + 1
    exemplars = np.array([int(np.flatnonzero(labels == k)[0]) for k in range(n)], dtype=np.int64)
    return Partition(labels.astype(np.int64), (labels >= 0).astype(np.float32), exemplars)


def upstream(labels: np.ndarray) -> dict[str, Findings]:
    return {"clusters": Findings(partition=partition(labels))}


def argmax_of_three(points: torch.Tensor, targets: np.ndarray):
    """A network whose logits are its three inputs."""
    module = nn.Sequential(nn.Identity(), nn.Linear(3, 3)).eval()
    module[1].weight.data, module[1].bias.data = torch.eye(3), torch.zeros(3)
    rows, at = probed(module, points, targets)
    return replace(rows, layer="0"), replace(at, layer="0")


def corners() -> tuple[torch.Tensor, np.ndarray]:
    """Four points around each axis' end: their means keep the axis, and so the prediction."""
    generator = torch.Generator().manual_seed(0)
    targets = np.repeat(np.arange(3), 4)
    return 4 * torch.eye(3)[targets] + torch.randn(12, 3, generator=generator) * 0.3, targets


def test_clusters_of_one_prediction_keep_it_and_neighbours_do_not() -> None:
    points, targets = corners()
    rows, at = argmax_of_three(points, targets)
    groups = {"class 0": "first", "class 1": "rest", "class 2": "rest"}
    found = probe(ClusterEffect(abstractions={"half": groups}, **FEW), rows, at, upstream=upstream(targets))
    numbers = found.numbers
    assert numbers["kept_predictions"].value == 1.0
    assert numbers["kept_predictions.nearest_cluster"].value == 0.0
    assert numbers["kept_predictions"].chance == numbers["kept_predictions.random_rows"].value < 1.0
    # Whatever other corner stands in for a member of classes 1 and 2: the half is kept where it is the other.
    assert numbers["kept_half"].value == 1.0
    assert numbers["purity.class"].value == numbers["purity.half"].value == 1.0
    assert numbers["purity.half"].chance > numbers["purity.class"].chance
    logits = found.tables["logits"]
    top = logits[logits["rank"] == 0].set_index("cluster")
    assert top["name"].tolist() == ["class 0", "class 1", "class 2"]
    means = points.double().numpy().reshape(3, 4, 3).mean(1)
    assert top.loc[1, "mean_logit"] == pytest.approx(means[1, 1], rel=1e-6)
    assert top.loc[1, "above_all_clusters"] == pytest.approx(means[1, 1] - means[:, 1].mean(), rel=1e-6)


def test_a_mean_holds_no_row_of_the_members_own_example() -> None:
    values = np.array([[0.0], [10.0], [2.0], [4.0]])
    labels, blocks = np.array([0, 0, 0, 1]), Blocks.of(np.array([7, 7, 8, 9]))
    own = Centroids(values, labels, blocks=blocks)
    assert own.without(0, label=0).tolist() == [2.0]
    assert own.without(2, label=0).tolist() == [5.0]
    # Row 3 is its cluster's only one.
    assert own.without(3, label=1) is None
    assert own.without(3, label=0).tolist() == [4.0]


def test_members_alone_in_their_cluster_are_counted_and_left_out() -> None:
    points, targets = corners()
    labels = np.array([0] * 4 + [1] * 4 + [2] + [-1] * 3)
    rows, at = argmax_of_three(points, targets)
    found = probe(ClusterEffect(**FEW), rows, at, upstream=upstream(labels))
    assert any(note.startswith("1 members are of clusters without rows") for note in found.notes)
    assert found.numbers["kept_predictions"].value == 1.0
    assert np.isnan(found.tables["clusters"]["kept_predictions_own_cluster"].iloc[2])


def test_clusters_count_by_their_size() -> None:
    # Cluster 0: eight rows around one corner. Cluster 1: two rows whose means stand for each other's class.
    points = torch.tensor([[5.0, 0, 0]] * 8 + [[0, 5.0, 0], [0, 0, 5.0]])
    rows, at = argmax_of_three(points, np.array([0] * 8 + [1, 2]))
    found = probe(ClusterEffect(members=2, **FEW), rows, at, upstream=upstream(np.repeat([0, 1], [8, 2])))
    assert found.numbers["kept_predictions"].value == pytest.approx(0.8)


def test_only_the_largest_clusters_are_looked_at_where_that_is_asked_for() -> None:
    points, targets = corners()
    rows, at = argmax_of_three(points, targets)
    found = probe(ClusterEffect(clusters=2, **FEW), rows, at, upstream=upstream(targets))
    assert found.tables["clusters"]["cluster"].tolist() == [0, 1]
    assert found.tables["logits"].query("cluster == 1 and rank == 0")["name"].item() == "class 1"
    assert "The largest 2 of 3 clusters were looked at." in found.notes


def test_pictures_are_drawn_and_the_same_seed_gives_the_same() -> None:
    module = dense(4, 8, 8, 3)
    rows, at = probed(module, torch.randn(30, 4), np.arange(30) % 3)
    with torch.no_grad():
        rows = replace(rows, layer="1", activations=module[:2](torch.from_numpy(rows.activations)).numpy())
    at = replace(at, layer="1")
    labels = np.arange(30) % 4
    analysis = ClusterEffect(members=3, **FEW)
    one, other = (probe(analysis, rows, at, upstream=upstream(labels)) for _ in range(2))
    assert dict(one.numbers) == dict(other.numbers)
    outcomes = {"network": (Outcome(rows, one, {}),), "random_init": (Outcome(rows, other, {}),)}
    assert [each.name for each in analysis.draw(outcomes, subject="S.")] == [
        "cluster-effect",
        "cluster-logits",
    ]


def test_what_cannot_be_replaced_is_said() -> None:
    points, targets = corners()
    rows, at = argmax_of_three(points, targets)
    none = probe(ClusterEffect(**FEW), rows, at, upstream=upstream(np.full(12, -1)))
    assert (dict(none.numbers), none.notes[0][:21]) == ({}, "No cluster was found:")
    assert len(ClusterEffect(**FEW).draw({"network": (Outcome(rows, none, {}),)}, subject="S.")) == 1
    with pytest.raises(DataError, match="gives no clusters"):
        probe(ClusterEffect(**FEW), rows, at, upstream={"clusters": Findings()})
    bare: Rows = replace(rows, activations=None)
    with pytest.raises(DataError, match="needs activations"):
        probe(ClusterEffect(**FEW), bare, at, upstream=upstream(targets))
    few = {"half": {"class 0": "first"}}
    with pytest.raises(DataError, match="no group for class 1"):
        probe(ClusterEffect(abstractions=few, **FEW), rows, at, upstream=upstream(targets))


def test_a_token_is_replaced_by_tokens_of_other_texts_and_next_tokens_are_named() -> None:
    rows, at = transformer("gpt2")
    labels = np.array([0, 0, 0, 1, 1, 1])
    found = probe(ClusterEffect(top=2, **FEW), rows, at, upstream=upstream(labels))
    assert {"kept_predictions", "kl_divergence.nearest_cluster"} <= set(found.numbers)
    # By hand: what the network says after token 8 of the first text, whose cluster has token 2 of the second.
    assert rows.activations is not None
    module = at.network.module
    replacement = torch.from_numpy(rows.activations[2])

    def put(part, args, output):
        output = output.clone() if isinstance(output, torch.Tensor) else output[0].clone()
        output[0, 8] = replacement
        return output

    ids = at.examples.batch([0])
    with torch.no_grad():
        before = module(ids).logits[0, 8].log_softmax(-1)
        handle = module.get_submodule(rows.layer).register_forward_hook(put)
        after = module(ids).logits[0, 8].log_softmax(-1)
        handle.remove()
    kl = float((before.exp() * (before - after)).sum() / np.log(2))
    # Two rows of the first text and one of the second: the second one's place is taken by the others' mean.
    assert found.tables["clusters"]["replaced"].tolist() == [3, 3]
    intervention = Intervention(at, rows, reads_units=False)
    change, _ = replacement_by(lambda row: rows.activations[2].astype(np.float64), np.array([1]))
    (reached,) = intervention.batches(np.array([1]), [change])
    assert divergences(reached.output[:1], reached.output[1:])[0].item() == pytest.approx(kl, rel=1e-3)
    logits = found.tables["logits"]
    assert logits.groupby("cluster").size().tolist() == [2, 2]
    assert logits["name"].str.startswith(" word").all()


def test_an_encoder_has_angles_for_predictions() -> None:
    rows, at = transformer("bert")
    found = probe(ClusterEffect(**FEW), rows, at, upstream=upstream(np.array([0, 1, 0, 1, 0, 1])))
    assert 0 < found.numbers["output_angle"].value < 180
    assert "kept_predictions" not in found.numbers
    assert "logits" not in found.tables
    assert "no logits" in " ".join(found.notes)
