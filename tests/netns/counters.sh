#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What services and backends have carried, to the packet and the byte, and how many connections
# they have: by pods, a node's own programs and from outside, to a pod here and to one elsewhere.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/traffic.bash"

world 4
ask sysctl n1 net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
for p in $PODS1 $PODS2; do
	ask serve "$p" tcp 8080
	ask serve "$p" udp 8053
done
ask serve n1 udp 8054
ask name vip $VIP $VIP6

# A service each for a backend here and one elsewhere, and node ports for both.
{
	for f in "" /6; do
		for at in p1b p2a; do
			to=${POD4[$at]} vip=$VIP any=0.0.0.0
			[ -z "$f" ] || to="[${POD6[$at]}]" vip="[$VIP6]" any="[::]"
			[ $at = p1b ] && n=1 || n=2
			cat <<-END
			service add $vip:8$n/tcp
			backend add $vip:8$n/tcp to $to:8080
			service add $vip:9$n/udp
			backend add $vip:9$n/udp to $to:8053
			service add $any:3008$n/tcp
			backend add $any:3008$n/tcp to $to:8080
			END
		done
	done
} | w n1

# FRONTEND: packets and bytes to it, and from it; of its first backend; connections of each.
carried='\(.in_packets) \(.in_bytes) \(.out_packets) \(.out_bytes)'
of_service() { w n1 -j service show "$@" | jq -r ".[0] | \"$carried\""; }
of_backend() { w n1 -j backend show "$@" | jq -r ".[0] | \"$carried\""; }
live() { w n1 -j backend show "$@" | jq -r '[.[].live] | join(" ")'; }

# Numbers less others, one by one.
minus() { paste -d ' ' <(tr ' ' '\n' <<<"$1") <(tr ' ' '\n' <<<"$2") | awk '{ printf "%s%d", s, $1 - $2; s = " " }'; }

# Packets that the backend saw, of connections to its port: what tells whether counters are right.
saw() { ask weigh pod "^in .* tcp [0-9]+ > 8080\$" "^out .* tcp 8080 > "; }
agree()
{
	got=$(minus "$(of_backend "$1")" "$before")
	seen=$(saw)
	[ "$got" = "$seen" ] && [ "$(minus "$(of_service "$1")" "$all")" = "$seen" ]
}

# One connection, with pauses for the cache to be asked, and what it has carried when it is over.
connection() # WHAT FROM TO PORT BACKEND FRONTEND
{
	before=$(of_backend "$6")
	all=$(of_service "$6")
	ask capture pod "$5" eth0 >/dev/null
	ask open c "$2" tcp "$3" "$4" >/dev/null
	for size in 1 1000 500 1000; do ask talk c size=$size || break; done
	ask close c >/dev/null
	if eventually 60 eval "agree '$6' && [ \"\${seen%% *}\" -ge 8 ]"; then
		ok "$1"
	else
		not_ok "$1" "counted $got, the service $(minus "$(of_service "$6")" "$all"), the pod saw $(saw)"
	fi
	ask uncapture pod >/dev/null
}

everybody() # WHAT
{
	local f v vip any at n

	for f in "" /6; do
		v=${f:+ over IPv6}
		[ "$f" ] && vip="[$VIP6]" any="[::]" || vip=$VIP any=0.0.0.0
		for at in p1b p2a; do
			[ $at = p1b ] && n=1 || n=2
			connection "a pod to $at$v$1" p1a "vip$f" 8$n $at "$vip:8$n/tcp"
			connection "a node's program to $at$v$1" n1 "vip$f" 8$n $at "$vip:8$n/tcp"
			connection "from outside to $at$v$1" net "n1$f" 3008$n $at "$any:3008$n/tcp"
		done
	done
}

