#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Who may talk to whom. What the traffic shows, explain says on both nodes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/traffic.bash"

rule() { local node=$1; shift; w "$node" policy "$@" || not_ok "policy $*"; }
# Only the policies of now.
fresh() { w n1 policy flush; w n2 policy flush; }

world 4
for p in $PODS1 $PODS2 n1 n2; do
	for port in 80 81 8005; do ask serve "$p" tcp $port; done
	ask serve "$p" udp 53
done
for p in p1b p2a; do ! modprobe -q sctp || ask serve $p sctp 80; done

# Nothing said: everything passes ------------------------------------------------------
passes "no policy: TCP" p1a p2a tcp 80
passes "no policy: TCP over IPv6" p1a p2a/6 tcp 80
passes "no policy: UDP" p2b p1a udp 53
passes "no policy: ping" p1a p2b ping
passes "no policy: pods of one node" p1a p1b tcp 81

# A rule that selects a pod closes its direction ------------------------------------------
rule n2 add id 401 ingress peer id 301 proto tcp port 80 allow
for f in "" /6; do
	v=${f:+ over IPv6}
	passes "the peer of the rule$v" p1a "p2a$f" tcp 80
	blocks "another port$v" p1a "p2a$f" tcp 81 n2 policy_ingress
	blocks "another protocol$v" p1a "p2a$f" udp 53 n2 policy_ingress
	blocks "a ping$v" p1a "p2a$f" ping "" n2 policy_ingress
	blocks "another peer$v" p1b "p2a$f" tcp 80 n2 policy_ingress
	blocks "another peer of the same node$v" p2b "p2a$f" tcp 80 n2 policy_ingress
	blocks "another node$v" n1 "p2a$f" tcp 80 n2 policy_ingress
	passes "the other direction is open$v" p2a "p1a$f" tcp 81
	passes "the other pod is open$v" p1a "p2b$f" tcp 81
	check "its own node always may$v" ask tcp n2 "p2a$f" 81
	check "its own node pings it$v" ask ping n2 "p2a$f"
done
check "explain lets its own node" ask explain n2 n2 p2a tcp 81 verdict=allow
check "explain names the rule" ask explain n2 p1a p2a tcp 80 verdict=allow src_identity=301 \
	dst_identity=401 ingress.enforced=true ingress.verdict=allow egress=null 'ingress.rule=.*301.*'
check "explain says that none matched" ask explain n2 p1a p2a tcp 81 verdict=deny \
	reason=policy_ingress ingress.enforced=true ingress.verdict=deny ingress.rule=null

ask capture silent p1a eth0 >/dev/null
ask blocked n2 policy_ingress p1a udp p2a 53 >/dev/null
ask ping p1a p2b >/dev/null
check "a denial is silent" ask unseen silent "10.2.0.7 > 10.1.0.5"
ask uncapture silent >/dev/null

# Ranges, any peer, prefixes --------------------------------------------------------------
rule n2 add id 401 ingress peer id 301 proto tcp port 8000-8010 allow
passes "a range" p1a p2a tcp 8005
blocks "beyond the range" p1a p2a tcp 8011 n2 policy_ingress
check "its first port" ask explain n2 p1a p2a tcp 8000 verdict=allow
check "its last port" ask explain n2 p1a p2a tcp 8010 verdict=allow
check "before its first" ask explain n2 p1a p2a tcp 7999 verdict=deny
rule n2 add id 401 ingress peer any proto udp port 53 allow
passes "any peer" p1b p2a udp 53
passes "any peer, a node" n1 p2a udp 53
rule n2 add id 401 ingress peer 10.1.0.6/32 proto tcp port 81 allow
passes "a prefix matches a pod" p1b p2a tcp 81
blocks "which is not all of them" p1a p2a tcp 81 n2 policy_ingress
rule n2 add id 401 ingress peer fd00:1::/64 proto tcp port 81 allow
passes "an IPv6 prefix" p1a p2a/6 tcp 81
rule n2 del id 401 ingress peer fd00:1::/64 proto tcp port 81 allow
blocks "and no more" p1a p2a/6 tcp 81 n2 policy_ingress
rule n2 add id 401 ingress peer 10.1.0.0/24 outside proto tcp port 81 allow
blocks "a prefix that means only what is outside" p1a p2a tcp 81 n2 policy_ingress
rule n2 add id 401 ingress peer id 302 proto sctp allow
if modprobe -q sctp; then
	passes "all of a protocol" p1b p2a sctp 80
	blocks "not for others" p1a p2a sctp 80 n2 policy_ingress
else
	skip "all of a protocol" "no SCTP in this kernel"
fi
rule n2 add id 401 ingress peer id 302 allow
passes "everything from a peer: ping" p1b p2a ping
passes "everything from a peer: TCP" p1b p2a tcp 80

