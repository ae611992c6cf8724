#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What TAB offers after the words of a command line, one per line.
#
#   complete.sh COMPLETION_FILE WORD...       the last word is the one that is being written

set -euo pipefail

# shellcheck disable=SC1090
. "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
function=$(complete -p "$(basename "$1")" | sed -E 's/.* -F ([^ ]+) .*/\1/')
"$function" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
((${#COMPREPLY[@]})) && printf '%s\n' "${COMPREPLY[@]}"
exit 0
