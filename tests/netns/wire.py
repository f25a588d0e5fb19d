#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tunnel packets, seen and made.

wire.py capture IFACE COUNT SECONDS [PORT]    prints a line of KEY=VALUE words for each
wire.py send KEY=VALUE...                     sends one, with these (default):
    src= dst=           outer addresses
    sport= port=        UDP ports (50000, 8472)
    tos= ttl=           outer (0, 64)
    flags= vni= low=    VXLAN flags (08000000), VNI (0), reserved last byte (0)
    smac= dmac= type=   inner Ethernet
    isrc= idst= itos=   inner addresses, TOS
    idata=              inner UDP payload (hello), iport= its port (9)
    inner=HEX           the whole inner frame instead
    cut=N               cuts the UDP payload to N bytes
    pad=N               adds N bytes behind the inner packet
    sum=0               no outer UDP checksum
"""
import select
import socket
import struct
import sys
import time


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def family(addr):
    return socket.AF_INET6 if ":" in addr else socket.AF_INET


def pseudo(src, dst, proto, length):
    fam = family(src)
    head = socket.inet_pton(fam, src) + socket.inet_pton(fam, dst)
    return head + (struct.pack("!BBH", 0, proto, length) if fam == socket.AF_INET else
                   struct.pack("!IHBB", length, 0, 0, proto))


def udp(src, dst, sport, dport, data, summed=True):
    length = len(data) + 8
    head = struct.pack("!HHHH", sport, dport, length, 0)
    if not summed:
        return head + data
    value = checksum(pseudo(src, dst, 17, length) + head + data) or 0xffff
    return head[:6] + struct.pack("!H", value) + data


def ip(src, dst, tos, ttl, payload, proto=17, df=0):
    if family(src) == socket.AF_INET:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, tos, len(payload) + 20, 1, df << 14, ttl, proto, 0,
                           socket.inet_aton(src), socket.inet_aton(dst))
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    else:
        head = struct.pack("!IHBB", 6 << 28 | tos << 20, len(payload), proto, ttl)
        head += socket.inet_pton(socket.AF_INET6, src) + socket.inet_pton(socket.AF_INET6, dst)
    return head + payload


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def send(words):
    w = dict(word.split("=", 1) for word in words)
    src, dst = w["src"], w["dst"]
    if "inner" in w:
        frame = bytes.fromhex(w["inner"])
    else:
        isrc, idst = w["isrc"], w["idst"]
        inner = ip(isrc, idst, int(w.get("itos", 0)), 64,
                   udp(isrc, idst, 7777, int(w.get("iport", 9)), w.get("idata", "hello").encode()))
        kind = w.get("type", "86dd" if ":" in isrc else "0800")
        frame = mac(w.get("dmac", "02:57:00:00:00:01")) + mac(w.get("smac", "02:57:00:00:00:02"))
        frame += bytes.fromhex(kind) + inner
    frame += b"\0" * int(w.get("pad", 0))
    vxlan = struct.pack("!II", int(w.get("flags", "08000000"), 16),
                        int(w.get("vni", 0)) << 8 | int(w.get("low", 0)))
    payload = vxlan + frame
    if "cut" in w:
        payload = payload[:int(w["cut"])]
    packet = udp(src, dst, int(w.get("sport", 50000)), int(w.get("port", 8472)), payload,
                 w.get("sum", "1") != "0")
    packet = ip(src, dst, int(w.get("tos", 0)), int(w.get("ttl", 64)), packet)
    if family(src) == socket.AF_INET:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        sock.sendto(packet, (dst, 0))
    else:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
        sock.setsockopt(socket.IPPROTO_IPV6, 36, 1)     # IPV6_HDRINCL
        sock.sendto(packet, (dst, 0))


def show_ip(data, prefix):
    out = {}
    if data[0] >> 4 == 4:
        out.update(tos=data[1], len=len(data), id=struct.unpack_from("!H", data, 4)[0],
                   df=data[6] >> 6 & 1, ttl=data[8], proto=data[9], ipsum=checksum(data[:20]),
                   totlen=struct.unpack_from("!H", data, 2)[0],
                   src=socket.inet_ntoa(data[12:16]), dst=socket.inet_ntoa(data[16:20]))
        rest = data[(data[0] & 15) * 4:out["totlen"]]
    else:
        out.update(tos=struct.unpack_from("!H", data)[0] >> 4 & 0xff, ttl=data[7], proto=data[6],
                   label=struct.unpack_from("!I", data)[0] & 0xfffff, len=len(data),
                   totlen=struct.unpack_from("!H", data, 4)[0] + 40,
                   src=socket.inet_ntop(socket.AF_INET6, data[8:24]),
                   dst=socket.inet_ntop(socket.AF_INET6, data[24:40]))
        rest = data[40:out["totlen"]]
    return {prefix + k: v for k, v in out.items()}, rest


def capture(iface, count, seconds, port=8472):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.bind((iface, 0))
    print("ready", flush=True)
    end = time.time() + float(seconds)
    count = int(count)
    while count and time.time() < end:
        if not select.select([sock], [], [], max(0, end - time.time()))[0]:
            break
        data = sock.recv(70000)
        kind = struct.unpack_from("!H", data, 12)[0]
        if kind not in (0x0800, 0x86dd):
            continue
        out, rest = show_ip(data[14:], "")
        if out["proto"] != 17:
            continue
        sport, dport, length, usum = struct.unpack_from("!HHHH", rest)
        if dport != int(port):
            continue
        good = 0
        if usum:
            good = int(checksum(pseudo(out["src"], out["dst"], 17, length) + rest[:length]) == 0)
        flags, vni = struct.unpack_from("!II", rest, 8)
        frame = rest[16:]
        out.update(sport=sport, dport=dport, usum="none" if not usum else
                   "good" if good else "partial", ulen=length, flags="%08x" % flags,
                   vni=vni >> 8, low=vni & 0xff, dmac=frame[:6].hex(":"), smac=frame[6:12].hex(":"),
                   type=frame[12:14].hex())
        if frame[12:14] in (b"\x08\x00", b"\x86\xdd"):
            inner, _ = show_ip(frame[14:], "i")
            out.update(inner)
        print(" ".join("%s=%s" % item for item in out.items()), flush=True)
        count -= 1


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(sys.argv[2:])
    else:
        capture(*sys.argv[2:])
