/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one list of reasons and counters. Every packet that is dropped has one
 * of these reasons. The enum, the names that users see (tool, explain,
 * monitor, tracepoint) and the help text of "stats show" come from here.
 */
#ifndef WATTLE_REASON_H
#define WATTLE_REASON_H

/* X(NAME, "name", "help") */
#define WATTLE_REASONS(X) \
	X(NONE, "none", "not dropped") \
	X(POLICY_EGRESS, "policy_egress", "no rule of the source allows it") \
	X(POLICY_INGRESS, "policy_ingress", "no rule of the destination allows it") \
	X(DENY_EGRESS, "deny_egress", "a rule of the source denies it") \
	X(DENY_INGRESS, "deny_ingress", "a rule of the destination denies it") \
	X(NO_BACKEND, "no_backend", "service without a usable backend: refused, or dropped") \
	X(NO_SERVICE_PORT, "no_service_port", "service address, but no such port: refused") \
	X(NO_SERVICE, "no_service", "address of a service range that no service has") \
	X(BACKEND_GONE, "backend_gone", "the service has given up its backend: reset") \
	X(SOURCE_RANGE, "source_range", "the service is not for that source") \
	X(SPOOFED_SOURCE, "spoofed_source", "a pod sent from an address that is not its own") \
	X(TUNNEL_PORT, "tunnel_port", "a pod sent to the tunnel port of a node") \
	X(UNKNOWN_NODE, "unknown_node", "outer source is not a known node") \
	X(FOREIGN_SOURCE, "foreign_source", "inner source does not belong to the outer source") \
	X(WRONG_IDENTITY, "wrong_identity", "identity on the wire is not the inner source's") \
	X(WRONG_VNI, "wrong_vni", "VNI is not the one of this device") \
	X(BAD_VXLAN, "bad_vxlan", "VXLAN header truncated, or with unknown flags") \
	X(BAD_FRAME, "bad_frame", "inner frame too short, tagged, or not IP") \
	X(BAD_HEADER, "bad_header", "IP or transport header malformed") \
	X(BAD_FRAGMENT, "bad_fragment", "fragments that overlap or do not fit") \
	X(BAD_ECN, "bad_ecn", "congestion mark on a packet that cannot carry it (RFC 6040)") \
	X(NOT_UNICAST, "not_unicast", "multicast or broadcast, not carried") \
	X(NO_ENDPOINT, "no_endpoint", "no such endpoint on this node") \
	X(NO_NODE, "no_node", "destination is on no known node") \
	X(NO_GATEWAY, "no_gateway", "an egress rule names a gateway that is no known node") \
	X(NO_ROUTE, "no_route", "no route to the tunnel end point, or to outside") \
	X(TOO_BIG, "too_big", "does not fit the path: sender told by ICMP") \
	X(RECURSION, "recursion", "encapsulated too deeply") \
	X(CONNTRACK, "conntrack", "connection tracking refused it (invalid, or table full)") \
	X(NAT, "nat", "address translation failed") \
	X(NO_MEMORY, "no_memory", "out of memory") \
	X(DEVICE_DOWN, "device_down", "the device it goes to is down or gone")

enum wattle_reason {
#define WATTLE_X(name, str, help) WATTLE_REASON_##name,
	WATTLE_REASONS(WATTLE_X)
#undef WATTLE_X
	WATTLE_REASON_COUNT,
};

/* Counters that are not drops. X(NAME, "name", "help") */
#define WATTLE_COUNTERS(X) \
	X(FROM_POD, "from_pod", "packets out of pods") \
	X(FROM_TUNNEL, "from_tunnel", "packets out of the tunnel") \
	X(FROM_STACK, "from_stack", "packets from the host to local pods") \
	X(FROM_DEVICE, "from_device", "packets from the host into the tunnel") \
	X(TO_POD, "to_pod", "packets delivered to pods") \
	X(TO_TUNNEL, "to_tunnel", "packets sent into the tunnel") \
	X(TO_STACK, "to_stack", "packets passed to the host's stack") \
	X(CACHE_HIT, "cache_hit", "packets decided by the flow cache") \
	X(CACHE_MISS, "cache_miss", "packets that needed a decision") \
	X(CACHE_EVICTED, "cache_evicted", "flows that made room for others in the cache") \
	X(REPLY, "neighbour_reply", "ARP and neighbour solicitations answered") \
	X(ECHO, "echo_reply", "pings of service addresses answered") \
	X(ICMP_SENT, "icmp_sent", "ICMP errors and resets sent to pods") \
	X(AFFINITY_FULL, "affinity_full", "connections of clients too many to remember") \
	X(AUDITED, "audited", "packets that policy would have dropped, let pass by audit") \
	X(EVENT_LOST, "event_lost", "events that could not be sent")

enum wattle_counter {
#define WATTLE_X(name, str, help) WATTLE_COUNT_##name,
	WATTLE_COUNTERS(WATTLE_X)
#undef WATTLE_X
	WATTLE_COUNT_COUNT,
};

const char *wattle_reason_name(enum wattle_reason reason);
const char *wattle_reason_help(enum wattle_reason reason);
const char *wattle_counter_name(enum wattle_counter counter);
const char *wattle_counter_help(enum wattle_counter counter);

#endif /* WATTLE_REASON_H */
