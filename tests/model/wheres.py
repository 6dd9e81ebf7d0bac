"""Where clauses and path segments: the grammars of spec/pixstor.md 2.1 and docs/query.md."""

import json
import re
import urllib.parse

import strings
import values
from conditions import (
    MUST, SHOULD, All, Exists, Group, Not, Nothing, Pattern, Value, prefix_test,
)
from values import Bad, Unknown

COMPARISONS = {
    "gt": lambda span: span.greater,
    "gte": lambda span: span.not_less,
    "lt": lambda span: span.less,
    "lte": lambda span: span.not_greater,
}


def scalar(value):
    if not isinstance(value, (str, int, float, bool)):
        raise Bad("a scalar is needed")
    return value


def equal(prop, value):
    scalar(value)
    return Value(prop, [values.span(prop, value).holds]) if prop else Nothing()


def compared(prop, members):
    """One value passes all comparisons."""
    spans = [(name, scalar(value)) for name, value in members.items()]
    if not prop:
        return Nothing()
    if prop.type == "Boolean":
        raise Bad("true and false have no order")
    return Value(prop, [COMPARISONS[name](values.span(prop, value)) for name, value in spans])


def item(prop, value):
    if not isinstance(value, dict):
        return equal(prop, value)
    if not value or not set(value) <= set(COMPARISONS):
        raise Bad("comparisons alone make a range")
    return compared(prop, value)


def any_of(prop, some):
    if not isinstance(some, list):
        raise Bad("a list is needed")
    conditions = [(SHOULD, item(prop, value)) for value in some]
    return Group(conditions) if conditions else Nothing()


def item_or_list(prop, value):
    return any_of(prop, value) if isinstance(value, list) else item(prop, value)


def all_of(prop, some):
    if not isinstance(some, list):
        raise Bad("a list is needed")
    return Group([(MUST, item_or_list(prop, value)) for value in some])


def existing(prop, value):
    if not isinstance(value, bool):
        raise Bad("true or false")
    exists = Exists(prop) if prop else Nothing()
    return exists if value else Not(exists)


def prefixed(prop, value):
    if not isinstance(value, str):
        raise Bad("a string is needed")
    if not prop:
        return Nothing()
    if not value:
        return Exists(prop)
    if prop.type != "String":
        raise Bad("only text begins with text")
    if prop.name[0] == "_":
        raise Unknown("nothing is said of patterns in hidden text")
    return Pattern(prefix_test(value), prop)


OPERATORS = {
    "and": all_of,
    "or": any_of,
    "not": lambda prop, value: Not(item_or_list(prop, value)),
    "exists": existing,
    "prefix": prefixed,
}


def operators(prop, members):
    if not members:
        raise Bad("an operator is needed")
    ranges = {name: value for name, value in members.items() if name in COMPARISONS}
    conditions = [(MUST, compared(prop, ranges))] if ranges else []
    for name, value in members.items():
        if name not in COMPARISONS:
            if name not in OPERATORS:
                raise Bad(f"no operator {name}")
            conditions.append((MUST, OPERATORS[name](prop, value)))
    return Group(conditions)


def parse(text, schema):
    """A where clause as a condition; Bad."""
    try:
        where = json.loads(text)
    except ValueError as reason:
        raise Bad(str(reason)) from None
    if not isinstance(where, dict):
        raise Bad("an object is needed")
    conditions = []
    for key, value in where.items():
        if key == "_all":
            if not isinstance(value, str):
                raise Bad("a query string is needed")
            conditions.append((MUST, strings.parse(value, schema)))
        elif isinstance(value, dict):
            conditions.append((MUST, operators(schema.get(key), value)))
        else:
            conditions.append((MUST, item_or_list(schema.get(key), value)))
    return Group(conditions) if conditions else All()


# --- Segments ---

NUMBER_RANGE = re.compile(rf"({values.NUMBER.pattern})-(.+)")


def decode(text):
    try:
        return urllib.parse.unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise Bad("no UTF-8") from None


def half_open(prop, low, high):
    if not low and not high:
        raise Bad("a range needs a bound")
    members = {"gte": decode(low)} if low else {}
    if high:
        members["lt"] = decode(high)
    return compared(prop, members)


def segment_item(prop, text):
    if ".." in text:
        return half_open(prop, *text.split("..", 1))
    dashed = NUMBER_RANGE.fullmatch(text) if prop.type in values.NUMBERS else None
    if dashed:
        return half_open(prop, dashed[1], dashed[4])
    if not text:
        raise Bad("an empty value")
    return equal(prop, decode(text))


def segment_list(prop, text):
    if text == "..":
        return Exists(prop)
    items = text.split(",")
    if any(text.startswith("!") for text in items):
        raise Bad("'!' stands once")
    return Group([(SHOULD, segment_item(prop, text)) for text in items])


SEGMENT = re.compile(r"([^=!<>]*)(=!|!=|=|>=|<=|>|<)(.*)", re.DOTALL)
SIGNS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


def parse_segment(text, schema):
    """A path segment that is a condition; Bad."""
    match = SEGMENT.fullmatch(text)
    if not match:
        raise Bad("no segment")
    name, sign, rest = decode(match[1]), match[2], match[3]
    if name in ("_all", "_where"):
        if sign not in ("=", "=!") or text == match[1] + "=":
            raise Bad("a text is needed")
        rest = decode(text[len(match[1]) + 1 :])
        return (strings.parse if name == "_all" else parse)(rest, schema)
    if name not in schema:
        raise Bad(f"no property {name}")
    prop = schema[name]
    if sign in SIGNS:
        if "," in rest or not rest:
            raise Bad("one value is needed")
        return compared(prop, {SIGNS[sign]: decode(rest)})
    condition = segment_list(prop, rest)
    return condition if sign == "=" else Not(condition)


def segments(path):
    """The conditions in a path; an order or a limit is none."""
    return [part for part in path.split("/") if not part.startswith(("_sort=", "_limit="))]
