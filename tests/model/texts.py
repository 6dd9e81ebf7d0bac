"""Random queries in the three languages: mostly right, some broken on purpose."""

import json

import values
import words
from documents import BY_NAME, ODD, PLAIN, SCHEMA, random_text, random_value

NAMES = [prop.name for prop in SCHEMA]
RESERVED = '+-!():^[]"{}~*?\\/&|= '


def escape(rng, text):
    return "".join("\\" + c if c in RESERVED or rng.random() < 0.02 else c for c in text)


def near(rng, prop, docs):
    """A value of PROP as some document has it, or one like it."""
    having = [doc for doc in docs if prop.name in doc.values]
    if having and rng.random() < 0.7:
        return rng.choice(rng.choice(having).values[prop.name])
    return random_value(rng, prop)


def written(rng, prop, value):
    """VALUE as a text of query strings."""
    if prop.type == "Datetime":
        text = values.print_date(value)[: rng.choice([4, 7, 10, 13, 16, 19, 99])]
        return date_math(rng, text) if rng.random() < 0.15 else text
    if prop.type == "Boolean":
        return "true" if value else "false"
    if prop.type in ("Integer", "Long") and rng.random() < 0.1:
        return f"{value}.{rng.choice(['0', '5', '000'])}"
    return str(value)


def date_math(rng, anchor):
    """Now and then from now, back to where the documents are."""
    text = f"now-{rng.randrange(3, 25)}y" if rng.random() < 0.2 else anchor + "||"
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        unit = rng.choice("yMwdhHms")
        text += rng.choice([f"/{unit}", f"+{rng.randrange(40)}{unit}", f"-{rng.randrange(40)}{unit}", f"+{unit}"])
    return text


# --- Query strings ---


def a_word(rng, docs):
    if rng.random() < 0.3:
        return rng.choice(PLAIN + ODD)
    texts = [text for doc in [rng.choice(docs)] for prop in SCHEMA if prop.type == "String"
             for text in doc.values.get(prop.name, ())]
    found = words.words(rng.choice(texts)) if texts else ()
    return rng.choice(found) if found else "cat"


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def phrase(rng, docs):
    text = " ".join(a_word(rng, docs) for _ in range(rng.choice([1, 2, 2, 3])))
    if rng.random() < 0.6:
        doc = rng.choice(docs)
        some = [v for prop in SCHEMA if prop.type == "String" for v in doc.values.get(prop.name, ())]
        found = words.words(rng.choice(some)) if some else ()
        if found:
            at = rng.randrange(len(found))
            piece = list(found[at : at + rng.choice([1, 2, 2, 3, 4])])
            if rng.random() < 0.4:
                rng.shuffle(piece)
            if rng.random() < 0.15:
                piece.append(rng.choice(piece))
            if len(piece) > 2 and rng.random() < 0.3:
                del piece[rng.randrange(len(piece))]
            text = rng.choice([" ", " ", "-"]).join(piece)
    return quoted(text) + (rng.choice(["", "", "", "~1", "~2", "~3", "~10", "~"]))


def wildcard(rng, docs):
    word = a_word(rng, docs)
    at = rng.randrange(len(word) + 1)
    shapes = [
        word[:at] + "*",
        "*" + word[at:],
        "*" + word[at : at + 3] + "*",
        word[:at] + "?" + word[at + 1 :],
        word[:at] + "*" + word[at + 1 :],
        "?" * rng.randrange(1, 5),
        word[:at] + "?*",
    ]
    pieces = rng.choice(shapes)
    return "".join(c if c in "*?" else escape(rng, c) for c in pieces)


def fuzzy(rng, docs):
    word = list(a_word(rng, docs))
    for _ in range(rng.randrange(3)):
        at = rng.randrange(len(word) + 1)
        what = rng.randrange(4)
        if what == 0:
            word.insert(at, rng.choice("abcst"))
        elif what == 1 and len(word) > 1 and at < len(word):
            del word[at]
        elif what == 2 and at < len(word):
            word[at] = rng.choice("abcst")
        elif at + 1 < len(word):
            word[at], word[at + 1] = word[at + 1], word[at]
    return escape(rng, "".join(word)) + rng.choice(["~", "~", "~1", "~2", "~0", "~0.7"])


