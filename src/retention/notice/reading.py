"""A published notice as blocks of sentences, whatever it is written in: HTML, Markdown or plain text.

What a reader does not see (scripts, comments, hidden or struck-out text) is not read, and what a reader sees as one
word is one word: entities, soft hyphens and markup within a word are resolved.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from html import unescape
from html.parser import HTMLParser
from typing import NamedTuple

from retention.errors import RetentionError

LONGEST = 2 << 20
"""Bytes of a notice that is still read."""

_WORD = re.compile(r"[\w']+")
_BLOCKS = frozenset(
    _WORD.findall(
        "address article aside blockquote body caption dd details dialog div dl dt fieldset figcaption figure "
        "footer form h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol p pre section summary table tbody "
        "tfoot thead tr ul"
    )
)
_HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6", "dt", "summary", "caption", "legend"])
_UNSEEN = frozenset(
    _WORD.findall("script style template noscript svg math head del s strike select textarea iframe object")
)
_CELLS = frozenset({"td", "th"})
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
_LONGEST_RULE, _LONGEST_SENTENCE = 300, 4000
_CELL = " \u2014 "
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_DASHES = re.compile("[\u2010-\u2012]")
_QUOTES = re.compile("[\u2018\u2019\u02bc]")
_DECLARED = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|approx|inc|ltd|plc|co|no|art|cf|vs|mr|mrs|ms|dr|st)|\b[A-Z])\.$", re.IGNORECASE
)
_BREAK = re.compile(r"(?<=[.!?])[\"'\u201d)\]]*\s+(?=[\"'\u201c(\[]*[A-Z0-9])")
_REFERENCE = re.compile(r"&#0*([0-9]{1,8})[0-9]*")
_LOOKS_LIKE_HTML = re.compile(
    r"<(?:!doctype\s+html|html|head|body|p|div|section|article|main|h[1-6]|ul|table)\b", re.IGNORECASE
)


class Block(NamedTuple):
    """A paragraph, list item, row of a table or heading, in sentences.."""

    sentences: tuple[str, ...]
    heading: bool
    row: bool = False


def read_notice(data: bytes, *, kind: str = "", charset: str = "") -> list[Block]:
    """Read a notice.

    Args:
        data: the file or answer.
        kind: ``html``, ``markdown`` or ``text``; where empty, the content decides.
        charset: the encoding that the server named.

    Returns:
        Its blocks in the order of reading.

    Raises:
        RetentionError: it is too long, or no text; the message says what to give instead.

    """
    if len(data) > LONGEST:
        msg = f"the notice is longer than {LONGEST >> 20} MiB; give the page that holds the promise alone"
        raise RetentionError(msg)
    if data[:1024].lstrip().startswith(b"%PDF-"):
        msg = "the notice is a PDF, which is not read here; give the same text as HTML, Markdown or plain text"
        raise RetentionError(msg)
    text = _decoded(data, charset)
    if "\0" in text or data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        msg = "the notice is not text; give it as HTML, Markdown or plain text"
        raise RetentionError(msg)
    html = kind == "html" or (not kind and _LOOKS_LIKE_HTML.search(text) is not None)
    try:
        return _of_html(text) if html else _of_plain(text)
    except (ValueError, LookupError, AssertionError, RecursionError) as error:  # a parser that is not ours
        msg = f"the notice cannot be taken apart ({type(error).__name__}); give the same text in another form"
        raise RetentionError(msg) from None


def tidy(text: str) -> str:
    """Give text as it reads: composed, without what cannot be seen, every white space one space."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return " ".join(_QUOTES.sub("'", _DASHES.sub("-", text)).split())


def sentences_of(text: str) -> tuple[str, ...]:
    """Split a paragraph into its sentences."""
    text, sentences, start = tidy(text), [], 0
    for match in _BREAK.finditer(text):
        if not _ABBREVIATION.search(text, max(start, match.start() - 8), match.start()):
            sentences.append(text[start : match.end()].strip())
            start = match.end()
    sentences.append(text[start:].strip())
    pieces = (one[at : at + _LONGEST_SENTENCE] for one in sentences for at in range(0, len(one), _LONGEST_SENTENCE))
    return tuple(pieces)


def _decoded(data: bytes, charset: str) -> str:
    """Decode by the byte order mark, as UTF-8, as declared, and else as what Windows calls 1252, which always fits."""
    for mark, codec in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return data.decode(codec, "replace").removeprefix("\ufeff")
    if data[1:2] == b"\0" or data[:1] == b"\0":
        return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be", "replace")
    declared = _DECLARED.search(data[:4096])
    for codec in ("utf-8", charset, declared[1].decode("ascii") if declared else ""):
        try:
            return codecs.decode(data, codec, "strict") if _is_text_codec(codec) else _unknown(codec)
        except (ValueError, LookupError):
            continue
    return data.decode("cp1252", "replace")


