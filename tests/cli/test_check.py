"""`coxa check` and `coxa backup` as a person or a program calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import check
from app.cli.exit_codes import DONE, PROBLEMS, REFUSED, USAGE
from app.cli.main import main
from app.store.folder import ProjectFolder
from app.store.project import ProjectStore
from tests.support.bit_flips import dump, flip_bit
from tests.support.projects import make_project


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed project."""
    make_project(tmp_path / "project", studies=2, decisions=3)
    return tmp_path / "project"


def answer(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, object]]:
    """Exit code and JSON document of a command."""
    code = main([*(str(word) for word in words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_versions_and_device(capsys: pytest.CaptureFixture[str]) -> None:
    code, report = answer(capsys, "check")
    assert code == DONE
    versions = report["versions"]
    assert isinstance(versions, dict)
    assert versions["python"] == ".".join(str(part) for part in sys.version_info[:3])
    assert versions["sqlite"]
    assert versions["pydicom"]
    device = report["device"]
    assert isinstance(device, dict)
    assert device["memory_bytes"] > 1 << 28
    assert "project" not in report


def test_a_healthy_project(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    assert main(["check", "--project", str(path), "--full"]) == DONE
    text = capsys.readouterr().out
    assert "The project is intact." in text
    assert "DAMAGED" not in text


def test_damage_is_named_and_sets_the_exit_code(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    content = (path / "project.db").read_bytes()
    flip_bit(path / "project.db", content.index(b"reader 1") * 8)
    assert main(["check", "--project", str(path)]) == PROBLEMS
    text = capsys.readouterr().out
    assert "DAMAGED" in text
    assert "coxa backup repair" in text
    assert "event " in text
    code, report = answer(capsys, "check", "--project", path)
    assert code == PROBLEMS
    project = report["project"]
    assert isinstance(project, dict)
    assert project["is_damaged"]
    assert project["problems"][0]["kind"]


def test_not_a_project(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, report = answer(capsys, "check", "--project", tmp_path)
    assert code == REFUSED
    error = report["error"]
    assert isinstance(error, dict)
    assert error["kind"] == "not-a-project"


def test_neither_qt_nor_torch_is_loaded(path: Path) -> None:
    code = (
        "import sys; from app.cli.main import main\n"
        "code = main(['check', '--project', sys.argv[1], '--json'])\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "print(sorted(loaded & {'PySide6', 'pyqtgraph', 'torch', 'torchvision', 'timm'}), code, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[] 0"


def test_a_missing_package_is_a_problem(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(check, "PACKAGES", ("numpy", "no-such-package", "torch"))
    code, report = answer(capsys, "check")
    assert code == PROBLEMS
    assert report["problems"] == ["no-such-package is not installed. Install Coxa again with its dependencies."]


def test_the_window_is_asked_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert check.window() == {"platform": "offscreen", "problem": ""}
    monkeypatch.setenv("QT_QPA_PLATFORM", "no-such-platform")
    assert "cannot open a window" in check.window()["problem"]


def test_graphics_processors_come_from_the_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'Test GPU, 100 MiB, 1.2'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert check.gpus() == ["Test GPU, 100 MiB, 1.2"]
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert "Test GPU, 100 MiB, 1.2" not in check.gpus()


def test_backup_create_list_restore(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    before = dump(path / "project.db")
    code, made = answer(capsys, "backup", "create", "--project", path)
    assert code == DONE
    with ProjectStore.open(path) as project:
        project.events.append(target="t:1", field="f", after=1)
    code, restored = answer(capsys, "backup", "restore", "--project", path, "--name", made["name"])
    assert code == DONE
    assert restored["cases"] == 2
    assert (path / "backups" / str(restored["replaced"]) / "project.db").exists()
    after = dump(path / "project.db")
    assert before is not None
    assert after is not None
    assert set(after) - set(before) == {("event", str(len([key for key in before if key[0] == "event"]) + 1)),
                                        ("current", "project restored")}  # fmt: skip
    assert main(["backup", "list", "--project", str(path)]) == DONE
    assert str(made["name"]) in capsys.readouterr().out
    assert main(["check", "--project", str(path)]) == DONE


def test_backup_refusals(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    assert main(["backup", "restore", "--project", str(path), "--name", "../../project.db"]) == REFUSED
    assert "no such backup" in capsys.readouterr().err
    with ProjectStore.open(path):
        assert main(["backup", "restore", "--project", str(path)]) == REFUSED
        assert "open elsewhere" in capsys.readouterr().err
        assert main(["backup", "create", "--project", str(path)]) == DONE  # beside the window is fine
    (path / "project.db").unlink()
    assert main(["backup", "create", "--project", str(path)]) == REFUSED
    assert main(["backup", "restore", "--project", str(path)]) == DONE
    for backup in ProjectFolder(path).backups.glob("project-*.db"):
        backup.unlink()
    assert main(["backup", "restore", "--project", str(path)]) == REFUSED
    assert main(["backup", "list", "--project", str(path)]) == DONE
    assert "no backup yet" in capsys.readouterr().out
    with pytest.raises(SystemExit) as caught:
        main(["backup", "burn", "--project", str(path)])
    assert caught.value.code == USAGE


def test_repair_after_damage(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    before = dump(path / "project.db")
    assert before is not None
    content = (path / "project.db").read_bytes()
    flip_bit(path / "project.db", content.index(b"reader 1") * 8)
    assert main(["check", "--project", str(path)]) == PROBLEMS
    capsys.readouterr()
    code, report = answer(capsys, "backup", "repair", "--project", path)
    assert code == DONE
    assert (report["lost"], report["cases"]) == (0, 2)
    assert main(["check", "--project", str(path)]) == DONE
    after = dump(path / "project.db")
    assert after is not None
    assert {key: row for key, row in after.items() if key in before and key[0] != "head"} == {
        key: row for key, row in before.items() if key[0] != "head"
    }
    capsys.readouterr()
    for backup in (path / "backups").glob("project-*.db"):
        backup.unlink()
    content = (path / "project.db").read_bytes()
    flip_bit(path / "project.db", content.index(b"reader 1") * 8)
    code, report = answer(capsys, "backup", "repair", "--project", path)
    assert code == PROBLEMS  # without a backup the history ends before the damaged event
    assert int(str(report["lost"])) > 0
    assert main(["check", "--project", str(path)]) == DONE
