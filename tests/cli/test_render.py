"""`coxa render`: the picture that a pane shows, or one sentence."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from app.cli.exit_codes import DONE, REFUSED, USAGE
from app.cli.main import main
from tests.support.grey_cases import BATTERY, COLS, ROWS, GreyCase
from tests.support.grey_oracle import oracle_levels

MONO1 = next(case for case in BATTERY if case.name == "mono1_linear")
PADDED = next(case for case in BATTERY if case.name == "padding")
VOI_LUT = next(case for case in BATTERY if case.name == "voilut_before_window")


def picture(path: Path) -> npt.NDArray[np.uint8]:
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert found is not None
    assert found.dtype == np.uint8
    assert found.ndim == 2
    return found


def test_writes_the_display_image_at_native_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, output = MONO1.write(tmp_path), tmp_path / "out.png"
    assert main(["render", str(file), "-o", str(output), "--voi", "file"]) == DONE
    found = picture(output)
    assert found.shape == (ROWS, COLS)
    assert np.abs(found - np.array(oracle_levels(MONO1.dataset()))).max() <= 0.5 + 1e-6
    captured = capsys.readouterr()
    assert str(output) in captured.out
    assert "64 × 48 px" in captured.out


def test_user_window(tmp_path: Path) -> None:
    file, output = MONO1.write(tmp_path), tmp_path / "out.png"
    assert main(["render", str(file), "-o", str(output), "--voi", "1000,700"]) == DONE
    expected = np.array(oracle_levels(MONO1.dataset(), voi=(1000, 700)))
    assert np.abs(picture(output) - expected).max() <= 0.5 + 1e-6
    assert main(["render", str(file), "-o", str(output), "--voi=-10,700"]) == DONE


def test_automatic_is_the_default_and_inverts_once(tmp_path: Path) -> None:
    file = MONO1.write(tmp_path)
    for name, options in (("a", []), ("b", ["--voi", "auto"]), ("c", ["--invert"])):
        assert main(["render", str(file), "-o", str(tmp_path / f"{name}.png"), *options]) == DONE
    plain, same, negative = (picture(tmp_path / f"{name}.png").astype(int) for name in "abc")
    assert (plain == same).all()
    assert (np.abs(plain + negative - 255) <= 1).all()
    assert plain[0].mean() > plain[-1].mean() + 150  # MONOCHROME1: the ramp from small to large values falls


def test_padding_is_black_in_the_negative_too(tmp_path: Path) -> None:
    file, output = PADDED.write(tmp_path), tmp_path / "out.png"
    assert main(["render", str(file), "-o", str(output), "--voi", "500,800", "--invert"]) == DONE
    is_padding = PADDED.stored_values() == 4095
    assert is_padding.any()
    assert not picture(output)[is_padding].any()


def chunks(path: Path) -> list[bytes]:
    """Names of the chunks of a PNG file."""
    data, at, names = path.read_bytes(), 8, []
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        names.append(name)
        at += 12 + length
    return names


def test_the_png_carries_nothing_but_pixels(tmp_path: Path) -> None:
    case = GreyCase(name="named", tags={"PatientName": "Canary^Anna", "PatientID": "CANARY77", "StudyDate": "20200102"})
    file, output = case.write(tmp_path), tmp_path / "out.png"
    assert main(["render", str(file), "-o", str(output)]) == DONE
    assert set(chunks(output)) == {b"IHDR", b"IDAT", b"IEND"}
    for word in (b"Canary", b"CANARY77", b"20200102"):
        assert word not in output.read_bytes()


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, output = VOI_LUT.write(tmp_path), tmp_path / "out.png"
    assert main(["render", str(file), "-o", str(output), "--voi", "file", "--json"]) == DONE
    document = json.loads(capsys.readouterr().out)
    assert (document["rows"], document["cols"], document["is_inverted"]) == (ROWS, COLS, False)
    assert document["voi"] == {"lut": {"first": 0, "entries": 4096, "bits": 12, "name": ""}}
    assert "may-have-text" in document["flags"]


def test_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = VOI_LUT.write(tmp_path)
    assert main(["render", str(file), "--list"]) == DONE
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["auto", "file", "file-2", "bone", "soft-tissue"]
    assert "VOI LUT" in lines[1]
    assert main(["render", str(file), "--list", "--json"]) == DONE
    choices = json.loads(capsys.readouterr().out)["choices"]
    assert choices[2]["window"]["center"] == 1000


def test_notices_go_to_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = next(case for case in BATTERY if case.name == "no_bitsstored").write(tmp_path)
    assert main(["render", str(file), "-o", str(tmp_path / "out.png")]) == DONE
    captured = capsys.readouterr()
    assert "Bits Stored is missing" in captured.err
    assert "Bits Stored" not in captured.out


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["README.txt", "-o", "out.png"], "not-an-image"),
        (["absent.dcm", "-o", "out.png"], "missing"),
        (["{file}", "-o", "out.jpg"], "not-a-png-name"),
        (["{file}"], "no-output"),
        (["{file}", "-o", "no/such/folder/out.png"], "bad-output"),
        (["{file}", "-o", "out.png", "--voi", "lung"], "unknown-window"),
        (["{file}", "-o", "out.png", "--voi", "5,0"], "bad-window"),
        (["picture.png", "-o", "picture.png"], "would-overwrite-input"),
        ([".", "-o", "out.png"], ""),
        (["{file}", "-o", "out.png", "--frame", "2"], ""),
    ],
)
def test_refusals_are_sentences(
    arguments: list[str],
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = MONO1.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.txt").write_text("not an image\n" * 20)
    cv2.imwrite("picture.png", np.zeros((20, 20), np.uint8))
    before = (tmp_path / "picture.png").read_bytes()
    words = [word.replace("{file}", file.name) for word in arguments]
    assert main(["render", *words, "--json"]) == REFUSED
    captured = capsys.readouterr()
    error = json.loads(captured.out)["error"]
    assert kind in ("", error["kind"])
    assert error["title"].endswith(".")
    assert len(captured.err.strip().splitlines()) == 1
    assert not (tmp_path / "out.png").exists()
    assert (tmp_path / "picture.png").read_bytes() == before


def test_bad_frame_number_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["render", "x.dcm", "-o", "out.png", "--frame", "0"])
    assert exit_info.value.code == USAGE
    assert "the first frame is 1" in capsys.readouterr().err


def test_an_older_picture_is_replaced_whole(tmp_path: Path) -> None:
    file, output = MONO1.write(tmp_path), tmp_path / "out.png"
    output.write_bytes(b"old")
    assert main(["render", str(file), "-o", str(output)]) == DONE
    assert picture(output).shape == (ROWS, COLS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mono1_linear.dcm", "out.png"]


def test_the_six_encodings_of_a_real_hip(shared_data: Path, tmp_path: Path) -> None:
    """Lossless ones give one picture; lossy ones nearly the same."""
    pictures = {}
    for name in ("RLE", "J2KR", "JLSL", "JPLL", "J2KI", "JLSN"):
        output = tmp_path / f"{name}.png"
        assert main(["render", str(shared_data / "dicom-hip" / f"{name}__RG2_{name}.dcm"), "-o", str(output)]) == DONE
        pictures[name] = picture(output).astype(int)
    for name in ("J2KR", "JLSL", "JPLL"):
        assert (pictures[name] == pictures["RLE"]).all()
    for name in ("J2KI", "JLSN"):
        assert np.percentile(np.abs(pictures[name] - pictures["RLE"]), 99) <= 3
