"""The language of the window: every text that a user sees is looked up here when it is shown.

English texts are the keys. A translator that is installed in the application answers for them from
`resources/languages/CODE.toml`:

- `[texts]`: what `tr` looks up.
- `[plurals]`: what `trn` looks up; the key is the English plural, the value is singular and plural.
- `[sentences]`: what `say` looks up: English sentences that core, store and other processes have made. A key with
  `{fields}` is a template; `{field:t}` in its translation says that the value is itself to be translated.

Switching sends `QEvent.LanguageChange` to every widget, as Qt does.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QDate, QLibraryInfo, QLocale, QObject, QTranslator

from app.store.bundled import resource_path

CONTEXT = "Coxa"
LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}  # code → what its speakers call it
ONE, SENTENCE = "one", "sentence"
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+(?=[A-Z“\"`])")
_ISO_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d:\d\d)|)")
_TYPED_DATE = re.compile(r"(?:(\d{1,2})\.)?(\d{1,2})\.(\d{4})")
DAYS: Mapping[str, str] = {"en": "d MMM yyyy", "de": "dd.MM.yyyy"}  # four figures and no doubt what is the month


def tr(text: str, **values: object) -> str:
    """The text in the language of the window.

    Args:
        text: the English text; `{name}` stands for a value.
        values: what to put in their places.
    """
    words = QCoreApplication.translate(CONTEXT, text)
    return _filled(words, text, values) if values else words


def trn(one: str, many: str, count: int, **values: object) -> str:
    """The text for a number of things.

    Args:
        one: the English text for one of them.
        many: the English text for any other number; `{count}` stands for it.
        count: how many.
        values: what else to put in.
    """
    english = one if count == 1 else many
    words = QCoreApplication.translate(CONTEXT, many, ONE if count == 1 else "")
    return _filled(english if words == many else words, english, {"count": whole(count), **values})


def say(sentence: str) -> str:
    """An English sentence that was made elsewhere, in the language of the window; itself if it is not known."""
    return QCoreApplication.translate(CONTEXT, sentence, SENTENCE) if sentence else sentence


def literal(words: str) -> str:
    """Words that people chose, for a menu or a tool button, where `&` would underline the next letter and vanish."""
    return words.replace("&", "&&")


def number(value: float, decimals: int) -> str:
    """A number as people of the language write it, without thousands separators."""
    locale = _locale()
    locale.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator)
    return locale.toString(float(value), "f", decimals)


def whole(value: int) -> str:
    """A whole number as people of the language write it; thousands are grouped from 10,000 on."""
    locale = _locale()
    if abs(value) < 10_000:
        locale.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator)
    return locale.toString(value)


def day(value: date) -> str:
    """A date."""
    return _locale().toString(QDate(value.year, value.month, value.day), DAYS[present_language()])


def moment(value: datetime) -> str:
    """A date and a time of day, in the time zone of the computer."""
    local = value.astimezone()
    return f"{day(local.date())}, {local:%H:%M}"


def date_figures(iso: str) -> str:
    """A date that is kept as YYYY-MM-DD, in the figures of a list; a time of day behind it stays.

    German lists say DD.MM.YYYY, as DICOM viewers there do. English ones keep the year in front: Britain and America
    write day and month the other way round.
    """
    found = _ISO_DATE.match(iso)
    if found is None:
        return iso
    year, month, day_of_month, time = found.groups()
    return tr("{year}-{month}-{day}", year=year, month=month, day=day_of_month) + (f" {time}" if time else "")


def typed_date(text: str) -> str:
    """What somebody types for a date, as it is kept: 3.10.2026 is 2026-10-03, 10.2026 is 2026-10; the rest as it is."""
    found = _TYPED_DATE.fullmatch(text.strip())
    if found is None:
        return text.strip()
    day_of_month, month, year = found.groups()
    return "-".join(part.zfill(2) for part in (year, month, day_of_month) if part)


def present_language() -> str:
    """Code of the language that the window speaks."""
    spoken = [found.code for found in _find_translators() if isinstance(found, Catalogue)]
    return spoken[0] if spoken else "en"


def system_language() -> str:
    """The first language of the system that Coxa speaks; English if there is none."""
    for name in QLocale.system().uiLanguages():
        code = re.split(r"[-_]", name)[0].lower()
        if code in LANGUAGES:
            return code
    return "en"


def use_language(app: QCoreApplication, choice: str) -> str:
    """Speak another language from now on; every widget is told.

    Args:
        app: the application; it keeps the translators.
        choice: code of the language, or `system`.

    Returns:
        Code of the language that is spoken now; English for one that Coxa does not know.
    """
    code = system_language() if choice == "system" else choice
    code = code if code in LANGUAGES else "en"
    for old in _find_translators():
        app.removeTranslator(old)
        old.setParent(None)
        old.deleteLater()
    if code != "en":
        own = QTranslator(app)
        if own.load(f"qtbase_{code}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
            own.setObjectName(CONTEXT)
            app.installTranslator(own)
        app.installTranslator(Catalogue(code, read_catalogue(code), app))
    return code


def read_catalogue(code: str) -> dict[str, Any]:
    """The tables of a language."""
    path: Path = resource_path("languages", f"{code}.toml")
    import tomllib  # the window starts without it

    return tomllib.loads(path.read_text(encoding="utf-8"))


class Catalogue(QTranslator):
    """Answers from the tables of one language.

    Args:
        code: of the language.
        tables: `texts`, `plurals`, `sentences`.
        parent: the application.
    """

    def __init__(self, code: str, tables: Mapping[str, Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(CONTEXT)
        self.code = code
        self._texts: Mapping[str, str] = tables.get("texts", {})
        self._plurals: Mapping[str, list[str]] = tables.get("plurals", {})
        sentences: Mapping[str, str] = tables.get("sentences", {})
        self._sentences = {key: words for key, words in sentences.items() if not template_fields(key)}
        self._templates = _Templates((key, words) for key, words in sentences.items() if template_fields(key))

    def isEmpty(self) -> bool:  # noqa: N802
        """Never: Qt asks before it tells the widgets."""
        return False

    def translate(
        self, context: str | bytes, source: str | bytes, disambiguation: str | bytes | None = None, n: int = -1
    ) -> str | None:
        """The translation, or None: then Qt asks the next translator."""
        if context != CONTEXT or not isinstance(source, str):
            return None
        if disambiguation == SENTENCE:
            return self._sentence(source)
        if source in self._plurals:
            return self._plurals[source][0 if disambiguation == ONE else 1]
        return self._texts.get(source)

    def _sentence(self, text: str) -> str | None:
        if (word := self._word(text)) is not None:
            return word
        parts = _SENTENCE_END.split(text)
        said = [self._word(part) or self._templates.translate(part, self._sentence) for part in parts]
        if not all(said):  # a template that spans sentences: only where they are not all known by themselves
            whole_text = self._templates.translate(text, self._sentence)
            if whole_text is not None or len(parts) == 1:
                return whole_text
        if not any(said):
            return None
        return " ".join(new or old for new, old in zip(said, parts, strict=True))

    def _word(self, text: str) -> str | None:
        return self._sentences.get(text) or self._texts.get(text)


class _Templates:
    """Sentences with values in them; the one with the most fixed letters is tried first."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        self._entries = sorted(entries, key=lambda entry: -len(_fixed(entry[0])))
        self.pattern = lru_cache(maxsize=None)(_pattern)
        self.translate = lru_cache(maxsize=4096)(self._translate)

    def _translate(self, text: str, word: Any) -> str | None:
        for english, words in self._entries:
            found = self.pattern(english).fullmatch(text)
            if found is not None:
                values = {name: _Value(value, word(value) or value) for name, value in found.groupdict().items()}
                return words.format(**values)
        return None


