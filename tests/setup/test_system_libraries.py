"""The system libraries that the set-up program provides are those that the installed Qt asks for."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "packaging"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ELF files")
def test_the_libraries_of_the_installed_qt_are_all_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the Qt libraries and platform plugins ask the linker for is carried by the wheel, by libc, or listed."""
    monkeypatch.syspath_prepend(str(FOLDER))
    libraries = importlib.import_module("system_libraries")
    listed = {*libraries.DRAWING, *libraries.SCREEN}
    spec = importlib.util.find_spec("PySide6")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    qt = Path(next(iter(spec.submodule_search_locations))) / "Qt"
    files = [qt / "lib" / f"libQt6{name}.so.6" for name in ("Core", "Gui", "Widgets", "DBus", "XcbQpa", "Network")]
    files += [qt / "plugins" / "platforms" / f"libq{name}.so" for name in ("offscreen", "xcb")]
    files += sorted((qt / "plugins" / "xcbglintegrations").glob("*.so"))
    asked = {name for path in files for name in needed(path)}
    assert "libxcb-cursor.so.0" in asked, "the reader of ELF files found nothing"
    always = re.compile(r"lib(c|m|dl|pthread|rt|resolv|stdc\+\+|gcc_s|Qt6\w+|icu\w+|brotlicommon)\.so|ld-linux")
    assert sorted(name for name in asked if not always.match(name) and name not in listed) == []


def needed(path: Path) -> list[str]:
    """The sonames in the NEEDED entries of a 64-bit little-endian ELF file."""
    data = path.read_bytes()
    assert data[:6] == b"\x7fELF\x02\x01", path

    def number(offset: int, size: int) -> int:
        return int.from_bytes(data[offset : offset + size], "little")

    table, size, count = number(40, 8), number(58, 2), number(60, 2)
    sections = [table + size * index for index in range(count)]
    dynamic = next(s for s in sections if number(s + 4, 4) == 6)
    strings = number(sections[number(dynamic + 40, 4)] + 24, 8)
    start, length = number(dynamic + 24, 8), number(dynamic + 32, 8)
    names = []
    for entry in range(start, start + length, 16):
        if number(entry, 8) == 1:
            begin = strings + number(entry + 8, 8)
            names.append(data[begin : data.index(b"\0", begin)].decode())
    return names
