"""Libraries of the operating system that Qt loads on Linux: which are missing, and who provides them.

Standard library only, and no newer syntax than Python 3.6 (see bootstrap.py). The names come from the NEEDED
entries of the platform plugins and libraries in the PySide6 wheel; the wheel itself carries everything else.
"""

import ctypes
import os
import shutil
import sys
from pathlib import Path

# soname -> (Debian/Ubuntu, Fedora, Arch). A Debian name "a|b" means: b where a does not exist (Ubuntu 24.04 and
# Debian 13 renamed some packages when time_t grew to 64 bits).
DRAWING = {
    "libEGL.so.1": ("libegl1", "libglvnd-egl", "libglvnd"),
    "libGL.so.1": ("libgl1", "libglvnd-glx", "libglvnd"),
    "libX11.so.6": ("libx11-6", "libX11", "libx11"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus-libs", "dbus"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig", "fontconfig"),
    "libfreetype.so.6": ("libfreetype6", "freetype", "freetype2"),
    "libglib-2.0.so.0": ("libglib2.0-0t64|libglib2.0-0", "glib2", "glib2"),
    "libgthread-2.0.so.0": ("libglib2.0-0t64|libglib2.0-0", "glib2", "glib2"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon", "libxkbcommon"),
    "libz.so.1": ("zlib1g", "zlib-ng-compat", "zlib"),
    "libzstd.so.1": ("libzstd1", "libzstd", "zstd"),
    "libgssapi_krb5.so.2": ("libgssapi-krb5-2", "krb5-libs", "krb5"),
    "libbrotlidec.so.1": ("libbrotli1", "libbrotli", "brotli"),
}
SCREEN = {
    "libX11-xcb.so.1": ("libx11-xcb1", "libX11-xcb", "libx11"),
    "libxcb-cursor.so.0": ("libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor"),
    "libxcb-glx.so.0": ("libxcb-glx0", "libxcb", "libxcb"),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm", "xcb-util-wm"),
    "libxcb-image.so.0": ("libxcb-image0", "xcb-util-image", "xcb-util-image"),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms"),
    "libxcb-randr.so.0": ("libxcb-randr0", "libxcb", "libxcb"),
    "libxcb-render-util.so.0": ("libxcb-render-util0", "xcb-util-renderutil", "xcb-util-renderutil"),
    "libxcb-render.so.0": ("libxcb-render0", "libxcb", "libxcb"),
    "libxcb-shape.so.0": ("libxcb-shape0", "libxcb", "libxcb"),
    "libxcb-shm.so.0": ("libxcb-shm0", "libxcb", "libxcb"),
    "libxcb-sync.so.1": ("libxcb-sync1", "libxcb", "libxcb"),
    "libxcb-util.so.1": ("libxcb-util1", "xcb-util", "xcb-util"),
    "libxcb-xfixes.so.0": ("libxcb-xfixes0", "libxcb", "libxcb"),
    "libxcb-xkb.so.1": ("libxcb-xkb1", "libxcb", "libxcb"),
    "libxcb.so.1": ("libxcb1", "libxcb", "libxcb"),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11"),
}
# a screen that nobody sees, its window manager, and hands: the journeys on X are tested with them
TEST_SCREEN = {"Xvfb": "xvfb", "openbox": "openbox", "xdotool": "xdotool"}  # program -> Debian/Ubuntu
FONT = ("fonts-dejavu-core", "dejavu-sans-fonts", "ttf-dejavu")
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")

# family -> (column of the tables above, the command, its query for one package)
APT, DNF, PACMAN = 0, 1, 2
INSTALL = {
    APT: ["apt-get", "install", "-y", "--no-install-recommends"],
    DNF: ["dnf", "install", "-y"],
    PACMAN: ["pacman", "-S", "--needed"],
}


def is_loadable(soname: str) -> bool:
    """Whether the dynamic linker finds the library."""
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def has_font(folders: "tuple[str, ...]" = FONT_FOLDERS) -> bool:
    """Whether at least one scalable font is installed; Qt draws empty text without one."""
    for folder in folders:
        for _, _, names in os.walk(str(Path(folder).expanduser())):
            if any(name.lower().endswith((".ttf", ".otf", ".ttc")) for name in names):
                return True
    return False


def missing(with_screen: bool, is_there=is_loadable, is_font_there=has_font) -> "list[str]":
    """What Qt would not find: sonames, and the word "font".

    Args:
        with_screen: also what a window on a real screen (X11) needs, beyond drawing into memory.
        is_there: says whether one soname can be loaded.
        is_font_there: says whether there is a font.
    """
    if not sys.platform.startswith("linux"):
        return []
    wanted = list(DRAWING) + (list(SCREEN) if with_screen else [])
    lacking = [soname for soname in wanted if not is_there(soname)]
    return lacking if is_font_there() else [*lacking, "font"]


def package_manager(find=shutil.which) -> "int | None":
    """The package manager of this machine: APT, DNF, PACMAN, or None."""
    for kind, program in ((APT, "apt-get"), (DNF, "dnf"), (PACMAN, "pacman")):
        if find(program):
            return kind
    return None


def packages(lacking: "list[str]", kind: int, exists=lambda name: True) -> "list[str]":
    """The packages that bring what is lacking, each once, sorted.

    Args:
        lacking: what `missing` returned.
        kind: APT, DNF or PACMAN.
        exists: says whether this machine's package manager knows a package; chooses between "a|b" names.
    """
    names = set()
    for soname in lacking:
        entry = FONT if soname == "font" else (DRAWING.get(soname) or SCREEN[soname])
        choices = entry[kind].split("|")
        names.add(next((name for name in choices if exists(name)), choices[-1]))
    return sorted(names)


def install_command(names: "list[str]", kind: int) -> "list[str]":
    """The command that installs the packages, without `sudo`."""
    return [*INSTALL[kind], *names]
