// SPDX-License-Identifier: BSD-3-Clause
// Who serves which ring, over random histories of real processes: they take slots and rings by the
// secondary's code, are killed and stopped at any instant, and the primary's code assigns.

#include "assignment_flaw.h"
#include "check_main.h"
#include "instance.h"
#include "lock_file.h"
#include "log.h"
#include "ring_assignment.h"
#include "ring_claim.h"
#include "worker_registry.h"
#include "worker_slot.h"

#include <check.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NB_HISTORIES 60
#define NB_EVENTS 50
#define NB_SLOTS 5
#define MAX_RINGS 12
#define MAX_WORKERS (NB_SLOTS + 2) // some find no slot
#define RING_SIZE 64
#define MAX_DELAY 20000 // turns of an empty loop: as long as a few rounds of a worker

// What a worker says after each command.
struct answer {
	uint64_t incarnation; // 0: no slot
	uint32_t owned; // rings that it takes for its own
};

struct worker {
	pid_t pid; // 0 = none
	int socket;
	enum rtap_worker_state state; // as it was told
	bool busy; // its windows do not get empty
	bool stopped;
	bool silent; // stopped before it answered
	struct answer last;
};

static struct rtap_shm *shm;
static struct rte_ring *rings[MAX_RINGS];
static struct rtap_counters counters;
static struct worker_registry registry;
static int16_t assigned_before[MAX_RINGS];
static int slots_fd;
static struct worker workers[MAX_WORKERS];
static struct rtap_config cfg = {.ack_window = RING_SIZE, .drain_timeout_s = 5};

static unsigned int random_below(unsigned int n) {
	static uint64_t state = 1;

	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned int)(state >> 33) % n;
}

// ---- a worker's process ----

static void act(struct ring_claims *claims, struct worker_slot *slot, bool busy, char command) {
	enum claim_policy policy = command == 'l' ? CLAIM_NONE
		: command == 'a'                  ? CLAIM_ANY
						  : CLAIM_ASSIGNED;
	bool leaves = policy == CLAIM_NONE;

	worker_slot_set_state(slot, leaves ? RTAP_WORKER_DRAINING : RTAP_WORKER_SERVING);
	for (unsigned int i = 0; i < shm->header.nb_rings; i++)
		claims->deliveries[i].source.consumer.in_window = claims->deliveries[i].owned
			&& busy;
	if (ring_claims_update(claims, policy) < 0)
		_exit(EXIT_FAILURE);
	if (leaves && claims->nb_owned == 0) {
		worker_slot_set_state(slot, RTAP_WORKER_LEFT);
		_exit(EXIT_SUCCESS);
	}
}

static void answer(int socket, const struct ring_claims *claims) {
	struct answer a = {.incarnation = claims->slot->incarnation};

	for (unsigned int i = 0; i < shm->header.nb_rings; i++)
		a.owned |= (uint32_t)claims->deliveries[i].owned << i;
	if (write(socket, &a, sizeof(a)) != sizeof(a))
		_exit(EXIT_FAILURE);
}

static _Noreturn void run_worker(int socket) {
	static struct rtap_ring_counters ring_counters[MAX_RINGS];
	static struct rtap_slot_counters slot_counters;
	static struct delivery deliveries[MAX_RINGS];
	static struct delivery_context ctx;
	struct worker_slot slot = {0};
	struct ring_claims claims = {
		.shm = shm, .slot = &slot, .ctx = &ctx, .deliveries = deliveries};
	bool busy = false;
	char path[32], command;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ctx = (struct delivery_context
	){.cfg = &cfg, .shm_header = &shm->header, .counters = &slot_counters};
	for (unsigned int i = 0; i < shm->header.nb_rings; i++)
		deliveries[i] = (struct delivery){
			.shared = &shm->rings[i],
			.source.ring = rings[i],
			.source.counters = &ring_counters[i],
		};
	// Opened again: a lock belongs to the description.
	snprintf(path, sizeof(path), "/proc/self/fd/%d", slots_fd);
	if (worker_slot_claim(&slot, shm, open(path, O_RDWR | O_CLOEXEC), getppid()) < 0) {
		answer(socket, &claims);
		_exit(EXIT_SUCCESS);
	}
	for (;;) {
		answer(socket, &claims);
		if (read(socket, &command, 1) != 1)
			_exit(EXIT_FAILURE);
		if (command == 'b')
			busy = !busy;
		else
			act(&claims, &slot, busy, command);
	}
}

