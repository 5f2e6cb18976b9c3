"""Plays a USB device to whoever speaks usbip: the kernel's vhci_hcd, or a client in user space over loopback. Threads: one a connection.

Source: Linux Documentation/usb/usbip_protocol.rst.
"""

import contextlib
import errno
import socket
import struct
import threading
from collections import deque
from typing import Protocol

VERSION = 0x0111
REQ_IMPORT, REP_IMPORT, REQ_DEVLIST, REP_DEVLIST = 0x8003, 0x0003, 0x8005, 0x0005
SUBMIT, UNLINK, RET_SUBMIT, RET_UNLINK = 1, 2, 3, 4
HEAD = struct.Struct(">HHI")
DEVICE = struct.Struct(">256s32sIIIHHHBBBBBB")
COMMON = struct.Struct(">IIIII")
URB_BYTES = 48
HIGH_SPEED = 3
BUS_ID = b"1-1"


class StallError(Exception):
    """The device refuses a control request."""


class Device(Protocol):
    """What is behind the wire. Called from a connection's thread, one call at a time."""

    @property
    def device_descriptor(self) -> bytes: ...
    @property
    def config_descriptor(self) -> bytes: ...
    @property
    def devnum(self) -> int: ...
    def control(self, setup: bytes, content: bytes) -> bytes: ...
    def bulk_out(self, end: int, content: bytes) -> None: ...
    def attached(self, line: "Line") -> None: ...


class Line:
    """One connection, as the device sees it: what it sends waits for the host's IN requests, or they wait for it.

    `in_limit_s`: a client in user space never takes an IN request back, so it is answered "timed out" after so long; None for the kernel.
    """

    def __init__(self, connection: socket.socket, device: Device, in_limit_s: float | None) -> None:
        self._connection, self._device, self._in_limit_s = connection, device, in_limit_s
        self._lock = threading.RLock()
        self._sending = threading.Lock()
        self._waiting: dict[int, deque[tuple[int, int]]] = {}
        self._ready: dict[int, deque[bytes]] = {}
        self.is_open = True

    def send(self, end: int, content: bytes) -> None:
        """A packet to the host, from the IN end of that number."""
        with self._lock:
            waiting = self._waiting.setdefault(end, deque())
            if not waiting:
                self._ready.setdefault(end, deque()).append(content)
                return
            number, _ = waiting.popleft()
        self._answer(number, 0, content)

    def leave(self) -> None:
        """The device is off the bus."""
        self.is_open = False
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def serve(self) -> None:
        """Until either side is gone."""
        self._device.attached(self)
        with contextlib.suppress(OSError, EOFError):
            while True:
                self._one()
        self.is_open = False
        self._connection.close()

    def _one(self) -> None:
        head = self._receive(URB_BYTES)
        command, number, _, direction, end = COMMON.unpack(head[:20])
        if command == UNLINK:
            self._unlink(number, struct.unpack(">I", head[20:24])[0])
            return
        length, setup = struct.unpack(">I", head[24:28])[0], head[40:48]
        content = self._receive(length) if direction == 0 and length else b""
        if end == 0:
            self._control(number, setup, content, direction)
        elif direction == 0:
            self._answer_out(number, len(content))
            self._device.bulk_out(end, content)
        else:
            self._bulk_in(number, end, length)

    def _control(self, number: int, setup: bytes, content: bytes, direction: int) -> None:
        try:
            told = self._device.control(setup, content)
        except StallError:
            self._answer(number, -errno.EPIPE, b"")
            return
        if direction == 0:
            self._answer_out(number, len(content))
            after = getattr(self._device, "after_control", None)
            if after is not None:
                after()
        else:
            self._answer(number, 0, told[: struct.unpack("<H", setup[6:8])[0]])

    def _bulk_in(self, number: int, end: int, length: int) -> None:
        with self._lock:
            ready = self._ready.setdefault(end, deque())
            if not ready:
                self._waiting.setdefault(end, deque()).append((number, length))
        if ready:
            self._answer(number, 0, ready.popleft())
        elif self._in_limit_s is not None:
            timer = threading.Timer(self._in_limit_s, self._time_out, (end, number))
            timer.daemon = True
            timer.start()

    def _time_out(self, end: int, number: int) -> None:
        if self._take_back(end, number):
            with contextlib.suppress(OSError):
                self._answer(number, -errno.ETIMEDOUT, b"")

    def _unlink(self, number: int, victim: int) -> None:
        found = any(self._take_back(end, victim) for end in list(self._waiting))
        status = -errno.ECONNRESET if found else 0
        self._write(struct.pack(">IIIIIi24x", RET_UNLINK, number, 0, 0, 0, status))

    def _take_back(self, end: int, number: int) -> bool:
        with self._lock:
            waiting = self._waiting.get(end, deque())
            found = next((each for each in waiting if each[0] == number), None)
            if found is not None:
                waiting.remove(found)
            return found is not None

    def _answer(self, number: int, status: int, content: bytes) -> None:
        self._write(struct.pack(">IIIIIiiiii8x", RET_SUBMIT, number, 0, 0, 0, status, len(content), 0, 0, 0) + content)

    def _answer_out(self, number: int, taken: int) -> None:
        self._write(struct.pack(">IIIIIiiiii8x", RET_SUBMIT, number, 0, 0, 0, 0, taken, 0, 0, 0))

    def _write(self, content: bytes) -> None:
        with self._sending:
            self._connection.sendall(content)

    def _receive(self, length: int) -> bytes:
        got = b""
        while len(got) < length:
            part = self._connection.recv(length - len(got))
            if not part:
                raise EOFError
            got += part
        return got


class Server:
    """The device exported on a loopback port, for clients in user space. Use as a context manager."""

    def __init__(self, device: Device, in_limit_s: float = 0.02) -> None:
        self._device, self._in_limit_s = device, in_limit_s
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._connections: list[socket.socket] = []

    def __enter__(self) -> "Server":
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listening, *self._connections):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    def _start(self, run: object, *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)  # type: ignore[arg-type]  # a function of ours
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._connections.append(connection)
                self._start(self._greet, connection)

    def _greet(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError, struct.error):
            _, code, _ = HEAD.unpack(connection.recv(HEAD.size, socket.MSG_WAITALL))
            if code == REQ_DEVLIST:
                interfaces = self._device.config_descriptor[4]
                connection.sendall(
                    HEAD.pack(VERSION, REP_DEVLIST, 0) + struct.pack(">I", 1) + self._described() + b"\xff\0\0\0" * interfaces
                )
            elif code == REQ_IMPORT:
                connection.recv(32, socket.MSG_WAITALL)
                connection.sendall(HEAD.pack(VERSION, REP_IMPORT, 0) + self._described())
                Line(connection, self._device, self._in_limit_s).serve()
                return
        connection.close()

    def _described(self) -> bytes:
        vendor, product, revision = struct.unpack("<HHH", self._device.device_descriptor[8:14])
        interfaces = self._device.config_descriptor[4]
        path = b"/sys/devices/emulated/" + BUS_ID
        return DEVICE.pack(path, BUS_ID, 1, self._device.devnum, HIGH_SPEED, vendor, product, revision, 0xFF, 0, 0, 1, 1, interfaces)
