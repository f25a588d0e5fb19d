# SPDX-License-Identifier: GPL-2.0-only
"""Policies exchanged under traffic: an agent that does both at once. For swap.sh.

Sets of rules are the lines of a file, "401 ingress id 301 udp 53 allow": identity,
direction, peer (any, id N, PREFIX), then perhaps protocol and ports, and the action.
Every datagram waits for its echo before the next one of its conversation goes out, so
none is lost but by us.
"""
import ipaddress
import os
import struct

import agent
import rawnl

BEGIN, COMMIT, IDENTITY_NEW, IDENTITY_DEL, POLICY_NEW, POLICY_FLUSH = 2, 3, 8, 9, 14, 17
PROTOS = {"tcp": 6, "udp": 17}
POLICY_REASONS = ("policy_ingress", "policy_egress", "deny_ingress", "deny_egress")


def prefix_attrs(text):
    net = ipaddress.ip_network(text)
    return rawnl.attr(1, net.network_address.packed) + rawnl.attr(2, struct.pack("B", net.prefixlen))


def rule(line):
    """The attribute of a rule."""
    words = line.split()
    out = [rawnl.attr(1, struct.pack("=I", int(words.pop(0)))),
           rawnl.attr(2, b"\1" if words.pop(0) == "egress" else b"\0")]
    peer = words.pop(0)
    if peer == "id":
        out.append(rawnl.attr(4, struct.pack("=I", int(words.pop(0)))))
    elif peer != "any":
        out.append(rawnl.nest(5, prefix_attrs(peer)))
    out.append(rawnl.attr(10, b"\1" if words.pop() == "allow" else b"\0"))
    if words:
        out.append(rawnl.attr(7, struct.pack("B", PROTOS[words.pop(0)])))
    if words:
        first, _, last = words.pop(0).partition("-")
        out.append(rawnl.attr(8, struct.pack("=H", int(first))))
        out.append(rawnl.attr(9, struct.pack("=H", int(last or first))))
    return rawnl.nest(1, *out)


class Tables:
    """The policies of a node, from here."""

    def __init__(self, owner, node):
        owner.enter(node)
        self.sock = rawnl.Socket()
        owner.leave()

    def change(self, *requests):
        """One transaction, in one piece; the kernel is through with it when this returns."""
        data = [self.sock.message(cmd, payload, rawnl.NLM_F_REPLACE)
                for cmd, payload in ((BEGIN, b""), *requests)]
        self.sock.send(b"".join(data) + self.sock.message(COMMIT))
        self.sock.answer()

    def rules(self, lines):
        self.change((POLICY_FLUSH, b""), *((POLICY_NEW, rule(line)) for line in lines))

    def identity(self, prefix, number):
        """@number 0: it has none any more."""
        payload = prefix_attrs(prefix)
        if number:
            payload += rawnl.attr(3, struct.pack("=I", number))
        self.change((IDENTITY_NEW if number else IDENTITY_DEL, payload))


def read_set(path):
    with open(path, encoding="ascii") as f:
        return [line for line in map(str.strip, f) if line and line[0] != "#"]


class Talk:
    """A conversation; one message of it is on its way, or none."""

    def __init__(self, owner, ns, proto, dst, port, must):
        self.name = "%s -> %s %s/%s" % (ns, dst, proto, port)
        self.owner, self.must, self.stream, self.port = owner, must, proto == "tcp", int(port)
        self.sock = owner.connect(ns, proto, dst, port)
        self.sent = self.back = 0
        self.got = b""
        if self.stream:
            owner.established(self.sock)
            owner.read(self.sock, lambda got: got.endswith(b"\n"))
        owner.watch(self.sock, self.ready)

    def say(self):
        """Those who wait for an answer say nothing; those who get none do not wait."""
        if self.must == "pass" and self.sent > self.back:
            return
        self.sent += 1
        self.sock.send(b"%8d\n" % self.sent)

    def ready(self, sock):
        try:
            data = sock.recv(4096)
        except OSError:
            return
        if self.stream:
            self.got += data
            while len(self.got) >= 9:
                self.take(self.got[:9])
                self.got = self.got[9:]
        else:
            # A datagram is told who it came from.
            self.take(data.partition(b"\n")[2])

    def take(self, data):
        self.back += 1
        if self.must == "pass" and int(data) != self.back:
            raise agent.No("%s: %r came back in the place of %d" % (self.name, data, self.back))

    def close(self):
        self.owner.unwatch(self.sock)
        self.sock.close()


