"""Where a localiser believes hips to be, kept among what can be computed again: a proposal, never an annotation."""

from __future__ import annotations

import msgspec

from app.core.case import Side
from app.core.counsel import LocatedHip
from app.core.grey import GreyScale
from app.store.derived import DerivedCache, derived_key

KIND = "hip-region/1"


_DECODER = msgspec.msgpack.Decoder(LocatedHip)


def located_key(sha256: str, grey: GreyScale, weights_sha256: str, side: Side | None) -> bytes:
    """Names one question to a localiser.

    Args:
        sha256: address of the stored values.
        grey: how they are read.
        weights_sha256: of the localiser.
        side: of the hip that is looked for: one pelvis shows two.
    """
    return derived_key(sha256, grey, weights_sha256, side)


def kept_hip(derived: DerivedCache, key: bytes) -> LocatedHip | None:
    """What was said before; None when nothing was."""
    kept = derived.get(KIND, key)
    try:
        return None if kept is None else _DECODER.decode(kept)
    except msgspec.DecodeError:
        return None


def keep_hip(derived: DerivedCache, key: bytes, hip: LocatedHip) -> None:
    """Keep what a localiser said."""
    derived.put(KIND, key, msgspec.msgpack.encode(hip))
