"""What the doctor says of the disks that the store and the database of runs lie on."""

from __future__ import annotations

from polylens.settings import load_settings
from polylens.store import disks
from polylens.upkeep import doctor


def checks(folder):
    settings = load_settings(folder, environ={})
    return {check.what: check for check in doctor._disks(settings)}


def mounted(folder, monkeypatch, kind, options):
    (folder / "mlflow.yaml").touch()
    listed = folder / "mountinfo"
    listed.write_text(
        f"22 1 0:1 / / rw shared:1 - ext4 /dev/root rw\n31 22 0:2 / {folder} rw - {kind} x {options}\n"
    )
    monkeypatch.setattr(disks, "MOUNTS", listed)


def test_a_disk_of_one_machine_is_well(tmp_path, monkeypatch):
    mounted(tmp_path, monkeypatch, "xfs", "rw")
    found = checks(tmp_path)
    assert found["locks"].level == "ok"
    assert "database" not in found


def test_a_network_disk_with_locks_of_one_machine_is_no_place_for_a_store_and_a_database(
    tmp_path, monkeypatch
):
    mounted(tmp_path, monkeypatch, "nfs", "rw,local_lock=flock")
    found = checks(tmp_path)
    assert found["locks"].level == "warning"
    assert "mounted with local_lock=flock" in found["locks"].said
    assert found["database"].level == "warning"
    assert "network disk (nfs), which SQLite is not made for" in found["database"].said
    assert "MLflow server" in found["database"].todo