// ---- what happens to workers ----

static void bury(struct worker *w) {
	ck_assert_int_eq(waitpid(w->pid, NULL, 0), w->pid);
	close(w->socket);
	*w = (struct worker){0};
}

// Returns whether the worker is still there.
static bool hear(struct worker *w) {
	if (read(w->socket, &w->last, sizeof(w->last)) == sizeof(w->last))
		return true;
	bury(w);
	return false;
}

static bool runs(const struct worker *w) {
	return w->pid != 0 && !w->stopped && w->state != RTAP_WORKER_STARTING;
}

static void tell(const struct worker *w, char command) {
	ck_assert_int_eq(send(w->socket, &command, 1, MSG_NOSIGNAL), 1);
}

static void begin(struct worker *w) {
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	w->pid = fork();
	if (w->pid == 0) { // from here on no assertion: Check listens to the parent alone
		close(pair[0]);
		run_worker(pair[1]);
	}
	ck_assert_int_gt(w->pid, 0);
	close(pair[1]);
	w->socket = pair[0];
	w->state = RTAP_WORKER_STARTING;
}

static unsigned int nb_at_slots(void) {
	unsigned int nb = 0;

	for (unsigned int i = 0; i < MAX_WORKERS; i++)
		nb += workers[i].last.incarnation != 0;
	return nb;
}

static void join(struct worker *w) {
	unsigned int nb_before = nb_at_slots();

	begin(w);
	ck_assert(hear(w));
	ck_assert_int_eq(w->last.incarnation != 0, nb_before < NB_SLOTS);
	if (w->last.incarnation == 0)
		bury(w);
}

static void wait_a_little(void) {
	for (volatile unsigned int i = random_below(MAX_DELAY); i > 0; i--)
		;
}

static void kill_worker(struct worker *w) {
	kill(w->pid, SIGKILL);
	bury(w);
}

static char command_of(const struct worker *w) {
	return w->state == RTAP_WORKER_DRAINING ? 'l' : 'r';
}

// In the middle of something, if it is not stopped.
static void die(struct worker *w) {
	if (runs(w)) {
		tell(w, command_of(w));
		wait_a_little();
	}
	kill_worker(w);
}

static void stop(struct worker *w) {
	int status;

	if (w->state != RTAP_WORKER_SERVING)
		return;
	tell(w, 'r');
	wait_a_little();
	kill(w->pid, SIGSTOP);
	ck_assert_int_eq(waitpid(w->pid, &status, WUNTRACED), w->pid);
	ck_assert(WIFSTOPPED(status));
	w->stopped = w->silent = true;
}

static void go_on(struct worker *w) {
	kill(w->pid, SIGCONT);
	ck_assert(hear(w));
	w->stopped = w->silent = false;
}

static void toggle_busy(struct worker *w) {
	w->busy = !w->busy;
	tell(w, 'b');
	ck_assert(hear(w));
}

static void happen(struct worker *w) {
	unsigned int event = random_below(16);

	if (w->pid == 0 && event == 0) { // killed while it takes a slot
		begin(w);
		wait_a_little();
		kill_worker(w);
	} else if (w->pid == 0) {
		join(w);
	} else if (event < 2) {
		die(w);
	} else if (w->stopped) {
		if (event < 10)
			go_on(w);
	} else if (event < 6 && w->state == RTAP_WORKER_STARTING) {
		w->state = RTAP_WORKER_SERVING;
	} else if (event < 8) {
		stop(w);
	} else if (event < 11) {
		toggle_busy(w);
	} else if (event == 11) {
		w->state = RTAP_WORKER_DRAINING;
	}
}

