"""Values as people write them, and what they stand for: spec/pixstor.md 2.1.

A written value becomes a Span of the property's values: those that are equal to it. Comparisons
start or end at its edges, so `gt` of a day begins with the next day.
"""

import calendar
import datetime
import re
import time
from fractions import Fraction

NUMBERS = ("Integer", "Long", "Float", "Double")
WHOLE = ("Integer", "Long")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
INT64 = 2**63


class Bad(Exception):
    """The text is no query, or the value none of its type."""


class Unknown(Exception):
    """The model cannot tell, so nothing is compared."""


class Span:
    """The values that are equal to a written one: FIRST up to but without END, or FIRST alone."""

    def __init__(self, first, end=None):
        self.first, self.end = first, end

    def holds(self, value):
        return self.not_less(value) and self.not_greater(value)

    def not_less(self, value):
        return value >= self.first

    def not_greater(self, value):
        return value <= self.first if self.end is None else value < self.end

    def greater(self, value):
        return not self.not_greater(value)

    def less(self, value):
        return not self.not_less(value)


def number(text):
    """Exact; but what has an exponent is a double first."""
    if not NUMBER.fullmatch(text):
        raise Bad(f"{text} is no number")
    return Fraction(float(text)) if "e" in text.lower() else Fraction(text)


def span(prop, scalar):
    """SCALAR: a str, an int, a float or a bool, as JSON has it; query strings know only str."""
    if prop.type == "String":
        if not isinstance(scalar, str):
            raise Bad("a string is needed")
        return Span(key(prop, scalar))
    if prop.type == "Boolean":
        return Span(boolean(scalar))
    if isinstance(scalar, bool) or prop.type == "Proxy":
        raise Bad("no value of this type")
    if prop.type == "Datetime":
        return date(scalar) if isinstance(scalar, str) else milliseconds(scalar)
    if prop.type in WHOLE:
        return Span(number(scalar) if isinstance(scalar, str) else Fraction(scalar))
    number(str(scalar))
    return Span(float(scalar))


def key(prop, value):
    """What a value is compared by: strings in bytes of their normal form."""
    import words

    return words.normal(value).encode() if prop.type == "String" else value


def boolean(scalar):
    if isinstance(scalar, bool):
        return scalar
    if scalar in ("true", "false"):
        return scalar == "true"
    raise Bad("neither true nor false")


# --- Dates: nanoseconds since 1970, UTC ---

