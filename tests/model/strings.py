"""Query strings: a parser of the grammar in spec/pixstor.md 2.2, to conditions.

First the text is cut into tokens, the longest first; then a method for each rule reads them.
"""

import re
import struct

import values
import words
from conditions import (
    MUST,
    MUST_NOT,
    SHOULD,
    All,
    Blank,
    Boost,
    Exists,
    Folded,
    Group,
    Nothing,
    Pattern,
    Phrase,
    Value,
    Words,
    fuzzy_test,
    prefix_test,
    regex_test,
    wildcard_test,
)
from values import Bad, Unknown

SPACE = " \t\n\r\u3000"
ESC = r"\\."
START = rf'(?:{ESC}|[^{SPACE}+\-!():^\[\]"{{}}~*?\\/])'
CHAR = rf"(?:{START}|[-+/])"
TOKENS = [
    # Of equally long ones the first counts.
    ("BARE", rf"[-+!](?=[{SPACE}])"),
    ("AND", r"AND|&&"),
    ("OR", r"OR|\|\|"),
    ("NOT", r"NOT|!"),
    ("SIGN", r"[-+():]"),
    ("STAR", r"\*"),
    ("TERM", rf"(?:{START}|/){CHAR}*"),
    ("PREFIX", rf"(?:{START}|/){CHAR}*\*"),
    ("WILD", rf"(?:{START}|[*?/])(?:{CHAR}|[*?])*"),
    ("QUOTED", rf'"(?:{ESC}|[^"\\])*"'),
    ("REGEX", rf"/(?:[^/\\]|{ESC})*/(?=[{SPACE})^~]|$)"),
    ("FUZZY", r"~(?:\d+(?:\.\d+)?)?"),
    ("BOOST", r"\^\d+(?:\.\d+)?"),
    ("RANGE", r"[\[{]"),
]
TOKENS = [(name, re.compile(pattern, re.DOTALL | re.ASCII)) for name, pattern in TOKENS]
BOUND = re.compile(rf'"(?:{ESC}|[^"\\])*"|(?!")(?:\\?[^{SPACE}\]}}\\]|\\\\)++(?!\\)', re.DOTALL)
SLOP_MAX = BOOST_MAX = 1_000_000
BLANKS = re.compile(f"[{SPACE}]*")


def unescape(text):
    def sign(match):
        if match[1]:
            return chr(int(match[1], 16))
        if match[0][1] == "u":
            raise Bad("four hexadecimal digits are needed")
        return match[0][1]

    text = re.sub(r"\\u([0-9a-fA-F]{4})|\\.", sign, text, flags=re.DOTALL)
    try:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise Bad("half of a surrogate pair") from None
    if "\0" in text:
        raise Bad("a character of no bits")
    return text


def pieces_of(text):
    """A word with wildcards as wildcard_test() takes it."""
    found = [""]
    for match in re.finditer(rf"{ESC}|.", text, re.DOTALL):
        if match[0] in "*?":
            found += [(match[0],), ""]
        else:
            found[-1] += match[0]
    return [piece if isinstance(piece, tuple) else unescape(piece) for piece in found]


class Field:
    """What a clause is asked of. LENIENT: a property to whose type it does not fit is left out."""

    def __init__(self, props, lenient=False):
        self.props, self.lenient = props, lenient

    def any_of(self, make):
        if not self.lenient:
            return make(self.props[0]) if self.props else Nothing()
        found = []
        for prop in self.props:
            try:
                found.append((SHOULD, make(prop)))
            except Bad:
                pass
        return Group(found) if found else Nothing()


ALL = Field([None])  # any property, as the index has it


