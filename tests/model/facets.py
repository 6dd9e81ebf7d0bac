"""What the facets of some documents must be: research/index.md 3.2 and 3.3, by sorting and counting.

Fractions instead of scaled integers, whole lists instead of ranks; rounding in decimal by hand.
"""

import datetime
from fractions import Fraction

import words
from values import EPOCH, SECOND

BUCKETS = 5
FEW = 8  # so few values are always shown as values
LIMITS = {"Integer": (-(2**31), 2**31), "Long": (-(2**63) + 1, 2**63)}


class Facet:
    """BUCKETS: (count, value) or (count, low, high), an open end None; (count,) is "(none)"."""

    def __init__(self, prop, hits):
        self.prop, self.hits = prop, hits
        self.having = [doc for doc in hits if doc.values.get(prop.name)]
        self.count, self.missing = len(self.having), hits and len(hits) - len(self.having) or 0
        self.other, self.buckets = 0, []

    def expected(self):
        """How many documents are left after one choice, on average."""
        hits = len(self.hits)
        mass = self.other + sum(bucket[0] for bucket in self.buckets)
        squares = self.other * min(self.other, self.count)
        squares += sum(bucket[0] ** 2 for bucket in self.buckets)
        share = Fraction(self.count, mass) if mass else 1
        return self.missing + share * squares / hits

    def finished(self):
        """With its measure, and "(none)", which counts for nothing in it."""
        if not self.hits:
            return self
        self.left = self.expected()
        self.order = (self.left, len(self.buckets), self.missing, self.prop.name)
        if self.missing:
            self.buckets.append((self.missing,))
        return self

    def split(self):
        return (self.missing, self.other, sorted(bucket[0] for bucket in self.buckets))


def histogram(facet):
    """Documents by value."""
    counts = {}
    for doc in facet.having:
        for key in set(doc.keys[facet.prop.name]):
            counts[key] = counts.get(key, 0) + 1
    return counts


def in_order(facet):
    return sorted(doc.keys[facet.prop.name][0] for doc in facet.having)


def one_facet(hits, prop, max_values=BUCKETS):
    facet = Facet(prop, hits)
    if facet.count and prop.type != "Proxy":
        if prop.type == "String":
            by_strings(facet, max_values)
        elif prop.multi or prop.type == "Boolean":
            by_values(facet, max_values)
        else:
            by_numbers(facet)
    return facet.finished()


def all_facets(hits, schema):
    """In the order of their use: those that only repeat another's split late, the useless last."""
    facets = [one_facet(hits, prop) for prop in schema
              if prop.filter and not prop.name.startswith("_") and prop.type != "Proxy"]
    facets = sorted((f for f in facets if f.count), key=lambda f: f.order)
    ranked = ([], [], [])
    for at, facet in enumerate(facets):
        earlier = [f for f in facets[:at] if f.left == facet.left and f.split() == facet.split()]
        useless = facet.left >= len(hits)
        ranked[2 if useless else 1 if earlier else 0].append(facet)
    return sum(ranked, [])


# --- Values ---


def by_values(facet, max_values):
    counts = histogram(facet)
    best = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:max_values]
    facet.buckets = [(count, value) for value, count in best]
    facet.other = sum(counts.values()) - sum(count for _, count in best)


def by_strings(facet, max_values):
    by_values(facet, max_values)
    counts = histogram(facet)
    top = sum(bucket[0] for bucket in facet.buckets[:BUCKETS])
    few = len(counts) <= max(max_values, FEW)
    if facet.prop.multi or few or 2 * top >= sum(counts.values()):
        return
    ranges = Facet(facet.prop, facet.hits)
    by_text(ranges)
    if ranges.expected() < facet.expected():
        facet.buckets, facet.other = ranges.buckets, 0


# --- Ranges ---


def cuts_of(ordered):
    """Where to cut into parts of about one size, equal values kept together."""
    total, low, cuts = len(ordered), 0, []
    for left in range(BUCKETS, 1, -1):
        if low >= total:
            break
        want = low + (total - low) // left
        value = ordered[want]
        less = sum(1 for v in ordered if v < value)
        not_greater = sum(1 for v in ordered if v <= value)
        near_less = less > low and want - less <= not_greater - want
        low = less if near_less else not_greater
        if low >= total:
            break
        cuts.append(low)
    return cuts


