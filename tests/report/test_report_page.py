"""The report as a page: what it says, that data stay data, that it is bounded and fetches nothing."""

from __future__ import annotations

import dataclasses
import io
import random
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from tests.browsing import emulate

from polylens.figures import cluster_sizes
from polylens.records import (
    ClusterLabel,
    Comparison,
    Context,
    Draws,
    Figure,
    Number,
    Pair,
    Shown,
    Skipped,
    TokenContext,
    Verdict,
)
from polylens.report import (
    ClusterCard,
    ClusterCards,
    LabelSheet,
    PeopleSaid,
    PeopleTable,
    PictureLine,
    PictureSheet,
    Report,
    Score,
    ScoreTable,
)
from polylens.report.answer import headline
from polylens.report.page import render, render_pictures
from polylens.report.passages import passage

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{7*7}} {% raw %} ${7*7}",
    "</style><style>*{display:none}</style>",
    "</pre></details><!-- ",
    "javascript:alert(1)",
    "\u202eright to left\u202c مرحبا \u0000\ud800\u0007",
    "W" * 500,
)


def png(side: int = 8, seed: int = 0) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "PNG")
    return stream.getvalue()


def contexts(n: int, *, side: int = 8, title: str = "image") -> tuple[Context, ...]:
    return tuple(Context(f"{title} {i}", png(side, i)) for i in range(n))


def label(
    cluster: int, *, guess: str = "digit 3", share: float = 0.97, above_chance: bool = True
) -> ClusterLabel:
    return ClusterLabel(cluster, guess, 40, share, 9.7, 2.1, 0.005 if above_chance else 0.31, above_chance)


def drawn(*values: float | None, why: str = "") -> Draws:
    return Draws(tuple(None if value is None else Number(value) for value in values), why)


def quality(text: str = "") -> ScoreTable:
    interval, chance = "5 to 95 % of 200 resamples", "labels shuffled"
    purity = Number(0.96, 0.94, 0.98, interval, 0.13, chance)
    return ScoreTable(
        "quality" + text,
        (
            Score(
                "purity" + text,
                purity,
                {"random_init": drawn(0.40, 0.42), "raw_inputs": drawn(0.9)},
            ),
            Score("coverage" + text, Number(0.81), {"random_init": drawn(0.61, 0.63)}),
            Score("n_clusters" + text, Number(12.0, unit=text), {"random_init": drawn(5.0, 6.0)}),
        ),
        note=text,
    )


def passages(n: int, text: str = "") -> tuple[Shown, ...]:
    around = " of the Python manual, in which words stand around a token" * 4
    return tuple(
        TokenContext(f"library.txt, token {i}{text}", f"{around} {text}", f" the{text}", f"{text} {around}")
        for i in range(n)
    )


def text_report(text: str = "", *, n_clusters: int = 30) -> Report:
    cards = tuple(
        ClusterCard(
            i, 40 - i, label(i, guess=text or '"the" · after "of"'), passages(9, text), passages(3, text)
        )
        for i in range(n_clusters)
    )
    return dataclasses.replace(
        report(text), clusters=(ClusterCards("clusters", cards, "HDBSCAN.", passages(6, text), 9),)
    )


def report(text: str = "", *, n_clusters: int = 30, side: int = 8) -> Report:
    cards = tuple(
        ClusterCard(
            i,
            40 - i,
            label(i, guess=text or f"digit {i}", above_chance=i % 3 > 0),
            contexts(4, side=side, title=text),
        )
        for i in range(n_clusters)
    )
    figure = Figure(
        "sizes", "Sizes" + text, "Layer hidden.3" + text, cluster_sizes(np.array([0, 0, 1, -1])), text
    )
    return Report(
        title="digits" + text,
        about="What was done." + text,
        claim="Clusters mean one thing." + text,
        subject="Layer hidden.3 of mlp, 719 rows." + text,
        facts=(("rows" + text, "719" + text),),
        scores=(quality(text),),
        clusters=(
            ClusterCards("clusters" + text, cards, "HDBSCAN." + text, contexts(3, side=side, title=text), 9),
        ),
        labels=(LabelSheet("clusters", ("words" + text, "anna"), ((0, 40, "loops" + text, "one" + text),)),),
        people=(said(text),),
        figures=(figure,),
        notes=("Intervals resample images." + text,),
        skipped=(Skipped("img1" + text, "truncated" + text),),
        provenance={"git_commit" + text: "84a3192" + text},
        spec="seed: 0\n" + text,
    )


