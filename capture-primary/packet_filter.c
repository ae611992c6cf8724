// SPDX-License-Identifier: BSD-3-Clause
// Which packets are wanted.

#include "packet_filter.h"

#include "errno_set.h"
#include "log.h"

#include <rte_bpf.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TYPE "filter"

#define MAX_BURST 512
#define LONGEST_FRAME 262144 // as tcpdump: no packet is cut for the filter

struct packet_filter {
	struct rte_bpf *bpf;
	struct rte_bpf_jit jit; // func is NULL: interpret it
};

static bool has_loop(const struct bpf_program *program) {
	for (unsigned int i = 0; i < program->bf_len; i++)
		if (program->bf_insns[i].code == (BPF_JMP | BPF_JA)
		    && (int32_t)program->bf_insns[i].k < 0)
			return true;
	return false;
}

// libpcap's program is the caller's, ended with pcap_freecode().
static int compile(const char *expression, struct bpf_program *program, char *why, size_t size) {
	pcap_t *nowhere = pcap_open_dead(DLT_EN10MB, LONGEST_FRAME);
	int rc;

	if (nowhere == NULL) {
		snprintf(why, size, "out of memory");
		return errno_set(ENOMEM);
	}
	rc = pcap_compile(nowhere, program, expression, 1, PCAP_NETMASK_UNKNOWN);
	if (rc < 0)
		snprintf(
			why, size,
			"%s; allowed: an expression as tcpdump takes it, see man pcap-filter",
			pcap_geterr(nowhere)
		);
	pcap_close(nowhere);
	if (rc == 0 && has_loop(program)) {
		pcap_freecode(program);
		snprintf(
			why, size,
			"protochain makes a loop, which DPDK's BPF machine does not run; allowed: "
			"proto instead of protochain"
		);
		rc = -1;
	}
	return rc < 0 ? errno_set(EINVAL) : 0;
}

int packet_filter_check(const char *expression, char *why, size_t size) {
	struct bpf_program program;
	int rc = compile(expression, &program, why, size);

	if (rc == 0)
		pcap_freecode(&program);
	return rc;
}

// rte_bpf_convert() of DPDK 22.11 to 25.11 adds A, not X, to the place of an indirect load of one or four
// bytes, such as tcp[tcpflags] (bpf_convert.c takes the size's bits for BPF_X).
static void mend_indirect_loads(struct ebpf_insn *ins, uint32_t nb_ins) {
	for (uint32_t i = 0; i < nb_ins; i++)
		if (BPF_CLASS(ins[i].code) == BPF_LD && BPF_MODE(ins[i].code) == BPF_IND)
			ins[i].src_reg = EBPF_REG_7; // where the converted program has X
}

// The compiler for x86 of DPDK 22.11 to 25.11 writes a TEST with an immediate of one byte, which the
// processor has not got: what follows is read as other instructions (bpf_jit_x86.c, emit_tst_imm).
static bool compiles_wrongly(const struct ebpf_insn *ins, uint32_t nb_ins) {
	for (uint32_t i = 0; i < nb_ins; i++)
		if (ins[i].code == (BPF_JMP | BPF_JSET | BPF_K) && ins[i].imm == (int8_t)ins[i].imm)
			return true;
	return false;
}

// The one experimental function that we allow ourselves: no stable one of DPDK 22.11 to 25.11 does it.
static struct rte_bpf_prm *convert(const struct bpf_program *program) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	return rte_bpf_convert(program);
#pragma GCC diagnostic pop
}

static int load(struct packet_filter *filter, const struct bpf_program *program) {
	struct rte_bpf_prm *prm = convert(program);
	struct ebpf_insn *ins;
	bool interpret;

	if (prm == NULL)
		return -rte_errno;
	ins = (struct ebpf_insn *)(uintptr_t)prm->ins; // in the same memory, ours
	mend_indirect_loads(ins, prm->nb_ins);
	interpret = compiles_wrongly(ins, prm->nb_ins);
	filter->bpf = rte_bpf_load(prm);
	rte_free(prm);
	if (filter->bpf == NULL)
		return -rte_errno;
	if (interpret || rte_bpf_get_jit(filter->bpf, &filter->jit) != 0)
		filter->jit.func = NULL;
	return 0;
}

int packet_filter_create(
	struct packet_filter **filter, const char *expression, char *why, size_t size
) {
	struct bpf_program program;
	struct packet_filter *f;
	int rc;

	*filter = NULL;
	if (*expression == '\0')
		return 0;
	rc = compile(expression, &program, why, size);
	if (rc < 0)
		return rc;
	f = calloc(1, sizeof(*f));
	rc = f != NULL ? load(f, &program) : -ENOMEM;
	pcap_freecode(&program);
	if (rc < 0) {
		snprintf(
			why, size, "librte_bpf cannot run it: %s; use a shorter expression",
			strerror(-rc)
		);
		free(f);
		return rc;
	}
	LOG(NOTICE, "packets that match \"%s\" are captured (%s)", expression,
	    f->jit.func != NULL ? "compiled" : "interpreted");
	*filter = f;
	return 0;
}

static uint64_t run(const struct packet_filter *filter, struct rte_mbuf *m) {
	return filter->jit.func != NULL ? filter->jit.func(m) : rte_bpf_exec(filter->bpf, m);
}

uint16_t
packet_filter_run(const struct packet_filter *filter, struct rte_mbuf **pkts, uint16_t nb_pkts) {
	struct rte_mbuf *others[MAX_BURST];
	uint16_t nb_wanted = 0, nb_others = 0;

	for (uint16_t i = 0; i < nb_pkts; i++) {
		if (run(filter, pkts[i]) != 0)
			pkts[nb_wanted++] = pkts[i];
		else
			others[nb_others++] = pkts[i];
	}
	memcpy(&pkts[nb_wanted], others, nb_others * sizeof(*others));
	return nb_wanted;
}

void packet_filter_destroy(struct packet_filter *filter) {
	if (filter == NULL)
		return;
	rte_bpf_destroy(filter->bpf);
	free(filter);
}