class Parser:
    def __init__(self, text, schema):
        self.text, self.at, self.schema = text, 0, schema
        self.advance()

    # --- Tokens ---

    def advance(self):
        self.at = BLANKS.match(self.text, self.at).end()
        if self.at == len(self.text):
            self.kind, self.token = "END", ""
            return
        found = [(name, pattern.match(self.text, self.at)) for name, pattern in TOKENS]
        found = [(name, match[0]) for name, match in found if match]
        if not found:
            raise Bad(f"no token at {self.at}")
        self.kind, self.token = max(found, key=lambda pair: len(pair[1]))
        regex = [token for name, token in found if name == "REGEX"]
        if regex:
            self.kind, self.token = "REGEX", regex[0]
        self.at += len(self.token)

    def accept(self, kind, token=None):
        if self.kind != kind or (token and self.token != token):
            return None
        taken = self.token
        self.advance()
        return taken or True

    # --- Rules ---

    def whole(self):
        if self.kind == "END":
            return Nothing()
        query = self.query(ALL)
        if self.kind != "END":
            raise Bad(f"a word is needed, not {self.token}")
        return Nothing() if isinstance(query, Blank) else query

    def query(self, field):
        """query = *( [ AND / OR ] [ "+" / "-" / NOT ] clause )"""
        clauses = []
        conjunction = None
        while True:
            sign = self.sign()
            self.add(clauses, conjunction, sign, self.clause(field))
            if self.kind == "END" or (self.kind, self.token) == ("SIGN", ")"):
                return Group(clauses) if clauses else Blank()
            conjunction = self.kind if self.kind in ("AND", "OR") else None
            if conjunction:
                self.advance()

    def sign(self):
        if self.accept("SIGN", "+"):
            return MUST
        return MUST_NOT if self.accept("NOT") or self.accept("SIGN", "-") else None

    @staticmethod
    def add(clauses, conjunction, sign, condition):
        if conjunction == "AND" and clauses and clauses[-1][0] != MUST_NOT:
            clauses[-1] = (MUST, clauses[-1][1])
        if not isinstance(condition, Blank):
            clauses.append((sign or (MUST if conjunction == "AND" else SHOULD), condition))

    def clause(self, field):
        """clause = [ field ":" ] ( term / "(" query ")" [ BOOST ] )"""
        kind, token = self.kind, self.token
        if kind in ("TERM", "STAR"):
            here = self.at
            self.advance()
            if self.accept("SIGN", ":"):
                return self.in_field(token)
            self.kind, self.token, self.at = kind, token, here
        return self.leaf(field)

    def in_field(self, name):
        if name == "*":
            return self.leaf(ALL)
        name = unescape(name)
        if name == "_exists_":
            return self.boosted(self.existing())
        return self.leaf(self.field(name))

    def field(self, name):
        if name in ("_all", "*"):
            return ALL
        if "*" not in name:
            return Field([self.schema[name]] if name in self.schema else [])
        fits = re.compile(".*".join(map(re.escape, name.split("*")))).fullmatch
        return Field([prop for name, prop in self.schema.items() if fits(name)], lenient=True)

    def existing(self):
        if self.kind == "STAR":
            self.advance()
            return All()
        if self.kind not in ("TERM", "QUOTED"):
            raise Bad("a property is needed")
        name = unescape(self.token[1:-1] if self.kind == "QUOTED" else self.token)
        self.advance()
        return All() if name in ("_all", "*") else self.field(name).any_of(Exists)

    def leaf(self, field):
        if self.accept("SIGN", "("):
            group = self.query(field)
            if not self.accept("SIGN", ")"):
                raise Bad("a parenthesis is open")
            return self.boosted(group)
        if self.kind == "RANGE":
            return self.boosted(self.range(field))
        make = {
            "TERM": self.term, "QUOTED": self.quoted, "PREFIX": self.prefix, "WILD": self.wild,
            "STAR": self.star, "REGEX": self.regex, "BARE": lambda *_: Blank(),
        }.get(self.kind)
        if not make:
            raise Bad(f"a word is needed, not {self.token}")
        token = self.token
        self.advance()
        factor, fuzzy = self.accept("BOOST"), self.accept("FUZZY")
        factor = factor or (fuzzy and self.accept("BOOST"))
        condition = make(token, field, fuzzy)
        return self.boost(condition, factor)

    def boosted(self, condition):
        return self.boost(condition, self.accept("BOOST"))

    @staticmethod
    def boost(condition, factor):
        if factor and float(factor[1:]) > BOOST_MAX:
            raise Bad("too heavy")
        if not factor or isinstance(condition, Blank):
            return condition
        return Boost(condition, float(factor[1:]))

    # --- Leaves, of TOKEN as it stands ---

    @staticmethod
    def edits(fuzzy, text):
        """What stands behind a '~': edits, or as in old Lucene a similarity; None for AUTO."""
        if fuzzy == "~":
            return None
        number = float(fuzzy[1:])
        if 0 < number < 1:
            single = struct.unpack("f", struct.pack("f", number))[0]
            return min(int((1 - single) * len(words.normal(text))), 2)
        if number not in (0, 1, 2):
            raise Bad("0, 1 or 2 edits")
        return int(number)

    def term(self, token, field, fuzzy):
        compared = re.match("[<>]=?", token)
        if field is not ALL and compared:
            if fuzzy:
                raise Bad("a comparison is not fuzzy")
            return self.compare(token[: compared.end()], token[compared.end() :], field)
        text = unescape(token)
        if fuzzy:
            return self.pattern(field, fuzzy_test(text, self.edits(fuzzy, text)), fuzzy=True)
        return self.words(field, text, lambda prop: Words(text, prop))

    def quoted(self, token, field, fuzzy):
        text = unescape(token[1:-1])
        slop = int(float(fuzzy[1:] or 0)) if fuzzy else 0
        if slop > SLOP_MAX:
            raise Bad("too far")
        return self.words(field, text, lambda prop: Phrase(text, prop, slop))

    @staticmethod
    def words(field, text, make):
        """On a property that holds no text, the value itself."""
        if field.lenient and not words.words(text):
            return Blank()

        def of(prop):
            if prop and prop.type != "String":
                return Value(prop, [values.span(prop, text).holds])
            return make(prop) if words.words(text) else Blank()

        return field.any_of(of)

    @staticmethod
    def pattern(field, test, fuzzy=False):
        def of(prop):
            if prop and prop.type != "String":
                raise Bad("only text has patterns")
            if prop and prop.name[0] == "_":
                raise Unknown("nothing is said of patterns in hidden text")
            return Pattern(test, prop, fuzzy)

        return field.any_of(of)

    def prefix(self, token, field, _):
        return self.pattern(field, prefix_test(unescape(token.rstrip("*"))))

    def wild(self, token, field, _):
        if token.strip("*") == "":
            return self.star(token, field, _)
        return self.pattern(field, wildcard_test(pieces_of(token)))

    def regex(self, token, field, _):
        return self.pattern(field, regex_test(token[1:-1].replace("\\/", "/")))

    def star(self, _token, field, _fuzzy):
        return All() if field is ALL else field.any_of(Exists)

    def compare(self, sign, text, field):
        if not text:
            raise Bad("a value is needed")
        bound = (unescape(text), "=" in sign)
        return self.between(field, *((bound, None) if sign[0] == ">" else (None, bound)))

    def range(self, field):
        if field is ALL:
            visible = [prop for name, prop in self.schema.items() if name[0] != "_"]
            field = Field([prop for prop in visible if prop.type != "Datetime"], lenient=True)
        inclusive = self.token == "["
        low = self.bound(inclusive)
        to = re.compile(rf"[{SPACE}]*TO(?=[{SPACE}])").match(self.text, self.at)
        if not to:
            raise Bad("TO is needed")
        self.at = to.end()
        high = self.bound(None)
        end = re.compile(rf"[{SPACE}]*([\]}}])").match(self.text, self.at)
        if not end:
            raise Bad("a bracket is needed")
        self.at = end.end()
        self.advance()
        if high:
            high = (high[0], end[1] == "]")
        return self.between(field, low, high)

    def bound(self, inclusive):
        """(text, inclusive), or None if it is open."""
        self.at = BLANKS.match(self.text, self.at).end()
        match = BOUND.match(self.text, self.at)
        if not match or match[0] == "TO":
            raise Bad("a bound is needed")
        self.at = match.end()
        if match[0] == "*":
            return None
        text = match[0][1:-1] if match[0][0] == '"' else match[0]
        return (unescape(text), inclusive)

    @staticmethod
    def between(field, low, high):
        def of(prop):
            if not low and not high:
                return Exists(prop)
            if prop.type == "Boolean":
                raise Bad("true and false have no order")
            if prop.type == "String":
                make, span = Folded, lambda text: values.Span(words.fold(text).encode())
            else:
                make, span = Value, lambda text: values.span(prop, text)
            spans = [bound and span(bound[0]) for bound in (low, high)]
            return make(prop, between_tests(spans[0], low and low[1], spans[1], high and high[1]))

        return field.any_of(of)


def between_tests(low, low_inclusive, high, high_inclusive):
    tests = []
    if low:
        tests.append(low.not_less if low_inclusive else low.greater)
    if high:
        tests.append(high.not_greater if high_inclusive else high.less)
    return tests


def parse(text, schema):
    """TEXT as a condition; Bad if it is no query. SCHEMA: properties by name."""
    return Parser(text, schema).whole()
