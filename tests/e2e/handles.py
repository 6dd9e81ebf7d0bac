"""name_to_handle_at(2) and open_by_handle_at(2): what a server of NFS keeps of a file."""

import ctypes
import os

LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD = -100
MAX_HANDLE_SZ = 128


class Handle(ctypes.Structure):
    _fields_ = [
        ("bytes", ctypes.c_uint),
        ("type", ctypes.c_int),
        ("data", ctypes.c_ubyte * MAX_HANDLE_SZ),
    ]


def of(path):
    """The handle of PATH, itself where it is a symlink."""
    handle, mount = Handle(bytes=MAX_HANDLE_SZ), ctypes.c_int()
    made = LIBC.name_to_handle_at(
        AT_FDCWD, os.fsencode(path), ctypes.byref(handle), ctypes.byref(mount), 0
    )
    if made < 0:
        raise OSError(ctypes.get_errno(), "name_to_handle_at", path)
    return handle


def opened(mount, handle, flags=os.O_RDONLY):
    """A file descriptor of what HANDLE is in the file system that the descriptor MOUNT lies in."""
    fd = LIBC.open_by_handle_at(mount, ctypes.byref(handle), flags | os.O_CLOEXEC)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "open_by_handle_at")
    return fd


def drop_caches():
    """The kernel forgets all nodes that nobody has open."""
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("2")
