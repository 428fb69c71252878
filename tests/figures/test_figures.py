"""Every figure on ordinary, extreme and degenerate inputs."""

from __future__ import annotations

import inspect
import io
import itertools
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image
from tests.figures.clusters import HOSTILE, WIDE, Case, cluster_cases
from tests.figures.directions import direction_cases
from tests.figures.drawing import axis_texts, laid_out, texts, with_figure
from tests.figures.interventions import intervention_cases
from tests.figures.planes import plane_cases
from tests.figures.polytopes import polytope_cases
from tests.shapes import unchecked

import polylens.figures
from polylens import figures
from polylens.figures.style import DPI, SMALL, WIDTH, sheet
from polylens.records import CodeLayer, Mark, Number

LONG = "n01440764 a tench, or any other name that is much longer than a figure has room for"


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def labels(n_rows: int, n_clusters: int, *, noise: float = 0.3) -> np.ndarray:
    found = rng().integers(0, n_clusters, n_rows)
    found[rng().random(n_rows) < noise] = -1
    found[:n_clusters] = np.arange(n_clusters)[: len(found)]
    return found


def classes(n: int) -> list[str]:
    return [*(f"{i} {LONG}" for i in range(n - 2)), HOSTILE, WIDE][-n:]


def points(n: int) -> np.ndarray:
    return rng().normal(size=(n, 2)) * [3.0, 1.0]


