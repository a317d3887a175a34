"""`coxa predict FILES`: probabilities and a picture with the mark, or one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from app.cli import predict_files
from app.cli.exit_codes import DONE, USAGE
from app.cli.main import main
from app.core.case import ViewRole
from app.core.finding import Verdict
from app.core.model_input import InputKind, ModelInput
from tests.support.grey_cases import BATTERY

pytest.importorskip("torch")
pytest.importorskip("timm")

from tests.support.engine_process import make_model

ROLES = (ViewRole.FRONTAL,)
WHOLE = ModelInput(kind=InputKind.WHOLE_VIEW, roles=ROLES, size_px=32)
PLAIN = next(case for case in BATTERY if case.name == "mono2_linear")


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["predict", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_file_without_a_project_is_answered_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_model(tmp_path / "one", "resnet18-frontal", input=WHOLE)
    file, output = PLAIN.write(tmp_path), tmp_path / "heat.png"
    words = ("--model", str(tmp_path / "one"), "--device", "cpu", "--precision", "float32", "--threads", "1")
    code, out, _ = asked(capsys, str(file), *words, "-o", str(output), "--json")
    assert code == DONE
    alone = json.loads(out)
    assert sum(alone["probabilities"].values()) == pytest.approx(1)
    assert alone["views"][0]["located_confidence"] is None
    picture = cv2.imread(str(output))
    assert picture is not None
    assert picture.shape[0] > alone["views"][0]["rows"], "the words and the mark stand below the image"
    assert picture[alone["views"][0]["rows"] :].max() > 200


@pytest.mark.slow
def test_a_case_outside_what_the_model_knows_gets_no_figure_and_no_heatmap(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_model(tmp_path / "one", "resnet18-frontal", input=WHOLE)
    file = PLAIN.write(tmp_path)
    words = ("--model", str(tmp_path / "one"), "--device", "cpu", "--precision", "float32", "--threads", "1")
    shown: list[str] = []
    for said in (Verdict.FOUND, Verdict.OUTSIDE):
        monkeypatch.setattr(predict_files, "verdict", lambda *_, said=said: said)
        output = tmp_path / f"{said}.png"
        code, out, _ = asked(capsys, str(file), *words, "-o", str(output))
        assert code == DONE
        shown.append(out)
        picture = cv2.imread(str(output))
        assert picture is not None
        image = picture[: picture.shape[0] // 2].astype(int)
        if said is Verdict.OUTSIDE:
            assert (image.max(2) == image.min(2)).all()  # grey
    assert "%" in shown[0].replace("95 %", "")
    assert "%" not in shown[1]
    assert "outside what it knows" in shown[1]
    assert "no heatmap" in shown[1]


def test_what_cannot_be_asked_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(capsys)[0] == USAGE
    code, _, err = asked(capsys, "hip.dcm")
    assert code == USAGE
    assert "which model" in err
    code, _, err = asked(capsys, "hip.dcm", "--project", "somewhere")
    assert code == USAGE
    assert "not both" in err
    with pytest.raises(SystemExit):
        main(["predict", "hip.dcm", "--threads", "0"])
    assert "not a whole number above zero" in capsys.readouterr().err
