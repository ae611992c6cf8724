// SPDX-License-Identifier: BSD-3-Clause
// Tell whether a BPF program reads scratch memory that it never wrote. Pure.
//
// bpf_filter() keeps that memory uninitialised on its stack, so the verdict is chance; Linux
// refuses such programs for its sockets. libpcap 1.10.3 makes them of expressions that continue
// after `geneve` on a branch without Geneve ("geneve or icmp").

#pragma once

#include <stdbool.h>

struct bpf_program;

// The program has passed bpf_validate(). True also when memory is out.
bool rtap_filter_reads_unwritten_memory(const struct bpf_program *program);
