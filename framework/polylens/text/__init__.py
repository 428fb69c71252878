"""Text: documents in, tokens with their places in the text out. What stands behind a door may change."""

from polylens.text.documents import Document, Documents, InMemory
from polylens.text.examples import Packing, open_text
from polylens.text.files import TextFiles
from polylens.text.hub_table import HubTable
from polylens.text.tables import TextTables
from polylens.text.taken import taken_documents
from polylens.text.tokenizer_files import read_tokenizer, tokenizer_files

__all__ = [
    "Document",
    "Documents",
    "HubTable",
    "InMemory",
    "Packing",
    "TextFiles",
    "TextTables",
    "open_text",
    "read_tokenizer",
    "taken_documents",
    "tokenizer_files",
]
