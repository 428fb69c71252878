"""One page of several runs: means over seeds, and nothing of the data as markup."""

from __future__ import annotations

import io

from PIL import Image

from polylens.records import Figure, Mark, Number, Verdict
from polylens.report import Chapter, Dot, Multiple, Overview, RunLine, Section, Spread, SpreadRow, SpreadTable
from polylens.report.page import render_overview

HOSTILE = "<script>alert(1)</script>"


def png(side: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (side, side)).save(stream, "PNG")
    return stream.getvalue()


def page(*, title: str = "density", sides: tuple[int, ...] = (8,), most_bytes: int = 10**6) -> str:
    purity = SpreadRow(
        "purity",
        {"network": Spread((0.5, 0.7)), "random_init": Spread((0.25,))},
        chance=Spread((0.1, 0.1)),
        headline=True,
    )
    clusters = SpreadRow("clusters", {"network": Spread((3.0, 6.0))}, chance=None, headline=False)
    figures = tuple(Figure(f"figure-{side}", title, title, png(side)) for side in sides)
    section = Section(title, title, (SpreadTable(title, (purity, clusters)),), figures)
    return render_overview(
        Overview(title, (Chapter(title, title, title, (section,)),), failed=(title,)), most_bytes=most_bytes
    )


def test_numbers_are_means_with_their_deviation_over_seeds() -> None:
    text = "".join(page().split())
    # (0.5 + 0.7) / 2 = 0.6; sqrt(2 * 0.1^2 / 1) = 0.14
    assert "0.60<small>±0.14</small>" in text
    assert ">0.25<" in text, "of one seed there is no deviation"
    assert "0.10<small>±0</small>" in text
    assert "4.50<small>±2.12</small>" in text
    assert "Morenumbersofdensity" in text


def test_text_from_data_is_never_markup() -> None:
    text = page(title=HOSTILE)
    assert text.count("<script") == 1, "the page's own"
    assert "&lt;script&gt;" in text


def test_pictures_without_room_are_said_to_be_missing() -> None:
    assert page(sides=(8, 16)).count("data:image/png") == 2
    text = page(sides=(8, 16), most_bytes=10)
    assert "data:image/png" not in text
    assert text.count("found no room") == 2


def test_a_number_that_some_draws_lack_says_of_how_many_its_mean_is() -> None:
    row = SpreadRow(
        "purity", {"network": Spread((0.5,)), "random_init": Spread((0.2, 0.4), "2 of 3")}, None, True
    )
    section = Section("x", "x", (SpreadTable("quality", (row,)),), ())
    text = "".join(render_overview(Overview("x", (Chapter("x", "x", "", (section,)),))).split())
    assert "0.30<small>±0.14</small><small>(2of3)</small>" in text


def test_a_spread_of_nothing_has_no_mean_and_stands_as_a_dash() -> None:
    assert Spread(()).mean is None
    row = SpreadRow("purity", {"network": Spread((0.5,)), "random_init": Spread((), "0 of 3")}, None, True)
    section = Section("x", "x", (SpreadTable("quality", (row,)),), ())
    assert '<span class="none">–</span>' in render_overview(
        Overview("x", (Chapter("x", "x", "", (section,)),))
    )


def test_the_claim_of_a_single_run_has_its_verdict_beside_it() -> None:
    line = RunLine("one", "", "", {}, Verdict("supported", "a <= b", "a 2 lies above b 1"))
    text = render_overview(Overview("x", (Chapter("x", "x", "It holds.", (), runs=(line,)),)))
    assert '<span class="verdict">Supported</span>' in text
    assert "A 2 lies above b 1." in text or "a 2 lies above b 1." in text


def test_several_specs_begin_with_all_their_claims() -> None:
    refuted = Verdict("refuted", "a <= b", "so few")
    undecided = Verdict("undecided", "a <= b", "who knows")
    one = RunLine("one", "", "", {"quality: purity": Number(0.5, 0.4, 0.6)}, refuted)
    several = tuple(
        RunLine(f"s {seed}", f"seed {seed}", "", {}, verdict)
        for seed, verdict in enumerate((undecided, refuted, undecided, None))
    )
    chapters = (
        Chapter(HOSTILE, "Are all\nequal? Settings are ours.", "It holds.", (), runs=(one,)),
        Chapter("sweep", "x", "It holds.", (), runs=several),
        Chapter("rules", "x", "", (), runs=(RunLine("none", "", "", {}),)),
    )
    assert chapters[1].decisions == "refuted in 1 run, undecided in 2"
    text = render_overview(Overview("x", chapters))
    first = text[text.index("All claims") : text.index('id="chapter-1"')]
    assert '<a href="#chapter-1">&lt;script&gt;' in first
    assert '<td class="reason refuted"><span class="verdict">Refuted</span></td>' in first
    assert "Are all equal?" in first
    assert "Settings" not in first
    assert "0.50 <small>quality: purity</small>" in first
    assert "refuted in 1 run, undecided in 2" in first
    assert "4 runs" in first
    assert "All claims" not in render_overview(Overview("x", chapters[:1]))


def test_a_sweep_begins_with_each_number_over_what_was_swept_and_a_line_a_run() -> None:
    dots = {
        "network": (Dot("one", 0.5, 0.4, 0.6, "../../report/a/report.html"), Dot(HOSTILE, 0.75)),
        "random_init": (Dot("one", 0.25),),
    }
    marks = {"network": Mark("#0b5fa5", "o"), "random_init": Mark("#c9620a", "s")}
    multiple = Multiple("quality: purity", "layer", ("one", HOSTILE), dots, marks)
    runs = tuple(
        RunLine(f"sweep {layer}", f"layer {layer}", link, {"quality: purity": number}, verdict)
        for layer, link, number, verdict in (
            ("one", "../../report/a/report.html", Number(0.5, 0.4, 0.6), Verdict("refuted", "a <= b", "So.")),
            (HOSTILE, "", None, None),
        )
    )
    chapter = Chapter("x", "x", "It holds.", (), runs=runs, multiples=(multiple,))
    text = render_overview(Overview("x", (chapter,)))
    assert text.count("<svg") == 2 + 1, "two in the key, and the picture"
    assert "Answering numbers over layer" in text
    assert "network: one 0.50 [0.40, 0.60]" in text
    assert text.count('data-report="../../report/a/report.html"') == 2, "at its point and on its line"
    assert 'href="../' not in text, "links are only made where the reports are"
    assert '<td class="reason">Refuted <small>So.</small></td>' in text
    assert "refuted if <code>a &lt;= b</code>" in text
    assert text.count("<script") == 1