class _Value(str):
    """A value found in a sentence; the format `t` puts its translation in."""

    _translated: str

    def __new__(cls, value: str, translated: str) -> _Value:
        """A string that knows its translation."""
        made = super().__new__(cls, value)
        made._translated = translated
        return made

    def __format__(self, spec: str) -> str:
        """The value, or its translation."""
        return self._translated if spec == "t" else str(self)


def template_fields(text: str) -> list[str]:
    """Names of the `{fields}` of a text, in order; empty for one that is not a template."""
    try:
        return [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    except ValueError:  # a lone brace
        return []


def _fixed(template: str) -> str:
    return "".join(literal for literal, *_ in string.Formatter().parse(template))


def _pattern(template: str) -> re.Pattern[str]:
    pieces: list[str] = []
    seen: set[str] = set()
    for literal, name, _, _ in string.Formatter().parse(template):
        pieces.append(re.escape(literal))
        if name is not None:
            pieces.append(f"(?P={name})" if name in seen else f"(?P<{name}>.+?)")
            seen.add(name)
    return re.compile("".join(pieces), re.DOTALL)


def _filled(words: str, english: str, values: Mapping[str, object]) -> str:
    try:
        return words.format(**values)
    except (KeyError, IndexError, ValueError):  # a fault in the catalogue must not stop the window
        return english.format(**values)


def _locale() -> QLocale:
    return QLocale(present_language())


def _find_translators() -> list[QTranslator]:
    app = QCoreApplication.instance()
    return app.findChildren(QTranslator, CONTEXT) if app is not None else []
