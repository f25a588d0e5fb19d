#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Policies exchanged under traffic: a packet sees the old set or the new one, and the next
# packet after a change sees the new one.
. "$(dirname "$0")/lib.sh"
AGENT=swap
. "$(dirname "$0")/traffic.bash"

SWAPS=${SWAPS-1000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"; wt_finish' EXIT

world 4
for p in p1b p2a; do
	ask serve $p tcp 80
	for port in 53 54 55; do ask serve $p udp $port; done
done

# Two sets for each node. What both allow they allow by other rules; what both deny one denies
# by name or on egress and the other does not, so that a mixture of them would let it pass.
cat >"$dir/n1.a" <<-END
	301 egress any udp 53 allow
	301 egress any tcp allow
	302 ingress any allow
END
cat >"$dir/n1.b" <<-END
	301 egress any allow
	302 ingress id 301 udp 50-53 allow
	302 ingress 10.1.0.0/24 tcp 80 allow
	302 ingress fd00:1::/64 tcp 80 allow
	302 ingress id 402 allow
END
cat >"$dir/n2.a" <<-END
	401 ingress any udp allow
	401 ingress id 302 udp 54 deny
	401 ingress id 402 udp 54 deny
	401 ingress id 301 tcp 80 allow
	402 egress id 302 udp allow
	402 egress id 401 allow
END
cat >"$dir/n2.b" <<-END
	401 ingress id 301 allow
	402 egress any udp 50-54 allow
END

# Fifty connections that both allow, some that both deny, one that is allowed by turns; all of
# them began before there was a policy.
begin() # PASS|DROP|EITHER COUNT FROM PROTO TO PORT
{
	check "$2 connections, $3 to $5 $4/$6" ask talk_of "$@"
}
begin pass 8 p1a udp p2a 53
begin pass 6 p1a udp p2a/6 53
begin pass 6 p1a udp p1b 53
begin pass 5 p2b udp p1b 53
begin pass 8 p1a tcp p2a 80
begin pass 5 p1a tcp p2a/6 80
begin pass 7 p1a tcp p1b 80
begin pass 5 p1a tcp p1b/6 80
begin drop 2 p1b udp p2a 54
begin drop 2 p1a udp p1b 54
begin drop 1 p1a udp p1b/6 54
begin drop 2 p2b udp p2a 54
begin either 1 p2b udp p2a 55
check "the first set on n1" ask rules n1 "$dir/n1.a"
check "and on n2" ask rules n2 "$dir/n2.a"
swapped()
{
	local words

	words=$(ask swap "$SWAPS" "n1,$dir/n1.a,$dir/n1.b" "n2,$dir/n2.a,$dir/n2.b") || {
		echo "$words"
		return 1
	}
	note "$words" >&3
}
exec 3>&1
check "$SWAPS swaps: none that both allow is dropped, none that both deny passes" swapped
ask forget_talks >/dev/null

# The next packet ------------------------------------------------------------------------------
echo "401 ingress id 301 udp 53 allow" >"$dir/allow"
echo "401 ingress id 301 udp 53 deny" >"$dir/deny"
echo "401 ingress id 302 allow" >"$dir/other"
check "denied: the next packet is cut, allowed: the next one passes" \
	ask next_rules 30 n2 deny_ingress "$dir/allow" "$dir/deny" p1a udp p2a 53
check "no longer allowed, over IPv6" \
	ask next_rules 30 n2 policy_ingress "$dir/allow" "$dir/other" p1a udp p2a/6 53
echo "301 egress id 302 udp allow" >"$dir/allow"
echo "301 egress id 401 allow" >"$dir/other"
w n2 policy flush
check "at the sender, pods of one node" \
	ask next_rules 30 n1 policy_egress "$dir/allow" "$dir/other" p1a udp p1b 53
w n1 policy flush

# A pod that is new to the others: nothing before they know who it is, all at once after.
echo "401 ingress id 302 allow" >"$dir/allow"
check "a policy for it" ask rules n2 "$dir/allow"
check "a pod of no identity passes nothing, with its identity the next packet does" \
	ask next_identity 20 n2 wrong_identity 10.1.0.6/32 302 p1b udp p2a 53

finish
