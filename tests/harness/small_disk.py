"""A file system that can be full: a tmpfs of a few pages, which only this process and those that it starts afterwards see."""

import ctypes
import errno
import os

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS = 0x20000
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000
_PAGE = bytes(4096)


class SmallDisk:
    """`size` bytes at the folder `path`, which is made. It goes with the last process that sees it."""

    def __init__(self, path, size):
        self.path = path
        self._filler = os.path.join(path, "filler")
        os.mkdir(path)
        _check(_LIBC.unshare(_CLONE_NEWNS))
        # What is mounted here is for nobody outside.
        _check(_LIBC.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None))
        _check(_LIBC.mount(b"tmpfs", path.encode(), b"tmpfs", 0, f"size={size}".encode()))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        _check(_LIBC.umount2(self.path.encode(), 0))

    def file(self, name):
        return os.path.join(self.path, name)

    def fill(self):
        """Takes all the room that is left."""
        with open(self._filler, "ab", buffering=0) as filler:
            try:
                while filler.write(_PAGE):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def make_room(self):
        """Gives back what `fill` took."""
        os.unlink(self._filler)


def _check(result):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
