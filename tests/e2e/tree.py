"""A source tree for tests: the same seed makes the same tree, with every nasty name that we know of."""

import os
import random
import stat
import unicodedata

WORDS = (
    "python readme cats dogs black white render shot frame final draft copy test config "
    "index query mount report annual summer winter blue green straße café naïve Ørsted Müller"
).split()
EXTENSIONS = [
    ".txt",
    ".png",
    ".jpg",
    ".conf",
    ".py",
    ".c",
    ".h",
    ".tar.gz",
    ".JPG",
    ".md",
    ".exr",
    "",
]
FOLDERS = [
    b"projects",
    b"projects/alpha",
    b"projects/beta",
    b"projects/beta/render",
    b"archive",
    b"archive/2019",
    b"archive/2020",
    b"home",
    b"home/ann",
    b"home/bob",
]

# Names that tried somebody's patience; each is one file in the folder nasty/.
NASTY = [
    b"new\nline",
    b"tab\there",
    b'quote"double',
    b"quote'single",
    b"percent%41name",
    b"100%",
    b"comma,separated",
    b"dots..inside",
    b"..leading",
    b"...",
    b"-leading-dash",
    b".hidden",
    b" leading space",
    b"trailing space ",
    b"trailing dot.",
    b"colon:colon",
    b"star*star",
    b"question?",
    b"less<more>",
    b"pipe|pipe",
    b"back\\slash",
    b"bang!bang",
    b"!bang",
    b"~tilde",
    b"name~0000000000000.txt",
    b"trick~aaaaaaaaaaaaa.txt",
    b"equals=sign",
    b"core.size=5",
    b"core.size",
    b"core.size>5",
    b"core.nonsense=5",
    b"_all=python",
    b"_all",
    b"_where={}",
    b"_sort=core.size",
    b"_limit=1",
    b".pxs",
    b"(none)",
    b"*",
    b"?",
    b"\\",
    b"{}",
    b"[a]",
    b"$HOME",
    b"`id`",
    b"a;b",
    b"#",
    b"\x01control",
    b"del\x7f",
    b"invalid\xff\xfeutf8",
    b"invalid%\xff",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    "NFC-\u00e9.txt".encode(),
    "NFD-e\u0301.txt".encode(),
    "twin-\u00e9.txt".encode(),
    "twin-e\u0301.txt".encode(),
    b"CaseTwin.txt",
    b"casetwin.txt",
    b"CASETWIN.TXT",
    "emoji-\U0001f408.png".encode(),
    "\u732b\u306e\u5199\u771f.jpg".encode(),
    "\u0440\u0443\u0441\u0441\u043a\u0438\u0439.txt".encode(),
    "\u200fright-to-left".encode(),
    b"x" * 255,
    b"y" * 251 + b".txt",
    "\u00e9".encode() * 127 + b".",
    b"%" * 255,
    b":" * 200 + b".txt",
    b"z" * 250 + b".jpeg",
    b"\xff" * 255,
    b"desktop.ini",
    b".DS_Store",
    b"Thumbs.db",
    b"autorun.inf",
    b"CON",
    b"id",
    b"query",
    b"saved",
    b"README",
    b"count",
    b"a.b=c",
    b"123",
    b"core.size=100-200",
    b"core.extension",
    b"to be, or not..",
]


