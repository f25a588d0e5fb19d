#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# wattlectl where there is no module and no right: words, values, exit codes,
# batches, help, completion, the man page. TAP.
set -u
. "$(dirname "$0")/lib.bash"
man=Documentation/man/wattlectl.8

# says STATUS REGEX WORDS...: the tool ends with STATUS, stderr matches REGEX
says()
{
	local want=$1 regex=$2 status=0

	shift 2
	$tool "$@" >"$dir/out" 2>"$dir/err" </dev/null || status=$?
	[ "$status" -eq "$want" ] && grep -qE -- "$regex" "$dir/err" && [ ! -s "$dir/out" ]
	tap $? "\"${*//$'\n'/ }\" ends with $want: $regex"
}

# batch STATUS REGEX TEXT: the same of a batch
batch()
{
	local want=$1 regex=$2 status=0

	printf '%b' "$3" >"$dir/batch"
	$tool -b "$dir/batch" >"$dir/out" 2>"$dir/err" || status=$?
	[ "$status" -eq "$want" ] && grep -qE -- "$regex" "$dir/err"
	tap $? "batch \"$3\" ends with $want: $regex"
}

# prints REGEX WORDS...: all is well, and stdout matches
prints()
{
	local regex=$1

	shift
	$tool "$@" >"$dir/out" 2>"$dir/err" && grep -qE -- "$regex" "$dir/out" && [ ! -s "$dir/err" ]
	tap $? "\"$*\" prints $regex"
}

# Words: 2
says 2 'Usage: wattlectl'
says 2 'no object "thing"' thing show
says 2 '"s" may be several objects' s show
says 2 'the verb is missing' node
says 2 'no verb "frobnicate"' node frobnicate
says 2 '"s" may be several verbs' backend s 10.0.0.1:80/tcp
says 2 'wattlectl: node: NAME is missing' node add
says 2 'node n2: "addr ADDR" is missing' node add n2
says 2 'node n2: addr: the value is missing' node add n2 addr
says 2 'node n2: what is "color"\?' node add n2 addr 192.0.2.2 color red
says 2 'identity 10.0.0.1: "id N" is missing' identity add 10.0.0.1
says 2 'identity 10.0.0.1: id: given twice' identity add 10.0.0.1 id 3 id 4
says 2 'policy id 300: allow: .*|one too many' policy add id 300 ingress egress allow
says 2 'is missing' policy add id 300 ingress
says 2 'peer: the number of the identity is missing' policy add id 300 ingress peer id
says 2 'code: .*"type N" is missing' policy add id 300 ingress proto icmp code 3 allow
says 2 '"proto .*" is missing' explain src 10.0.0.1 dst 10.0.0.2
says 2 '"to ADDR:PORT" is missing' backend add 10.0.0.1:80/tcp
says 2 'what is "n3"' node del n2 n3
says 2 'what is "everything"' monitor everything
says 2 'unknown option "--frobnicate"' --frobnicate
says 2 'unknown option "-x"' -x node show
says 2 'the value is missing after "-n"' -n
says 2 'commands come from the file' -b /dev/null node show
says 2 'no object "thing"' help thing

says 2 'egress any: "to PREFIX" is missing' egress add any keep
says 2 'egress any: .*"via ADDR" is missing' egress add any to 10.0.0.0/8
says 2 'egress any: what goes via a gateway has no other action' \
	egress add any to 10.0.0.0/8 keep via 192.0.2.2

# Values: 1
says 1 'egress 10.1.0.0/24: the pods are any, those of an identity, or the one at an address' \
	egress add 10.1.0.0/24 to 0.0.0.0/0 keep
says 1 'as: is for masquerade and gateway' egress add any to 10.0.0.0/8 keep as 192.0.2.1
says 1 'as: is for masquerade and gateway' egress add any to ::/0 via fd00::2 as 192.0.2.1
says 1 'to: 10.0.0.1/8 has bits set' egress add any to 10.0.0.1/8 keep
says 1 '^wattlectl: egress id 300: to: 10.0.0.1/8 has bits set' egress add id 300 to 10.0.0.1/8 keep
says 1 'egress id: identity 0 is nobody; all pods are "any"' egress add id 0 to 10.0.0.0/8 keep
says 1 'identity 0 is nobody' egress del id 0 to 10.0.0.0/8
says 2 'range: PREFIX is missing' range add
says 1 'range.*10.96.0.1/12 has bits set' range add 10.96.0.1/12
says 2 'range 10.96.0.0/12: what is "to"' range add 10.96.0.0/12 to 10.0.0.1
says 1 '^wattlectl: node n2: addr: 192\.0\.2\.300 is not an IPv4 or IPv6 address$' \
	node add n2 addr 192.0.2.300
