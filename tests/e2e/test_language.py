"""The query language on real files, through find and the mount: the examples and surprises of docs/query.md."""

import os
import urllib.parse

import pytest

NAMES = [
    "cats-16.jpg",
    "cats.jpg",
    "caterpillar.txt",
    "cat_pictures.zip",
    "cast.png",
    "dogs and cats.txt",
    "img_2041.jpeg",
    "summer beach holiday.doc",
]


@pytest.fixture
def daemon(new_daemon, work):
    root = os.path.join(work, "language")
    for name in NAMES:
        path = os.path.join(root, "usr", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"x" * len(name))
    daemon = new_daemon().start()
    daemon.pxs("ingest", root)
    return daemon


# A name stands for the file that begins with it, up to a space.
ROWS = [
    # Wildcards see whole values as well as words (surprise 2).
    ("cats-*", "cats-16.jpg"),
    ("core.filename:cat*", "cats-16.jpg cats.jpg caterpillar.txt cat_pictures.zip dogs"),
    ("*.jpg", "cats-16.jpg cats.jpg"),
    ("*.jp?g", "img_2041.jpeg"),
    ("c?ts-1*.JPG", "cats-16.jpg"),
    ("core.filename:cat_*", "cat_pictures.zip"),
    # A dot between letters separates no words, but the parts of file names count (3).
    ("core.filename:cats", "cats-16.jpg cats.jpg dogs"),
    ("core.filename:cat", ""),
    ("core.filename:pictures", ""),
    ('"cats-16.jpg"', "cats-16.jpg"),
    # Slashes (1).
    ("core.directory:/usr/", " ".join(NAMES[:5]) + " dogs img_2041.jpeg summer"),
    ('core.filename:"beach"', "summer"),
    ("/img_[0-9]{4}\\.jpe?g/", "img_2041.jpeg"),
    ("core.filename:/[a-z]{4}\\.png/", "cast.png"),
    # Changes of a word.
    ("core.filename:cast~", "cast.png cats-16.jpg cats.jpg dogs"),
    ("core.filename:cast~0", "cast.png"),
    ("core.filename:dosg~1", "dogs"),
    # Nearness.
    ('"summer holiday"', ""),
    ('"summer holiday"~1', "summer"),
    ('"holiday beach"~1', ""),
    ('"holiday beach"~2', "summer"),
    # Boosts change nothing about what is found.
    ("(core.filename:cast^3 OR core.filename:dogs)^0.5", "cast.png dogs"),
    # Some properties.
    ("core.file\\*:cast", "cast.png"),
    ("core.siz\\*:8", "cast.png cats.jpg"),
    # Number and words.
    ("core.size:[8 TO 11] AND NOT core.filename:cast", "cats-16.jpg cats.jpg"),
    ("core.filename:cats OR core.filename:dogs AND core.filename:and", "dogs"),
]


def test_query_strings(daemon):
    for query, expected in ROWS:
        wanted = sorted(name for name in NAMES if name.split(" ")[0] in expected.split(" "))
        scoped = f"({query}) AND core.type:file"
        found = daemon.pxs("find", scoped, code=0 if wanted else 1).stdout.decode()
        assert sorted(map(os.path.basename, found.splitlines())) == wanted, query
        segment = "_all=" + urllib.parse.quote(scoped, safe=" ()~^")
        listed = os.listdir(daemon.query(segment))
        assert sorted(name for name in listed if name in NAMES) == wanted, query
