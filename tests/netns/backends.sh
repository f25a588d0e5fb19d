#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Backends that come and go: what becomes of the conversations with them, and which one a client
# comes back to.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/traffic.bash"

# The other of two pods elsewhere, and an address and port of one.
other() { [ "$1" = p2a ] && echo p2b || echo p2a; }
sock() { if [ "$3" ]; then echo "[${POD6[$1]}]:$2"; else echo "${POD4[$1]}:$2"; fi; }

world 4
for p in $PODS1 $PODS2; do
	ask serve "$p" tcp 8080
	ask serve "$p" udp 8053
done
ask name vip $VIP $VIP6
# Ports that share the affinity of 84; each by itself would choose the same by chance.
shared="85 86 87 88"

for f in "" /6; do
	[ "$f" ] && vip="[$VIP6]" || vip=$VIP
	both <<-END
	service add $vip:80/tcp
	backend add $vip:80/tcp to $(sock p2a 8080 $f)
	backend add $vip:80/tcp to $(sock p2b 8080 $f)
	service add $vip:53/udp
	backend add $vip:53/udp to $(sock p2a 8053 $f)
	backend add $vip:53/udp to $(sock p2b 8053 $f)
	service add $vip:84/tcp affinity 3000
	backend add $vip:84/tcp to $(sock p2a 8080 $f)
	backend add $vip:84/tcp to $(sock p2b 8080 $f)
	END
	for port in $shared; do
		both <<-END
		service add $vip:$port/tcp affinity 3000 affinity-with $vip:84/tcp
		backend add $vip:$port/tcp to $(sock p2a 8080 $f)
		backend add $vip:$port/tcp to $(sock p2b 8080 $f)
		END
	done
done

# Conversations whose backend goes ---------------------------------------------------------
for f in "" /6; do
	v=${f:+ over IPv6}
	[ "$f" ] && vip="[$VIP6]" || vip=$VIP
	for from in p1a n1; do
		tcp=$(ask open tcp $from tcp "vip$f" 80 | cut -d ' ' -f 1)
		udp=$(ask open udp $from udp "vip$f" 53 | cut -d ' ' -f 1)
		check "$from talks to a backend$v" ask talk tcp
		# One that shall not notice.
		ask open beside $from tcp "$tcp$f" 8080 >/dev/null
		both <<-END
		backend set $vip:80/tcp to $(sock "$tcp" 8080 $f) state terminating
		backend set $vip:53/udp to $(sock "$udp" 8053 $f) state terminating
		END
		equals "one that is terminating is not left, TCP$v" "$tcp" "$(ask talk tcp && echo "$tcp")"
		equals "nor UDP$v" "$udp" "$(who talk udp)"
		both <<-END
		backend del $vip:80/tcp to $(sock "$tcp" 8080 $f)
		backend del $vip:53/udp to $(sock "$udp" 8053 $f)
		END
		if [ $from = p1a ]; then
			equals "$from: one that is gone resets the connection at once$v" ECONNRESET \
				"$(ask talk tcp)"
			equals "the next datagram goes to another$v" "$(other "$udp")" "$(who talk udp)"
		else
			check "$from: one that is gone resets the connection$v" eventually 30 \
				eval '[ "$(ask talk tcp)" = ECONNRESET ]'
			check "datagrams go to another, without a pause$v" eventually 30 \
				eval "[ \"\$(who talk udp)\" = $(other "$udp") ]"
		fi
		check "a new connection goes to another at once$v" \
			test "$(who tcp $from "vip$f" 80)" = "$(other "$tcp")"
		check "beside the service it is talked to as before$v" ask talk beside
		for name in tcp udp beside; do ask close $name >/dev/null; done
		both <<-END
		backend add $vip:80/tcp to $(sock "$tcp" 8080 $f)
		backend add $vip:53/udp to $(sock "$udp" 8053 $f)
		END
	done
done

# Who sends soon enough is reset by the service itself, and not by a backend that knows nothing
# of the connection.
reset_is_counted()
{
	local at

	at=$(sock "$(ask open tcp p1a tcp vip 80 | cut -d ' ' -f 1)" 8080)
	w n1 backend del $VIP:80/tcp to "$at"
	ask talk tcp
	ask close tcp
	w n1 backend add $VIP:80/tcp to "$at"
	[ "$(ask count n1 backend_gone)" -gt 0 ]
}
if [ "${WATTLE_KERNEL-}" = debug ]; then
	skip "resets are counted" "on this kernel no program is quick enough"
else
	check "resets are counted" eventually 60 reset_is_counted
fi

# No backend is left: the connection is refused, not forgotten.
ask open tcp p1a tcp vip 80 >/dev/null
ask open node n1 tcp vip 80 >/dev/null
both <<-END
backend del $VIP:80/tcp to 10.2.0.7:8080
backend del $VIP:80/tcp to 10.2.0.8:8080
END
equals "the last backend goes: reset" ECONNRESET "$(ask talk tcp)"
check "a node's program is told too" eventually 30 eval '[ "$(ask talk node)" = ECONNRESET ]'
ask close tcp >/dev/null
ask close node >/dev/null

# A service that goes takes its conversations with it, and nobody else's.
ask open udp p1a udp vip 53 >/dev/null
ask open beside p1a udp p2a 8053 >/dev/null
at n1 conntrack -L -p udp --orig-dst $VIP 2>/dev/null | grep -q dport=53 || echo "# no conversation"
both <<<"service del $VIP:53/udp"
check "a service that goes takes its conversations with it" eventually 30 \
	eval '! at n1 conntrack -L -p udp --orig-dst $VIP 2>/dev/null | grep -q dport=53'