says 1 'addr: at most one address of each family' node add n2 addr 192.0.2.2 addr 192.0.2.3
says 1 'cidr: 10.2.0.1/24 has bits set beyond its length: 10.2.0.0/24\?' \
	node add n2 addr 192.0.2.2 cidr 10.2.0.1/24
says 1 'cidr: fd00::1/64 has bits set beyond its length: fd00::/64\?' \
	node add n2 addr 192.0.2.2 cidr fd00::1/64
says 1 'NAME: .* is longer than 63 bytes' node add "$(printf 'n%.0s' {1..64})" addr 192.0.2.2
says 1 'NAME: is empty' node add '' addr 192.0.2.2
says 1 'NAME: has a control character' node add $'n\e[2J' addr 192.0.2.2
says 1 'length of the prefix is 0 to 32' identity add 10.0.0.0/33 id 300
says 1 'length of the prefix is 0 to 128' identity add fd00::/129 id 300
says 1 'is not an IPv4 or IPv6 prefix' identity add ten/8 id 300
says 1 'mapped into IPv6' identity add ::ffff:10.0.0.1 id 300
says 1 'id: x is not a number' identity add 10.0.0.1 id x
says 1 'id: -1 is not a number' identity add 10.0.0.1 id -1
says 1 'id: 4294967296 is not from 0 to' identity add 10.0.0.1 id 4294967296
says 1 'id: 99999999999999999999 is not from' identity add 10.0.0.1 id 99999999999999999999
says 1 'via: nowhere is not' identity add 10.0.0.1 id 300 via nowhere
says 1 'port 99999 is not from 1 to 65535' policy add id 300 ingress proto tcp port 99999 allow
says 1 '00000000000008099 is not a port' policy add id 300 ingress proto tcp port 00000000000008099 allow
says 1 '000000000000443xyz is not a port' policy add id 300 ingress proto tcp port 000000000000443xyz allow
says 1 '0000000000000080-90 is not a port' policy add id 300 ingress proto tcp port 0000000000000080-90 allow
says 1 'outside: is for a peer that is a prefix' policy add id 300 ingress peer id 0 outside allow
says 1 'mtu: 65486 is not from 68 to 65485' device set wattle0 strict off mtu 65486
says 1 'range ends before it begins' policy add id 300 ingress proto tcp port 90-80 allow
says 1 'port: is for "proto tcp"' policy add id 300 ingress port 80 allow
says 1 'port: ICMP has no ports' policy add id 300 ingress proto icmp port 80 allow
says 1 'type: is for "proto icmp"' policy add id 300 ingress proto tcp type 8 allow
says 1 'type: 256 is not from 0 to 255' policy add id 300 ingress proto icmp type 256 allow
says 1 'proto: 256 is not a protocol' policy add id 300 ingress proto 256 allow
says 1 'proto: tcpx is not a protocol' policy add id 300 ingress proto tcpx allow
says 1 'outside: is for a peer that is a prefix' policy add id 300 ingress peer id 3 outside allow
says 1 'id: 0 is not from 1' policy add id 0 ingress allow
says 1 'priority: 65536 is not from' policy add id 300 ingress allow priority 65536
says 1 'port 99999 is not from 1 to 65535' service add 10.0.0.1:99999/tcp
says 1 'port 0 is not from 1 to 65535' service add 10.0.0.1:0/tcp
says 1 'is not ADDR:PORT/PROTO' service add 10.0.0.1:80
says 1 'is not ADDR:PORT/PROTO' service add fd00::1:80/tcp
says 1 'is not ADDR:PORT/PROTO' service add '[10.0.0.1]:80/tcp'
says 1 'is not ADDR:PORT/PROTO' service add '[fd00::1:80/tcp'
says 1 'is not a protocol' service add 10.0.0.1:80/carrier
says 1 'alg: roundrobin is not random\|maglev' service add 10.0.0.1:80/tcp alg roundrobin
says 1 'scope: inside is not any\|outside' service add 10.0.0.1:80/tcp scope inside
says 1 'scope: world is not any\|outside' backend add 10.0.0.1:80/tcp scope world to 10.0.0.2:80
says 2 'scope: is for one frontend' service show scope outside
says 2 'scope: is for one service' backend show scope outside
says 2 'scope: given twice' service del 10.0.0.1:80/tcp scope any scope outside
says 2 'what is "empty"' service del 10.0.0.1:80/tcp empty drop
says 1 'empty: accept is not reject\|drop' service add 10.0.0.1:80/tcp empty accept
says 1 'source: 10.0.0.1/8 has bits set beyond its length: 10.0.0.0/8\?' \
	service add 10.0.0.1:80/tcp source 10.0.0.1/8
