// SPDX-License-Identifier: BSD-3-Clause
// Whether a BPF program reads scratch memory that it never wrote.

#include "filter_memory.h"

#include <pcap/pcap.h>
#include <stdint.h>
#include <stdlib.h>

static uint16_t written_by(const struct bpf_insn *ins) {
	if (BPF_CLASS(ins->code) != BPF_ST && BPF_CLASS(ins->code) != BPF_STX)
		return 0;
	return (uint16_t)(1u << ins->k % BPF_MEMWORDS);
}

static bool reads_memory(const struct bpf_insn *ins) {
	return (BPF_CLASS(ins->code) == BPF_LD || BPF_CLASS(ins->code) == BPF_LDX)
		&& BPF_MODE(ins->code) == BPF_MEM;
}

// Keep in *on_all_ways what is written on this way, too. Returns whether that changed it.
static bool meet(uint16_t *on_all_ways, uint16_t written) {
	uint16_t before = *on_all_ways;

	*on_all_ways &= written;
	return *on_all_ways != before;
}

// Pass on what is written after an instruction to those that may follow it.
static bool pass_on(const struct bpf_insn *insns, uint16_t *written, unsigned int i) {
	uint16_t now = written[i] | written_by(&insns[i]);
	bool when_true, when_false;

	if (BPF_CLASS(insns[i].code) == BPF_RET)
		return false;
	if (BPF_CLASS(insns[i].code) != BPF_JMP)
		return meet(&written[i + 1], now);
	if (BPF_OP(insns[i].code) == BPF_JA) // protochain jumps back
		return meet(&written[i + 1 + insns[i].k], now);
	when_true = meet(&written[i + 1 + insns[i].jt], now);
	when_false = meet(&written[i + 1 + insns[i].jf], now);
	return when_true || when_false;
}

bool rtap_filter_reads_unwritten_memory(const struct bpf_program *program) {
	const struct bpf_insn *insns = program->bf_insns;
	uint16_t *written = calloc(program->bf_len, sizeof(*written));
	bool changed = true, unwritten = written == NULL;

	for (unsigned int i = 1; written != NULL && i < program->bf_len; i++)
		written[i] = UINT16_MAX;
	while (written != NULL && changed) {
		changed = false;
		for (unsigned int i = 0; i < program->bf_len; i++)
			changed |= pass_on(insns, written, i);
	}
	for (unsigned int i = 0; written != NULL && i < program->bf_len; i++)
		unwritten |= reads_memory(&insns[i]) && (written[i] >> insns[i].k & 1) == 0;
	free(written);
	return unwritten;
}
