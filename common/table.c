// SPDX-License-Identifier: BSD-3-Clause
// Print the rows of a balance, and say what they mean.

#include "table.h"

#include <inttypes.h>

#define CELL 16 // characters; a longer number widens its column by a blank at least

static const char heading[]
	= "     ------ in ------  --- queued --- ----- out ----- ---- drops ----\n";

static void print_cell(FILE *out, uint64_t value) {
	fprintf(out, " %*" PRIu64, CELL - 1, value);
}

static void print_none(FILE *out) {
	fprintf(out, " %*s", CELL - 1, "-");
}

static void print_row(FILE *out, const char *name, const struct rtap_row *row) {
	fprintf(out, "%-5s", name);
	print_cell(out, row->in);
	print_cell(out, row->queued);
	print_cell(out, row->out);
	print_cell(out, row->drops);
	fputc('\n', out);
}

static void print_nic(FILE *out, const struct rtap_row *nic) {
	fprintf(out, "%-5s", "[nic]");
	print_cell(out, nic->in);
	print_none(out);
	print_none(out);
	if (nic->drops > 0)
		print_cell(out, nic->drops);
	else
		print_none(out);
	fputc('\n', out);
}

void rtap_table_print(FILE *out, const struct rtap_balance *balance) {
	fputs(heading, out);
	print_nic(out, &balance->nic);
	print_row(out, "[rx]", &balance->rx);
	print_row(out, "[tx]", &balance->tx);
	print_row(out, "[kaf]", &balance->kaf);
	if (balance->filtered > 0)
		fprintf(out, "filtered: %" PRIu64 "\n", balance->filtered);
	if (balance->sent_again > 0)
		fprintf(out, "sent again: %" PRIu64 "\n", balance->sent_again);
}

// Figures may go down: refused packets that were taken after all, a slot whose worker is gone.
static uint64_t rate(uint64_t now, uint64_t before, double seconds) {
	return now > before ? (uint64_t)((double)(now - before) / seconds + 0.5) : 0;
}

static void print_rate_row(
	FILE *out, const char *name, const struct rtap_row *now, const struct rtap_row *before,
	double seconds
) {
	fprintf(out, "%-5s", name);
	print_cell(out, rate(now->in, before->in, seconds));
	print_none(out);
	print_cell(out, rate(now->out, before->out, seconds));
	print_cell(out, rate(now->drops, before->drops, seconds));
	fputc('\n', out);
}

void rtap_table_print_rates(
	FILE *out, const struct rtap_balance *now, const struct rtap_balance *before, double seconds
) {
	const struct rtap_row nic = {
		.in = rate(now->nic.in, before->nic.in, seconds),
		.drops = rate(now->nic.drops, before->nic.drops, seconds),
	};

	fputs("packets/s\n", out);
	fputs(heading, out);
	print_nic(out, &nic);
	print_rate_row(out, "[rx]", &now->rx, &before->rx, seconds);
	print_rate_row(out, "[tx]", &now->tx, &before->tx, seconds);
	print_rate_row(out, "[kaf]", &now->kaf, &before->kaf, seconds);
}

static const char explanation[]
	= "All figures are packets since the start of the primary.\n"
	  "\n"
	  "[nic] in      seen by the device: received + missed + errors + no buffer\n"
	  "      drops   missed (no descriptor free) + errors + no buffer; \"-\" is none\n"
	  "              This row is as the driver reports it. Some drivers do not see every drop.\n"
	  "[rx]  in      taken from the device by the receive workers\n"
	  "      queued  in the transmit rings, not yet taken by a transmit worker\n"
	  "      out     put on the transmit rings\n"
	  "      drops   the ring, or the memory budget of its queue, was full; or malformed: longer\n"
	  "              than its buffers, by its driver's word\n"
	  "[tx]  in      taken from the rings by the transmit workers\n"
	  "      queued  taken, not yet with the Kafka client: waiting for their partition's turn\n"
	  "              (outbox), or to be offered again\n"
	  "      out     taken by the Kafka client; what came back undelivered is taken off\n"
	  "      drops   refused by the Kafka client and not yet offered again: may decrease\n"
	  "[kaf] in      taken by the Kafka client (= [tx] out)\n"
	  "      queued  waiting for a delivery report\n"
	  "      out     acknowledged by Kafka\n"
	  "      drops   failed for good, each proved for that packet alone\n"
	  "\n"
	  "filtered      taken from the device and rejected by the filter; shown if not 0\n"
	  "sent again    taken by a transmit worker that ended before they were released; the next\n"
	  "              worker takes them again, so Kafka may hold some of them twice\n"
	  "\n"
	  "[tx] and [kaf] sum over all transmit workers that ever ran, the dead ones included. What a\n"
	  "dead one had taken and not delivered leaves \"queued\" and appears as \"sent again\":\n"
	  "\n"
	  "    [rx] in               = filtered + [rx] out + [rx] drops\n"
	  "    [rx] out + sent again = [rx] queued + [tx] in\n";

void rtap_table_explain(FILE *out) {
	fputs(explanation, out);
}
