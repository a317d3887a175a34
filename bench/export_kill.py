"""An export is killed (SIGKILL) before each of its operations; then it is written again.

    python -m bench.export_kill FOLDER [EVERY]

Operations are: make a folder, write a file (killed when half of it is there), sync, rename. Before the rename nothing
may be under the data set's name, afterwards everything; the next export removes what was left behind and has the same
SHA-256 as one that nobody disturbed. The control writes straight under the final name: it must show partial data sets.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.data_sets import make_labelled_project
from tests.support.export_faults import DisturbedFileSystem, export, no_space


def main() -> None:
    """The command line."""
    folder, every = Path(sys.argv[1]), int((sys.argv[2:] or ["1"])[0])
    folder.mkdir(parents=True, exist_ok=True)
    project, out = folder / "project", folder / "here" / "set"
    if not project.exists():
        make_labelled_project(project, patients=3)
    shutil.rmtree(out.parent, ignore_errors=True)
    shutil.rmtree(folder / "calm", ignore_errors=True)
    calm = DisturbedFileSystem(0, no_space)
    expected = export(project, folder / "calm", calm).sums_sha256
    files = {path.relative_to(folder / "calm") for path in (folder / "calm").rglob("*") if path.is_file()}
    visible = leftover = unequal = after = control = kills = 0
    for step in range(1, calm.count + 1, every):
        out.parent.mkdir(exist_ok=True)
        words = [sys.executable, "-m", "tests.support.export_faults", str(project), str(out), str(step)]
        ended = subprocess.run(words, check=False, capture_output=True)
        assert ended.returncode == -9, ended.stderr
        kills += 1
        drafts = [path for path in out.parent.iterdir() if path != out]
        if out.exists():
            found = {path.relative_to(out) for path in out.rglob("*") if path.is_file()}
            after += found == files
            visible += found != files
            shutil.rmtree(out)
        control += any(any(draft.rglob("*")) for draft in drafts)  # what a writer without a draft would have shown
        unequal += export(project, out, DisturbedFileSystem(0, no_space)).sums_sha256 != expected
        leftover += any(path != out for path in out.parent.iterdir())
        shutil.rmtree(out.parent)
    print(f"{len(files)} files, {calm.count} operations, killed before {kills} of them")
    print(
        f"partial data sets under the name: {visible}   (control, the hidden folder as if it had the name: {control})"
    )
    print(f"whole data sets under the name (killed after the rename): {after}")
    print(f"second export not equal: {unequal}; something left behind after it: {leftover}")


if __name__ == "__main__":
    main()
