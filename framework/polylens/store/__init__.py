"""Results on disk: content-addressed, verified, without pickle.

A stage's result is a folder `<root>/v1/<kind>/<digest>/` with a manifest that holds the sha256 of each file.
The digest names the recipe, so the same work is done once, whoever asks for it.
"""

from polylens.store.annotations import Annotations, find_sheet, has_annotations
from polylens.store.arrays import ArrayWriter, load_array, save_array
from polylens.store.comparisons import load_comparisons, save_comparisons
from polylens.store.disks import Disk, check_shared, disk_of
from polylens.store.figures import load_figures, save_figures
from polylens.store.files import explain_disk_errors, file_from_bytes
from polylens.store.findings import load_findings, save_findings
from polylens.store.finished_jobs import JOBS, mark_finished
from polylens.store.inventory import Holding, Inventory, Leftover, size_of, take_inventory
from polylens.store.keeping import KeptArrays
from polylens.store.labels import load_labels, save_labels
from polylens.store.locks import hold_lock, lock_of
from polylens.store.manifest import DamagedError, Manifest
from polylens.store.numbers import load_number, save_number
from polylens.store.plain import digests_in, json_bytes, read_json, write_json
from polylens.store.stages import Store
from polylens.store.tables import load_table, save_table
from polylens.store.users import cleared, in_use, is_in_use, trackers
from polylens.store.versions import package_versions, version_of

__all__ = [
    "JOBS",
    "Annotations",
    "ArrayWriter",
    "DamagedError",
    "Disk",
    "Holding",
    "Inventory",
    "KeptArrays",
    "Leftover",
    "Manifest",
    "Store",
    "check_shared",
    "cleared",
    "digests_in",
    "disk_of",
    "explain_disk_errors",
    "file_from_bytes",
    "find_sheet",
    "has_annotations",
    "hold_lock",
    "in_use",
    "is_in_use",
    "json_bytes",
    "load_array",
    "load_comparisons",
    "load_figures",
    "load_findings",
    "load_labels",
    "load_number",
    "load_table",
    "lock_of",
    "mark_finished",
    "package_versions",
    "read_json",
    "save_array",
    "save_comparisons",
    "save_figures",
    "save_findings",
    "save_labels",
    "save_number",
    "save_table",
    "size_of",
    "take_inventory",
    "trackers",
    "version_of",
    "write_json",
]
