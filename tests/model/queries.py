"""Random queries over random documents: what the engine finds is what brute force finds.

Counts, order, limits, pages and facets; that every language is read alike, and that a query printed
by the engine as a path or a where clause means what it did.
"""

import collections

import facets
import texts
import wheres
from catalogue import Catalogue, Difference
from documents import SCHEMA
from engine import Refused
from values import Bad, Unknown

DOCS = 60  # of one catalogue
CROWD = 2000  # so many that the engine no longer orders all of them for a page
QUERIES_OF_ONE = 40  # before its documents change
CHANGES = 12  # documents at a time


# What the engine says that it cannot do.
LIMITS = [
    "one relative to now, it is not known which one counts",
    "more than 4096 words match",
]

# Asked of every catalogue: what was answered wrongly once.
REMEMBERED = [
    {"where": '{"core.size": -9223372036854775808}'},  # marks the missing ones in a column
    {"string": "\\&\\&~1 OR dog"},  # was printed as an operator
    {"string": "+dog /.*/"},  # was refused without a sentence
]


class Queries:
    """Asks, compares, and counts what was asked."""

    def __init__(self, catalogue, rng):
        self.catalogue, self.rng = catalogue, rng
        self.counts = collections.Counter()

    def ask(self, asked, **more):
        return self.catalogue.engine.ask("query", **asked, **more)

    def one(self):
        self.compare(texts.request(self.rng, list(self.catalogue.docs.values())))

    def compare(self, asked):
        try:
            expected = self.catalogue.found(asked)
        except Bad as bad:
            self.refused(asked, bad)
            return
        except Unknown:
            self.counts["unknown to the model"] += 1
            return
        try:
            page = self.page(asked) if self.rng.random() < 0.3 else None
            answer = self.ask(asked)
        except Refused as refused:
            if any(limit in str(refused) for limit in LIMITS):
                self.counts["past a limit"] += 1
                return
            raise Difference(f"{asked} was refused: {refused}") from None
        self.counts["found" if expected else "found nothing"] += 1
        self.catalogue.same_ids(asked, answer, expected)
        self.printed(asked, answer, expected)
        if page:
            self.same_page(asked, page, answer)
        if self.rng.random() < 0.5:
            self.facets(asked, expected)

    def refused(self, asked, bad):
        try:
            answer = self.ask(asked)
        except Refused as refused:
            self.counts["refused"] += 1
            given = [asked.get("string", ""), asked.get("where", ""), *asked.get("path", ())]
            if refused.at > max(len(text.encode()) for text in given):
                raise Difference(f"{asked}: the place {refused.at} is beyond it") from None
            return
        raise Difference(f"{asked} found {answer['count']}, but: {bad}")

    def printed(self, asked, answer, expected):
        """The engine's own texts of a query mean what it meant, to the engine and by the rules."""
        for again in self.again(asked, answer):
            try:
                answered = self.ask(again)
            except Refused as refused:
                raise Difference(f"{asked} was printed as {again}: {refused}") from None
            self.catalogue.same_ids(again, answered, expected)
            if {doc.id for doc in self.catalogue.found(again)} != {doc.id for doc in expected}:
                raise Difference(f"{asked} was printed as {again}, which says something else")

    def again(self, asked, answer):
        order = {key: asked[key] for key in ("sort", "limit") if key in asked}
        if answer.get("path"):
            yield {"path": wheres.segments(answer["path"]), **order}
        if "where" in answer:
            yield {"where": answer["where"], **order}

    def page(self, asked):
        """A part, asked before the engine has put the whole in order."""
        offset, n = self.rng.choice([0, 0, self.rng.randrange(60)]), self.rng.randrange(12)
        return offset, n, self.ask(asked, offset=offset, max=n)

    @staticmethod
    def same_page(asked, page, answer):
        offset, n, part = page
        ids = answer["ids"][offset : offset + n]
        if part["ids"] != ids or part["count"] != answer["count"]:
            raise Difference(f"{asked}: {part['ids']} from {offset}, not {ids}")

    def facets(self, asked, expected):
        answer = self.ask(asked, facets=True)
        self.counts["facets"] += 1
        self.same_facets(asked, answer["facets"], facets.all_facets(expected, SCHEMA))
        self.follow(asked, answer["facets"])
        prop = self.rng.choice(SCHEMA)
        n = self.rng.choice([1, 5, 100])
        answer = self.catalogue.engine.ask("facet", **asked, property=prop.name, values=n)
        self.same_facets(asked, [answer["facet"]], [facets.one_facet(expected, prop, n)])

    @staticmethod
    def same_facets(asked, answers, expected):
        different = facets.difference(answers, expected)
        if different:
            raise Difference(f"{asked}: facets {different}")

    def follow(self, asked, answers):
        """A bucket's count is what its segment finds."""
        buckets = [b for answer in answers for b in answer["buckets"] if "segment" in b]
        if not buckets or "limit" in asked:
            return
        bucket = self.rng.choice(buckets)
        followed = {**asked, "path": asked.get("path", []) + [bucket["segment"]]}
        answer = self.ask(followed)
        if answer["count"] != bucket["count"]:
            raise Difference(f"{followed} finds {answer['count']}, not {bucket['count']} as told")
        self.catalogue.same_ids(followed, answer, self.catalogue.found(followed))


def run_crowd(engine, rng, n):
    return run(engine, rng, n, CROWD)


def change(catalogue, rng, n_docs):
    """Some documents new, some changed, some gone, now and then a restart."""
    for _ in range(CHANGES):
        kind = rng.random()
        docs, _ = catalogue.begin()
        known = rng.choice(list(docs))
        if kind < 0.4:
            catalogue.put(known)
        elif kind < 0.7 and len(docs) > n_docs // 2:
            catalogue.remove(known)
        elif len(docs) < n_docs * 2:
            catalogue.put(catalogue.new_id())
    catalogue.commit()
    if rng.random() < 0.1:
        catalogue.engine.reopen()


def run(engine, rng, n, n_docs=DOCS):
    """N queries; raises Difference. What was asked, by kind."""
    catalogue = Catalogue(engine, rng)
    catalogue.fill(n_docs)
    queries = Queries(catalogue, rng)
    for asked in REMEMBERED:
        queries.compare(asked)
    for at in range(n):
        if at % QUERIES_OF_ONE == QUERIES_OF_ONE - 1:
            change(catalogue, rng, n_docs)
        queries.one()
    return queries.counts