SECOND = 10**9
EPOCH = datetime.date(1970, 1, 1).toordinal()
FIELDS = ("year", "month", "day", "hour", "minute", "second")
LENGTHS = {"hour": 3600 * SECOND, "minute": 60 * SECOND, "second": SECOND}
DATE = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)(T(?P<hour>\d\d)(:(?P<minute>\d\d)"
    r"(:(?P<second>\d\d)(\.(?P<fraction>\d{1,9}))?)?)?(?P<zone>Z|[+-]\d\d:?\d\d)?)?)?)?",
    re.ASCII,
)


def milliseconds(value):
    if value != int(value) or not -INT64 <= value < INT64:
        raise Bad("no whole number of milliseconds")
    return Span(int(value) * 10**6, (int(value) + 1) * 10**6)


def in_reach(first, end):
    if not -INT64 <= first < INT64:
        raise Bad("a date out of reach")
    return Span(first, end)


def instant(year, month, day, rest=0):
    """MONTH may pass 12; the year 10000 is only ever an end."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    if not 1 <= year <= 9999:
        return INT64 * (1 if year > 9999 else -2)
    return (datetime.date(year, month, day).toordinal() - EPOCH) * 86400 * SECOND + rest


def zone_of(text):
    if text in (None, "Z"):
        return 0
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 23 or minutes > 59:
        raise Bad("no time zone")
    return (hours * 60 + minutes) * 60 * SECOND * (-1 if text[0] == "-" else 1)


def plain_date(text):
    """The span of TEXT and the unit that it is one of, "" if it is shorter than any."""
    if re.fullmatch(r"\d+", text, re.ASCII) and len(text) != 4:
        return in_reach(int(text) * 10**6, (int(text) + 1) * 10**6), ""
    match = DATE.fullmatch(text)
    if not match:
        raise Bad(f"{text} is no date")
    given = {name: int(match[name]) for name in FIELDS if match[name]}
    precision = [name for name in FIELDS if name in given][-1]
    year, month, day = given["year"], given.get("month", 1), given.get("day", 1)
    limits = {"month": (1, 12), "day": (1, 31), "hour": (0, 23), "minute": (0, 59), "second": (0, 59)}
    for name, (low, high) in limits.items():
        if name in given and not low <= given[name] <= high:
            raise Bad(f"{text}: no such {name}")
    try:
        rest = sum(given.get(name, 0) * LENGTHS[name] for name in LENGTHS)
        first = instant(year, month, day, rest)
    except ValueError as reason:
        raise Bad(str(reason)) from None
    if match["fraction"]:
        length = 10 ** (9 - len(match["fraction"]))
        first += int(match["fraction"]) * length
        end = first + length
    elif precision == "year":
        end = instant(year + 1, 1, 1)
    elif precision == "month":
        end = instant(year, month + 1, 1)
    else:
        end = first + LENGTHS.get(precision, 86400 * SECOND)
    offset = zone_of(match["zone"])
    unit = "" if match["fraction"] else UNIT_OF.get(precision, precision[0])
    return in_reach(first - offset, end - offset), unit


# --- Date math: an anchor, then operations from left to right ---

UNIT_OF = {"month": "M"}
UNITS = "yMwdhms"  # coarsest first
STEPS = {"w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}  # seconds
OPERATION = re.compile(r"([+-])(\d{0,9})([yMwdhHms])|/([yMwdhHms])", re.ASCII)
MONDAY = 4 * 86400 * SECOND  # the first one after 1970 began


def civil(ns):
    """(year, month from 0, day, what is left of the day)"""
    try:
        day = datetime.date.fromordinal(EPOCH + ns // (86400 * SECOND))
    except (ValueError, OverflowError):
        raise Unknown("a date beyond Python's") from None
    return day.year, day.month - 1, day.day, ns % (86400 * SECOND)


def add(ns, n, unit):
    """Months keep the day, as far as they have it."""
    if unit in STEPS:
        return ns + n * STEPS[unit] * SECOND
    year, month, day, rest = civil(ns)
    months = year * 12 + month + n * (12 if unit == "y" else 1)
    if not 12 < months < 9998 * 12:
        raise Unknown("a date beyond Python's")
    year, month = divmod(months, 12)
    return instant(year, month + 1, min(day, calendar.monthrange(year, month + 1)[1]), rest)


def floor(ns, unit):
    if unit == "w":
        return (ns - MONDAY) // (7 * 86400 * SECOND) * (7 * 86400 * SECOND) + MONDAY
    if unit in STEPS:
        return ns // (STEPS[unit] * SECOND) * (STEPS[unit] * SECOND)
    year, month, _, _ = civil(ns)
    return instant(year, 1 if unit == "y" else month + 1, 1)


def date(text):
    """The unit that is rounded to, the coarsest, or that the anchor is, is what the result spans."""
    if text.startswith("now"):
        first = time.time_ns() // SECOND * SECOND
        anchor, unit, operations = Span(first, first + SECOND), "s", text[3:]
    elif "||" in text:
        before, operations = text.split("||", 1)
        anchor, unit = plain_date(before)
    else:
        return plain_date(text)[0]
    first, rounded = anchor.first, []
    while operations:
        match = OPERATION.match(operations)
        if not match:
            raise Bad(f"{text} computes no date")
        operations = operations[match.end() :]
        if match[4]:
            rounded.append(match[4].replace("H", "h"))
            first = floor(first, rounded[-1])
        else:
            n = int(match[2] or 1) * (-1 if match[1] == "-" else 1)
            first = add(first, n, match[3].replace("H", "h"))
    unit = min(rounded, key=UNITS.index) if rounded else unit
    end = add(first, 1, unit) if unit else first + anchor.end - anchor.first
    if not text.startswith("now") and not (-INT64 <= first and end < INT64):
        raise Bad("a date out of reach")
    return Span(first, end)


def print_date(ns):
    """As pxs writes an instant."""
    seconds, fraction = divmod(ns, SECOND)
    text = (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)).isoformat()
    return text + (f".{fraction:09d}".rstrip("0") if fraction else "")
