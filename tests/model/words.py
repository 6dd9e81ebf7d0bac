"""Text as words and as folded whole values: spec/pixstor.md 2.3, written from that text and UAX #29.

Python knows categories and names of characters, not their word break property, so classes are made
of those; they hold for the scripts that documents here are written in, and the emoji of table ones.
"""

import functools
import re
import unicodedata

WORD_MAX = 255  # bytes of a word; also what is kept of a whole value

MID_LETTER = ":\u00b7\u2027"
MID_NUMBER = ",;\u066c\u2044"
MID_BOTH = ".'\u2018\u2019\u2024"
WITHOUT_SPACES = ("THAI", "LAO", "KHMER", "MYANMAR")


@functools.cache
def kind(char):
    """One letter for what UAX #29 makes of CHAR."""
    for classes, name in ((MID_LETTER, "m"), (MID_NUMBER, "n"), (MID_BOTH, "b")):
        if char in classes:
            return name
    category = unicodedata.category(char)
    script = unicodedata.name(char, "").split(" ")[0].split("-")[0]
    if category == "Pc" or char == "\u202f":
        return "_"
    if category == "Nd":
        return "9"
    if category[0] == "M" or category == "Cf":
        return "+"
    if 0x1F1E6 <= ord(char) <= 0x1F1FF:
        return "r"  # half of a flag
    if 0x1F300 <= ord(char) <= 0x1FAFF:
        return "e"
    if category[0] not in "LN":
        return " "
    if script == "CJK" or script == "HIRAGANA" or char == "\u3007":
        return "i"
    if script == "KATAKANA" or char == "\u30fc":
        return "k"
    if script in WITHOUT_SPACES:
        return "t"
    return "a" if category[0] == "L" else " "


# What joins what, over the kinds of a text, marks taken away.
WORD = re.compile(
    r"rr?|e|i|t+"
    r"|_*(?:a|9|k)"
    r"(?:(?<=a)[mb](?=a)|(?<=9)[nb](?=9)|(?<=[a9mbn])[a9]|(?<=k)k|_|(?<=_)[a9k])*"
)


def lower(char):
    return "i" if char == "\u0130" else char.lower() if len(char.lower()) == 1 else char


def normal(text):
    return unicodedata.normalize("NFC", text)


@functools.lru_cache(100000)
def fold(text):
    return normal("".join(map(lower, normal(text))))


def cut(text):
    """TEXT in pieces of at most WORD_MAX bytes, characters whole."""
    pieces, size = [""], 0
    for char in text:
        size += len(char.encode())
        if size > WORD_MAX:
            pieces.append("")
            size = len(char.encode())
        pieces[-1] += char
    return pieces


@functools.lru_cache(100000)
def words(text):
    """The words of TEXT, folded, in order."""
    parts = []  # a character and the marks on it
    for char in fold(text):
        if parts and kind(char) == "+" and parts[-1][0] not in "\r\n\x0b\x0c\x85\u2028\u2029":
            parts[-1] += char
        else:
            parts.append(char)
    kinds = "".join(kind(part[0]) for part in parts)
    found = []
    for match in WORD.finditer(kinds):
        found += cut("".join(parts[match.start() : match.end()]))
    return tuple(found)


def whole(text):
    """The term that stands for a value as a whole."""
    return cut(fold(text))[0]
