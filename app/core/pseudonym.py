"""Pseudonyms that only the holder of the project key can make: patients, UIDs, dates, keys of sources.

Everything is HMAC-SHA256 with the project's secret key, with a label for each use so that two uses never give the same
value. The same key gives the same pseudonyms: a second import finds what the first one brought.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import date, timedelta

from app.core.words import fold

KEY_BYTES = 32
# Crockford's base 32 without I, L, O, U: read aloud and typed without mistakes.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ID_LETTERS = 10  # 50 bits: a clash among 100,000 patients has a chance of about 1 in 200,000
_MAX_SHIFT_DAYS = 3650
_AGE = re.compile(r"(\d{1,3})([DWMY])")
_OLDEST_YEARS = 90
_DATE = re.compile(r"(\d{4})[.\-]?(\d{2})[.\-]?(\d{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientIdentity:
    """Who an object says its patient is. **Identifying: in memory only.**

    Args:
        issuer: Issuer of Patient ID, or empty.
        patient_id: Patient ID, or empty.
        study_uid: Study Instance UID: stands in for a missing Patient ID, so that nobody is joined by name.
        fallback: something unique of the object when even the study is missing.
    """

    issuer: str = ""
    patient_id: str = ""
    study_uid: str = ""
    fallback: str = ""

    @property
    def text(self) -> str:
        """What identifies the patient, in one string.

        Raises:
            ValueError: nothing identifies the patient.
        """
        if self.patient_id.strip():
            return f"patient|{self.issuer.strip()}|{self.patient_id.strip()}"
        if self.study_uid.strip():
            return f"study|{self.study_uid.strip()}"
        if self.fallback:
            return f"object|{self.fallback}"
        raise ValueError("nothing identifies this patient")


class Pseudonyms:
    """Makes the pseudonyms of one project.

    Args:
        key: the project's secret, 32 bytes.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES:
            raise ValueError("a project key has 32 bytes")
        self._key = key

    def patient(self, identity: PatientIdentity) -> str:
        """A short readable identifier, for example `P-7K3Q9-XWD2M`."""
        return readable_id("P", self._digest("patient", identity.text))

    def view(self, object_text: str) -> str:
        """Identifier of a view, from what identifies its object; the same object is the same view in every import."""
        return readable_id("V", self._digest("view", object_text))

    def uid(self, uid: str) -> str:
        """The replacement of a UID, `2.25.<128 bits>` (PS3.5 B.2), the same for the same UID everywhere."""
        return f"2.25.{int.from_bytes(self._digest('uid', uid.strip())[:16], 'big')}"

    def key_of(self, use: str, value: str) -> str:
        """A key to find the same thing again (a source, an object) without storing what it is. 32 hex digits.

        Args:
            use: what the key is for, for example `object`.
            value: what must be found again, for example a SOP Instance UID.
        """
        return self._digest(f"key|{use}", value).hex()[:32]

    def check(self, use: str, text: str) -> int | None:
        """A check value, 0–255, that tells a different name or birth date but does not tell which.

        Case, accents, punctuation and spaces do not count. None for an empty text.
        """
        plain = comparable(text)
        return self._digest(f"check|{use}", plain)[0] if plain else None

    def shift_days(self, identity: PatientIdentity) -> int:
        """How far the patient's dates are moved: a constant of −1 … −3650 days."""
        number = int.from_bytes(self._digest("dates", identity.text)[:8], "big")
        return -(number % _MAX_SHIFT_DAYS + 1)

    def _digest(self, use: str, text: str) -> bytes:
        message = use.encode() + b"\x00" + text.encode("utf-8", "surrogatepass")
        return hmac.new(self._key, message, hashlib.sha256).digest()


def readable_id(letter: str, digest: bytes) -> str:
    """A short identifier that can be read aloud, for example `P-7K3Q9-XWD2M`.

    Args:
        letter: what kind of thing it is.
        digest: at least 8 bytes of a hash.
    """
    number = int.from_bytes(digest[:8], "big")
    letters = ""
    for _ in range(_ID_LETTERS):
        number, digit = divmod(number, 32)
        letters += _ALPHABET[digit]
    return f"{letter}-{letters[:5]}-{letters[5:]}"


def comparable(text: str) -> str:
    """A name, identifier or date without case, accents, separators and spaces, for comparing."""
    return "".join(character for character in fold(text) if character.isalnum())


def shifted_date(text: str, days: int) -> str | None:
    """A DA value (or the date part of a DT value) moved by days; the rest of a DT value stays.

    Args:
        text: `YYYYMMDD`, `YYYY.MM.DD` or `YYYYMMDDHHMMSS.F&ZZZZ`.
        days: how far.

    Returns:
        The moved value with the date as `YYYYMMDD`, or None when it is not a complete date.
    """
    plain = text.strip()
    match = _DATE.match(plain)
    if match is None:
        return None
    rest = plain[match.end() :]
    if re.fullmatch(r"(\d{2,6}(\.\d{1,6})?)?([+-]\d{4})?", rest) is None:
        return None
    try:
        moved = date(int(match[1]), int(match[2]), int(match[3])) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return moved.strftime("%Y%m%d").rjust(8, "0") + rest


def iso_date(text: str) -> str:
    """`YYYYMMDD…` as `YYYY-MM-DD`; empty when it is not a date."""
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if re.match(r"\d{8}", text) else ""


def iso_datetime(text: str) -> str:
    """`YYYYMMDDHHMMSS[.F][±ZZZZ]` as `YYYY-MM-DDTHH:MM:SS`; the date alone when there is no time; empty for no date."""
    day = iso_date(text)
    if not day:
        return ""
    clock = re.match(r"(\d{2})(\d{2})?(\d{2})?", text[8:])
    if clock is None or int(clock[1]) > 23 or int(clock[2] or 0) > 59 or int(clock[3] or 0) > 60:
        return day
    return f"{day}T{clock[1]}:{clock[2] or '00'}:{min(int(clock[3] or 0), 59):02d}"


def capped_age(text: str) -> str | None:
    """An AS value; ages over 89 years become `090Y`; None when it is not an age (PS3.5 6.2)."""
    match = _AGE.fullmatch(text.strip().upper())
    if match is None:
        return None
    count = int(match[1])
    per_year = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}[match[2]]
    if count / per_year >= _OLDEST_YEARS:
        return "090Y"
    return f"{count:03d}{match[2]}"
