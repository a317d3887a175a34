"""`coxa drr` from the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from app.cli.drr import parse_hip
from app.cli.exit_codes import DONE, REFUSED
from app.cli.main import main
from app.core.case import Side
from app.core.errors import UserError
from tests.engine.drr.test_drr import make_ct, write

HIP = "left:85,-4,10"


@pytest.fixture(scope="module")
def ct_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    whole = make_ct()
    left = replace(whole, hu=whole.hu[18:54, 6:60, 40:], origin_mm=(-30.0, -106.0, -58.0))  # quicker to read
    return write(left, tmp_path_factory.mktemp("ct") / "ct.nrrd")


def test_pairs_truth_and_matrix_are_written(ct_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    words = ["drr", str(ct_file), "-o", str(out), "--hip", HIP, "--pairs", "2", "--vary", "garden", "--size", "128"]
    assert main([*words, "--correspondence", "8", "--json"]) == DONE
    document = json.loads(capsys.readouterr().out)
    assert document["side"] == "left"
    assert document["made"] == 2
    assert sorted(path.name for path in out.glob("[!.]*")) == ["pair-000000", "pair-000001", "pairs.json"]
    first = out / "pair-000000"
    truth = json.loads((first / "truth.json").read_text(encoding="utf-8"))
    assert truth["synthetic"] is True
    dataset = pydicom.dcmread(first / f"{truth['views'][0]['file']}.dcm")
    assert dataset.SyntheticData == "YES"
    assert dataset.ImageLaterality == "L"
    with np.load(first / "correspondence.npz") as matrix:
        assert matrix["shape"].tolist() == [64, 64]
        assert matrix["value"].max() > 0.5


def test_the_same_seed_gives_the_same_bytes(ct_file: Path, tmp_path: Path) -> None:
    def files(name: str) -> list[bytes]:
        folder = tmp_path / name
        assert main(["drr", str(ct_file), "-o", str(folder), "--hip", HIP, "--size", "128"]) == DONE
        return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]

    assert files("a") == files("b")


def test_a_run_goes_on_where_it_stopped(ct_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(out: Path, pairs: int, *more: str) -> int:
        words = ["drr", str(ct_file), "-o", str(out), "--hip", HIP, "--pairs", str(pairs), "--size", "128"]
        return main([*words, "--vary", "garden", "--json", *more])

    def contents(folder: Path) -> dict[str, bytes]:
        found = (path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in found}

    first, whole = tmp_path / "first", tmp_path / "whole"
    assert run(first, 1) == DONE
    assert json.loads(capsys.readouterr().out)["made"] == 1
    (first / ".pair-000001.4711.partial").mkdir()  # a killed run leaves this
    assert run(first, 2) == DONE
    assert json.loads(capsys.readouterr().out)["made"] == 1
    assert run(whole, 2) == DONE
    assert contents(first) == contents(whole)
    assert run(first, 2, "--seed", "5") == REFUSED
    assert "another series" in capsys.readouterr().err


def test_what_cannot_be_done_gets_a_sentence(ct_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    for words, sentence in (
        (["--hip", "both"], "not understood"),
        (["--hip", HIP, "--size", "100", "--correspondence", "16"], "cannot be used"),
        (["--hip", "900,0,0"], "outside"),
    ):
        assert main(["drr", str(ct_file), "-o", out, *words]) == REFUSED
        assert sentence in capsys.readouterr().err
    (tmp_path / "letter.txt").write_text("mine")
    assert main(["drr", str(ct_file), "-o", str(tmp_path), "--hip", HIP]) == REFUSED
    assert "in use" in capsys.readouterr().err


def test_a_hip_is_a_side_or_a_point() -> None:
    assert parse_hip("left") == (Side.LEFT, None)
    side, centre = parse_hip("-80.5,10,3")
    assert side is Side.RIGHT
    assert centre is not None
    assert centre.tolist() == [-80.5, 10, 3]
    assert parse_hip("left:-3,1,2")[0] is Side.LEFT
    for text in ("1,2", "a,b,c", "both", "nan,1,2", ""):
        with pytest.raises(UserError):
            parse_hip(text)
