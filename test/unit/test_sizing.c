// SPDX-License-Identifier: BSD-3-Clause
// Tests of the memory plan, against DPDK's own arithmetic where there is one.

#include "check_main.h"
#include "shm_layout.h"
#include "sizing.h"

#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)
#define PAGE_4K (MIB / 256)
#define PAGE_2M (2 * MIB)
#define PAGE_1G (1024 * MIB)

static struct rtap_config cfg;
static struct sizing s;
static uint64_t least;

static void set_up(void) {
	struct rtap_config_error error;

	ck_assert_int_eq(rtap_config_load_buffer(&cfg, "t.yaml", "{}", 2, &error), 0);
	least = 0;
}

static void tear_down(void) {
	rtap_config_fini(&cfg);
}

static int compute(uint32_t nb_ports, uint64_t page_bytes) {
	return sizing_compute(&s, &cfg, &nb_ports, 1, page_bytes, 2, &least);
}

// All that holds for any plan.
static void ck_plan(uint64_t page_bytes) {
	uint64_t total = 0, budget_bytes = (uint64_t)s.queue_budget * s.nb_queues * s.buffer_bytes;
	uint32_t nb_ports = 0;

	ck_assert_uint_gt(s.queue_budget, 0);
	ck_assert_uint_le(budget_bytes, cfg.buffer_memory_bytes);
	ck_assert_uint_gt(
		budget_bytes + (uint64_t)s.nb_queues * s.buffer_bytes, cfg.buffer_memory_bytes
	);
	ck_assert_uint_eq(s.ring_size & (s.ring_size - 1), 0);
	ck_assert_uint_ge(s.ring_size - 1, s.queue_budget); // what an rte_ring of this size holds
	for (unsigned int n = 0; n < s.nb_nodes; n++) {
		const struct sizing_node *node = &s.nodes[n];
		uint64_t nb_queues = node->nb_ports * cfg.receive_queues;
		uint64_t mem = node->socket_mem_mib * MIB;

		total += mem;
		nb_ports += node->nb_ports;
		if (node->nb_ports == 0) {
			ck_assert_uint_eq(node->nb_buffers + mem + node->control_bytes, 0);
			continue;
		}
		ck_assert_uint_ge(
			node->nb_buffers,
			nb_queues * (s.queue_budget + cfg.receive_descriptors + cfg.burst_size)
				+ s.nb_lcores * SIZING_CACHE * 3 / 2
		);
		ck_assert_uint_ge(node->pool_bytes, (uint64_t)node->nb_buffers * s.buffer_bytes);
		ck_assert_uint_eq(node->control_bytes % page_bytes, 0);
		ck_assert_uint_eq(mem % page_bytes, 0);
		ck_assert_uint_ge(
			mem,
			node->pool_bytes + node->control_bytes + node->held_bytes + SIZING_EAL_BYTES
		);
		// The zone is on whole pages, in front of what EAL has taken already.
		ck_assert_uint_ge(
			mem, node->pool_bytes + node->control_bytes + node->held_bytes + page_bytes
		);
	}
	ck_assert_uint_eq(total, s.total_bytes);
	ck_assert_uint_eq(s.nb_queues, nb_ports * cfg.receive_queues);
}

START_TEST(defaults_fit_512_mib) {
	for (uint64_t nb_queues = 1; nb_queues <= 4; nb_queues *= 2) {
		cfg.receive_queues = nb_queues;
		ck_assert_int_eq(compute(1, PAGE_2M), 0);
		ck_plan(PAGE_2M);
		ck_assert_uint_le(s.total_bytes, 512 * MIB);
		ck_assert_uint_ge(s.total_bytes, cfg.buffer_memory_bytes);
	}
}
END_TEST

START_TEST(default_buffer) {
	ck_assert_int_eq(compute(1, PAGE_2M), 0);
	ck_assert_uint_eq(s.buffer_bytes, 2368);
	cfg.mbuf_data_room_bytes = 9000 + 18 + 128;
	ck_assert_int_eq(compute(1, PAGE_2M), 0);
	ck_assert_uint_eq(s.buffer_bytes, 9408);
}
END_TEST

