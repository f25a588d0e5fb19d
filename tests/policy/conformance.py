#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
The cases that Kubernetes' own conformance tests of network policy try, told anew: nine
pods in three namespaces, TCP, UDP and SCTP on two ports, IPv4 and IPv6. Each has its
policies, and the reach that the documentation promises as a sentence in Python.

conformance.py TOOL: asks `policy check` about every pair; TAP.
"""
import itertools
import json
import subprocess
import sys

PROTOS = ("TCP", "UDP", "SCTP")
PORTS = (80, 81, 82)


class Pod:
    def __init__(self, ns, name):
        self.ns, self.name = ns, name
        self.full = ns + "/" + name
        n, p = "xyz".index(ns), "abc".index(name)
        self.ips = [f"10.{n + 1}.0.{p + 1}", f"fd00:{n + 1}::{p + 1}"]


ALL = [Pod(ns, name) for ns in "xyz" for name in "abc"]


def cluster(pods=None, spaces=None, host=()):
    """@pods, @spaces: other labels, by name; @host: pods on their node's network."""
    items = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": ns, "labels": {"ns": ns, "kubernetes.io/metadata.name": ns, **(spaces or {}).get(ns, {})}}}
        for ns in "xyz"]
    for i, pod in enumerate(ALL):
        ports = [{"containerPort": n, "protocol": p, "name": f"serve-{n}-{p.lower()}"}
                 for n in (80, 81) for p in PROTOS]
        items.append({"apiVersion": "v1", "kind": "Pod", "metadata": {
            "name": pod.name, "namespace": pod.ns, "labels": {"pod": pod.name, **(pods or {}).get(pod.full, {})}},
            "spec": {"nodeName": f"n{i % 2 + 1}", "hostNetwork": pod.full in host,
                     "containers": [{"name": "c", "ports": ports}]},
            "status": {"phase": "Running", "podIP": pod.ips[0], "podIPs": [{"ip": a} for a in pod.ips]}})
    return items


def policy(name, ns, **spec):
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": ns}, "spec": {"podSelector": {}, **spec}}


def pod(**labels): return {"podSelector": {"matchLabels": labels}}
def space(**labels): return {"namespaceSelector": {"matchLabels": labels}}
def target(name): return {"podSelector": {"matchLabels": {"pod": name}}}
def exprs(key, operator, *values):
    return {"matchExpressions": [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}]}
def block(cidr, *excepts): return {"ipBlock": {"cidr": cidr, "except": list(excepts)}}
def port(n=None, proto=None, end=None):
    return {k: v for k, v in (("port", n), ("protocol", proto), ("endPort", end)) if v is not None}


DENY_IN = policy("deny-in", "x", policyTypes=["Ingress"])
DENY_OUT = policy("deny-out", "x", policyTypes=["Egress"])
DENY = policy("deny", "x", policyTypes=["Ingress", "Egress"])
OPEN_IN, OPEN_OUT = policy("open-in", "x", ingress=[{}]), policy("open-out", "x", egress=[{}], policyTypes=["Egress"])
TO_A = {**target("a")}
DEFAULT = "kubernetes.io/metadata.name"

CASES = []


def case(name, policies, promise, **how):
    CASES.append((name, policies, promise, how))


# s, d: sender and receiver; p, n: protocol and port of it ---------------------------------
case("nothing is isolated without a policy", [], lambda s, d, p, n: True)
case("deny all ingress of a namespace", [DENY_IN], lambda s, d, p, n: d.ns != "x")
case("deny all egress of a namespace", [DENY_OUT], lambda s, d, p, n: s.ns != "x")
case("deny both", [DENY], lambda s, d, p, n: s.ns != "x" and d.ns != "x")
case("the same by default, with egress rules", [policy("p", "x", egress=[])],
     lambda s, d, p, n: d.ns != "x")
case("policyTypes empty", [policy("p", "x", policyTypes=[])], lambda s, d, p, n: d.ns != "x")
case("one pod is open, the rest of its namespace is not",
     [DENY_IN, policy("p", "x", **TO_A, ingress=[{}])], lambda s, d, p, n: d.ns != "x" or d.name == "a")
