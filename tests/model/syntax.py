"""The engine's query strings beside Lucene's classic parser: what is a query, and what it finds.

Both get the same documents of text and the same strings. Where they differ, a row of DIFFERENCES must
say why: what spec/pixstor.md 2.2 wants that Lucene does not do. Lucene.java overrides what
Elasticsearch overrides.
"""

import collections
import glob
import os
import re
import subprocess
import unicodedata
import urllib.parse

import documents
import texts
from catalogue import Difference
from engine import Refused

DOCS = 40
NAMES = ("t.name", "t.tags", "t.text")

EXISTS = r"\\?".join(["", *"_exists_"])

# What a text must have in it for a difference to be of this kind, and what the specification says.
DIFFERENCES = [
    (r"/", "a path is a word: '/' opens a pattern only where a word may begin and the closing one "
           "ends it (surprise 1)"),
    (r":\s*[<>]", "comparisons, which Elasticsearch has added"),
    (rf"\\\*[^ ]*\s*:|{EXISTS}\s*:[^ ]*\\\*", "wildcards in the name stand for all such properties"),
    (rf"{EXISTS}\s*:\s*(\S*[*?]|_all|\S+\s*~)", "_exists_ takes the name of a property"),
    (r"~(?![0-9]+(\.[0-9]+)?([\s)^~]|$))[^\s)^~]",
     "behind '~' stands a number or nothing; Lucene takes any word there and forgets it"),
    (r'([\[{]|TO)\s*"([^"]*$|[^"]*"[^]}\s])',
     "a quotation mark at the start of a bound needs its partner at the end; Lucene takes it for a letter"),
    (r"~([3-9]|[0-9]{2})", "at most two edits, as in Elasticsearch; Lucene takes more for two"),
    (r"[-+!]\s+(\^\S*\s*)?~|:.*[-+!]\s", "a sign before white space is no word, fuzzy or not, of any property"),
    (r"[*?].*\\[^\W\d_a-z]|\\[^\W\d_a-z].*[*?]",
     "patterns are compared in lower case; Lucene leaves what is escaped in them as it is"),
]


class Lucene:
    def __init__(self):
        here = os.path.dirname(os.path.abspath(__file__))
        jars = [jar for part in ("core", "queryparser", "analyzers-common")
                for jar in glob.glob(f"/usr/share/java/lucene-{part}-8*.jar")]
        if not jars:
            raise RuntimeError("Lucene is missing: contrib/install-deps --ci")
        self.process = subprocess.Popen(
            ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", ":".join(jars),
             os.path.join(here, "Lucene.java")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
        )

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def put(self, doc):
        pairs = [(name, value) for name, some in doc.values.items() for value in some]
        self.say(f"put {doc.id} {urllib.parse.urlencode(pairs)}")

    def ask(self, text):
        """Ids in order; None if it is no query."""
        self.say(f"ask {urllib.parse.quote_plus(text)}")
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"Lucene died of {text!r}")
        return None if answer.startswith("error") else sorted(map(int, answer.split()[1:]))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def plain(text):
    """Lucene normalises no text, and takes half a flag for no word."""
    text = re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
    half = re.sub("[\U0001f1e6-\U0001f1ff]{2}", "", text)
    return unicodedata.normalize("NFC", text) == text and not re.search("[\U0001f1e6-\U0001f1ff]", half)


def random_text(rng):
    return next(text for text in iter(lambda: documents.random_text(rng, 4), None) if plain(text))


def random_document(rng, doc_id):
    given = {"t.text": [random_text(rng) for _ in range(1)]}
    if rng.random() < 0.7:
        given["t.name"] = [random_text(rng)]
    if rng.random() < 0.7:
        given["t.tags"] = [random_text(rng) for _ in range(rng.randrange(1, 3))]
    return documents.Document(doc_id, given)


def random_string(rng, docs):
    """Of the language without typed properties, often broken, sometimes a heap of signs."""
    kind = rng.random()
    if kind < 0.1:
        signs = ["cat", "dog", "+", "-", "!", "NOT", "AND", "OR", "&&", "||", "(", ")", ":", "^2", "^",
                 "~", "~1", '"a b"', '"', "[a TO b]", "{", "]", "*", "?", "\\", "t.name:", "/", " "]
        return "".join(rng.choice(signs) + rng.choice(["", " "]) for _ in range(rng.randrange(1, 9)))
    text = texts.query_string(rng, docs, 2, rng.random() < 0.5)
    return texts.broken(rng, text) if kind < 0.3 else text


def is_typed(text):
    """Whether TEXT names properties that are no text."""
    names = text.replace("\\", "")
    return any(prop.name in names for prop in documents.SCHEMA if prop.name not in NAMES)


def kind_of(text):
    return next((why for pattern, why in DIFFERENCES if re.search(pattern, text)), None)


class Syntax:
    def __init__(self, engine, lucene, rng):
        self.engine, self.lucene, self.rng = engine, lucene, rng
        self.counts = collections.Counter()
        for prop in documents.SCHEMA:
            if prop.name in NAMES:
                prop.declare(engine)
        self.docs = [random_document(rng, doc_id) for doc_id in range(1, DOCS + 1)]
        for doc in self.docs:
            engine.ask("put", id=doc.id, values=doc.values)
            lucene.put(doc)
        engine.ask("commit")

    def found(self, text):
        try:
            return sorted(self.engine.ask("query", string=text)["ids"])
        except Refused:
            return None

    def one(self):
        text = random_string(self.rng, self.docs)
        while not plain(text) or is_typed(text):
            text = random_string(self.rng, self.docs)
        ours, theirs = self.found(text), self.lucene.ask(text)
        if ours == theirs:
            self.counts["refused by both" if ours is None else "the same documents"] += 1
            return
        why = kind_of(text)
        if not why:
            raise Difference(f"{text!r}: the engine {told(ours)}, Lucene {told(theirs)}")
        self.counts["differs: " + why] += 1


def told(ids):
    return "refuses it" if ids is None else f"finds {ids}"


def run(engine, rng, n):
    lucene = Lucene()
    try:
        syntax = Syntax(engine, lucene, rng)
        for _ in range(n):
            syntax.one()
    finally:
        lucene.close()
    return syntax.counts
