"""A sample of the public corpus, against other decoders; `bench/corpus.py` counts the whole of it."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from bench import corpus

SAMPLE = (
    "693_J2KI.dcm",
    "693_J2KR.dcm",
    "JPEG-LL.dcm",
    "JPEG-lossy.dcm",
    "JPGExtended.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_RLE.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "OT-PAL-8-face.dcm",
    "RG1_J2KR.dcm",
    "RG3_UNCR.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "SC_rgb_rle_16bit.dcm",
    "SC_rgb_small_odd_big_endian.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "badVR.dcm",
    "image_dfl.dcm",
    "liver_expb_1frame.dcm",
    "rtdose_rle_1frame.dcm",
)
OTHERS = {
    "MR_truncated.dcm": "partial",
    "JPEG2000-embedded-sequence-delimiter.dcm": "refused",
    "meta_missing_tsyntax.dcm": "refused",
    "nested_priv_SQ.dcm": "refused",
}


@pytest.fixture(scope="module")
def by_name() -> dict[str, Path]:
    return {path.name: path for path in corpus.corpus_files()}


@pytest.mark.parametrize("name", [*SAMPLE, *OTHERS])
def test_values_equal_another_decoder(name: str, by_name: dict[str, Path], tmp_path: Path) -> None:
    if name not in by_name:
        pytest.skip("pydicom-data is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom, the other decoder, has much to say about these files
        outcome = corpus.judge(by_name[name], by_name, tmp_path)
    assert outcome.ours == OTHERS.get(name, "read"), outcome.detail
