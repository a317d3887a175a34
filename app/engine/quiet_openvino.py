"""OpenVINO without its reports.

`import openvino` loads its converter, which tells a server on the internet that it was loaded, from a forked copy of
this process, unless a file in the user's home forbids it. Nothing here uses the converter, so it is kept out: the
import itself allows for its absence, and takes half the time.
"""

from __future__ import annotations

import sys
from typing import Any

_KEPT_OUT: dict[str, Any] = {"openvino.tools.ovc": None, "openvino_telemetry": None}


def openvino() -> Any:
    """The package, loaded without anything that reports; everything else imports it after this was called.

    Raises:
        RuntimeError: something has loaded it in the ordinary way before.
        ImportError: it is not installed.
    """
    if "openvino" not in sys.modules:
        sys.modules.update(_KEPT_OUT)
    elif any(sys.modules.get(name) is not None for name in _KEPT_OUT):
        raise RuntimeError("OpenVINO was loaded with its reports")
    import openvino as package

    return package
