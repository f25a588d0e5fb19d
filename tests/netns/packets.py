# SPDX-License-Identifier: GPL-2.0-only
"""Packets made by hand, right or wrong on purpose, and read back. For agent.py."""
import random
import socket
import struct

NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58, "sctp": 132}


def attr(number, payload):
    data = struct.pack("=HH", len(payload) + 4, number) + payload
    return data + b"\0" * (-len(data) % 4)


def attrs(data):
    out = []
    while len(data) >= 4:
        length, number = struct.unpack_from("=HH", data)
        out.append((number & 0x3fff, data[4:length]))
        data = data[(length + 3) & ~3:]
    return out


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def echo(v6, ident, data):
    message = struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, ident, 1) + data
    # For IPv6 the kernel fills it in.
    return message[:2] + struct.pack("!H", 0 if v6 else checksum(message)) + message[4:]


def echo_answer(v6, packet, ident, data):
    """"ok", what went wrong, or None where it is about something else."""
    if not v6:
        packet = packet[(packet[0] & 15) * 4:]
    kind, code, _, info = struct.unpack_from("!BBHI", packet)
    if kind == (129 if v6 else 0):
        if info >> 16 != ident:
            return None
        # For IPv6 the kernel has looked.
        if not v6 and checksum(packet):
            return "the answer has a wrong checksum"
        return "ok" if packet[8:] == data else "the answer holds something else"
    inner = packet[8:]
    if len(inner) < (48 if v6 else 28):
        return None
    offset = 40 if v6 else (inner[0] & 15) * 4
    if inner[6 if v6 else 9] != (58 if v6 else 1) or \
            struct.unpack_from("!H", inner, offset + 4)[0] != ident:
        return None
    if (kind, code) == (3, 4) and not v6 or kind == 2 and v6:
        return "toobig %d" % (info if v6 else info & 0xffff)
    if kind in ((1, 3) if v6 else (3, 11)):
        return "icmp %d %d" % (kind, code)
    return None


def transport(kv, v6, src, dst, payload):
    proto, sport, dport = kv["proto"], int(kv.get("sport", 20000)), int(kv.get("dport", 0))
    number = NUMBERS.get(proto) or int(proto)
    if number == 17:
        ulen = int(kv.get("ulen", 8 + len(payload)))
        body = struct.pack("!HHHH", sport, dport, ulen, 0) + payload
    elif number == 6:
        flags = int(kv.get("tcpflags", "0x02"), 0)
        body = struct.pack("!HHIIBBHHH", sport, dport, 1000, 0, int(kv.get("doff", 5)) << 4, flags,
                           8192, 0, 0) + payload
    elif number in (1, 58):
        kind, code = int(kv.get("type", 128 if v6 else 8)), int(kv.get("code", 0))
        body = struct.pack("!BBHHH", kind, code, 0, int(kv.get("id", 77)), 1) + payload
    else:
        body = payload
    at = {17: 6, 6: 16, 1: 2, 58: 2}.get(number)
    if at is not None and kv.get("sum") != "0":
        pseudo = b"" if number == 1 else src + dst + \
            (struct.pack("!II", len(body), number) if v6 else struct.pack("!BBH", 0, number, len(body)))
        value = checksum(pseudo + body) or 0xffff
        body = body[:at] + struct.pack("!H", value) + body[at + 2:]
    return number, body[:int(kv["short"])] if "short" in kv else body