// One round of all who run, all at once.
static void work(bool primary_lives) {
	for (unsigned int i = 0; i < MAX_WORKERS; i++)
		if (runs(&workers[i]))
			tell(&workers[i], primary_lives ? command_of(&workers[i]) : 'a');
	for (unsigned int i = 0; i < MAX_WORKERS; i++) {
		struct worker *w = &workers[i];
		uint32_t owned_before = w->last.owned;

		// What has packets in its window is not given back.
		if (runs(w) && hear(w) && w->busy)
			ck_assert_uint_eq(owned_before & ~w->last.owned, 0);
	}
}

// What is given back in the first round is taken in the second.
static void let_them_work(void) {
	work(true);
	work(true);
}

// ---- what must hold ----

static struct worker *worker_of(uint64_t incarnation) {
	for (unsigned int i = 0; i < MAX_WORKERS; i++)
		if (workers[i].pid != 0 && workers[i].last.incarnation == incarnation)
			return &workers[i];
	return NULL;
}

// A stopped worker is alive: it keeps its slot and its share.
static uint64_t living_slots(void) {
	uint64_t slots = 0;

	for (unsigned int i = 0; i < MAX_WORKERS; i++)
		if (workers[i].pid != 0 && workers[i].state == RTAP_WORKER_SERVING)
			slots |= UINT64_C(1) << RTAP_INCARNATION_SLOT(workers[i].last.incarnation);
	return slots;
}

static void check_assignment(void) {
	int16_t assigned[MAX_RINGS];
	uint64_t slots = living_slots();
	unsigned int nb_moves;
	const char *flaw;

	for (unsigned int i = 0; i < shm->header.nb_rings; i++) {
		uint64_t to = atomic_load(&shm->rings[i].assigned);

		assigned[i] = to == 0 ? RING_ASSIGNMENT_NONE : (int16_t)RTAP_INCARNATION_SLOT(to);
		ck_assert_int_eq(to != 0, slots != 0);
		ck_assert_msg(to == 0 || worker_of(to) != NULL, "ring %u goes to the dead", i);
	}
	if (slots != 0) {
		flaw = assignment_flaw(
			assigned_before, assigned, shm->header.nb_rings, slots, &nb_moves
		);
		ck_assert_msg(flaw == NULL, "%s", flaw);
	}
	memcpy(assigned_before, assigned, sizeof(assigned));
}

static void check_registry(void) {
	const struct rtap_counters_header *h = counters.header;

	ck_assert_uint_eq(worker_registry_nb_workers(&registry), nb_at_slots());
	ck_assert_uint_eq(
		rtap_counter_get(&h->workers_joined),
		rtap_counter_get(&h->workers_left) + rtap_counter_get(&h->workers_died)
			+ nb_at_slots()
	);
}

// A worker takes a ring for its own if and only if the ring's word says so: no other can.
static void check_owners(void) {
	for (unsigned int i = 0; i < shm->header.nb_rings; i++) {
		uint64_t owner = atomic_load(&shm->rings[i].owner);

		for (unsigned int k = 0; k < MAX_WORKERS; k++)
			if (workers[k].pid != 0 && !workers[k].silent)
				ck_assert_msg(
					(owner == workers[k].last.incarnation)
						== (workers[k].last.owned >> i & 1),
					"ring %u has two owners or a wrong one", i
				);
	}
}

static void check_served(void) {
	for (unsigned int i = 0; i < shm->header.nb_rings; i++) {
		const struct worker *to = worker_of(atomic_load(&shm->rings[i].assigned));
		const struct worker *owner = worker_of(atomic_load(&shm->rings[i].owner));

		ck_assert_msg(
			owner != NULL || atomic_load(&shm->rings[i].owner) == 0,
			"ring %u is left with the dead", i
		);
		if (to != NULL && !to->stopped && to->state == RTAP_WORKER_SERVING)
			ck_assert_msg(
				owner == to || (owner != NULL && (owner->stopped || owner->busy)),
				"ring %u is not served", i
			);
	}
}

