"""The names under which the mount shows results: the rules of docs/mount.md, again."""

import re

ESCAPED = set('/%<>:"|?*\\') | {chr(c) for c in range(32)} | {"\x7f"}
SEGMENT = re.compile(
    r"(_all|_where|_sort|_limit)=|[A-Za-z_][\w:-]*(\.[A-Za-z_][\w:-]*)*[=!><]", re.ASCII
)
SUFFIXED = re.compile(r"(.*)~([a-z2-7]{13})(\.[^.]*)?", re.DOTALL)


def escape(char):
    return "".join(f"%{byte:02X}" for byte in char.encode())


def emitted(filename, properties):
    """The name of a result called FILENAME (its text) where no other has the same; None for those
    that always bear a suffix: too long, or with what reads as one."""
    name = "".join(escape(char) if char in ESCAPED else char for char in filename)
    if name[-1] in ". ":
        name = name[:-1] + escape(name[-1])
    if SEGMENT.match(name) or name in properties or name == ".pxs":
        name = escape(name[0]) + name[1:]
    return None if len(name.encode()) > 255 or without_suffix(name) else name


def without_suffix(name):
    match = SUFFIXED.fullmatch(name)
    return match[1] + (match[3] or "") if match else None