def header4(kv, src, dst, number, length, ident, frag):
    options = bytes.fromhex(kv.get("options", ""))
    ihl = int(kv.get("ihl", 5 + len(options) // 4))
    head = struct.pack("!BBHHHBBH", int(kv.get("version", 4)) << 4 | ihl, int(kv.get("itos", "0"), 0),
                       int(kv.get("totlen", 20 + len(options) + length)), ident, frag,
                       int(kv.get("ttl", 64)), number, 0) + src + dst + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:]


def header6(kv, src, dst, number, length):
    return struct.pack("!IHBB", int(kv.get("version", 6)) << 28 | int(kv.get("itos", "0"), 0) << 20,
                       int(kv.get("paylen", length)), number, int(kv.get("ttl", 64))) + src + dst


def pieces(body, size, order):
    """(offset, more, bytes) in the order asked for."""
    out = [(at, at + size < len(body), body[at:at + size]) for at in range(0, len(body), size)]
    if order == "reverse":
        out.reverse()
    elif order == "shuffle":
        random.Random(1).shuffle(out)
    elif order == "twice":
        out = [p for p in out for _ in (0, 1)]
    elif order == "overlap":
        out.insert(1, (out[1][0] - 8, True, b"X" * 8 + out[1][2]))
    elif order == "first":
        out = out[:1]
    elif order == "last":
        out = out[-1:]
    return out


def packet(kv, pattern):
    """The packets, without an Ethernet header, of what kv says."""
    v6 = ":" in kv["src"]
    family = socket.AF_INET6 if v6 else socket.AF_INET
    src, dst = socket.inet_pton(family, kv["src"]), socket.inet_pton(family, kv["dst"])
    payload = bytes.fromhex(kv["payload"]) if "payload" in kv else pattern(int(kv.get("size", 32)))
    number, body = transport(kv, v6, src, dst, payload)
    ident = int(kv.get("ipid", 4711))
    ext = kv.get("ext")
    if ext:
        # hop-by-hop or destination options: one PadN
        kinds = {"hbh": 0, "dst": 60, "rt": 43}
        body, number = struct.pack("!BBBBI", number, 0, 0 if ext == "rt" else 1, 0 if ext == "rt" else 4, 0) + \
            body, kinds[ext]
    if "next" in kv:
        number = int(kv["next"])
    if "frag" not in kv:
        frag = int(kv.get("fragoff", "0"), 0) | (0x4000 if "df" in kv else 0)
        if v6 and "fragoff" in kv:
            body, number = struct.pack("!BBHI", number, 0, frag, ident) + body, 44
        head = header6(kv, src, dst, number, len(body)) if v6 else \
            header4(kv, src, dst, number, len(body), ident, frag)
        return [head + body]
    out = []
    for offset, more, data in pieces(body, int(kv["frag"]), kv.get("order")):
        if v6:
            data = struct.pack("!BBHI", number, 0, offset | more, ident) + data
            out.append(header6(kv, src, dst, 44, len(data)) + data)
        else:
            out.append(header4(kv, src, dst, number, len(data), ident, offset // 8 | more << 13) + data)
    return out


def frames(kv, mac, smac, pattern):
    """Ethernet frames: hex=BYTES as they are, else what packet() makes; vlan=N tags them."""
    if "hex" in kv:
        return [bytes.fromhex(kv["hex"])]
    out = []
    for data in packet(kv, pattern):
        kind = int(kv["ethertype"], 16) if "ethertype" in kv else \
            0x86dd if ":" in kv["src"] else 0x0800
        tag = struct.pack("!HH", 0x8100, int(kv["vlan"])) if "vlan" in kv else b""
        out.append((mac + smac + tag + struct.pack("!H", kind) + data)
                   [:int(kv["frame"]) if "frame" in kv else None])
    return out


def describe_ports(number, body):
    name = {v: k for k, v in NUMBERS.items()}.get(number, str(number))
    if number in (6, 17, 132) and len(body) >= 4:
        return "%s %d > %d" % ((name,) + struct.unpack_from("!HH", body))
    if number in (1, 58) and len(body) >= 2:
        return "%s type %d code %d" % (name, body[0], body[1])
    return name


def describe_vxlan(body):
    flags, vni = struct.unpack_from("!II", body)
    return "vxlan flags %08x vni %d gbp %d [ %s ]" % (
        flags & 0xffff0000, vni >> 8, flags & 0xffff, describe(body[8:]))


def describe(frame):
    """One line on a frame, and on the frame inside where it is VXLAN."""
    if len(frame) < 14:
        return "short"
    kind = struct.unpack_from("!H", frame, 12)[0]
    data = frame[14:]
    text = "%s > %s " % (frame[6:12].hex(":"), frame[:6].hex(":"))
    if kind == 0x0800 and len(data) >= 20:
        number, tos, body = data[9], data[1], data[(data[0] & 15) * 4:]
        text += "%s > %s ttl %d tos %d len %d " % (
            socket.inet_ntop(socket.AF_INET, data[12:16]), socket.inet_ntop(socket.AF_INET, data[16:20]),
            data[8], tos, len(data))
        if struct.unpack_from("!H", data, 6)[0] & 0x3fff:
            text += "fragment "
            if struct.unpack_from("!H", data, 6)[0] & 0x1fff:
                return text + str(number)
    elif kind == 0x86dd and len(data) >= 40:
        number, body = data[6], data[40:]
        text += "%s > %s ttl %d tos %d len %d " % (
            socket.inet_ntop(socket.AF_INET6, data[8:24]), socket.inet_ntop(socket.AF_INET6, data[24:40]),
            data[7], struct.unpack_from("!I", data)[0] >> 20 & 255, len(data))
        if number == 44 and len(body) >= 8:
            text += "fragment "
            if struct.unpack_from("!H", body, 2)[0] & 0xfff8:
                return text + str(body[0])
            number, body = body[0], body[8:]
    elif kind == 0x0806 and len(data) >= 28:
        return text + "arp %d %s asks for %s" % (struct.unpack_from("!H", data, 6)[0],
                                                 socket.inet_ntop(socket.AF_INET, data[14:18]),
                                                 socket.inet_ntop(socket.AF_INET, data[24:28]))
    else:
        return text + "%04x" % kind
    text += describe_ports(number, body)
    if number == 17 and len(body) >= 16 and struct.unpack_from("!H", body, 2)[0] in (8472, 4789):
        text += " " + describe_vxlan(body[8:])
    return text
