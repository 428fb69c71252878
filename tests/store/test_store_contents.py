"""What goes into the store comes out equal, without pickle, and equal contents give equal bytes."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from polylens.records import (
    Alternative,
    ClusterLabel,
    Figure,
    Findings,
    Hierarchy,
    Labels,
    Number,
    Partition,
    Subhierarchy,
)
from polylens.store import (
    ArrayWriter,
    load_array,
    load_figures,
    load_findings,
    load_labels,
    load_number,
    load_table,
    save_array,
    save_figures,
    save_findings,
    save_labels,
    save_number,
    save_table,
)


def table():
    return pd.DataFrame(
        {
            "z": np.array([1, 2], dtype=np.int32),
            "a": ["x", None],
            "f": np.array([np.nan, 1.5], dtype=np.float32),
            "flag": [True, False],
            "kind": pd.Categorical(["b", "a"], categories=["b", "a"]),
            "object": pd.Series(["x", "y"], dtype=object),
        }
    )


def test_tables_keep_column_order_and_types(tmp_path):
    save_table(tmp_path / "t.parquet", table())
    pd.testing.assert_frame_equal(load_table(tmp_path / "t.parquet"), table())


def test_equal_tables_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        save_table(tmp_path / name, table())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_empty_and_indexed_tables_come_back(tmp_path):
    for name, frame in {
        "empty": pd.DataFrame({"a": pd.Series([], dtype=np.float64)}),
        "index": pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="layer")),
    }.items():
        save_table(tmp_path / name, frame)
        pd.testing.assert_frame_equal(load_table(tmp_path / name), frame)


@pytest.mark.parametrize("frame", [pd.DataFrame({0: [1]}), pd.DataFrame({"a": [1, "x"]})])
def test_tables_that_parquet_cannot_hold_are_refused(tmp_path, frame):
    with pytest.raises(TypeError):
        save_table(tmp_path / "t", frame)


def _hierarchy() -> Hierarchy:
    return Hierarchy(np.array([0, 2, 1]), np.array([0.5, 2.0]), np.array([0.5, 2.0, 0.5]), "hamming", 2)


def test_findings_come_back_equal(tmp_path):
    partition = Partition(
        labels=np.array([0, -1, 0], dtype=np.int64),
        strength=np.array([1.0, 0.0, 0.5], dtype=np.float32),
        exemplars=np.array([2], dtype=np.int64),
        method="HDBSCAN",
        space="code",
        persistence=np.array([0.25]),
        hierarchy=_hierarchy(),
        alternatives=(
            Alternative(
                "min_cluster_size", 5, np.array([0, 2], dtype=np.int64), np.array([0, 0], dtype=np.int64)
            ),
        ),
    )
    numbers = {
        "purity": Number(np.float64(0.5), low=0.1, high=math.inf, interval="90 %", chance=0.2, unit="share"),
        "ari": Number(math.nan),
    }
    findings = Findings(
        numbers,
        {"sizes/by class": table()},
        partition,
        hierarchy=_hierarchy(),
        subhierarchies=(Subhierarchy(np.array([0, 2, 5]), _hierarchy()),),
        notes=("3 rows left out",),
    )
    save_findings(tmp_path, findings)
    found = load_findings(tmp_path)
    assert list(found.numbers) == ["purity", "ari"]
    assert found.numbers["purity"] == numbers["purity"]
    assert math.isnan(found.numbers["ari"].value)
    assert found.numbers["ari"].low is None
    pd.testing.assert_frame_equal(found.tables["sizes/by class"], table())
    assert found.notes == ("3 rows left out",)
    assert found.partition is not None
    for name in ("labels", "strength", "exemplars", "persistence"):
        before, after = getattr(partition, name), getattr(found.partition, name)
        assert after.dtype == before.dtype
        np.testing.assert_array_equal(after, before)
    assert found.hierarchy is not None
    assert found.partition.hierarchy is not None
    for hierarchy in (found.hierarchy, found.partition.hierarchy, found.subhierarchies[0].hierarchy):
        assert (hierarchy.metric, hierarchy.min_samples) == ("hamming", 2)
        for name in ("order", "heights", "core"):
            np.testing.assert_array_equal(getattr(hierarchy, name), getattr(_hierarchy(), name))
    np.testing.assert_array_equal(found.subhierarchies[0].rows, [0, 2, 5])
    assert (found.partition.method, found.partition.space) == ("HDBSCAN", "code")
    assert found.partition.alternatives[0].value == 5
    np.testing.assert_array_equal(found.partition.alternatives[0].rows, [0, 2])


def test_equal_findings_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save_findings(tmp_path / name, Findings({"n": Number(1.0)}, {"t": table()}))
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert len(files) == 2
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_findings_without_a_partition_have_none(tmp_path):
    save_findings(tmp_path, Findings())
    assert load_findings(tmp_path) == Findings()


def test_labels_come_back_equal(tmp_path):
    cluster = ClusterLabel(
        cluster=np.int64(0), guess="sevens", size=10, share=0.9, lift=9.0, chance_lift=math.inf, p_value=0.01,
        above_chance=np.bool_(True),
    )  # fmt: skip
    labels = Labels((cluster,), {"named_fraction": Number(1.0)}, {"all": table()}, ("one weak",))
    save_labels(tmp_path, labels)
    found = load_labels(tmp_path)
    assert found.clusters == labels.clusters
    assert found.clusters[0].above_chance is True
    assert found.numbers == labels.numbers
    assert found.notes == labels.notes
    pd.testing.assert_frame_equal(found.tables["all"], table())


def test_figures_come_back_equal_and_in_order(tmp_path):
    figures = tuple(Figure(name, "Title", "Caption – é", b"\x89PNG" + name.encode(), "alt") for name in "ba")
    save_figures(tmp_path, figures)
    assert load_figures(tmp_path) == figures


def test_a_number_comes_back_equal(tmp_path):
    save_number(tmp_path, Number(0.25, chance=0.1, chance_is="always the first class"))
    assert load_number(tmp_path) == Number(0.25, chance=0.1, chance_is="always the first class")


def test_arrays_are_mapped_and_never_pickled(tmp_path):
    array = np.arange(6, dtype=np.float32).reshape(3, 2)
    save_array(tmp_path / "a.npy", array)
    mapped = load_array(tmp_path / "a.npy", mapped=True)
    assert isinstance(mapped.base, np.memmap)
    np.testing.assert_array_equal(mapped, array)
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        save_array(tmp_path / "o.npy", np.array([{}], dtype=object))
    np.save(tmp_path / "p.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        load_array(tmp_path / "p.npy", mapped=True)


@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (0,)])
def test_arrays_without_elements_can_be_written_and_mapped(tmp_path, shape):
    with ArrayWriter(tmp_path / "a.npy", shape=shape, dtype=np.uint8) as writer:
        writer.append(np.zeros(shape, dtype=np.uint8))
    assert load_array(tmp_path / "a.npy", mapped=True).shape == shape


def test_blocks_make_the_array_that_numpy_would_have_written(tmp_path):
    array = np.arange(10, dtype=np.int64).reshape(5, 2)
    with ArrayWriter(tmp_path / "blocks.npy", shape=(5, 2), dtype=np.int64) as writer:
        writer.append(array[:3])
        writer.append(array[3:])
    save_array(tmp_path / "whole.npy", array)
    assert (tmp_path / "blocks.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


@pytest.mark.parametrize("blocks", [[4], [3, 3], [1]])
def test_too_many_or_too_few_rows_are_an_error(tmp_path, blocks):
    def write():
        with ArrayWriter(tmp_path / "a.npy", shape=(3,), dtype=np.int64) as writer:
            for length in blocks:
                writer.append(np.zeros(length, dtype=np.int64))

    with pytest.raises(ValueError, match="3 rows"):
        write()


def test_a_block_of_another_type_is_an_error(tmp_path):
    with (
        ArrayWriter(tmp_path / "a.npy", shape=(0, 2), dtype=np.float32) as writer,
        pytest.raises(ValueError, match="float64"),
    ):
        writer.append(np.zeros((0, 2)))
