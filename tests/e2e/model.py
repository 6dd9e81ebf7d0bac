"""The brute-force answer: what pxs must say of a tree, from nothing but lstat and the specification.

Documents are made by walking the tree, and a condition is a function from a document to true or
false, so that a search is a filter over a list. Nothing here knows how pxs does it.
"""

import functools
import grp
import os
import pwd
import re
import stat
import unicodedata

STRINGS = [
    "core.directory",
    "core.extension",
    "core.filename",
    "core.group",
    "core.mimetype",
    "core.pathname",
    "core.permissions",
    "core.symlink_target",
    "core.type",
    "core.user",
]
NUMBERS = [
    "core.blocks",
    "core.depth",
    "core.device",
    "core.gid",
    "core.inode",
    "core.mode",
    "core.nlink",
    "core.size",
    "core.uid",
]
DATES = ["core.changetime", "core.modificationtime"]

EXTENSION_MAX = 32
WORD_MAX = 255


# --- Text of paths ---


def text_of_name(name):
    """A name (bytes) as text: NFC; in names that are not UTF-8, invalid bytes and '%' become %XX."""
    try:
        return unicodedata.normalize("NFC", name.decode())
    except UnicodeDecodeError:
        pass
    text = ""
    for char in name.decode(errors="surrogateescape"):
        if 0xDC80 <= ord(char) <= 0xDCFF:
            text += f"%{ord(char) - 0xDC00:02X}"
        else:
            text += "%25" if char == "%" else char
    return unicodedata.normalize("NFC", text)


def text_of_path(path):
    return "/".join(text_of_name(name) for name in path.split(b"/"))


def extension_of(name):
    at = name.rfind(".")
    if at <= 0 or at == len(name) - 1 or len(name[at:].encode()) > EXTENSION_MAX:
        return None
    return name[at:].lower()


# --- Words: Unicode Standard Annex 29, as far as the trees of these tests need it ---

MID_LETTER = ":\u00b7"
MID_NUMBER = ",;"
MID_BOTH = ".'\u2018\u2019\u2024"


@functools.cache
def word_class(char):
    code = ord(char)
    category = unicodedata.category(char)
    if char in MID_LETTER:
        return "m"
    if char in MID_NUMBER:
        return "n"
    if char in MID_BOTH:
        return "b"
    if category == "Pc" or char == "\u202f":
        return "X"
    if category == "Nd":
        return "N"
    if 0x4E00 <= code <= 0x9FFF or 0x3040 <= code <= 0x309F:
        return "I"
    if 0x30A0 <= code <= 0x30FF:
        return "K"
    if category[0] == "L":
        return "A"
    if category[0] == "M" or category == "Cf":
        return "E"
    return "-"


# A word is letters and digits, with what may stand between two of a kind; Han and Hiragana are
# words of one character.
WORD = re.compile(
    r"I|" r"X*(?:A|N|K)(?:(?<=A)[mb]A|(?<=N)[nb]N|(?<=A)[AN]|(?<=N)[AN]|(?<=K)K|X|(?<=X)[ANK])*"
)


def words(text):
    """The words of TEXT, in lower case, in order."""
    text = unicodedata.normalize("NFC", text)
    parts = []
    for char in text:
        if parts and word_class(char) == "E":
            parts[-1] += char
        else:
            parts.append(char)
    classes = "".join(word_class(part[0]) for part in parts)
    found = []
    for match in WORD.finditer(classes):
        word = "".join(lower(char) for part in parts[match.start() : match.end()] for char in part)
        found += split_word(word)
    return found


def lower(char):
    return char.lower() if len(char.lower()) == 1 else char


def split_word(word):
    """Words of more than 255 bytes are split at a character."""
    pieces = [""]
    for char in word:
        if len((pieces[-1] + char).encode()) > WORD_MAX:
            pieces.append("")
        pieces[-1] += char
    return pieces


def fold(text):
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


# --- Documents ---