case("from pods of the namespace", [policy("p", "x", **TO_A, ingress=[{"from": [pod(pod="b")]}])],
     lambda s, d, p, n: d.full != "x/a" or s.full == "x/b")
case("from all namespaces", [DENY_IN, policy("p", "x", **TO_A, ingress=[{"from": [{"namespaceSelector": {}}]}])],
     lambda s, d, p, n: d.ns != "x" or d.name == "a")
case("from another namespace", [policy("p", "x", **TO_A, ingress=[{"from": [space(ns="y")]}])],
     lambda s, d, p, n: d.full != "x/a" or s.ns == "y")
case("pods by matchExpressions", [policy("p", "x", **TO_A, ingress=[{"from": [
     {"podSelector": exprs("pod", "In", "b", "q")}]}])], lambda s, d, p, n: d.full != "x/a" or s.full == "x/b")
case("namespaces by matchExpressions", [policy("p", "x", **TO_A, ingress=[{"from": [
     {"namespaceSelector": exprs("ns", "In", "y", "z")}]}])], lambda s, d, p, n: d.full != "x/a" or s.ns in "yz")
case("pods or namespaces", [policy("p", "x", **TO_A, ingress=[{"from": [pod(pod="b"), space(ns="y")]}])],
     lambda s, d, p, n: d.full != "x/a" or s.full == "x/b" or s.ns == "y")
case("pods and namespaces", [policy("p", "x", **TO_A, ingress=[{"from": [{**pod(pod="b"), **space(ns="y")}]}])],
     lambda s, d, p, n: d.full != "x/a" or s.full == "y/b")
case("many of both", [policy("p", "x", **TO_A, ingress=[{"from": [
     {"namespaceSelector": exprs("ns", "NotIn", "x"), "podSelector": exprs("pod", "NotIn", "c")}, pod(pod="b")]}])],
     lambda s, d, p, n: d.full != "x/a" or s.full == "x/b" or (s.ns != "x" and s.name != "c"))
case("any pod of the namespace", [policy("p", "x", **TO_A, ingress=[{"from": [{"podSelector": {}}]}])],
     lambda s, d, p, n: d.full != "x/a" or s.ns == "x")
case("Exists and DoesNotExist", [policy("p", "x", **TO_A, ingress=[{"from": [
     {"namespaceSelector": exprs("ns", "Exists"), "podSelector": exprs("tier", "DoesNotExist")}]}])],
     lambda s, d, p, n: d.full != "x/a" or s.full != "y/b", pods={"y/b": {"tier": ""}})
case("NotIn where the key is missing", [policy("p", "x", **TO_A, ingress=[{"from": [
     {"namespaceSelector": {}, "podSelector": exprs("tier", "NotIn", "web")}]}])],
     lambda s, d, p, n: d.full != "x/a" or s.full != "y/b", pods={"y/b": {"tier": "web"}, "y/c": {"tier": "db"}})
case("all requirements together", [policy("p", "x", ingress=[], podSelector={
     "matchLabels": {"pod": "a"}, "matchExpressions": [{"key": "pod", "operator": "NotIn", "values": ["a"]}]})],
     lambda s, d, p, n: True)
case("a namespace by its name", [policy("p", "x", ingress=[{"from": [
     {"namespaceSelector": {"matchLabels": {DEFAULT: "y"}}}]}])], lambda s, d, p, n: d.ns != "x" or s.ns == "y")
case("namespaces that are not of a name", [policy("p", "x", ingress=[{"from": [
     {"namespaceSelector": exprs(DEFAULT, "NotIn", "y")}]}])], lambda s, d, p, n: d.ns != "x" or s.ns != "y")
case("deny from other namespaces", [policy("p", "x", ingress=[{"from": [{"podSelector": {}}]}])],
     lambda s, d, p, n: d.ns != "x" or s.ns == "x")
case("a port", [policy("p", "x", **TO_A, ingress=[{"from": [space(ns="y")], "ports": [port(81)]}])],
     lambda s, d, p, n: d.full != "x/a" or (s.ns == "y" and p == "TCP" and n == 81))