class Agent(agent.Agent):
    def __init__(self):
        super().__init__()
        self.talks = []

    def do_rules(self, node, path):
        Tables(self, node).rules(read_set(path))
        return ""

    def do_talk_of(self, must, count, ns, proto, dst, port):
        """Conversations that have begun: must pass, drop, or either by turns."""
        for _ in range(int(count)):
            talk = Talk(self, ns, proto, dst, port, must)
            talk.say()
            self.until(lambda t=talk: t.back == t.sent, talk.name + " does not begin")
            self.talks.append(talk)
        return ""

    def spawn(self, times, sets):
        """Exchange the sets of all nodes, so many times, in a process of its own."""
        out, end = os.pipe()
        child = os.fork()
        if child:
            os.close(end)
            return child, out
        why = ""
        try:
            tables = {node: Tables(self, node) for node, _, _ in sets}
            for i in range(times):
                for node, a, b in sets:
                    tables[node].rules(b if i & 1 else a)
        except Exception as error:      # pylint: disable=broad-except
            why = repr(error)
        os.write(end, why.encode() or b"done")
        os._exit(0)

    def drops(self, nodes):
        return sum(self.stats(node)[reason] for node in nodes for reason in POLICY_REASONS)

    def do_swap(self, times, *sets):
        """swap TIMES NODE,FILE,FILE...: all conversations, while sets are exchanged."""
        sets = [(node, read_set(a), read_set(b)) for node, a, b in (s.split(",") for s in sets)]
        nodes = [node for node, _, _ in sets]
        before, begun = self.drops(nodes), [(talk, talk.sent, talk.back) for talk in self.talks]
        denied = {talk.port for talk in self.talks if talk.must == "drop"}
        served = sum(self.served(None, "udp", port) for port in denied)
        child, out = self.spawn(int(times), sets)
        os.set_blocking(out, False)
        said = b""
        while not said:
            for talk in self.talks:
                talk.say()
            self.turn(0)
            try:
                said = os.read(out, 4096)
            except BlockingIOError:
                pass
        os.close(out)
        os.waitpid(child, 0)
        if said != b"done":
            raise agent.No(said.decode())
        passing = [talk for talk in self.talks if talk.must == "pass"]
        try:
            self.until(lambda: all(talk.back == talk.sent for talk in passing))
        except agent.No:
            raise agent.No("lost: " + ", ".join(
                "%d of %s" % (talk.sent - talk.back, talk.name)
                for talk in passing if talk.back != talk.sent)) from None

        # What has not come back was dropped by policy, the question or the answer, and nothing
        # else was.
        def balance():
            return (self.drops(nodes) - before,
                    sum(talk.sent - sent - (talk.back - back)
                        for talk, sent, back in begun if not talk.stream))
        try:
            self.until(lambda: len(set(balance())) == 1)
        except agent.No:
            pass
        dropped, missing = balance()
        counts = {must: [0, 0] for must in ("pass", "drop", "either")}
        for talk, sent, back in begun:
            counts[talk.must][0] += talk.sent - sent
            counts[talk.must][1] += talk.back - back
        words = "passed %d of %d, denied: %d of %d passed, by turns: %d of %d; %d dropped, %d missing" % (
            counts["pass"][1], counts["pass"][0], counts["drop"][1], counts["drop"][0],
            counts["either"][1], counts["either"][0], dropped, missing)
        if sum(self.served(None, "udp", port) for port in denied) != served:
            raise agent.No("what both deny arrived: " + words)
        if counts["drop"][1] or dropped != missing:
            raise agent.No(words)
        if not (counts["pass"][0] > 500 and counts["drop"][0] > 100 and
                0 < counts["either"][1] < counts["either"][0]):
            raise agent.No("too little to tell: " + words)
        return words

    def do_forget_talks(self):
        for talk in self.talks:
            talk.close()
        self.talks.clear()
        return ""

    def next_packet(self, times, talk, node, reason, close, open_):
        """Open: the next packet arrives. Closed: the next one does not."""
        for _ in range(int(times)):
            open_()
            talk.say()
            self.until(lambda: talk.back == talk.sent, "open, and the next packet does not arrive")
            close()
            self.dropped(node, reason, talk.say)
            # It is not coming any more.
            talk.sent = talk.back
        open_()
        talk.close()
        return ""

    def do_next_rules(self, times, node, reason, allow, deny, ns, proto, dst, port):
        tables, a, b = Tables(self, node), read_set(allow), read_set(deny)
        tables.rules(a)
        talk = Talk(self, ns, proto, dst, port, "pass")
        return self.next_packet(times, talk, node, reason, lambda: tables.rules(b),
                                lambda: tables.rules(a))

    def do_next_identity(self, times, node, reason, prefix, number, ns, proto, dst, port):
        tables = Tables(self, node)
        talk = Talk(self, ns, proto, dst, port, "pass")
        return self.next_packet(times, talk, node, reason, lambda: tables.identity(prefix, 0),
                                lambda: tables.identity(prefix, int(number)))
