"""Facets: advertised counts are what following a bucket finds, in the mount, in REST and in the
command line, and the buckets of a property share out the hits."""

import os
import re
import subprocess
from urllib.parse import quote

import daemon as daemons
import paths

CASES = 15 if daemons.QUICK else 60
RANGED = {
    "core.size",
    "core.uid",
    "core.gid",
    "core.nlink",
    "core.blocks",
    "core.modificationtime",
    "core.changetime",
    "core.accesstime",
    "core.creationtime",
}


def count(daemon, *segments):
    return int(daemon.read(*segments, ".pxs", "count"))


def facet_folders(daemon, *segments):
    folder = daemon.query(*segments)
    return [
        name
        for name in os.listdir(folder)
        if name != ".pxs" and os.path.isdir(os.path.join(folder, name))
    ]


def buckets(daemon, segments, facet):
    """{name: segment that it leads to} of a facet folder."""
    folder = daemon.query(*segments, facet)
    found = {}
    for name in os.listdir(folder):
        target = os.readlink(os.path.join(folder, name))
        assert os.lstat(os.path.join(folder, name)).st_size == len(os.fsencode(target))
        match = re.fullmatch(r"\.\./(.*)", target, re.DOTALL)
        assert match and "/" not in match[1], target
        found[name] = match[1]
    return found


def advertised(daemon, *segments):
    """facets.tsv as {property: {bucket name: count}}."""
    table = {}
    for line in daemon.read(*segments, ".pxs", "facets.tsv").decode().splitlines()[1:]:
        facet, bucket, number = line.split("\t")[:3]
        table.setdefault(facet, {})[bucket] = int(number)
    return table


def test_buckets_keep_their_promise(catalogue, mount, rng):
    maker = paths.Paths(rng, catalogue.documents)
    followed = 0
    for _ in range(CASES):
        segments, condition = maker.path()
        print("/".join(segments))
        hits = sum(map(condition, catalogue.documents))
        table = advertised(mount, *segments)
        for facet in facet_folders(mount, *segments):
            links = buckets(mount, segments, facet)
            assert set(table[facet]) == set(links)
            counts = {name: count(mount, *segments, links[name]) for name in links}
            assert counts == table[facet]
            assert sum(1 for name in links if name != "(none)") <= 5
            if facet in RANGED:
                assert sum(counts.values()) == hits
            else:
                assert sum(counts.values()) <= hits
            assert max(counts.values()) < hits, "a facet that does not subdivide"
            followed += len(links)
    assert followed > CASES


def test_none_leads_to_documents_without_a_value(catalogue, mount):
    links = buckets(mount, ["core.type=file"], "core.extension")
    assert links["(none)"] == "core.extension=!.."
    without = sum(
        1
        for doc in catalogue.documents
        if doc.values["core.type"] == "file" and "core.extension" not in doc.values
    )
    assert count(mount, "core.type=file", links["(none)"]) == without


def test_size_has_about_five_buckets_of_about_equal_count(catalogue, mount):
    links = buckets(mount, ["core.type=file"], "core.size")
    counts = [count(mount, "core.type=file", segment) for segment in links.values()]
    assert len(counts) == 5
    assert max(counts) < 3 * min(counts)


def test_most_useful_first(catalogue, mount):
    """In .pxs/facets.tsv, which keeps the order: an even split stands before a uniform one. Times of files that
    were made just now may be split exactly as sizes are; then only the first of them stands there."""
    table = advertised(mount, "core.type=file")
    order = list(table)
    assert "core.type" not in order
    as_sizes = [name for name in order if sorted(table[name].values()) == sorted(table["core.size"].values())]
    assert order.index(as_sizes[0]) < order.index("core.group")


def test_any_property_can_be_looked_up_as_a_facet_folder(catalogue, mount):
    assert "core.inode" not in facet_folders(mount)
    assert len(buckets(mount, [], "core.inode")) == 5


def test_any_bucket_can_be_looked_up(catalogue, mount):
    """Also one that is not listed, without computing anything."""
    link = mount.query("core.type=file", "core.size", "17-23")
    assert os.readlink(link) == "../core.size=17-23"
    expected = sum(
        1
        for doc in catalogue.documents
        if doc.values["core.type"] == "file" and 17 <= doc.values["core.size"] < 23
    )
    assert int(mount.read("core.type=file", "core.size", "17-23", ".pxs", "count")) == expected


def test_walks_are_finite(catalogue, mount):
    """Facets are symlinks, so a tree walk sees each query folder once."""
    seen = sum(1 for _ in os.walk(mount.query("_all=python")))
    assert 2 < seen < 2000


def test_find_L_ends(catalogue, mount):
    """Following all symlinks, which go round many ways to the same few documents."""
    done = subprocess.run(
        ["find", "-L", mount.query("_all=python")],
        capture_output=True,
        timeout=daemons.PATIENCE_S,
        check=False,
    )
    assert len(done.stdout.splitlines()) > 100


def test_rest_guided_links(catalogue, mount, rng):
    maker = paths.Paths(rng, catalogue.documents)
    for _ in range(CASES // 3):
        word = maker.word()
        where = quote(f'{{"_all": "{word}"}}')
        hits = mount.get(f"/files/?where={where}").collection["properties"][0]["value"]
        guided = mount.get(
            f"/files/?where={where}&projection=" + quote('{"filters":"."}')
        ).collection
        assert guided["items"] == []
        assert guided["properties"][0] == {
            "prompt": "Number of matching documents",
            "name": "hits",
            "value": hits,
        }
        for link in guided["links"]:
            if link["rel"] != "collection":
                continue
            promised = int(re.search(r"\((\d+)\)$", link["prompt"])[1])
            followed = mount.get(quote(link["href"], safe="/?=&%")).collection
            assert followed["properties"][0]["value"] == promised, link


def test_command_line_facets(catalogue, mount):
    total = sum(1 for doc in catalogue.documents if doc.values["core.type"] == "file")
    output = mount.pxs("facets", "core.type:file").stdout.decode()
    assert "core.size" in output
    lines = mount.pxs("facets", "core.type:file", "core.size").stdout.decode()
    counts = [int(number) for number in re.findall(r"\s(\d+)\s*$", lines, re.MULTILINE)]
    assert sum(counts) >= total
