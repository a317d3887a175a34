"""The room that the set-up takes: what does not fit is refused, and what fits lies there once."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from tests.support.fake_machine import FakeMachine

FOLDER = Path(__file__).resolve().parents[2] / "packaging"


def test_a_full_disk_is_refused_before_anything_is_fetched(make, root: Path) -> None:
    environment, machine = make(free=5e9)
    with pytest.raises(Exception, match=r"need 8\.4 GB .* and 5\.0 GB are free\. .* \(--review-only\) 2\.2 GB"):
        environment.install(("runtime", "engine"))
    assert machine.calls == []
    assert not (root / ".venv").exists()
    assert environment.install(("runtime",)) is True


def test_too_little_even_for_the_window(make) -> None:
    environment, _ = make(free=1e9)
    with pytest.raises(Exception, match=r"1\.0 GB are free\. Free some space and start again\.$"):
        environment.install(("runtime", "engine"))


def test_what_does_not_fit_beside_an_installed_window_leaves_it_working(make, root: Path) -> None:
    environment, _ = make(free=3e9)
    environment.install(("runtime",))
    with pytest.raises(Exception, match=r"\(--review-only\) nothing is lacking\.$"):
        environment.install(("runtime", "engine"))
    assert environment.state() == "good"
    (root / "packaging" / "locks" / "runtime.txt").write_text("runtime==2.0\n")  # replaces what is there
    full, _ = make(free=1e6)
    assert full.install(("runtime",)) is True


@pytest.mark.parametrize(("free", "expected"), [(3e9, True), (20e9, False), (None, False)])
def test_downloads_are_kept_where_there_is_room(make, free: float | None, expected: bool) -> None:
    environment, machine = make(free=free)
    environment.install(("runtime",))
    command = next(call for call in machine.calls if "--require-hashes" in call)
    assert ("--no-cache-dir" in command) is expected


def test_the_large_packages_are_fetched_one_at_a_time(make, root: Path) -> None:
    environment, machine = make()
    lock = FOLDER / "locks" / "engine.txt"
    (root / "packaging" / "locks" / "engine.txt").write_bytes(lock.read_bytes())
    environment.install(("runtime", "engine"))
    parts = machine.parts[1:]
    wanted = [line for line in lock.read_text().splitlines() if not line.startswith("#")]
    assert sorted("".join(parts).splitlines()) == sorted(wanted)
    assert {"nvidia", "torch", "triton"} <= {part.replace("=", "-").split("-")[0] for part in parts[1:]}
    assert all(sum(line[:1].isalpha() for line in part.splitlines()) == 1 for part in parts[1:])
    assert not (root / ".venv" / "coxa-fetched").exists()


def test_pip_fetches_onto_the_disk_that_it_installs_on(bootstrap: ModuleType, root: Path) -> None:
    seen: list[dict[str, str]] = []

    def run_counted(command: list[str], done: int, total: int, variables: dict[str, str], cwd: str) -> int:
        assert Path(variables["TMPDIR"]).is_dir()
        seen.append(variables)
        return 1

    environment = bootstrap.env.Environment(root, FakeMachine(root).run, run_counted, lambda folder: None)
    with pytest.raises(Exception, match="could not be installed"):
        environment.install(("runtime",))
    assert Path(seen[0]["TMPDIR"]).parent == root / ".venv"
    assert not Path(seen[0]["TMPDIR"]).exists()


def test_the_room_on_a_disk_is_that_of_the_folder_above(bootstrap: ModuleType, tmp_path: Path) -> None:
    assert bootstrap.env.disk.free_bytes(tmp_path / "not" / "there") > 0