case("two ports of two policies", [policy("p", "x", ingress=[{"ports": [port(80)]}]),
     policy("q", "x", **TO_A, ingress=[{"ports": [port(81)]}])],
     lambda s, d, p, n: d.ns != "x" or (p == "TCP" and (n == 80 or (n == 81 and d.name == "a"))))
case("two rules of one policy", [policy("p", "x", ingress=[{"ports": [port(80)]}, {"from": [space(ns="y")]}])],
     lambda s, d, p, n: d.ns != "x" or s.ns == "y" or (p == "TCP" and n == 80))
case("open to all", [OPEN_IN], lambda s, d, p, n: True)
case("open to all wins, ingress", [DENY_IN, OPEN_IN], lambda s, d, p, n: True)
case("open to all wins, egress", [DENY_OUT, OPEN_OUT], lambda s, d, p, n: True)
case("what opens ingress leaves egress closed", [DENY, OPEN_IN], lambda s, d, p, n: s.ns != "x")
for proto in PROTOS:
    name = "serve-81-" + proto.lower()
    case(f"a port by name, {proto}", [policy("p", "x", **TO_A, ingress=[{"ports": [port(name, proto)]}])],
         lambda s, d, p, n, proto=proto: d.full != "x/a" or (p == proto and n == 81))
    case(f"a port by name from a namespace, {proto}", [policy("p", "x", **TO_A, ingress=[
         {"from": [space(ns="y")], "ports": [port(name, proto)]}])],
         lambda s, d, p, n, proto=proto: d.full != "x/a" or (s.ns == "y" and p == proto and n == 81))
    case(f"egress to a port by name, {proto}", [policy("p", "x", **TO_A, policyTypes=["Egress"], egress=[
         {"ports": [port(name, proto)]}])], lambda s, d, p, n, proto=proto: s.full != "x/a" or (p == proto and n == 81))
    case(f"one protocol and no other, {proto}", [policy("p", "x", ingress=[{"ports": [port(80, proto)]}])],
         lambda s, d, p, n, proto=proto: d.ns != "x" or (p == proto and n == 80))
    case(f"any port of a protocol, {proto}", [policy("p", "x", ingress=[{"ports": [port(proto=proto)]}])],
         lambda s, d, p, n, proto=proto: d.ns != "x" or p == proto)
    case(f"a range of ports, {proto}", [policy("p", "x", policyTypes=["Egress"], egress=[{"ports": [port(81, proto, 90)]}])],
         lambda s, d, p, n, proto=proto: s.ns != "x" or (p == proto and n >= 81))
case("a name of one protocol means no other", [policy("p", "x", ingress=[{"ports": [port("serve-81-udp", "TCP")]}])],
     lambda s, d, p, n: d.ns != "x")
case("egress to pods of a namespace", [policy("p", "x", **TO_A, policyTypes=["Egress"], egress=[
     {"to": [{**pod(pod="a"), **space(ns="y")}]}])], lambda s, d, p, n: s.full != "x/a" or d.full == "y/a")
case("deny egress of pods", [policy("p", "x", **TO_A, policyTypes=["Egress"])], lambda s, d, p, n: s.full != "x/a")
case("egress is denied though ingress is not", [policy("p", "x", **TO_A, policyTypes=["Egress"]),
     policy("q", "y", ingress=[{"from": [space(ns="x")]}])],
     lambda s, d, p, n: s.full != "x/a" and (d.ns != "y" or s.ns == "x"))
case("ingress and egress in one policy", [policy("p", "x", **TO_A, policyTypes=["Ingress", "Egress"],
     ingress=[{"from": [space(ns="y")]}], egress=[{"to": [space(ns="z")]}])],
     lambda s, d, p, n: (d.full != "x/a" or s.ns == "y") and (s.full != "x/a" or d.ns == "z"))
case("directions are apart", [policy("p", "x", **TO_A, ingress=[{"from": [pod(pod="b")]}]),
     policy("q", "x", **TO_A, policyTypes=["Egress"], egress=[{"to": [pod(pod="b"), pod(pod="c")]}])],
     lambda s, d, p, n: (d.full != "x/a" or s.full == "x/b") and (s.full != "x/a" or d.full in ("x/b", "x/c")))
case("a section that policyTypes does not name", [policy("p", "x", policyTypes=["Egress"], ingress=[], egress=[{}])],
     lambda s, d, p, n: True)
