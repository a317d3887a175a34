"""A printed report of one case: what it shows, what readers said and measured, what models said, each apart.

Made by reportlab in its invariant mode: no date, no random identifier, the same case gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import cv2
import numpy as np
import numpy.typing as npt
import reportlab
from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from app import __version__

FONT, BOLD = "Vera", "VeraBd"
MARK = "Research use only. Not for diagnosis."
MARGIN, GAP = 16 * mm, 4 * mm
WIDTH = A4[0] - 2 * MARGIN
TALLEST = 105 * mm
FRAME_PADDING = 6  # of reportlab's frames, pt
INK, MUTED, RULE, FILL = colors.HexColor("#16202a"), colors.HexColor("#5a6672"), "#c9d1d9", "#f1f4f7"
CAUTION = colors.HexColor("#9a3412")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPicture:
    """One picture of a report.

    Args:
        pixels: (h, w, 3) uint8; None where the image must not leave.
        caption: what it is, in a line.
    """

    pixels: npt.NDArray[np.uint8] | None
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTable:
    """One table of a report.

    Args:
        title: what it is about.
        head: names of its columns.
        rows: texts.
        note: a sentence under it; empty = none.
        pictures: pictures under it.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    pictures: tuple[ReportPicture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReport:
    """Everything in a report.

    Args:
        title: of the case.
        facts: name and value, shown in two columns.
        pictures: the views.
        tables: what was said.
        state: which state of the project it shows, in a line.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    pictures: tuple[ReportPicture, ...] = ()
    tables: tuple[ReportTable, ...] = field(default=())
    state: str = ""


def pdf_bytes(report: CaseReport) -> bytes:
    """The report as a PDF file, A4."""
    register_fonts()
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=MARGIN - FRAME_PADDING,
        rightMargin=MARGIN - FRAME_PADDING,
        topMargin=24 * mm,
        bottomMargin=20 * mm,
        invariant=1,
        pageCompression=1,
        title=report.title,
        author="Coxa",
        creator=f"Coxa {__version__}",
        subject=MARK,
    )
    story: list[Flowable] = [Paragraph(_text(report.title), _style("title")), Spacer(0, GAP), _facts(report.facts)]
    if report.pictures:
        story += [Spacer(0, GAP), _pictures(report.pictures)]
    for table in report.tables:
        story += _table(table)
    document.build(story, canvasmaker=_canvas_of(report))
    return out.getvalue()


def register_fonts() -> None:
    """Make the fonts known that are embedded; again is fine."""
    folder = Path(reportlab.__file__).parent / "fonts"
    for name in (FONT, BOLD):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))


def _canvas_of(report: CaseReport) -> type[Canvas]:
    class Pages(Canvas):  # type: ignore[misc]  # reportlab has no types
        """Writes head and foot when the number of pages is known."""

        def __init__(self, *words: object, **options: object) -> None:
            super().__init__(*words, **options)
            self._pages: list[dict[str, object]] = []

        def showPage(self) -> None:  # noqa: N802  # reportlab's name
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._pages, start=1):
                self.__dict__.update(page)
                _margins(self, report, number, len(self._pages))
                super().showPage()
            super().save()

    return Pages


def _margins(canvas: Canvas, report: CaseReport, number: int, count: int) -> None:
    top, bottom = A4[1] - 14 * mm, 12 * mm
    canvas.saveState()
    canvas.setFillColor(INK)
    canvas.setFont(BOLD, 9)
    canvas.drawString(MARGIN, top, "Coxa")
    canvas.setFillColor(CAUTION)
    canvas.drawRightString(A4[0] - MARGIN, top, MARK)
    canvas.setStrokeColor(colors.HexColor(RULE))
    canvas.line(MARGIN, top - 2.5 * mm, A4[0] - MARGIN, top - 2.5 * mm)
    canvas.line(MARGIN, bottom + 4 * mm, A4[0] - MARGIN, bottom + 4 * mm)
    canvas.setFillColor(MUTED)
    canvas.setFont(FONT, 7)
    canvas.drawString(MARGIN, bottom, _plain(f"Coxa {__version__} · {report.state}"))
    canvas.drawRightString(A4[0] - MARGIN, bottom, f"{number} / {count}")
    canvas.restoreState()


def _facts(facts: Sequence[tuple[str, str]]) -> Table:
    half = (len(facts) + 1) // 2
    rows = []
    for index in range(half):
        row: list[Paragraph] = []
        for name, value in (facts[index], facts[index + half] if index + half < len(facts) else ("", "")):
            row += [Paragraph(_text(name), _style("muted")), Paragraph(_text(value), _style("body"))]
        rows.append(row)
    table = Table(rows, colWidths=[0.14 * WIDTH, 0.36 * WIDTH] * 2)
    table.setStyle(TableStyle([*_PLAIN, ("VALIGN", (0, 0), (-1, -1), "TOP")]))
    return table


def _pictures(pictures: Sequence[ReportPicture]) -> Table:
    """Pictures side by side, two in a row."""
    columns = 2
    width = (WIDTH - (columns - 1) * GAP) / columns
    rows: list[list[list[Flowable] | str]] = []
    for start in range(0, len(pictures), columns):
        row: list[list[Flowable] | str] = [_picture(one, width) for one in pictures[start : start + columns]]
        rows.append([*row, *[""] * (columns - len(row))])
    table = Table(rows, colWidths=[width + (GAP if index else 0) for index in range(columns)])
    gaps = [("LEFTPADDING", (index, 0), (index, -1), GAP) for index in range(1, columns)]
    table.setStyle(TableStyle([*_PLAIN, ("VALIGN", (0, 0), (-1, -1), "TOP"), *gaps]))
    return table


def _picture(one: ReportPicture, width: float) -> list[Flowable]:
    caption = Paragraph(_text(one.caption), _style("muted"))
    if one.pixels is None:
        empty = Table([[Paragraph("Not shown", _style("muted"))]], colWidths=[width], rowHeights=[40 * mm])
        empty.setStyle(TableStyle([("BACKGROUND", (0, 0), (-1, -1), colors.HexColor(FILL)), _MIDDLE]))
        return [empty, Spacer(0, 1.5 * mm), caption]
    rows, cols = one.pixels.shape[:2]
    scale = min(width / cols, TALLEST / rows)
    done, png = cv2.imencode(".png", cv2.cvtColor(one.pixels, cv2.COLOR_RGB2BGR))
    if not done:
        raise RuntimeError("a picture could not be encoded")
    image = Image(io.BytesIO(png.tobytes()), width=cols * scale, height=rows * scale, hAlign="LEFT")
    return [image, Spacer(0, 1.5 * mm), caption]


def _table(table: ReportTable) -> list[Flowable]:
    head = [Paragraph(_text(name), _style("head")) for name in table.head]
    body = [[Paragraph(_text(cell), _style("body")) for cell in row] for row in table.rows]
    first = 0.3 * WIDTH if len(table.head) > 2 else 0.4 * WIDTH
    widths = [first, *[(WIDTH - first) / (len(table.head) - 1)] * (len(table.head) - 1)]
    made = Table([head, *body], colWidths=widths, repeatRows=1)
    made.setStyle(TableStyle(_RULED))
    title = Paragraph(_text(table.title), _style("heading"))
    parts: list[Flowable] = [Spacer(0, GAP)]
    if len(table.rows) <= 12:  # a short table stays with its title
        parts.append(KeepTogether([title, Spacer(0, 1.5 * mm), made]))
    else:
        parts += [title, Spacer(0, 1.5 * mm), made]
    if table.note:
        parts += [Spacer(0, 1.5 * mm), Paragraph(_text(table.note), _style("muted"))]
    if table.pictures:
        parts += [Spacer(0, GAP), _pictures(table.pictures)]
    return parts


_MIDDLE = ("VALIGN", (0, 0), (-1, -1), "MIDDLE")
_PLAIN = [
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 1),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
]
_RULED = [
    ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor(FILL)),
    ("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.HexColor(RULE)),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 4),
    ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ("TOPPADDING", (0, 0), (-1, -1), 2.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
]


@cache
def _style(name: str) -> ParagraphStyle:
    size, leading, face, ink, place = {
        "title": (15, 19, BOLD, INK, 0),
        "heading": (10.5, 13, BOLD, INK, 0),
        "head": (8, 10.5, BOLD, INK, 0),
        "body": (8, 10.5, FONT, INK, 0),
        "muted": (8, 10.5, FONT, MUTED, 0),
        "right": (8, 10.5, FONT, INK, TA_RIGHT),
    }[name]
    return ParagraphStyle(
        name, fontName=face, fontSize=size, leading=leading, textColor=ink, alignment=place, splitLongWords=1
    )


def _text(text: str) -> str:
    """A text for a paragraph; it is never read as markup."""
    return escape(_plain(text))


@cache
def _letters() -> frozenset[int]:
    register_fonts()
    return frozenset(pdfmetrics.getFont(FONT).face.charToGlyph)


def _plain(text: str) -> str:
    """A text in the letters that the font has."""
    one_line = " ".join(text.split())
    return "".join(letter if ord(letter) in _letters() else "?" for letter in one_line)
