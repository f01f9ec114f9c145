"""Runs a program that the kernel lets open no socket of the internet, as strict containers do.

Usage: sandbox.py PROGRAM ARGUMENTS. By seccomp, which anybody may ask for. Unix sockets stay allowed: an event loop
needs them for itself.
"""

import ctypes
import errno
import os
import platform
import socket
import struct
import sys

_SOCKET = {"x86_64": 41, "aarch64": 198}  # number of the system call
_NO_NEW_PRIVS, _SECCOMP, _FILTER = 38, 22, 2  # of prctl(2)
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # of classic BPF
_NUMBER, _FIRST_ARGUMENT = 0, 16  # where they stand in `struct seccomp_data`
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000 | errno.EPERM


def _program() -> bytes:
    steps = (
        (_LOAD, 0, 0, _NUMBER),
        (_IF_EQUAL, 0, 4, _SOCKET[platform.machine()]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_IF_EQUAL, 1, 0, socket.AF_INET),
        (_IF_EQUAL, 0, 1, socket.AF_INET6),
        (_RETURN, 0, 0, _FAIL),
        (_RETURN, 0, 0, _ALLOW),
    )
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _main(command: list[str]) -> None:
    steps = _program()
    kept = ctypes.create_string_buffer(steps, len(steps))
    head = ctypes.create_string_buffer(struct.pack("HP", len(steps) // 8, ctypes.addressof(kept)))
    libc = ctypes.CDLL(None, use_errno=True)
    for given in ((_NO_NEW_PRIVS, 1, 0, 0, 0), (_SECCOMP, _FILTER, ctypes.addressof(head), 0, 0)):
        if libc.prctl(*(ctypes.c_ulong(one) for one in given)):
            raise OSError(ctypes.get_errno(), "prctl")
    os.execv(command[0], command)


if __name__ == "__main__":
    _main(sys.argv[1:])
