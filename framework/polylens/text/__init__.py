"""Text: documents in, tokens with their places in the text out. What stands behind a door may change."""

from polylens.text.documents import Documents, InMemory, TextDocument
from polylens.text.examples import Packing, open_text
from polylens.text.files import FileDocuments
from polylens.text.hub_table import HubTable
from polylens.text.tables import TextTables
from polylens.text.taken import taken_documents
from polylens.text.tokenizer_files import read_tokenizer, tokenizer_files

__all__ = [
    "Documents",
    "FileDocuments",
    "HubTable",
    "InMemory",
    "Packing",
    "TextDocument",
    "TextTables",
    "open_text",
    "read_tokenizer",
    "taken_documents",
    "tokenizer_files",
]
