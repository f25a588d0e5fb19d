#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Traffic of all namespaces, out of one process.

A socket stays in the namespace that its maker was in, so one process with one
event loop is every server and every client at once, and nothing is started
for a packet: under emulation a process costs more than a thousand packets.

Reads a command a line from stdin, words apart by tabs; answers a line each:
"ok ..." or "no WHY". traffic.bash is the other end; what there is to ask for
are the methods called do_* below. Addresses may be names given by `name`:
"p1a" is its IPv4 address, "p1a/6" the IPv6 one. Namespaces are the wt-NAME of
lib.sh.

Nobody is asked to wait: what shall arrive is waited for until it is there or
LIMIT is over, and what shall not is waited for by the counter of the reason
why it did not.
"""
import ctypes
import errno
import hashlib
import ipaddress
import json
import os
import re
import selectors
import socket
import struct
import subprocess
import sys
import time

import packets

LIMIT = float(os.environ.get("WATTLE_LIMIT", "10"))
WATTLECTL = os.environ.get("WATTLECTL", "wattlectl")
CLONE_NEWNET = 0x40000000
IPPROTO_SCTP = 132
ETH_P_ALL = 3
SOL_PACKET, PACKET_VNET_HDR = 263, 15
MSG_ERRQUEUE = 0x2000
IP_RECVERR, IPV6_RECVERR = 11, 25
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER = 10, 23
PMTUDISC_DONT, PMTUDISC_DO, PMTUDISC_PROBE = 0, 2, 3

libc = ctypes.CDLL(None, use_errno=True)


class No(Exception):
    """What was asked for did not happen."""


def pattern(size, seed=1):
    """Bytes that are not the same anywhere."""
    block = hashlib.sha512(b"%d" % seed).digest()
    return (block * (size // len(block) + 1))[:size]


class Server:
    """Answers of one address and port in one namespace."""

    def __init__(self, agent, ns, proto, addr, port):
        self.agent, self.ns, self.proto = agent, ns, proto
        self.count = 0
        self.last = b""
        self.peer = None
        family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        self.sock = agent.socket(ns, family, proto)
        if family == socket.AF_INET6:
            self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((addr, port))
        if proto != "udp":
            self.sock.listen(16)
        agent.watch(self.sock, self.datagram if proto == "udp" else self.accept)

    def who(self, peer, local):
        return ("%s %s %d %s %d\n" % (self.ns, peer[0], peer[1], local[0], local[1])).encode()

    def datagram(self, sock):
        while True:
            try:
                data, peer = sock.recvfrom(65536)
            except BlockingIOError:
                return
            except OSError:
                continue
            self.count += 1
            self.last, self.peer = data, peer
            try:
                sock.sendto(self.who(peer, sock.getsockname()) + data, peer)
            except OSError:
                pass

    def accept(self, sock):
        try:
            conn, peer = sock.accept()
        except OSError:
            return
        self.count += 1
        self.peer = peer
        conn.setblocking(False)
        Echo(self.agent, conn, self.who(peer, conn.getsockname()))


class Echo:
    """A connection that says who it is and then gives back what it gets."""

    def __init__(self, agent, conn, greeting):
        self.agent, self.conn, self.out, self.eof = agent, conn, bytearray(greeting), False
        agent.watch(conn, self.ready, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def ready(self, conn):
        try:
            if not self.eof:
                data = conn.recv(1 << 18)
                self.out += data
                self.eof = not data
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        try:
            while self.out:
                sent = conn.send(self.out[:1 << 16])
                del self.out[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        if self.eof and not self.out:
            self.close()
            return
        want = (0 if self.eof else selectors.EVENT_READ) | (selectors.EVENT_WRITE if self.out else 0)
        self.agent.selector.modify(conn, want, self.ready)

    def close(self):
        self.agent.unwatch(self.conn)
        self.conn.close()


class Capture:
    """What passes a device."""

    def __init__(self, agent, ns, dev):
        self.lines = []
        self.sock = agent.packet_socket(ns, dev)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        agent.watch(self.sock, self.ready)

    def ready(self, sock):
        try:
            while len(self.lines) < 20000:
                data, addr = sock.recvfrom(65600)
                way = "out" if addr[2] == socket.PACKET_OUTGOING else "in"
                self.lines.append("%s %s" % (way, packets.describe(data)))
        except BlockingIOError:
            pass
        except OSError:
            pass


class Genl:
    """The counters of a node, straight from the kernel."""

    GETFAMILY, FAMILY_ID, FAMILY_NAME = 3, 1, 2
    STATS_GET, NAME, PACKETS = 27, 1, 4

    def __init__(self, agent, ns):
        agent.enter(ns)
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        agent.leave()
        self.sock.bind((0, 0))
        self.sock.settimeout(LIMIT)
        for number, value in self.call(16, self.GETFAMILY, packets.attr(self.FAMILY_NAME, b"wattle\0"), 0):
            if number == self.FAMILY_ID:
                self.family = struct.unpack("=H", value)[0]

    def call(self, family, cmd, attrs, flags):
        body = struct.pack("=BBH", cmd, 1, 0) + attrs
        self.sock.send(struct.pack("=IHHII", 16 + len(body), family, 5 | flags, 1, 0) + body)
        out = []
        while True:
            data = self.sock.recv(1 << 17)
            while data:
                length, kind = struct.unpack_from("=IH", data)
                if kind in (2, 3):
                    code = struct.unpack_from("=i", data, 16)[0]
                    if code:
                        raise No("netlink: " + os.strerror(-code))
                    return out
                out += packets.attrs(data[20:length])
                data = data[(length + 3) & ~3:]

    def stats(self):
        out, name = {}, None
        for number, value in self.call(self.family, self.STATS_GET, b"", 0x300):
            if number == self.NAME:
                name = value.rstrip(b"\0").decode()
            elif number == self.PACKETS:
                out[name] = struct.unpack("=Q", value)[0]
        return out


class Agent:
    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.fds, self.names, self.servers, self.genl = {}, {}, {}, {}
        self.captures, self.opened, self.floods = {}, {}, {}
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.input = b""
        self.ident = 100
        self.selector.register(0, selectors.EVENT_READ, None)

    # namespaces and sockets

    def enter(self, ns):
        with open("/run/netns/wt-" + ns.partition("/")[0], "rb") as f:
            if libc.setns(f.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns " + ns)

    def leave(self):
        libc.setns(self.home, CLONE_NEWNET)

    def make(self, ns, *args):
        self.enter(ns)
        try:
            sock = socket.socket(*args)
        finally:
            self.leave()
        sock.setblocking(False)
        return sock

    def socket(self, ns, family, proto):
        if proto == "udp":
            return self.make(ns, family, socket.SOCK_DGRAM)
        return self.make(ns, family, socket.SOCK_STREAM, IPPROTO_SCTP if proto == "sctp" else 0)

    def packet_socket(self, ns, dev):
        self.enter(ns)
        try:
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            sock.bind((dev, ETH_P_ALL))
        finally:
            self.leave()
        sock.setblocking(False)
        return sock

    def addr(self, word):
        name, _, family = word.partition("/")
        if name in self.names:
            return self.names[name][1 if family == "6" else 0]
        return word

    # the loop

    def watch(self, sock, fn, events=selectors.EVENT_READ):
        self.selector.register(sock, events, fn)

    def unwatch(self, sock):
        try:
            self.selector.unregister(sock)
        except KeyError:
            pass

    def turn(self, timeout):
        """Serve whoever has something to say; True where stdin has."""
        asked = False
        for key, _ in self.selector.select(0 if self.floods else timeout):
            if key.data:
                key.data(key.fileobj)
            else:
                asked = True
        for flood in list(self.floods.values()):
            flood()
        return asked

    def until(self, done, what="timeout", limit=LIMIT):
        deadline = time.monotonic() + limit
        while True:
            result = done()
            if result is not None and result is not False:
                return result
            if time.monotonic() > deadline:
                raise No(what)
            self.turn(0.02)

    # clients

    @staticmethod
    def live(sock, v6, ttl):
        """Its packets cross so many routers less one."""
        if ttl:
            sock.setsockopt(*((socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, int(ttl)) if v6 else
                              (socket.IPPROTO_IP, socket.IP_TTL, int(ttl))))

    def connect(self, ns, proto, dst, port, src=None, sport=0, ttl=None):
        dst = self.addr(dst)
        family = socket.AF_INET6 if ":" in dst else socket.AF_INET
        sock = self.socket(ns, family, proto)
        if src or sport:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self.addr(src) if src else ("::" if ":" in dst else "0.0.0.0"), int(sport)))
        self.live(sock, ":" in dst, ttl)
        if proto == "udp":
            sock.setsockopt(*((socket.IPPROTO_IPV6, IPV6_RECVERR, 1) if ":" in dst else
                              (socket.IPPROTO_IP, IP_RECVERR, 1)))
        try:
            sock.connect((dst, int(port)))
        except BlockingIOError:
            pass
        except OSError as error:
            sock.close()
            raise No(errno.errorcode[error.errno])
        return sock

    def established(self, sock, limit=LIMIT):
        def done():
            try:
                sock.getpeername()
                return True
            except OSError as error:
                if error.errno != errno.ENOTCONN:
                    raise
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise No("refused" if code == errno.ECONNREFUSED else errno.errorcode[code])
            return False
        self.until(done, limit=limit)

    def read(self, sock, done, limit=LIMIT):
        """What comes until done(it)."""
        got = bytearray()

        def more():
            try:
                data = sock.recv(1 << 18)
            except BlockingIOError:
                return False
            except OSError as error:
                raise No(errno.errorcode[error.errno])
            if not data:
                raise No("closed")
            got.extend(data)
            return done(got)
        self.until(more, limit=limit)
        return bytes(got)

    def exchange(self, sock, size):
        """Send and get back @size bytes, all of them right."""
        data, sent, got = pattern(size), 0, bytearray()

        def more():
            nonlocal sent
            try:
                while sent < size:
                    sent += sock.send(data[sent:sent + 65536])
            except BlockingIOError:
                pass
            except OSError as error:
                raise No(errno.errorcode[error.errno])
            try:
                while len(got) < size:
                    piece = sock.recv(1 << 18)
                    if not piece:
                        raise No("closed")
                    got.extend(piece)
            except BlockingIOError:
                pass
            except OSError as error:
                raise No(errno.errorcode[error.errno])
            return len(got) >= size
        self.until(more, "timeout after %d of %d bytes" % (len(got), size), 6 * LIMIT)
        if hashlib.sha256(got).digest() != hashlib.sha256(data).digest():
            raise No("what came back is not what was sent")

    def udp_error(self, sock):
        try:
            _, anc, _, _ = sock.recvmsg(2048, 512, MSG_ERRQUEUE)
        except OSError:
            return None
        for _, _, data in anc:
            _, origin, kind, code, _, info, _ = struct.unpack_from("=IBBBBII", data)
            offender = "?"
            family = struct.unpack_from("=H", data, 16)[0] if len(data) >= 32 else 0
            if family == socket.AF_INET:
                offender = socket.inet_ntop(family, data[20:24])
            elif family == socket.AF_INET6:
                offender = socket.inet_ntop(family, data[24:40])
            if origin == 1:
                return "toobig local %d" % info
            if (origin, kind, code) == (2, 3, 4) or (origin, kind) == (3, 2):
                return "toobig %d %s" % (info, offender)
            if (origin, kind, code) in ((2, 3, 3), (3, 1, 4)):
                return "refused %s" % offender
            return "icmp %d %d %s" % (kind, code, offender)
        return None

    def reply(self, sock, data):
        def done():
            error = self.udp_error(sock)
            if error:
                raise No(error)
            try:
                return sock.recv(1 << 17)
            except BlockingIOError:
                return None
            except OSError:
                error = self.udp_error(sock)
                raise No(error or "refused")
        got = self.until(done)
        who, _, echo = got.partition(b"\n")
        if echo != data:
            raise No("what came back is not what was sent")
        return who.decode()

    def do_udp(self, ns, dst, port, size="32", df=None, src=None, sport=0, tos=None, ttl=None):
        sock = self.connect(ns, "udp", dst, port, src, sport, ttl)
        if tos:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, int(tos, 0))
        if df:
            sock.setsockopt(*((socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE) if ":" in self.addr(dst)
                              else (socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE)))
        try:
            sock.send(pattern(int(size)))
            return self.reply(sock, pattern(int(size)))
        finally:
            sock.close()

    def stream(self, proto, ns, dst, port, size="0", src=None, sport=0, cut=None, ttl=None):
        sock = self.connect(ns, proto, dst, port, src, sport, ttl)
        if cut:     # whoever finds its packets too long may cut them
            sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DONT)
        try:
            self.established(sock)
            who = self.read(sock, lambda got: got.endswith(b"\n")).decode().strip()
            if int(size):
                self.exchange(sock, int(size))
            return who
        finally:
            sock.close()

    def do_tcp(self, *args, **kv):
        return self.stream("tcp", *args, **kv)

    def do_sctp(self, *args, **kv):
        return self.stream("sctp", *args, **kv)

    def echo_request(self, ns, dst, size=56, df=None, ttl=None):
        dst = self.addr(dst)
        v6 = ":" in dst
        self.ident += 1
        sock = self.make(ns, socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_RAW, 58 if v6 else 1)
        if df and not v6:
            sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE)
        if df and v6:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE)
            sock.setsockopt(socket.IPPROTO_IPV6, 62, 1)     # IPV6_DONTFRAG
        self.live(sock, v6, ttl)
        sock.connect((dst, 0))
        data = packets.echo(v6, self.ident, pattern(int(size)))
        try:
            sock.send(data)
        except OSError as error:
            sock.close()
            raise No(errno.errorcode[error.errno])
        return sock, v6, self.ident

    def do_ping(self, ns, dst, size="56", df=None, ttl=None):
        # Errors come from others than whom we ask: a second socket hears them.
        dst = self.addr(dst)
        v6 = ":" in dst
        ear = self.make(ns, socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_RAW, 58 if v6 else 1)
        sock, v6, ident = self.echo_request(ns, dst, size, df, ttl)

        def done():
            try:
                data, peer = ear.recvfrom(65600)
            except BlockingIOError:
                return None
            answer = packets.echo_answer(v6, data, ident, pattern(int(size)))
            if answer and answer != "ok":
                raise No("%s %s" % (answer, peer[0]))
            return "%s" % peer[0] if answer else None
        try:
            return self.until(done)
        finally:
            sock.close()
            ear.close()

    # servers

    def do_name(self, name, addr4, addr6="::"):
        self.names[name] = (addr4, addr6)
        return ""

    def do_serve(self, ns, proto, port, addr=None):
        for where in [self.addr(addr)] if addr else ["0.0.0.0", "::"]:
            self.servers.setdefault((ns, proto, int(port)), []).append(
                Server(self, ns, proto, where, int(port)))
        return ""

    def do_unserve(self, ns, proto, port):
        for server in self.servers.pop((ns, proto, int(port))):
            self.unwatch(server.sock)
            server.sock.close()
        return ""

    def served(self, ns=None, proto=None, port=None):
        return sum(s.count for key, servers in self.servers.items() for s in servers
                   if ns in (None, key[0]) and proto in (None, key[1]) and port in (None, key[2]))

    def do_served(self, ns, proto, port):
        return str(self.served(ns, proto, int(port)))

    # counters

    def stats(self, node):
        if node not in self.genl:
            self.genl[node] = Genl(self, node)
        return self.genl[node].stats()

    def do_count(self, node, name):
        return str(self.stats(node)[name])

    def do_forget(self, node):
        """The node is gone; another may get its name."""
        if node in self.genl:
            self.genl.pop(node).sock.close()
        for key in [key for key in self.servers if key[0] == node]:
            self.do_unserve(*key)
        return ""

    def rises(self, node, name, by):
        before = self.stats(node)[name]

        def done():
            return self.stats(node)[name] >= before + by
        return done

    def dropped(self, node, reason, send, by=1, port=None):
        """@send makes packets that @node drops for @reason, and no server (of @port) sees them."""
        served, before = self.served(port=port), self.stats(node)
        done = self.rises(node, reason, by)
        send()
        try:
            self.until(done)
        except No:
            after = self.stats(node)
            other = ["%s %+d" % (k, after[k] - before[k]) for k in after if after[k] != before[k]]
            raise No("%s did not count %s: %s" % (node, reason, ", ".join(other) or "nothing"))
        for _ in range(3):
            self.turn(0)
        if self.served(port=port) != served:
            raise No("counted, but it arrived all the same")
        return ""

    def fire(self, ns, proto, dst, port=0, **kv):
        """A packet, and no answer. EPERM: it was a program of the host itself that was dropped."""
        if proto in ("ping", "icmp", "icmpv6"):
            try:
                self.echo_request(ns, dst)[0].close()
            except No as no:
                if str(no) != "EPERM":
                    raise
            return
        sock = self.connect(ns, proto, dst, port, **kv)
        try:
            if proto == "udp":
                sock.send(pattern(32))
        except PermissionError:
            pass
        finally:
            # A connection attempt must be on its way before it is given up.
            self.turn(0)
            sock.close()

    def do_blocked(self, node, reason, ns, proto, dst, port=0, **kv):
        return self.dropped(node, reason, lambda: self.fire(ns, proto, dst, port, **kv),
                            port=int(port) if port else None)

    # connections that stay

    def do_open(self, name, ns, proto, dst, port, **kv):
        sock = self.connect(ns, proto, dst, port, **kv)
        self.opened[name] = sock
        if proto == "udp":
            sock.send(b"open")
            return self.reply(sock, b"open")
        self.established(sock)
        return self.read(sock, lambda got: got.endswith(b"\n")).decode().strip()

    def do_talk(self, name, size="32"):
        sock = self.opened[name]
        if sock.type == socket.SOCK_DGRAM:
            sock.send(pattern(int(size)))
            return self.reply(sock, pattern(int(size)))
        self.exchange(sock, int(size))
        return ""

    def do_cut(self, name, node, reason):
        return self.dropped(node, reason, lambda: self.opened[name].send(pattern(32)))

    def do_say(self, name):
        self.opened[name].send(pattern(32))
        return ""

    def do_drain(self, name, size):
        """What was on its way when the connection was cut comes back."""
        sock, got = self.opened[name], bytearray()

        def done():
            try:
                got.extend(sock.recv(int(size) - len(got)))
            except BlockingIOError:
                pass
            return len(got) >= int(size)
        self.until(done, limit=6 * LIMIT)
        return ""

    def do_close(self, name):
        self.opened.pop(name).close()
        return ""

    # raw packets

    def target(self, kv):
        """What shall become of raw packets: drop=NODE:REASON, arrive=NS:PORT, count=NODE:NAME."""
        drop, arrive, count = (kv.pop(k, None) for k in ("drop", "arrive", "count"))
        by = int(kv.pop("by", 1))
        return drop, arrive, count, by

    def aimed(self, kv, target, send):
        drop, arrive, count, by = target
        if drop:
            node, reason = drop.split(":")
            return self.dropped(node, reason, send, by)
        if count:
            done = self.rises(*count.split(":"), by)
            send()
            self.until(done, "%s not counted" % count)
            return ""
        if not arrive:
            send()
            return ""
        ns, port = arrive.rsplit(":", 1)
        before = self.served(ns, "udp", int(port))
        send()
        self.until(lambda: self.served(ns, "udp", int(port)) >= before + by)
        want = pattern(int(kv.get("size", 32)))
        last = [s for s in self.servers[ns, "udp", int(port)] if s.last]
        if not any(s.last == want for s in last):
            raise No("what arrived is not what was sent")
        return ""

    def resolve(self, kv):
        for key in ("src", "dst", "from", "to"):
            if key in kv:
                kv[key] = self.addr(kv[key])

    def do_emit(self, ns, dev="eth0", **kv):
        """Frames out of a device: emit NS [dev=D] [mac=DST] [smac=SRC] [offload=START:OFFSET] and
        what packets.build() knows. A checksum from START of the frame on is left to the device."""
        target = self.target(kv)
        self.resolve(kv)
        sock = self.packet_socket(ns, dev)
        start, _, place = kv.pop("offload", "").partition(":")
        if start:
            sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        head = struct.pack("=BBHHHH", 1, 0, 0, 0, int(start), int(place)) if start else b""
        mac = bytes.fromhex(kv.pop("mac", "025700000001").replace(":", ""))
        smac = kv.pop("smac", None)
        smac = bytes.fromhex(smac.replace(":", "")) if smac else sock.getsockname()[4]
        frames = packets.frames(kv, mac, smac, pattern)

        def send():
            for frame in frames:
                sock.send(head + frame)
        try:
            return self.aimed(kv, target, send)
        finally:
            sock.close()

    def do_vxlan(self, ns, **kv):
        """VXLAN packets: vxlan NS from=A to=A [port=N] [flags=HEX] [vni=N] [cut=N] [tos=N] and build()'s."""
        target = self.target(kv)
        self.resolve(kv)
        source, to, port = kv.pop("from"), kv.pop("to"), int(kv.pop("port", 8472))
        header = struct.pack("!II", int(kv.pop("flags", "08000000"), 16),
                             int(kv.pop("vni", "0"), 0) << 8 | int(kv.pop("reserved", "0"), 0))
        cut, tos = kv.pop("cut", None), kv.pop("tos", None)
        frames = packets.frames(kv, b"\x02\x57\0\0\0\1", b"\x02\x57\0\0\0\2", pattern)
        v6 = ":" in to
        sock = self.make(ns, socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((source, 0))
        if tos:
            sock.setsockopt(*((socket.IPPROTO_IPV6, socket.IPV6_TCLASS, int(tos, 0)) if v6 else
                              (socket.IPPROTO_IP, socket.IP_TOS, int(tos, 0))))

        def send():
            for frame in frames:
                data = header + frame
                sock.sendto(data[:int(cut)] if cut else data, (to, port))
        try:
            return self.aimed(kv, target, send)
        finally:
            sock.close()

    # looking on

    def do_capture(self, name, ns, dev):
        self.captures[name] = Capture(self, ns, dev)
        return ""

    def do_seen(self, name, regex, by="1"):
        capture, found = self.captures[name], []

        def done():
            found[:] = [line for line in capture.lines if re.search(regex, line)]
            return len(found) >= int(by)
        try:
            self.until(done)
        except No:
            raise No("not among: " + " ; ".join(capture.lines[-20:]))
        return found[0]

    def do_unseen(self, name, regex):
        """Was not there; what came after it was waited for."""
        for _ in range(3):
            self.turn(0)
        found = [line for line in self.captures[name].lines if re.search(regex, line)]
        if found:
            raise No("seen: " + found[0])
        return ""

    def do_weigh(self, name, *regexes):
        """Of what matches each: packets, and bytes from the IP header on."""
        for _ in range(3):
            self.turn(0)
        answer = []
        for regex in regexes:
            found = [line for line in self.captures[name].lines if re.search(regex, line)]
            size = sum(int(re.search(r" len (\d+) ", line)[1]) for line in found)
            answer += ["%d %d" % (len(found), size)]
        return " ".join(answer)

    def do_uncapture(self, name):
        capture = self.captures.pop(name)
        self.unwatch(capture.sock)
        capture.sock.close()
        return ""

    # transactions

    def do_txn(self, node, end):
        """Policies are flushed in a transaction, and it is not, or it is, made true."""
        begin, commit, abort, flush = 2, 3, 4, 17
        client, other = Genl(self, node), Genl(self, node)
        client.call(client.family, begin, b"", 0)
        client.call(client.family, flush, b"", 0)
        if end == "commit":
            client.call(client.family, commit, b"", 0)
        elif end == "abort":
            client.call(client.family, abort, b"", 0)
        elif end == "busy":
            try:
                other.call(other.family, flush, b"", 0)
                raise No("changed under a transaction of another")
            except No as why:
                if os.strerror(errno.EBUSY) not in str(why):
                    raise
        client.sock.close()
        other.sock.close()
        return ""

    def do_churn(self, node, proto, vip, port, addr, to, count, *names):
        """A backend comes and goes, COUNT changes of their own; those opened as NAMES talk on."""
        client, new, gone, create = Genl(self, node), 21, 22, 0x600
        what = b"".join(packets.attr(i + 1, value) for i, value in enumerate((
            ipaddress.ip_address(self.addr(vip)).packed, struct.pack("=H", int(port)),
            bytes([{"tcp": 6, "udp": 17}[proto]]), ipaddress.ip_address(self.addr(addr)).packed,
            struct.pack("=H", int(to)))))
        for i in range(int(count)):
            client.call(client.family, gone if i % 2 else new, what, 0 if i % 2 else create)
            if i % 50 == 0:
                for name in names:
                    self.do_talk(name)
        client.sock.close()
        return ""

    # traffic without end

    def do_flood(self, name, ns, dst, port, size="64"):
        sock = self.connect(ns, "udp", dst, port)
        data = pattern(int(size))

        def burst():
            for _ in range(8):
                try:
                    sock.send(data)
                except OSError:
                    pass
            try:
                while True:
                    sock.recv(65536)
            except OSError:
                pass
        self.floods[name] = burst
        return ""

    def do_unflood(self, name):
        self.floods.pop(name)
        return ""

    # the rest

    def do_sysctl(self, ns, *settings):
        self.enter(ns)
        try:
            for setting in settings:
                key, _, value = setting.partition("=")
                with open("/proc/sys/" + key.replace(".", "/"), "w", encoding="ascii") as f:
                    f.write(value)
        finally:
            self.leave()
        return ""

    def explain(self, node, src, dst, proto, dport=None, sport=None):
        words = [WATTLECTL, "-n", "wt-" + node, "-j", "explain", "src", self.addr(src),
                 "dst", self.addr(dst), "proto", proto]
        words += ["dport", str(dport)] if dport else []
        words += ["sport", str(sport)] if sport else []
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise No("explain: " + done.stderr.strip())
        answer = json.loads(done.stdout)
        return answer[0] if isinstance(answer, list) else answer

    def do_explain(self, node, src, dst, proto, dport="", *wanted):
        """explain NODE SRC DST PROTO DPORT KEY=VALUE...: VALUE null, true, text, - none; KEY a.b"""
        answer = self.explain(node, src, dst, proto, dport)
        for want in wanted:
            key, _, value = want.partition("=")
            got = answer
            for step in key.split("."):
                if value == "-" and step not in got:
                    got = "-"
                    break
                if not isinstance(got, dict) or step not in got:
                    raise No("no %s in %s" % (key, json.dumps(answer)))
                got = got[step]
            got = json.dumps(got) if not isinstance(got, str) else got
            if not re.fullmatch(value, got):
                raise No("%s is %s: %s" % (key, got, json.dumps(answer)))
        return json.dumps(answer)

    def do_json(self, node, path, *words):
        """json NODE PATH WORDS...: what wattlectl -j WORDS says, an element of it: a.0.b, or all"""
        done = subprocess.run([WATTLECTL, "-n", "wt-" + node, "-j", *words],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise No(done.stderr.strip())
        got = json.loads(done.stdout)
        for step in [step for step in path.split(".") if step]:
            got = got[int(step)] if isinstance(got, list) else got[step]
        return json.dumps(got)

    # the conversation

    def answer(self, line):
        words = line.split("\t")
        args = [w for w in words[1:] if not re.match(r"[a-z]+=", w)]
        kv = dict(w.split("=", 1) for w in words[1:] if re.match(r"[a-z]+=", w))
        if words[0] in ("explain", "sysctl", "seen", "unseen", "weigh", "json"):
            args, kv = words[1:], {}
        try:
            return "ok %s" % getattr(self, "do_" + words[0])(*args, **kv)
        except No as why:
            return "no %s" % why
        except Exception as why:        # pylint: disable=broad-except
            return "no %s: %r" % (" ".join(words), why)

    def run(self):
        while True:
            if not self.turn(None):
                continue
            data = os.read(0, 65536)
            if not data:
                return
            self.input += data
            while b"\n" in self.input:
                line, _, self.input = self.input.partition(b"\n")
                print(self.answer(line.decode()).replace("\n", " "), flush=True)


if __name__ == "__main__":
    Agent().run()