def png(side: int = 8) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(rng().integers(0, 255, (side, side, 3), dtype=np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def number(value: float, *, chance: float | None = None) -> Number:
    return Number(
        value, value - 0.1, value + 0.1, "5 to 95 % of 200 resamples", chance, "labels shuffled", "units"
    )


def stable(value: float) -> Number:
    return Number(value, value - 0.1, value + 0.1, "5 to 95 % of 10 subsamples", range_is="stability")


def layer_table(n_layers: int) -> pd.DataFrame:
    share = np.linspace(0.1, 0.5, n_layers)
    names = [f"features.{i}.branch.conv.activation" for i in range(n_layers)]
    return pd.DataFrame({"layer": names, "same": share, "different": share * 1.3})


VARIANTS = [
    "network",
    "random_init",
    "shuffled_weights",
    "random_labels",
    "second_seed",
    "raw_inputs",
    "mine",
    WIDE,
]
NAN = Number(float("nan"), float("nan"), float("nan"), chance=float("nan"))
NOTHING = np.array([], dtype=np.int64)
NOISE = np.full(20, -1)
CONV = [CodeLayer("conv1", 30), CodeLayer("pool1", 4, bits_per_unit=9, kind="winner"), CodeLayer(WIDE, 3)]


def all_cases() -> dict[str, Case]:
    one, two, sixty = labels(50, 1), labels(300, 2), labels(4000, 60)
    targets = rng().integers(0, 10, 300)
    many = rng().integers(0, 1000, 4000)
    bits = rng().random((300, 69)) < 0.4
    ratio = {v: {f"hidden.{i}": [number(1 + 0.1 * i)] * 3 for i in range(3)} for v in VARIANTS}
    curve = [(3, 0.9, 0.9), (5, 0.8, 0.96), (8, 0.5, 0.97), (9, 0.5, 0.97), (10, 0.49, 0.975)]
    metric = {v: [number(0.5, chance=0.1)] * (1 + i % 3) for i, v in enumerate(VARIANTS)}
    lacking = {"network": [number(0.9)], "random_init": [number(0.5), None, stable(0.1)]}
    pair = {"same": number(9.0), "different": number(11.0)}
    distances = rng().gamma(9.0, 1.0, 500)
    f = figures
    return {
        "sizes of two clusters": (f.cluster_sizes, (two,), {"names": ["a", HOSTILE]}),
        "sizes of one cluster without noise": (f.cluster_sizes, (np.zeros(5, dtype=int),), {}),
        "sizes of sixty clusters with long names": (f.cluster_sizes, (sixty,), {"names": classes(60)}),
        "sizes of sixty clusters, few names": (f.cluster_sizes, (sixty,), {"names": [WIDE]}),
        "sizes, all noise": (f.cluster_sizes, (NOISE,), {}),
        "sizes, no rows": (f.cluster_sizes, (NOTHING,), {}),
        "by class, two clusters": (
            f.clusters_by_class,
            (two,),
            {"targets": targets, "classes": list("0123456789")},
        ),
        "by class, thousand": (f.clusters_by_class, (sixty,), {"targets": many, "classes": classes(1000)}),
        "by class, one class": (
            f.clusters_by_class,
            (one,),
            {"targets": np.zeros(50, dtype=int), "classes": [WIDE]},
        ),
        "by class, unknown class": (f.clusters_by_class, (one,), {"targets": one * 0 - 1, "classes": ["a"]}),
        "by class, all noise": (f.clusters_by_class, (NOISE,), {"targets": NOISE * 0, "classes": ["a"]}),
        "by class, no classes": (f.clusters_by_class, (one,), {"targets": one, "classes": []}),
        "by class, no rows": (f.clusters_by_class, (NOTHING,), {"targets": NOTHING, "classes": ["a"]}),
        "map": (
            f.row_map,
            (points(300),),
            {"labels": two, "targets": targets, "classes": classes(10), "method": "PCA"},
        ),
        "map, sixty clusters": (
            f.row_map,
            (points(4000),),
            {"labels": sixty, "targets": many, "classes": classes(1000), "method": HOSTILE},
        ),
        "map without classes": (
            f.row_map,
            (points(300),),
            {"labels": two, "targets": None, "classes": [], "method": WIDE},
        ),
        "map of one row": (
            f.row_map,
            (points(1),),
            {"labels": np.array([0]), "targets": np.array([0]), "classes": ["a"], "method": "PCA"},
        ),
        "map of equal rows": (
            f.row_map,
            (np.full((20, 2), 1e6),),
            {"labels": NOISE, "targets": None, "classes": [], "method": "PCA"},
        ),
        "map of a line": (
            f.row_map,
            (points(300) * [1, 0],),
            {"labels": two, "targets": targets, "classes": classes(10), "method": "PCA"},
        ),
        "map with lost rows": (
            f.row_map,
            (np.where(points(300) > 0, points(300), np.nan),),
            {"labels": two, "targets": targets, "classes": classes(10), "method": "PCA"},
        ),
        "map of nothing": (
            f.row_map,
            (np.empty((0, 2)),),
            {"labels": NOTHING, "targets": None, "classes": [], "method": "PCA"},
        ),
        "code": (f.code_image, (bits,), {"labels": two, "layers": CONV}),
        "code, sixty clusters": (
            f.code_image,
            (rng().random((4000, 3000)) < 0.5,),
            {"labels": sixty, "layers": [CodeLayer(f"layer{i}", 50) for i in range(60)]},
        ),
        "code of one row": (f.code_image, (bits[:1],), {"labels": np.array([-1]), "layers": CONV}),
        "code of nothing": (f.code_image, (bits[:0],), {"labels": NOTHING, "layers": CONV}),
        "curves": (f.purity_coverage, ({v: [curve] * (1 + i % 3) for i, v in enumerate(VARIANTS)},), {}),
        "curve of one point": (f.purity_coverage, ({"network": [[(5, 1.0, 1.0)]]},), {}),
        "curve, NaN": (f.purity_coverage, ({"network": [[(5, 0.0, float("nan"))], []]},), {}),
        "curve, none": (f.purity_coverage, ({},), {}),
        "scores": (f.scores, (dict.fromkeys(("purity", "n_clusters", WIDE, HOSTILE, "a"), metric),), {}),
        "one score": (f.scores, ({"purity": {"network": [Number(0.5)]}},), {}),
        "score, NaN": (f.scores, ({"purity": {"network": [NAN], "random_init": []}},), {}),
        "score, counts": (
            f.scores,
            ({"n_clusters": {"network": [Number(12.0)], "random_init": [Number(0.0)]}},),
            {},
        ),
        "scores, a draw that lacks one": (f.scores, ({"purity": lacking},), {}),
        "scores, none": (f.scores, ({},), {}),
        "ratios": (f.density_ratios, (ratio,), {"title": HOSTILE}),
        "ratios, many layers": (
            f.density_ratios,
            ({"network": {f"{LONG} {i}": [number(0.1 * i)] for i in range(70)}},),
            {"title": "Density ratio"},
        ),
        "ratios, NaN": (
            f.density_ratios,
            ({"network": {"a": [NAN], "b": [number(1.0)]}},),
            {"title": "Density ratio"},
        ),
        "ratios, none": (f.density_ratios, ({"network": {"a": [NAN]}},), {"title": WIDE}),
        "densities": (f.densities, (dict.fromkeys(VARIANTS, pair),), {}),
        "densities, NaN": (f.densities, ({"network": {"same": NAN, "different": number(3.0)}},), {}),
        "densities, none": (f.densities, ({},), {}),
        "distances": (f.distance_overlap, (distances, distances + 4), {}),
        "distances, far apart": (f.distance_overlap, (distances * 1e-9, distances + 1e9), {}),
        "distances, turned": (f.distance_overlap, (distances + 9, distances), {}),
        "distances, all equal": (f.distance_overlap, (np.ones(3), np.ones(3)), {}),
        "distances, none": (f.distance_overlap, (np.array([]), np.array([np.nan])), {}),
        "matrix": (f.class_matrix, (rng().random((10, 10)),), {"classes": classes(10), "unit": "density"}),
        "matrix of many": (
            f.class_matrix,
            (rng().random((1000, 1000)),),
            {"classes": classes(1000), "unit": WIDE},
        ),
        "matrix with holes": (
            f.class_matrix,
            (np.where(np.eye(40) > 0, np.nan, 1e9 * rng().random((40, 40))),),
            {"classes": classes(40), "unit": "density"},
        ),
        "matrix of one": (f.class_matrix, (np.ones((1, 1)),), {"classes": ["a"], "unit": "density"}),
        "matrix of nothing": (
            f.class_matrix,
            (np.full((3, 3), np.nan),),
            {"classes": list("abc"), "unit": ""},
        ),
        "contingency": (
            f.contingency,
            (rng().integers(0, 90, (4, 3)),),
            {
                "row_names": ["a", "b", "c", "noise"],
                "column_names": ["x", WIDE, "noise"],
                "row_title": "activations",
                "column_title": HOSTILE,
            },
        ),
        "contingency of many": (
            f.contingency,
            (rng().integers(0, 10**7, (60, 60)),),
            {"row_names": classes(60), "column_names": classes(60), "row_title": WIDE, "column_title": WIDE},
        ),
        "contingency of nothing": (
            f.contingency,
            (np.zeros((1, 1), dtype=int),),
            {"row_names": ["a"], "column_names": ["b"], "row_title": "x", "column_title": "y"},
        ),
        "flows": (
            f.flows,
            (np.array([[4, 0, 1], [0, 5, 0], [2, 0, 30]]),),
            {"first": ["0 (a)", "1", "noise"], "second": ["0", HOSTILE, "noise"], "titles": ("A", HOSTILE)},
        ),
        "flows of many": (
            f.flows,
            (rng().integers(0, 10**7, (60, 60)),),
            {"first": [WIDE] * 59 + ["noise"], "second": classes(60), "titles": (WIDE, WIDE)},
        ),
        "flows of nothing": (
            f.flows,
            (np.zeros((1, 1), dtype=int),),
            {"first": ["0"], "second": ["0"], "titles": ("A", "B")},
        ),
        "layer distances": (f.layer_distances, ({v: layer_table(3) for v in VARIANTS},), {}),
        "layer distances, many layers": (f.layer_distances, ({"network": layer_table(60)},), {}),
        "layer distances, zero": (
            f.layer_distances,
            ({"network": pd.DataFrame({"layer": ["a"], "same": [0.0], "different": [float("nan")]})},),
            {},
        ),
        "layer distances, none": (f.layer_distances, ({"network": layer_table(0)},), {}),
        "training": (
            f.training_curve,
            (
                pd.DataFrame(
                    {"epoch": range(60), "loss": np.exp(-np.arange(60.0)), "accuracy": np.linspace(0, 1, 60)}
                ),
            ),
            {},
        ),
        "training of one epoch": (
            f.training_curve,
            (pd.DataFrame({"epoch": [0], "loss": [np.inf], "a": [1.0]}),),
            {},
        ),
        "training without steps": (f.training_curve, (pd.DataFrame({WIDE: [-1e9, np.nan, 1e9]}),), {}),
        "training of nothing": (f.training_curve, (pd.DataFrame({"epoch": []}),), {}),
        "gallery": (
            f.gallery,
            ({"0 · central": [png()] * 5, HOSTILE: [png(300), b"no picture"], WIDE: [png()]},),
            {},
        ),
        "gallery of many": (f.gallery, ({f"{i} {LONG}": [png()] * 20 for i in range(60)},), {}),
        "gallery of nothing": (f.gallery, ({"central": []},), {}),
    }


CASES = (
    all_cases()
    | cluster_cases()
    | direction_cases()
    | intervention_cases()
    | plane_cases()
    | polytope_cases()
)
# By case and not by test, so that one figure is drawn for all tests of it and then forgotten.
case = pytest.mark.parametrize("name", CASES, scope="module")


@lru_cache(maxsize=1)
def made(name: str) -> tuple[bytes, Figure]:
    draw, args, kwargs = CASES[name]
    return with_figure(draw, *args, **kwargs)


def drawn(name: str) -> bytes:
    return made(name)[0]


def figure_of(name: str) -> Figure:
    return made(name)[1]


@case
def test_a_figure_is_a_png_of_reasonable_size_with_something_on_it(name: str) -> None:
    data = drawn(name)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG"
        assert image.width == round(WIDTH * DPI)
        assert 100 < image.height < 3200
        pixels = np.asarray(image.convert("L"))
    assert (pixels < 128).sum() > 200
    assert len(data) < 2_000_000


@case
def test_the_same_arguments_give_the_same_bytes_without_date_or_version(name: str) -> None:
    draw, args, kwargs = CASES[name]
    data = drawn(name)
    with unchecked():  # the shapes are those of the first drawing
        assert draw(*args, **kwargs) == data
    assert b"matplotlib" not in data.lower()
    with Image.open(io.BytesIO(data)) as image:
        assert set(image.info) <= {"dpi"}


@case
def test_no_text_leaves_the_canvas_or_is_too_small_to_read(name: str) -> None:
    with sheet():
        figure = figure_of(name)
        found = texts(figure)
        assert found
        for text in found:
            box = text.get_window_extent()
            assert box.x0 >= -1, text.get_text()
            assert box.x1 <= figure.bbox.x1 + 1, text.get_text()
            assert box.y0 >= -1, text.get_text()
            assert box.y1 <= figure.bbox.y1 + 1, text.get_text()
            assert text.get_fontsize() >= SMALL


@case
def test_the_names_along_an_axis_do_not_lie_on_each_other(name: str) -> None:
    with sheet():
        figure = figure_of(name)
        for axes in figure.axes:
            if not axes.axison:
                continue
            for axis in (axes.xaxis, axes.yaxis):
                boxes = [text.get_window_extent() for text in axis_texts(axis)]
                side = "x" if axis is axes.xaxis else "y"
                spans = sorted((getattr(box, f"{side}0"), getattr(box, f"{side}1")) for box in boxes)
                for (_, end), (start, _) in itertools.pairwise(spans):
                    # Boxes are as tall as the tallest letter with its tail; two pixels of air are not missed.
                    assert start >= end - 3, (name, side)


def test_every_public_figure_is_drawn_here() -> None:
    drawn = {draw.__name__ for draw, _, _ in CASES.values()}
    # What figures take, such as `Ridge`, is public as well.
    assert drawn == {name for name in polylens.figures.__all__ if name.islower()} - {"use_marks"}


def test_the_users_matplotlib_settings_neither_matter_nor_change() -> None:
    import matplotlib as mpl

    plain = figures.cluster_sizes(np.array([0, 0, 1, -1]))
    with mpl.rc_context(
        {"font.size": 30, "figure.facecolor": "red", "text.parse_math": True, "savefig.dpi": 20}
    ):
        before = dict(mpl.rcParams)
        assert figures.cluster_sizes(np.array([0, 0, 1, -1])) == plain
        assert dict(mpl.rcParams) == before


def test_dollar_signs_are_literal() -> None:
    with sheet():
        figure = laid_out(figures.cluster_sizes, np.zeros(3, dtype=int), names=["$x_1$"])
        named = [text for text in texts(figure) if "$x_1$" in text.get_text()]
        assert len(named) == 1
        assert not named[0].get_parse_math()


def test_the_noise_bar_and_the_cluster_bars_are_as_long_as_their_counts() -> None:
    with sheet():
        figure = laid_out(figures.cluster_sizes, np.array([0, 0, 0, 1, -1, -1]))
        bars = figure.axes[0].patches
        assert [bar.get_width() for bar in bars] == [3, 1, 2]


def test_clusters_by_class_counts_rows_and_sorts_by_the_most_common_class() -> None:
    found, targets = np.array([0, 0, 0, 1, 1, -1]), np.array([1, 1, 0, 0, 0, 1])
    with sheet():
        figure = laid_out(figures.clusters_by_class, found, targets=targets, classes=["a", "b"])
        (axes,) = figure.axes
        names = [text.get_text() for text in axes.get_yticklabels()]
        assert names == ["cluster 1 (2)", "cluster 0 (3)", "noise (1)"]
        cells = {text.get_position(): text.get_text() for text in axes.texts}
        # Cluster 1 is all of class a; cluster 0 has one row of a and two of b; the noise is one row of b.
        assert cells == {(0, 0): "2", (0, 1): "1", (1, 1): "2", (1, 2): "1"}
        shares = np.ma.getdata(axes.images[0].get_array())
        np.testing.assert_allclose(shares, [[1, 0], [1 / 3, 2 / 3], [0, 1]])


def test_a_code_image_shows_every_cluster_with_its_own_bits() -> None:
    # Two clusters of opposite codes, in alternating order.
    bits = np.array([[True, False], [False, True]] * 3)
    with sheet():
        figure = laid_out(figures.code_image, bits, labels=np.array([0, 1] * 3), layers=[CodeLayer("a", 2)])
        shown = np.asarray(figure.axes[0].images[0].get_array())
        assert (shown == shown[0]).all(axis=1).tolist() == [True] * 3 + [False] * 3


def test_lines_between_clusters_do_not_cover_clusters_of_a_row_or_two() -> None:
    # A cluster of 200 rows, a hundred of two, and noise: lines stand at the ends of the large bands alone.
    many = np.concatenate([np.zeros(200, int), 1 + np.arange(200) // 2, np.full(200, -1)])
    bits = rng().random((len(many), 4)) < 0.5
    with sheet():
        figure = laid_out(figures.code_image, bits, labels=many, layers=[CodeLayer("a", 4)])
        across = [line for line in figure.axes[0].lines if list(line.get_xdata()) == [0, 1]]
        assert {float(line.get_ydata()[0]) for line in across} == {200.0, 400.0}


def test_clusters_that_are_no_wider_than_a_line_of_text_are_named_as_far_as_there_is_room() -> None:
    each = np.repeat(np.arange(300), 3)
    with sheet():
        figure = laid_out(figures.code_image, rng().random((900, 4)) < 0.5, labels=each, layers=CONV[:1])
        assert 0 < len([text for text in figure.axes[0].texts if text.get_text().isdigit()]) < 60


def test_a_contingency_of_many_shows_the_columns_that_its_largest_rows_fall_into() -> None:
    # 40 groups of rows, each in a group of columns of its own, which stand last; the first columns hold most
    # rows, all of them of the smallest group.
    counts = np.zeros((40, 60), dtype=np.int64)
    counts[np.arange(39), 21 + np.arange(39)] = 2000 - np.arange(39)
    counts[39, :20] = 90
    names = [f"row {place}" for place in range(40)], [f"column {place}" for place in range(60)]
    with sheet():
        figure = laid_out(
            figures.contingency,
            counts,
            row_names=names[0],
            column_names=names[1],
            row_title="these",
            column_title="those",
        )
        shown = {text.get_text() for text in figure.axes[0].get_xticklabels()}
        assert {f"column {21 + place}" for place in range(16)} <= shown
        assert "2.0k" in {text.get_text() for text in figure.axes[0].texts}


def test_a_figure_says_in_its_signature_that_it_gives_bytes() -> None:
    assert inspect.signature(figures.scores).return_annotation == "bytes"
    assert list(inspect.signature(figures.scores).parameters) == ["numbers", "title"]


def test_scores_have_the_heading_that_they_are_given() -> None:
    with sheet():
        figure = laid_out(figures.scores, {"purity": {"network": [Number(0.9)]}}, title="How pure they are")
        assert "How pure they are" in {text.get_text() for text in figure.texts}


def test_spreads_draw_each_variant_by_the_mark_that_the_key_shows() -> None:
    with sheet(), figures.use_marks({"random_init": Mark("#c9620a", "s")}):
        figure = laid_out(
            figures.spreads,
            {"distance": {"network": np.array([1.0, 2.0]), "random_init": np.array([3.0, 4.0])}},
            title="Distances",
            note="",
            unit="length",
            log=False,
            variants=True,
        )
        drawn = {line.get_marker() for axes in figure.axes[1:] for line in axes.lines} - {"None"}
        key = {line.get_marker() for line in figure.axes[0].lines} - {"None"}
        assert drawn == key == {"o", "s"}


def test_points_of_the_scores_stand_at_their_values() -> None:
    with sheet(), figures.use_marks({"random_init": Mark("#c9620a", "s")}):
        figure = laid_out(
            figures.scores,
            {
                "purity": {
                    "network": [Number(0.9, 0.8, 0.95, chance=0.1)],
                    "random_init": [Number(0.4), Number(0.5)],
                }
            },
        )
        lines = figure.axes[0].lines
        dots = sorted(float(line.get_xdata()[0]) for line in lines if line.get_marker() in ("o", "s"))
        chance = [float(line.get_xdata()[0]) for line in lines if line.get_marker() == "|"]
        assert dots == [0.4, 0.5, 0.9]
        assert chance == [0.1]
        assert "0.45" in {text.get_text() for text in figure.axes[0].texts}
