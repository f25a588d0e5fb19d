/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM wattle

#if !defined(WATTLE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define WATTLE_TRACE_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/tracepoint.h>
#include "wattle.h"

#ifndef WATTLE_TRACE_REASONS
#define WATTLE_TRACE_ENUM(name, ...)		TRACE_DEFINE_ENUM(WATTLE_REASON_##name);
#define WATTLE_TRACE_SYMBOL(name, str, ...)	{ WATTLE_REASON_##name, str },
/* The last one is there for the comma. */
#define WATTLE_TRACE_REASONS	WATTLE_REASONS(WATTLE_TRACE_SYMBOL) { WATTLE_REASON_COUNT, "?" }
#endif

WATTLE_REASONS(WATTLE_TRACE_ENUM)

/*
 * Addresses are IPv4 mapped where they are IPv4, :: where the packet could not be
 * parsed; @dport of ICMP is type << 8 | code.
 */
DECLARE_EVENT_CLASS(wattle_packet,
		    TP_PROTO(const struct wattle *w, const struct wattle_key *key,
			     const struct wattle_decision *decision, enum wattle_reason reason,
			     u8 verdict, int ifindex, unsigned int len),
		    TP_ARGS(w, key, decision, reason, verdict, ifindex, len),
		    TP_STRUCT__entry(__field(int, device)
				     __field(int, ifindex)
				     __field(unsigned int, len)
				     __field(unsigned int, reason)
				     __field(u32, src_id)
				     __field(u32, dst_id)
				     __field(u16, sport)
				     __field(u16, dport)
				     __field(u8, proto)
				     __field(u8, origin)
				     __field(u8, verdict)
				     __array(u8, saddr, sizeof(struct in6_addr))
				     __array(u8, daddr, sizeof(struct in6_addr))
		    ),
		    TP_fast_assign(__entry->device = w->dev->ifindex;
				   __entry->ifindex = ifindex;
				   __entry->len = len;
				   __entry->reason = reason;
				   __entry->verdict = verdict;
				   __entry->src_id = decision ? decision->src_id : 0;
				   __entry->dst_id = decision ? decision->dst_id : 0;
				   __entry->sport = key ? ntohs(key->sport) : 0;
				   __entry->dport = key ? ntohs(key->dport) : 0;
				   __entry->proto = key ? key->proto : 0;
				   __entry->origin = key ? key->origin : 0;
				   memcpy(__entry->saddr, key ? &key->saddr : &in6addr_any,
					  sizeof(struct in6_addr));
				   memcpy(__entry->daddr, key ? &key->daddr : &in6addr_any,
					  sizeof(struct in6_addr));
		    ),
		    TP_printk("reason=%s verdict=%s from=%s src=%pI6c:%u dst=%pI6c:%u proto=%u src_id=%u dst_id=%u device=%d ifindex=%d len=%u",
			      __print_symbolic(__entry->reason, WATTLE_TRACE_REASONS),
			      __print_symbolic(__entry->verdict,
					       { WATTLE_VERDICT_ALLOW, "allow" },
					       { WATTLE_VERDICT_DENY, "deny" },
					       { WATTLE_VERDICT_REJECT, "reject" },
					       { WATTLE_VERDICT_DROP, "drop" }),
			      __print_symbolic(__entry->origin,
					       { WATTLE_FROM_POD, "pod" },
					       { WATTLE_FROM_TUNNEL, "tunnel" },
					       { WATTLE_FROM_STACK, "stack" },
					       { WATTLE_FROM_DEVICE, "device" }),
			      __entry->saddr, __entry->sport, __entry->daddr, __entry->dport,
			      __entry->proto, __entry->src_id, __entry->dst_id, __entry->device,
			      __entry->ifindex, __entry->len)
);

DEFINE_EVENT(wattle_packet, wattle_drop,
	     TP_PROTO(const struct wattle *w, const struct wattle_key *key,
		      const struct wattle_decision *decision, enum wattle_reason reason,
		      u8 verdict, int ifindex, unsigned int len),
	     TP_ARGS(w, key, decision, reason, verdict, ifindex, len)
);

DEFINE_EVENT(wattle_packet, wattle_verdict,
	     TP_PROTO(const struct wattle *w, const struct wattle_key *key,
		      const struct wattle_decision *decision, enum wattle_reason reason,
		      u8 verdict, int ifindex, unsigned int len),
	     TP_ARGS(w, key, decision, reason, verdict, ifindex, len)
);

#endif /* WATTLE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