// The primary died: whoever runs takes what is free or was the dead's.
static void check_orphans(void) {
	bool anybody = false;

	for (unsigned int i = 0; i < MAX_WORKERS; i++)
		anybody |= runs(&workers[i]);
	work(false);
	check_owners();
	for (unsigned int i = 0; anybody && i < shm->header.nb_rings; i++)
		ck_assert_msg(worker_of(atomic_load(&shm->rings[i].owner)), "ring %u is left", i);
}

static void start_history(void) {
	shm->header.nb_rings = counters.shape.nb_rings = 1 + random_below(MAX_RINGS);
	for (unsigned int i = 0; i < MAX_RINGS; i++)
		assigned_before[i] = RING_ASSIGNMENT_NONE;
	worker_registry_init(&registry, shm, &counters, slots_fd);
}

static void end_history(void) {
	for (unsigned int i = 0; i < MAX_WORKERS; i++)
		if (workers[i].pid != 0)
			kill_worker(&workers[i]);
	memset(shm->slots, 0, sizeof(shm->slots));
	for (unsigned int i = 0; i < MAX_RINGS; i++)
		shm->rings[i].owner = shm->rings[i].assigned = 0;
	counters.header->workers_joined = counters.header->workers_left = 0;
	counters.header->workers_died = 0;
}

START_TEST(random_histories) {
	for (unsigned int history = 0; history < NB_HISTORIES; history++) {
		start_history();
		for (unsigned int event = 0; event < NB_EVENTS; event++) {
			happen(&workers[random_below(MAX_WORKERS)]);
			let_them_work();
			check_owners();
			if (random_below(3) == 0)
				continue; // more happens before the primary looks
			worker_registry_update(&registry);
			check_registry();
			check_assignment();
			let_them_work();
			check_owners();
			if (living_slots() == registry.eligible)
				check_served();
		}
		check_orphans();
		end_history();
	}
}
END_TEST

// They are somebody's, who never says so.
static void take_further_slots(void) {
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", slots_fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(rtap_lock_write(fd, NB_SLOTS, RTAP_MAX_SLOTS - NB_SLOTS), 0);
}

static void set_up(void) {
	static struct rtap_ring_counters ring_counters[MAX_RINGS];
	static struct rtap_slot_counters slots[RTAP_MAX_SLOTS];
	static struct rtap_counters_header header;
	size_t ring_bytes = (size_t)rte_ring_get_memsize(RING_SIZE);
	char *memory;

	rtap_log_init("test", RTAP_LOG_ERR);
	memory = mmap(
		NULL, sizeof(*shm) + MAX_RINGS * ring_bytes, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0
	);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	shm = (struct rtap_shm *)memory;
	for (unsigned int i = 0; i < MAX_RINGS; i++) {
		rings[i] = (struct rte_ring *)(memory + sizeof(*shm) + i * ring_bytes);
		shm->rings[i].size = RING_SIZE;
		snprintf(shm->rings[i].name, sizeof(shm->rings[i].name), "r%u", i);
		ck_assert_int_eq(
			rte_ring_init(rings[i], "r", RING_SIZE, RING_F_SP_ENQ | RING_F_SC_DEQ), 0
		);
	}
	slots_fd = memfd_create("slots", MFD_CLOEXEC);
	ck_assert_int_ge(slots_fd, 0);
	take_further_slots();
	counters.header = &header;
	counters.rings = ring_counters;
	counters.slots = slots;
}

static Suite *make_suite(void) {
	Suite *suite = suite_create("worker_registry");
	TCase *tcase = tcase_create("worker_registry");

	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_set_timeout(tcase, 100);
	tcase_add_test(tcase, random_histories);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