# ICMP -----------------------------------------------------------------------------------
fresh
rule n2 add id 401 ingress peer any proto icmp type 8 allow
passes "echo requests" p1a p2a ping
blocks "not those of IPv6" p1a p2a/6 ping "" n2 policy_ingress
check "another type" ask emit p1a src=p1a dst=p2a proto=icmp type=13 drop=n2:policy_ingress
rule n2 add id 401 ingress peer any proto icmpv6 type 128 code 0 allow
passes "echo requests of IPv6" p1a p2a/6 ping

# Deny over allow, priorities ------------------------------------------------------------
fresh
rule n2 add id 401 ingress peer id 301 proto tcp port 80 allow
rule n2 add id 401 ingress peer any proto tcp deny
blocks "a wide denial beats a narrow permission" p1a p2a tcp 80 n2 deny_ingress
rule n2 add id 401 ingress peer id 301 proto tcp port 81 allow priority 1
rule n2 del id 401 ingress peer id 0 proto tcp deny
rule n2 add id 401 ingress peer any proto tcp deny priority 5
blocks "the smallest number decides: others" p1b p2a tcp 81 n2 deny_ingress
passes "the smallest number decides: allow" p1a p2a tcp 81
passes "that of no number is 0" p1a p2a tcp 80
rule n2 add id 401 ingress peer any proto tcp port 81 deny priority 1
blocks "at the same number denial decides" p1a p2a tcp 81 n2 deny_ingress
fresh
rule n2 add id 401 ingress peer id 301 allow
rule n2 add id 401 ingress peer 10.1.0.5/32 deny
blocks "a prefix that denies a pod" p1a p2a tcp 80 n2 deny_ingress
rule n2 del id 401 ingress peer 10.1.0.5/32 deny
passes "when it is gone" p1a p2a tcp 80

# The host ---------------------------------------------------------------------------------
rule n2 add id 401 ingress peer any deny
check "a node's own programs are not any peer" ask tcp n2 p2a 80
check "explain: neither" ask explain n2 n2 p2a tcp 80 verdict=allow src_identity=1
rule n2 add id 401 ingress peer id 1 deny
check "but by name they are denied" ask blocked n2 deny_ingress n2 tcp p2a 80
check "explain: by name" ask explain n2 n2 p2a tcp 80 verdict=deny reason=deny_ingress

# Egress, decided where the sender is ---------------------------------------------------------
fresh
rule n1 add id 301 egress peer id 401 proto tcp port 80 allow
for f in "" /6; do
	v=${f:+ over IPv6}
	passes "egress: the peer$v" p1a "p2a$f" tcp 80
	blocks "egress: another port$v" p1a "p2a$f" tcp 81 n1 policy_egress
	blocks "egress: another peer$v" p1a "p2b$f" tcp 80 n1 policy_egress
	blocks "egress: a pod here$v" p1a "p1b$f" tcp 80 n1 policy_egress
	blocks "egress: its own node$v" p1a "n1$f" tcp 80 n1 policy_egress
	blocks "egress: another node$v" p1a "n2$f" tcp 80 n1 policy_egress
	blocks "egress: the outside$v" p1a "net$f" tcp 80 n1 policy_egress
	passes "egress: others may reach it, and are answered$v" p2b "p1a$f" tcp 81
	passes "egress: its neighbour is open$v" p1b "p2a$f" tcp 81
done
rule n1 add id 301 egress peer 192.0.2.0/24 proto udp port 53 allow
passes "egress: a prefix with nodes in it" p1a n2 udp 53
rule n1 add id 301 egress peer id 401 proto tcp port 80 deny
blocks "egress: denied" p1a p2a tcp 80 n1 deny_egress
fresh
rule n1 add id 301 egress peer id 302 proto tcp port 80 allow
rule n1 add id 302 ingress peer id 301 proto tcp port 81 allow
blocks "both sides must allow: the receiver does not" p1a p1b tcp 80 n1 policy_ingress
blocks "both sides must allow: the sender does not" p1a p1b tcp 81 n1 policy_egress
rule n1 add id 302 ingress peer id 301 proto tcp port 80 allow
passes "both allow" p1a p1b tcp 80

# Replies, errors ---------------------------------------------------------------------------
fresh
rule n1 add id 301 egress peer id 401 proto udp allow
rule n1 add id 301 ingress peer id 400 allow
rule n2 add id 401 ingress peer id 301 proto udp allow
rule n2 add id 401 egress peer id 400 allow
passes "replies need no rule" p1a p2a udp 53
equals "nor do errors" "refused 10.2.0.7" "$(ask udp p1a p2a 5353)"
equals "nor those of IPv6" "refused fd00:2::7" "$(ask udp p1a p2a/6 5353)"
check "an error that belongs to nothing" ask emit p2a src=p2a dst=p1a proto=icmp type=3 code=3 \
	drop=n2:conntrack

