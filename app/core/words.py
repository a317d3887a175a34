"""Finding known words in free text, without ever keeping the text.

Free text of a radiograph's header may hold names. Only words of our own tables leave this module.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"[^\W_]+")
# Scripts that are written without spaces: kana, CJK ideographs, Hangul.
_UNSPACED = re.compile(r"[぀-ヿ㐀-鿿가-힣豈-﫿]")
_COMBINING_LATIN = range(0x0300, 0x0370)


def fold(text: str) -> str:
    """Text without case, width and accents, so that `Hüfte`, `HUFTE` and `ｈüfte` are the same."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(character for character in decomposed if ord(character) not in _COMBINING_LATIN)
    return unicodedata.normalize("NFC", bare)


def split_camel(text: str) -> str:
    """Separate words that were glued together by capitals: `HipLeftAP` becomes `Hip Left AP`."""
    text = re.sub(r"(?<=[^\W\d_])(?=[A-Z][a-z])", " ", text) if re.search(r"[a-z]", text) else text
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)


@dataclass(frozen=True, slots=True)
class _Pattern:
    word: str
    tokens: tuple[str, ...]
    is_prefix: bool
    is_unspaced: bool
    value: str
    initial: str

    @property
    def length(self) -> int:
        return len(self.word)


@dataclass(frozen=True, slots=True)
class Match:
    """A table word that was found.

    Args:
        word: the word of the table (not the text), without its `*`.
        value: what it stands for.
        position: index of the first matched token; −1 in a script without spaces.
    """

    word: str
    value: str
    position: int


class WordTable:
    """A table of words in several languages, each standing for a value.

    Args:
        values: the words of each value; `*` ends a prefix, several words are a phrase.
    """

    __slots__ = ("_spaced", "_unspaced")

    def __init__(self, values: Mapping[str, Iterable[str]]) -> None:
        patterns = [_pattern(word, value) for value, words in values.items() for word in words]
        patterns.sort(key=lambda pattern: (-len(pattern.tokens), -pattern.length, pattern.word))
        self._spaced = tuple(pattern for pattern in patterns if not pattern.is_unspaced)
        self._unspaced = tuple(pattern for pattern in patterns if pattern.is_unspaced)

    def find(self, text: str) -> list[Match]:
        """Every word of the table in the text; the longest match wins and uses up its words."""
        folded = fold(split_camel(unicodedata.normalize("NFKC", text)))
        found: list[Match] = []
        rest = folded
        for pattern in self._unspaced:
            if pattern.word in rest:
                found.append(Match(pattern.word, pattern.value, -1))
                rest = rest.replace(pattern.word, " ")
        tokens: list[str] = _TOKEN.findall(folded)
        is_used = [False] * len(tokens)
        starts: dict[str, list[int]] = {}  # by first letter: hardly any pattern is compared with a text at all
        for position, token in enumerate(tokens):
            starts.setdefault(token[0], []).append(position)
        for pattern in self._spaced:
            for start in starts.get(pattern.initial, ()):
                stop = start + len(pattern.tokens)
                if stop > len(tokens):
                    break
                if not any(is_used[start:stop]) and _fits(pattern, tokens[start:stop]):
                    is_used[start:stop] = [True] * (stop - start)
                    found.append(Match(" ".join(pattern.tokens), pattern.value, start))
        return found


def values_found(matches: Iterable[Match]) -> dict[str, tuple[str, ...]]:
    """The matched words of each value, without repeats, in the order found."""
    found: dict[str, list[str]] = {}
    for match in matches:
        words = found.setdefault(match.value, [])
        if match.word not in words:
            words.append(match.word)
    return {value: tuple(words) for value, words in found.items()}


def _pattern(word: str, value: str) -> _Pattern:
    folded = fold(word)
    is_prefix = folded.endswith("*")
    bare = folded.rstrip("*")
    is_unspaced = bool(_UNSPACED.search(bare))
    tokens = (bare,) if is_unspaced else tuple(_TOKEN.findall(bare))
    if not tokens:
        raise ValueError(f"the word {word!r} holds no letters")
    return _Pattern(bare, tokens, is_prefix, is_unspaced, value, tokens[0][0])


def _fits(pattern: _Pattern, tokens: Sequence[str]) -> bool:
    *head, last = pattern.tokens
    if list(tokens[:-1]) != head:
        return False
    token = tokens[-1]
    if pattern.is_prefix:
        return token.startswith(last)
    # `AP1` and `lat2` are numbered repeats; a single letter with a digit (`L5`) is a vertebra, not a side.
    return token == last or (len(last) > 1 and token.rstrip("0123456789") == last)