equals "who goes on is refused" "refused $VIP" "$(ask talk udp)"
check "others are left alone" eval \
	'at n1 conntrack -L -p udp --orig-dst 10.2.0.7 2>/dev/null | grep -q dport=8053'
ask close udp >/dev/null
ask close beside >/dev/null

# A frontend that comes where somebody talks already: he goes on with its backend, without a pause.
ask serve n1 udp 30055
for f in "" /6; do
	v=${f:+ over IPv6}
	for from in p1a n1; do
		equals "$from talks to the node$v" n1 "$(ask open past-$from$f $from udp "n1$f" 30055 | cut -d ' ' -f 1)"
	done
done
ask open loop n1 udp 127.0.0.1 30055 >/dev/null
# As when a conversation ends while an answer is on its way: the node seems to have begun it.
ask open behind p1a udp n1 30055 sport=20055 >/dev/null
at n1 conntrack -D -p udp --sport 20055 >/dev/null 2>&1
at n1 python3 - $N1 "${POD4[p1a]}" <<-'END'
	import socket, struct, sys
	raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
	raw.bind((sys.argv[1], 0))
	raw.sendto(struct.pack("!HHHH", 30055, 20055, 8, 0), (sys.argv[2], 0))
END
check "an answer that came too late" eval 'at n1 conntrack -L -p udp --sport 30055 2>/dev/null | grep -q dport=20055'
both <<-END
service add 0.0.0.0:30055/udp
backend add 0.0.0.0:30055/udp to 10.2.0.7:8053
service add [::]:30055/udp
backend add [::]:30055/udp to [fd00:2::7]:8053
END
for f in "" /6; do
	v=${f:+ over IPv6}
	for from in p1a n1; do
		check "and then to the service that took the port, $from$v" eventually 30 \
			eval "[ \"\$(who talk past-$from$f)\" = p2a ]"
		ask close past-$from$f >/dev/null
	done
done
check "and who was answered too late" eventually 30 eval '[ "$(who talk behind)" = p2a ]'
ask close behind >/dev/null
equals "but for loopback" n1 "$(who talk loop)"
ask close loop >/dev/null
both <<-END
service del 0.0.0.0:30055/udp
service del [::]:30055/udp
END

# Many changes of one backend, with others at work: who is with the other does not notice.
both <<-END
service replace $VIP:80/tcp
backend add $VIP:80/tcp to 10.2.0.7:8080
END
ask open tcp p1a tcp vip 80 >/dev/null
for ((i = 0; i < 40; i++)); do
	echo "backend add $VIP:80/tcp to 10.2.0.8:8080"
	echo "backend del $VIP:80/tcp to 10.2.0.8:8080"
done >/tmp/changes
for ((i = 0; i < 10; i++)); do
	w n1 </tmp/changes && ask talk tcp size=2000 || break
done
equals "ten times forty changes: the other's connection lives" 10 $i
check "and talks" ask talk tcp size=50000
rm /tmp/changes

# Each a change of its own (CHANGES=5000 for ten thousand); they talk all the time, and lose nothing.
both <<-END
service add $VIP:57/udp
backend add $VIP:57/udp to 10.2.0.7:8053
END
ask open udp p1a udp vip 57 >/dev/null
ask open node n1 udp vip 57 >/dev/null
many=${CHANGES-1000}
[ "${WATTLE_KERNEL-}" != debug ] || many=100
check "$many changes of a service for TCP" ask churn n1 tcp vip 80 10.2.0.8 8080 $many tcp udp node
check "$many changes of one for UDP" ask churn n1 udp vip 57 10.2.0.8 8053 $many tcp udp node
equals "the other's conversations are with him" "p2a p2a" "$(who talk udp) $(who talk node)"
for name in tcp udp node; do ask close $name >/dev/null; done

# Affinity ------------------------------------------------------------------------------------
for f in "" /6; do
	v=${f:+ over IPv6}
	[ "$f" ] && vip="[$VIP6]" || vip=$VIP
	for from in p1a n1; do
		home=$(who tcp $from "vip$f" 84)
		equals "$from comes back to its backend$v" "$home " "$(answers 8 tcp $from "vip$f" 84)"
		check "explain says where it will go$v" ask explain n1 "$from$f" "vip$f" tcp 84 verdict=allow \
			"backend=.*${POD4[$home]##*.}\]?:8080"
		both <<<"backend add $vip:84/tcp to $(sock p1b 8080 $f)"
		equals "also when there are others to choose from$v" "$home " \
			"$(answers 8 tcp $from "vip$f" 84)"
		both <<<"backend del $vip:84/tcp to $(sock p1b 8080 $f)"
		both <<<"backend set $vip:84/tcp to $(sock "$home" 8080 $f) weight 0"
		equals "a backend that takes nobody is left$v" "$(other "$home") " \
			"$(answers 4 tcp $from "vip$f" 84)"
		both <<<"backend set $vip:84/tcp to $(sock "$home" 8080 $f) weight 100"
		equals "and not come back to$v" "$(other "$home") " "$(answers 8 tcp $from "vip$f" 84)"
		for port in $shared; do
			equals "nor by a frontend that shares affinity$v" "$(other "$home")" \
				"$(who tcp $from "vip$f" $port)"
		done
	done
	both <<<"service replace $vip:84/tcp affinity 1"
	home=$(who tcp p1a "vip$f" 84)
	check "when its time is over a client may go anywhere$v" eventually 120 \
		eval "sleep 1.1; [ \"\$(who tcp p1a vip$f 84)\" = $(other "$home") ]"
done

finish
