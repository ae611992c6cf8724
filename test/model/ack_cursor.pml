// SPDX-License-Identifier: BSD-3-Clause
// The ack-cursor protocol of one transmit ring: a primary, two workers that may die at any step,
// and a Kafka that reports in any order. Searched exhaustively by test_ack_cursor.py.
//
// Who changes the C code changes the step that models it:
//
//   primary     put           rtap_ring_put()                     common/transmit_ring.c
//               reclaim       rtap_ring_reclaim()
//   registry    bury          bury()                              capture-primary/control/worker_registry.c
//   worker      born          worker_slot_claim()                 kafka-secondary/rings/worker_slot.c
//               is_dead       worker_slot_is_dead()
//               claim         claim()                             kafka-secondary/rings/ring_claim.c
//               give back     ring_claims_update(), give_back()
//               take over     delivery_begin()                    kafka-secondary/deliver/delivery.c,
//                             rtap_ring_take_over()               common/transmit_ring.c
//               read_ring     start_and_finish(), with the zero-copy start and finish of rte_ring
//               look          ack_window_advance(), _next_run()   kafka-secondary/deliver/ack_window.c
//               serve         delivery_serve(), read_new()        kafka-secondary/deliver/delivery.c
//               send again    resend()
//               offer         offer(), sink_offer()
//               report        delivery_report()
//   death       kill          the kernel: threads and memory first, then the lock of the slot
//
// Simpler than the truth, and why that hides nothing of the promises below:
//   - One ring: rings share nothing but their workers. A worker may claim a free ring, and begin
//     to give it back, at any time: the assignment only chooses among these histories.
//   - A packet is its index, which does not wrap at 2^32; its slot is the index modulo slots.
//   - Kafka has a packet when its report is read. It may have it earlier (then a death makes a
//     duplicate), but whatever is freed in between is freed too early.
//   - Faults come out of budgets, so every history ends. That "all packets freed" is the only end,
//     and that there is no cycle, is progress, without any assumption of fairness.
//
// Not modelled: the order of packets in Kafka, so nothing here says that the waits before sending
// again are needed; the order of loads and stores (memory is sequentially consistent); a worker
// that writes where it must not; the death of the primary.

#ifndef NB_SLOTS
#define NB_SLOTS 3
#endif
#ifndef NB_PACKETS
#define NB_PACKETS 4 // more than slots: indexes come round
#endif
#ifndef NB_KILLS
#define NB_KILLS 1
#endif
#ifndef NB_MOVES
#define NB_MOVES 1
#endif
#ifndef NB_FAULTS
#define NB_FAULTS 1
#endif
#define CAPACITY (NB_SLOTS - 1)
#define WINDOW CAPACITY
#define BURST 2

// ---- broken variants: -DBROKEN=... makes one ----

#define NOTHING 0
#define RELEASE_BEFORE_REPORT 1
#define RELEASE_BY_COUNT 2 // as many as are done, instead of the prefix
#define SWALLOW_A_FAILED_REPORT 3
#define BELIEVE_A_BATCH 4 // a refusal proves nothing about one packet among others
#define GIVE_BACK_WITH_A_WINDOW 5
#define GIVE_BACK_FOR_EVER 6
#define TAKE_OVER_WITHOUT_CLEARING 7
#define TAKE_OVER_AND_READ_UNCHECKED 8 // the same, and indexes are not looked at
#define CLAIM_WITHOUT_COMPARING 9 // a store instead of a compare-and-swap
#define CLEAR_WITHOUT_COMPARING 10
#define CLEAR_A_LIVING_OWNER 11
#define KEEP_A_DEAD_OWNER 12
#define USE_AN_INCARNATION_AGAIN 13
#define UNLOCK_BEFORE_THE_CLIENT_ENDS 14
#define PUT_BY_THE_RINGS_COUNT 15 // its free slots may hold packets that are not yet freed
#define FREE_UP_TO_THE_HEAD 16

#ifndef BROKEN
#define BROKEN NOTHING
#endif
#define broken(variant) (BROKEN == variant)

// ---- the promises: each is a name that the search prints when it is broken ----

hidden byte no_packet_freed_before_its_outcome;
hidden byte no_packet_freed_twice;
hidden byte no_client_reads_a_freed_packet;
hidden byte no_good_packet_given_up;
hidden byte no_ring_with_two_owners;
hidden byte the_tail_makes_sense_to_the_primary;
hidden byte the_ring_makes_sense_to_its_owner;

#define promise(name, condition) assert((condition) || name)

