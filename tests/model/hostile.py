"""Queries that mean harm: each is answered or refused within its budget, whatever it asks.

No case is longer than its deadline by more than a fifth, nor takes more than 64 MB over what the engine
had before (research/reliability.md, D3). The time is what the process computed, so that a busy
machine makes no difference; the memory is the peak that the kernel saw.
"""

import collections
import json
import os
import time

from catalogue import Difference
from documents import Property
from engine import BUILD, Refused

DEADLINE_MS = 500
OVER = 1.2
MEMORY = 64 << 20
PATIENCE = 10  # times the deadline on the clock: a lost deadline, not a busy machine
SANITIZED = 5  # times slower, and memory is not what it is

FEW = 1000  # documents of many repetitions
SCHEMA = [
    Property("t.text", "String"),
    Property("t.key", "String"),
    Property("t.tags", "String", multi=True),
    Property("t.size", "Long"),
    Property("t.date", "Datetime"),
] + [Property(f"many.p{i}", "String") for i in range(120)]


def nested(text, n, before="(", after=")"):
    return before * n + text + after * n


def alternatives(words, sign=" OR "):
    """As many of WORDS as a query string may hold."""
    text = ""
    for word in words:
        if len(text) + len(sign) + len(word) > 4090:
            break
        text += (sign if text else "") + word
    return text


def where(**members):
    return {"where": json.dumps({name.replace("__", "."): value for name, value in members.items()})}