# A change acts on the next packet ------------------------------------------------------------
fresh
rule n2 add id 401 ingress peer id 301 proto tcp port 80 allow
rule n2 add id 401 ingress peer id 301 proto udp port 53 allow
check "a connection" ask open tcp p1a tcp p2a 80
check "a conversation" ask open udp p1a udp p2a 53
check "which talks" ask talk tcp size=50000
check "and the other" eval 'for i in 1 2 3; do ask talk udp || exit; done'
rule n2 del id 401 ingress peer id 301 proto udp port 53 allow
check "is cut when no rule allows it any more" ask cut udp n2 policy_ingress
check "its neighbour is not" ask talk tcp size=50000
rule n2 add id 401 ingress peer id 301 deny
check "is cut by a denial" ask cut tcp n2 deny_ingress
rule n2 del id 401 ingress peer id 301 deny
check "what it said meanwhile is answered when it is gone" ask drain tcp 32
check "and it goes on" ask talk tcp size=5000
ask close tcp >/dev/null
ask close udp >/dev/null
check "a connection, the sender's side" ask open udp p1a udp p2b 53
check "talks" eval 'for i in 1 2 3; do ask talk udp || exit; done'
rule n1 add id 301 egress peer id 401 allow
check "and is cut there" ask cut udp n1 policy_egress
ask close udp >/dev/null

# What rules count ---------------------------------------------------------------------------
counted() # NODE REGEX: packets and bytes of the rule
{
	w "$1" -j policy show | jq -c --arg r "$2" '.[] | select(.rule | test($r)) | [.packets, .bytes]'
}
says() { for _ in $(seq "$2"); do ask talk "$1" >/dev/null || return; done; }
fresh
rule n1 add id 301 egress peer id 401 allow
rule n2 add id 401 ingress peer id 301 proto udp port 53 allow
rule n2 add id 401 ingress peer any proto udp deny priority 9
rule n2 add id 401 ingress peer any proto tcp deny
check "a conversation that rules count" ask open udp p1a udp p2a 53
check "of 21 packets" says udp 20
equals "the rule that lets it in has counted them" "[21,1232]" "$(counted n2 'id 301 proto udp')"
equals "and the one that lets it out" "[21,1232]" "$(counted n1 'id 401')"
for _ in 1 2 3; do ask blocked n2 deny_ingress p1b udp p2a 53 >/dev/null; done
equals "a rule that denies counts what it drops" "[3,180]" "$(counted n2 'proto udp deny')"
equals "a rule that met nothing counts nothing" "[0,0]" "$(counted n2 'proto tcp deny')"
equals "and the others no more" "[21,1232]" "$(counted n2 'id 301 proto udp')"
rule n2 add id 401 ingress peer id 302 proto udp port 54 allow
check "others change" says udp 4
equals "a rule that stays goes on" "[25,1472]" "$(counted n2 'id 301 proto udp')"
w n2 <<-END
policy del id 401 ingress peer id 301 proto udp port 53 allow
policy add id 401 ingress peer 10.1.0.5/32 proto udp port 53 allow
END
check "a rule in the place of another" says udp 5
equals "begins at nothing" "[5,300]" "$(counted n2 '10.1.0.5.*port 53')"
equals "the sender's has counted all" "[30,1772]" "$(counted n1 'id 401')"
w n2 flow flush
equals "what the flow cache forgets is counted" "[5,300]" "$(counted n2 '10.1.0.5.*port 53')"
ask close udp >/dev/null

# The endpoint says so ---------------------------------------------------------------------------
fresh
again_p2b() { w n2 endpoint replace p2b pod test/p2b ip 10.2.0.8 ip fd00:2::8 id 402 enforce "$1"; }
check "enforce ingress" again_p2b ingress
blocks "enforced without a rule: ingress" p1a p2b tcp 80 n2 policy_ingress
passes "but not egress" p2b p1a tcp 80
check "enforce both" again_p2b both
blocks "enforced without a rule: egress" p2b p1a tcp 80 n2 policy_egress
check "enforce none" again_p2b none
passes "open again" p1a p2b tcp 80
passes "in both directions" p2b p1a tcp 80

# An identity that the peer takes on ---------------------------------------------------------------
rule n2 add id 401 ingress peer id 777 proto tcp port 80 allow
blocks "before" p1b p2a tcp 80 n2 policy_ingress
w n2 identity replace 10.1.0.6/32 id 777
w n1 endpoint replace p1b pod test/p1b ip 10.1.0.6 ip fd00:1::6 id 777
passes "after" p1b p2a tcp 80
w n2 identity replace 10.1.0.6/32 id 302
check "the wire alone is not enough" ask blocked n2 wrong_identity p1b tcp p2a 80

finish
