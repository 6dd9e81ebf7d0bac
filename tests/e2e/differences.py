"""In what the doors to a mount differ, and why: a row for each, a column for each door. Everything else that
test_doors.py tries is the same through all of them."""

DOORS = ("local", "nfs", "smb")

# None: it is done. NFS has statuses of RFC 7530 section 13, and contrib/ganesha.conf exports read-only, so that
# whatever changes is refused before the mount hears of it. SMB has NT_STATUS_...; Samba makes them of errno.
REFUSED = {
    "a name that is not there": ("ENOENT", "NOENT", "OBJECT_NAME_NOT_FOUND"),
    "a query that is none": ("EINVAL", "INVAL", "INVALID_PARAMETER"),
    "removing a result": ("EPERM", "ROFS", "ACCESS_DENIED"),
    "making a file": ("EPERM", "ROFS", "ACCESS_DENIED"),
    "renaming a result": ("EPERM", "ROFS", "ACCESS_DENIED"),
    "making a folder": ("EPERM", "ROFS", "ACCESS_DENIED"),
    # Locally we are root, which has the right; a guest of Samba's is nobody, who has not.
    "making a group of saved searches": (None, "ROFS", "ACCESS_DENIED"),
}

SHOWN = {
    # Over SMB the server follows links; the others tell of them, and who asks follows.
    "a choice of a facet": ("link", "link", "folder"),
}


def refused(what, door):
    return REFUSED[what][DOORS.index(door)]


def shown(what, door):
    return SHOWN[what][DOORS.index(door)]
