"""Finds every text that a user of the window can see, in the source."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TABLE_TEXT = re.compile(r"^[A-Z][a-zäöü].*", re.DOTALL)  # what a table holds and a person reads begins like this
SENTENCE = re.compile(r"^(?:[A-Z“\"(`]|\{).*\s.*[.?!:]$", re.DOTALL)

# What stands in data sets for others is English whatever the window speaks: data cards, and each format's guide to it.
WRITTEN_MODULES, WRITTEN_FUNCTIONS = ("card.py",), ("guide",)
SQL = re.compile(r"\b(SELECT|UPDATE|DELETE|WHERE)\b|= \?| \? ")


def trees(*rooms: str) -> Iterator[tuple[Path, ast.Module]]:
    """The syntax tree of every module of some rooms of `app`."""
    for room in rooms:
        for path in sorted((REPOSITORY / "app" / room).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


@cache
def window_texts() -> dict[str, str]:
    """What is given to `tr` → where."""
    found: dict[str, str] = {}
    for path, tree in trees("ui"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr" and node.args:
                for text in templates(node.args[0]):
                    found[text] = f"{path.name}:{node.lineno}"
    return found


@cache
def window_plurals() -> dict[tuple[str, str], str]:
    """What is given to `trn`, (one, many) → where."""
    found: dict[tuple[str, str], str] = {}
    for path, tree in trees("ui"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "trn":
                one, many = (templates(arg) for arg in node.args[:2])
                if one and many:
                    found[(one[0], many[0])] = f"{path.name}:{node.lineno}"
    return found


@cache
def table_texts() -> dict[str, str]:
    """Texts in tables of the window, which are given to `tr` when they are shown → where."""
    import app.ui

    found: dict[str, str] = {}
    for module in pkgutil.walk_packages(app.ui.__path__, "app.ui."):
        loaded = importlib.import_module(module.name)
        for name, value in vars(loaded).items():
            if name.isupper() and not name.startswith("_") and isinstance(value, tuple | dict | list | frozenset):
                for text in _strings(value):
                    if TABLE_TEXT.match(text):
                        found[text] = f"{module.name}.{name}"
    return found


@cache
def looked_up_texts() -> dict[str, str]:
    """Values of tables that are given to `tr` or `say` by their key, however they begin → where."""
    found: dict[str, str] = {}
    for path, tree in trees("ui"):
        named = {part.value.id for node in ast.walk(tree)
                 if isinstance(node, ast.Call) and _name(node.func) in ("tr", "say") and node.args
                 for part in ast.walk(node.args[0])
                 if isinstance(part, ast.Subscript) and isinstance(part.value, ast.Name)
                 and part.value.id.isupper()}  # fmt: skip
        if named:
            module = importlib.import_module(".".join(path.relative_to(REPOSITORY).with_suffix("").parts))
            for name in sorted(named):
                for text in _strings(getattr(module, name, ())):
                    if text:
                        found[text] = f"{module.__name__}.{name}"
    return found


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, Enum | type):
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, tuple | list | frozenset):
        for part in value:
            yield from _strings(part)
    elif is_dataclass(value):
        for field in fields(value):
            if field.name in ("text", "tip", "menu", "bar_text", "title", "words", "label", "note"):
                yield from _strings(getattr(value, field.name))


@cache
def made_sentences(*rooms: str) -> dict[str, str]:
    """Sentences that other rooms make for a person to read, as templates with `{}` → where."""
    found: dict[str, str] = {}
    for path, tree in trees(*rooms):
        if path.name in WRITTEN_MODULES:
            continue
        docs = {id(node.body[0].value) for node in ast.walk(tree)
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
                and node.body and isinstance(node.body[0], ast.Expr)}  # fmt: skip
        inner: set[int] = {id(part) for node in ast.walk(tree)
                           if isinstance(node, ast.FunctionDef) and node.name in WRITTEN_FUNCTIONS
                           for part in ast.walk(node)}  # fmt: skip
        for node in ast.walk(tree):
            if id(node) in docs or id(node) in inner:
                continue
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                inner.add(id(node.value))  # the words under an attribute
                continue
            if isinstance(node, ast.Call) and _name(node.func) == "UserError":
                said = [*node.args[:1], *(word.value for word in node.keywords if word.arg in ("reason", "remedy"))]
                for part in said:
                    for text in templates(part):
                        if text:
                            found[text] = f"{path.name}:{node.lineno}"
            if isinstance(node, ast.JoinedStr | ast.BinOp | ast.Constant):
                for child in ast.walk(node):
                    if child is not node:
                        inner.add(id(child))
                for text in templates(node):
                    if SENTENCE.match(text) and not SQL.search(text):
                        found[text] = f"{path.name}:{getattr(node, 'lineno', 0)}"
    return found


def templates(node: ast.expr) -> list[str]:
    """The texts that an expression can be, with `{}` for what is put in; none if it is no text.

    A value that is put in counts as `{}`, whatever it is called; a choice between texts gives both.
    """
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        pieces = [""]
        for part in node.values:
            if isinstance(part, ast.Constant):
                more = [str(part.value)]
            else:
                assert isinstance(part, ast.FormattedValue)
                more = templates(part.value) if isinstance(part.value, ast.IfExp) else ["{}"]
            pieces = [piece + text for piece in pieces for text in (more or ["{}"])]
        return pieces
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = templates(node.left), templates(node.right)
        if left or right:
            return [a + b for a in left or ["{}"] for b in right or ["{}"]]
        return []
    if isinstance(node, ast.IfExp):
        return [*templates(node.body), *templates(node.orelse)]
    return []


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def skeleton(text: str) -> str:
    """A template whose fields have lost their names."""
    return re.sub(r"\{[^{}]*\}", "{}", text)