def strings():
    """By name."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return {
        "everything that has a letter": "*a*",
        "every word": "?*",
        "a prefix of most": "k*",
        "a wildcard of many stars": "*a*b*c*d*e*f*g*h*i*j*k*",
        "a wildcard of more": "*" + "*".join(letters * 18) + "*",
        "stars and marks": "*?" * 400,
        "marks alone": "?" * 900,
        "many wildcards": alternatives(f"*{a}*{b}*" for a in letters for b in letters),
        "many prefixes": alternatives(f"k{i}*" for i in range(2000)),
        "many words": alternatives(f"k{i}" for i in range(2000)),
        "many words in every property": "\\*:(" + alternatives(f"k{i}" for i in range(400)) + ")",
        "a wildcard in every property": "\\*:*a*",
        "many ANDs": alternatives(letters * 80, " AND "),
        "parentheses": nested("a", 60),
        "too many parentheses": nested("a", 2000),
        "parentheses that stay open": "(" * 4000,
        "NOT in NOT": nested("a", 60, "(NOT (", "))"),
        "NOT NOT NOT": "NOT " * 1000 + "a",
        "signs": "+-" * 2000,
        "quotation marks": '"' * 4001,
        "slashes": "/" * 4000,
        "backslashes": "\\" * 4001,
        "escapes": "\\u0061" * 680,
        "a catastrophic regex": "/(a+)+$/",
        "another": "/(a|aa)+b/",
        "one of ambiguous stars": "/(.*)*x/",
        "one of five stars": "/[a-z0-9]*[a-z0-9]*[a-z0-9]*[a-z0-9]*[a-z0-9]*q!/",
        "counted twice": "/(x+x+)+y/",
        "large counts": "/.{1,1000}.{1,1000}.{1,1000}/",
        "counts of counts": "/((a{1,100}){1,100}){1,100}/",
        "any of 400 words": "/(" + "|".join(f"k{i}" for i in range(180)) + ")/",
        "deep groups": "/" + nested("a", 400) + "/",
        "a lookbehind": "/(?<=a{1,100})b(?R)?/",
        "many regexes": alternatives(f"/.*{a}.*{b}.*[^c]/" for a in letters for b in letters),
        "a long fuzzy word": "a" * 900 + "~2",
        "a fuzzy word as long as words are": "a" * 250 + "~2",
        "many fuzzy words": alternatives(f"k{i}x~2" for i in range(900)),
        "a phrase of one word": '"' + "a " * 1000 + '"',
        "a sloppy phrase of one word": '"' + "a " * 12 + '"~1000000',
        "a sloppy phrase of two": '"' + "a b " * 12 + '"~1000',
        "a longer one": '"' + "a b " * 400 + '"~100000',
        "one that hardly fits": '"' + "a b a a b b a b " * 3 + 'c"~40',
        "many sloppy phrases": alternatives(f'"a b {c}"~50' for c in letters),
        "a range of all strings": "[\"\\u0001\" TO zzzz]",
        "many ranges": alternatives(f"t.key:[k{i} TO k{i}9]" for i in range(500)),
        "many numbers": alternatives(f"t.size:[{i} TO {i + 1}]" for i in range(500)),
        "date math": "t.date:[2024-01-01||" + "+1d-1M" * 300 + "/y TO now]",
        "a boost of many": "(" + alternatives(letters * 100) + ")^2",
        "no words": "\u2026 " * 1300,
        "other scripts": "\u6771" * 1300,
        "marks on marks": "a" + "\u0301" * 1900,
    }


def wheres():
    letters = "abcdefghijklmnopqrstuvwxyz"
    return {
        "a full list": where(t__key=[f"k{i}" for i in range(1024)]),
        "a list too long": where(t__key=[f"k{i}" for i in range(1025)]),
        "a long list of ranges": where(t__size=[{"gte": i, "lt": i + 1} for i in range(0, 2000, 2)]),
        "none of many": where(t__key={"not": [f"k{i}" for i in range(1024)]}),
        "all of many": where(t__tags={"and": [f"tag{i}" for i in range(1000)]}),
        "lists of lists": where(t__tags={"and": [[f"tag{i}" for i in range(60)]] * 60}),
        "a long value": where(t__text="a" * 900000),
        "a long prefix": where(t__text={"prefix": "a" * 900000}),
        "a long query string": where(_all=" ".join(a + b + c for a in letters for b in letters
                                                    for c in letters)),
        "many keys": where(**{f"no__such{i}": 1 for i in range(3000)}),
        "deep arrays": {"where": '{"t.key": ' + "[" * 100000},
        "deep objects": {"where": '{"t.key": {"not": ' * 20000},
        "a long number": {"where": '{"t.size": 1' + "0" * 100000 + "}"},
        "a long real": {"where": '{"t.size": 1e' + "9" * 100000 + "}"},
        "facets of everything": {"facets": True},
        "facets of most": {"where": '{"t.size": {"gte": 2}}', "facets": True},
        "a sort by many": {"sort": "t.key,-t.text,t.tags,t.size,-t.date,many.p1,many.p2,many.p3"},
        "a page far away": {"offset": 10**12, "max": 1000, "sort": "t.key"},
        "a long path": {"path": [f"t.key=!k{i}" for i in range(500)]},
        "a segment of many": {"path": ["t.key=" + ",".join(f"k{i}" for i in range(1024))]},
        "a segment of percents": {"path": ["t.key=" + "%61" * 20000]},
    }


def cases():
    found = {name: {"string": text} for name, text in strings().items()}
    return {**found, **wheres()}


def document(number):
    """Words of many kinds, each document with one of its own; some say the same again and again."""
    text = f"k{number} x{number % 97}y{number % 89} a{number % 13}b c{number * 7919 % 5003}"
    if number < FEW:
        text = ("a b " * 200 + "a " * 100) if number % 2 else "a" * 250 + f" {number}"
    return {
        "t.text": [text],
        "t.key": [f"k{number}"],
        "t.tags": [f"tag{number % 7}", f"tag{number % 1009}"],
        "t.size": [number],
        "t.date": [1_600_000_000_000_000_000 + number * 10**12],
        f"many.p{number % 120}": [f"v{number % 11} a{number}"],
    }


class Hostile:
    def __init__(self, engine, n):
        self.engine = engine
        for prop in SCHEMA:
            prop.declare(engine)
        for number in range(n):
            engine.ask("put", id=number + 1, values=document(number))
            if number % 5000 == 4999:
                engine.ask("commit")
        engine.ask("commit")
        self.slower = SANITIZED if is_sanitized() else 1
        self.counts = collections.Counter()

    def one(self, name, asked):
        engine = self.engine
        deadline_s = DEADLINE_MS * self.slower / 1000
        engine.memory_peak_reset()
        memory, busy_s, start = engine.memory("VmRSS"), engine.busy_s(), time.monotonic()
        try:
            engine.ask("query", **{"max": 10, **asked}, deadline_ms=int(deadline_s * 1000))
            self.counts["answered"] += 1
        except Refused as refused:
            if not str(refused):
                raise Difference(f"{name}: refused without a reason ({refused.code})") from None
            self.counts["refused: " + os.strerror(refused.code)] += 1
        waited_s = time.monotonic() - start
        busy_s, memory = engine.busy_s() - busy_s, engine.memory("VmHWM") - memory
        if busy_s > deadline_s * OVER or waited_s > deadline_s * PATIENCE:
            raise Difference(f"{name}: {busy_s:.2f} s of {deadline_s} s, {waited_s:.2f} s on the clock")
        if memory > MEMORY * self.slower:
            raise Difference(f"{name}: {memory >> 20} MB more")


def is_sanitized():
    with open(os.path.join(BUILD, "tests/model/model_engine"), "rb") as file:
        return b"__asan_init" in file.read()


def run(engine, _, n):
    """All cases beside N documents; raises Difference."""
    hostile = Hostile(engine, n)
    for name, asked in cases().items():
        hostile.one(name, asked)
    return hostile.counts
