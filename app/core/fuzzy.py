"""Finding a text by a few of its letters."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """How well a text answers a query.

    Args:
        score: higher is better; 0 for an empty query.
        at: positions of the letters that were found, ascending.
    """

    score: float
    at: tuple[int, ...] = ()


def folded(text: str) -> str:
    """The text in small letters without accents, letter by letter, so that positions stay."""
    return "".join((unicodedata.normalize("NFD", letter)[:1].lower() or letter)[:1] for letter in text)


def find(query: str, text: str) -> Found | None:
    """Every word of the query must be found: as the beginning of a word, inside one, or as letters in order.

    Args:
        query: what was typed; words may come in any order.
        text: what is searched.

    Returns:
        The score and the letters found; None if a word of the query is not there.
    """
    words, heap = folded(query).split(), folded(text)
    starts = [i for i, letter in enumerate(heap) if letter.isalnum() and (i == 0 or not heap[i - 1].isalnum())]
    score, at = 0.0, set[int]()
    for word in words:
        found = _as_word(word, heap, starts) or _as_part(word, heap) or _as_letters(word, heap, starts)
        if found is None:
            return None
        score += found.score
        at.update(found.at)
    length = max(len(heap), 1)
    return Found(score - 0.02 * length if words else 0.0, tuple(sorted(at)))


def _as_word(word: str, heap: str, starts: list[int]) -> Found | None:
    for rank, start in enumerate(starts):
        if heap.startswith(word, start):
            end = start + len(word)
            is_whole = end == len(heap) or not heap[end].isalnum()
            return Found(100.0 - 4 * min(rank, 5) + (10 if is_whole else 0), tuple(range(start, end)))
    return None


def _as_part(word: str, heap: str) -> Found | None:
    start = heap.find(word) if len(word) > 1 else -1
    return Found(60.0, tuple(range(start, start + len(word)))) if start >= 0 else None


def _as_letters(word: str, heap: str, starts: list[int]) -> Found | None:
    """Letters in order, the first at the start of a word: `sl` finds `Soft-tissue` no, `Shortcut list` yes."""
    best: Found | None = None
    for start in starts:
        if heap[start] != word[0]:
            continue
        at, score, position = [start], 10.0, start
        for letter in word[1:]:
            following = [i for i in starts if i > position and heap[i] == letter]
            near = heap.find(letter, position + 1)
            if near < 0:
                break
            step = near if near == position + 1 or not following else following[0]
            score += 6.0 if step == position + 1 or step in starts else -1.0 - 0.2 * (step - position)
            position = step
            at.append(step)
        # letters strewn over the text are no answer
        if len(at) == len(word) and score >= 10.0 and (best is None or score > best.score):
            best = Found(min(score, 55.0), tuple(at))
    return best