// ---- shared memory ----

byte slots[NB_SLOTS]; // packets; the primary's own copy, `held`, has the same
byte prod_tail; // and prod.head
byte cons_head, cons_tail;
byte owner; // incarnation of the ring's worker, 0 = free
byte shown[2]; // incarnation, by the worker's slot
bool locked[2]; // the slot's lock

// Never used before, and the slot can be told from it.
#define INCARNATION(slot) \
	(shown[slot] == 0 || broken(USE_AN_INCARNATION_AGAIN) -> 2 + slot : shown[slot] + 2)
#define SLOT(incarnation) ((incarnation) % 2)
#define NOBODY 2 // not a slot

// One's own lock is not seen (F_OFD_GETLK).
#define is_dead(who, looks) \
	((shown[SLOT(who)] != who || !locked[SLOT(who)] || SLOT(who) == looks \
	  || broken(CLEAR_A_LIVING_OWNER)) && !broken(KEEP_A_DEAD_OWNER))

// ---- what only the model knows ----

#define OPEN 0 // fate of a packet
#define DELIVERED 1
#define GIVEN_UP 2
#define FREED 3
byte fate[NB_PACKETS];
#define is_bad(p) (p == 1) // Kafka will never take it

#define NOT_HELD 0
#define HELD 1
#define HELD_ALONE 2 // to be sent by itself
typedef kafka_client {
	byte has[NB_PACKETS] // and reads, until the report
};
kafka_client client[2]; // by slot

bool owns[2]; // by slot
chan sigkill[2] = [0] of { bit };
byte nb_gone; // workers that are not born again

byte nb_kills = NB_KILLS; // budgets
byte nb_moves = NB_MOVES; // rings given back although no worker died
byte nb_faults = NB_FAULTS; // refused offers and failed reports of good packets

// ---- the primary ----

#define ROOM (CAPACITY - (prod_tail - (broken(PUT_BY_THE_RINGS_COUNT) -> cons_tail : freed)))
#define RELEASED (broken(FREE_UP_TO_THE_HEAD) -> cons_head : cons_tail)

inline free_one(p) {
	promise(no_packet_freed_twice, fate[p] != FREED);
	promise(no_packet_freed_before_its_outcome, fate[p] != OPEN);
	promise(no_client_reads_a_freed_packet, !client[0].has[p] && !client[1].has[p]);
	fate[p] = FREED
}

active proctype primary() {
	byte freed;

	do
	:: atomic { // put
		prod_tail < NB_PACKETS && ROOM > 0 ->
		slots[prod_tail % NB_SLOTS] = prod_tail;
		prod_tail++
	   }
	:: atomic { // reclaim
		RELEASED != freed ->
		promise(the_tail_makes_sense_to_the_primary,
			freed < RELEASED && RELEASED <= prod_tail);
		do
		:: freed < RELEASED -> free_one(slots[freed % NB_SLOTS]); freed++
		:: else -> break
		od
	   }
	:: freed == NB_PACKETS -> break // the one valid end: all others wait at an `end` label
	od
}

// Clear the owner word of the dead `seen`: compare and swap.
inline clear_owner(looks) {
	atomic { owner != 0 && is_dead(owner, looks) -> seen = owner }
	d_step {
		owner = (owner == seen || broken(CLEAR_WITHOUT_COMPARING) -> 0 : owner);
		seen = 0
	}
}

active proctype registry() {
	byte seen;

end_nobody_died:
	do
	:: clear_owner(NOBODY) // bury
	od
}

// ---- a worker ----

#define WAITING 0 // states of a window's packets: DELIVERED and GIVEN_UP as above, and
#define SUSPECT 3
#define IN_FLIGHT 4 // with the sink: ACK_KEPT or ACK_IN_FLIGHT

#define READING 0 // of the ring
#define NO_ROOM 1
#define PAUSED 2
#define RESENDING 3

#define entry(index) ((index) % WINDOW)
#define is_alone(index) (client[me].has[payload[entry(index)]] == HELD_ALONE)
#define is_done(s) \
	(s == DELIVERED || s == GIVEN_UP || (broken(RELEASE_BEFORE_REPORT) && s == IN_FLIGHT))
#define is_to_be_sent(s) (s == WAITING || s == SUSPECT)
#define min(a, b) ((a) < (b) -> (a) : (b))
#define max(a, b) ((a) > (b) -> (a) : (b))