START_TEST(buffer_is_as_large_as_dpdk_makes_it) {
	struct rte_mempool_objsz size;

	ck_assert_uint_eq(SIZING_MBUF_BYTES, sizeof(struct rte_mbuf));
	for (cfg.mbuf_data_room_bytes = 1152; cfg.mbuf_data_room_bytes <= 65535;
	     cfg.mbuf_data_room_bytes++) {
		ck_assert_int_eq(compute(1, PAGE_2M), 0);
		rte_mempool_calc_obj_size(
			(uint32_t)(sizeof(struct rte_mbuf) + cfg.mbuf_data_room_bytes), 0, &size
		);
		ck_assert_uint_eq(s.buffer_bytes, size.total_size);
	}
}
END_TEST

// On small pages, so that no rounding hides what is missing.
START_TEST(rings_fit_their_zone) {
	const uint64_t memory[] = {1, 3, 64, 256, 1000, 16384, 1024 * 1024};

	for (unsigned int i = 0; i < sizeof(memory) / sizeof(memory[0]); i++) {
		for (uint64_t nb_rings = 1; nb_rings <= 16; nb_rings++) {
			ssize_t ring_bytes;

			cfg.buffer_memory_bytes = memory[i] * MIB;
			cfg.transmit_rings_per_queue = nb_rings;
			ck_assert_int_eq(compute(1, PAGE_4K), 0);
			ring_bytes = rte_ring_get_memsize(s.ring_size);
			ck_assert_int_gt(ring_bytes, 0);
			ck_assert_uint_ge(
				s.nodes[0].control_bytes,
				sizeof(struct rtap_shm) + RTE_CACHE_LINE_SIZE
					+ nb_rings * (uint64_t)ring_bytes
			);
			ck_assert_uint_eq(
				s.nodes[0].held_bytes, nb_rings * s.ring_size * sizeof(void *)
			);
		}
	}
}
END_TEST

// However buffers and pages divide, the pages asked for hold the buffers.
START_TEST(buffers_fit_whole_pages) {
	const uint64_t pages[] = {PAGE_2M, PAGE_1G};

	for (unsigned int p = 0; p < 2; p++) {
		for (cfg.mbuf_data_room_bytes = 1152; cfg.mbuf_data_room_bytes <= 65535;
		     cfg.mbuf_data_room_bytes += 97) {
			uint64_t per_page, full;

			ck_assert_int_eq(compute(2, pages[p]), 0);
			ck_plan(pages[p]);
			per_page = pages[p] / s.buffer_bytes;
			full = s.nodes[0].nb_buffers / per_page;
			ck_assert_uint_ge(s.nodes[0].pool_bytes, full * pages[p]);
		}
	}
}
END_TEST

START_TEST(too_small) {
	for (uint64_t burst = 1; burst <= 512; burst *= 2) {
		for (uint32_t nb_ports = 1; nb_ports <= 4; nb_ports++) {
			cfg.burst_size = burst;
			cfg.receive_queues = 3;
			cfg.buffer_memory_bytes = 1;
			ck_assert_int_eq(compute(nb_ports, PAGE_2M), -EINVAL);
			ck_assert_uint_gt(least, 1);
			cfg.buffer_memory_bytes = least - 1;
			ck_assert_int_eq(compute(nb_ports, PAGE_2M), -EINVAL);
			cfg.buffer_memory_bytes = least;
			ck_assert_int_eq(compute(nb_ports, PAGE_2M), 0);
			ck_plan(PAGE_2M);
			ck_assert_uint_ge(s.queue_budget, burst);
		}
	}
}
END_TEST

