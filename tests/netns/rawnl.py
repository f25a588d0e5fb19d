# SPDX-License-Identifier: GPL-2.0
"""Generic netlink by hand, for tests of what no client library would send."""

import os
import socket
import struct

NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK = 0x1, 0x2, 0x4
NLM_F_DUMP_INTR = 0x10
NLM_F_REPLACE, NLM_F_DUMP = 0x100, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_ACK_TLVS = 0x200
NLA_F_NESTED = 0x8000
NLA_TYPE_MASK = 0x3fff
NETLINK_GENERIC, GENL_ID_CTRL = 16, 16
SOL_NETLINK, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 270, 10, 11
EXTACK_MSG, EXTACK_OFFS, EXTACK_MISS_TYPE = 1, 2, 5


def attr(kind, payload=b""):
    """One attribute, padded."""
    data = struct.pack("=HH", len(payload) + 4, kind) + payload
    return data + bytes(-len(data) % 4)


def nest(kind, *attrs):
    return attr(kind | NLA_F_NESTED, b"".join(attrs))


def attrs(data):
    """[(type, payload)] of what the kernel sent, which is well-formed."""
    result = []
    while len(data) >= 4:
        size, kind = struct.unpack_from("=HH", data)
        assert size >= 4
        result.append((kind & NLA_TYPE_MASK, data[4:size]))
        data = data[(size + 3) & ~3:]
    return result


class Refused(Exception):
    """The kernel's answer was an error; @errno is positive."""

    def __init__(self, errno, message, offset=None):
        super().__init__(f"{os.strerror(errno)}: {message}")
        self.errno = errno
        self.message = message
        self.offset = offset


class Socket:
    """A socket that has looked up a family."""

    def __init__(self, family="wattle", timeout=20):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.bind((0, 0))
        self.sock.settimeout(timeout)
        self.seq = 0
        self.family = GENL_ID_CTRL
        reply = self.ask(3, attr(2, family.encode() + b"\0"), version=2)
        for kind, payload in attrs(reply[0][4:]):
            if kind == 1:
                self.family, = struct.unpack("=H", payload)

    def close(self):
        self.sock.close()

    def message(self, cmd, payload=b"", flags=NLM_F_ACK, version=1, family=None):
        self.seq += 1
        body = struct.pack("=BBH", cmd, version, 0) + payload
        return struct.pack("=IHHII", 16 + len(body), family or self.family,
                           flags | NLM_F_REQUEST, self.seq, 0) + body

    def send(self, data):
        self.sock.send(data)

    def receive(self, size=65536):
        """[(type, flags, payload)] of one datagram."""
        data = self.sock.recv(size)
        result = []
        while data:
            length, kind, flags = struct.unpack_from("=IHH", data)
            result.append((kind, flags, data[16:length]))
            data = data[(length + 3) & ~3:]
        return result

    @staticmethod
    def refusal(flags, payload):
        errno, = struct.unpack_from("=i", payload)
        message, offset = "", None
        if flags & NLM_F_ACK_TLVS:
            for kind, value in attrs(payload[20:]):
                if kind == EXTACK_MSG:
                    message = value.rstrip(b"\0").decode()
                elif kind == EXTACK_OFFS:
                    offset, = struct.unpack("=I", value)
        return Refused(-errno, message, offset) if errno else None

    def ask(self, cmd, payload=b"", flags=NLM_F_ACK, version=1, family=None):
        """The replies to one request (without netlink header); raises Refused."""
        self.send(self.message(cmd, payload, flags, version, family))
        return self.answer()[0]

    def answer(self):
        """(replies, were any marked as inconsistent), up to the end of the answer."""
        replies, torn = [], False
        while True:
            for kind, flags, payload in self.receive():
                torn = torn or bool(flags & NLM_F_DUMP_INTR)
                if kind == NLMSG_ERROR:
                    refused = self.refusal(flags, payload)
                    if refused:
                        raise refused
                    return replies, torn
                if kind == NLMSG_DONE:
                    errno, = struct.unpack_from("=i", payload)
                    if errno:
                        message = ""
                        for what, value in attrs(payload[4:]):
                            if what == EXTACK_MSG:
                                message = value.rstrip(b"\0").decode()
                        raise Refused(-errno, message)
                    return replies, torn
                replies.append(payload)