// Sum up the window: packets to release, in flight, and the first run of a kind to send again.
inline look() {
	d_step {
		nb_release = 0;
		nb_in_flight = 0;
		nb_again = 0;
		again = 0;
		i = tail;
		do
		:: i < tail + in_window ->
			nb_release = nb_release + (is_done(state[entry(i)])
				&& (i == tail + nb_release || broken(RELEASE_BY_COUNT)) -> 1 : 0);
			nb_in_flight = nb_in_flight + (state[entry(i)] == IN_FLIGHT -> 1 : 0);
			again = (nb_again == 0 -> i : again);
			nb_again = nb_again + (is_to_be_sent(state[entry(i)]) && nb_again < BURST
				&& i == again + nb_again && state[entry(i)] == state[entry(again)]
				-> 1 : 0);
			i++
		:: else -> break
		od;
		i = 0;
		room = (ring_state == READING && !giving_back
			-> min(BURST, WINDOW - in_window + nb_release) : 0);
		again = (nb_again == 0 -> 0 : again)
	}
}

#define looks_right(condition) ((condition) || broken(TAKE_OVER_AND_READ_UNCHECKED))

// Release the `nb_done` oldest packets and copy up to `nb` from `first` on: that is nb_read.
inline read_ring() {
	d_step { // start
		promise(the_ring_makes_sense_to_its_owner,
			looks_right(cons_head == tail && cons_tail == tail));
		ahead = cons_head - tail;
		nb_read = max(first - tail + nb, in_window);
		nb_read = min(nb_read, prod_tail - cons_head);
		promise(the_ring_makes_sense_to_its_owner, looks_right(nb_read >= in_window));
		cons_head = cons_head + nb_read;
		nb_read = (nb_read > first - tail -> min(nb_read - (first - tail), nb) : 0);
		nb = 0
	}
	d_step { // copy, finish
		i = first;
		do
		:: i < first + nb_read -> payload[entry(i)] = slots[(ahead + i) % NB_SLOTS]; i++
		:: else -> break
		od;
		i = 0;
		ahead = 0;
		cons_head = cons_tail + (cons_head - cons_tail >= nb_done -> nb_done : 0)
	}
	d_step {
		cons_tail = cons_head; // finish stores the head first
		in_window = max(in_window, first - tail + nb_read) - nb_done;
		tail = tail + nb_done;
		do // their entries may be of new packets by now
		:: nb_done > 0 -> state[entry(tail - nb_done)] = WAITING; nb_done--
		:: else -> break
		od
	}
}

inline give_up(index) {
	promise(no_good_packet_given_up, is_bad(payload[entry(index)]));
	fate[payload[entry(index)]] = GIVEN_UP;
	state[entry(index)] = GIVEN_UP
}

// Hand `nb_read` packets from `first` on to the client.
inline offer() {
	do
	:: atomic {
		nb_read > 0 ->
		if
		:: client[me].has[payload[entry(first)]] =
			(state[entry(first)] == SUSPECT -> HELD_ALONE : HELD);
		   state[entry(first)] = IN_FLIGHT
		:: is_bad(payload[entry(first)]) -> give_up(first) // the client sees its size
		:: nb_faults > 0 -> nb_faults--; ring_state = (ring_state == PAUSED -> PAUSED : NO_ROOM)
		:: nb_faults > 0 -> nb_faults--; ring_state = PAUSED
		fi;
		first++;
		nb_read--
	   }
	:: atomic { nb_read == 0 -> first = 0; look(); break }
	od
}

// The client says what became of a packet in flight.
inline report() {
	i = tail;
	do // any of them
	:: state[entry(i)] != IN_FLIGHT -> i++
	:: state[entry(i)] == IN_FLIGHT && nb_in_flight > 1 -> nb_in_flight--; i++
	:: state[entry(i)] == IN_FLIGHT -> break
	od;
	if
	:: !is_bad(payload[entry(i)]) ->
		fate[payload[entry(i)]] = DELIVERED;
		state[entry(i)] = DELIVERED
	:: is_bad(payload[entry(i)]) || (nb_faults > 0 && !is_alone(i)) -> // refused
		nb_faults = nb_faults - (is_bad(payload[entry(i)]) -> 0 : 1);
		if
		:: is_alone(i) || broken(BELIEVE_A_BATCH) -> give_up(i)
		:: else -> state[entry(i)] = SUSPECT; ring_state = PAUSED
		fi
	:: nb_faults > 0 -> // returned: nothing is said about the packet itself
		nb_faults--;
		state[entry(i)] = (is_alone(i) -> SUSPECT : WAITING);
		state[entry(i)] = (broken(SWALLOW_A_FAILED_REPORT) -> DELIVERED : state[entry(i)]);
		ring_state = PAUSED
	fi;
	client[me].has[payload[entry(i)]] = NOT_HELD;
	i = 0;
	look()
}