def by_text(facet):
    ordered = in_order(facet)
    total, last, bounds = len(ordered), 0, []
    for cut in cuts_of(ordered):
        if cut <= last:
            continue
        cut = round_cut(ordered, last, cut)
        if cut == last:
            continue
        bounds.append((cut, separator(ordered[cut - 1], ordered[cut])))
        last = cut
    facet.buckets = ranges_between(bounds, total, None, None)


def ranges_between(bounds, total, low, high):
    """BOUNDS: (values before it, bound)."""
    buckets, before = [], 0
    for rank, bound in bounds + [(total, high)]:
        buckets.append((rank - before, low, bound))
        before, low = rank, bound
    return buckets


def shared(a, b):
    at = 0
    while at < min(len(a), len(b)) and a[at] == b[at]:
        at += 1
    return at


def round_cut(ordered, last, cut):
    """Near CUT, where the first byte changes that the strings around do not share."""
    total = len(ordered)
    far = total * 15 // 100 // BUCKETS
    low = cut - far if cut > last + far else last + 1
    high = min(cut + far, total - 1)
    at = shared(ordered[low - 1], ordered[high])

    def byte(rank):
        return ordered[rank][at] if at < len(ordered[rank]) else 0

    same = [rank for rank in range(low - 1, high + 1) if byte(rank) == byte(cut)]
    before = same[0]
    after = same[-1] + 1 if same[-1] < high else high
    if byte(low - 1) == byte(cut):
        return after
    if byte(after) == byte(cut):
        return before
    return after if after - cut < cut - before else before


def separator(before, after):
    """The shortest beginning of AFTER, in whole characters, that is greater than BEFORE."""
    text = after.decode()
    return next(start for n in range(1, len(text) + 1) if (start := text[:n].encode()) > before)


def by_numbers(facet):
    ordered = in_order(facet)
    distinct = sorted(set(ordered))
    if len(distinct) <= BUCKETS:
        facet.buckets = [(ordered.count(value), value) for value in distinct]
        return
    rounding = (Dates if facet.prop.type == "Datetime" else Numbers)(facet.prop, ordered)
    bounds = []
    for cut in cuts_of(ordered):
        if bounds and cut <= bounds[-1][0]:
            continue
        bound = rounding.bound(cut, bounds[-1][0] if bounds else 0)
        bounds.append((rounding.rank(bound), bound))
    facet.buckets = ranges_between(bounds, len(ordered), rounding.low(), rounding.high())


class Rounding:
    def __init__(self, prop, ordered):
        self.prop, self.ordered, self.total = prop, ordered, len(ordered)

    def rank(self, bound):
        return sum(1 for value in self.ordered if value < bound)

    def fits(self, bound, cut, last, percent):
        """A bucket before and after it; no further from CUT than PERCENT of an ideal bucket."""
        rank = self.rank(bound)
        far = abs(rank - cut) * BUCKETS * 100 > percent * self.total
        return last < rank < self.total and not far


# --- Round numbers: a decimal is DIGITS x 10^EXPONENT ---


def exponent_of(number):
    """Of the first digit."""
    if isinstance(number, float):
        return int(f"{number:.16e}".split("e")[1]) if number else 0
    return len(str(abs(number))) - 1