def said(text: str = "") -> PeopleSaid:
    one = Number(0.5, 0.2, 0.8, "90 % interval of 10 verdicts" + text)
    tally = PeopleTable("Tally" + text, ("who" + text, "one meaning"), ((("anna" + text,), one),))
    nobody = PeopleTable("Agreement", ("who", "kappa"), ((("anna and ben", "too few" + text), None),))
    return PeopleSaid("anna judged 2 of 30 clusters" + text, (tally, nobody))


class Page(HTMLParser):
    """Tags, attributes and text of a page, as a browser would take them apart."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self._skip = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._skip += tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._skip -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self.text += data

    def values(self, name: str) -> list[str]:
        return [value for _, found, value in self.attributes if found == name]


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_the_answer_stands_first_and_is_made_of_the_scores() -> None:
    text = squeezed(Page(render(report())).text)
    answer = (
        "Purity 0.96 at coverage 0.81; random init 0.40 at 0.61, 0.42 at 0.63; raw inputs 0.90;"
        " shuffled labels reach purity 0.13."
    )
    assert answer in text
    assert text.index(answer) < text.index("Cluster 0") < text.index("84a3192")


def test_the_headline_is_the_number_and_its_least_lead() -> None:
    def lead(value: float) -> Comparison:
        return Comparison("at equal coverage", (), Number(value, value - 0.1, value + 0.1))

    def said(**comparisons: Comparison) -> str:
        purity = Score("purity", Number(0.96), comparisons=comparisons, headline=True)
        coverage = Score("coverage", Number(0.81), headline=True)
        return headline((ScoreTable("quality", (coverage, purity)),))

    assert said() == "Purity 0.96 at coverage 0.81."
    one = "Purity 0.96 at coverage 0.81; its lead over raw inputs is +0.20 [0.10, 0.30]."
    assert said(raw_inputs=lead(0.2)) == one
    two = "its least lead over a control is -0.40 [-0.50, -0.30], over random init."
    assert said(raw_inputs=lead(0.2), random_init=lead(-0.4)).endswith(two)
    without = said(raw_inputs=lead(0.2), random_init=Comparison("", (None,), None, "no clusters"))
    assert without.endswith("; no lead over random init is defined.")
    assert headline(()) == ""


def test_a_claim_stands_beside_what_the_numbers_say_of_it() -> None:
    verdict = Verdict("undecided", "quality/purity <= 0.5", "The interval holds 0.5.")
    decided = dataclasses.replace(report(), verdict=verdict)
    text = squeezed(Page(render(decided)).text)
    assert "Claim under test Undecided Clusters mean one thing." in text
    assert "The interval holds 0.5. Refuted if quality/purity <= 0.5." in text
    assert "Undecided" not in render(report())
    several = Verdict("refuted", "a/b <= 1, or a/c <= a/b", "a/b lies below 1")
    text = squeezed(Page(render(dataclasses.replace(report(), verdict=several))).text)
    assert "a/b lies below 1. Refuted if any of 2 comparisons holds a/b <= 1 a/c <= a/b" in text


def test_only_what_is_on_the_page_is_explained() -> None:
    with_clusters, without = (
        Page(render(dataclasses.replace(report(), clusters=clusters))).text
        for clusters in (report().clusters, ())
    )
    assert "Mixed, and no name" in with_clusters
    assert "Stability range" not in with_clusters
    assert "Mixed, and no name" not in without
    ratio = ScoreTable("density", (Score("ratio", Number(1.2)),))
    assert "How to read" in render(Report(title="x", scores=(ratio,)))
    assert "cluster" not in Page(render(Report(title="x", scores=(ratio,)))).text


def test_scores_marked_as_headlines_make_the_answer() -> None:
    ratio = Number(1.16, 1.13, 1.19)
    table = ScoreTable(
        "density",
        (
            Score("raw", Number(1.2)),
            Score("matched_ratio", ratio, {"random_init": drawn(1.01)}, headline=True),
        ),
    )
    text = Page(render(Report(title="x", scores=(table,)))).text
    assert "Matched ratio 1.16 [1.13, 1.19] (random init 1.01)." in text


PAIRED = (
    Score("purity", Number(1.0), {"random_init": drawn(0.83, None, 0.11, why="no clusters")}, headline=True),
    Score("coverage", Number(0.8), {"random_init": drawn(0.24, 0.0, 0.96)}, headline=True),
)
"""Purity of two draws beside coverage of three."""


def test_a_controls_scores_are_paired_within_each_draw_and_a_draw_without_clusters_is_named() -> None:
    text = squeezed(Page(render(Report(title="x", scores=(ScoreTable("quality", PAIRED),)))).text)
    answer = (
        "Purity 1.00 at coverage 0.80; random init 0.83 at 0.24, 0.11 at 0.96, no clusters in 1 of 3 draws."
    )
    assert answer in text
    # The means are of different draws: the table shows each draw in its order, and says what a dash is.
    assert "purity 1.00 0.47 (draws: 0.83, –, 0.11)" in text
    assert "coverage 0.80 0.40 (draws: 0.24, 0, 0.96)" in text
    assert "A dash among draws: that draw has no such number (no clusters)" in text


def test_of_many_draws_the_mean_is_over_those_that_have_both_scores() -> None:
    scores = (
        Score("purity", Number(1.0), {"random_init": drawn(*[0.5, 0.7] * 3, None, why="no clusters")}),
        Score("coverage", Number(0.8), {"random_init": drawn(*[0.2, 0.4] * 3, 0.0)}),
    )
    text = squeezed(Page(render(Report(title="x", scores=(ScoreTable("quality", scores),)))).text)
    # 0.30 and not 0.26: the draw without clusters is in neither mean.
    assert "random init 0.60 at 0.30, mean of 6 draws, no clusters in 1 of 7 draws." in text
    assert "0.60 (6 of 7 draws: 0.50 to 0.70)" in text


def test_a_network_without_clusters_has_no_purity_and_its_controls_are_shown() -> None:
    scores = (Score("purity", None, {"raw_inputs": drawn(0.9)}), Score("coverage", Number(0.0)))
    text = squeezed(Page(render(Report(title="x", scores=(ScoreTable("quality", scores),)))).text)
    assert "Purity not defined, coverage 0; raw inputs 0.90." in text
    assert "purity – 0.90" in text


def test_what_is_compared_on_equal_terms_is_said_with_both_numbers_and_the_lead() -> None:
    lead = Number(0.4, 0.3, 0.5, "90 % interval", chance=0.01)
    compared = {
        "random_init": Comparison("as many rows", (Pair(1.0, 0.6, 0.2), None), lead, "no clusters"),
        "raw_inputs": Comparison("as many rows", (None,), None, "no clusters"),
    }
    score = Score("purity", Number(1.0), comparisons=compared, headline=True)
    text = squeezed(Page(render(Report(title="x", scores=(ScoreTable("quality", (score,)),)))).text)
    said = (
        "1.00 against random init 0.60 (lead +0.40 [0.30, 0.50]; 1 of 2 draws, the others have no clusters)"
    )
    assert f"Purity as many rows: {said}; raw inputs no clusters." in text
    assert "random init (draw 1) 0.20 1.00 0.60 0.40 random init (draw 2) no clusters" in text
    assert "In brackets: 90 % interval." in text


def test_a_range_of_subsamples_stands_in_no_brackets_of_an_interval() -> None:
    stable = Number(0.9, 0.91, 0.95, "5 to 95 % of 10 subsamples", range_is="stability")
    text = squeezed(
        Page(render(Report(title="x", scores=(ScoreTable("q", (Score("coverage", stable),)),)))).text
    )
    assert "coverage 0.90 (stability range 0.91 to 0.95)" in text
    assert "[0.91" not in text
    assert "In brackets:" not in text
    assert "may lie beside its number: 5 to 95 % of 10 subsamples." in text


def test_an_empty_report_is_a_page() -> None:
    page = Page(render(Report(title="nothing")))
    assert "nothing" in page.text
    assert page.tags.count("h1") == 1
    assert "img" not in page.tags


def test_a_partition_without_clusters_says_so() -> None:
    page = Page(render(Report(title="x", clusters=(ClusterCards("clusters", (), noise_size=719),))))
    assert "There are no clusters: every row is noise." in page.text
    assert "719 rows" in squeezed(page.text)


def test_a_card_says_in_words_how_far_a_name_can_be_trusted() -> None:
    def card(entry: ClusterLabel) -> str:
        cards = ClusterCards("c", (ClusterCard(7, 5, entry),))
        return squeezed(Page(render(Report(title="x", clusters=(cards,)))).text)

    named, mixed, chance = card(label(7)), card(label(7, share=0.34)), card(label(7, above_chance=False))
    assert "digit 3 Above chance, and most held-out rows fit" in named
    assert "mixed, more digit 3 Above chance, but no majority of held-out rows" in mixed
    assert "no name Within chance best guessdigit 3" in chance
    assert not any("strong" in text.lower() for text in (named, mixed, chance))


def test_a_card_says_size_share_lift_chance_and_p() -> None:
    card = ClusterCard(7, 1234, label(7), contexts(2, title="near"), contexts(2, title="any"))
    text = squeezed(Page(render(Report(title="x", clusters=(ClusterCards("c", (card,)),)))).text)
    for said in ("Cluster 7", "1,234 rows", "97 %", "9.70 (2.10)", "0.005", "Central", "Random"):
        assert said in text


def test_clusters_beyond_two_dozen_are_folded() -> None:
    page = Page(render(report(n_clusters=30)))
    assert "6 more clusters" in page.text
    assert page.text.count("Cluster ") == 30


def test_every_score_stands_beside_its_controls_and_chance() -> None:
    text = squeezed(Page(render(report())).text)
    assert "score network chance random init raw inputs" in text
    assert "purity 0.96 [0.94, 0.98] 0.13 0.41 (draws: 0.40, 0.42) 0.90" in text
    assert "n clusters 12 – 5.50 (draws: 5, 6) –" in text
    assert "In brackets: 5 to 95 % of 200 resamples." in text
    assert "Chance: labels shuffled." in text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_data_stay_text(hostile: str) -> None:
    plain, page = Page(render(report("harmless"))), Page(render(report(hostile)))
    seen = "".join(c for c in hostile if c not in "\u0000\ud800\u0007")
    assert page.text.count(seen) >= 15
    # The same elements, with attributes of the same names: nothing was added by the data.
    assert page.tags == plain.tags
    assert [(tag, name) for tag, name, _ in page.attributes] == [
        (tag, name) for tag, name, _ in plain.attributes
    ]
    assert page.tags.count("script") == 1, "the page's own"
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_the_page_can_be_written_as_utf_8(hostile: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(report(hostile)), encoding="utf-8")
    assert path.stat().st_size > 1000


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_texts_stay_text(hostile: str) -> None:
    plain, page = Page(render(text_report("harmless"))), Page(render(text_report(hostile)))
    assert page.tags == plain.tags
    assert [(tag, name) for tag, name, _ in page.attributes] == [
        (tag, name) for tag, name, _ in plain.attributes
    ]
    assert page.tags.count("script") == 1, "the page's own"
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]


def test_a_token_is_marked_in_its_text() -> None:
    seen = TokenContext("a.txt", "one\n\n   two", " three", ", four  five")
    card = ClusterCard(0, 5, None, (seen,))
    page = render(Report(title="x", clusters=(ClusterCards("c", (card,)),)))
    assert "<bdi>one two </bdi><mark><bdi>three</bdi></mark><bdi>, four five</bdi>" in page
    assert 'title="a.txt"' in page


def test_tokens_of_white_space_or_nothing_can_be_seen() -> None:
    for token, seen in (("\n", "⏎"), ("    ", "␣×4"), ("", "∅")):
        assert passage(TokenContext("", "a", token, "b")).token == seen


def test_long_texts_are_cut_at_words_and_the_cut_is_shown() -> None:
    found = passage(TokenContext("", "word " * 100, "token", " word" * 100))
    assert found.before.startswith("…word word")
    assert found.after.endswith("word word…")
    assert len(found.before) < 130
    assert len(found.after) < 100
    assert passage(TokenContext("", "W" * 500, "x", "W" * 500)).after == "W" * 80 + "…"


def test_texts_beyond_the_first_four_of_a_kind_are_folded() -> None:
    page = render(text_report(n_clusters=1))
    card = page[page.index('id="p1-0"') :]
    assert Page(page).tags.count("mark") == 9 + 3 + 6
    assert card.index("</details>") > card.index("More central") > card.index('<details class="opened">')
    # Of the cluster's central texts and of the noise's four are shown.
    assert Page(card[: card.index("<details")]).tags.count("mark") == 4 + 3
    assert "2 more" in Page(page).text


def test_nothing_is_fetched_from_elsewhere() -> None:
    page = render(report())
    parsed = Page(page)
    assert parsed.values("src")
    assert page.count("url(") == page.count("url(data:image/") == 1, "the sheet of examples"
    assert all(value.startswith("data:image/") for value in parsed.values("src"))
    anchors = parsed.values("href")
    assert all(value.startswith("#") for value in anchors)
    assert {value[1:] for value in anchors} <= set(parsed.values("id"))
    assert "@import" not in page
    policy = page[page.index("default-src 'none'") :].partition('"')[0]
    script = page[page.index("<script>") + len("<script>") : page.index("</script>")]
    assert f"script-src 'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" in policy
    assert "http" not in script


def test_every_picture_has_a_text_and_headings_come_in_order() -> None:
    page = Page(render(report()))
    alts = [value for tag, name, value in page.attributes if tag == "img" and name == "alt"]
    assert len(alts) == page.tags.count("img")
    assert all(alts)
    assert page.values("role").count("img") == 30 * 4 + 3
    levels = [int(tag[1]) for tag in page.tags if tag in ("h1", "h2", "h3", "h4", "h5")]
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    assert ("html", "lang", "en") in page.attributes
    assert page.tags.count("th") == page.values("scope").__len__()
    ids = page.values("id")
    assert len(ids) == len(set(ids))


def test_the_page_stays_within_its_bytes_and_says_what_was_left_out() -> None:
    # Noise does not compress: a tile takes at least a kilobyte, however small it is made.
    card = ClusterCard(0, 5, None, contexts(60, side=100))
    full = dataclasses.replace(report(), clusters=(ClusterCards("c", (card,)),))
    rest = len(render(dataclasses.replace(full, clusters=())))
    figure = len(render(full, most_bytes=0))
    assert len(render(full)) > rest + 300_000
    small = render(full, most_bytes=130_000)
    assert len(small) < figure + 130_000
    assert "pictures were left out" not in small, "they are smaller"
    few = render(full, most_bytes=50_000)
    assert len(few) < figure + 52_000, "with the places of the tiles"
    assert "pictures were left out" in few
    assert few.count('class="tile"') + few.count("no picture") == 60
    assert few.count('class="tile"') > 5
    assert 'alt="Sizes"' in few


def test_large_examples_are_made_small() -> None:
    card = ClusterCard(0, 5, None, contexts(1, side=1000))
    page = render(Report(title="x", clusters=(ClusterCards("c", (card,)),)))
    assert "data:image/webp" in page
    assert len(page) < 80_000


def test_a_broken_picture_leaves_a_place_and_a_note() -> None:
    card = ClusterCard(0, 5, None, (Context("broken", b"no picture"), Context("cut", png(50)[:200])))
    figure = Figure("a", "A figure", "", b"")
    page = Page(render(Report(title="x", clusters=(ClusterCards("c", (card,)),), figures=(figure,))))
    assert "img" not in page.tags
    assert "3 pictures could not be read." in page.text


def test_the_same_report_gives_the_same_page() -> None:
    assert render(report()) == render(report())


def test_skipped_examples_are_counted_and_only_the_first_are_named() -> None:
    skipped = tuple(Skipped(f"img{i}", "truncated") for i in range(1000))
    text = squeezed(Page(render(Report(title="x", skipped=skipped))).text)
    assert "1,000 files, rows or examples were left out" in text
    assert "and 800 more" in text
    assert "img199 " in text
    assert "img200 " not in text


def hostile_report() -> Report:
    texts = random.Random(0).sample(HOSTILE, len(HOSTILE))
    return dataclasses.replace(report(" ".join(texts)), facts=tuple((text, text) for text in texts))


def hostile_text_report() -> Report:
    return text_report(" ".join(random.Random(0).sample(HOSTILE, len(HOSTILE))))


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 390, 700, 1280])
@pytest.mark.parametrize("made", [report, hostile_report, text_report, hostile_text_report])
def test_no_page_is_wider_than_its_window(made: Any, width: int, browser: Chrome, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(made()), encoding="utf-8")
    emulate(browser, width)
    browser.get(path.as_uri())
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    wide = """
        return [...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, pre, .frame'))
          .filter(e => e.getBoundingClientRect().width && e.getBoundingClientRect().right > innerWidth + 1)
          .map(e => e.outerHTML.slice(0, 80));
        """
    assert browser.execute_script(wide) == []


@pytest.mark.browser
def test_a_browser_runs_nothing_of_the_data_logs_nothing_and_asks_for_nothing(
    browser: Chrome, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(hostile_report()), encoding="utf-8")
    browser.get(path.as_uri())
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]
    asked = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in asked if not name.startswith("data:")] == []
    assert browser.execute_script("return document.scripts.length") == 1
    assert "<script>alert(1)</script>" in browser.execute_script("return document.body.textContent")
    shown = "return [...document.images].every(image => image.complete && image.naturalWidth > 0)"
    assert browser.execute_script(shown)


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("made", [report, text_report])
def test_text_stands_out_from_its_ground(made: Any, dark: bool, browser: Chrome, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(made()), encoding="utf-8")
    emulate(browser, 1280, dark=dark)
    browser.get(path.as_uri())
    # WCAG 2.2, contrast ratio of every element with text of its own against the nearest painted ground.
    faint = browser.execute_script(
        """
        const line = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        const light = c => 0.2126 * line(c[0] / 255) + 0.7152 * line(c[1] / 255) + 0.0722 * line(c[2] / 255);
        const rgb = text => text.match(/[\\d.]+/g).map(Number);
        const ground = e => {
          for (; e; e = e.parentElement) {
            const c = rgb(getComputedStyle(e).backgroundColor);
            if (c.length < 4 || c[3] > 0) return c;
          }
          return [255, 255, 255];
        };
        const own = e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
        return [...document.body.querySelectorAll('*')].filter(own).map(e => {
          const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))];
          return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.outerHTML.slice(0, 60)];
        }).filter(([ratio]) => ratio < 4.5);
        """
    )
    assert faint == []


@pytest.mark.browser
def test_a_figure_is_enlarged_inside_its_frame_without_script(browser: Chrome, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(report()), encoding="utf-8")
    emulate(browser, 390)
    browser.get(path.as_uri())
    width = "return document.querySelector('figure img').getBoundingClientRect().width"
    assert browser.execute_script(width) < 390
    browser.execute_script("document.querySelector('.zoom').click()")
    assert browser.execute_script(width) == 1216
    assert browser.execute_script("return document.documentElement.scrollWidth") == 390


@pytest.mark.browser
def test_the_page_works_inside_a_frame_without_any_rights(browser: Chrome, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(render(report()), encoding="utf-8")
    frame = "<iframe src=report.html sandbox style='width:700px;height:800px;border:0'></iframe>"
    (tmp_path / "outer.html").write_text(f"<!DOCTYPE html><body>{frame}", encoding="utf-8")
    emulate(browser, 1280)
    browser.get((tmp_path / "outer.html").as_uri())
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]
    browser.switch_to.frame(0)
    assert "Purity 0.96 at coverage 0.81" in browser.find_element("css selector", ".answer").text
    root = browser.find_element("css selector", "html")
    assert int(root.get_property("scrollWidth")) <= 700


def test_what_people_said_stands_above_the_claim_with_its_numbers() -> None:
    page = render(report())
    text = Page(page).text
    assert text.index("anna judged 2 of 30 clusters.") < text.index("Claim under test")
    assert "0.50 [0.20, 0.80]" in " ".join(text.split())
    assert "too few" in text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_pictures_of_a_sheet_name_nothing_where_names_may_not_be_seen(hostile: str) -> None:
    lines = (PictureLine("bdfghjkmnp", "", (Context("secret" + hostile, png()),)),)
    page = render_pictures(PictureSheet("a run" + hostile, lines, names=False))
    assert "secret" not in page
    assert "bdfghjkmnp" in page
    shown = render_pictures(PictureSheet("a run" + hostile, lines, names=True))
    assert "secret" in shown
    assert Page(shown).tags.count("script") == 1
    assert "http-equiv" in shown