# Datagrams of a known size: 28 bytes of headers, or 48, and the answer has a line more.
datagrams() # WHAT FROM [/6] PORT FRONTEND
{
	local head=28 size total=0 out=0 line

	[ "$3" ] && head=48
	before=$(of_backend "$5")
	for size in 10 100 1000; do
		line=$(ask udp "$2" "vip$3" "$4" size=$size)
		total=$((total + head + size))
		out=$((out + head + size + ${#line} + 1))
	done
	equals "$1" "3 $total 3 $out" "$(minus "$(of_backend "$5")" "$before")"
}

hits=$(ask count n1 cache_hit)
everybody ""
cached "the cache had most of it" test "$(ask count n1 cache_hit)" -gt $((hits + 20))
for from in p1a n1; do
	datagrams "datagrams of $from to a pod here" $from "" 91 $VIP:91/udp
	datagrams "to one elsewhere" $from "" 92 $VIP:92/udp
	datagrams "over IPv6" $from /6 91 "[$VIP6]:91/udp"
	datagrams "and elsewhere" $from /6 92 "[$VIP6]:92/udp"
done

# A service for the outside with the same backend as the one for all: each counts its own.
w n1 <<-END
service add 0.0.0.0:30081/tcp scope outside
backend add 0.0.0.0:30081/tcp scope outside to 10.1.0.6:8080
END
before=$(of_backend 0.0.0.0:30081/tcp)
check "the service for the outside" ask tcp net n1 30081 size=100
equals "counts what is from there" "$before" "$(of_backend 0.0.0.0:30081/tcp)"
check "it alone" test "$(of_backend 0.0.0.0:30081/tcp scope outside)" != "0 0 0 0"
before=$(of_backend 0.0.0.0:30081/tcp scope outside)
check "from inside" ask tcp p1a n1 30081 size=100
equals "it does not count" "$before" "$(of_backend 0.0.0.0:30081/tcp scope outside)"

# A backend in the host's network: of pods both directions are seen, of others none.
w n1 <<-END
service add $VIP:93/udp
backend add $VIP:93/udp to $N1:8054
END
datagrams "a pod to a backend that is the host" p1a "" 93 $VIP:93/udp
before=$(of_backend $VIP:93/udp)
check "the host itself" ask udp n1 vip 93
equals "is not seen" "$before" "$(of_backend $VIP:93/udp)"

# What does not change a counter: no cache, other settings, other backends.
before=$(of_service $VIP:81/tcp)
w n1 flow flush
equals "counters outlive the cache" "$before" "$(of_service $VIP:81/tcp)"
w n1 service replace $VIP:81/tcp alg maglev
w n1 backend set $VIP:81/tcp to 10.1.0.6:8080 weight 7
equals "and settings" "$before" "$(of_backend $VIP:81/tcp)"
ask open c p1a tcp vip 81 >/dev/null
for i in 1 2 3; do ask talk c size=1000; done
before=$(of_backend $VIP:81/tcp)
w n1 backend set $VIP:81/tcp to 10.1.0.6:8080 state terminating
ask talk c size=1000
check "a connection that goes on is counted on" test "$(minus "$(of_backend $VIP:81/tcp)" "$before")" != "0 0 0 0"
ask close c >/dev/null
check "all of it" eventually 30 eval '[ "$(live $VIP:81/tcp)" = 0 ]'
before=$(of_service $VIP:81/tcp)
w n1 <<-END
backend del $VIP:81/tcp to 10.1.0.6:8080
backend add $VIP:81/tcp to 10.1.0.5:8080
END
equals "another in its place begins anew" "0 0 0 0" "$(of_backend $VIP:81/tcp)"
equals "the service keeps what it had" "$before" "$(of_service $VIP:81/tcp)"

# Connections that there are -----------------------------------------------------------------------
w n1 backend add $VIP:82/tcp to 10.2.0.8:8080 weight 0
equals "nobody is connected" "0 0" "$(live $VIP:82/tcp)"
for i in 1 2 3; do ask open c$i p1a tcp vip 82 >/dev/null; done
ask open c4 n1 tcp vip 82 >/dev/null
ask open c5 net tcp n1 30082 >/dev/null
equals "so many are" "4 0" "$(live $VIP:82/tcp)"
equals "another service's are its own" 1 "$(live 0.0.0.0:30082/tcp)"
equals "the service has their sum" "4 4" \
	"$(w n1 -j service show $VIP:82/tcp | jq -r '.[0] | "\(.live) \([.backends[].live] | add)"')"
check "a table shows it" eval "w n1 backend show $VIP:82/tcp | grep -qE '10.2.0.7:8080 .* 4 +[0-9]+ +[0-9]+ *\$'"
check "with what it carried" eval "w n1 service show $VIP:82/tcp | grep -qE ' up .* 4 +[0-9]+ +[0-9]+ +10.2.0.7'"
for i in 1 2 3 4 5; do ask close c$i >/dev/null; done
check "what has ended is none" eventually 60 eval '[ "$(live $VIP:82/tcp)" = "0 0" ]'

# With less luck: no cache -----------------------------------------------------------------------------------
w n1 device set wattle0 cache off
w n1 <<-END
backend del $VIP:81/tcp to 10.1.0.5:8080
backend add $VIP:81/tcp to 10.1.0.6:8080
service del 0.0.0.0:30081/tcp scope outside
END
everybody ", without the cache"
datagrams "datagrams, without the cache" p1a "" 92 $VIP:92/udp

finish
