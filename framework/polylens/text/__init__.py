"""Text: documents in, tokens with their places in the text out. What stands behind a door may change."""

from polylens.text.documents import Document, Documents, InMemory
from polylens.text.examples import Packing, open_text
from polylens.text.files import TextFiles
from polylens.text.tables import TextTables

__all__ = ["Document", "Documents", "InMemory", "Packing", "TextFiles", "TextTables", "open_text"]
