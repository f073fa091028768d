#!/usr/bin/env bash
# guard.sh PARENT FOLDER COMMAND...: runs COMMAND in a process group of its own, whose number it writes to descriptor 3.
# Nothing of the group outlives the command. When PARENT dies (setpriv --pdeathsig TERM tells), the group is killed, be
# it frozen or not, and FOLDER, which holds its data, is removed.
set -uo pipefail
parent=$1 folder=$2
shift 2

# Not by job control (set -m), under which bash turns in circles as long as the program is stopped (SIGSTOP).
setsid "$@" 3>&- &
group=$!
orphaned() {
  # It has no group yet in its first moment.
  kill -KILL -- "-$group" "$group" 2>/dev/null
  rm -rf "$folder"
  exit 1
}
trap orphaned TERM
# The parent may have died before setpriv asked to be told.
[[ $PPID == "$parent" ]] || orphaned
echo "$group" >&3
exec 3>&-
wait "$group"
status=$?
kill -KILL -- "-$group" 2>/dev/null
exit "$status"