def regex(rng, docs):
    word = "".join(c for c in a_word(rng, docs) if c.isalnum()) or "cat"
    at = rng.randrange(len(word))
    shapes = [
        word[:at] + "." + word[at + 1 :],
        word[:at] + ".*",
        ".*" + word[at:],
        word[:at] + "[" + word[at] + "x]" + word[at + 1 :],
        word[:at] + "[^" + word[at] + "]" + word[at + 1 :],
        f"({word}|dog)",
        f"({word})?s?",
        word[:at] + word[at] + "{1,2}" + word[at + 1 :],
        word[:at] + word[at] + "+" + word[at + 1 :],
        "[a-d]+.?",
        ".{1,3}",
    ]
    return "/" + rng.choice(shapes) + "/"


def text_leaf(rng, docs):
    kind = rng.random()
    if kind < 0.45:
        return escape(rng, a_word(rng, docs))
    if kind < 0.6:
        return phrase(rng, docs)
    if kind < 0.75:
        return wildcard(rng, docs)
    if kind < 0.85:
        return fuzzy(rng, docs)
    if kind < 0.92:
        return regex(rng, docs)
    return rng.choice(["*", "- ", "+ ", "\\-", "...", "\u2026", "\u00ab\u00bb", '"\u2014 \u00b7"'])


def bound(rng, prop, docs):
    if rng.random() < 0.15:
        return "*"
    text = written(rng, prop, near(rng, prop, docs))
    if any(c in text for c in ' []{}"\\\u3000\t') or rng.random() < 0.1 or text in ("", "TO", "*"):
        return quoted(text)
    return text


def field_leaf(rng, docs):
    prop = rng.choice(SCHEMA)
    name = escape(rng, prop.name)
    if rng.random() < 0.1:
        name = rng.choice(["t.\\*", "*", "_all", "\\*.si\\*e", "_h\\*", "no.\\*", "t.\\*s"])
    kind = rng.random()
    if kind < 0.1:
        return name + ":*"
    if kind < 0.18:
        return "_exists_:" + name
    if prop.type == "String" and kind < 0.75:
        return f"{name}:{text_leaf(rng, docs)}"
    if kind < 0.55 and prop.type != "Boolean":
        low, high = bound(rng, prop, docs), bound(rng, prop, docs)
        return f"{name}:{rng.choice('[{')}{low} TO {high}{rng.choice(']}')}"
    if kind < 0.75 and prop.type != "Boolean":
        text = escape(rng, written(rng, prop, near(rng, prop, docs)))
        return f"{name}:{rng.choice(['>', '>=', '<', '<='])}{text}"
    return f"{name}:{quoted(written(rng, prop, near(rng, prop, docs)))}"


def clause(rng, docs, depth):
    kind = rng.random()
    if depth and kind < 0.2:
        field = rng.choice(["", "", "", "t.name:", "t.tags:", "core.filename:", "_all:", "no.such:"])
        text = f"{field}({query_string(rng, docs, depth - 1, bool(field))})"
    elif kind < 0.6:
        text = text_leaf(rng, docs)
    elif kind < 0.65:
        text = rng.choice(["no.such:cat", "no.such:[1 TO 2]", "_exists_:no.such", "_exists_:*", "*:*",
                           "_all:cat"])
    else:
        text = field_leaf(rng, docs)
    return text + (rng.choice(["^2", "^0.5", "^0"]) if rng.random() < 0.08 else "")


def query_string(rng, docs, depth=2, texts_only=False):
    pieces = []
    for at in range(rng.choice([1, 1, 2, 2, 3, 4])):
        if at:
            pieces.append(rng.choice(["", "", "AND", "OR", "&&", "||"]))
        sign = rng.choice(["", "", "", "", "+", "-", "!", "NOT "])
        pieces.append(sign + (text_leaf(rng, docs) if texts_only else clause(rng, docs, depth)))
    return " ".join(pieces)


def broken(rng, text):
    """TEXT with a sign too many or too few."""
    at = rng.randrange(len(text) + 1)
    if rng.random() < 0.4:
        return text[:at] + text[at + 1 :]
    return text[:at] + rng.choice('+-!():^[]"{}~*?\\/ ') + text[at:]


# --- Where clauses ---


def json_value(rng, prop, docs):
    value = near(rng, prop, docs)
    if prop.type == "Datetime" and rng.random() < 0.8:
        return written(rng, prop, value)
    if prop.type == "Datetime":
        return value // 10**6
    if prop.type in values.NUMBERS and rng.random() < 0.15:
        return written(rng, prop, value)
    return value


