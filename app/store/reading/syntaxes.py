"""Transfer syntaxes: which there are, what they compress with, and how to tell one from its bytes (PS3.6 A)."""

from __future__ import annotations

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
DEFLATED_EXPLICIT = "1.2.840.10008.1.2.1.99"
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
RLE = "1.2.840.10008.1.2.5"

_JPEG = "1.2.840.10008.1.2.4."
JPEG_BASELINE = _JPEG + "50"
JPEG_EXTENDED = _JPEG + "51"
JPEG_SPECTRAL = _JPEG + "53"
JPEG_PROGRESSIVE = _JPEG + "55"
JPEG_LOSSLESS = _JPEG + "57"
JPEG_LOSSLESS_SV1 = _JPEG + "70"
JPEG_LS_LOSSLESS = _JPEG + "80"
JPEG_LS_NEAR = _JPEG + "81"
JPEG_2000_LOSSLESS = _JPEG + "90"
JPEG_2000 = _JPEG + "91"
JPEG_XL_LOSSLESS = _JPEG + "110"
JPEG_XL_RECOMPRESSED = _JPEG + "111"
JPEG_XL = _JPEG + "112"
HTJ2K_LOSSLESS = _JPEG + "201"
HTJ2K_LOSSLESS_RPCL = _JPEG + "202"
HTJ2K = _JPEG + "203"

NATIVE = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED_EXPLICIT})
JPEG_DCT = frozenset({JPEG_BASELINE, JPEG_EXTENDED, JPEG_SPECTRAL, JPEG_PROGRESSIVE})
JPEG_SPATIAL = frozenset({JPEG_LOSSLESS, JPEG_LOSSLESS_SV1})
JPEG_LS = frozenset({JPEG_LS_LOSSLESS, JPEG_LS_NEAR})
J2K = frozenset({JPEG_2000_LOSSLESS, JPEG_2000})
HTJ2K_ALL = frozenset({HTJ2K_LOSSLESS, HTJ2K_LOSSLESS_RPCL, HTJ2K})
JPEG_XL_ALL = frozenset({JPEG_XL_LOSSLESS, JPEG_XL_RECOMPRESSED, JPEG_XL})
JPEG_FAMILY = JPEG_DCT | JPEG_SPATIAL | JPEG_LS
LOSSY = JPEG_DCT | {JPEG_LS_NEAR, JPEG_2000, HTJ2K, JPEG_XL_RECOMPRESSED, JPEG_XL}
READABLE = NATIVE | JPEG_FAMILY | J2K | HTJ2K_ALL | JPEG_XL_ALL | {RLE, DEFLATED_FRAMES}

_SOF_SYNTAX = {
    0xC0: JPEG_BASELINE,
    0xC1: JPEG_EXTENDED,
    0xC2: JPEG_PROGRESSIVE,
    0xC3: JPEG_LOSSLESS,
    0xF7: JPEG_LS_NEAR,
}


def native(*, is_explicit: bool, is_little_endian: bool) -> str:
    """The uncompressed transfer syntax of an encoding."""
    if not is_little_endian:
        return EXPLICIT_BIG
    return EXPLICIT_LITTLE if is_explicit else IMPLICIT_LITTLE


def guess_from_codestream(head: bytes) -> str:
    """The transfer syntax that a compressed frame must have, from its first bytes."""
    if head.startswith((b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP")):
        return JPEG_2000
    if head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL")):
        return JPEG_XL
    if not head.startswith(b"\xff\xd8"):
        return RLE
    position = 2
    while position + 4 <= len(head) and head[position] == 0xFF:
        if head[position + 1] in _SOF_SYNTAX:
            return _SOF_SYNTAX[head[position + 1]]
        position += 2 + int.from_bytes(head[position + 2 : position + 4], "big")
    return JPEG_BASELINE
