"""How relevant documents are: BM25 as Lucene 8 has it, the best property for each word, the sum of all.

    score = idf * times / (times + 1.2 * (0.25 + 0.75 * length / average)),  idf = ln(1 + (n - df + 0.5) / (df + 0.5))

N documents have a word in the property, DF this one; LENGTH is in words. Whatever asks for no words
adds 1. Of nearness and of words with edits the model says nothing.
"""

import collections
import math

from conditions import (
    MUST_NOT, All, Blank, Boost, Exists, Group, Not, Nothing, Pattern, Phrase, Value, Words,
)
from values import Unknown


def tells(condition):
    """Whether words are asked for, so that there is an order of relevance."""
    if isinstance(condition, Group):
        return any(tells(part) for occur, part in condition.clauses if occur != MUST_NOT)
    if isinstance(condition, Boost):
        return condition.factor != 0 and tells(condition.condition)
    return isinstance(condition, (Words, Phrase)) or getattr(condition, "fuzzy", False)


def kept_length(words):
    """As far as a length is kept: from 40 words on in fewer and fewer digits (SmallFloat)."""
    if words < 40:
        return words
    rest = words - 24
    shift = rest.bit_length() - 4
    return 24 + (rest >> shift << shift)


class Field:
    """What is known of one property."""

    def __init__(self, docs, name):
        self.times = {}  # by document: by word
        self.length = {}
        self.df = collections.Counter()
        for doc in docs:
            values = doc.by_property.get(name, ())
            times = collections.Counter(
                word for places in values for terms in places for word in terms
            )
            if times:
                distinct = dict(zip(doc.keys[name], values))
                self.times[doc.id] = times
                self.length[doc.id] = kept_length(sum(map(len, distinct.values())))
                self.df.update(times.keys())
        self.n = len(self.times)
        self.average = sum(self.length.values()) / self.n if self.n else 0

    def idf(self, word):
        return math.log(1 + (self.n - self.df[word] + 0.5) / (self.df[word] + 0.5))

    def score(self, doc, times, idf):
        if not times:
            return 0
        norm = 1.2 * (0.25 + 0.75 * self.length[doc.id] / self.average)
        return idf * times / (times + norm)


class Relevance:
    def __init__(self, docs):
        self.docs = docs
        self.fields = {}

    def field(self, name):
        if name not in self.fields:
            self.fields[name] = Field(self.docs, name)
        return self.fields[name]

    def score(self, condition, doc):
        """What CONDITION adds for DOC; Unknown."""
        if not condition.matches(doc) or isinstance(condition, (Blank, Nothing, Not)):
            return 0
        if isinstance(condition, Group):
            return sum(
                self.score(part, doc) for occur, part in condition.clauses if occur != MUST_NOT
            )
        if isinstance(condition, Boost):
            return condition.factor * self.score(condition.condition, doc)
        if isinstance(condition, Words):
            return sum(self.word(word, condition.prop, doc) for word in condition.words)
        if isinstance(condition, Phrase):
            return self.phrase(condition, doc)
        if getattr(condition, "fuzzy", False):
            raise Unknown("words with edits")
        assert isinstance(condition, (All, Value, Exists, Pattern))
        return 1

    def best(self, prop, doc, score):
        names = [prop.name] if prop else doc.by_property
        return max((score(name) for name in names if name in doc.by_property), default=0)

    def word(self, word, prop, doc):
        number = not prop and word in doc.number_words
        return max(int(number), self.best(prop, doc, lambda name: self.in_field(name, word, doc)))

    def in_field(self, name, word, doc):
        field = self.field(name)
        times = field.times.get(doc.id, {}).get(word, 0)
        return field.score(doc, times, field.idf(word))

    def phrase(self, phrase, doc):
        if phrase.slop:
            raise Unknown("nearness")
        if not phrase.prop and len(phrase.words) == 1:
            return self.word(phrase.words[0], None, doc)
        return self.best(phrase.prop, doc, lambda name: self.phrase_in(name, phrase, doc))

    def phrase_in(self, name, phrase, doc):
        times = sum(
            all(word in places[at + i] for i, word in enumerate(phrase.words))
            for places in doc.by_property[name]
            for at in range(len(places) - len(phrase.words) + 1)
        )
        field = self.field(name)
        return field.score(doc, times, sum(map(field.idf, phrase.words)))

    def disorder(self, condition, docs):
        """None, or how DOCS, hits of CONDITION, are not in order; equal ones stand by id."""
        scores = [self.score(condition, doc) for doc in docs]
        for i in range(1, len(docs)):
            before, after = scores[i - 1], scores[i]
            if after > before + 1e-5 * (1 + before) or (
                after == before and docs[i - 1].id > docs[i].id
            ):
                return f"{docs[i - 1].id} ({before}) stands before {docs[i].id} ({after})"
        return None