def _is_text_codec(name: str) -> bool:
    """Tell an encoding of text from the library's others, one of which unpacks archives."""
    try:
        return bool(name) and "a".encode(name).decode(name) == "a"
    except (ValueError, LookupError, TypeError, AttributeError):
        return False


def _unknown(name: str) -> str:
    raise LookupError(name)


class _Reader(HTMLParser):
    """Collects what a reader sees, a block at a time."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self._text: list[str] = []
        self._unseen: list[str] = []
        self._heading, self._row = "", False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._unseen[-1:] == ["p"] and tag in _BLOCKS:
            self._unseen.pop()  # a paragraph ends where the next block begins
        if tag not in _VOID and (self._unseen or tag in _UNSEEN or _hidden(attrs)):
            if not self._unseen or tag == self._unseen[-1]:
                self._unseen.append(tag)
            return
        if tag in _BLOCKS:
            self._flush()
            self._heading, self._row = tag if tag in _HEADINGS else "", tag == "tr"
        elif tag in _CELLS and self._text:
            self._text.append(_CELL)
        elif tag == "br":
            self._text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            if tag == self._unseen[-1]:
                self._unseen.pop()
            return
        if tag in _BLOCKS:
            self._flush()
            self._heading, self._row = "", False

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._text.append(data)

    def close(self) -> None:
        super().close()
        self._flush()

    def _flush(self) -> None:
        sentences = sentences_of("".join(self._text))
        if sentences:
            self.blocks.append(Block(sentences, bool(self._heading), self._row))
        self._text.clear()


def _hidden(attrs: list[tuple[str, str | None]]) -> bool:
    given = dict(attrs)
    style = re.sub(r"\s", "", given.get("style") or "").casefold()
    return "hidden" in given or "display:none" in style or "visibility:hidden" in style


def _of_html(text: str) -> list[Block]:
    """Read HTML; what would have the parser search to the end again and again is taken out before."""
    text = _REFERENCE.sub(r"&#\1", text)  # what has more digits is no character, and long ones are refused as numbers
    markup, end, rest = _without_comments(text).replace("<![", "<! ").rpartition(">")
    reader = _Reader()
    reader.feed(markup + end)
    reader.handle_data(unescape(rest))
    reader.close()
    return reader.blocks


def _without_comments(text: str) -> str:
    """Take comments out; one that is not closed takes the rest with it, as in a browser."""
    kept, place = [], 0
    while (start := text.find("<!--", place)) >= 0:
        kept.append(text[place:start])
        end = text.find("-->", start + 2)
        if end < 0:
            return "".join(kept)
        place = end + 3
    return "".join([*kept, text[place:]])


_ITEM = re.compile(r"^[ \t]{0,12}(?:[-*+\u2022]|\d{1,3}[.)])[ \t]+", re.MULTILINE)
_HEAD = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*)$")
_RULE = re.compile(r"^[ \t]{0,3}(?:[-=*_][ \t]*){3,}$|^[ \t|:-]*-[ \t|:-]*$")
_LINK = re.compile(r"!?\[([^\[\]]{0,500})\](?:\([^()\s]{0,2000}(?:[ \t]+\"[^\"]{0,200}\")?\)|\[[^\[\]]{0,100}\])")
_STRUCK = re.compile(r"~~[^~\n]{1,500}~~")
_MARKS = re.compile(
    r"(?<!\w)[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}(?!\w)|\*{1,3}|<[^<>\n]{1,200}>|\\(?=[\\`*_{}\[\]()#+.!-])"
)


def _of_plain(text: str) -> list[Block]:
    """Read Markdown and plain text alike: the marks of the one do not stand in the other."""
    blocks: list[Block] = []
    text = _without_comments(text.replace("\r\n", "\n").replace("\r", "\n"))
    for paragraph in re.split(r"\n[ \t>]*\n", _STRUCK.sub("", text)):
        lines = [line.lstrip("> \t") if line.lstrip().startswith(">") else line for line in paragraph.split("\n")]
        blocks += _of_lines(lines)
    return blocks


def _of_lines(lines: list[str]) -> list[Block]:
    blocks: list[Block] = []
    held: list[str] = []

    def flush(*, heading: bool = False, row: bool = False) -> None:
        sentences = sentences_of(_MARKS.sub("", _LINK.sub(r"\1", " ".join(held))))
        if sentences:
            blocks.append(Block(sentences, heading, row))
        held.clear()

    for line in lines:
        if (head := _HEAD.match(line)) is not None:
            flush()
            held.append(head[1].strip(" \t#"))
            flush(heading=True)
        elif len(line) <= _LONGEST_RULE and _RULE.match(line):
            flush(heading=len(held) == 1 and line.lstrip()[:1] in "=-")
        elif line.strip().startswith("|"):
            flush()
            held.append(_CELL.join(cell.strip() for cell in line.strip().strip("|").split("|")))
            flush(row=True)
        else:
            if _ITEM.match(line):
                flush()
            held.append(_ITEM.sub("", line))
    flush()
    return blocks
