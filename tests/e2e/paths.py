"""Random paths below query/, each segment with the condition that it must mean."""

import datetime
import json
import re

import model

FILTERABLE = [
    "core.directory",
    "core.extension",
    "core.mimetype",
    "core.user",
    "core.group",
    "core.type",
    "core.permissions",
    "core.filename",
    "core.size",
    "core.uid",
    "core.nlink",
    "core.modificationtime",
]
PLAIN_WORD = re.compile(r"[a-z]{2,}|[0-9]+")


def escape(text):
    """TEXT as a value in a segment: everything that could mean something is %XX."""
    return "".join(
        c if c.isalnum() or c in "_" else "".join(f"%{b:02X}" for b in c.encode()) for c in text
    )


def date_text(time_ns, precision):
    """The date at TIME_NS cut to PRECISION, and the span [start, end) in ns that it names."""
    moment = datetime.datetime.fromtimestamp(time_ns // 10**9, datetime.timezone.utc)
    cut = {
        "year": dict(month=1, day=1, hour=0, minute=0, second=0),
        "month": dict(day=1, hour=0, minute=0, second=0),
        "day": dict(hour=0, minute=0, second=0),
        "minute": dict(second=0),
        "second": {},
    }
    start = moment.replace(**cut[precision])
    if precision == "year":
        end = start.replace(year=start.year + 1)
    elif precision == "month":
        end = (start + datetime.timedelta(days=31)).replace(day=1)
    else:
        end = start + datetime.timedelta(**{precision + "s": 1})
    length = {"year": 4, "month": 7, "day": 10, "minute": 16, "second": 19}[precision]
    return (
        start.isoformat()[:length],
        int(start.timestamp()) * 10**9,
        int(end.timestamp()) * 10**9,
    )


class Paths:
    """Makes segments whose values come from DOCUMENTS, so that most find something."""

    def __init__(self, rng, documents):
        self.rng = rng
        self.documents = documents

    def value(self, name):
        while True:
            doc = self.rng.choice(self.documents)
            if name in doc.values:
                return doc.values[name]

    def word(self):
        """A plain word of some file's name or folder."""
        while True:
            doc = self.rng.choice(self.documents)
            places = doc.positions(self.rng.choice(["core.filename", "core.directory"]))
            for place in self.rng.sample(places, len(places)):
                for word in sorted(place):
                    if PLAIN_WORD.fullmatch(word):
                        return word

    # Each of these returns (segment, condition).

    def text(self):
        clauses, text = [], ""
        for place in range(self.rng.randint(1, 4)):
            conjunction = self.rng.choice(["", "AND", "OR"]) if place else ""
            modifier = self.rng.choice(["", "", "", "+", "NOT"])
            clause, condition = self.clause()
            clauses.append((conjunction, modifier, condition))
            text += f"{' ' if place else ''}{conjunction}{' ' if conjunction else ''}"
            text += "+" if modifier == "+" else "NOT " if modifier else ""
            text += clause
        return "_all=" + text.replace("/", "%2F"), model.boolean(clauses)

    def clause(self, depth=0):
        kind = self.rng.choice(
            ["word", "word", "field", "prefix", "phrase", "fieldprefix", "range", "group"]
        )
        word = self.word()
        if kind == "word":
            return word, model.has_words(word)
        if kind == "field":
            name = self.rng.choice(["core.filename", "core.directory", "core.pathname"])
            return f"{name}:{word}", model.has_words(word, name)
        if kind == "prefix":
            return word[:3] + "*", model.has_prefix(word[:3])
        if kind == "fieldprefix":
            return f"core.filename:{word[:2]}*", model.has_prefix(word[:2], "core.filename")
        if kind == "phrase":
            pair = f"{word} {self.word()}" if self.rng.random() < 0.5 else self.neighbours()
            return f'"{pair}"', model.has_phrase(pair)
        if kind == "range":
            size = self.value("core.size")
            return f"core.size:>={size}", model.within("core.size", size)
        if depth > 1:
            return word, model.has_words(word)
        left, is_left = self.clause(depth + 1)
        right, is_right = self.clause(depth + 1)
        return f"({left} OR {right})", model.boolean([("", "", is_left), ("OR", "", is_right)])

    def neighbours(self):
        """Two words that do stand side by side somewhere."""
        while True:
            places = self.rng.choice(self.documents).positions("core.pathname")
            if len(places) > 1:
                at = self.rng.randrange(len(places) - 1)
                pair = [min(places[at]), min(places[at + 1])]
                if all(PLAIN_WORD.fullmatch(word) for word in pair):
                    return " ".join(pair)

    def equal(self):
        name = self.rng.choice(FILTERABLE[:-1])
        values = list({self.value(name) for _ in range(self.rng.choice([1, 1, 2, 3]))})
        text = ",".join(escape(str(value)) for value in values)
        if self.rng.random() < 0.25:
            return f"{name}=!{text}", model.negate(model.equals(name, *values))
        return f"{name}={text}", model.equals(name, *values)

    def number_range(self):
        name = self.rng.choice(["core.size", "core.uid", "core.nlink", "core.blocks"])
        low, high = sorted((self.value(name), self.value(name) + 1))
        form = self.rng.choice(["-", "..", "low", "high", ">", ">=", "<", "<=", "!=", "!.."])
        return {
            "-": (f"{name}={low}-{high}", model.within(name, low, high)),
            "..": (f"{name}={low}..{high}", model.within(name, low, high)),
            "low": (f"{name}={low}..", model.within(name, low)),
            "high": (f"{name}=..{high}", model.within(name, None, high)),
            ">": (f"{name}>{low}", model.within(name, low + 1)),
            ">=": (f"{name}>={low}", model.within(name, low)),
            "<": (f"{name}<{high}", model.within(name, None, high)),
            "<=": (f"{name}<={high}", model.within(name, None, high + 1)),
            "!=": (f"{name}!={low}", model.negate(model.equals(name, low))),
            "!..": (f"{name}=!{low}..{high}", model.negate(model.within(name, low, high))),
        }[form]

    def string_range(self):
        name = self.rng.choice(["core.filename", "core.extension"])
        low, high = sorted((self.value(name), self.value(name)), key=str.encode)
        if low == high:
            return f"{name}={escape(low)}..", model.within(name, low.encode())
        return (
            f"{name}={escape(low)}..{escape(high)}",
            model.within(name, low.encode(), high.encode()),
        )

    def date(self):
        name = "core.modificationtime"
        precision = self.rng.choice(["year", "month", "day", "minute", "second"])
        low, high = sorted((self.value(name), self.value(name)))
        text, start, end = date_text(low, precision)
        if self.rng.random() < 0.4:
            return f"{name}={text}", model.within(name, start, end)
        high_text, high_start, _ = date_text(high, precision)
        if start == high_start or self.rng.random() < 0.3:
            return f"{name}={text}..", model.within(name, start)
        return f"{name}={text}..{high_text}", model.within(name, start, high_start)

    def presence(self):
        name = self.rng.choice(["core.extension", "core.symlink_target", "core.user", "core.size"])
        if self.rng.random() < 0.5:
            return f"{name}=..", model.exists(name)
        return f"{name}=!..", model.negate(model.exists(name))

    def where(self):
        size = self.value("core.size")
        kind = self.value("core.type")
        word = self.word()
        clause, condition = self.rng.choice(
            [
                (
                    {"core.size": {"gte": size, "lt": size * 2 + 1}},
                    model.within("core.size", size, size * 2 + 1),
                ),
                ({"core.type": {"not": kind}}, model.negate(model.equals("core.type", kind))),
                ({"core.type": [kind, "nonsense"]}, model.equals("core.type", kind)),
                ({"_all": word}, model.has_words(word)),
                (
                    {"core.extension": {"exists": False}},
                    model.negate(model.exists("core.extension")),
                ),
                ({"core.nonsense": "x"}, lambda doc: False),
            ]
        )
        return "_where=" + json.dumps(clause).replace("/", "%2F"), condition

    def path(self):
        """Segments, and the conditions that all must hold; each segment fits a name."""
        makers = [
            self.text,
            self.text,
            self.equal,
            self.equal,
            self.number_range,
            self.string_range,
            self.date,
            self.presence,
            self.where,
        ]
        segments, conditions = [], []
        for _ in range(self.rng.choice([1, 1, 2, 2, 3])):
            segment, condition = self.rng.choice(makers)()
            if len(segment.encode()) <= 255:
                segments.append(segment)
                conditions.append(condition)
        if not segments:
            return self.path()
        return segments, lambda doc: all(condition(doc) for condition in conditions)

    def order(self):
        """A _sort segment and its keys as (name, descending)."""
        names = self.rng.sample(
            ["core.size", "core.filename", "core.extension", "core.modificationtime", "core.uid"],
            self.rng.randint(1, 2),
        )
        keys = [(name, self.rng.random() < 0.5) for name in names]
        return "_sort=" + ",".join(("-" if down else "") + name for name, down in keys), keys