case("egress to a prefix", [policy("p", "x", **TO_A, policyTypes=["Egress"], egress=[
     {"to": [block("10.2.0.2/32"), block("fd00:2::2/128")]}])], lambda s, d, p, n: s.full != "x/a" or d.full == "y/b")
case("but for exceptions", [policy("p", "x", **TO_A, policyTypes=["Egress"], egress=[
     {"to": [block("10.2.0.0/24", "10.2.0.2/32"), block("fd00:2::/64", "fd00:2::2/128")]}])],
     lambda s, d, p, n: s.full != "x/a" or (d.ns == "y" and d.name != "b"))
case("an exception of one that another allows", [policy("p", "x", **TO_A, policyTypes=["Egress"], egress=[
     {"to": [block("10.2.0.0/24", "10.2.0.2/32"), block("fd00:2::/64", "fd00:2::2/128")]}]),
     policy("q", "x", **TO_A, policyTypes=["Egress"], egress=[
     {"to": [block("10.2.0.2/32"), block("fd00:2::2/128")]}])], lambda s, d, p, n: s.full != "x/a" or d.ns == "y")
case("ingress from everywhere but a namespace's prefix", [policy("p", "x", ingress=[
     {"from": [block("0.0.0.0/0", "10.2.0.0/16"), block("::/0", "fd00:2::/64")]}])],
     lambda s, d, p, n: d.ns != "x" or s.ns != "y")
case("labels of a pod that changed: selected", [policy("p", "x", podSelector={"matchLabels": {"new": "1"}})],
     lambda s, d, p, n: d.full != "x/b", pods={"x/b": {"new": "1"}})
case("labels of a pod that changed: allowed", [policy("p", "x", **TO_A, ingress=[
     {"from": [{"namespaceSelector": {}, **pod(new="1")}]}])],
     lambda s, d, p, n: d.full != "x/a" or s.full == "z/c", pods={"z/c": {"new": "1"}})
case("labels of a namespace that changed", [policy("p", "x", ingress=[{"from": [space(ns2="updated")]}])],
     lambda s, d, p, n: d.ns != "x" or s.ns == "y", spaces={"y": {"ns2": "updated"}})
case("policies of three namespaces", [policy("p", ns, ingress=[{"from": [pod(pod="a")]}]) for ns in "xyz"],
     lambda s, d, p, n: s.ns == d.ns and s.name == "a")
case("pods on their node's network are not meant", [DENY_IN, policy("p", "y", ingress=[{"from": [space(ns="x")]}])],
     lambda s, d, p, n: d.ns != "x" and (d.ns != "y" or s.ns == "x"), host={"x/c"})


def allows(words, proto, n):
    for word in words:
        name, _, ports = word.partition("/")
        low, _, high = ports.partition("-")
        if word == "any" or (name == proto.lower() and (not ports or int(low) <= n <= int(high or low))):
            return True
    return False


def wrong(tool, policies, promise, how):
    items = cluster(**how) + policies
    out = subprocess.run([tool, "-j", "policy", "check", "-f", "-"], capture_output=True, text=True,
                         input=json.dumps({"kind": "List", "apiVersion": "v1", "items": items}))
    if out.returncode:
        return [out.stderr.strip()]
    rows = {}
    for row in json.loads(out.stdout):
        rows.setdefault((row["from"], row["to"]), []).append(row["allowed"])
    faults = []
    there = [p for p in ALL if p.full not in how.get("host", ())]
    for s, d in itertools.permutations(there, 2):
        for p, n in itertools.product(PROTOS, PORTS):
            want = promise(s, d, p, n)
            if not rows.get((s.full, d.full)) or any(allows(w, p, n) != want for w in rows[s.full, d.full]):
                faults.append(f"{s.full} to {d.full}:{n}/{p} should {'pass' if want else 'not pass'}")
    return faults


def main():
    for number, (name, policies, promise, how) in enumerate(CASES, 1):
        faults = wrong(sys.argv[1], policies, promise, how)
        print("not ok" if faults else "ok", number, "-", name)
        for fault in faults[:5]:
            print("#", fault)
    print(f"1..{len(CASES)}")


main()