says 1 'source: fd00::/8 is of another family than the service' \
	service add 10.0.0.1:80/tcp source 10.0.0.0/8 source fd00::/8
says 1 'source-policy: maybe is not allow\|deny' service add 10.0.0.1:80/tcp source-policy maybe
says 1 'dsr: maybe is not off\|on' service add 10.0.0.1:80/tcp dsr maybe
says 1 'affinity-with: 10.0.0.1:81/udp is of another protocol than the service' \
	service add 10.0.0.1:80/tcp affinity 9 affinity-with 10.0.0.1:81/udp
says 1 'to: .* is of another family' backend add 10.0.0.1:80/tcp to '[fd00::1]:80'
says 1 'to: 10.0.0.2:80/tcp is not ADDR:PORT' backend add 10.0.0.1:80/tcp to 10.0.0.2:80/tcp
says 1 'weight: 65536 is not from' backend add 10.0.0.1:80/tcp to 10.0.0.2:80 weight 65536
says 1 'state: tired is not active' backend add 10.0.0.1:80/tcp to 10.0.0.2:80 state tired
says 1 'DEV: there is no such network device' endpoint add nosuchdev
says 1 'not the name of a network device' endpoint add this/is/none
says 1 'pod: web is not NAMESPACE/NAME' endpoint add lo pod web
says 1 'enforce: some is not' endpoint add lo enforce some
says 1 'dst: .* is of another family' explain src 10.0.0.1 dst fd00::1 proto tcp
says 1 'dport: is type and code of ICMP in one' \
	explain src 10.0.0.1 dst 10.0.0.2 proto icmp type 3 dport 0x300
says 1 'type: is for "proto icmp"' explain src 10.0.0.1 dst 10.0.0.2 proto tcp type 8
says 1 'local: at most one address of each' device add w0 local 192.0.2.1 local 192.0.2.2
says 1 'mode: geneve is not identity' device add w0 mode geneve
says 1 'vni: 16777216 is not from' device add w0 vni 16777216
says 1 'strict: maybe is not off\|on' device add w0 strict maybe
says 1 'there is none of that name' -n no-such-namespace-here node show
says 1 'names no network namespace' -n .. node show

# What is right reaches for the kernel, which is not there.
if [ ! -e /sys/module/wattle ]; then
	for call in 'node add n2 addr 192.0.2.2 addr fd00::2 cidr 10.2.0.0/24 cidr fd02::/64' \
		'n a n2 addr 192.0.2.2' 'node delete n2' 'node list' '-j -p node show' '-jp node show' \
		'-json node show' '--json node show' 'identity replace fd00::/8 id 0x12c via fd00::2' \
		'identity get 10.0.0.1' 'endpoint add lo pod a/b ip 10.0.0.1 ip fd00::1 id 3 enforce both' \
		'policy add id 300 egress peer 10.0.0.0/8 outside proto tcp port 80-90 deny priority 3 origin x' \
		'policy add allow ingress id 300' 'policy add id 300 ingress proto icmpv6 type 128 code 0 allow' \
		'policy add id 300 ingress proto 47 allow' 'policy add id 300 ingress proto 33 port 80-90 allow' \
		'policy flush' 'policy flush id 3' 'policy show id 3' \
		'service add [fd00::1]:53/udp alg maglev affinity 30 maglev-size 251' \
		'service add 0.0.0.0:30080/tcp scope outside empty drop dsr on' \
		'service add 0.0.0.0:30080/tcp affinity 9 affinity-with 10.0.0.1:80/tcp' \
		'service replace [::]:30080/tcp source fd00::/8 source 2001:db8::/32 source-policy deny' \
		'service del 10.0.0.1:80/tcp scope outside' 'service show 10.0.0.1:80/tcp scope outside' \
		'backend set [::]:30080/tcp scope outside to [fd00::2]:53 weight 2' \
		'range add 10.96.0.0/12' 'range replace fd00:96::/108' 'range del 10.96.0.0/12' 'range show' \
		'egress add any to 0.0.0.0/0 masquerade' 'egress add 10.1.0.5 to 10.0.0.0/8 keep' \
		'egress replace id 300 to fd00::/8 gateway as fd00::9' 'egress show id 300' \
		'egress add id 300 to 198.51.100.0/24 via 192.0.2.2' 'egress del any to ::/0' \
		'backend del 0.0.0.0:30080/tcp scope outside to 10.0.0.2:80' \
		'backend add [fd00::1]:53/udp to [fd00::2]:53 weight 0 state quarantined' \
		'backend set 10.0.0.1:80/tcp to 10.0.0.2:80 weight 3' 'backend show 10.0.0.1:80/tcp' \
		'explain src 10.0.0.1 dst 10.0.0.2 proto tcp sport 0 dport 80' \
		'explain src 10.0.0.1 dst 10.0.0.2 proto icmp type 8' \
		'flow show' 'flow flush' 'monitor' 'monitor drop flow' 'monitor service' \
		'stats show' 'device show' 'route sync'; do
		# shellcheck disable=SC2086
		says 1 'the wattle module is not loaded \(modprobe wattle\)' $call
	done
	prints 'not loaded' version
	prints '"module":null' -j version