def comparisons(rng, prop, docs):
    names = rng.sample(["gt", "gte", "lt", "lte"], rng.choice([1, 2, 2, 3]))
    return {name: json_value(rng, prop, docs) for name in names}


def json_item(rng, prop, docs):
    if prop.type != "Boolean" and rng.random() < 0.3:
        return comparisons(rng, prop, docs)
    return json_value(rng, prop, docs)


def json_list(rng, prop, docs):
    return [json_item(rng, prop, docs) for _ in range(rng.choice([0, 1, 2, 2, 3]))]


def json_operators(rng, prop, docs):
    members = comparisons(rng, prop, docs) if prop.type != "Boolean" and rng.random() < 0.5 else {}
    for name in rng.sample(["and", "or", "not", "exists", "prefix"], rng.choice([0, 1, 1, 2])):
        if name in ("and", "or"):
            members[name] = json_list(rng, prop, docs)
        elif name == "not":
            members[name] = rng.choice([json_item, json_list])(rng, prop, docs)
        elif name == "exists":
            members[name] = rng.random() < 0.5
        elif prop.type == "String":
            members[name] = a_word(rng, docs)[: rng.randrange(4)]
    return members


def where(rng, docs):
    clause_ = {}
    for _ in range(rng.choice([1, 1, 2, 3])):
        prop = rng.choice(SCHEMA)
        kind = rng.random()
        if kind < 0.15:
            clause_["_all"] = query_string(rng, docs, 1)
        elif kind < 0.2:
            clause_["no.such"] = rng.choice([1, {"not": 1}, {"exists": False}, {"gt": 5}, ["x"]])
        elif kind < 0.4:
            clause_[prop.name] = json_value(rng, prop, docs)
        elif kind < 0.55:
            clause_[prop.name] = json_list(rng, prop, docs)
        else:
            clause_[prop.name] = json_operators(rng, prop, docs)
    return json.dumps(clause_, ensure_ascii=rng.random() < 0.5)


# --- Paths ---


def percent(text, more=""):
    return "".join(
        "".join(f"%{byte:02X}" for byte in c.encode()) if c in "%/,!" + more or c < " " else c
        for c in text
    ).replace("..", "%2E%2E")


def segment_item(rng, prop, docs):
    def one():
        return percent(written(rng, prop, near(rng, prop, docs)), "-" if rng.random() < 0.2 else "")

    kind = rng.random()
    if kind < 0.5 or prop.type == "Boolean":
        return one()
    if kind < 0.7 and prop.type in values.NUMBERS:
        return one() + "-" + one()
    return rng.choice([f"{one()}..{one()}", f"{one()}..", f"..{one()}"])


def segment(rng, docs):
    kind = rng.random()
    if kind < 0.15:
        return "_all=" + percent(query_string(rng, docs, 1))
    if kind < 0.2:
        return "_where=" + percent(where(rng, docs))
    prop = rng.choice(SCHEMA)
    if kind < 0.3:
        return prop.name + rng.choice(["=..", "=!.."])
    if kind < 0.4 and prop.type != "Boolean":
        text = percent(written(rng, prop, near(rng, prop, docs)))
        return prop.name + rng.choice([">", ">=", "<", "<="]) + text
    items = ",".join(segment_item(rng, prop, docs) for _ in range(rng.choice([1, 1, 2, 3])))
    return prop.name + rng.choice(["=", "=", "=!", "!="]) + items


def sort(rng):
    props = rng.sample(SCHEMA, rng.choice([1, 1, 2, 3]))
    return ",".join(rng.choice(["", "-"]) + prop.name for prop in props)


def request(rng, docs):
    """What is asked: languages, an order, a limit."""
    asked = {}
    kind = rng.random()
    if kind < 0.5:
        asked["string"] = query_string(rng, docs)
        if rng.random() < 0.1:
            asked["string"] = broken(rng, asked["string"])
    elif kind < 0.75:
        asked["where"] = where(rng, docs)
    if kind > 0.7:
        asked["path"] = [segment(rng, docs) for _ in range(rng.choice([1, 1, 2, 3]))]
    if rng.random() < 0.4:
        asked["sort"] = sort(rng)
        if rng.random() < 0.3:
            asked["limit"] = rng.randrange(1, 12)
    return asked
