# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sampling while a row runs; sourced in the guest. See profile.

# The clock's shortest period is 10 µs; a prime keeps it from falling into
# step with the packets. perf tells through a pipe when it is ready: sleeping
# would not do, for the guest's clock runs on while it waits for a file.
profile_start()
{
	local options=()

	[ -z "${PROFILE_CALLERS-}" ] || options+=(-g)
	rm -f /tmp/perf.control /tmp/perf.ack
	mkfifo /tmp/perf.control /tmp/perf.ack
	perf record -q -a -e cpu-clock -c 10007 -m 16M "${options[@]}" -D -1 \
		--control fifo:/tmp/perf.control,/tmp/perf.ack \
		-o /tmp/perf.data >/tmp/perf.log 2>&1 &
	perf_pid=$!
	exec 8<>/tmp/perf.control 9<>/tmp/perf.ack
	profile_tell enable
}

profile_tell()
{
	local _

	echo "$1" >&8
	IFS= read -r -t 100000 _ <&9 || die "perf: $(cat /tmp/perf.log)"
}

profile_stop()
{
	profile_tell disable
	kill -INT "$perf_pid"
	wait "$perf_pid" || true
	exec 8>&- 9>&-
}

# Only what works on packets: the generator's thread and the softirqs.
profile_samples()
{
	perf script -i /tmp/perf.data -G --comms "$comms" -F ip,sym 2>/dev/null
}

profile_report() # PER_PACKET
{
	local comms=kpktgend_0,ksoftirqd/0 symbol

	echo "$ROW: $1 instructions a packet"
	# perf takes the modules for parts of the kernel; kallsyms knows them.
	profile_samples | awk -v per="$1" -v lines="$PROFILE_LINES" '
		FNR == NR {
			if (NF == 4) {
				at[$3, ++number[$3]] = $1
				of[$3, number[$3]] = substr($4, 2, length($4) - 2)
			}
			next
		}
		NF {
			# Names may be those of several modules: the last that
			# starts before the address. All are of one length, so
			# that they compare as words.
			where = "kernel"
			best = ""
			for (i = 1; i <= number[$2]; i++)
				if (at[$2, i] "" <= $1 "" && at[$2, i] "" > best) {
					best = at[$2, i] ""
					where = of[$2, i]
				}
			symbol[$2 "\t" where]++
			module[where]++
			n++
		}
		function line(what, name, count) {
			return sprintf("%8.1f %6.2f %%  %-18s %s", per * count / n,
				100 * count / n, what, name)
		}
		END {
			if (!n) { print "no samples"; exit }
			print "  instr.   share   module (" n " samples)"
			by = "sort -rn"
			for (m in module) print line(m, "", module[m]) | by
			close(by)
			print "  instr.   share   function"
			by = "sort -rn | head -n " lines
			for (s in symbol) {
				split(s, part, "\t")
				print line(part[2], part[1], symbol[s]) | by
			}
			close(by)
		}' /proc/kallsyms -
	if [ "${PROFILE_CALLERS-}" ]; then
		echo "--- callers"
		perf report -i /tmp/perf.data --stdio -q --no-children --comms "$comms" \
			-g caller,0.5,callee --percent-limit 1 2>/dev/null | grep -v '^$' || true
	fi
	for symbol in ${PROFILE_ANNOTATE-}; do
		echo "--- $symbol"
		perf annotate -i /tmp/perf.data --stdio -q -s "$symbol" 2>/dev/null | grep -v '^$' || true
	done
}