fi

# Batches
batch 1 '^[^:]*/batch:2: node n3: addr: x is not' \
	'node add n2 addr 192.0.2.2\nnode add n3 addr x\n'
batch 2 '^[^:]*/batch:3: there is no object "nodes"' '# first\n\nnodes add\n'
batch 1 'batch:1: device w0: a device cannot be part of a batch' 'device add w0\n'
batch 1 'batch:1: node: only changes can be part of a batch' 'node show\n'
batch 2 'batch:1: the quote is not closed' 'policy add id 3 ingress allow origin "x\n'
batch 2 'batch:1: there is a zero byte' 'node\0 show\n'
batch 1 'batch:2: node n3: addr: y is not' 'node add n2 addr x\nnode add n3 addr y'
batch 1 'that is enough' "$(printf 'node add n addr x\\n%.0s' {1..30})"
[ "$(grep -c 'addr: x is not' "$dir/err")" -eq 20 ]
tap $? "the first 20 errors of a batch are told"
printf 'node add n2 addr x\n' | $tool -b - >"$dir/out" 2>"$dir/err"
[ $? -eq 1 ] && grep -q '^-:1: node n2: addr: ' "$dir/err"
tap $? "a batch comes from standard input"
printf '\n# nothing\n   \t \n' | $tool -b - >"$dir/out" 2>"$dir/err"
tap $? "a batch with nothing in it is done"
$tool -b - </dev/null >"$dir/out" 2>"$dir/err"
tap $? "so is an empty one"
$tool -b - <&- >"$dir/out" 2>"$dir/err"
[ $? -eq 1 ] && grep -qx 'wattlectl: -: Bad file descriptor' "$dir/err"
tap $? "a batch that cannot be read is refused"
says 1 'No such file' -b "$dir/none"
says 1 'directory' -b "$dir"
if [ ! -e /sys/module/wattle ]; then
	batch 1 '^wattlectl: the wattle module is not loaded' \
		"policy add id 3 ingress allow origin 'two words' # and a remark\n"
fi

# Help
prints '^Usage: wattlectl' help
prints '^Usage: wattlectl' -h
prints '^Usage: wattlectl' --help
prints '^wattlectl [0-9]' version
prints '^wattlectl [0-9]' -V
prints '^wattlectl [0-9]' --version
prints '"tool":"[0-9]' -j version
prints 'wattlectl node add NAME addr ADDR \[ addr ADDR \]\.\.\. \[ cidr PREFIX \]\.\.\.' node help
prints 'wattlectl node add NAME' help node
prints 'wattlectl explain src ADDR dst ADDR' explain help
prints '^Usage: wattlectl policy check -f' policy check --help
prints '^Usage: wattlectl policy check -f' policy check -f nowhere -h
prints '^Usage: wattlectl apply --node NAME' apply --help

# Completion knows every object, verb and key that the usage does.
$tool complete '' | sort >"$dir/objects"
! $tool help | sed -n '/^OBJECT/,/^$/s/^  \([a-z]*\) .*/\1/p' | sort |
	comm -23 - "$dir/objects" | grep . >"$dir/err"