class Document:
    """One entry of a tree, as pxs should know it."""

    def __init__(self, path, st):
        self.path = path
        self.stat = st
        self.values = self._values(path, st)
        self._positions = {}

    @staticmethod
    def _values(path, st):
        name = text_of_name(os.path.basename(path))
        kind = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink"}
        values = {
            "core.pathname": text_of_path(path),
            "core.filename": name,
            "core.directory": text_of_path(os.path.dirname(path)),
            "core.type": kind.get(stat.S_IFMT(st.st_mode), "other"),
            "core.permissions": f"{stat.S_IMODE(st.st_mode):04o}",
            "core.inode": st.st_ino,
            "core.size": st.st_size,
            "core.blocks": st.st_blocks,
            "core.mode": st.st_mode,
            "core.uid": st.st_uid,
            "core.gid": st.st_gid,
            "core.nlink": st.st_nlink,
            "core.device": st.st_dev,
            "core.depth": path.count(b"/"),
            "core.modificationtime": st.st_mtime_ns,
            "core.changetime": st.st_ctime_ns,
        }
        if values["core.type"] == "file" and extension_of(name):
            values["core.extension"] = extension_of(name)
        if values["core.type"] == "symlink":
            values["core.symlink_target"] = text_of_path(os.readlink(path))
        for key, find, number in (
            ("core.user", pwd.getpwuid, st.st_uid),
            ("core.group", grp.getgrgid, st.st_gid),
        ):
            try:
                values[key] = find(number)[0]
            except KeyError:
                pass
        return values

    def positions(self, name):
        """For each word of property NAME, in order, the set of words found at its place."""
        if name not in self._positions:
            value = self.values.get(name)
            places = [{word} for word in words(value)] if isinstance(value, str) else []
            if name == "core.filename":
                places = [place | parts_of(place) for place in places]
            self._positions[name] = places
        return self._positions[name]

    def number_words(self):
        return {str(self.values[name]) for name in NUMBERS if name in self.values}


def parts_of(place):
    """Of a word of a file's name that holds dots: its stem and its parts."""
    (word,) = place
    if "." not in word:
        return set()
    return set(word.split(".")) | {word.rsplit(".", 1)[0]}


def documents(roots):
    """All entries below each of ROOTS, which are not documents themselves."""
    import tree

    return [Document(path, os.lstat(path)) for root in roots for path in tree.walk(root)]


# --- Conditions ---


def has_words(text, name=None):
    """Any of the words of TEXT: the default operator is OR. None where TEXT has no words."""
    wanted = set(words(text))
    if not wanted:
        return None

    def matches(doc):
        if name:
            return any(wanted & place for place in doc.positions(name))
        return bool(wanted & doc.number_words()) or any(
            wanted & place for string in STRINGS for place in doc.positions(string)
        )

    return matches


def has_phrase(text, name=None):
    wanted = words(text)

    def matches(doc):
        for string in [name] if name else STRINGS:
            places = doc.positions(string)
            for start in range(len(places) - len(wanted) + 1):
                if all(word in places[start + i] for i, word in enumerate(wanted)):
                    return True
        return not name and len(wanted) == 1 and wanted[0] in doc.number_words()

    return matches


def has_prefix(text, name=None):
    """A word or a whole value begins with TEXT."""
    prefix = fold(text)

    def matches(doc):
        for string in [name] if name else STRINGS:
            value = doc.values.get(string)
            if value is None:
                continue
            if fold(value).startswith(prefix):
                return True
            if any(word.startswith(prefix) for place in doc.positions(string) for word in place):
                return True
        return not name and any(number.startswith(prefix) for number in doc.number_words())

    return matches


def equals(name, *values):
    return lambda doc: doc.values.get(name) in values


def within(name, low=None, high=None):
    """low <= value < high; strings by bytes."""

    def matches(doc):
        value = doc.values.get(name)
        if value is None:
            return False
        if isinstance(value, str):
            value = value.encode()
        return (low is None or value >= low) and (high is None or value < high)

    return matches


def exists(name):
    return lambda doc: name in doc.values


def negate(condition):
    return lambda doc: not condition(doc)


def boolean(clauses):
    """Clauses (conjunction, modifier, condition) put together as Lucene's classic parser does."""
    occurs = []
    for conjunction, modifier, condition in clauses:
        if conjunction == "AND" and occurs and occurs[-1][0] != "not":
            occurs[-1][0] = "must"
        if condition is None:
            continue
        if modifier == "NOT":
            occurs.append(["not", condition])
        elif modifier == "+" or conjunction == "AND":
            occurs.append(["must", condition])
        else:
            occurs.append(["should", condition])

    def matches(doc):
        if not occurs:
            return False
        must = [c for occur, c in occurs if occur == "must"]
        should = [c for occur, c in occurs if occur == "should"]
        if any(c(doc) for occur, c in occurs if occur == "not"):
            return False
        if must:
            return all(c(doc) for c in must)
        return any(c(doc) for c in should) if should else True

    return matches