class Numbers(Rounding):
    def number(self, decimal):
        """As the type has it; None if it does not reach so far."""
        if self.prop.type == "Double":
            try:
                return float(decimal)
            except OverflowError:
                return None
        low, high = LIMITS[self.prop.type]
        return int(decimal) if low <= decimal < high else None

    def above(self, number, unit):
        """The smallest multiple of UNIT that is greater."""
        times = Fraction(number) // unit
        while self.exact(times * unit) <= number:
            times += 1
        return times * unit

    def exact(self, decimal):
        return float(decimal) if self.prop.type == "Double" else decimal

    def between(self, low, high):
        """The roundest number in (LOW, HIGH]: few digits, then steps of 5, 2, 1."""
        whole = self.prop.type != "Double"
        if low < 0 <= high:
            return 0
        if low == 0 and whole:
            return 1
        first = exponent_of(high) if low == 0 else max(exponent_of(low), exponent_of(high))
        for digits in (1, 2, 3):
            exponent = first - digits + 1
            if exponent < 0 and whole:
                return None
            for step in (5, 2, 1):
                number = self.number(self.above(low, step * Fraction(10) ** exponent))
                if number is not None and number <= high:
                    return number
        return None

    def rounded(self, number, digits):
        if isinstance(number, float):
            return float(f"{number:.{digits - 1}e}")
        exponent = exponent_of(number) - digits + 1
        if exponent <= 0:
            return number
        unit = 10**exponent
        return self.number((number + unit // 2) // unit * unit)

    def bound(self, cut, last):
        below, above = self.ordered[cut - 1], self.ordered[cut]
        bound = self.between(below, above)
        if bound is not None and self.fits(bound, cut, last, 0):
            return bound
        for digits in range(2, 20):
            bound = self.rounded(above, digits)
            if bound is not None and self.fits(bound, cut, last, 10 if digits == 2 else 15):
                return bound
        return above

    # --- Round ends ---

    def step(self):
        least, most = self.ordered[0], self.ordered[-1]
        if self.prop.type == "Double":
            return Fraction(10) ** exponent_of((most - least) / 5)
        return 10 ** exponent_of(max((most - least) // 5, 1))

    def limit(self, number, more):
        step = self.step()
        times = Fraction(number) // step
        if self.prop.type == "Double":
            if abs(times) > 10**15:
                return None
            while float((times + 1) * step) <= number:
                times += 1
            while float(times * step) > number:
                times -= 1
        return self.number((times + more) * step)

    def low(self):
        return self.limit(self.ordered[0], 0)

    def high(self):
        return self.limit(self.ordered[-1], 1)


# --- Round dates ---

DAY = 86400 * SECOND
LEVELS = [("months", 120), ("months", 60), ("months", 12), ("months", 3), ("months", 1)] + [
    ("ns", n) for n in (DAY, DAY // 4, DAY // 24, 600 * SECOND, 60 * SECOND, SECOND, 10**6, 1000, 1)
]
LEVEL_DAY = 5


def start_of(level, ns, after=0):
    """Of the span of LEVEL that holds NS, or of the one AFTER it."""
    kind, length = LEVELS[level]
    if kind == "ns":
        return (ns // length + after) * length
    date = datetime.date.fromordinal(EPOCH + ns // DAY)
    months = (date.year * 12 + date.month - 1) // length * length + after * length
    return (datetime.date(months // 12, months % 12 + 1, 1).toordinal() - EPOCH) * DAY


def in_reach(ns):
    return ns if -(2**63) < ns < 2**63 else None


class Dates(Rounding):
    level = None  # the coarsest that was used

    def bound(self, cut, last):
        value = self.ordered[cut]
        for level in range(len(LEVELS)):
            starts = [start_of(level, value), start_of(level, value, 1)]
            bound = min(starts, key=lambda start: abs(self.rank(start) - cut))
            if self.fits(bound, cut, last, 15):
                self.level = level if self.level is None else min(self.level, level)
                return bound
        return value

    def ends_by(self):
        return LEVEL_DAY if self.level is None else self.level

    def low(self):
        return in_reach(start_of(self.ends_by(), self.ordered[0]))

    def high(self):
        return in_reach(start_of(self.ends_by(), self.ordered[-1], 1))


# --- Comparing ---


def told(facet):
    """A Facet in the engine's words (engine.c, write_facet)."""

    def plain(value):
        return value.decode() if isinstance(value, bytes) else value

    buckets = []
    for count, *rest in facet.buckets:
        bucket = {"count": count}
        if len(rest) == 1:
            bucket["value"] = plain(rest[0])
        for name, bound in zip(("low", "high"), rest if len(rest) == 2 else ()):
            if bound is not None:
                bucket[name] = plain(bound)
        buckets.append(bucket)
    return {"property": facet.prop.name, "count": facet.count, "missing": facet.missing,
            "other": facet.other, "buckets": buckets}


def without_segments(facet):
    buckets = [{key: bucket[key] for key in bucket if key != "segment"} for bucket in facet["buckets"]]
    return {**facet, "buckets": buckets}


def difference(answers, expected):
    """None, or where the engine's facets differ from those expected."""
    if [answer["property"] for answer in answers] != [facet.prop.name for facet in expected]:
        return (f"order {[answer['property'] for answer in answers]}, "
                f"not {[(f.prop.name, float(f.left)) for f in expected]}")
    for answer, facet in zip(answers, expected):
        if without_segments(answer) != told(facet):
            return f"{without_segments(answer)}\nnot\n{told(facet)}"
    return None
