// SPDX-License-Identifier: BSD-3-Clause
// Leave out what a Wireshark newer than this program says to extcap programs. Pure.

#pragma once

#include <getopt.h>

// When the words are a call of Wireshark's, take out --extcap-* and --log-* options that are not
// among `known`, and their values; there are no words but options and values. Returns the number of
// words that are left, which argv ends with NULL. Words of other calls stay as they are, so that
// mistakes are refused.
int extcap_words_drop_unknown(int argc, char **argv, const struct option *known);