tap $? "completion knows every object"
while read -r object; do
	[ "$object" != help ] || continue
	usage=$($tool "$object" help | sed '/^$/,$d')
	verbs=$(sed -n 's/^\(Usage:\|      \) wattlectl [a-z]* \([a-z]*\)\( .*\|$\)/\2/p' <<<"$usage")
	case $object in explain | monitor | version) verbs= ;; esac
	for verb in $verbs; do
		$tool complete "$object" '' | grep -qx "$verb"
		tap $? "completion knows \"$object $verb\""
	done
	# keys: the words in small letters after "[" or a value, but for the values of choices
	for verb in ${verbs:-''}; do
		line=$(tr -s ' \n' ' ' <<<"$usage" |
			grep -oE "wattlectl $object ${verb:+$verb}( [^:]*)?" |
			sed "s/ wattlectl .*//; s/^wattlectl $object ${verb:+$verb}//" | head -n 1)
		line=$(sed 's/{[^}]*}//g' <<<"$line")
		keys=$(grep -oE '(^|[[ ])[a-z-]+ ([A-Z]+|\])' <<<"$line" | grep -oE '[a-z-]+' | sort -u)
		[ "$keys" ] || continue
		# what stands in its place comes first
		place=$(grep -oE '^ ?[A-Z][A-Z:/]*' <<<"$line" | tr -d ' ')
		# shellcheck disable=SC2086
		$tool complete $object ${verb:-} ${place:+lo} '' | sort >"$dir/keys"
		! comm -23 <(echo "$keys") "$dir/keys" | grep . >"$dir/err"
		tap $? "completion knows the keys of \"$object${verb:+ $verb}\": $(tr '\n' ' ' <<<"$keys")"
	done
done <"$dir/objects"
[ "$($tool complete policy add id 3 ingress proto ic)" = $'icmp\nicmpv6' ]
tap $? "completion knows protocols"
[ "$($tool complete policy add id 3 ingress peer)" = peer ]
tap $? "completion completes a key"
[ "$($tool complete backend add 10.0.0.1:80/tcp to 10.0.0.2:80 state t)" = terminating ]
tap $? "completion knows choices"
[ "$($tool complete service add 10.0.0.1:80/tcp scope outside so)" = $'source\nsource-policy' ]
tap $? "completion knows what a service is made of"
! $tool complete policy add id 3 '' | grep -qx id
tap $? "completion offers no key twice"
$tool complete endpoint add l | grep -qx lo
tap $? "completion knows network devices"
$tool complete -j node s | grep -qx show
tap $? "completion sees through options"
bash -c ". userspace/completion/wattlectl.bash; COMP_WORDS=($tool node a); COMP_CWORD=2
	_wattlectl; [ \"\${COMPREPLY[*]}\" = add ]"
tap $? "bash completes"

# The man page
: >"$dir/err"
if command -v man >/dev/null && command -v groff >/dev/null; then
	LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 \
		man --warnings -E UTF-8 -l -Tutf8 -Z $man 2>"$dir/err" >/dev/null
	[ ! -s "$dir/err" ]
	tap $? "the man page has no fault"
else
	n=$((n + 1))
	echo "ok $n - the man page has no fault # SKIP man or groff is missing"
fi
# without what only makes letters fat or slanted
sed -E 's/\\f[A-Z]//g; s/^\.(B|I|BI|BR|IB|IR|RB|RI|SS|TP|TQ) ?//; s/\\-/-/g; s/\\//g; s/"//g' \
	$man >"$dir/man"
while read -r object; do
	[ "$object" != help ] || continue
	grep -qE "^\.SS $object$" $man
	tap $? "the man page has \"$object\""
	for verb in $($tool "$object" help | sed -n 's/^  \([a-z]*\)  *.*/\1/p'); do
		grep -qE "^$object $verb" "$dir/man"
		tap $? "the man page has \"$object $verb\""
	done
	case $object in explain | monitor | version) ;; *) continue ;; esac
	grep -qE "^$object" "$dir/man"
	tap $? "the man page has \"$object\" as a command"
done <"$dir/objects"
for key in $($tool complete device add x '') $($tool complete policy add '') \
	$($tool complete service add x '') $($tool complete backend add x '') \
	$($tool complete endpoint add x '') $($tool complete explain ''); do
	grep -qw -- "$key" "$dir/man"
	tap $? "the man page has the key \"$key\""
done

# The version is that of the file, of the module's header and of the man page's neighbours.
grep -qx "$($tool version | sed -n 's/^wattlectl //p')" VERSION
tap $? "the version is that of VERSION"

tap_end
