"""Text: documents in, tokens with their places in the text out. What stands behind a door may change."""

from polylens.text.documents import Documents, InMemory, TextDocument
from polylens.text.examples import Packing, open_text
from polylens.text.files import FileDocuments
from polylens.text.hub_table import HubTable
from polylens.text.inputs import TextExamples
from polylens.text.tables import TextTables
from polylens.text.tagged import TaggedDocuments, TagLayout, read_classes
from polylens.text.tagged_examples import CoarseTags, TaggedExamples
from polylens.text.taken import taken_documents
from polylens.text.tokenizer_files import read_tokenizer, tokenizer_files

__all__ = [
    "CoarseTags",
    "Documents",
    "FileDocuments",
    "HubTable",
    "InMemory",
    "Packing",
    "TagLayout",
    "TaggedDocuments",
    "TaggedExamples",
    "TextDocument",
    "TextExamples",
    "TextTables",
    "open_text",
    "read_classes",
    "read_tokenizer",
    "taken_documents",
    "tokenizer_files",
]
