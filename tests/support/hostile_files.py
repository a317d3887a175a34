"""Damaged and malicious files: mutants, bombs, nests, random bytes, truncations. Deterministic."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import cache
from random import Random
from struct import pack

import numpy as np
from pydicom.encaps import encapsulate

from app.store.reading import syntaxes
from tests.support import foreign_files as make

SEED = 20261121
_MARKERS = (
    b"\xfe\xff\x00\xe0",
    b"\xfe\xff\x0d\xe0",
    b"\xfe\xff\xdd\xe0",
    b"\xe0\x7f\x10\x00",
    b"\xff\xd8\xff\xc3",
)
DEPTHS = (200, 1000, 2500, 5000, 20_000)


@cache
def seeds() -> dict[str, bytes]:
    """Sound files of every kind, small."""
    found = {f"{name}.dcm": make.dicom_bytes(syntax=syntax) for name, syntax in make.SYNTAXES.items()}
    grey = make.radiograph()
    found["grey.png"] = make.png_bytes(grey)
    found["grey.tif"] = make.tiff_bytes(grey)
    found["grey.jpg"] = make.jpeg_bytes(make.radiograph(bits=8))
    found["set.zip"] = make.zip_bytes({"a/one.dcm": found["explicit.dcm"], "a/two.dcm": found["jpeg-ls.dcm"]})
    return found


def mutants(count: int) -> Iterator[tuple[str, bytes]]:
    """So many damaged copies of the seeds, each seed in turn."""
    names = sorted(seeds())
    for index in range(count):
        name = names[index % len(names)]
        stem, suffix = name.split(".")
        yield f"{stem}-{index:05d}.{suffix}", mutate(seeds()[name], Random(SEED + index))


def mutate(data: bytes, random: Random) -> bytes:
    """One to six wounds; half of them in the first part of the file, where the structure is."""
    wounded = bytearray(data)
    for _ in range(random.randint(1, 6)):
        if not wounded:
            break
        reach = len(wounded) if random.random() < 0.5 else min(len(wounded), 1600)
        at = random.randrange(reach)
        kind = random.randrange(8)
        if kind == 0:
            wounded[at] ^= 1 << random.randrange(8)
        elif kind == 1:
            wounded[at] = random.randrange(256)
        elif kind == 2:
            length = random.randint(1, 16)
            wounded[at : at + length] = random.randbytes(length)
        elif kind == 3:
            wounded[at : at + 4] = random.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\0\0\0\x80"))
        elif kind == 4:
            del wounded[at : at + random.randint(1, 64)]
        elif kind == 5:
            wounded[at:at] = random.randbytes(random.randint(1, 64))
        elif kind == 6:
            other = random.randrange(len(wounded))
            wounded[at : at + 32] = wounded[other : other + 32]
        else:
            wounded[at : at + 4] = random.choice(
                (
                    b"\xfe\xff\x00\xe0",
                    b"\xfe\xff\x0d\xe0",
                    b"\xfe\xff\xdd\xe0",
                    b"\xe0\x7f\x10\x00",
                    b"\xff\xd8\xff\xc3",
                )
            )
    return bytes(wounded)


def bombs(*, is_small: bool = False) -> Iterator[tuple[str, bytes]]:
    """Files that unpack to far more than they are. The small ones are made fast and still break the same rules."""
    side = 6000 if is_small else 14_000
    blank = np.zeros((side, side), np.uint16)
    stream = make.encode_frame(blank, syntaxes.JPEG_2000_LOSSLESS)
    honest = make.dicom_bytes(
        blank[:1, :1], syntaxes.JPEG_2000_LOSSLESS, pixel_data=encapsulate([stream]), Rows=side, Columns=side
    )
    yield "j2k-honest.dcm", honest
    yield (
        "j2k-lying.dcm",
        make.dicom_bytes(
            blank[:1, :1], syntaxes.JPEG_2000_LOSSLESS, pixel_data=encapsulate([stream]), Rows=64, Columns=64
        ),
    )
    del blank
    yield "deflate.dcm", _deflate_bomb(700)
    yield "rle.dcm", _rle_bomb(2000 if is_small else 16_000)
    yield "jpeg-claim.dcm", _jpeg_claim(65_000, 20_000, 100_000 if is_small else 15_000_000)
    yield "raw-claim.dcm", make.dicom_bytes(Rows=65_535, Columns=65_535)
    yield "frames-claim.dcm", make.dicom_bytes(NumberOfFrames=2_000_000_000)
    yield "size-ihdr.png", make.raw_png(60_000, 60_000, 16, lambda: iter([b"\0" * 64]))
    rows = 2000 if is_small else 12_000
    yield "blank.png", make.raw_png(rows, 16_000, 16, lambda: (b"\0" * 32_000 for _ in range(rows)))
    yield (
        "claim.tif",
        make.tiff_bytes(make.radiograph()).replace(
            pack("<HHIHH", 256, 3, 1, 96, 0), pack("<HHIHH", 256, 3, 1, 65_000, 0)
        ),
    )
    yield "zeros.zip", make.zip_bytes({"zeros.dcm": bytes((80 if is_small else 300) << 20)})
    yield "nested.zip", make.zip_bytes({"inner.zip": make.zip_bytes({"a.dcm": seeds()["explicit.dcm"]})})


def _deflate_bomb(megabytes: int) -> bytes:
    """A deflated data set with one enormous private value before the pixels."""
    head = seeds()["deflated.dcm"]
    start = head.index(syntaxes.DEFLATED_EXPLICIT.encode()) + len(syntaxes.DEFLATED_EXPLICIT)
    start += start % 2
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(pack("<HH2sHI", 0x0009, 0x1001, b"OB", 0, megabytes << 20))
    packed += b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()
    meta_end = _meta_end(head)
    return head[:meta_end] + packed


def _meta_end(data: bytes) -> int:
    """Offset behind the file meta information, from its group length."""
    return 144 + int.from_bytes(data[140:144], "little")


def _rle_bomb(side: int) -> bytes:
    """Runs of 128 equal bytes."""
    plane = b"\x81\x00" * (side * side // 128 + 1)
    header = pack("<16L", 2, 64, 64 + len(plane), *[0] * 13)
    return make.dicom_bytes(
        np.zeros((1, 1), np.uint16),
        syntaxes.RLE,
        pixel_data=encapsulate([header + plane + plane]),
        Rows=side,
        Columns=side,
    )


def _jpeg_claim(cols: int, rows: int, size: int) -> bytes:
    """A JPEG whose frame header claims far more than its data."""
    stream = bytearray(make.encode_frame(make.radiograph(bits=8), syntaxes.JPEG_BASELINE))
    at = stream.index(b"\xff\xc0")
    stream[at + 5 : at + 9] = pack(">HH", rows, cols)
    stream += bytes(size)
    return make.dicom_bytes(
        syntax=syntaxes.JPEG_BASELINE, pixel_data=encapsulate([bytes(stream)]), Rows=rows, Columns=cols
    )


def nests() -> Iterator[tuple[str, bytes]]:
    """Sequences in sequences, in several encodings, from 200 to 20,000 deep."""
    for depth in DEPTHS:
        yield f"defined-{depth}.dcm", nest(depth, is_undefined=False)
        yield f"undefined-{depth}.dcm", nest(depth, is_undefined=True)
        yield f"unknown-{depth}.dcm", nest(depth, is_undefined=True, vr=b"UN")
        yield f"implicit-{depth}.dcm", nest(depth, is_undefined=True, is_implicit=True)


def nest(depth: int, *, is_undefined: bool, vr: bytes = b"SQ", is_implicit: bool = False) -> bytes:
    """A DICOM file with a nest of Referenced Image Sequences before its pixels."""
    name = "implicit" if is_implicit else "explicit"
    data = seeds()[f"{name}.dcm"]
    at = _meta_end(data)
    opening, closing = [], []
    inner = 0
    for _ in range(depth):
        size = 0xFFFFFFFF if is_undefined else inner + 8
        tag = pack("<HH", 0x0008, 0x1140)
        head = tag + (pack("<I", size) if is_implicit else pack("<2sHI", vr, 0, size))
        opening.append(head + pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF if is_undefined else inner))
        if is_undefined:
            closing.append(pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0))
        inner += len(head) + 8
    return data[:at] + b"".join(reversed(opening)) + b"".join(closing) + data[at:]


def random_files(count: int = 200) -> Iterator[tuple[str, bytes]]:
    """Random bytes, bare and behind the beginnings of real formats."""
    starts = (
        b"",
        b"\0" * 128 + b"DICM",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"II*\0",
        b"PK\x03\x04",
        seeds()["explicit.dcm"][:400],
    )
    for index in range(count):
        random = Random(SEED + index)
        start = starts[index % len(starts)]
        suffix = "zip" if start.startswith(b"PK") else "bin"
        yield f"random-{index:03d}.{suffix}", start + random.randbytes(random.choice((0, 1, 7, 64, 1000, 50_000)))


def truncated(steps: int = 40) -> Iterator[tuple[str, bytes]]:
    """Every seed, cut at many places."""
    for name, data in sorted(seeds().items()):
        stem, suffix = name.split(".")
        for step in range(steps):
            yield f"{stem}-cut{step:02d}.{suffix}", data[: len(data) * step // steps]
