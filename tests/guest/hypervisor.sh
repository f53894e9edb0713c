# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced behind common.sh. A guest of KVM, on fewer CPUs than it has itself. Natively it
# has other CPUs' TLBs flushed by the hypervisor, which leaves that to the next entry of a
# CPU that does not run. With the parameter it flushes them itself, while page tables
# change on all CPUs and a device is traced.

# hypervisor NAME CPU MESSAGE: what QEMU's -cpu gets, and what the kernel says natively
hypervisor()
{
	local name=$1 cpu=$2 message=$3 guest

	guest=(--accel nested --smp 3 --mem 768 --timeout 600 --cpu "host,la57=off$cpu")
	if vm "$name-natively" "${guest[@]}" <<<"dmesg | grep -c '$message'"; then
		pass "$name: natively: $message"
	else
		guest_failed "$name-natively"
	fi
	if vm "$name" "${guest[@]}" --append pv_shadow_mmiotrace --device edu --oracle "$work/$name.record" \
		--oracle-filter edu-mmio <<-EOT
		message='$message'
		$(cat <<-'EOG'
		check "not with the parameter" [ "$(dmesg | grep -c "$message")" = 0 ]
		trace_on 40000
		verify_loop
		modprobe vmchurn || not_ok "vmalloc churn"
		(while [ ! -e /tmp/stop ]; do for i in 1 2 3 4; do /bin/true & done; wait; done) &
		children=$!
		(while [ ! -e /tmp/stop ]; do modprobe brd rd_nr=1; rmmod brd; done) &
		modules=$!
		n=0
		while [ $n -lt 10 ]; do
			modprobe hammer count=100 || not_ok "hammer"
			rmmod hammer
			n=$((n + 1))
		done
		touch /tmp/stop
		wait $children $modules
		rmmod vmchurn
		check "verify" verified
		dmesg | sed -n 's/.*vmchurn: //p' | tail -n 1
		check "the churn came near" eval "dmesg | grep -q 'vmchurn: .* [1-9][0-9]* of them near, 0 wrong'"
		check "nothing missed or lost" [ "$(stat_of missed)$(stat_of lost)" = 00 ]
		check "copies were right before anybody needed them" [ "$(stat_of resyncs)" = 0 ]
		trace_off /share/log
		check "no pages left" [ "$(stat_of table_pages)$(stat_of root_pages)" = 00 ]
		EOG
		)
	EOT
	then
		guest_ok "$name"
		compare_log "$name" edu-mmio "$work/$name.record"
	else
		guest_failed "$name"
	fi
}
