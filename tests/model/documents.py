"""Random schemas and documents, small and alike enough that random conditions often hold."""

import random
from dataclasses import dataclass, field

import values
import words


@dataclass(frozen=True)
class Property:
    name: str
    type: str
    multi: bool = False
    filter: bool = True

    def declare(self, engine):
        engine.ask(
            "declare",
            name=self.name,
            type=f"[{self.type}]" if self.multi else self.type,
            multi=self.multi,
            filter=self.filter,
        )


SCHEMA = [
    Property("core.filename", "String", filter=False),
    Property("core.size", "Long"),
    Property("t.name", "String"),
    Property("t.tags", "String", multi=True),
    Property("t.text", "String", filter=False),
    Property("t.count", "Integer"),
    Property("t.counts", "Integer", multi=True),
    Property("t.ratio", "Double"),
    Property("t.ratios", "Double", multi=True),
    Property("t.flag", "Boolean"),
    Property("t.date", "Datetime"),
    Property("t.dates", "Datetime", multi=True),
    Property("_hidden.text", "String"),
]
BY_NAME = {prop.name: prop for prop in SCHEMA}

# Words that the languages could trip over, and scripts that the analyser must know.
PLAIN = "cat cats dog black new york quick brown fox a b aa ab ba red".split()
ODD = (
    "AND OR NOT TO and or not && || cats.jpg foo.tar.gz IMG_2041 cat_pictures don't 3.14 16 2019 "
    "Caf\u00e9 cafe\u0301 \u00c4rger STRASSE stra\u00dfe \u0130stanbul \u039f\u0394\u039f\u03a3 "
    "\u043c\u043e\u0441\u043a\u0432\u0430 \u6771\u4eac\u90fd \u3072\u3089\u304c\u306a "
    "\u30ab\u30bf\u30ab\u30ca\u30fc \ud55c\uad6d\uc5b4 \u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22 "
    "\u0663\u0664 \U0001f600 \U0001f1e9\U0001f1ea x\u0301y true false 100% a+b c-d e/f g:h _ __i"
).split()
JOINS = [" "] * 8 + ["-", "_", ".", "/", ", ", ": ", "\u3000", "\u2019", "*", "?", '"', "\\"]
BIG = [2**31 - 1, -(2**31), 2**53 + 1, 2**63 - 1, -(2**63) + 1]
INSTANTS = [0, -1, 1, 951782400 * 10**9, 1709164800 * 10**9 - 1, 1720000000 * 10**9 + 123456789]


def random_text(rng, longest=4):
    text = rng.choice(PLAIN)
    for _ in range(rng.randrange(longest)):
        text += rng.choice(JOINS) + rng.choice(PLAIN if rng.random() < 0.75 else ODD)
    return text if rng.random() < 0.9 else rng.choice(ODD) + text


def random_name(rng):
    stem = rng.choice(["cats", "dog", "IMG_2041", "foo.tar", "report.final", "v1.2", "new york"])
    return f"{stem}{rng.choice(['', '-16', ' 7', '_3'])}{rng.choice(['.jpg', '.JPG', '.png', ''])}"


def random_real(rng):
    return rng.choice([rng.randrange(-40, 40) / 8, round(rng.gauss(0, 100), 3), 0.1, 0.3, 1e15, -0.0])


def random_whole(rng, bits):
    if rng.random() < 0.04:
        return rng.choice([big for big in BIG if -(2 ** (bits - 1)) <= big < 2 ** (bits - 1)])
    return rng.choice([rng.randrange(-9, 10), rng.randrange(3000), int(rng.lognormvariate(8, 2))])


def random_date(rng):
    if rng.random() < 0.2:
        return rng.choice(INSTANTS)
    day = rng.randrange(9000, 20500) if rng.random() < 0.5 else rng.randrange(19700, 19720)
    fine = rng.choice([0, rng.randrange(86400) * 10**9, rng.randrange(86400 * 10**9)])
    return day * 86400 * 10**9 + fine


def random_value(rng, prop):
    if prop.name == "core.filename":
        return random_name(rng)
    if prop.type == "String":
        return random_text(rng, 12 if prop.name == "t.text" else 3)
    if prop.type == "Boolean":
        return rng.random() < 0.7
    if prop.type == "Datetime":
        return random_date(rng)
    if prop.type in values.WHOLE:
        return random_whole(rng, 32 if prop.type == "Integer" else 64)
    return random_real(rng)


class Document:
    """What was put, and what the analysis makes of it."""

    def __init__(self, doc_id, given):
        self.id = doc_id
        self.values = given
        self.keys = {
            name: [values.key(BY_NAME[name], value) for value in some]
            for name, some in given.items()
        }
        self.number_words = set()
        self.by_property = {}  # places of each value of a property of strings
        for name, some in given.items():
            self.analyse(BY_NAME[name], some)
        self.cache = {}

    def analyse(self, prop, some):
        if prop.name.startswith("_"):
            return
        if prop.type == "String":
            self.by_property[prop.name] = [
                [terms_of(prop, word) for word in words.words(value)] for value in some
            ]
        elif prop.type != "Datetime":
            self.number_words |= {number_word(value) for value in some}

    def places(self, prop):
        """For each value, for each place in it, the set of words there."""
        if prop:
            return self.by_property.get(prop.name, ())
        return [places for some in self.by_property.values() for places in some]

    def words(self, prop):
        return self.remembered("words", prop, self._words)

    def _words(self, prop):
        found = {word for places in self.places(prop) for terms in places for word in terms}
        return found if prop else found | self.number_words

    def terms(self, prop):
        """Words and whole values: what patterns are matched with."""
        return self.remembered("terms", prop, self._terms)

    def _terms(self, prop):
        names = [prop.name] if prop else self.by_property
        wholes = {words.whole(v) for name in names for v in self.values.get(name, ())
                  if name in self.by_property}
        return self.words(prop) | wholes

    def remembered(self, what, prop, make):
        at = (what, prop and prop.name)
        if at not in self.cache:
            self.cache[at] = make(prop)
        return self.cache[at]


def terms_of(prop, word):
    """The word, and of those of a file's name that hold dots their parts (2.3, SURPRISE 3)."""
    if prop.name != "core.filename" or "." not in word:
        return {word}
    return {word, word.rsplit(".", 1)[0], *word.split(".")} - {""}


def number_word(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return print_real(value) if isinstance(value, float) else str(value)


def print_real(value):
    """The shortest decimal that reads back, of 15 digits or more, as C's %g writes it."""
    return next(f"{value:.{n}g}" for n in (15, 16, 17) if float(f"{value:.{n}g}") == value)


def random_document(rng, doc_id):
    given = {}
    for prop in SCHEMA:
        if prop.multi:
            some = [random_value(rng, prop) for _ in range(rng.choice([0, 1, 1, 2, 3]))]
        else:
            some = [random_value(rng, prop)] if rng.random() < 0.8 else []
        if some:
            given[prop.name] = some
    return Document(doc_id, given)
