"""Torch's threads must not spin while they wait: the machine has two cores and other tests."""

from __future__ import annotations

import os

os.environ.setdefault("GOMP_SPINCOUNT", "0")
