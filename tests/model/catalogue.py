"""The engine, and beside it what it should hold and find."""

import documents
import relevance
import strings
import wheres
from conditions import MUST, Group, fuzzy_words
from documents import BY_NAME, SCHEMA
from values import Unknown


NEAREST = 50  # words that a word with edits stands for, in each property


class Difference(AssertionError):
    """The engine and the model do not agree."""


class Catalogue:
    """DOCS by id: what is committed. DRAFT: the same after the open write, None without one."""

    def __init__(self, engine, rng):
        self.engine, self.rng = engine, rng
        self.docs, self.rows = {}, {}
        self.draft = None
        self.next_row = 0
        for prop in SCHEMA:
            prop.declare(engine)

    # --- Writing ---

    def begin(self):
        if self.draft is None:
            self.draft = dict(self.docs), dict(self.rows)
        return self.draft

    def put(self, doc_id):
        docs, rows = self.begin()
        doc = documents.random_document(self.rng, doc_id)
        self.engine.ask("put", id=doc_id, values=doc.values)
        if doc_id not in docs:
            rows[doc_id] = self.next_row
            self.next_row += 1
        docs[doc_id] = doc

    def remove(self, doc_id):
        docs, _ = self.begin()
        removed = self.engine.ask("remove", id=doc_id)["removed"]
        if removed != (doc_id in docs):
            raise Difference(f"{doc_id}: {removed} removed")
        docs.pop(doc_id, None)

    def commit(self):
        self.engine.ask("commit")
        self.committed()

    def committed(self):
        if self.draft is not None:
            self.docs, self.rows = self.draft
        self.draft = None

    def abort(self):
        self.engine.ask("abort")
        self.draft = None

    def fill(self, n):
        for _ in range(n):
            self.put(self.new_id())
        self.commit()

    def new_id(self):
        return self.rng.randrange(1, 2 ** self.rng.choice([8, 32, 63]))

    # --- Comparing ---

    def holds(self):
        """Every document with its values, and no other."""
        self.same_ids({}, self.engine.ask("query", max=10**6), self.ordered(self.docs.values(), None))
        for doc in self.docs.values():
            found = {name: sorted(some) if BY_NAME[name].multi else some
                     for name, some in self.engine.ask("get", id=doc.id)["values"].items()}
            if found != as_stored(doc):
                raise Difference(f"{doc.id} is {found}, not {as_stored(doc)}")

    def sound(self):
        report = self.engine.ask("check")["report"]
        if report:
            raise Difference(f"check: {report}")

    def same_ids(self, asked, answer, expected):
        ids = [doc.id for doc in expected]
        if answer["count"] == len(ids) and answer["ids"] == ids:
            return
        if "sort" not in asked and sorted(answer["ids"]) == sorted(ids):
            self.relevant(asked, answer)
            return
        wrong = [doc_id for doc_id in answer["ids"] if doc_id not in ids]
        left_out = [doc_id for doc_id in ids if doc_id not in answer["ids"]]
        what = f"{len(wrong)} wrong, {len(left_out)} left out" if wrong or left_out else "the order"
        told = [(i, self.docs[i].values) for i in (wrong + left_out)[:2] if i in self.docs]
        raise Difference(f"{asked}: {answer['count']}, not {len(ids)}: {what}\n{told}\n"
                         f"{answer.get('path')}\n{answer.get('where')}")

    def relevant(self, asked, answer):
        """Without keys the most relevant come first where words are asked for. What counts is the
        query in the normal form that the engine prints, where what was said twice stands once."""
        if not answer.get("path"):
            return
        condition = self.condition({"path": wheres.segments(answer["path"])})
        docs = [self.docs[doc_id] for doc_id in answer["ids"]]
        if not relevance.tells(condition):
            raise Difference(f"{asked}: not by row: {answer['ids']}")
        try:
            disorder = relevance.Relevance(self.docs.values()).disorder(condition, docs)
        except Unknown:
            return
        if disorder:
            raise Difference(f"{asked}: {disorder}\n{answer['path']}")

    # --- What should be found ---

    def condition(self, asked):
        """All that ASKED says, as one condition; Bad if a part is no query."""
        parts = []
        if "string" in asked:
            parts.append(strings.parse(asked["string"], BY_NAME))
        if "where" in asked:
            parts.append(wheres.parse(asked["where"], BY_NAME))
        parts += [wheres.parse_segment(segment, BY_NAME) for segment in asked.get("path", ())]
        return Group([(MUST, part) for part in parts])

    def found(self, asked):
        condition = self.condition(asked)
        self.check_nearest(condition)
        hits = [doc for doc in self.docs.values() if condition.matches(doc)]
        hits = self.ordered(hits, asked.get("sort"))
        return hits[: asked["limit"]] if "limit" in asked else hits

    def check_nearest(self, condition):
        """The engine takes the nearest only; which these are the model does not say."""
        for word in fuzzy_words(condition):
            terms = {term for doc in self.docs.values() for term in doc.terms(word.prop)}
            if sum(map(word.test, terms)) > NEAREST:
                raise Unknown(f"the {NEAREST} nearest words")

    def ordered(self, hits, sort):
        """By the keys, missing values last; of a list the least value, descending the greatest.
        Equal ones stand by id; without keys all stand by row."""
        hits = sorted(hits, key=lambda doc: doc.id if sort else self.rows[doc.id])
        for key in reversed(sort.split(",") if sort else []):
            name, descending = key.lstrip("-"), key.startswith("-")
            best = max if descending else min
            having = [doc for doc in hits if doc.keys.get(name)]
            having.sort(key=lambda doc: best(doc.keys[name]), reverse=descending)
            # sort() keeps equal ones in order, also in reverse.
            hits = having + [doc for doc in hits if not doc.keys.get(name)]
        return hits


def as_stored(doc):
    """Its values as the engine gives them back: lists without repetitions, here in order."""
    stored = {}
    for name, some in doc.values.items():
        if BY_NAME[name].type == "String":
            some = [key.decode() for key in doc.keys[name]]
        stored[name] = sorted(set(some)) if BY_NAME[name].multi else some
    return stored