def contents(rng, size):
    """SIZE bytes of text that differ from file to file."""
    line = f"{rng.random()} some words of text\n".encode()
    return (line * (size // len(line) + 1))[:size]


def write(path, data, rng, years=16):
    with open(path, "wb") as file:
        file.write(data)
    mtime_ns = (1_700_000_000 - rng.randrange(years * 31_557_600)) * 10**9 + rng.choice(
        [0, 0, rng.randrange(10**9)]
    )
    os.utime(path, ns=(mtime_ns, mtime_ns))


def random_name(rng):
    """A name as people make them; the same ones come again and again in different folders."""
    parts = rng.choices(WORDS, k=rng.randint(1, 3))
    if rng.random() < 0.3:
        parts.append(str(rng.randrange(100)))
    stem = rng.choice("-_ .").join(parts)
    return (unicodedata.normalize("NFC", stem) + rng.choice(EXTENSIONS)).encode()


def random_size(rng):
    if rng.random() < 0.1:
        return 0
    if rng.random() < 0.1:
        return 4096
    return int(10 ** rng.uniform(0, 5))


def ordinary_files(root, rng, count):
    for folder in FOLDERS:
        os.makedirs(os.path.join(root, folder), exist_ok=True)
        write(os.path.join(root, folder, b"same name.tar.gz"), contents(rng, random_size(rng)), rng)
    for _ in range(count):
        path = os.path.join(root, rng.choice(FOLDERS), random_name(rng))
        if os.path.lexists(path):
            continue
        write(path, contents(rng, random_size(rng)), rng)
        os.chmod(path, rng.choice([0o644, 0o644, 0o600, 0o755, 0o444, 0o4755]))
        if os.geteuid() == 0:
            os.chown(path, rng.choice([0, 0, 1, 33, 54321]), rng.choice([0, 0, 1, 54321]))
        mtime_ns = os.lstat(path).st_mtime_ns
        os.utime(path, ns=(mtime_ns, mtime_ns))


def nasty_files(root, rng):
    folder = os.path.join(root, b"nasty")
    os.mkdir(folder)
    for name in NASTY:
        write(os.path.join(folder, name), contents(rng, rng.randrange(1, 2000)), rng)
    for name in (b"folder\xff", b"fold,er", "fo\u0301lder".encode()):
        os.mkdir(os.path.join(folder, name))
        write(os.path.join(folder, name, b"inside.txt"), contents(rng, 100), rng)


def special_files(root, rng):
    """What is neither a plain file nor a plain folder."""
    folder = os.path.join(root, b"special")
    os.makedirs(os.path.join(folder, b"empty-folder"))
    write(os.path.join(folder, b"empty-file"), b"", rng)
    write(os.path.join(folder, b"hard"), b"hard link\n", rng)
    os.link(os.path.join(folder, b"hard"), os.path.join(folder, b"hard-twin"))
    os.link(os.path.join(folder, b"hard"), os.path.join(root, b"archive", b"hard-elsewhere"))
    os.symlink(b"hard", os.path.join(folder, b"link-to-file"))
    os.symlink(b".", os.path.join(folder, b"link-to-self"))
    os.symlink(b"loop-b", os.path.join(folder, b"loop-a"))
    os.symlink(b"loop-a", os.path.join(folder, b"loop-b"))
    os.symlink(b"/nowhere/at/all", os.path.join(folder, b"dangling"))
    os.symlink(b"../special", os.path.join(folder, b"link-to-folder"))
    os.symlink(b"t" * 3000, os.path.join(folder, b"link-long"))
    os.symlink(b"invalid\xff", os.path.join(folder, b"link-invalid"))
    os.mkfifo(os.path.join(folder, b"pipe"))
    huge = os.path.join(folder, b"huge.bin")
    with open(huge, "wb") as file:
        file.truncate(5 * 2**30 + 7)
    deep = folder
    for level in range(25):
        deep = os.path.join(deep, f"level-{level:02}-".encode() + b"d" * 80)
    os.makedirs(deep)
    write(os.path.join(deep, b"at-the-bottom.txt"), b"deep\n", rng)


def make(root, seed, count):
    """The tree of SEED with about COUNT ordinary files in the folder ROOT, which is made."""
    rng = random.Random(seed)
    root = os.fsencode(root)
    os.makedirs(root)
    ordinary_files(root, rng, count)
    nasty_files(root, rng)
    special_files(root, rng)


def walk(root):
    """Every path below ROOT (bytes), itself not included; never through a symlink."""
    with os.scandir(os.fsencode(root)) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            yield entry.path
            if entry.is_dir(follow_symlinks=False):
                yield from walk(entry.path)


def fingerprint(root):
    """What must not change while a catalogue is used: names, attributes, contents."""
    found = []
    for path in walk(root):
        st = os.lstat(path)
        content = b""
        if stat.S_ISREG(st.st_mode) and st.st_size < 2**20:
            with open(path, "rb", opener=lambda p, f: os.open(p, f | os.O_NOATIME)) as file:
                content = file.read()
        found.append((path, st.st_mode, st.st_size, st.st_mtime_ns, st.st_nlink, hash(content)))
    return found
