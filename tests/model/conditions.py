"""What a query asks of a document, by brute force: each condition is asked of each document.

A document (documents.py) has values by property and, of each string value, the terms of each place.
"""

import re

import words
from values import Unknown

MUST, SHOULD, MUST_NOT = "must", "should", "must not"


class All:
    def matches(self, doc):
        return True


class Nothing:
    def matches(self, doc):
        return False


class Blank:
    """Text of which the analysis leaves no word: its parent skips it; alone it matches nothing."""

    def matches(self, doc):
        return False


class Group:
    """Lucene's boolean model, over CLAUSES (occur, condition); see spec/pixstor.md 2.2."""

    def __init__(self, clauses):
        self.clauses = clauses

    def of(self, occur):
        return (condition for kind, condition in self.clauses if kind == occur)

    def matches(self, doc):
        kinds = {kind for kind, _ in self.clauses}
        if any(condition.matches(doc) for condition in self.of(MUST_NOT)):
            return False
        if MUST in kinds:
            return all(condition.matches(doc) for condition in self.of(MUST))
        return SHOULD not in kinds or any(condition.matches(doc) for condition in self.of(SHOULD))


class Not:
    def __init__(self, condition):
        self.condition = condition

    def matches(self, doc):
        return not self.condition.matches(doc)


class Boost:
    """Of no effect on what matches."""

    def __init__(self, condition, factor):
        self.condition, self.factor = condition, factor

    def matches(self, doc):
        return self.condition.matches(doc)


# --- Values ---


class Exists:
    def __init__(self, prop):
        self.prop = prop

    def matches(self, doc):
        return bool(doc.values.get(self.prop.name))


class Value:
    """One value passes every one of TESTS."""

    def __init__(self, prop, tests):
        self.prop, self.tests = prop, tests

    def matches(self, doc):
        return any(
            all(test(value) for test in self.tests) for value in doc.keys.get(self.prop.name, ())
        )


class Folded(Value):
    """The same for strings compared in lower case."""

    def matches(self, doc):
        return any(
            all(test(words.fold(value).encode()) for test in self.tests)
            for value in doc.values.get(self.prop.name, ())
        )


# --- Words; PROP None: of any property ---


class Words:
    """Any of them."""

    def __init__(self, text, prop):
        self.words, self.prop = words.words(text), prop

    def matches(self, doc):
        return any(word in doc.words(self.prop) for word in self.words)


class Phrase:
    """The words at consecutive places of one value; moved by no more than SLOP in all."""

    def __init__(self, text, prop, slop=0):
        self.words, self.prop, self.slop = words.words(text), prop, slop

    def matches(self, doc):
        if not self.prop and len(self.words) == 1 and self.words[0] in doc.number_words:
            return True
        return any(self.found(places) for places in doc.places(self.prop))

    def found(self, places):
        where = [
            [at for at, terms in enumerate(places) if word in terms] for word in self.words
        ]
        return all(where) and self.placed(where, 0, [])

    def placed(self, where, at, shifts):
        """Whether words AT and after can be placed, those before standing SHIFTS off."""
        if shifts and max(shifts) - min(shifts) > self.slop:
            return False
        if at == len(where):
            return True
        taken = {shift + i for i, shift in enumerate(shifts)}
        return any(
            self.placed(where, at + 1, shifts + [place - at])
            for place in where[at]
            if place not in taken
        )


class Pattern:
    """A word, or a whole value, passes TEST."""

    def __init__(self, test, prop, fuzzy=False):
        self.test, self.prop, self.fuzzy = test, prop, fuzzy

    def matches(self, doc):
        return any(map(self.test, doc.terms(self.prop)))


def fuzzy_words(condition):
    """The patterns in it that are words with edits."""
    if isinstance(condition, Group):
        for _, part in condition.clauses:
            yield from fuzzy_words(part)
    elif isinstance(condition, (Not, Boost)):
        yield from fuzzy_words(condition.condition)
    elif isinstance(condition, Pattern) and condition.fuzzy:
        yield condition


# --- Tests of one term, for Pattern ---


def prefix_test(text):
    folded = words.fold(text)
    return lambda term: term.startswith(folded)


def wildcard_test(pieces):
    """PIECES: literal texts, and between them "*" (any characters) or "?" (one) as ("*",)."""
    signs = {("*",): ".*", ("?",): "."}
    text = "".join(signs.get(piece) or re.escape(words.fold(piece)) for piece in pieces)
    match = re.compile(text, re.DOTALL).fullmatch
    return lambda term: bool(match(term))


def fuzzy_test(text, edits):
    folded = words.fold(text)
    if edits is None:  # AUTO
        edits = 0 if len(folded) < 3 else 1 if len(folded) < 6 else 2
    return lambda term: distance(folded, term) <= edits


def distance(a, b):
    """Edits between A and B: a sign inserted, taken out, replaced, or changed with its neighbour."""
    rows = [list(range(len(b) + 1))]
    for i in range(1, len(a) + 1):
        row = [i]
        for j in range(1, len(b) + 1):
            best = min(row[-1] + 1, rows[-1][j] + 1, rows[-1][j - 1] + (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


# The part of Lucene's syntax that Python's says in the same way.
ATOM = r"(?:\w|\.|\[\^?\w+(?:-\w)?\]|\(\w+(?:\|\w+)*\))"
COMMON = re.compile(rf"(?:{ATOM}(?:[*+?]|\{{\d(?:,\d)?\}})?)+")


def regex_test(pattern):
    if not COMMON.fullmatch(pattern):
        raise Unknown(pattern)
    try:
        match = re.compile(words.fold(pattern), re.DOTALL).fullmatch
    except re.error:
        raise Unknown(pattern) from None
    return lambda term: bool(match(term))
