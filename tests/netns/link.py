#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Speaks rtnetlink about wattle devices, also what no tool would say.

link.py add|set NAME [KEY VALUE]...   KEY: local4 local6 port mode vni underlay strict cache
                                      udp_csum ttl audit, or raw:TYPE with bytes in hex, - for none
link.py show NAME                     KEY VALUE lines

Exit 1 with "ERRNO: message [attribute TYPE]" when the kernel refuses.
"""
import errno
import os
import socket
import struct
import sys

RTM_NEWLINK, RTM_GETLINK = 16, 18
NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE = 1, 4, 0x200, 0x400
IFLA_IFNAME, IFLA_LINKINFO = 3, 18
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
MODES = ("identity", "gbp", "plain")
ATTRS = {"local4": 1, "local6": 2, "port": 3, "mode": 4, "vni": 5, "underlay": 6, "strict": 7,
         "cache": 8, "udp_csum": 9, "ttl": 10, "audit": 11}
NAMES = {number: name for name, number in ATTRS.items()}


def attr(number, payload):
    data = struct.pack("=HH", len(payload) + 4, number) + payload
    return data + b"\0" * (-len(data) % 4)


def parse(data):
    while len(data) >= 4:
        length, number = struct.unpack_from("=HH", data)
        if length < 4:
            return
        yield number & 0x3fff, data[4:length]
        data = data[(length + 3) & ~3:]


def encode(key, value):
    if key.startswith("raw:"):
        return attr(int(key[4:]), bytes.fromhex(value.strip("-")))
    if key == "local4":
        payload = socket.inet_pton(socket.AF_INET, value)
    elif key == "local6":
        payload = socket.inet_pton(socket.AF_INET6, value)
    elif key == "port":
        payload = struct.pack("=H", int(value))
    elif key == "vni":
        payload = struct.pack("=I", int(value))
    elif key == "mode":
        payload = struct.pack("=B", MODES.index(value) if value in MODES else int(value))
    else:
        payload = struct.pack("=B", int(value))
    return attr(ATTRS[key], payload)


def decode(number, payload):
    if number == 1:
        return socket.inet_ntop(socket.AF_INET, payload)
    if number == 2:
        return socket.inet_ntop(socket.AF_INET6, payload)
    value = int.from_bytes(payload, sys.byteorder)
    return MODES[value] if number == 4 else str(value)


def ask(kind, flags, ifindex, attrs):
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    sock.setsockopt(270, 11, 1)     # SOL_NETLINK, NETLINK_EXT_ACK
    body = struct.pack("=BBHiII", 0, 0, 0, ifindex, 0, 0) + attrs
    sock.send(struct.pack("=IHHII", len(body) + 16, kind, NLM_F_REQUEST | NLM_F_ACK | flags,
                          1, 0) + body)
    found = None
    while True:
        data = sock.recv(65536)
        while data:
            length, mtype, mflags, _, _ = struct.unpack_from("=IHHII", data)
            body, data = data[16:length], data[(length + 3) & ~3:]
            if mtype != 2:
                found = dict(parse(body[16:]))
                continue
            error = -struct.unpack_from("=i", body)[0]
            if not error:
                return found
            skip = 4 + (16 if mflags & 0x100 else struct.unpack_from("=I", body, 4)[0])
            told = dict(parse(body[skip:])) if mflags & 0x200 else {}
            text = told.get(1, b"").rstrip(b"\0").decode()
            where = ""
            if 2 in told:
                # The offset counts from the request's header.
                off = struct.unpack("=I", told[2])[0] - 16 - 16
                number = struct.unpack_from("=H", attrs, off + 2)[0] & 0x3fff
                where = " [attribute %d]" % number
            print("%s: %s%s" % (errno.errorcode.get(error, error), text, where), file=sys.stderr)
            sys.exit(1)


def main():
    verb, name, words = sys.argv[1], sys.argv[2], sys.argv[3:]
    ifname = attr(IFLA_IFNAME, name.encode() + b"\0")
    if verb == "show":
        info = dict(parse(ask(RTM_GETLINK, 0, 0, ifname)[IFLA_LINKINFO]))
        for number, payload in parse(info[IFLA_INFO_DATA]):
            print(NAMES[number], decode(number, payload))
        return
    data = b"".join(encode(*pair) for pair in zip(words[::2], words[1::2]))
    info = attr(IFLA_INFO_KIND, b"wattle\0") + (attr(IFLA_INFO_DATA, data) if data else b"")
    flags = NLM_F_CREATE | NLM_F_EXCL if verb == "add" else 0
    ask(RTM_NEWLINK, flags, 0, ifname + attr(IFLA_LINKINFO, info))


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    main()