// Give back, and death: nothing of a history stays, so that histories meet in one state.
inline forget_window() {
	d_step {
		tail = 0;
		in_window = 0;
		ring_state = READING;
		resend_kind = WAITING;
		giving_back = false;
		i = 0;
		do
		:: i < WINDOW -> state[i] = WAITING; payload[i] = 0; i++
		:: else -> break
		od;
		look()
	}
}

inline forget_client() {
	d_step {
		i = 0;
		do
		:: i < NB_PACKETS ->
			client[me].has[i] = (broken(UNLOCK_BEFORE_THE_CLIENT_ENDS)
				-> client[me].has[i] : NOT_HELD);
			i++
		:: else -> break
		od;
		i = 0
	}
}

#define kinds_do_not_mix \
	(nb_in_flight == 0 || resend_kind == (nb_again > 0 -> state[entry(again)] : WAITING))

active [2] proctype worker() {
	byte me = _pid - 2; // its slot
	byte seen; // incarnation of an owner
	byte tail, in_window, state[WINDOW], payload[WINDOW];
	byte ring_state, resend_kind;
	bool giving_back;
	byte nb_release, room, nb_in_flight, again, nb_again; // by look()
	byte first, nb, nb_done, nb_read, ahead, i;

born:
	{
		locked[me] = true;
		shown[me] = INCARNATION(me);
end_stand_by:
		do
		:: clear_owner(me)
		:: owner == 0 -> // claim
			atomic { // compare and swap
				if
				:: owner == 0 || broken(CLAIM_WITHOUT_COMPARING) ->
					owner = shown[me];
					promise(no_ring_with_two_owners, !owns[1 - me]);
					owns[me] = true;
					break
				:: else // the other one was faster
				fi
			}
		od;
		d_step { // take over
			cons_head = (broken(TAKE_OVER_WITHOUT_CLEARING)
				|| broken(TAKE_OVER_AND_READ_UNCHECKED) -> cons_head : cons_tail);
			tail = cons_tail;
			look()
		}
end_idle:
		if
		:: atomic { // serve: release and read
			nb_release > 0 || (room > 0 && prod_tail > tail + in_window) ->
			first = tail + in_window;
			nb = room;
			nb_done = nb_release
		   }
		:: atomic { // send again
			ring_state == RESENDING && nb_again > 0 && kinds_do_not_mix ->
			resend_kind = state[entry(again)];
			first = again;
			nb = nb_again
		   }
		:: atomic { // all is sent again
			ring_state == RESENDING && nb_again == 0 && kinds_do_not_mix ->
			ring_state = READING;
			look();
			goto end_idle
		   }
		:: atomic { // the pause is over, after a failure also the last report read
			ring_state == NO_ROOM || (ring_state == PAUSED && nb_in_flight == 0) ->
			ring_state = RESENDING;
			resend_kind = WAITING;
			look();
			goto end_idle
		   }
		:: atomic {
			nb_in_flight > 0 ->
			report();
			goto end_idle
		   }
		:: atomic { // no longer assigned
			nb_moves > 0 && !giving_back ->
			nb_moves = nb_moves - (broken(GIVE_BACK_FOR_EVER) -> 0 : 1);
			giving_back = true;
			look();
			goto end_idle
		   }
		:: atomic { // give back
			giving_back && (in_window == 0 || broken(GIVE_BACK_WITH_A_WINDOW)) ->
			owns[me] = false;
			forget_window()
		   }
		   owner = 0;
		   goto end_stand_by
		fi;
		read_ring();
		offer();
		goto end_idle
	} unless {
		atomic {
			sigkill[me]?_ ->
			seen = 0;
			first = 0;
			nb = 0;
			nb_done = 0;
			nb_read = 0;
			ahead = 0;
			forget_window();
			forget_client();
			owns[me] = false;
			locked[me] = false
		}
	}
	if
	:: goto born
	:: atomic { nb_gone == 0 -> nb_gone++ } // for good: the other one is left
	fi
}

// ---- SIGKILL of a worker, at any step ----

active proctype death() {
end_nobody_to_kill:
	do
	:: atomic { nb_kills > 0 && locked[0] -> nb_kills--; sigkill[0]!0 }
	:: atomic { nb_kills > 0 && locked[1] -> nb_kills--; sigkill[1]!0 }
	od
}