START_TEST(several_nodes) {
	const uint32_t ports[] = {0, 2, 0, 1};
	uint64_t one_node;

	cfg.receive_queues = 2;
	ck_assert_int_eq(sizing_compute(&s, &cfg, ports, 4, PAGE_2M, 6, &least), 0);
	ck_plan(PAGE_2M);
	ck_assert_uint_eq(s.nb_nodes, 4);
	ck_assert_uint_eq(s.nb_queues, 6);
	ck_assert_uint_eq(s.nodes[0].socket_mem_mib + s.nodes[2].socket_mem_mib, 0);
	ck_assert_uint_gt(s.nodes[1].nb_buffers, s.nodes[3].nb_buffers);
	one_node = s.total_bytes;
	ck_assert_int_eq(compute(3, PAGE_2M), 0);
	ck_assert_uint_lt(s.total_bytes, one_node); // what each node needs for itself
}
END_TEST

START_TEST(all_nodes_and_no_more) {
	uint32_t ports[RTAP_MAX_NODES + 1];

	for (unsigned int n = 0; n <= RTAP_MAX_NODES; n++)
		ports[n] = 1;
	ck_assert_int_eq(
		sizing_compute(&s, &cfg, ports, RTAP_MAX_NODES + 1, PAGE_1G, 9, &least), 0
	);
	ck_assert_uint_eq(s.nb_nodes, RTAP_MAX_NODES);
	ck_assert_uint_eq(s.nb_queues, RTAP_MAX_NODES);
	ck_plan(PAGE_1G);
}
END_TEST

// The largest of everything: no product overflows.
START_TEST(largest) {
	cfg.buffer_memory_bytes = 1024 * 1024 * MIB;
	cfg.mbuf_data_room_bytes = 1152;
	cfg.receive_descriptors = 32768;
	cfg.burst_size = 512;
	cfg.transmit_rings_per_queue = 16;
	ck_assert_int_eq(compute(1, PAGE_1G), 0);
	ck_plan(PAGE_1G);
	ck_assert_uint_gt(s.total_bytes, cfg.buffer_memory_bytes);
	cfg.receive_queues = 1024;
	ck_assert_int_eq(compute(32, PAGE_1G), 0);
	ck_plan(PAGE_1G);
}
END_TEST

START_TEST(printed_parts) {
	char *text, line[80];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_int_eq(compute(1, PAGE_2M), 0);
	sizing_print(&s, &cfg, out);
	fclose(out);
	for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1)
		ck_assert_int_eq(*at, '#'); // comments to the YAML around them
	snprintf(line, sizeof(line), " hugepages in all: %" PRIu64 " MiB\n", s.total_bytes / MIB);
	ck_assert_ptr_nonnull(strstr(text, line));
	snprintf(
		line, sizeof(line), "%.3f s at   100,000 packets/s\n",
		s.queue_budget * s.nb_queues / 100000.0
	);
	ck_assert_ptr_nonnull(strstr(text, line));
	free(text);
}
END_TEST

START_TEST(configured_ring_size) {
	static const uint32_t sizes[] = {2, 64, 1 << 26};
	char *text;
	size_t size;

	for (int i = 0; i < 3; i++) {
		FILE *out = open_memstream(&text, &size);

		cfg.transmit_ring_size = sizes[i];
		ck_assert_int_eq(compute(1, PAGE_2M), 0);
		ck_assert_uint_eq(s.ring_size, sizes[i]);
		sizing_print(&s, &cfg, out);
		fclose(out);
		if (s.ring_size == 64) // four rings of 63
			ck_assert_ptr_nonnull(strstr(text, " 0.025 s at    10,000 packets/s\n"));
		free(text);
	}
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("sizing");
	TCase *tc = tcase_create("sizing");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, defaults_fit_512_mib);
	tcase_add_test(tc, default_buffer);
	tcase_add_test(tc, buffer_is_as_large_as_dpdk_makes_it);
	tcase_add_test(tc, rings_fit_their_zone);
	tcase_add_test(tc, buffers_fit_whole_pages);
	tcase_add_test(tc, too_small);
	tcase_add_test(tc, several_nodes);
	tcase_add_test(tc, all_nodes_and_no_more);
	tcase_add_test(tc, largest);
	tcase_add_test(tc, printed_parts);
	tcase_add_test(tc, configured_ring_size);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
